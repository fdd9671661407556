"""Mallory deletes the branch and pushes it anew: the compose bot's commit, and RDO's pass on it.

Without the defence a branch's past ends with its deletion.
"""

from attacks.mutations import THROWN_AWAY_COUNTS
from attacks.world import World

NAMED = frozenset({"history-rewritten", "not-attributed"})
DEFENCES = (THROWN_AWAY_COUNTS,)


def after_reports(world: World) -> None:
    """Delete, then push."""
    opened = world.opened
    fresh = world.commit({f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=5)}, base=opened)
    assert world.push("mallory", f":refs/heads/{world.branch}").accepted
    assert world.push("mallory", fresh).accepted
