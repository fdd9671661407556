"""Mallory fills RDO's folder with files before RDO reports.

Without the defence RDO's result is one too many.
"""

from attacks.mutations import ONLY_LISTED_PUSHERS
from attacks.objects import FOLDER, Node
from attacks.world import Start, World

NAMED = frozenset({"not-attributed"})
STARTS = (Start.BLOCKED,)
DEFENCES = (ONLY_LISTED_PUSHERS,)


def before_reports(world: World) -> None:
    """Push twenty thousand names."""
    node = world.objects.node(world.result("rdo", run="b1", minutes=5))
    folder = dict.fromkeys((b"b%06d.json" % number for number in range(20_000)), node)
    world.add("mallory", {f"{world.results}/rdo": Node(FOLDER, world.objects.tree(folder))})
