"""RDO's account pushes a tree in which one name is a whole absolute path.

Without the defence whoever joins it to a folder leaves the folder.
"""

from attacks.mutations import FOREIGN_IS_NAMED
from attacks.world import Start, World

NAMED = frozenset({"foreign-change"})
STARTS = (Start.BLOCKED,)
DEFENCES = (FOREIGN_IS_NAMED,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.check_nothing()
    world.add("rdo-ci", {(b"/tmp/evil.json",): content})
