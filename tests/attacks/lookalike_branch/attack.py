"""Mallory opens merge requests from branches whose names look like the compose's, with passes, before the bot does.

Without the defence one of them is taken for the compose's, or closed and merged along with it.
"""

from attacks.mutations import OURS_IS_THE_BOTS
from attacks.world import ID, World

DEFENCES = (OURS_IS_THE_BOTS,)


def before_opening(world: World) -> None:
    """Push the branches and open the merge requests under the compose's title."""
    project = world.as_("mallory")
    commit = world.commit({f"{world.results}/rdo/b1.json": "{}"}, base=world.head("main"))
    for branch in (f"compose/{ID}-1", f"composes/{ID}", f"x-compose/{ID}"):
        assert world.push("mallory", f"{commit}:refs/heads/{branch}").accepted
        project.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": ID})
