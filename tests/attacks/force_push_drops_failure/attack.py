"""RDO's account force-pushes the branch to what it was before its result; the branch is not protected.

Without the defence a failure that everybody has seen has never been.
"""

from attacks.mutations import THROWN_AWAY_COUNTS
from attacks.world import Start, World

NAMED = frozenset({"history-rewritten"})
MOVES = frozenset({"rows", "main"})
STARTS = (Start.BLOCKED,)
DEFENCES = (THROWN_AWAY_COUNTS,)


def after_reports(world: World) -> None:
    """Push the older commit, with a pass on top."""
    fresh = world.commit(
        {f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=120)}, base=world.opened
    )
    assert world.push("rdo-ci", f"+{fresh}:refs/heads/{world.branch}").accepted
