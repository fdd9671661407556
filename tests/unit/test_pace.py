"""The pace of requests: nowhere in any minute are there more than GitLab takes, and few are never held up."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compose_repo.core.forge.action import PutNote
from compose_repo.ports.gitlab.forge import GitLab
from compose_repo.ports.gitlab.pace import MOST_NOTES, MOST_REQUESTS, SPAN, Pace, Paces
from local_gitlab import LocalGitLab
from skipping_clock import SkippingClock

NOTE, OTHER = "/api/v4/projects/g%2Fp/merge_requests/7/notes", "/api/v4/projects/g%2Fp/merge_requests/7"


def most_in_a_minute(moments: list[float]) -> int:
    """Count, in each minute that begins with one of them, how many there are."""
    return max(sum(begin <= one < begin + SPAN - 1e-6 for one in moments) for begin in moments)


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from([("POST", NOTE), ("PUT", f"{NOTE}/12"), ("PUT", OTHER)]), st.floats(0, 3), st.floats(0, 1)
    ),
    min_size=MOST_NOTES,
    max_size=5 * MOST_NOTES,
)


@given(requests=REQUESTS)
@example([(("POST", NOTE), 1.0, 1.0)] * MOST_NOTES + [(("POST", NOTE), 0.0, 0.0)])
def test_however_long_each_takes_in_no_minute_there_are_more_notes_than_may_be(
    requests: list[tuple[tuple[str, str], float, float]],
) -> None:
    time, arrived = SkippingClock(), []
    pace = Pace(time)
    for (method, path), took, arrives in requests:
        with pace.turn(method, path, lambda _: None):
            if "notes" in path:
                arrived.append(time.passed + took * arrives)  # GitLab counts it somewhere between question and answer
            time.tick(took)
    assert not arrived or most_in_a_minute(arrived) <= MOST_NOTES


def test_in_no_minute_there_are_more_requests_than_may_be() -> None:
    time, sent = SkippingClock(), []
    pace = Pace(time)
    for _ in range(3 * MOST_REQUESTS):
        with pace.turn("GET", OTHER, lambda _: None):
            sent.append(time.passed)
            time.tick(0.001)
    assert most_in_a_minute(sent) == MOST_REQUESTS


def test_as_many_as_a_minute_takes_are_not_held_up_and_the_next_is_told_to_wait() -> None:
    time, told = SkippingClock(), []  # type: ignore[var-annotated]  # floats
    pace = Pace(time)
    for _ in range(MOST_NOTES):
        with pace.turn("POST", NOTE, told.append):
            pass
    for method, path in (("GET", NOTE), ("PUT", OTHER), ("POST", f"{NOTE}/award_emoji")):
        with pace.turn(method, path, told.append):
            pass
    assert told == []
    with pace.turn("DELETE", f"{NOTE}/1", told.append):
        pass
    assert told == time.slept == [SPAN]


def test_a_request_that_fails_counts_too() -> None:
    time = SkippingClock()
    pace = Pace(time)
    for _ in range(MOST_NOTES):
        with pytest.raises(OSError, match="gone"), pace.turn("POST", NOTE, lambda _: None):
            raise OSError("gone")
    with pace.turn("POST", NOTE, lambda _: None):
        assert time.slept == [SPAN]


def test_an_account_keeps_its_pace_and_shares_it_with_no_other() -> None:
    paces = Paces(SkippingClock())
    assert paces.of("one") is paces.of("one")
    assert paces.of("one") is not paces.of("another")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path / "gitlab") as running:
        yield running


@pytest.fixture
def forge(server: LocalGitLab) -> Iterator[Callable[..., GitLab]]:
    """Give a way to connect to a GitLab that takes 60 notes a minute, by the clock of the test."""
    owner = server.create_user("owner")
    project = server.create_project("g/p", owner=owner)
    made: list[GitLab] = []

    def connect(**how: Any) -> GitLab:  # noqa: ANN401  # handed on
        made.append(GitLab(url=server.url, project=project.path, token=owner.token, trace=print, **how))
        return made[-1]

    first = connect(clock=SkippingClock())
    post = first._client.http_post  # what the port has no words for: there is no compose here
    base = f"/projects/{project.id}"
    step = {"action": "create", "file_path": "a", "content": "a"}
    post(f"{base}/repository/commits", post_data={"branch": "main", "commit_message": "a", "actions": [step]})
    step = {"action": "create", "file_path": "b", "content": "b"}
    post(
        f"{base}/repository/commits",
        post_data={"branch": "b", "start_branch": "main", "commit_message": "b", "actions": [step]},
    )
    post(f"{base}/merge_requests", post_data={"source_branch": "b", "target_branch": "main", "title": "b"})
    yield connect
    for one in made:
        one.close()


def write_notes(forge: GitLab, numbers: range) -> None:
    for number in numbers:
        forge.apply(PutNote(iid=1, marker=f"<!-- {number} -->", body=f"<!-- {number} --> hello"))


def test_two_hundred_notes_meet_no_refusal_by_a_gitlab_that_takes_sixty_a_minute(
    server: LocalGitLab, forge: Callable[..., GitLab]
) -> None:
    time = SkippingClock()
    server.throttle.notes, server.throttle.clock = 60, time.monotonic
    server.requests.clear()
    write_notes(forge(clock=time), range(200))
    assert [entry.status for entry in server.requests.entries if entry.writes] == [201] * 200


def test_where_others_use_the_account_too_a_refusal_is_waited_for(
    server: LocalGitLab, forge: Callable[..., GitLab]
) -> None:
    time = SkippingClock()
    server.throttle.notes, server.throttle.clock = 60, time.monotonic
    theirs, ours = (Pace(time) for _ in range(2))
    write_notes(forge(clock=time, pace=theirs), range(40))
    server.requests.clear()
    write_notes(forge(clock=time, pace=ours), range(40, 80))
    statuses = [entry.status for entry in server.requests.entries if entry.method == "POST"]
    assert (statuses.count(201), 429 in statuses) == (40, True)


def test_a_gitlab_that_takes_so_many_requests_says_when_to_come_back_and_is_obeyed(
    server: LocalGitLab, forge: Callable[..., GitLab]
) -> None:
    time = SkippingClock()
    server.throttle.requests, server.throttle.clock = 10, time.monotonic
    one = forge(clock=time)
    for _ in range(25):
        one.merge_request(1)
    assert time.slept == [60.0, 60.0]
