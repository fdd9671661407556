"""Mallory opens a second merge request from the compose's branch, to a branch of her own; then a third.

For the third she closes the first, since only one can be open between two branches.

Without the defence one of them is taken for the compose's.
"""

from attacks.mutations import OURS_IS_THE_BOTS
from attacks.world import ID, World

DEFENCES = (OURS_IS_THE_BOTS,)


def after_reports(world: World) -> None:
    """Open them."""
    project = world.as_("mallory")
    project.branches.create({"branch": "mallory", "ref": "main"})
    values = {"source_branch": world.branch, "title": ID}
    project.mergerequests.create({**values, "target_branch": "mallory"})
    line = world.merge_request("mallory")
    line.state_event = "close"
    line.save()
    project.mergerequests.create({**values, "target_branch": "main"})
