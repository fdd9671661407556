"""How the GitLab port bears a server that misbehaves, over real HTTP; the acceptance tests show it with a good one."""

import contextlib
import datetime as dt
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import requests
from msgspec import structs

from compose_repo.core.forge.action import (
    Approve,
    CloseMergeRequest,
    CommitState,
    CreateBranch,
    DeleteNote,
    Merge,
    OpenMergeRequest,
    PutNote,
    ReopenMergeRequest,
    SetStatus,
    Unapprove,
)
from compose_repo.core.forge.forge import CommitStatus, ForgeError, Lock, Push, StaleHead, User
from compose_repo.core.names import Sha
from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.environment import Environment
from compose_repo.ports.gitlab.bounds import ANSWER_BYTES
from compose_repo.ports.gitlab.forge import GitLab, connect
from compose_repo.ports.gitlab.pace import Pace, Paces
from compose_repo.ports.gitlab.session import LONGEST_IN_ALL, LONGEST_WAIT, TRIES, Session
from skipping_clock import SkippingClock

TOKEN = "glpat-s3cret"  # noqa: S105
SHA = Sha("a" * 40)
USER = {"id": 7, "username": "gate-bot"}
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
TIMES = {"created_at": "2026-11-20T12:00:00.000Z", "finished_at": None}
OPEN = OpenMergeRequest(source_branch="compose/x", target_branch="main", title="t", description="", labels=())
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Script:
    """What the server answers, by method and path, one after the other; the last answer stays."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def on(self, what: str, *answers: Answer) -> None:
        self.answers[what] = list(answers)

    def take(self, what: str) -> Answer:
        self.asked.append(what)
        queue = self.answers.get(what, [(404, {}, {"message": "404 Not Found"})])
        return queue.pop(0) if len(queue) > 1 else queue[0]


def ok(body: Any, **headers: str) -> Answer:  # noqa: ANN401  # any JSON
    return (200, headers, body)


def handler(script: Script) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            script.tokens.append(self.headers["PRIVATE-TOKEN"])
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path, _, query = self.path.removeprefix("/api/v4").partition("?")
            script.queries.append(query)
            status, headers, body = script.take(f"{self.command} {path}")
            if status == 0:
                self.close_connection = True
                return
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, bytes) else "application/json")
            self.send_header("Content-Length", str(len(raw)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  # the base class looks these up

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            """Say nothing."""

    return Handler


@pytest.fixture
def serve() -> Iterator[Callable[[Script], str]]:
    running: list[http.server.ThreadingHTTPServer] = []

    def start(script: Script) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(script))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@dataclass
class World:
    script: Script
    forge: GitLab
    traced: list[str]
    clock: SkippingClock

    @property
    def slept(self) -> list[float]:
        return self.clock.slept


@pytest.fixture
def world(serve: Callable[[Script], str]) -> World:
    script, traced, clock = Script(), [], SkippingClock()  # type: ignore[var-annotated]  # the dataclass below says
    script.on("GET /user", ok(USER))
    forge = GitLab(url=serve(script), project="7", token=TOKEN, trace=traced.append, clock=clock)
    return World(script, forge, traced, clock)


BASE = "/projects/7"
NOTES = f"{BASE}/merge_requests/1/notes"
PUT_NOTE = PutNote(iid=1, marker="<!-- m -->", body="<!-- m --> hello")
OURS = {"id": 1, "system": False, "author": USER, "body": "<!-- m --> hello"}
LOST: Answer = (0, {}, None)


@pytest.mark.parametrize("failure", [(502, {}, b"bad gateway"), (500, {}, {"message": "500"}), LOST])
def test_a_read_is_repeated_when_the_failure_may_pass(world: World, failure: Answer) -> None:
    world.script.on("GET /user", failure, ok(USER))
    assert world.forge.me().username == "gate-bot"
    assert len(world.slept) == 1


def test_a_read_is_given_up_after_so_many_tries(world: World) -> None:
    world.script.on("GET /user", (502, {}, b"bad gateway"))
    with pytest.raises(ForgeError, match="could not read the token's account: GitLab answers 502"):
        world.forge.me()
    assert len(world.script.asked) == TRIES


def test_being_told_to_slow_down_is_obeyed(world: World) -> None:
    world.script.on("GET /user", (429, {"Retry_After": "7"}, b""), ok(USER))
    world.forge.me()
    assert world.slept == [7.0]


def test_a_gitlab_that_fails_on_and_on_is_not_waited_for_at_each_request(world: World) -> None:
    world.script.on("GET /user", (503, {}, b""))
    for _ in range(60):
        with pytest.raises(ForgeError):
            world.forge.me()
    assert LONGEST_IN_ALL <= sum(world.slept) < LONGEST_IN_ALL + 10
    world.slept.clear()
    world.script.on(f"POST {NOTES}", (503, {}, b""))
    world.script.on(f"GET {NOTES}", ok([]))
    with pytest.raises(ForgeError):
        world.forge.apply(PUT_NOTE)
    assert world.script.asked.count(f"POST {NOTES}") == 1
    world.script.on("GET /user", (429, {"Retry_After": "7"}, b""), ok(USER))
    world.forge.me()
    assert world.slept == [7.0]


def test_the_time_is_that_of_gitlabs_last_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.forge.told_time() is None
    said = "Fri, 20 Nov 2026 06:32:11 GMT"
    monkeypatch.setattr(http.server.BaseHTTPRequestHandler, "date_time_string", lambda _: said)
    world.script.on("GET /user", ok(USER))
    world.forge.me()
    assert world.forge.told_time() == dt.datetime(2026, 11, 20, 6, 32, 11, tzinfo=dt.UTC)


def test_being_told_to_wait_too_long_is_an_error(world: World) -> None:
    world.script.on("GET /user", (429, {"Retry_After": str(int(LONGEST_WAIT) + 1)}, b""))
    with pytest.raises(ForgeError, match="asks to slow down for longer than we wait"):
        world.forge.me()
    assert world.slept == []


def test_what_is_refused_as_too_much_without_a_time_is_tried_until_a_minute_is_over(world: World) -> None:
    world.script.on(f"POST {NOTES}", (429, {}, {"message": {"error": "too many times"}}))
    with pytest.raises(ForgeError, match="asks to slow down"):
        world.forge.apply(PUT_NOTE)
    assert len(world.slept) == TRIES - 1
    assert 60 < sum(world.slept) < 2 * 60


def test_a_note_whose_answer_was_lost_is_looked_for_and_not_written_again(world: World) -> None:
    world.script.on(f"POST {NOTES}", LOST)
    world.script.on(f"GET {NOTES}", ok([OURS]))
    world.forge.apply(PUT_NOTE)
    assert world.script.asked.count(f"POST {NOTES}") == 1


def test_a_note_that_is_not_there_after_a_failure_is_written_again(world: World) -> None:
    world.script.on(f"POST {NOTES}", (502, {}, b""), (201, {}, OURS))
    world.script.on(f"GET {NOTES}", ok([{**OURS, "author": {"id": 8, "username": "mallory"}}]))
    world.forge.apply(PUT_NOTE)
    assert world.script.asked.count(f"POST {NOTES}") == 2


def test_a_write_is_told_to_slow_down_without_being_looked_after(world: World) -> None:
    world.script.on(f"POST {NOTES}", (429, {"Retry_After": "1"}, b""), (201, {}, OURS))
    world.forge.apply(PUT_NOTE)
    assert f"GET {NOTES}" not in world.script.asked


def test_a_write_that_never_works_says_what_it_was(world: World) -> None:
    world.script.on(f"POST {NOTES}", (503, {}, b""))
    world.script.on(f"GET {NOTES}", ok([]))
    with pytest.raises(ForgeError, match="could not write a note on !1: GitLab answers 503"):
        world.forge.apply(PUT_NOTE)
    assert world.script.asked.count(f"POST {NOTES}") == TRIES - 1


def test_a_write_that_is_refused_is_not_repeated(world: World) -> None:
    world.script.on(f"POST {NOTES}", (403, {}, {"message": "403 Forbidden"}))
    world.script.on(f"GET {NOTES}", ok([]))
    with pytest.raises(ForgeError, match="may not do this; it needs scope api"):
        world.forge.apply(PUT_NOTE)
    assert (world.script.asked.count(f"POST {NOTES}"), world.slept) == (1, [])


@pytest.mark.parametrize("action", [Approve(iid=1, sha=SHA), Merge(iid=1, sha=SHA, message="m")])
def test_a_head_that_has_moved_is_no_ordinary_error(world: World, action: Approve | Merge) -> None:
    conflict: Answer = (409, {}, {"message": "SHA does not match HEAD of source branch"})
    world.script.on(f"POST {BASE}/merge_requests/1/approve", conflict)
    world.script.on(f"PUT {BASE}/merge_requests/1/merge", conflict)
    world.script.on(f"GET {BASE}/merge_requests/1", ok(MERGE_REQUEST))
    with pytest.raises(StaleHead, match="its head moved meanwhile"):
        world.forge.apply(action)


def test_merging_waits_while_gitlab_still_looks_whether_it_can(world: World) -> None:
    world.script.on(f"PUT {BASE}/merge_requests/1/merge", (405, {}, {"message": "405"}), ok({}))
    world.script.on(f"GET {BASE}/merge_requests/1", ok({**MERGE_REQUEST, "detailed_merge_status": "checking"}))
    world.forge.apply(Merge(iid=1, sha=SHA, message="m"))
    assert world.script.asked.count(f"PUT {BASE}/merge_requests/1/merge") == 2


def test_merging_what_cannot_be_merged_is_refused(world: World) -> None:
    world.script.on(f"PUT {BASE}/merge_requests/1/merge", (405, {}, {"message": "405 Method Not Allowed"}))
    world.script.on(f"GET {BASE}/merge_requests/1", ok({**MERGE_REQUEST, "detailed_merge_status": "conflict"}))
    with pytest.raises(ForgeError, match="its state does not allow it"):
        world.forge.apply(Merge(iid=1, sha=SHA, message="m"))


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("requested_changes", "(405, requested_changes): a reviewer has requested changes; a Maintainer removes"),
        ("of_next_year", "(405, of_next_year): look at its page, which says what it waits for"),
        (None, "(405, and GitLab does not say why)"),
    ],
)
def test_why_gitlab_does_not_merge_is_told(world: World, status: str | None, why: str) -> None:
    world.script.on(f"PUT {BASE}/merge_requests/1/merge", (405, {}, {"message": "405 Method Not Allowed"}))
    world.script.on(f"GET {BASE}/merge_requests/1", ok({**MERGE_REQUEST, "detailed_merge_status": status}))
    with pytest.raises(ForgeError) as caught:
        world.forge.apply(Merge(iid=1, sha=SHA, message="m"))
    assert f"could not merge !1 at {SHA[:12]}: its state does not allow it {why}" in str(caught.value)


def test_an_approval_that_is_there_already_is_as_good(world: World) -> None:
    world.script.on(f"POST {BASE}/merge_requests/1/approve", (401, {}, {"message": "401 Unauthorized"}))
    world.script.on(f"GET {BASE}/merge_requests/1/approvals", ok({"approved_by": [{"user": USER}]}))
    world.forge.apply(Approve(iid=1, sha=SHA))


def test_an_approval_that_is_gone_already_is_as_good(world: World) -> None:
    world.script.on(f"POST {BASE}/merge_requests/1/unapprove", (404, {}, {"message": "404 Not found"}))
    world.script.on(f"GET {BASE}/merge_requests/1/approvals", ok({"approved_by": []}))
    world.forge.apply(Unapprove(iid=1, reason="the gate is blocked"))


@pytest.mark.parametrize("answer", [(204, {}, b""), (404, {}, {"message": "404 Not found"}), LOST])
def test_a_second_note_is_deleted_or_gone_already(world: World, answer: Answer) -> None:
    world.script.on(f"DELETE {NOTES}/2", answer)
    world.script.on(f"GET {NOTES}", ok([OURS]))
    world.forge.apply(DeleteNote(iid=1, note_id=2))
    assert world.script.asked.count(f"DELETE {NOTES}/2") == 1


def test_a_status_that_is_set_already_is_as_good(world: World) -> None:
    message = "Cannot transition status via :enqueue from :pending"
    world.script.on(f"POST {BASE}/statuses/{SHA}", (400, {}, {"message": message}))
    row = {"id": 1, "name": "compose-gate", "status": "pending", "description": None, "author": None, **TIMES}
    world.script.on(f"GET {BASE}/repository/commits/{SHA}/statuses", ok([{**row, "status": "canceled", "id": 0}, row]))
    world.forge.apply(SetStatus(sha=SHA, branch="b", name="compose-gate", state=CommitState.PENDING, description="d"))
    found = world.forge.statuses(SHA, "compose-gate")
    assert found == [
        CommitStatus(name="compose-gate", author_id=0, state=CommitState.PENDING, description="", set_at=NOON),
        CommitStatus(name="compose-gate", author_id=0, state=None, description="", set_at=NOON),
    ]


@pytest.mark.parametrize(("description", "writes"), [("old", 2), ("new", 1)])
def test_a_final_status_is_set_when_its_words_are(world: World, description: str, writes: int) -> None:
    world.script.on(f"POST {BASE}/statuses/{SHA}", (502, {}, {}), ok({}))
    row = {"id": 1, "name": "compose-gate", "status": "failed", "description": description, "author": USER, **TIMES}
    world.script.on(f"GET {BASE}/repository/commits/{SHA}/statuses", ok([row]))
    world.forge.apply(SetStatus(sha=SHA, branch="b", name="compose-gate", state=CommitState.FAILED, description="new"))
    assert world.script.asked.count(f"POST {BASE}/statuses/{SHA}") == writes


def test_a_status_that_another_run_is_just_setting_is_set_after_it(world: World) -> None:
    busy = "Another update to this commit status is in progress"
    world.script.on(f"POST {BASE}/statuses/{SHA}", (409, {}, {"message": busy}), ok({}))
    world.script.on(f"GET {BASE}/repository/commits/{SHA}/statuses", ok([]))
    world.forge.apply(SetStatus(sha=SHA, branch="b", name="compose-gate", state=CommitState.FAILED, description="new"))
    assert world.script.asked.count(f"POST {BASE}/statuses/{SHA}") == 2


def test_a_final_status_was_set_when_it_became_so(world: World) -> None:
    row = {"id": 1, "name": "compose-gate", "status": "success", "description": None, "author": USER, **TIMES}
    world.script.on(
        f"GET {BASE}/repository/commits/{SHA}/statuses", ok([{**row, "finished_at": "2026-11-20T13:00:00Z"}])
    )
    assert world.forge.statuses(SHA, "compose-gate")[0].set_at == NOON + dt.timedelta(hours=1)


@pytest.mark.parametrize("changed", [{"sha": "b" * 40}, {"state": "closed"}])
def test_what_others_have_done_is_not_taken_for_our_merge(world: World, changed: dict[str, str]) -> None:
    world.script.on(f"PUT {BASE}/merge_requests/1/merge", (405, {}, {"message": "405 Method Not Allowed"}))
    merged = {**MERGE_REQUEST, "state": "merged", "detailed_merge_status": "not_open", **changed}
    world.script.on(f"GET {BASE}/merge_requests/1", ok(merged))
    with pytest.raises(ForgeError, match="its state does not allow it"):
        world.forge.apply(Merge(iid=1, sha=SHA, message="m"))


def test_a_head_that_a_run_beside_ours_has_merged_is_merged(world: World) -> None:
    world.script.on(f"PUT {BASE}/merge_requests/1/merge", (405, {}, {"message": "405 Method Not Allowed"}))
    world.script.on(f"GET {BASE}/merge_requests/1", ok({**MERGE_REQUEST, "state": "merged"}))
    world.forge.apply(Merge(iid=1, sha=SHA, message="m"))


@pytest.mark.parametrize("action", [ReopenMergeRequest(iid=1), CloseMergeRequest(iid=1)])
def test_a_state_that_gitlab_silently_leaves_is_an_error(
    world: World, action: ReopenMergeRequest | CloseMergeRequest
) -> None:
    world.script.on(f"PUT {BASE}/merge_requests/1", ok({**MERGE_REQUEST, "state": "merged"}))
    with pytest.raises(ForgeError, match="GitLab leaves it merged; check the account's role"):
        world.forge.apply(action)


def test_a_branch_that_is_there_again_is_as_good(world: World) -> None:
    world.script.on(f"POST {BASE}/repository/branches", (400, {}, {"message": "Branch already exists"}))
    world.script.on(f"GET {BASE}/repository/branches/b", ok({"commit": {"id": SHA}}))
    world.forge.apply(CreateBranch(branch="b", sha=SHA))


@pytest.mark.parametrize("theirs", [{"author": {"id": 99, "username": "m"}}, {"source_project_id": 9}])
def test_a_merge_request_of_somebody_elses_is_not_taken_for_ours(world: World, theirs: dict[str, Any]) -> None:
    conflict = "Another open merge request already exists for this source branch: !2"
    world.script.on(f"POST {BASE}/merge_requests", (409, {}, {"message": [conflict]}))
    world.script.on(f"GET {BASE}/merge_requests", ok([{**MERGE_REQUEST, **theirs}]))
    with pytest.raises(ForgeError, match="Another open merge request already exists"):
        world.forge.apply(OPEN)


def test_a_merge_request_of_ours_that_a_run_beside_ours_has_opened_is_as_good(world: World) -> None:
    world.script.on(f"POST {BASE}/merge_requests", (409, {}, {"message": ["it exists"]}))
    world.script.on(f"GET {BASE}/merge_requests", ok([MERGE_REQUEST]))
    world.forge.apply(OPEN)


def test_every_page_is_read(world: World) -> None:
    more = {"Link": f'<{world.forge.url}/api/v4{NOTES}?page=2>; rel="next"'}
    world.script.on(f"GET {NOTES}", (200, more, [OURS]), ok([{**OURS, "id": 2}]))
    assert [note.id for note in world.forge.notes(1)] == [1, 2]


def test_merge_requests_from_forks_are_told_apart(world: World) -> None:
    fork = {**MERGE_REQUEST, "iid": 2, "source_project_id": 9}
    world.script.on(f"GET {BASE}/merge_requests", ok([fork, MERGE_REQUEST]))
    assert [line.from_fork for line in world.forge.open_merge_requests()] == [True, False]


def test_a_fork_is_told_apart_among_the_merge_requests_of_a_branch(world: World) -> None:
    fork = {**MERGE_REQUEST, "iid": 2, "source_project_id": 9}
    world.script.on(f"GET {BASE}/merge_requests", ok([fork, MERGE_REQUEST]))
    assert [line.from_fork for line in world.forge.merge_requests(source_branch="b")] == [True, False]


def test_only_titles_that_have_the_very_words_are_found(world: World) -> None:
    rows = [{**MERGE_REQUEST, "title": title} for title in ("About CentOS-1 again", "1 CentOS")]
    world.script.on(f"GET {BASE}/merge_requests", ok(rows))
    assert [line.title for line in world.forge.titled_merge_requests("CentOS-1")] == ["About CentOS-1 again"]


def test_only_so_many_recent_merge_requests_are_read(world: World) -> None:
    more = {"Link": f'<{world.forge.url}/api/v4{BASE}/merge_requests?page=2>; rel="next"'}
    world.script.on(f"GET {BASE}/merge_requests", (200, more, [MERGE_REQUEST]))
    assert len(world.forge.recent_merge_requests()) == 1


BRANCH = "compose/CentOS-Stream-10-20261120.0"
EVENTS = f"{BASE}/events"
PUSHED = {"ref_type": "branch", "ref": BRANCH, "commit_from": SHA, "commit_to": "b" * 40, "ref_count": None}
DAY = dt.date(2026, 11, 20)


def event(number: int, **push: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    data = {**PUSHED, **push}
    moment = f"2026-11-20T04:00:{number:02}.000Z"
    return {"id": number, "author_id": 7, "author": USER, "created_at": moment, "push_data": data}


def pushed(number: int, before: Sha | None = SHA, after: Sha | None = Sha("b" * 40)) -> Push:  # noqa: B008  # frozen
    moment = dt.datetime(2026, 11, 20, 4, 0, number, tzinfo=dt.UTC)
    return Push(user=User(id=7, username="gate-bot"), branch=BRANCH, before=before, after=after, at=moment)


def test_pushes_come_oldest_first_from_every_page_and_once(world: World) -> None:
    more = {"Link": f'<{world.forge.url}/api/v4{EVENTS}?page=2>; rel="next"'}
    world.script.on(f"GET {EVENTS}", (200, more, [event(3), event(2)]), ok([event(2), event(1)]))
    assert world.forge.pushes(BRANCH, DAY) == [pushed(1), pushed(2), pushed(3)]


@pytest.mark.parametrize("nothing", [None, "0" * 40, "0" * 64])
def test_a_push_may_create_or_delete_its_branch(world: World, nothing: str | None) -> None:
    world.script.on(f"GET {EVENTS}", ok([event(1, commit_from=nothing), event(2, commit_to=nothing)]))
    assert world.forge.pushes(BRANCH, DAY) == [pushed(1, before=None), pushed(2, after=None)]


@pytest.mark.parametrize(
    "other",
    [
        event(1, ref_type="tag"),
        event(1, ref=f"{BRANCH}1"),
        event(1, ref=BRANCH.lower()),
        event(1, ref=None, ref_count=4, commit_from=None, commit_to=None),
        {"id": 1, "author_id": 7, "author": USER, "created_at": "2026-11-20T04:00:00Z"},
    ],
    ids=["a tag", "a longer name", "another case", "many at once", "no push"],
)
def test_pushes_of_anything_but_the_branch_are_left_out(world: World, other: object) -> None:
    world.script.on(f"GET {EVENTS}", ok([other]))
    assert world.forge.pushes(BRANCH, DAY) == []


def test_pushes_are_asked_for_from_before_the_day_because_gitlab_leaves_it_out(world: World) -> None:
    world.script.on(f"GET {EVENTS}", ok([]))
    world.forge.pushes(BRANCH, DAY)
    assert set(world.script.queries[0].split("&")) == {"action=pushed", "after=2026-11-18", "sort=asc", "per_page=100"}


@pytest.mark.parametrize(
    "odd",
    [
        {**event(1), "id": "1"},
        {**event(1), "author_id": 8},
        {**event(1), "author_id": True, "author": {**USER, "id": True}},
        {**event(1), "author": {**USER, "username": None}},
        {**event(1), "created_at": "2026-11-20T04:00:00"},
        {**event(1), "created_at": "yesterday"},
        {**event(1), "push_data": []},
        event(1, ref=["x"]),
        event(1, ref=""),
        event(1, commit_from="main"),
        event(1, commit_to="B" * 40),
        event(1, commit_to=7),
        event(1, commit_to=["b" * 40]),
    ],
)
def test_a_push_event_of_another_shape_is_an_error(world: World, odd: object) -> None:
    world.script.on(f"GET {EVENTS}", ok([event(2), odd]))
    with pytest.raises(ForgeError, match="does not answer like a GitLab for push events"):
        world.forge.pushes(BRANCH, DAY)


def test_a_push_by_an_account_that_is_gone_is_nobodys(world: World) -> None:
    world.script.on(f"GET {EVENTS}", ok([{**event(1), "author_id": None, "author": None}]))
    (push,) = world.forge.pushes(BRANCH, DAY)
    assert push == structs.replace(pushed(1), user=User(id=0, username="(deleted account)"))


@pytest.mark.parametrize(
    "spelled", ["2026-11-20T04:00:01.000+00:00Z", "2026-11-20 04:00:01 UTC", "2026-11-20T04:00:01 +0000"]
)
def test_utc_may_be_spelled_otherwise(world: World, spelled: str) -> None:
    world.script.on(f"GET {EVENTS}", ok([{**event(1), "created_at": spelled}]))
    assert world.forge.pushes(BRANCH, DAY) == [pushed(1)]


def test_what_an_account_that_is_gone_has_written_is_nobodys(world: World) -> None:
    world.script.on(f"GET {NOTES}", ok([{**OURS, "author": None}]))
    world.script.on(f"GET {BASE}/merge_requests/1", ok({**MERGE_REQUEST, "author": None, "closed_by": None}))
    world.script.on(f"GET {BASE}/merge_requests/1/approvals", ok({"approved_by": [{"user": None}, {"user": USER}]}))
    assert [note.author_id for note in world.forge.notes(1)] == [0]
    assert world.forge.merge_request(1).author == User(id=0, username="(deleted account)")
    assert world.forge.approved_by(1) == {0, 7}


class ManyEvents:
    """Events as GitLab lists them: no more than so many for one question."""

    def __init__(self, world: World, days: Mapping[str, int]) -> None:
        moments = [day for day, count in days.items() for _ in range(count)]
        self.rows = [
            {**event(1), "id": number, "created_at": f"{day}T04:00:01.000Z"} for number, day in enumerate(moments)
        ]
        self.questions: list[str] = []
        world.script.take = self.take  # type: ignore[method-assign]  # its answers depend on the question
        self._script = world.script

    def take(self, what: str) -> Answer:
        assert what == f"GET {EVENTS}"
        query = dict(parse_qsl(self._script.queries[-1]))
        page = int(query.get("page", 1))
        if page == 1:
            self.questions.append(f"{query['sort']} after {query['after']}")
        rows = [row for row in self.rows if row["created_at"][:10] > query["after"]]
        rows = sorted(rows, key=lambda row: row["id"], reverse=query["sort"] == "desc")[:10_000]
        following = f"<http://elsewhere.example/x?{urlencode({**query, 'page': page + 1})}>; rel=next"
        more = {"Link": following} if page * 100 < len(rows) else {}
        return (200, more, rows[(page - 1) * 100 : page * 100])


def test_more_events_than_gitlab_lists_are_read_on_from_the_last_day(world: World) -> None:
    events = ManyEvents(world, {"2026-11-20": 6000, "2026-11-24": 6000, "2026-11-29": 4000, "2026-12-03": 1})
    assert len(world.forge.pushes(None, DAY)) == 16_001
    assert events.questions == ["asc after 2026-11-18", "asc after 2026-11-22", "asc after 2026-11-27"]


def test_more_events_of_a_few_days_than_gitlab_lists_are_read_from_both_ends(world: World) -> None:
    events = ManyEvents(world, {"2026-11-20": 19_999})
    assert len(world.forge.pushes(None, DAY)) == 19_999
    assert events.questions == ["asc after 2026-11-18", "desc after 2026-11-18"]


def test_events_of_which_gitlab_cannot_list_all_are_an_error(world: World) -> None:
    ManyEvents(world, {"2026-11-20": 20_001})
    with pytest.raises(ForgeError, match="the push events since 2026-11-18 cannot be read: there are more than twice"):
        world.forge.pushes(None, DAY)


def test_the_role_of_a_member_is_read(world: World) -> None:
    world.script.on(f"GET {BASE}/members/all/7", ok({**USER, "access_level": 40}))
    assert world.forge.access_level(7) == 40


def test_who_is_no_member_has_no_role(world: World) -> None:
    world.script.on(f"GET {BASE}", ok(PROJECT))
    assert world.forge.access_level(7) == 0


def test_a_role_that_is_no_number_is_an_error(world: World) -> None:
    world.script.on(f"GET {BASE}/members/all/7", ok({**USER, "access_level": "40"}))
    with pytest.raises(ForgeError, match="does not answer like a GitLab for member 7"):
        world.forge.access_level(7)


@pytest.mark.parametrize(
    ("row", "user"), [({}, None), ({"closed_by": None}, None), ({"closed_by": USER}, User(id=7, username="gate-bot"))]
)
def test_who_closed_a_merge_request_is_read(world: World, row: dict[str, Any], user: User | None) -> None:
    world.script.on(f"GET {BASE}/merge_requests/1", ok({**MERGE_REQUEST, **row}))
    assert world.forge.merge_request(1).closed_by == user


def test_a_branch_that_is_not_there_is_none(world: World) -> None:
    world.script.on(f"GET {BASE}", ok(PROJECT))
    assert world.forge.branch_head("compose/x") is None


def test_a_project_that_is_not_there_is_an_error(world: World) -> None:
    with pytest.raises(ForgeError, match="could not read project 7: it does not exist, or the token may not see it"):
        world.forge.branch_head("compose/x")


def test_the_token_does_not_follow_a_redirect_to_another_host(world: World, serve: Callable[[Script], str]) -> None:
    other = Script()
    other.on("GET /user", ok(USER))
    elsewhere = serve(other).replace("127.0.0.1", "localhost")
    world.script.on("GET /user", (302, {"Location": f"{elsewhere}/api/v4/user"}, b""))
    assert world.forge.me().username == "gate-bot"
    assert (world.script.tokens, other.tokens) == ([TOKEN], [None])


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1.evil.example", "http://127.0.0.1:1", "http://evil@127.0.0.1"])
def test_a_link_to_the_next_page_leads_to_no_other_host(world: World, elsewhere: str) -> None:
    more = {"Link": f'<{elsewhere}/api/v4{NOTES}?page=2>; rel="next"'}
    world.script.on(f"GET {NOTES}", (200, more, [OURS]), ok([{**OURS, "id": 2}]))
    assert [note.id for note in world.forge.notes(1)] == [1, 2]
    assert world.script.queries[-1] == "page=2"
    assert world.script.tokens == [TOKEN, TOKEN]


@pytest.mark.parametrize(
    "url",
    ["https://gitlab.example.evil/x", "http://gitlab.example/x", "https://gitlab.example:8443/x", "https://a:b]/x"],
)
def test_no_request_goes_to_another_host(url: str) -> None:
    session = Session("https://gitlab.example", print, SkippingClock(), Pace(SkippingClock()))
    with pytest.raises(requests.RequestException, match="which is not its own host; check COMPOSE_REPO_URL"):
        session.get(url)


RENAMED = {
    "id": 7,
    "path_with_namespace": "new/p",
    "web_url": "https://gitlab.example/new/p",
    "http_url_to_repo": "https://gitlab.example/new/p.git",
    "default_branch": "main",
}


@pytest.mark.parametrize(
    "named", ["https://clone.example/new/p.git", "https://127.0.0.1/new/p.git", "ssh://git@127.0.0.1/p", "/etc", ""]
)
def test_git_is_sent_to_gitlabs_own_host_whatever_address_it_names(world: World, named: str) -> None:
    world.script.on(f"GET {BASE}", ok({**RENAMED, "http_url_to_repo": named}))
    found = world.forge.project()
    assert (found.clone_url, found.remote) == (named, f"{world.forge.url}/new/p.git")


def test_git_is_sent_where_gitlab_says_on_its_own_host(world: World) -> None:
    world.script.on(f"GET {BASE}", ok({**RENAMED, "http_url_to_repo": f"{world.forge.url}/git/new/p.git"}))
    assert world.forge.project().remote == f"{world.forge.url}/git/new/p.git"


def test_a_project_that_was_renamed_is_written_to_by_its_id(serve: Callable[[Script], str]) -> None:
    script = Script()
    forge = GitLab(url=serve(script), project="old/p", token=TOKEN, trace=print, clock=SkippingClock())
    script.on("GET /projects/old%2Fp", (301, {"Location": f"{forge.url}/api/v4/projects/7"}, {"message": "moved"}))
    script.on(f"GET {BASE}", ok(RENAMED))
    script.on(f"POST {NOTES}", (201, {}, OURS))
    forge.apply(PUT_NOTE)
    assert forge.project().path == "new/p"
    assert script.asked == ["GET /projects/old%2Fp", f"GET {BASE}", f"POST {NOTES}"]


def test_texts_that_are_too_large_together_are_read_in_smaller_pages(world: World) -> None:
    big = b'"%s"' % (b"x" * ANSWER_BYTES)
    world.script.on(f"GET {NOTES}", ok(big), ok([OURS]))
    assert [note.id for note in world.forge.notes(1)] == [1]
    assert [query.rpartition("=")[2] for query in world.script.queries] == ["100", "10"]


def test_an_answer_that_is_too_large_is_an_error(world: World) -> None:
    world.script.on("GET /user", ok(b"x" * (ANSWER_BYTES + 1)))
    with pytest.raises(ForgeError, match="its answer is over 64 MiB"):
        world.forge.me()
    assert len(world.script.asked) == 1


@pytest.mark.parametrize("headers", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_answer_that_never_ends_is_an_error(headers: bytes) -> None:
    """A byte comes often enough that the server is not silent, so only the whole time is over."""
    listener = socket.create_server(("127.0.0.1", 0))
    clock = SkippingClock()

    def trickle() -> None:
        line, _ = listener.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(headers)
            while True:
                clock.sleep(5)
                line.sendall(b"x")
                threading.Event().wait(0.001)

    threading.Thread(target=trickle, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    forge = GitLab(url=url, project="7", token=TOKEN, trace=print, clock=clock)
    with listener, pytest.raises(ForgeError, match="its answer took longer than 300 s"):
        forge.me()


def test_a_list_without_an_end_is_an_error(world: World) -> None:
    more = {"Link": f'<{world.forge.url}/api/v4{NOTES}?page=2>; rel="next"'}
    world.script.on(f"GET {NOTES}", (200, more, []))
    with pytest.raises(ForgeError, match="could not read notes of !1: it lists more than 1,000 pages"):
        world.forge.notes(1)


def test_a_list_that_is_none_is_an_error(world: World) -> None:
    world.script.on(f"GET {NOTES}", ok({}))
    with pytest.raises(ForgeError, match="does not answer like a GitLab for notes of !1"):
        world.forge.notes(1)


def test_a_write_that_is_redirected_says_so(world: World) -> None:
    world.script.on(f"POST {NOTES}", (301, {"Location": "/login"}, b""))
    world.script.on("GET /login", (200, {}, b""))
    with pytest.raises(ForgeError, match="could not write a note on !1: it redirects; set COMPOSE_REPO_URL"):
        world.forge.apply(PUT_NOTE)


@pytest.mark.parametrize("body", [b"<html>", ["no", "object"]])
def test_a_server_that_is_no_gitlab_is_told_apart(world: World, body: object) -> None:
    world.script.on("GET /user", ok(body))
    with pytest.raises(ForgeError, match="COMPOSE_REPO_URL"):
        world.forge.me()


def test_requests_are_traced_with_their_time_and_without_the_token(world: World) -> None:
    world.script.on(f"GET {NOTES}", ok([]))
    world.forge.notes(1)
    assert len(world.traced) == 1
    assert world.traced[0].startswith(f"GET /api/v4{NOTES}?sort=asc&per_page=100 200 (")
    assert TOKEN not in world.traced[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gitlab_url": None}, "set COMPOSE_REPO_URL"),
        ({"gitlab_url": "gitlab.com"}, "should be an address such as https://gitlab.com"),
        ({"project": None}, "set COMPOSE_REPO_PROJECT"),
        ({"token": None}, "set COMPOSE_REPO_TOKEN"),
        ({"token": "a b"}, "COMPOSE_REPO_TOKEN is not a valid token"),
    ],
)
def test_a_setting_that_is_missing_is_named(change: dict[str, str | None], message: str) -> None:
    settings: dict[str, Any] = {
        "gitlab_url": "https://gitlab.example", "project": "g/p", "token": TOKEN, "in_ci": False, **change
    }  # fmt: skip
    with pytest.raises(UsageError, match=message):
        connect(Environment(**settings), print, Paces(SkippingClock()), SkippingClock())


def test_complete_settings_reach_for_nothing_yet() -> None:
    settings = Environment(gitlab_url="https://gitlab.example/", project="g/p", token=TOKEN, in_ci=False)
    assert connect(settings, print, Paces(SkippingClock()), SkippingClock()).url == "https://gitlab.example"


PROJECT = {
    "id": 1,
    "path_with_namespace": "g/p",
    "web_url": "https://gitlab.example/g/p",
    "http_url_to_repo": "https://gitlab.example/g/p.git",
    "default_branch": "main",
}
MERGE_REQUEST = {
    "iid": 1,
    "state": "opened",
    "title": "t",
    "description": None,
    "source_branch": "compose/x",
    "target_branch": "main",
    "source_project_id": 1,
    "target_project_id": 1,
    "sha": SHA,
    "author": USER,
    "labels": [],
    "created_at": "2026-11-20T00:00:00.000Z",
    "web_url": "https://gitlab.example/g/p/-/merge_requests/1",
}


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    settings = Environment(gitlab_url="https://me:s3cret@gitlab.example", project="g/p", token=TOKEN, in_ci=False)
    with pytest.raises(UsageError, match="holds a user or a password") as caught:
        connect(settings, print, Paces(SkippingClock()), SkippingClock())
    assert "s3cret" not in str(caught.value)


READS: dict[str, Callable[[GitLab], object]] = {
    "/user": GitLab.me,
    BASE: GitLab.project,
    f"{BASE}/merge_requests": GitLab.open_merge_requests,
    f"{BASE}/merge_requests/1": lambda forge: forge.merge_request(1),
    f"{BASE}/merge_requests/1/approvals": lambda forge: forge.approved_by(1),
    NOTES: lambda forge: forge.notes(1),
    f"{BASE}/repository/commits/{SHA}/statuses": lambda forge: forge.statuses(SHA, "compose-gate"),
    f"{BASE}/events": lambda forge: forge.pushes("compose/x", dt.date(2026, 11, 20)),
    f"{BASE}/members/all/7": lambda forge: forge.access_level(7),
    f"{BASE}/repository/branches/main": lambda forge: forge.branch_head("main"),
}


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("body", [None, "x", 1, {"id": 1}, [{}], [1], [None], {"commit": None}])
def test_an_answer_of_another_shape_is_told_of_as_such(world: World, path: str, body: object) -> None:
    world.script.on(f"GET {path}", ok(body))
    with pytest.raises(ForgeError, match=r"does not answer like a GitLab for .*; check COMPOSE_REPO_URL"):
        READS[path](world.forge)


def test_a_project_without_a_branch_says_what_to_do(world: World) -> None:
    names = ("path_with_namespace", "web_url", "http_url_to_repo")
    world.script.on(f"GET {BASE}", ok({"id": 1, "default_branch": None, **dict.fromkeys(names, "g/p")}))
    with pytest.raises(ForgeError, match="g/p has no branch yet; push this repository to it first"):
        world.forge.project()


@pytest.mark.parametrize(
    ("status", "pipeline", "lock"),
    [
        ("mergeable", {"sha": "a", "status": "success"}, None),
        ("checking", None, None),
        ("ci_still_running", {"sha": "a", "status": "running"}, Lock.DUE),
        ("ci_must_pass", None, Lock.DUE),
        ("ci_must_pass", {"sha": "b", "status": "failed"}, Lock.DUE),
        ("ci_must_pass", {"sha": "a", "status": "failed"}, Lock.FAILED),
        ("ci_must_pass", {"sha": "a", "status": "canceled"}, Lock.FAILED),
    ],
)
def test_a_pipeline_keeps_from_merging_until_it_is_over_and_for_good_if_that_of_the_head_has_failed(
    world: World, status: str, pipeline: dict[str, str] | None, lock: Lock | None
) -> None:
    row = {"detailed_merge_status": status, "sha": "a", "head_pipeline": pipeline}
    world.script.on(f"GET {BASE}/merge_requests/1", ok(row))
    assert world.forge.lock(1) is lock
