"""Mallory pushes a hundred thousand files that do not belong there.

Without the defence the note outgrows what GitLab takes, or the pass what the runner has.
"""

from attacks.objects import FOLDER, Content, Node
from attacks.world import Mutation, Start, World

NAMED = frozenset({"more-problems", "not-attributed"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/limits.py",
        old="COMMIT_PROBLEMS: Final = 20",
        new="COMMIT_PROBLEMS: Final = 10**9",
    ),
)


def after_reports(world: World) -> None:
    """Push one blob under a hundred thousand names, outside and in RDO's folder."""
    node = world.objects.node(b"x")
    folder = dict.fromkeys((b"b%06d.json" % number for number in range(50_000)), node)
    there = world.objects.nodes(world.tree("rdo"))
    changes: dict[str, Content] = {
        "trash": Node(FOLDER, world.objects.tree(folder)),
        f"{world.results}/rdo": Node(FOLDER, world.objects.tree({**folder, **there})),
    }
    world.add("mallory", changes)
