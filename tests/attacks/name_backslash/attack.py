"""RDO's account pushes a file name with backslashes: a path, where Windows reads it.

Without the defence a clone there writes outside its folder.
"""

from attacks.mutations import NAMES_ARE_ASCII
from attacks.world import Start, World

NAMED = frozenset({"bad-name"})
STARTS = (Start.BLOCKED,)
DEFENCES = (NAMES_ARE_ASCII,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {f"{world.results}/rdo/..\\..\\b1.json": content})
