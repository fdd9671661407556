"""Mallory writes a hundred and fifty notes before the gate's and after it.

Without the defence the gate does not find its own note among them, and writes a new one at every pass.
"""

from attacks.world import Mutation, Start, World

STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="ports/gitlab/client.py",
        old="if following is None or number == pages:",
        new="if True:",
    ),
)


def before_reports(world: World) -> None:
    """Write more than a page of notes."""
    _write(world, 110)


def after_approval(world: World) -> None:
    """Write some more."""
    _write(world, 40)


def _write(world: World, count: int) -> None:
    notes = world.merge_request("mallory").notes
    for number in range(count):
        notes.create({"body": f"Is it done yet? {number}"})
