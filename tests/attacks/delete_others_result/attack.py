"""Mallory deletes every result on the branch.

Without the defence any Developer makes a failure, or a pass, go away.
"""

from attacks.mutations import REMOVED_COUNTS
from attacks.world import World

NAMED = frozenset({"removed-file"})
DEFENCES = (REMOVED_COUNTS,)


def after_reports(world: World) -> None:
    """Push the removal of the whole folder."""
    world.add("mallory", {world.results: None})
