"""The push events of the local GitLab: who pushed what, as far as GitLab says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gitlab
import pytest
from gitlab_world import BRANCH, World, build_world, commit, git, write

ZEROES = ("commit_from", "commit_to", "ref", "commit_title")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


def pushed(world: World, **filters: Any) -> list[Any]:  # noqa: ANN401  # whatever the API takes
    """Return the push events, oldest first, without that of the project's first commit."""
    found = world.as_user(world.gate).events.list(action="pushed", sort="asc", get_all=True, **filters)
    return [event for event in found if event.author_id != world.root.id]


def told(event: Any) -> tuple[str, ...]:  # noqa: ANN401  # an event
    """Return who did what to which ref."""
    push = event.push_data
    return event.author_username, event.action_name, push["action"], push["ref_type"], push["ref"]


def test_a_branch_that_is_made_moved_and_removed_by_git_is_told_in_order(world: World) -> None:
    clone = world.clone(world.rdo, "main")
    old = git(clone, "rev-parse", "HEAD")
    new = write(clone, "a", "1", f"{'x' * 80}\n\nmore")
    git(clone, "push", "--quiet", "origin", "HEAD:mine")
    git(clone, "push", "--quiet", "--force", "origin", f"{old}:mine")
    git(clone, "push", "--quiet", "--delete", "origin", "mine")
    events = pushed(world)
    assert [told(event) for event in events] == [
        ("rdo", "pushed new", "created", "branch", "mine"),
        ("rdo", "pushed to", "pushed", "branch", "mine"),
        ("rdo", "deleted", "removed", "branch", "mine"),
    ]
    data = [event.push_data for event in events]
    assert [(one["commit_from"], one["commit_to"]) for one in data] == [(None, new), (new, old), (old, None)]
    assert [one["commit_count"] for one in data] == [1, 0, 0]
    assert [one["commit_title"] for one in data] == [f"{'x' * 67}...", None, None]
    assert {one["ref_count"] for one in data} == {None}


def test_a_branch_without_commits_of_its_own_counts_none(world: World) -> None:
    world.as_user(world.opener).branches.create({"branch": "b", "ref": "main"})
    (event,) = pushed(world)
    assert told(event) == ("opener", "pushed new", "created", "branch", "b")
    assert (event.push_data["commit_count"], event.push_data["commit_title"]) == (0, None)


def test_the_api_tells_of_its_commits_branches_and_merges_too(world: World) -> None:
    merge_request = world.open()
    head = merge_request.sha
    world.as_user(world.gate).mergerequests.get(1).merge(sha=head, should_remove_source_branch=True)
    assert [told(event) for event in pushed(world)] == [
        ("opener", "pushed new", "created", "branch", BRANCH),
        ("opener", "pushed to", "pushed", "branch", BRANCH),
        ("gate", "pushed to", "pushed", "branch", "main"),
        ("gate", "deleted", "removed", "branch", BRANCH),
    ]
    assert pushed(world)[1].push_data["commit_to"] == head
    project = world.as_user(world.opener)
    project.branches.create({"branch": "b", "ref": "main"})
    project.branches.delete("b")
    assert [told(event)[:2] for event in pushed(world)[-2:]] == [("opener", "pushed new"), ("opener", "deleted")]


def test_what_is_told_of_the_pusher_does_not_depend_on_the_committer(world: World) -> None:
    clone = world.clone(world.rdo, "main")
    write(clone, "a", "1")
    who = ["-c", "user.name=opener", "-c", "user.email=opener@example.org"]
    git(clone, *who, "commit", "--quiet", "--amend", "--reset-author", "--no-edit")
    git(clone, "push", "--quiet", "origin", "HEAD:mine")
    assert pushed(world)[0].author_username == "rdo"


def test_a_tag_is_told_as_one(world: World) -> None:
    clone = world.clone(world.rdo, "main")
    git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1", "HEAD:refs/other/thing")
    (event,) = pushed(world)
    assert told(event) == ("rdo", "pushed new", "created", "tag", "v1")
    assert event.push_data["commit_count"] == 1


@pytest.mark.parametrize("number", [3, 4])
def test_more_than_three_refs_make_one_event_that_names_none(world: World, number: int) -> None:
    clone = world.clone(world.rdo, "main")
    write(clone, "a", "1")
    git(clone, "push", "--quiet", "origin", *[f"HEAD:b{index}" for index in range(number)])
    events = pushed(world)
    if number == 3:
        assert [event.push_data["ref"] for event in events] == ["b0", "b1", "b2"]
        return
    (event,) = events
    assert (event.author_username, event.action_name) == ("rdo", "pushed new")
    assert (event.push_data["ref_count"], event.push_data["ref_type"], event.push_data["commit_count"]) == (
        4,
        "branch",
        0,
    )
    assert [event.push_data[name] for name in ZEROES] == [None] * 4


def test_refs_are_counted_by_what_happens_to_them(world: World) -> None:
    clone = world.clone(world.rdo, "main")
    git(clone, "push", "--quiet", "origin", "HEAD:old")
    write(clone, "a", "1")
    git(clone, "push", "--quiet", "origin", "HEAD:old", *[f"HEAD:b{index}" for index in range(4)])
    assert [(event.action_name, event.push_data["ref"]) for event in pushed(world)[1:]] in (
        [("pushed to", "old"), ("pushed new", None)],
        [("pushed new", None), ("pushed to", "old")],
    )


def test_days_of_before_and_after_are_left_out(world: World) -> None:
    world.open()
    today = datetime.now(tz=UTC).date()
    near, far = today - timedelta(days=1), today + timedelta(days=1)
    assert pushed(world, after=str(today)) == []
    assert pushed(world, before=str(today)) == []
    assert len(pushed(world, after=str(near), before=str(far))) == 2


@pytest.mark.parametrize("values", [{"action": "deleted"}, {"after": "soon"}, {"target_type": "branch"}])
def test_what_gitlab_does_not_know_is_refused(world: World, values: dict[str, Any]) -> None:
    with pytest.raises(gitlab.GitlabError) as caught:
        world.as_user(world.gate).events.list(**values)
    assert caught.value.response_code == 400


def test_events_come_in_pages(world: World) -> None:
    project = world.as_user(world.opener)
    for number in range(5):
        project.branches.create({"branch": f"b{number}", "ref": "main"})
    found = world.as_user(world.gate).events.list(action="pushed", per_page=2, iterator=True)
    assert [event.push_data["ref"] for event in found][:5] == ["b4", "b3", "b2", "b1", "b0"]


def test_no_more_events_are_listed_than_gitlab_counts(world: World) -> None:
    world.server.site.store.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10100) "
        "INSERT INTO events (project_id, author_id, action_name, push_data, created_at) "
        "SELECT project_id, author_id, action_name, push_data, created_at FROM events, n WHERE id = 1"
    )
    events = world.as_user(world.gate).events
    for page, rows in ((101, 1), (102, 0)):
        assert len(events.list(action="pushed", sort="asc", per_page=100, page=page, get_all=False)) == rows


def test_events_that_are_held_come_when_they_are_released(world: World) -> None:
    world.server.hold_events()
    sha = world.open().sha
    assert world.as_user(world.gate).mergerequests.get(1).sha == sha
    assert pushed(world) == []
    assert world.server.release_events() == 2
    assert [event.action_name for event in pushed(world)] == ["pushed new", "pushed to"]
    commit(world.as_user(world.opener), BRANCH, "more", "x")
    assert len(pushed(world)) == 3
