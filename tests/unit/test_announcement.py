"""What the bus is told of a verdict: each change once, and what was told stands in our note."""

import datetime as dt
from typing import Final

import pytest
from gate_world import COMPOSE
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.bus.announcement import (
    Announced,
    DecisionChanged,
    announced_in,
    change_of,
    marked,
    plan_announced,
)
from compose_repo.core.forge.action import Announce, EditNote, to_dict
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState, Note, User
from compose_repo.core.names import Sha, Sha256
from compose_repo.core.verdict.decision import Hold, Verdict

LINE: Final = MergeRequest(
    iid=7,
    state=MergeRequestState.OPENED,
    title=str(COMPOSE),
    description="",
    source_branch=COMPOSE.branch,
    target_branch="main",
    head=Sha("a" * 40),
    author=User(id=1, username="compose-bot"),
    labels=frozenset(),
    created_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
    web_url="https://gitlab.example.org/centos/compose-repo/-/merge_requests/7",
)
DIGEST: Final = Sha256("d" * 64)
FIRST: Final = "<!-- compose-repo: announced 1 pending -->"


def change(body: str, verdict: Verdict, held: Hold | None = None) -> DecisionChanged | None:
    note = Note(id=3, author_id=2, body=body)
    return change_of(
        COMPOSE,
        merge_request=LINE,
        note=note,
        verdict=verdict,
        held=held,
        summary="1 missing",
        decision_sha256=DIGEST,
    )


def test_the_first_verdict_is_a_change_from_nothing() -> None:
    found = change("Pending", Verdict.PENDING)
    assert found is not None
    assert (found.number, found.old, found.new) == (1, None, Verdict.PENDING)
    assert found.to_dict() == {
        "compose_id": str(COMPOSE),
        "stream": "CentOS-Stream-10",
        "old": None,
        "new": "pending",
        "summary": "1 missing",
        "held": None,
        "decision_sha256": DIGEST,
        "url": LINE.web_url,
    }


def test_the_same_verdict_is_no_change() -> None:
    assert change(f"Pending\n{FIRST}", Verdict.PENDING) is None


def test_another_verdict_is_a_change_of_its_own() -> None:
    found = change(f"Pending\n{FIRST}", Verdict.BLOCKED)
    assert found is not None
    assert (found.number, found.old, found.new) == (2, Verdict.PENDING, Verdict.BLOCKED)
    assert found.to_dict()["old"] == "pending"


def test_a_verdict_that_comes_back_is_told_under_another_key() -> None:
    first, again = change("", Verdict.PENDING), change("<!-- compose-repo: announced 2 blocked -->", Verdict.PENDING)
    assert first is not None
    assert again is not None
    assert first.key != again.key


def test_what_was_told_is_written_into_the_first_of_our_notes() -> None:
    found = change(f"Words\n\n{FIRST}", Verdict.SATISFIED)
    assert found is not None
    notes = [Note(id=3, author_id=2, body=f"Words\n\n{FIRST}"), Note(id=4, author_id=2, body="Other")]
    body = "Words\n<!-- compose-repo: announced 2 satisfied -->"
    plan = (Announce(change=found), EditNote(iid=7, note_id=3, body=body))
    assert plan_announced(LINE, notes, found) == plan
    assert to_dict(plan[0]) == {
        "action": "Announce",
        "sentence": "tell the bus that CentOS-Stream-10-20261120.0 is satisfied",
        "change": "CentOS-Stream-10-20261120.0 is satisfied",
    }


HELD: Final = Hold(reason="It eats discs.", issue="https://i.example.org/1", by="jdoe", until=dt.date(2026, 12, 5))
HELD_MARK: Final = "<!-- compose-repo: announced 2 satisfied held until 2026-12-05 -->"


@pytest.mark.parametrize(
    ("body", "held", "number"),
    [
        ("<!-- compose-repo: announced 1 satisfied -->", HELD, 2),
        (HELD_MARK, HELD, None),
        (HELD_MARK, replace(HELD, until=dt.date(2026, 12, 9)), 3),
        (HELD_MARK, replace(HELD, reason="Another."), None),
        (HELD_MARK, None, 3),
    ],
)
def test_that_a_hold_begins_ends_or_is_given_another_end_is_a_change(
    body: str, held: Hold | None, number: int | None
) -> None:
    found = change(body, Verdict.SATISFIED, held)
    assert (None if found is None else found.number) == number
    if found is not None:
        assert (found.old, found.new, found.held) == (Verdict.SATISFIED, Verdict.SATISFIED, held)
        assert found.to_dict()["held"] == (None if held is None else held.to_dict())


def test_until_when_it_is_held_is_told_and_written_down() -> None:
    found = change("<!-- compose-repo: announced 1 satisfied -->", Verdict.SATISFIED, HELD)
    assert found is not None
    announce, edit = plan_announced(LINE, [Note(id=3, author_id=2, body="Words")], found)
    assert announce.sentence == "tell the bus that CentOS-Stream-10-20261120.0 is satisfied, held until 2026-12-05"
    assert edit == EditNote(iid=7, note_id=3, body=f"Words\n{HELD_MARK}")


@pytest.mark.parametrize(
    "body", ["", "announced 1 pending", "<!-- compose-repo: announced 1 happy -->", "<!-- announced 1 pending -->"]
)
def test_other_words_tell_nothing(body: str) -> None:
    assert announced_in(body) is None


def test_our_line_is_the_last_one() -> None:
    assert announced_in(f"{FIRST}\nquoted\n<!-- compose-repo: announced 9 blocked -->") == Announced(9, Verdict.BLOCKED)


@given(
    body=st.text(max_size=30),
    told=st.lists(
        st.builds(
            Announced,
            st.integers(0, 10**9 - 1),
            st.sampled_from(Verdict),
            st.none() | st.dates(min_value=dt.date(1000, 1, 1)).map(str),
        ),
        min_size=1,
    ),
)
def test_what_is_marked_is_read_back_and_marking_again_changes_nothing(body: str, told: list[Announced]) -> None:
    text = body
    for one in told:
        text = marked(text, one)
    assert announced_in(text) == told[-1]
    assert marked(text, told[-1]) == text
    assert announced_in(marked(text, None)) is None
