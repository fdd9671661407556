"""A step of a pass that fails, whatever the reason, is a row of the report and stops nothing else."""

from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from test_plan import GATE
from test_sync_plan import A, B

from compose_repo.core.forge.action import Action, Plan
from compose_repo.core.forge.forge import ForgeError, MergeRequestState, StaleHead
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.core.streams.sync import Do, Step, Why
from compose_repo.core.streams.sync_report import Outcome, Row
from compose_repo.passes.failures import problems_of
from compose_repo.passes.stream import StreamPass
from compose_repo.passes.tools import Tools
from compose_repo.ports.console import Console
from compose_repo.ports.git.repository import GitError
from compose_repo.ports.http import Http, Limits
from skipping_clock import SkippingClock

PROBLEM = Problem(path="x", code=Code.NOT_JSON, message="it is none", fix="fix it")


def stream_pass() -> StreamPass:
    """Give a pass whose session can do nothing at all, which is our own mistake."""
    work: Any = SimpleNamespace(dry_run=False, as_json=True, writer=SimpleNamespace(applied=[]), console=Console())
    http = Http(Limits(), clock=SkippingClock())
    return StreamPass(Tools(work=cast("Any", work), opener=None, http=http, index_http=http), A.stream, None)


def test_our_own_mistake_with_one_compose_is_told_and_the_next_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    one = stream_pass()
    for compose_id in (A, B):
        one._do(Step(do=Do.JUDGE, compose_id=compose_id, why=Why.IS_OPEN))
    one._do(Step(do=Do.LEAVE, compose_id=B, why=Why.LIMIT))
    rows = one.report().rows
    assert [row.outcome for row in rows] == [Outcome.FAILED, Outcome.FAILED, Outcome.LEFT]
    assert [problem.code for row in rows for problem in row.problems] == ["internal-error"] * 4
    assert capsys.readouterr().err.count("this is a bug") == 4


class Mistaken(SimpleNamespace):
    """A session that cannot judge, because of a mistake of ours; what is done to GitLab it notes, or raises `refusal`.

    The compose's merge request is approved by us.
    """

    dry_run, as_json = False, True

    def __init__(self, *, refusal: Exception | None = None, **more: object) -> None:
        line = SimpleNamespace(iid=7, state=MergeRequestState.OPENED)
        forge = SimpleNamespace(
            merge_requests=lambda *, source_branch: [line] if source_branch == A.branch else [],
            approved_by=lambda _: frozenset({GATE.id}),
            me=lambda: GATE,
        )
        world = SimpleNamespace(forge=forge, named=mistaken, anew=lambda: None)
        super().__init__(writer=Writer(refusal), console=Console(), world=world, **more)


def mistaken(_: object) -> None:
    raise TypeError("unhashable type: 'list'")


class Writer:
    """Remembers what it is told to write, or raises `refusal`."""

    def __init__(self, refusal: Exception | None) -> None:
        self.applied: list[Action] = []
        self.refusal = refusal

    def apply(self, plan: Plan, _: object) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.applied += plan


def judged_by(work: Mistaken, do: Do = Do.JUDGE) -> Row:
    tools = Tools(
        work=cast("Any", work),
        opener=None,
        http=Http(Limits(), clock=SkippingClock()),
        index_http=Http(Limits(), clock=SkippingClock()),
    )
    one = StreamPass(tools, A.stream, None)
    one._do(Step(do=do, compose_id=A, why=Why.IS_OPEN))
    (row,) = one.report().rows
    return row


def test_what_our_own_mistake_keeps_from_being_judged_loses_our_approval() -> None:
    row = judged_by(Mistaken())
    assert (row.outcome, row.verdict, [problem.code for problem in row.problems]) == (
        Outcome.FAILED,
        None,
        ["internal-error"],
    )
    assert [action.sentence for action in row.actions] == [
        "withdraw approval of !7: it cannot be judged: internal-error"
    ]


def test_a_dry_run_says_that_the_approval_would_be_withdrawn(capsys: pytest.CaptureFixture[str]) -> None:
    work = Mistaken(dry_run=True)
    judged_by(work)
    assert (work.writer.applied, "withdraw approval of !7" in capsys.readouterr().err) == ([], True)


def test_a_mistake_in_another_step_than_judging_takes_back_nothing() -> None:
    row = judged_by(Mistaken(), Do.MERGE)
    assert (row.outcome, row.actions) == (Outcome.FAILED, ())


@pytest.mark.parametrize(
    ("refusal", "code"), [(ForgeError("503"), "gitlab-failed"), (ValueError("one more mistake"), "internal-error")]
)
def test_a_withdrawal_that_fails_is_told_as_well_and_stops_nothing(
    refusal: Exception, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = judged_by(Mistaken(refusal=refusal))
    assert [problem.code for problem in row.problems] == ["internal-error", code]
    assert (row.actions, str(refusal) in capsys.readouterr().err) == ((), True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError(PROBLEM), "not-json"),
        (StaleHead("it moves"), "head-moving"),
        (ForgeError("it refuses"), "gitlab-failed"),
        (GitError("it fails"), "git-failed"),
        (UsageError("it is gated"), "not-done"),
        (OSError(28, "No space left on device"), "not-done"),
    ],
)
def test_whatever_goes_wrong_has_a_code(error: Exception, code: str) -> None:
    assert [problem.code for problem in problems_of(error, "composes/x")] == [code]


def test_a_stream_whose_merge_requests_cannot_be_read_is_told_and_stops_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse() -> None:
        raise ForgeError("HTTP 500")

    work: Any = SimpleNamespace(
        dry_run=False,
        as_json=True,
        writer=SimpleNamespace(applied=[]),
        console=Console(),
        world=SimpleNamespace(open_merge_requests=refuse),
    )
    http = Http(Limits(), clock=SkippingClock())
    one = StreamPass(Tools(work=cast("Any", work), opener=None, http=http, index_http=http), A.stream, None)
    one.judge()
    assert [problem.code for problem in one.report().problems] == ["gitlab-failed"]
    assert "HTTP 500" in capsys.readouterr().err


def test_our_own_mistake_with_one_stream_is_told_and_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    work: Any = SimpleNamespace(
        dry_run=False,
        as_json=True,
        writer=SimpleNamespace(applied=[]),
        console=console,
        world=SimpleNamespace(open_merge_requests=partial(mistaken, None)),
    )
    http = Http(Limits(), clock=SkippingClock())
    one = StreamPass(Tools(work=work, opener=None, http=http, index_http=http), A.stream, None)
    one.judge()
    assert [(problem.path, problem.code) for problem in one.report().problems] == [(A.stream, "internal-error")]
    assert "TypeError: unhashable type" in capsys.readouterr().err
