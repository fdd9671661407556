"""RDO's account pushes a submodule in a result's place.

Without the defence whoever clones main fetches what the attacker names, or stumbles.
"""

from attacks.mutations import PLAIN_FILES_ONLY
from attacks.objects import SUBMODULE, Node
from attacks.world import Start, World

NAMED = frozenset({"not-a-plain-file"})
STARTS = (Start.BLOCKED,)
DEFENCES = (PLAIN_FILES_ONLY,)


def after_reports(world: World) -> None:
    """Push it."""
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": Node(SUBMODULE, world.opened)})
