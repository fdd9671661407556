"""RDO's account reports an error of its lab, later than its failure.

Without the defence an infrastructure error replaces the failure: the gate waits where it should block.
"""

from attacks.mutations import INCONCLUSIVE_REPLACES_NOTHING
from attacks.world import Start, World

MOVES = frozenset({"rows", "main"})
STARTS = (Start.BLOCKED,)
DEFENCES = (INCONCLUSIVE_REPLACES_NOTHING,)


def after_reports(world: World) -> None:
    """Push the error."""
    world.report("rdo", "error", "b1", minutes=5)
