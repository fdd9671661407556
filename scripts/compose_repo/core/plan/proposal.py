"""A change of the rules as a merge request: a branch with one commit, and the merge request that proposes it."""

from typing import Final

from msgspec import Struct

from compose_repo.core.forge.action import CreateCommit, File, OpenMergeRequest, Plan
from compose_repo.core.names import Sha

TITLE_LENGTH: Final = 255
"""Most characters of a merge request's title (GitLab's limit)."""


class Proposal(Struct, frozen=True, kw_only=True):
    """A file of gate/ with other bytes, and the words for it; `is_new` says that main does not have it yet."""

    path: str
    content: bytes
    is_new: bool
    branch: str
    title: str
    commit_message: str
    description: str


def plan_proposal(proposal: Proposal, *, main: Sha, target_branch: str) -> Plan:
    """Commit the file to a branch of its own, from where main stands, and open a merge request of it."""
    file = File(path=proposal.path, content=proposal.content, replaces=not proposal.is_new)
    title = proposal.title
    return (
        CreateCommit(branch=proposal.branch, start=main, message=proposal.commit_message, files=(file,)),
        OpenMergeRequest(
            source_branch=proposal.branch,
            target_branch=target_branch,
            title=title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1]}…",
            description=proposal.description,
            labels=(),
        ),
    )
