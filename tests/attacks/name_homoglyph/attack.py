"""RDO's account pushes into a folder whose name looks like RDO's, with a Cyrillic letter.

Without the defence people see RDO's folder, and the machine another.
"""

from attacks.mutations import NAMES_ARE_ASCII
from attacks.world import Start, World

NAMED = frozenset({"bad-name"})
STARTS = (Start.BLOCKED,)
DEFENCES = (NAMES_ARE_ASCII,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {f"{world.results}/rd\u043e/b1.json": content})
