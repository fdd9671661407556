"""Mallory pushes a path of five thousand folders.

Without the defence whoever walks it runs out of stack, or asks the system for a path that it does not take.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.objects import FOLDER, Node
from attacks.world import Start, World

NAMED = frozenset({"foreign-change"})
STARTS = (Start.BLOCKED,)
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push it, in the results folder."""
    sha = world.objects.tree({b"x": world.objects.node(b"x")})
    for _ in range(5_000):
        sha = world.objects.tree({b"d": Node(FOLDER, sha)})
    world.add("mallory", {f"{world.results}/d": Node(FOLDER, sha)})
