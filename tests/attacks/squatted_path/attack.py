"""Mallory pushes something at the very path that RDO's result will have, before RDO does.

Without the defence RDO's result is an edit of Mallory's file, or Mallory's counts: whoever is first silences RDO.
"""

from attacks.mutations import ONLY_LISTED_PUSHERS
from attacks.world import World

NAMED = frozenset({"not-attributed"})
DEFENCES = (ONLY_LISTED_PUSHERS,)


def before_reports(world: World) -> None:
    """Push a pass for one arch, under the name of the run to come."""
    world.report("rdo", "passed", "a1", who="mallory", minutes=5, arches=("x86_64",))
