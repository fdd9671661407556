"""RDO's account reports, later than its failure, that the test is queued, was skipped and does not apply.

Without the defence what is no verdict replaces one.
"""

from attacks.mutations import INCONCLUSIVE_REPLACES_NOTHING
from attacks.world import Start, World

MOVES = frozenset({"rows", "main"})
STARTS = (Start.BLOCKED,)
DEFENCES = (INCONCLUSIVE_REPLACES_NOTHING,)


def after_reports(world: World) -> None:
    """Push one file each."""
    for number, outcome in enumerate(("skipped", "not_applicable", "queued", "running")):
        world.report("rdo", outcome, f"b{number}", minutes=5)
