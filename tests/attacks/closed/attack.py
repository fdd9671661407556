"""Mallory closes the merge request.

Without the defence nobody judges or merges it any more: any Developer holds a compose up.
"""

from attacks.world import World


def after_reports(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.state_event = "close"
    line.save()
