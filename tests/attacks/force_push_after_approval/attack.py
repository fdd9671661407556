"""Mallory force-pushes the branch to its first commit after the gate has approved; the branch is not protected.

Without the defence an approval stands for results that are gone, or the results are gone.
"""

from attacks.mutations import THROWN_AWAY_COUNTS
from attacks.world import World

NAMED = frozenset({"history-rewritten"})
DEFENCES = (THROWN_AWAY_COUNTS,)


def after_approval(world: World) -> None:
    """Push it back to where the compose bot began."""
    assert world.push("mallory", f"+{world.opened}:refs/heads/{world.branch}").accepted
