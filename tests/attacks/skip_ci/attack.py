"""Mallory pushes with `[skip ci]` in the message.

Without the defence no pipeline means no judgement, and the last approval stands.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_approval(world: World) -> None:
    """Push a foreign file in a commit that wants no pipeline."""
    commit = world.commit({".gitlab-ci.yml": "gate:\n  script: [exit 0]\n"}, message="[skip ci] [ci skip]")
    assert world.push("mallory", commit).accepted
