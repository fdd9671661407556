"""Mallory points the merge request at a branch of her own after the approval, and merges it there herself.

Without the defence the merge request counts as merged though main has nothing of it.
"""

import contextlib

from gitlab.exceptions import GitlabError

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/forge/merge_requests.py",
        old="counting = [line for line in ours if is_on_main or line not in merged]",
        new="counting = ours",
    ),
)


def after_approval(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    world.as_("mallory").branches.create({"branch": "mallory", "ref": "main"})
    line.target_branch = "mallory"
    line.save()
    with contextlib.suppress(GitlabError):
        line.merge()
    world.open()
