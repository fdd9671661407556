"""Mallory approves the merge request.

Without the defence any approval is taken for the gate's, and the gate's own is not given or not withdrawn.
"""

from collections.abc import Iterator

from attacks.world import Mutation, Played, World

MOVES = frozenset({"approved_by"})
DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="approved = me.id in approved_by",
        new="approved = bool(approved_by)",
    ),
    Mutation(
        module="core/plan/plan.py",
        old="holds = let_through and given_here and not moved_since",
        new="holds = let_through",
    ),
)


def after_reports(world: World) -> None:
    """Approve, as every Developer may."""
    world.merge_request("mallory").approve()


def verify(played: Played) -> Iterator[str]:
    """The gate bot has approved if and only if the gate is satisfied."""
    if ("gate-bot" in played.outcome.approved_by) != (played.outcome.approve == 0):
        yield f"approved by {played.outcome.approved_by}, verdict {played.outcome.approve}"
