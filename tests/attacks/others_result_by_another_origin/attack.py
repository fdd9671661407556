"""IdM's account, which may report for IdM, pushes a pass in RDO's name.

Without the defence one origin decides for another.
"""

from attacks.mutations import ONLY_LISTED_PUSHERS
from attacks.world import World

NAMED = frozenset({"not-attributed"})
DEFENCES = (ONLY_LISTED_PUSHERS,)


def after_reports(world: World) -> None:
    """Push it as idm-ci."""
    world.report("rdo", "passed", "b1", who="idm-ci", minutes=5)
