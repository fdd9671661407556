"""A pass of too few tests is no pass: what usually runs, and what is concluded from it."""

from collections.abc import Sequence

import pytest
from gate_world import judge, only, past, requirement, result, run
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.result import Counts, Outcome, ResultFile, Tried
from compose_repo.core.verdict.decision import Answer, State

LINE = requirement(complete=75)


def ran(number: int | None, outcome: str = "passed", at: float = 0, run_id: str = "1") -> ResultFile:
    """Report that so many tests ran; None does not say it."""
    return run(result(outcome, counts=None if number is None else Counts(run=number)), at=at, run_id=run_id)


def answer(now: ResultFile | Sequence[ResultFile], *usual: int | None, outcome: str = "passed") -> Answer:
    """Judge a report by the published composes in which so many tests ran, the newest first."""
    files = [now] if isinstance(now, ResultFile) else now
    return only(judge(files, LINE, published=past(*([ran(number, outcome)] for number in usual))))


@pytest.mark.parametrize(("number", "state"), [(600, State.PASSED), (599, State.ERRORED), (0, State.ERRORED)])
def test_a_pass_of_fewer_tests_than_their_share_is_an_error(number: int, state: State) -> None:
    assert answer(ran(number), 800, 800, 800).state is state


def test_the_reason_has_both_numbers() -> None:
    found = answer(ran(212), 800, 801, 790, 802)
    assert found.reason == "infrastructure error: passed, but only 212 tests ran, under 75% of the usual 800.5"


def test_what_usual_is_made_of_is_told() -> None:
    found = answer(ran(900), 800, 801, None, 790)
    assert found.usual is not None
    assert found.usual.to_dict() == {
        "median": 800,
        "composes": [
            {"compose_id": "CentOS-Stream-10-20261031.0", "run": 800},
            {"compose_id": "CentOS-Stream-10-20261030.0", "run": 801},
            {"compose_id": "CentOS-Stream-10-20261028.0", "run": 790},
        ],
    }


def test_usual_is_made_of_the_ten_newest() -> None:
    found = answer(ran(100), *[100] * 10, *[9000] * 10)
    assert (found.state, found.usual is not None and len(found.usual.composes)) == (State.PASSED, 10)


@pytest.mark.parametrize("usual", [(), (800, 800), (800, None, 800, None)])
def test_of_under_three_nothing_is_concluded(usual: tuple[int | None, ...]) -> None:
    found = answer(ran(1), *usual)
    assert (found.state, found.usual) == (State.PASSED, None)


@pytest.mark.parametrize("usual", [(), (800, 800, 800)])
def test_a_pass_that_does_not_say_how_many_ran_is_an_error(usual: tuple[int, ...]) -> None:
    found = answer(ran(None), *usual)
    assert (found.state, found.reason) == (
        State.ERRORED,
        "infrastructure error: passed, but it does not say how many tests ran",
    )


def test_nothing_is_asked_where_the_policy_does_not() -> None:
    found = only(judge([ran(1)], requirement(), published=past(*[[ran(800)]] * 3)))
    assert (found.state, found.usual) == (State.PASSED, None)


@pytest.mark.parametrize("number", [1, None])
def test_an_incomplete_failure_stays_one(number: int | None) -> None:
    assert answer(ran(number, "failed"), 800, 800, 800).state is State.FAILED


def test_an_incomplete_pass_replaces_no_failure_and_no_pass() -> None:
    short = ran(1, run_id="2")
    assert answer([ran(800, "failed", at=1), short], 800, 800, 800).state is State.FAILED
    assert answer([ran(800, at=1), short], 800, 800, 800).run_id == "1"


def test_an_earlier_pass_in_one_run_does_not_say_how_many_ran() -> None:
    file = run(result("skipped", attempts=(Tried(outcome=Outcome.PASSED),), counts=Counts(run=800)))
    assert answer(file, 800, 800, 800).state is State.ERRORED


def test_usual_is_what_ran_in_the_attempt_that_counted_in_composes_that_came_to_something() -> None:
    published = past(
        [ran(800), ran(10, at=3, run_id="0")],
        [ran(5, "error")],
        [ran(700, "failed")],
        [ran(600)],
    )
    found = only(judge([ran(500)], LINE, published=published))
    assert found.usual is not None
    assert [row["run"] for row in found.usual.to_dict()["composes"]] == [800, 700, 600]


def test_a_baseline_is_not_asked_for_where_only_completeness_is() -> None:
    found = answer(ran(800, "failed"), 800, 800, 800, outcome="failed")
    assert (found.state, found.reason) == (State.FAILED, "")


def test_with_a_baseline_it_is_compared_too() -> None:
    line = requirement(complete=75, baseline="published")
    published = past(*[[ran(800, "failed")]] * 3)
    assert only(judge([ran(800, "failed")], line, published=published)).state is State.KNOWN
    assert only(judge([ran(1)], line, published=published)).state is State.ERRORED


RANK = {State.PASSED: 2, State.ERRORED: 1, State.FAILED: 0}


@given(
    st.sampled_from([Outcome.PASSED, Outcome.INFO, Outcome.FAILED, Outcome.NEEDS_INSPECTION]),
    st.none() | st.integers(0, 1000),
    st.lists(st.none() | st.integers(0, 1000), max_size=12),
)
def test_incomplete_is_never_better_than_complete(
    outcome: Outcome, number: int | None, usual: list[int | None]
) -> None:
    """Law: an incomplete failure is never better than a complete one; and no pass of fewer tests than one of more."""
    states = [answer(ran(count, outcome), *usual).state for count in (number, 1000)]
    assert RANK[states[0]] <= RANK[states[1]]
