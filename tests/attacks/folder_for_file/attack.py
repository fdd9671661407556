"""Mallory replaces RDO's result by a folder of that name, with a file in it.

Without the defence the result is gone without having been removed.
"""

from attacks.mutations import REMOVED_COUNTS
from attacks.world import Start, World

NAMED = frozenset({"removed-file"})
STARTS = (Start.BLOCKED,)
DEFENCES = (REMOVED_COUNTS,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("mallory", {f"{world.results}/rdo/a1.json/b1.json": content})
