"""Mallory replaces the CI file on the compose's branch, so that the job that judges says whatever Mallory likes.

Without the defence it comes to main with the merge, and every later pipeline is Mallory's.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push an edited CI file."""
    world.add("mallory", {".gitlab-ci.yml": "gate:\n  script: [exit 0]\n"})
