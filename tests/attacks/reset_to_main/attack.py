"""Mallory force-pushes the branch to main, so that the merge request brings nothing.

Without the defence there is no manifest and no result left to judge.
"""

from attacks.mutations import SWALLOWED_IS_READ, THROWN_AWAY_COUNTS
from attacks.world import World

NAMED = frozenset({"history-rewritten"})
DEFENCES = (THROWN_AWAY_COUNTS, SWALLOWED_IS_READ)


def after_reports(world: World) -> None:
    """Push main's commit."""
    assert world.push("mallory", f"+{world.head('main')}:refs/heads/{world.branch}").accepted
