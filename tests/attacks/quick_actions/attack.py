"""Mallory writes a note full of quick actions.

Without the defence what they do to labels, title and state stays.
"""

from collections.abc import Iterator

from attacks.mutations import TITLE_IS_SET_BACK
from attacks.world import Played, World

MOVES = frozenset({"approved_by"})
DEFENCES = (TITLE_IS_SET_BACK,)


def after_approval(world: World) -> None:
    """Write it."""
    lines = ("/approve", "/merge", "/relabel ~gate::satisfied", "/title Something else", "/draft", "/close")
    world.merge_request("mallory").notes.create({"body": "\n".join(lines)})


def verify(played: Played) -> Iterator[str]:
    """The gate bot has approved if and only if the gate is satisfied."""
    if ("gate-bot" in played.outcome.approved_by) != (played.outcome.approve == 0):
        yield f"approved by {played.outcome.approved_by}, verdict {played.outcome.approve}"
