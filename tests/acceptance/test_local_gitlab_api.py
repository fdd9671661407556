"""The local GitLab, used through python-gitlab and plain HTTP as GitLab itself would be."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import gitlab
import pytest
import requests
from gitlab_world import BRANCH, World, build_world, commit, git, write

from local_gitlab import LocalGitLab

TIMEOUT = 20


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


def refusal(action: Callable[[], object]) -> tuple[int | None, str]:
    with pytest.raises(gitlab.GitlabError) as caught:
        action()
    return caught.value.response_code, str(caught.value.error_message)


# --- who may see and do what


def test_unknown_token_is_unauthorized(world: World) -> None:
    api = gitlab.Gitlab(world.server.url, private_token="nobody")  # noqa: S106  # no password at all
    assert refusal(lambda: api.projects.get(world.project.id))[0] == 401


def test_expired_token_is_unauthorized(world: World) -> None:
    token = world.server.create_token(world.gate, expires_at="2020-01-01")
    answer = requests.get(f"{world.server.url}/api/v4/user", headers={"PRIVATE-TOKEN": token}, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_reading_token_may_not_write(world: World) -> None:
    token = world.server.create_token(world.gate, scopes=("read_api",))
    api = gitlab.Gitlab(world.server.url, oauth_token=token)
    project = api.projects.get(world.project.id)
    assert refusal(lambda: project.labels.create({"name": "x", "color": "#112233"}))[0] == 403


def test_private_project_does_not_exist_for_strangers(world: World) -> None:
    world.server.create_project("secret/plans", owner=world.root, visibility="private")
    assert refusal(lambda: world.api(world.stranger).projects.get("secret/plans")) == (404, "404 Project Not Found")


def test_guest_may_not_open_a_merge_request(world: World) -> None:
    project = world.as_user(world.guest)
    values = {"source_branch": "a", "target_branch": "main", "title": "x"}
    assert refusal(lambda: project.mergerequests.create(values))[0] == 403


def test_anonymous_reads_a_public_project(world: World) -> None:
    assert gitlab.Gitlab(world.server.url).projects.get(world.project.path).default_branch == "main"


def test_members_are_added_changed_and_removed(world: World) -> None:
    project = world.as_user(world.gate)
    project.members.create({"user_id": world.stranger.id, "access_level": 20})
    member = project.members.get(world.stranger.id)
    member.access_level = 30
    member.save()
    assert project.members.get(world.stranger.id).access_level == 30
    member.delete()
    assert refusal(lambda: project.members.get(world.stranger.id))[0] == 404


# --- branches, commits, files


def test_second_branch_of_a_name_is_refused(world: World) -> None:
    project = world.as_user(world.opener)
    project.branches.create({"branch": "b", "ref": "main"})
    assert refusal(lambda: project.branches.create({"branch": "b", "ref": "main"})) == (400, "Branch already exists")


def test_branch_names_have_slashes(world: World) -> None:
    world.open()
    assert world.as_user(world.opener).branches.get(BRANCH).name == BRANCH


def test_commit_that_creates_an_existing_file_is_refused(world: World) -> None:
    project = world.as_user(world.opener)
    project.branches.create({"branch": "b", "ref": "main"})
    expected = (400, "A file with this name already exists")
    assert refusal(lambda: commit(project, "b", "README.md", "again")) == expected


def test_commit_that_updates_a_missing_file_is_refused(world: World) -> None:
    project = world.as_user(world.opener)
    project.branches.create({"branch": "b", "ref": "main"})
    expected = (400, "A file with this name doesn't exist")
    assert refusal(lambda: commit(project, "b", "missing", "x", action="update")) == expected


def test_commit_does_all_its_actions_at_once(world: World) -> None:
    project = world.as_user(world.opener)
    actions = [
        {"action": "create", "file_path": "a/é b", "content": "aGk=", "encoding": "base64"},
        {"action": "move", "file_path": "READYOU.md", "previous_path": "README.md"},
    ]
    values = {"branch": "new", "start_branch": "main", "commit_message": "Move", "actions": actions}
    made = project.commits.create(values)
    assert project.files.get("a/é b", ref="new").decode() == b"hi"
    assert [entry["path"] for entry in project.repository_tree(ref="new")] == ["a", "READYOU.md"]
    assert {one["new_path"] for one in project.commits.get(made.id).diff()} == {"a/é b", "READYOU.md"}


def test_developer_may_not_commit_to_a_protected_branch(world: World) -> None:
    project = world.as_user(world.rdo)
    expected = (403, "403 Forbidden - You are not allowed to push into this branch")
    assert refusal(lambda: commit(project, "main", "x", "y")) == expected


def test_file_that_is_not_there_is_not_found(world: World) -> None:
    assert refusal(lambda: world.as_user(world.rdo).files.get("nope", ref="main")) == (404, "404 File Not Found")


# --- merge requests


def test_second_merge_request_of_a_branch_is_refused(world: World) -> None:
    world.open()
    project = world.as_user(world.opener)
    values = {"source_branch": BRANCH, "target_branch": "main", "title": "again"}
    status, message = refusal(lambda: project.mergerequests.create(values))
    assert status == 409
    assert "Another open merge request already exists for this source branch: !1" in message


def test_overlong_title_is_refused(world: World) -> None:
    merge_request = world.open()
    merge_request.title = "x" * 256
    assert refusal(merge_request.save)[0] == 400


def test_merge_requests_are_found_by_label_state_and_branch(world: World) -> None:
    first, second = world.open(), world.open("compose/b")
    first.labels = ["gate::pending"]
    first.save()
    second.state_event = "close"
    second.save()
    found = world.as_user(world.gate).mergerequests
    assert [one.iid for one in found.list(labels=["gate::pending"], get_all=True)] == [first.iid]
    assert [one.iid for one in found.list(state="closed", get_all=True)] == [second.iid]
    assert [one.iid for one in found.list(source_branch=BRANCH, get_all=True)] == [first.iid]
    assert [one.iid for one in found.list(order_by="created_at", sort="asc", get_all=True)] == [1, 2]


def test_labels_are_given_and_taken_in_one_call(world: World) -> None:
    merge_request = world.open()
    merge_request.labels = ["gate::pending", "stream::10"]
    merge_request.save()
    project = world.as_user(world.gate)
    project.mergerequests.update(1, {"add_labels": "gate::passed", "remove_labels": "gate::pending"})
    assert project.mergerequests.get(1).labels == ["gate::passed", "stream::10"]
    assert {label.name for label in project.labels.list()} == {"gate::pending", "gate::passed", "stream::10"}


def test_author_may_not_approve(world: World) -> None:
    assert refusal(world.open().approve)[0] == 401


def test_approval_of_a_stale_head_is_refused(world: World) -> None:
    world.open()
    merge_request = world.as_user(world.gate).mergerequests.get(1)
    stale = merge_request.sha
    commit(world.as_user(world.opener), BRANCH, "more", "x")
    assert refusal(lambda: merge_request.approve(sha=stale))[0] == 409


def test_approval_is_given_once_and_taken_back_once(world: World) -> None:
    world.open()
    merge_request = world.as_user(world.gate).mergerequests.get(1)
    merge_request.approve(sha=merge_request.sha)
    assert [one["user"]["username"] for one in merge_request.approvals.get().approved_by] == ["gate"]
    assert refusal(merge_request.approve)[0] == 401
    merge_request.unapprove()
    assert refusal(merge_request.unapprove)[0] == 404


@pytest.mark.parametrize(("reset", "left"), [(True, []), (False, ["gate"])])
def test_push_resets_approvals_if_the_project_says_so(world: World, *, reset: bool, left: list[str]) -> None:
    world.open()
    project = world.as_user(world.gate)
    settings = project.approvals.get()
    settings.reset_approvals_on_push = reset
    settings.save()
    project.mergerequests.get(1).approve()
    commit(world.as_user(world.opener), BRANCH, "more", "x")
    found = project.mergerequests.get(1).approvals.get().approved_by
    assert [one["user"]["username"] for one in found] == left


def test_merge_of_a_stale_head_is_refused(world: World) -> None:
    world.open()
    merge_request = world.as_user(world.gate).mergerequests.get(1)
    assert refusal(lambda: merge_request.merge(sha="0" * 40))[0] == 409


def test_developer_may_not_merge_into_a_protected_branch(world: World) -> None:
    assert refusal(world.open().merge)[0] == 401


def test_draft_cannot_be_merged(world: World) -> None:
    merge_request = world.open()
    merge_request.title = "Draft: not yet"
    merge_request.save()
    assert refusal(world.as_user(world.gate).mergerequests.get(1).merge)[0] == 405


def test_conflict_cannot_be_merged(world: World) -> None:
    world.open()
    commit(world.as_user(world.opener), BRANCH, "README.md", "ours\n", action="update")
    commit(world.as_user(world.gate), "main", "README.md", "theirs\n", action="update")
    merge_request = world.as_user(world.gate).mergerequests.get(1)
    assert merge_request.has_conflicts
    assert refusal(merge_request.merge)[0] == 422


@pytest.mark.smoke
def test_merge_makes_a_merge_commit_and_removes_the_branch(world: World) -> None:
    head = world.open().sha
    project = world.as_user(world.gate)
    project.mergerequests.get(1).merge(sha=head, should_remove_source_branch=True, merge_commit_message="Publish it")
    merged = project.mergerequests.get(1)
    tip = project.commits.list(ref_name="main")[0]
    assert (merged.state, merged.merge_commit_sha, tip.message.strip()) == ("merged", tip.id, "Publish it")
    assert head in tip.parent_ids
    assert refusal(lambda: project.branches.get(BRANCH))[0] == 404
    assert refusal(merged.merge)[0] == 405


def test_pipeline_has_to_succeed_if_the_project_says_so(world: World) -> None:
    head = world.open().sha
    project = world.as_user(world.gate)
    project.only_allow_merge_if_pipeline_succeeds = True
    project.save()
    assert refusal(project.mergerequests.get(1).merge)[0] == 405
    world.server.wait_for_pipelines()
    project.commits.get(head).statuses.create({"state": "success", "name": "compose-gate"})
    project.mergerequests.get(1).merge()
    assert project.mergerequests.get(1).state == "merged"


# --- notes and quick actions


@pytest.mark.smoke
def test_notes_are_written_edited_and_deleted(world: World) -> None:
    notes = world.open().notes
    note = notes.create({"body": "one"})
    note.body = "two"
    note.save()
    assert [(one.body, one.system, one.resolvable) for one in notes.list()] == [("two", False, False)]
    note.delete()
    assert notes.list() == []


def test_note_of_another_may_not_be_edited(world: World) -> None:
    note = world.open().notes.create({"body": "one"})
    mine = world.as_user(world.rdo).mergerequests.get(1).notes.get(note.id)
    mine.body = "changed"
    assert refusal(mine.save)[0] == 403


def test_overlong_note_is_refused(world: World) -> None:
    notes = world.open().notes
    assert refusal(lambda: notes.create({"body": "x" * 1_000_001}))[0] == 400


def test_quick_actions_in_a_note_take_effect_with_the_writers_rights(world: World) -> None:
    world.open()
    world.as_user(world.gate).labels.create({"name": "gate::satisfied", "color": "#00ff00"})
    body = 'Look:\n/label ~"gate::satisfied"\n/approve\n/title Mine'
    world.as_user(world.guest).mergerequests.get(1).notes.create({"body": body})
    merge_request = world.as_user(world.gate).mergerequests.get(1)
    assert (merge_request.labels, merge_request.title) == ([], BRANCH)
    merge_request.notes.create({"body": body})
    merge_request = world.as_user(world.gate).mergerequests.get(1)
    assert (merge_request.labels, merge_request.title) == (["gate::satisfied"], "Mine")
    assert [one["user"]["username"] for one in merge_request.approvals.get().approved_by] == ["gate"]
    assert "/approve" not in merge_request.notes.list(sort="asc")[0].body


def test_quick_actions_in_code_are_only_text(world: World) -> None:
    merge_request = world.open()
    merge_request.notes.create({"body": "```\n/close\n```"})
    assert world.as_user(world.gate).mergerequests.get(1).state == "opened"


def test_quick_action_in_a_description_takes_effect(world: World) -> None:
    merge_request = world.open()
    merge_request.description = "Facts\n/close"
    merge_request.save()
    found = world.as_user(world.gate).mergerequests.get(1)
    assert (found.state, found.description) == ("closed", "Facts")


# --- statuses


def test_status_keeps_its_name_and_may_not_repeat_itself(world: World) -> None:
    head = world.open().sha
    statuses = world.as_user(world.gate).commits.get(head).statuses
    statuses.create({"state": "pending", "name": "compose-gate", "description": "2 missing"})
    status, message = refusal(lambda: statuses.create({"state": "pending", "name": "compose-gate"}))
    assert status == 400
    assert message.startswith("Cannot transition status via :enqueue from :pending")
    statuses.create({"state": "failed", "name": "compose-gate"})
    statuses.create({"state": "success", "name": "compose-gate"})
    assert [one.status for one in statuses.list()] == ["success"]


def test_status_description_is_bounded(world: World) -> None:
    statuses = world.as_user(world.gate).commits.get(world.open().sha).statuses
    values = {"state": "pending", "name": "compose-gate", "description": "x" * 256}
    assert refusal(lambda: statuses.create(values))[0] == 400


# --- settings


def test_project_settings_are_kept(world: World) -> None:
    project = world.as_user(world.gate)
    project.ci_config_path = ".gitlab-ci.yml@centos/gate:main"
    project.ci_pipeline_variables_minimum_override_role = "no_one_allowed"
    project.save()
    found = world.as_user(world.gate)
    assert found.ci_config_path == ".gitlab-ci.yml@centos/gate:main"
    assert found.ci_pipeline_variables_minimum_override_role == "no_one_allowed"


def test_schedules_variables_hooks_and_triggers_are_kept(world: World) -> None:
    project = world.as_user(world.gate)
    schedule = project.pipelineschedules.create({"description": "sync", "ref": "main", "cron": "*/30 * * * *"})
    schedule.variables.create({"key": "VERB", "value": "sync"})
    project.variables.create({"key": "TOKEN", "value": "secret-enough", "protected": True, "masked": True})
    project.triggers.create({"description": "bus"})
    assert project.pipelineschedules.get(schedule.id).attributes["variables"][0]["key"] == "VERB"
    assert project.variables.get("TOKEN").protected is True
    assert [one.description for one in project.triggers.list()] == ["bus"]
    assert refusal(world.as_user(world.rdo).variables.list)[0] == 403


def test_hooks_on_loopback_hear_of_pushes(world: World) -> None:
    heard: list[dict[str, str]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(dict(self.headers))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: Any) -> None:  # noqa: ANN401
            pass

    arrived = threading.Event()
    with HTTPServer(("127.0.0.1", 0), Listener) as listener:
        thread = threading.Thread(target=listener.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{listener.server_port}/"
        world.as_user(world.gate).hooks.create({"url": url, "push_events": True, "token": "t"})
        commit(world.as_user(world.gate), "main", "x", "y")
        assert arrived.wait(TIMEOUT)
        thread.join()
    assert (heard[0]["X-Gitlab-Event"], heard[0]["X-Gitlab-Token"]) == ("Push Hook", "t")


# --- lists, faults and the log


def test_lists_come_in_pages_that_lead_to_one_another(world: World) -> None:
    project = world.as_user(world.gate)
    for number in range(5):
        project.labels.create({"name": f"l{number}", "color": "red"})
    url = f"{world.server.url}/api/v4/projects/centos%2Fcompose-repo/labels"
    page = requests.get(url, params={"per_page": 2, "page": 2}, timeout=TIMEOUT)
    assert [one["name"] for one in page.json()] == ["l2", "l3"]
    names = ("X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page")
    assert [page.headers[name] for name in names] == ["5", "3", "2", "2", "3", "1"]
    assert requests.get(page.links["next"]["url"], timeout=TIMEOUT).json()[0]["name"] == "l4"
    assert len(project.labels.list(iterator=True, per_page=2)) == 5


def test_fault_429_says_when_to_come_back(world: World) -> None:
    world.server.faults.add("429", method="GET", path="/user$", retry_after=7)
    headers = {"PRIVATE-TOKEN": world.gate.token}
    url = f"{world.server.url}/api/v4/user"
    first, second = (requests.get(url, headers=headers, timeout=TIMEOUT) for _ in range(2))
    assert (first.status_code, first.headers["Retry-After"], second.status_code) == (429, "7", 200)


def test_fault_reset_does_nothing_and_apply_then_drop_does_everything(world: World) -> None:
    notes = world.open().notes
    for kind, written in (("reset", 0), ("apply-then-drop", 1)):
        world.server.faults.add(kind, method="POST", path="/notes$")  # type: ignore[arg-type]  # both are kinds
        with pytest.raises(requests.ConnectionError):
            notes.create({"body": "x"})
        assert len(notes.list()) == written


def test_requests_are_logged_by_route(world: World) -> None:
    world.open()
    world.server.requests.clear()
    world.as_user(world.gate).mergerequests.get(1)
    assert world.server.requests.writes == []
    assert world.server.requests.count("GET", "/projects/<project_id>/merge_requests/<iid>") == 1


def test_events_name_the_authenticated_pusher(world: World) -> None:
    old = world.open().sha
    clone = world.clone(world.rdo)
    new = write(clone, "results/rdo/1.json", "{}")
    git(clone, "push", "--quiet")
    event = world.as_user(world.gate).events.list(action="pushed")[0]
    assert event.author_id == world.rdo.id
    push = event.push_data
    found = (
        push["ref"],
        push["ref_type"],
        push["action"],
        push["commit_from"],
        push["commit_to"],
        push["commit_count"],
    )
    assert found == (BRANCH, "branch", "pushed", old, new, 1)


# --- many at once, and again


def test_of_many_equal_merge_requests_at_once_one_is_opened(world: World) -> None:
    project = world.as_user(world.opener)
    project.branches.create({"branch": "b", "ref": "main"})
    commit(project, "b", "x", "y")
    codes: list[int] = []

    def create() -> None:
        body = {"source_branch": "b", "target_branch": "main", "title": "x"}
        headers = {"PRIVATE-TOKEN": world.opener.token}
        url = f"{world.server.url}/api/v4/projects/{world.project.id}/merge_requests"
        codes.append(requests.post(url, json=body, headers=headers, timeout=TIMEOUT).status_code)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] + [409] * 7


def test_state_survives_a_restart(world: World) -> None:
    sha = world.open().sha
    world.server.stop()
    with LocalGitLab.start(world.directory / "server") as again:
        api = gitlab.Gitlab(again.url, private_token=world.gate.token)
        assert api.projects.get(world.project.path).mergerequests.get(1).sha == sha
