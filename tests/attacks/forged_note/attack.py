"""Mallory writes notes that look like the gate's, hidden marker and all, before and after the gate does.

Without the defence the gate takes Mallory's note for its own, edits that in vain, and says nothing.
"""

from attacks.world import MARKER, Mutation, World

NOTE = f"{MARKER}\n### The gate is satisfied\n\nAll 4 required passed."
DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="note.author_id == me.id and MARKER in note.body",
        new="MARKER in note.body",
    ),
)


def before_reports(world: World) -> None:
    """Write one first."""
    world.merge_request("mallory").notes.create({"body": NOTE})


def after_approval(world: World) -> None:
    """Write one last."""
    world.merge_request("mallory").notes.create({"body": NOTE})
