"""Mallory takes the manifest away.

Without the defence nothing can be judged any more, and the compose is held up for as long as Mallory likes.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"manifest-changed"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push a commit without it."""
    world.add("mallory", {world.manifest: None})
