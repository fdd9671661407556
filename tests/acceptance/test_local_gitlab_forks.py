"""Forks in the local GitLab, and the merge requests that come from them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest
from gitlab_world import BRANCH, World, build_world, commit, git, write

SETTING = "ci_allow_fork_pipelines_to_run_in_parent_project"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path, files={".gitlab-ci.yml": "job: {script: [echo]}\n"})
    yield made
    made.server.stop()


def fork(world: World, **values: str) -> Any:  # noqa: ANN401  # a project
    """Fork the project as somebody who is no member of it."""
    api = world.api(world.stranger)
    return api.projects.get(api.projects.get(world.project.path).forks.create(values).id)


def offer(world: World, own: Any, branch: str = BRANCH) -> Any:  # noqa: ANN401  # a project, a merge request
    """Open a merge request from a fork to its parent."""
    own.branches.create({"branch": branch, "ref": "main"})
    commit(own, branch, "x", "y")
    target = {"target_branch": "main", "target_project_id": world.project.id}
    return own.mergerequests.create({"source_branch": branch, "title": "Take it", "labels": "gate::passed", **target})


def status(caught: pytest.ExceptionInfo[gitlab.GitlabError]) -> int | None:
    return caught.value.response_code


def test_a_fork_is_a_copy_that_names_its_parent_and_has_none_of_its_members(world: World) -> None:
    world.open()
    own = fork(world)
    assert own.path_with_namespace == "stranger/compose-repo"
    assert own.forked_from_project["path_with_namespace"] == world.project.path
    assert {branch.name for branch in own.branches.list()} == {"main", BRANCH}
    assert [member.username for member in own.members.list()] == ["stranger"]
    assert own.mergerequests.list() == []
    assert [one.id for one in world.as_user(world.gate).forks.list()] == [own.id]
    assert world.as_user(world.gate).forks_count == 1
    with pytest.raises(gitlab.GitlabError) as caught:
        fork(world)
    assert status(caught) == 409


@pytest.mark.parametrize("level", ["private", "disabled"])
def test_who_may_not_fork_finds_nothing(world: World, level: str) -> None:
    project = world.as_user(world.gate)
    project.forking_access_level = level
    project.save()
    with pytest.raises(gitlab.GitlabError) as caught:
        fork(world)
    assert status(caught) == 404


def test_a_merge_request_from_a_fork_stands_in_the_parent(world: World) -> None:
    own = fork(world)
    made = offer(world, own)
    assert (made.project_id, made.source_project_id, made.iid) == (world.project.id, own.id, 1)
    (found,) = world.as_user(world.gate).mergerequests.list()
    assert (found.source_project_id, found.target_project_id) == (own.id, world.project.id)
    assert (found.sha, found.source_branch, found.author["username"]) == (made.sha, BRANCH, "stranger")
    assert own.mergerequests.list() == []
    clone = world.clone(world.gate, "main")
    assert git(clone, "ls-remote", "origin", "refs/merge-requests/1/head").split()[0] == made.sha
    assert git(clone, "ls-remote", "origin", f"refs/heads/{BRANCH}") == ""


def test_somebody_from_outside_gives_no_labels(world: World) -> None:
    world.as_user(world.gate).labels.create({"name": "gate::passed", "color": "red"})
    offer(world, fork(world))
    mine = world.api(world.stranger).projects.get(world.project.id).mergerequests.get(1)
    mine.labels = ["gate::passed"]
    mine.description = "Better\n/label gate::passed"
    mine.save()
    found = world.as_user(world.gate).mergerequests.get(1)
    assert (found.labels, found.description) == ([], "Better")


def test_a_branch_of_the_same_name_in_the_project_is_another_one(world: World) -> None:
    offer(world, fork(world))
    own = world.open()
    assert own.iid == 2
    commit(world.as_user(world.opener), BRANCH, "more", "x")
    found = world.as_user(world.gate).mergerequests
    assert [note.body for note in found.get(1).notes.list() if "added" in note.body] == []
    assert found.get(2).sha != own.sha


def test_a_push_to_the_fork_moves_the_head(world: World) -> None:
    own = fork(world)
    made = offer(world, own)
    clone = world.directory / "fork"
    url = own.http_url_to_repo.replace("http://", f"http://stranger:{world.stranger.token}@")
    git(world.directory, "clone", "--quiet", "--branch", BRANCH, url, str(clone))
    sha = write(clone, "z", "z")
    git(clone, "push", "--quiet")
    found = world.as_user(world.gate).mergerequests.get(1)
    assert found.sha == sha != made.sha
    assert own.events.list(action="pushed")[0].author_username == "stranger"
    pushed = world.as_user(world.gate).events.list(action="pushed", get_all=True)
    assert {event.author_username for event in pushed} == {"root"}


def test_a_project_that_is_no_fork_offers_nothing(world: World) -> None:
    other = world.server.create_project(
        "stranger/other", owner=world.stranger, from_repository=world.directory / "source"
    )
    with pytest.raises(gitlab.GitlabError) as caught:
        offer(world, world.api(world.stranger).projects.get(other.id))
    assert (status(caught), "not a fork" in str(caught.value.error_message)) == (422, True)


def test_somebody_from_outside_may_not_merge_nor_approve(world: World) -> None:
    offer(world, fork(world))
    found = world.api(world.stranger).projects.get(world.project.id).mergerequests.get(1)
    for action in (found.merge, found.approve):
        with pytest.raises(gitlab.GitlabError) as caught:
            action()
        assert status(caught) == 401


def test_a_merge_from_a_fork_brings_its_commits_and_keeps_its_branch(world: World) -> None:
    own = fork(world)
    made = offer(world, own)
    project = world.as_user(world.gate)
    project.mergerequests.get(1).merge(sha=made.sha, should_remove_source_branch=True)
    assert made.sha in project.commits.list(ref_name="main")[0].parent_ids
    assert own.branches.get(BRANCH).name == BRANCH


@pytest.mark.parametrize(
    ("allowed", "asks", "runs_in"),
    [
        (True, "stranger", "fork"),
        (False, "stranger", "fork"),
        (True, "gate", "parent"),
        (False, "gate", "nowhere"),
    ],
)
def test_where_the_pipeline_of_a_fork_runs(world: World, *, allowed: bool, asks: str, runs_in: str) -> None:
    project = world.as_user(world.gate)
    setattr(project, SETTING, allowed)
    project.save()
    own = fork(world)
    made = offer(world, own)
    asker = world.api(getattr(world, asks)).projects.get(world.project.id).mergerequests.get(1)
    if runs_in == "nowhere":
        with pytest.raises(gitlab.GitlabError) as caught:
            asker.pipelines.create({})
        assert status(caught) == 405
        return
    pipeline = asker.pipelines.create({})
    where = {"fork": own.id, "parent": world.project.id}[runs_in]
    assert (pipeline.project_id, pipeline.sha, pipeline.source) == (where, made.sha, "merge_request_event")
    assert pipeline.ref == {"fork": BRANCH, "parent": "refs/merge-requests/1/head"}[runs_in]
    assert {one.project_id for one in project.mergerequests.get(1).pipelines.list()} == {own.id, where}


def test_a_fork_that_is_gone_leaves_its_merge_request(world: World) -> None:
    own = fork(world)
    made = offer(world, own)
    own.delete()
    found = world.as_user(world.gate).mergerequests.get(1)
    assert (found.source_project_id, found.sha) == (None, made.sha)
