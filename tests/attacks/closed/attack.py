"""Mallory closes the merge request.

Without the defence nobody judges or merges it any more: any Developer holds a compose up.
"""

from attacks.mutations import CLOSED_IS_REOPENED
from attacks.world import World

DEFENCES = (CLOSED_IS_REOPENED,)


def after_reports(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.state_event = "close"
    line.save()
