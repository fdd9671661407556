"""RDO's account adds a file whose name differs from its failure's only in case, with a pass in it.

Without the defence a checkout on some file systems shows the one or the other, and both count.
"""

from attacks.mutations import CASE_IS_NO_NAME
from attacks.world import World

NAMED = frozenset({"name-collision"})
REFUSED = "rdo/A1.json (name-collision)"
DEFENCES = (CASE_IS_NO_NAME,)


def after_reports(world: World) -> None:
    """Push A1.json beside a1.json."""
    world.report("rdo", "passed", "A1", minutes=5)
