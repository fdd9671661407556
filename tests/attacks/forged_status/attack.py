"""Mallory sets the status `compose-gate` on the branch's head, once each way.

Without the defence a status by somebody else is taken for the gate's, which then says nothing of its own.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="if line.author_id == me.id and line.name == STATUS_NAME",
        new="if line.name == STATUS_NAME",
    ),
)


def after_reports(world: World) -> None:
    """Set both, before the gate sets its own, and a success at last."""
    commit = world.as_("mallory").commits.get(world.head(), lazy=True)
    for state in ("failed", "success"):
        commit.statuses.create({"state": state, "name": "compose-gate", "description": "All 4 required passed"})
