"""What others may do to a merge request in the local GitLab: retarget, rename, close, reopen, take its branch away."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import gitlab
import pytest
from gitlab.v4.objects import ProjectMergeRequest
from gitlab_world import BRANCH, World, build_world, commit, git, write

from local_gitlab import User


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


def refusal(action: Callable[[], object]) -> tuple[int | None, str]:
    with pytest.raises(gitlab.GitlabError) as caught:
        action()
    return caught.value.response_code, str(caught.value.error_message)


def seen_by(world: World, user: User, iid: int = 1) -> ProjectMergeRequest:
    found = world.as_user(user).mergerequests.get(iid)
    assert isinstance(found, ProjectMergeRequest)
    return found


def change(world: World, user: User, *, iid: int = 1, **values: str) -> ProjectMergeRequest:
    world.as_user(user).mergerequests.update(iid, dict(values))
    return seen_by(world, world.gate, iid)


def notes(world: World) -> list[str]:
    """Return the system notes, oldest first."""
    return [note.body for note in seen_by(world, world.gate).notes.list(sort="asc", get_all=True) if note.system]


# --- target


def test_a_developer_points_another_s_merge_request_at_another_branch(world: World) -> None:
    world.open()
    world.as_user(world.rdo).branches.create({"branch": "other", "ref": "main"})
    before = len(seen_by(world, world.gate).pipelines.list())
    found = change(world, world.rdo, target_branch="other")
    assert (found.target_branch, found.state) == ("other", "opened")
    assert "changed target branch from `main` to `other`" in notes(world)
    assert len(found.pipelines.list()) == before + 1


def test_a_guest_points_nothing_anywhere(world: World) -> None:
    world.open()
    assert refusal(lambda: change(world, world.guest, target_branch="main"))[0] == 403


@pytest.mark.parametrize(("target", "status"), [("missing", 400), (BRANCH, 422)])
def test_a_target_that_cannot_be_is_refused(world: World, target: str, status: int) -> None:
    world.open()
    assert refusal(lambda: change(world, world.opener, target_branch=target))[0] == status


def test_a_target_that_another_merge_request_of_the_branch_has_is_refused(world: World) -> None:
    world.open()
    project = world.as_user(world.rdo)
    project.branches.create({"branch": "other", "ref": "main"})
    project.mergerequests.create({"source_branch": BRANCH, "target_branch": "other", "title": "Second"})
    status, told = refusal(lambda: change(world, world.rdo, target_branch="other"))
    assert (status, told) == (409, "['Another open merge request already exists for this source branch: !2']")


# --- draft


@pytest.mark.parametrize("mark", ["Draft: ", "[Draft] ", "(draft) ", "draft:"])
def test_a_word_in_front_makes_a_draft_and_without_it_none(world: World, mark: str) -> None:
    world.open()
    found = change(world, world.rdo, title=f"{mark}{BRANCH}")
    assert (found.draft, found.work_in_progress, found.detailed_merge_status) == (True, True, "draft_status")
    assert refusal(found.merge)[0] == 405
    found = change(world, world.opener, title=BRANCH)
    assert (found.draft, found.work_in_progress, found.title) == (False, False, BRANCH)
    assert notes(world)[-2:] == ["marked this merge request as **draft**", "marked this merge request as **ready**"]


def test_a_commit_that_calls_itself_a_draft_makes_one(world: World) -> None:
    world.open()
    clone = world.clone(world.rdo)
    write(clone, "x", "y", "draft: not yet")
    git(clone, "push", "--quiet")
    assert seen_by(world, world.gate).title == f"Draft: {BRANCH}"


# --- state


def test_who_closed_it_and_when_is_told_until_it_is_open_again(world: World) -> None:
    world.open()
    closed = change(world, world.rdo, state_event="close")
    assert (closed.state, closed.closed_by["username"], bool(closed.closed_at)) == ("closed", "rdo", True)
    assert refusal(closed.merge)[0] == 405
    again = change(world, world.opener, state_event="reopen")
    assert (again.state, again.closed_by, again.closed_at) == ("opened", None, None)


def test_what_was_pushed_while_it_was_closed_is_seen_when_it_is_open_again(world: World) -> None:
    old = world.open().sha
    change(world, world.rdo, state_event="close")
    new = commit(world.as_user(world.opener), BRANCH, "more", "x")
    assert seen_by(world, world.gate).sha == old
    assert change(world, world.opener, state_event="reopen").sha == new


def heads(world: World) -> str:
    """List the refs of merge requests as the server has them."""
    return git(world.clone(world.rdo), "ls-remote", "origin", "refs/merge-requests/*")


def test_two_weeks_after_it_was_closed_its_head_has_no_ref_and_can_be_fetched_by_its_name(world: World) -> None:
    head = world.open().sha
    change(world, world.rdo, state_event="close")
    moment = dt.datetime.now(tz=dt.UTC)
    world.server.remove_old_heads(world.project, at=moment + dt.timedelta(days=13))
    assert head in heads(world)
    world.server.remove_old_heads(world.project, at=moment + dt.timedelta(days=15))
    assert heads(world) == ""
    git(world.clone(world.opener), "fetch", "--quiet", "origin", head)


def test_when_it_is_opened_again_its_head_has_its_ref_again(world: World) -> None:
    head = world.open().sha
    change(world, world.rdo, state_event="close")
    world.server.remove_old_heads(world.project, at=dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=15))
    change(world, world.opener, state_event="reopen")
    assert f"{head}\trefs/merge-requests/1/head" in heads(world)


def test_it_is_not_opened_again_beside_another_one(world: World) -> None:
    world.open()
    change(world, world.rdo, state_event="close")
    values = {"source_branch": BRANCH, "target_branch": "main", "title": "Second"}
    world.as_user(world.rdo).mergerequests.create(values)
    assert refusal(lambda: change(world, world.opener, state_event="reopen"))[0] == 409


def test_it_is_closed_when_its_branch_is_removed_and_opened_when_the_branch_is_back(world: World) -> None:
    head = world.open().sha
    git(world.clone(world.rdo), "push", "--quiet", "origin", "--delete", BRANCH)
    found = seen_by(world, world.gate)
    assert (found.state, found.closed_by["username"], found.sha) == ("closed", "rdo", head)
    assert refusal(lambda: change(world, world.opener, state_event="reopen"))[0] == 422
    world.as_user(world.opener).branches.create({"branch": BRANCH, "ref": head})
    assert change(world, world.opener, state_event="reopen").state == "opened"


def test_what_is_merged_stays_merged(world: World) -> None:
    world.open()
    seen_by(world, world.gate).merge()
    for event in ("close", "reopen"):
        assert change(world, world.opener, state_event=event).state == "merged"
    assert seen_by(world, world.gate).closed_by is None


# --- what this server does not know, and what it does later


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda world: change(world, world.rdo, title="New", milestone_id="3"), "milestone_id"),
        (lambda world: seen_by(world, world.gate).approve(reason="fine"), "reason"),
        (lambda world: world.as_user(world.rdo).branches.create({"branch": "b", "ref": "main", "x": 1}), "x"),
        (
            lambda world: (
                world.as_user(world.rdo)
                .commits.get("main")
                .statuses.create({"state": "success", "ref": "main", "retries": 3})
            ),
            "retries",
        ),
    ],
)
def test_a_parameter_that_is_not_known_is_refused_and_changes_nothing(
    world: World, ask: Callable[[World], object], name: str
) -> None:
    world.open()
    title = seen_by(world, world.gate).title
    code, words = refusal(lambda: ask(world))
    assert (code, name in words, seen_by(world, world.gate).title) == (400, True, title)


def test_a_date_that_is_none_is_refused(world: World) -> None:
    world.open()
    assert refusal(lambda: change(world, world.rdo, merge_after="soon")) == (400, "merge_after is invalid")


def test_who_merges_when_the_pipeline_succeeds_merges_then(world: World) -> None:
    world.open()
    assert world.server.wait_for_pipelines(60)
    store = world.server.site.store
    store.run("UPDATE pipelines SET status = 'running'")
    seen_by(world, world.gate).merge(merge_when_pipeline_succeeds=True)
    found = seen_by(world, world.gate)
    assert (found.state, found.merge_when_pipeline_succeeds) == ("opened", True)
    store.run("UPDATE pipelines SET status = 'success'")
    assert seen_by(world, world.gate).state == "merged"


def test_only_an_administrator_asks_as_somebody_else(world: World) -> None:
    admin = world.server.create_user("root", admin=True)
    for user, expected in ((admin, world.rdo.username), (world.rdo, None)):
        client = gitlab.Gitlab(world.server.url, private_token=user.token)
        if expected is None:
            assert refusal(lambda: client.http_get("/user", sudo="gate-bot"))[0] == 403  # noqa: B023  # called at once
        else:
            assert client.http_get("/user", sudo=expected)["username"] == expected  # type: ignore[index]  # JSON
            assert refusal(lambda: client.http_get("/user", sudo="nobody-here"))[0] == 404  # noqa: B023  # as above


def test_a_branch_of_an_empty_project_is_made_beside_its_default_branch(world: World) -> None:
    client = gitlab.Gitlab(world.server.url, private_token=world.gate.token)
    made = world.server.create_project("centos/empty", owner=world.gate)
    project = client.projects.get(made.id)
    project.branches.create({"branch": "next", "ref": "main"})
    assert sorted(branch.name for branch in project.branches.list(get_all=True)) == ["main", "next"]
