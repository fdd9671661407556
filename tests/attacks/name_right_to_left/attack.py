"""RDO's account pushes a file name that reads backwards from its middle on.

Without the defence people see another name than the machine.
"""

from attacks.mutations import NAMES_ARE_ASCII
from attacks.world import Start, World

NAMED = frozenset({"bad-name"})
STARTS = (Start.BLOCKED,)
DEFENCES = (NAMES_ARE_ASCII,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {f"{world.results}/rdo/b1\u202enosj.json": content})
