"""Mallory opens merge requests from branches whose names look like the compose's, with passes in them.

Without the defence one of them is taken for the compose's, or closed and merged along with it.
"""

from attacks.world import ID, World


def after_reports(world: World) -> None:
    """Push the branches and open the merge requests under the compose's title."""
    project = world.as_("mallory")
    commit = world.commit({f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=5)})
    for branch in (f"compose/{ID}-1", f"composes/{ID}", f"compose/{ID.lower()}"):
        assert world.push("mallory", f"{commit}:refs/heads/{branch}").accepted
        project.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": ID})
