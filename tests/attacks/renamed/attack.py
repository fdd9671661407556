"""Mallory renames the merge request after another compose.

Without the defence people read one compose's name above another's results.
"""

from attacks.mutations import TITLE_IS_SET_BACK
from attacks.world import World

DEFENCES = (TITLE_IS_SET_BACK,)


def after_reports(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.title = "CentOS-Stream-10-20261121.0"
    line.save()
