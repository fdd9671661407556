"""Somebody without any role opens a merge request from a fork, from a branch of the compose's name, with passes in it.

Without the defence anybody on GitLab is judged like the compose's own branch.
"""

from attacks.mutations import OURS_IS_THE_BOTS
from attacks.world import ID, World

DEFENCES = (OURS_IS_THE_BOTS,)


def before_opening(world: World) -> None:
    """Fork, push, open, as a stranger."""
    stranger = world.as_("stranger")
    fork = stranger.forks.create({})
    commit = world.commit({f"{world.results}/rdo/b1.json": "{}"}, base=world.head("main"))
    address = world.project.clone_url.replace(world.project.path, fork.path_with_namespace)
    assert world.push("stranger", f"{commit}:refs/heads/{world.branch}", url=address).accepted
    values = {
        "source_branch": world.branch,
        "target_branch": "main",
        "title": ID,
        "target_project_id": world.project.id,
    }
    stranger.manager.gitlab.projects.get(fork.id).mergerequests.create({**values, "title": ID})
