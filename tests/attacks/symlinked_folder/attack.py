"""Mallory replaces the results folder by a symbolic link to another compose's.

Without the defence that compose's passes are this one's.
"""

from attacks.mutations import COMMITS_NOT_THE_TIP
from attacks.objects import LINK, Node
from attacks.world import OLDER, Start, World

NAMED = frozenset({"removed-file"})
STARTS = (Start.BLOCKED,)
DEFENCES = (COMMITS_NOT_THE_TIP,)


def after_reports(world: World) -> None:
    """Push it."""
    world.add("mallory", {world.results: Node(LINK, world.objects.node(f"../{OLDER}/results").sha)})
