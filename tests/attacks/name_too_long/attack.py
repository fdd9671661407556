"""RDO's account pushes a file name of three thousand letters.

Without the defence no file system can check main out any more.
"""

from attacks.mutations import NAMES_ARE_ASCII
from attacks.world import Start, World

NAMED = frozenset({"bad-name"})
STARTS = (Start.BLOCKED,)
DEFENCES = (NAMES_ARE_ASCII,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {f"{world.results}/rdo/{'b' * 3000}.json": content})
