"""A change of the rules as a plan: one commit on a branch of its own, and a merge request."""

import pytest

from compose_repo.core.forge.action import CreateCommit, File, OpenMergeRequest
from compose_repo.core.names import Sha
from compose_repo.core.plan.proposal import TITLE_LENGTH, Proposal, plan_proposal

MAIN = Sha("a" * 40)


def proposal(title: str = "Hold it", *, is_new: bool = False) -> Proposal:
    return Proposal(
        path="gate/holds.toml",
        content=b"x",
        is_new=is_new,
        branch="hold/it",
        title=title,
        commit_message="Hold it\n",
        description="Because.",
    )


@pytest.mark.parametrize("is_new", [False, True])
def test_a_file_is_committed_to_a_branch_from_main_and_proposed(*, is_new: bool) -> None:
    file = File(path="gate/holds.toml", content=b"x", replaces=not is_new)
    assert plan_proposal(proposal(is_new=is_new), main=MAIN, target_branch="trunk") == (
        CreateCommit(branch="hold/it", start=MAIN, message="Hold it\n", files=(file,)),
        OpenMergeRequest(
            source_branch="hold/it", target_branch="trunk", title="Hold it", description="Because.", labels=()
        ),
    )


@pytest.mark.parametrize("more", [0, 1])
def test_a_title_is_cut_to_what_gitlab_takes(more: int) -> None:
    *_, line = plan_proposal(proposal("x" * (TITLE_LENGTH + more)), main=MAIN, target_branch="main")
    assert isinstance(line, OpenMergeRequest)
    assert (len(line.title), line.title.endswith("…")) == (TITLE_LENGTH, more > 0)
