"""RDO's account pushes a file name with a newline in it.

Without the defence a list of paths, one a line, has a path more than the tree.
"""

from attacks.mutations import NAMES_ARE_ASCII
from attacks.world import Start, World

NAMED = frozenset({"bad-name"})
STARTS = (Start.BLOCKED,)
DEFENCES = (NAMES_ARE_ASCII,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {(*world.results.encode().split(b"/"), b"rdo", b"b1\n{}.json"): content})
