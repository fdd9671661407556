"""What of a pass keeps a message from being acknowledged."""

import pytest

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.names import Stream
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.streams.sync import Do, Step, Why
from compose_repo.core.streams.sync_report import Outcome, Row, StreamReport, SyncReport
from compose_repo.passes.listening import _must_have_worked

ID = ComposeId.parse("CentOS-Stream-10-20261120.0")
PROBLEM = Problem(path="x", code=Code.PROMOTION_UNKNOWN, message="nobody knows", fix="look")


def report(do: Do, why: Why, *, beside: tuple[Problem, ...] = ()) -> SyncReport:
    step = Step(do=do, compose_id=ID, why=why, problems=(PROBLEM,))
    row = Row(step=step, outcome=Outcome.FAILED, problems=(PROBLEM,))
    return SyncReport(streams=(StreamReport(stream=Stream("CentOS-Stream-10"), rows=(row,)),), problems=beside)


def test_a_step_that_has_failed_keeps_the_message() -> None:
    with pytest.raises(InputError):
        _must_have_worked(report(Do.JUDGE, Why.IS_OPEN), with_stream=False)


@pytest.mark.parametrize(
    ("do", "why"),
    [(Do.PROMOTE, Why.TURNED), (Do.RETRACT, Why.TURNED_BACK), (Do.LEAVE, Why.UNPROMOTED)],
)
def test_a_promotion_or_a_jenkins_that_waits_for_somebody_keeps_no_message(do: Do, why: Why) -> None:
    told = report(do, why, beside=(PROBLEM,))
    assert told.failed
    _must_have_worked(told, with_stream=True)
