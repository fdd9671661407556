"""RDO's account pushes a hundred thousand passes, in one commit.

Without the defence the pass reads for hours, or the runner's memory ends.
"""

from attacks.objects import FOLDER, Node
from attacks.world import Mutation, Start, World

NAMED = frozenset({"more-problems", "run-mismatch"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/limits.py",
        old="ORIGIN_FILES: Final = 5000",
        new="ORIGIN_FILES: Final = 5_000_000",
    ),
)


def after_reports(world: World) -> None:
    """Push one blob under a hundred thousand names."""
    node = world.objects.node(world.result("rdo", run="b1", minutes=5))
    folder = dict.fromkeys((b"b%06d.json" % number for number in range(100_000)), node)
    there = world.objects.nodes(world.tree("rdo"))
    world.add("rdo-ci", {f"{world.results}/rdo": Node(FOLDER, world.objects.tree({**folder, **there}))})
