"""Mallory makes RDO's result executable.

Without the defence the file counts no more, since only plain files do, and with it a failure is gone.
"""

from attacks.mutations import PLAIN_FILES_ONLY
from attacks.objects import EXECUTABLE, Node
from attacks.world import World

NAMED = frozenset({"not-a-plain-file"})
DEFENCES = (PLAIN_FILES_ONLY,)


def after_reports(world: World) -> None:
    """Push the new mode."""
    path = f"{world.results}/rdo/a1.json"
    old = world.read(path, world.head())
    world.add("mallory", {path: Node(EXECUTABLE, world.objects.node(old).sha)})
