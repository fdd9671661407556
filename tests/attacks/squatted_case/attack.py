"""Mallory pushes a file whose name differs only in case from the one that RDO's result will have.

Without the defence RDO's result is refused for a collision that Mallory made.
"""

from attacks.mutations import ONLY_LISTED_PUSHERS
from attacks.world import World

NAMED = frozenset({"not-attributed"})
DEFENCES = (ONLY_LISTED_PUSHERS,)


def before_reports(world: World) -> None:
    """Push A1.json."""
    world.report("rdo", "passed", "A1", who="mallory", minutes=5)
