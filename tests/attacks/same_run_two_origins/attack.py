"""IdM's account reports the run id of RDO's failure, in a folder that differs from RDO's only in case, and in its own.

Without the defence two files of one run disagree about the same cell.
"""

from attacks.mutations import CASE_IS_NO_NAME
from attacks.world import World

NAMED = frozenset({"name-collision", "not-attributed"})
REFUSED = "idm/A1.json (name-collision)"
DEFENCES = (CASE_IS_NO_NAME,)


def after_reports(world: World) -> None:
    """Push a pass of RDO's test below RDO/, and below idm/."""
    content = world.result("rdo", "passed", minutes=5)
    world.add("idm-ci", {f"{world.results}/RDO/a1.json": content})
    world.add("idm-ci", {f"{world.results}/idm/A1.json": content})
