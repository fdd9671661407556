"""Mallory makes the merge request a draft between the last approval and the merge.

Without the defence any Developer holds a compose up.
"""

from attacks.mutations import TITLE_IS_SET_BACK
from attacks.world import World

DEFENCES = (TITLE_IS_SET_BACK,)


def before_merge(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.title = f"Draft: {line.title}"
    line.save()
