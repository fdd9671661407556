"""What a pass has come to: one line for people, one document for programs."""

import datetime as dt
import json
from typing import get_args

import pytest
from msgspec.structs import replace
from strategies import schema
from test_merge_requests import line
from test_schemas import valid
from test_sync_plan import A, B, problem

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Action, CloseMergeRequest
from compose_repo.core.names import Stream
from compose_repo.core.rules.policy import Mode
from compose_repo.core.streams.sync import Do, Step, Why
from compose_repo.core.streams.sync_report import Outcome, Row, StreamReport, SyncReport
from compose_repo.core.verdict.decision import Hold, Verdict

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def row(do: Do = Do.JUDGE, outcome: Outcome = Outcome.UNCHANGED, verdict: Verdict | None = None) -> Row:
    return Row(step=Step(do=do, compose_id=A, why=Why.IS_OPEN), outcome=outcome, verdict=verdict)


def report(*rows: Row, **more: object) -> SyncReport:
    stream = StreamReport(stream=Stream("CentOS-Stream-10"), mode=Mode.MIRROR, on_server=2, carried=B, rows=rows)
    return SyncReport(streams=(stream,), **more)  # type: ignore[arg-type]  # of a test's own


def test_a_pass_with_nothing_to_do_says_so() -> None:
    assert report().summary == "nothing to do"


def test_the_summary_counts_what_was_done_and_what_the_gate_says() -> None:
    rows = [
        row(Do.OPEN, Outcome.CHANGED),
        row(Do.MERGE, Outcome.CHANGED),
        row(Do.CLOSE, Outcome.CHANGED),
        row(Do.JUDGE, Outcome.CHANGED, Verdict.SATISFIED),
        row(Do.JUDGE, Outcome.UNCHANGED, Verdict.PENDING),
        row(Do.LEAVE, Outcome.LEFT),
        row(Do.JUDGE, Outcome.FAILED),
    ]
    assert report(*rows).summary == (
        "1 opened, 1 merged, 1 cleared up, 1 brought up to date, 1 unchanged, 1 left for a later run, 1 failed, "
        "1 satisfied, 1 pending"
    )


def test_what_is_blocked_or_left_is_no_failure() -> None:
    assert not report(row(verdict=Verdict.BLOCKED), row(Do.LEAVE, Outcome.LEFT)).failed


@pytest.mark.parametrize(
    "failed",
    [
        report(row(outcome=Outcome.FAILED)),
        SyncReport(streams=(StreamReport(stream=Stream("CentOS-Stream-9"), problems=(problem(),)),)),
        SyncReport(streams=(), problems=(problem(),)),
    ],
)
def test_whatever_has_failed_is_told(failed: SyncReport) -> None:
    assert failed.failed
    assert failed.summary == "1 failed"
    assert valid("sync")(json.loads(json.dumps(failed.to_dict())))


def test_a_hold_is_in_the_row_and_counted() -> None:
    hold = Hold(reason="It eats discs.", issue="https://i.example.org/1", by="jdoe", until=dt.date(2026, 12, 5))
    found = report(replace(row(verdict=Verdict.SATISFIED), held=hold), row(verdict=Verdict.BLOCKED))
    assert found.summary == "2 unchanged, 1 satisfied, 1 blocked, 1 held"
    document = json.loads(json.dumps(found.to_dict()))
    assert valid("sync")(document)
    rows = document["streams"][0]["composes"]
    assert [one["held"] for one in rows] == [hold.to_dict(), None]


def test_the_document_keeps_to_its_schema() -> None:
    full = Row(
        step=Step(do=Do.JUDGE, compose_id=A, why=Why.IS_OPEN),
        outcome=Outcome.CHANGED,
        actions=(CloseMergeRequest(iid=7),),
        problems=(problem(),),
        merge_request=line(7),
        verdict=Verdict.PENDING,
        summary="Of 2 required, 2 missing",
        vanished=True,
    )
    document = json.loads(json.dumps(report(full, row(), only=ComposeId.parse(str(A)), dry_run=True).to_dict()))
    assert valid("sync")(document)
    assert document["streams"][0]["composes"][0]["actions"] == [{"action": "CloseMergeRequest", "sentence": "close !7"}]


def test_the_schema_lists_the_words_of_the_model() -> None:
    defined = schema("sync")["$defs"]
    step = defined["step"]["properties"]
    assert step["step"]["enum"] == list(Do)
    assert step["why"]["enum"] == list(Why)
    assert step["outcome"]["enum"] == list(Outcome)
    kinds = {one.__name__ for one in get_args(Action)}
    assert set(defined["action"]["properties"]["action"]["enum"]) == kinds
