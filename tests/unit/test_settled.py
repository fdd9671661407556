"""When what stands below a merge request is enough to know that nothing is to be written."""

import datetime as dt

import pytest
from msgspec.structs import replace
from test_plan import GATE, ID, NOTE, OTHER, approving, judged, merge_request

from compose_repo.core.forge.forge import Note, Thread
from compose_repo.core.plan.labels import USUAL
from compose_repo.core.plan.plan import is_settled
from compose_repo.core.verdict.decision import Verdict

PUSHED = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LATER, BEFORE = PUSHED + dt.timedelta(minutes=1), PUSHED - dt.timedelta(minutes=1)
OURS = Note(id=10, author_id=GATE.id, body=NOTE, edited_at=LATER)
APPROVED = Note(id=11, author_id=GATE.id, body="approved this merge request", edited_at=LATER)
WITHDRAWN = Note(id=12, author_id=GATE.id, body="unapproved this merge request", edited_at=LATER)


def settled(  # what it rests on
    verdict: Verdict = Verdict.PENDING,
    *told: Note,
    notes: tuple[Note, ...] = (OURS,),
    labels: tuple[str, ...] = (),
    pushed_at: dt.datetime | None = PUSHED,
    vanished: bool | None = None,
) -> bool:
    return is_settled(
        ID,
        merge_request=merge_request(labels=("stream::CentOS-Stream-10", f"gate::{verdict}", *labels)),
        judged=judged(verdict),
        me=GATE,
        thread=Thread(notes=notes, told=told),
        pushed_at=pushed_at,
        vanished=vanished,
        names=USUAL,
    )


@pytest.mark.parametrize("verdict", [Verdict.PENDING, Verdict.BLOCKED])
def test_what_is_not_satisfied_is_settled_by_our_note(verdict: Verdict) -> None:
    assert settled(verdict)
    assert settled(verdict, APPROVED, WITHDRAWN)


def test_what_is_satisfied_is_settled_by_our_note_and_our_approval() -> None:
    assert settled(Verdict.SATISFIED, APPROVED)
    assert settled(Verdict.SATISFIED, WITHDRAWN, replace(APPROVED, id=13))


@pytest.mark.parametrize(
    "told",
    [
        (),
        (APPROVED, WITHDRAWN),
        (replace(APPROVED, edited_at=BEFORE),),
        (replace(APPROVED, author_id=OTHER.id),),
        (APPROVED, replace(APPROVED, id=12, author_id=OTHER.id, body="reset approvals from @gate-bot")),
    ],
)
def test_an_approval_that_is_not_plain_to_see_is_asked_for(told: tuple[Note, ...]) -> None:
    assert not settled(Verdict.SATISFIED, *told)


def test_an_approval_that_came_after_our_note_is_asked_for() -> None:
    assert not settled(Verdict.PENDING, WITHDRAWN, replace(APPROVED, id=13))


def test_the_approval_of_somebody_else_does_not_unsettle_what_is_pending() -> None:
    assert settled(Verdict.PENDING, replace(APPROVED, author_id=OTHER.id))


@pytest.mark.parametrize(
    "notes",
    [
        (),
        (replace(OURS, author_id=OTHER.id),),
        (replace(OURS, body=f"{NOTE} and more"),),
        (replace(OURS, edited_at=BEFORE),),
        (replace(OURS, edited_at=None),),
        (OURS, replace(OURS, id=11)),
    ],
)
def test_a_note_that_is_missing_old_doubled_or_another_settles_nothing(notes: tuple[Note, ...]) -> None:
    assert not settled(notes=notes)


def test_nothing_is_settled_where_nobody_knows_when_it_was_pushed() -> None:
    assert not settled(pushed_at=None)


def test_labels_have_to_be_right() -> None:
    assert not settled(labels=("gate::blocked",))
    assert settled(labels=("mine",))


def test_the_label_of_what_has_vanished_comes_and_goes() -> None:
    assert not settled(vanished=True)
    assert settled(vanished=True, labels=("compose::vanished",))
    assert not settled(vanished=False, labels=("compose::vanished",))
    assert settled(vanished=None, labels=("compose::vanished",))


@pytest.mark.parametrize(
    ("vanished", "labels", "sentence"),
    [
        (True, ("mine",), "give !7 label compose::vanished"),
        (False, ("compose::vanished", "mine"), "give !7 no label compose::vanished"),
    ],
)
def test_approving_writes_the_label_of_what_has_vanished(
    *, vanished: bool, labels: tuple[str, ...], sentence: str
) -> None:
    found = merge_request(labels=("stream::CentOS-Stream-10", "gate::pending", *labels))
    plan = approving(Verdict.PENDING, found=found, vanished=vanished)
    assert sentence in [action.sentence for action in plan]
