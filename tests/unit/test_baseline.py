"""What was published, and what it says of a result of today: the table of the baseline, cell by cell."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from gate_world import (
    ARM,
    BASEOS,
    DIGEST,
    NOW,
    PUBLISHED,
    TWO_ARCHES,
    X86,
    attempts,
    baseline,
    judge,
    manifest,
    only,
    past,
    publications,
    requirement,
    result,
    run,
    states,
    waiver,
)

from compose_repo.core.names import Scenario, Stream
from compose_repo.core.result import Outcome
from compose_repo.core.rules.policy import Attempts, Policy
from compose_repo.core.verdict.baseline import Published
from compose_repo.core.verdict.decision import State, Verdict
from compose_repo.core.verdict.gate import decide

DAY = dt.timedelta(hours=24)


def test_without_a_published_compose_everything_blocks() -> None:
    answer = only(judge([run(result("failed"))], requirement(baseline="published")))
    assert (answer.state, answer.reason) == (State.FAILED, "no history")


def test_without_baseline_the_published_compose_does_not_matter() -> None:
    assert only(judge([run(result("failed"))], published=baseline(run(result("failed"))))).state is State.FAILED


# What each published compose says of the cell, newest first; what is said of it now; what that comes to, and why.
NEWEST, MIDDLE, OLDEST = (f"CentOS-Stream-10-202610{day}.0" for day in (31, 30, 29))
BASELINE_TABLE = [
    ("passed", ["passed"], State.PASSED, ""),
    ("passed", ["failed", "failed", "passed"], State.PASSED, f"fixed: failed since {MIDDLE}"),
    ("passed", ["failed", "failed"], State.PASSED, f"first pass since {MIDDLE}"),
    ("passed", [], State.PASSED, ""),
    ("failed", ["passed", "failed"], State.FAILED, f"regression: passed in {NEWEST}"),
    ("failed", ["failed", "failed", "passed"], State.FAILED, f"regression since {MIDDLE}, published while failing"),
    ("failed", ["failed", "failed", "failed"], State.KNOWN, f"failing since {OLDEST}"),
    ("failed", [], State.FAILED, "no history"),
    ("failed", ["error"], State.FAILED, "no history"),
    ("failed", ["error", "passed"], State.FAILED, f"regression: passed in {MIDDLE}"),
    ("failed", ["running", "skipped", "failed"], State.KNOWN, f"failing since {OLDEST}"),
    ("needs_inspection", ["failed"], State.KNOWN, f"needs_inspection is not accepted; failing since {NEWEST}"),
    ("error", ["failed"], State.ERRORED, "infrastructure error: no reason given"),
    ("running", ["failed"], State.RUNNING, "running"),
    (None, ["passed"], State.OVERDUE, "nothing reported; due within 1d"),
    (None, ["failed", "passed"], State.OVERDUE, "nothing reported; due within 1d"),
    (None, ["failed", "failed"], State.MISSING, f"nothing reported; due within 1d; failing since {MIDDLE}"),
    (None, ["error"], State.OVERDUE, "nothing reported; due within 1d"),
]


@pytest.mark.parametrize(("now", "before", "state", "reason"), BASELINE_TABLE)
def test_the_table_of_the_baseline(now: str | None, before: list[str], state: State, reason: str) -> None:
    line = requirement(baseline="published", deadline=DAY)
    files = [] if now is None else [run(result(now))]
    published = past(*([run(result(outcome))] for outcome in before))
    answer = only(judge(files, line, published=published, age=25))
    assert (answer.state, answer.reason) == (state, reason)


@pytest.mark.parametrize("before", [["passed"], ["failed"], []])
def test_silence_in_time_is_missing_whatever_was_published(before: list[str]) -> None:
    line = requirement(baseline="published", deadline=DAY)
    answer = only(judge([], line, published=past(*([run(result(outcome))] for outcome in before)), age=23))
    assert (answer.state, answer.reason) == (State.MISSING, "nothing reported")


@pytest.mark.parametrize(("memory", "state"), [(2, State.KNOWN), (3, State.FAILED)])
def test_a_pass_is_forgotten_after_as_many_failures_as_are_remembered(memory: int, state: State) -> None:
    line = requirement(baseline="published", memory=memory)
    published = past(*([run(result(outcome))] for outcome in ("failed", "error", "failed", "running", "passed")))
    assert only(judge([run(result("failed"))], line, published=published)).state is state


def test_a_compose_that_nobody_needs_to_look_at_is_not_fetched() -> None:
    line = requirement(baseline="published")
    policy = Policy(requirements=(line,))

    def published() -> Iterator[Published]:
        yield from publications(baseline(run(result("passed"))), policy)
        raise AssertionError("looked behind the newest pass")

    decision = decide(
        manifest=manifest(),
        manifest_sha256=DIGEST,
        policy=policy,
        policy_sha256=DIGEST,
        files=[run(result("failed"))],
        published=published(),
        opened_at=None,
        now=NOW,
    )
    assert only(decision).state is State.FAILED


def test_a_requirement_that_names_the_stream_is_compared_among_others_that_do_not() -> None:
    lines = (
        requirement(streams=(Stream("CentOS-Stream-9"),), baseline="published"),
        requirement(testcase="other", baseline="published"),
        requirement(streams=(Stream("CentOS-Stream-10"),), baseline="published"),
    )
    files = [run(result("failed"), result("failed", testcase="other"))]
    published = baseline(run(result("failed"), result("passed", testcase="other")))
    assert states(judge(files, *lines, published=published)) == [
        "rdo other on x86_64: failed",
        "rdo smoke on x86_64: known",
    ]


def test_a_place_is_remembered_no_longer_than_a_cell() -> None:
    line = requirement(baseline="published", memory=1)
    published = past([run(result("failed", variant="AppStream"))], [run(result("passed", variant="AppStream"))])
    assert only(judge([run(result("failed", variant="BaseOS"))], line, published=published)).state is State.KNOWN


def test_a_listed_scenario_is_not_measured_by_another() -> None:
    line = requirement(baseline="published", scenarios=(Scenario("uefi"),))
    published = baseline(
        run(result("failed", scenario="bios", variant="AppStream"), result("passed", scenario="uefi", variant="BaseOS"))
    )
    answer = only(judge([run(result("failed", scenario="uefi", variant="AppStream"))], line, published=published))
    assert (answer.state, answer.reason) == (State.FAILED, f"regression: passed in {PUBLISHED}")


def test_three_requirements_are_compared_each_with_its_own_past() -> None:
    lines = [requirement(testcase=name, baseline="published") for name in ("a", "b", "c")]
    files = [run(*(result("failed", testcase=name) for name in ("a", "b", "c")))]
    published = baseline(
        run(result("failed", testcase="a"), result("passed", testcase="b"), result("failed", testcase="c"))
    )
    assert states(judge(files, *lines, published=published)) == [
        "rdo a on x86_64: known",
        "rdo b on x86_64: failed",
        "rdo c on x86_64: known",
    ]


def test_a_new_variant_is_not_measured_by_another_arch() -> None:
    line = requirement(baseline="published")
    published = baseline(run(result("failed", ARM), result("passed", X86, "AppStream")))
    assert only(judge([run(result("failed", X86, "BaseOS"))], line, published=published)).state is State.FAILED


def test_of_several_cells_that_would_be_known_one_is_named_whatever_they_name() -> None:
    line = requirement(baseline="published", deadline=DAY)
    published = past(
        [run(result("failed", scenario="bios"), result("failed", variant="BaseOS"), result("failed", ARM))],
        [run(result("passed", variant="AppStream"))],
    )
    answer = only(judge([], line, published=published, age=25))
    assert (answer.state, answer.reason) == (State.MISSING, f"nothing reported; due within 1d; failing since {NEWEST}")


def test_each_cell_is_compared_with_its_own_past() -> None:
    line = requirement(baseline="published")
    before = run(result("failed", variant="BaseOS"), result("passed", variant="AppStream"))
    files = [run(result("failed", variant="BaseOS"), result("failed", variant="AppStream"))]
    assert states(judge(files, line, published=baseline(before))) == [
        "rdo smoke on x86_64 AppStream: failed",
        "rdo smoke on x86_64 BaseOS: known",
    ]


@pytest.mark.parametrize(
    ("before", "state"), [("passed", State.FAILED), ("failed", State.KNOWN), ("error", State.FAILED)]
)
def test_a_new_variant_is_measured_by_all_that_was_reported_in_its_place(before: str, state: State) -> None:
    line = requirement(baseline="published")
    published = baseline(run(result("passed", variant="AppStream"), result(before)))
    answer = only(judge([run(result("failed", variant="BaseOS"))], line, published=published))
    assert answer.state is state


def test_a_variant_that_was_reported_without_a_conclusion_has_no_history() -> None:
    line = requirement(baseline="published")
    published = baseline(run(result("failed", variant="AppStream"), result("error", variant="BaseOS")))
    answer = only(judge([run(result("failed", variant="BaseOS"))], line, published=published))
    assert (answer.state, answer.reason) == (State.FAILED, "no history")


def test_every_new_variant_is_measured_by_the_same_past() -> None:
    line = requirement(baseline="published")
    files = [run(result("failed", variant="BaseOS"), result("failed", variant="AppStream"))]
    assert states(judge(files, line, published=baseline(run(result("passed"))))) == [
        "rdo smoke on x86_64 AppStream: failed",
        "rdo smoke on x86_64 BaseOS: failed",
    ]


def test_silence_is_not_overdue_where_a_failure_in_its_place_would_be_known() -> None:
    line = requirement(baseline="published", deadline=DAY)
    published = past(
        [run(result("failed", variant="BaseOS"))],
        [run(result("failed", variant="BaseOS"))],
        [run(result("passed", variant="AppStream"))],
    )
    answer = only(judge([], line, published=published, age=25))
    assert (answer.state, answer.reason) == (
        State.MISSING,
        f"nothing reported; due within 1d; failing since {MIDDLE}",
    )


@pytest.mark.parametrize(("before", "state"), [("failed", State.MISSING), ("passed", State.OVERDUE)])
def test_silence_on_a_cell_that_is_listed_whole_is_measured_by_that_cell(before: str, state: State) -> None:
    line = requirement(baseline="published", deadline=DAY, variants=(BASEOS,), scenarios=(Scenario("bios"),))
    published = past(
        [run(result("passed", scenario="uefi", variant="BaseOS"))],
        [run(result(before, scenario="bios", variant="BaseOS"))],
    )
    assert only(judge([], line, published=published, age=25)).state is state


def test_a_report_that_names_no_variant_does_not_stand_for_the_silence_of_all() -> None:
    line = requirement(baseline="published", deadline=DAY)
    published = past([run(result("error"), result("failed", variant="BaseOS"))])
    answer = only(judge([], line, published=published, age=25))
    assert (answer.state, answer.reason) == (State.MISSING, f"nothing reported; due within 1d; failing since {NEWEST}")


def test_silence_is_overdue_where_any_failure_in_its_place_would_block() -> None:
    line = requirement(baseline="published", deadline=DAY)
    published = past(
        [run(result("failed", variant="BaseOS"), result("failed", ARM))], [run(result("passed", variant="BaseOS"))]
    )
    answer = only(judge([], line, published=published, age=25))
    assert answer.state is State.OVERDUE


def test_the_past_of_another_arch_does_not_matter() -> None:
    line = requirement(baseline="published")
    published = baseline(run(result("passed", ARM), result("failed", X86)))
    files = [run(result("failed", ARM), result("failed", X86))]
    assert states(judge(files, line, published=published, variants=TWO_ARCHES)) == [
        "rdo smoke on aarch64: failed",
        "rdo smoke on x86_64: known",
    ]


@pytest.mark.parametrize(
    ("fields", "before", "state"),
    [
        ({"accept": frozenset({Outcome.PASSED})}, ["info"], State.KNOWN),
        ({}, ["info"], State.FAILED),
        ({"accept": frozenset({Outcome.PASSED, Outcome.SKIPPED})}, ["skipped"], State.FAILED),
        ({"attempts": Attempts.WORST}, ["failed", "passed"], State.KNOWN),
        ({}, ["failed", "passed"], State.FAILED),
        ({}, ["error", "passed"], State.FAILED),
        ({}, ["error", "running"], State.FAILED),
    ],
)
def test_the_past_is_judged_by_the_requirements_own_words(
    fields: dict[str, Any], before: list[str], state: State
) -> None:
    answer = only(
        judge(
            [run(result("failed"))], requirement(baseline="published", **fields), published=baseline(*attempts(*before))
        )
    )
    assert answer.state is state


def test_a_waiver_covers_what_is_a_regression() -> None:
    line = requirement(baseline="published")
    published = baseline(run(result("passed")))
    answer = only(judge([run(result("failed"))], line, published=published, waivers=[waiver()]))
    assert (answer.state, answer.reason) == (State.WAIVED, "failed; waived: known bug")


def test_a_waiver_covers_what_is_known() -> None:
    line = requirement(baseline="published")
    answer = only(judge([run(result("failed"))], line, published=baseline(run(result("failed"))), waivers=[waiver()]))
    assert (answer.state, answer.reason) == (State.WAIVED, "known; waived: known bug")


def test_what_is_known_neither_blocks_nor_waits() -> None:
    decision = judge(
        [run(result("failed"))], requirement(baseline="published"), published=baseline(run(result("failed")))
    )
    assert (decision.verdict, decision.summary) == (Verdict.SATISFIED, "Of 1 required, 0 passed, 1 known")
