"""Mallory makes up an origin: a folder of its own, one in capitals, and one that looks like RDO's.

Without the defence results of nobody come to main.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push a pass below each."""
    for origin in ("mallory", "RDO", "rd0"):
        content = world.result(origin, run="b1", minutes=5)
        world.add("mallory", {f"{world.results}/{origin}/b1.json": content})
