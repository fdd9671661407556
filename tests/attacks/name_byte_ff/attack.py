"""RDO's account pushes a file name that is no UTF-8.

Without the defence the pass falls over, and nothing can be judged any more.
"""

from attacks.mutations import NAMES_ARE_ASCII
from attacks.world import Start, World

NAMED = frozenset({"bad-name"})
STARTS = (Start.BLOCKED,)
DEFENCES = (NAMES_ARE_ASCII,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {(*world.results.encode().split(b"/"), b"rdo", b"b1\xff.json"): content})
