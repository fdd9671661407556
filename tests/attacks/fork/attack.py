"""Somebody without any role opens a merge request from a fork, from a branch of the compose's name, with passes in it.

Without the defence anybody on GitLab is judged like the compose's own branch.
"""

from attacks.world import ID, World


def before_reports(world: World) -> None:
    """Fork, push, open, as a stranger."""
    stranger = world.as_("stranger")
    fork = stranger.forks.create({})
    commit = world.commit({f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=5)})
    address = world.project.clone_url.replace(world.project.path, fork.path_with_namespace)
    assert world.push("stranger", f"{commit}:refs/heads/{world.branch}", url=address).accepted
    values = {
        "source_branch": world.branch,
        "target_branch": "main",
        "title": ID,
        "target_project_id": world.project.id,
    }
    gitlab_fork = stranger.manager.gitlab.projects.get(fork.id)
    gitlab_fork.mergerequests.create(values)
