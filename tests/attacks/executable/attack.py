"""RDO's account pushes a result that is executable.

Without the defence a file of main can be run that nobody has looked at.
"""

from attacks.mutations import PLAIN_FILES_ONLY
from attacks.objects import EXECUTABLE, Node
from attacks.world import Start, World

NAMED = frozenset({"not-a-plain-file"})
STARTS = (Start.BLOCKED,)
DEFENCES = (PLAIN_FILES_ONLY,)


def after_reports(world: World) -> None:
    """Push it."""
    content = world.objects.node(world.result("rdo", run="b1", minutes=5)).sha
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": Node(EXECUTABLE, content)})
