"""Mallory pushes a pass in RDO's name; RDO's account, which always pulls first, pushes its next file on top of it.

Without the defence everything below an honest push counts as pushed by it.
"""

from attacks.mutations import ONLY_LISTED_PUSHERS
from attacks.world import World

NAMED = frozenset({"not-attributed"})
DEFENCES = (ONLY_LISTED_PUSHERS,)


def before_reports(world: World) -> None:
    """Push before anybody else."""
    world.report("rdo", "passed", "b1", who="mallory", minutes=5)
    world.report("rdo", "failed", "b2", who="mallory", minutes=4)
