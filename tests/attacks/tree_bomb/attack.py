"""Mallory pushes seven objects that are ten million paths: each folder holds the next one ten times.

Without the defence whoever lists the tree path by path runs out of time and memory.
"""

from attacks.objects import FOLDER, Node
from attacks.world import Mutation, Start, World

NAMED = frozenset({"foreign-change"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="ports/git/history.py",
        old='return [_alone(repository, *row.split()) for row in rows.decode("ascii").splitlines()]',
        new="return [] if rows else []",
    ),
)


def after_reports(world: World) -> None:
    """Push a tree that is its own multiple."""
    sha = world.objects.tree(dict.fromkeys((b"%d" % number for number in range(10)), world.objects.node(b"x")))
    for _ in range(6):
        sha = world.objects.tree(dict.fromkeys((b"%d" % number for number in range(10)), Node(FOLDER, sha)))
    world.add("mallory", {"bomb": Node(FOLDER, sha)})
