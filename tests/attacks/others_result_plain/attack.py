"""Mallory pushes a failure and, later than it, a pass in RDO's name.

Without the defence any Developer decides for any origin.
"""

from attacks.mutations import ONLY_LISTED_PUSHERS
from attacks.world import World

NAMED = frozenset({"not-attributed"})
DEFENCES = (ONLY_LISTED_PUSHERS,)


def after_reports(world: World) -> None:
    """Push files that are right but for who brings them."""
    world.report("rdo", "failed", "b1", who="mallory", minutes=30)
    world.report("rdo", "passed", "b2", who="mallory", minutes=5)
