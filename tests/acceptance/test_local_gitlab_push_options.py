"""What `git push -o …` does in the local GitLab: to pipelines and to merge requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gitlab_world import BRANCH, World, build_world, git, try_git, write

ROLE = "ci_pipeline_variables_minimum_override_role"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


def push(world: World, clone: Path, *options: str, to: str = "mine") -> str:
    """Commit and push with options; return what GitLab says, as one line."""
    write(clone, f"file-{len(list(clone.iterdir()))}", "y", "Report results")
    flags = [word for option in options for word in ("-o", option)]
    done = try_git(clone, "push", *flags, "origin", f"HEAD:{to}")
    assert done.returncode == 0, done.stderr
    assert world.server.wait_for_pipelines()
    lines = [line.removeprefix("remote:").strip() for line in done.stderr.splitlines() if line.startswith("remote:")]
    return " ".join(line for line in lines if line)


def of_branch(world: World, ref: str) -> list[Any]:
    project = world.as_user(world.gate)
    return [project.pipelines.get(one.id) for one in project.pipelines.list(ref=ref)]


# --- pipelines


def test_a_push_may_ask_for_no_pipeline(world: World) -> None:
    push(world, world.clone(world.rdo, "main"), "ci.skip")
    (found,) = of_branch(world, "mine")
    assert (found.status, found.detailed_status["tooltip"]) == ("skipped", "The push asks for no pipeline.")


def test_the_pipeline_of_a_merge_request_is_skipped_too(world: World) -> None:
    world.open()
    push(world, world.clone(world.rdo), "ci.skip", to=BRANCH)
    found = of_branch(world, "refs/merge-requests/1/head")[0]
    assert found.detailed_status["tooltip"] == "The push asks for no pipeline."


def test_a_push_gives_its_pipeline_variables(world: World) -> None:
    push(world, world.clone(world.rdo, "main"), "ci.variable=A=1=2", "ci.variable=B=x", "ci.variable=C", "odd")
    (found,) = of_branch(world, "mine")
    assert {one.key: one.value for one in found.variables.list()} == {"A": "1=2", "B": "x"}


def test_a_push_that_may_give_no_variables_gets_no_pipeline(world: World) -> None:
    world.api(world.root).projects.update(world.project.id, {ROLE: "maintainer"})
    push(world, world.clone(world.rdo, "main"), "ci.variable=PYTHONPATH=elsewhere")
    assert of_branch(world, "mine") == []
    push(world, world.clone(world.gate, "main"), "ci.variable=A=1", to="theirs")
    assert len(of_branch(world, "theirs")) == 1


def test_variables_of_a_push_do_not_reach_the_pipeline_of_a_merge_request(world: World) -> None:
    world.open()
    push(world, world.clone(world.rdo), "ci.variable=A=1", to=BRANCH)
    found = of_branch(world, "refs/merge-requests/1/head")[0]
    assert found.variables.list() == []


# --- merge requests


def test_a_push_opens_a_merge_request(world: World) -> None:
    options = ("merge_request.create", "merge_request.description=One\\nTwo", "mr.label=new", "mr.draft")
    push(world, world.clone(world.rdo, "main"), *options)
    (found,) = world.as_user(world.gate).mergerequests.list()
    assert (found.title, found.description, found.labels) == ("Draft: Report results", "One\nTwo", ["new"])
    assert (found.author["username"], found.target_branch, found.source_branch) == ("rdo", "main", "mine")
    assert [one["username"] for one in found.assignees] == ["rdo"]


def test_a_push_changes_the_merge_request_of_its_branch(world: World) -> None:
    world.open()
    world.as_user(world.rdo).branches.create({"branch": "other", "ref": "main"})
    options = ("merge_request.title=Mine", "merge_request.target=other", "merge_request.label=gate::passed")
    push(world, world.clone(world.rdo), *options, to=BRANCH)
    found = world.as_user(world.gate).mergerequests.get(1)
    assert (found.title, found.target_branch, found.labels) == ("Mine", "other", ["gate::passed"])
    assert found.author["username"] == "opener"


def test_a_push_that_forgets_to_ask_for_one_is_told(world: World) -> None:
    told = push(world, world.clone(world.rdo, "main"), "merge_request.title=Mine")
    assert "A merge_request.create push option is required to create a merge request for branch mine" in told
    assert world.as_user(world.gate).mergerequests.list() == []


def test_a_target_that_is_not_there_opens_nothing_and_is_told(world: World) -> None:
    told = push(world, world.clone(world.rdo, "main"), "mr.create", "mr.target=missing")
    assert "Error encountered with push options 'mr.create' 'mr.target=missing': Target branch" in told
    assert world.as_user(world.gate).mergerequests.list() == []


def test_a_push_to_a_fork_opens_its_merge_request_in_the_parent(world: World) -> None:
    api = world.api(world.stranger)
    own = api.projects.get(api.projects.get(world.project.path).forks.create({}).id)
    clone = world.directory / "fork"
    url = own.http_url_to_repo.replace("http://", f"http://stranger:{world.stranger.token}@")
    git(world.directory, "clone", "--quiet", url, str(clone))
    push(world, clone, "mr.create", "mr.label=gate::passed")
    (found,) = world.as_user(world.gate).mergerequests.list()
    assert (found.source_project_id, found.author["username"], found.labels) == (own.id, "stranger", [])


def test_an_option_that_gitlab_does_not_know_changes_nothing(world: World) -> None:
    push(world, world.clone(world.rdo, "main"), "approve", "merge_request.approve", "ci.admin=1")
    assert world.as_user(world.gate).mergerequests.list() == []
    assert len(of_branch(world, "mine")) == 1
