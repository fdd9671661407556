"""Mallory closes the merge request between the last approval and the merge.

Without the defence what the mirrors carry is never recorded.
"""

from attacks.mutations import CLOSED_IS_REOPENED
from attacks.world import World

DEFENCES = (CLOSED_IS_REOPENED,)


def before_merge(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.state_event = "close"
    line.save()
