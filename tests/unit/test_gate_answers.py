"""What becomes of one requirement: cells, attempts, deadlines, waivers."""

import datetime as dt
import itertools
import time
from typing import Any

import pytest
from gate_world import (
    APPSTREAM,
    ARM,
    BASEOS,
    PUBLISHED,
    TWO_ARCHES,
    X86,
    attempts,
    baseline,
    judge,
    only,
    problem,
    requirement,
    result,
    run,
    states,
    waiver,
)
from msgspec.structs import replace

from compose_repo.core.names import Arch, Scenario, Stream
from compose_repo.core.result import Outcome, ResultFile
from compose_repo.core.rules.policy import Attempts, Requirement, Waiver
from compose_repo.core.verdict.decision import State

DAY = dt.timedelta(hours=24)


# Cells


def test_silence_on_an_arch_of_the_compose_is_missing() -> None:
    decision = judge([run(result("passed", X86))], variants=TWO_ARCHES)
    assert states(decision) == ["rdo smoke on aarch64: missing", "rdo smoke on x86_64: passed"]


def test_arches_that_are_listed_are_asked_for_one_by_one() -> None:
    decision = judge([run(result("passed", X86))], requirement(arches=(X86,)), variants=TWO_ARCHES)
    assert states(decision) == ["rdo smoke on x86_64: passed"]


def test_a_listed_arch_that_the_compose_has_not_is_missing() -> None:
    decision = judge([run(result("passed", X86))], requirement(arches=(X86, ARM)))
    assert states(decision) == ["rdo smoke on aarch64: missing", "rdo smoke on x86_64: passed"]


def test_one_report_is_enough_for_any_arch() -> None:
    decision = judge([run(result("passed", X86))], requirement(arches="any"), variants=TWO_ARCHES)
    assert states(decision) == ["rdo smoke on x86_64: passed"]


def test_every_report_counts_for_any_arch() -> None:
    files = [run(result("passed", X86), result("failed", ARM))]
    decision = judge(files, requirement(arches="any"), variants=TWO_ARCHES)
    assert states(decision) == ["rdo smoke on aarch64: failed", "rdo smoke on x86_64: passed"]


def test_no_report_is_missing_for_any_arch() -> None:
    assert states(judge([], requirement(arches="any"), variants=TWO_ARCHES)) == ["rdo smoke: missing"]


@pytest.mark.parametrize(
    ("asked", "files", "expected"),
    [
        ({}, [], ["rdo smoke: missing"]),
        ({}, [run(result("passed", X86))], ["rdo smoke: missing", "rdo smoke on x86_64: passed"]),
        ({}, [run(result("failed", X86))], ["rdo smoke: missing", "rdo smoke on x86_64: failed"]),
        (
            {"arches": (X86,), "variants": "all"},
            [run(result("passed", X86))],
            ["rdo smoke: missing", "rdo smoke on x86_64: passed"],
        ),
        (
            {"arches": (X86,), "variants": "all"},
            [],
            ["rdo smoke: missing", "rdo smoke on x86_64: missing"],
        ),
        ({"arches": "any"}, [run(result("passed", X86))], ["rdo smoke on x86_64: passed"]),
        ({"arches": (X86,)}, [run(result("passed", X86))], ["rdo smoke on x86_64: passed"]),
        ({"scenarios": ("a", "b")}, [], ["rdo smoke (a): missing", "rdo smoke (b): missing"]),
    ],
)
def test_all_of_what_is_not_known_is_never_reported(
    asked: dict[str, Any], files: list[ResultFile], expected: list[str]
) -> None:
    assert states(judge(files, requirement(**asked), unreadable=True)) == expected


def test_an_answer_says_that_the_composes_arches_are_not_known() -> None:
    decision = judge([], requirement(deadline=DAY), unreadable=True, age=25)
    answer = only(decision)
    assert (answer.state, answer.reason) == (
        State.OVERDUE,
        "which arches and variants the compose has is not known: its metadata could not be read; due within 1d",
    )


def test_every_variant_reported_counts_for_any_variant() -> None:
    files = [run(result("passed", variant="BaseOS"), result("failed", variant="AppStream"), result("passed"))]
    assert states(judge(files)) == [
        "rdo smoke on x86_64: passed",
        "rdo smoke on x86_64 AppStream: failed",
        "rdo smoke on x86_64 BaseOS: passed",
    ]


def test_all_variants_are_those_that_the_compose_has_on_each_arch() -> None:
    trees = {APPSTREAM: (ARM, X86), BASEOS: (X86,)}
    assert states(judge([], requirement(variants="all"), variants=trees)) == [
        "rdo smoke on aarch64 AppStream: missing",
        "rdo smoke on x86_64 AppStream: missing",
        "rdo smoke on x86_64 BaseOS: missing",
    ]


def test_all_variants_on_any_arch_are_those_of_the_compose() -> None:
    files = [run(result("passed", ARM, "AppStream"))]
    decision = judge(files, requirement(arches="any", variants="all"), variants=TWO_ARCHES)
    assert states(decision) == ["rdo smoke on BaseOS: missing", "rdo smoke on aarch64 AppStream: passed"]


def test_a_report_without_variant_stands_for_none_that_is_listed() -> None:
    decision = judge([run(result("passed"))], requirement(variants=(BASEOS,)))
    assert states(decision) == ["rdo smoke on x86_64 BaseOS: missing"]


def test_a_report_on_a_variant_that_is_not_listed_does_not_count() -> None:
    files = [run(result("passed", variant="BaseOS"), result("failed", variant="AppStream"))]
    assert states(judge(files, requirement(variants=(BASEOS,)))) == ["rdo smoke on x86_64 BaseOS: passed"]


def test_scenarios_that_are_listed_are_asked_for_one_by_one() -> None:
    scenarios = (Scenario("bios"), Scenario("uefi"))
    decision = judge([run(result("passed", scenario="bios"))], requirement(scenarios=scenarios))
    assert states(decision) == ["rdo smoke on x86_64 (bios): passed", "rdo smoke on x86_64 (uefi): missing"]


def test_every_scenario_reported_counts_for_any_scenario() -> None:
    files = [run(result("passed", scenario="bios"), result("failed", scenario="uefi"))]
    assert states(judge(files)) == ["rdo smoke on x86_64 (bios): passed", "rdo smoke on x86_64 (uefi): failed"]


def test_every_listed_value_is_asked_for_with_every_other() -> None:
    scenarios = (Scenario("bios"), Scenario("uefi"))
    decision = judge(
        [run(result("passed", X86, "BaseOS", "uefi"))],
        requirement(scenarios=scenarios, variants="all"),
        variants={BASEOS: (ARM, X86)},
    )
    assert states(decision) == [
        "rdo smoke on aarch64 BaseOS (bios): missing",
        "rdo smoke on x86_64 BaseOS (bios): missing",
        "rdo smoke on aarch64 BaseOS (uefi): missing",
        "rdo smoke on x86_64 BaseOS (uefi): passed",
    ]


def test_an_empty_all_still_wants_a_report() -> None:
    decision = judge([], requirement(variants="all"), variants={})
    assert states(decision) == ["rdo smoke: missing"]


def test_any_report_satisfies_an_empty_all() -> None:
    decision = judge([run(result("passed"))], requirement(variants="all"), variants={})
    assert states(decision) == ["rdo smoke on x86_64: passed"]


def test_another_origin_does_not_answer() -> None:
    assert only(judge([run(result("passed"), origin="idm")])).state is State.MISSING


def test_another_testcase_does_not_answer() -> None:
    assert only(judge([run(result("passed", testcase="full"))])).state is State.MISSING


def test_what_nobody_requires_is_no_answer() -> None:
    decision = judge([run(result("failed", testcase="full"), result("passed")), run(result("failed"), origin="idm")])
    assert states(decision) == ["rdo smoke on x86_64: passed"]


def test_two_requirements_for_one_test_are_answered_each() -> None:
    lines = (requirement(accept=frozenset({Outcome.PASSED})), requirement())
    assert [answer.state for answer in judge([run(result("info"))], *lines).answers] == [State.FAILED, State.PASSED]


def test_answers_are_sorted_by_origin_test_and_cell() -> None:
    lines = (requirement("rdo", "smoke"), requirement("rdo", "full"), requirement("idm", "smoke"))
    assert states(judge([], *lines, variants=TWO_ARCHES)) == [
        "idm smoke on aarch64: missing",
        "idm smoke on x86_64: missing",
        "rdo full on aarch64: missing",
        "rdo full on x86_64: missing",
        "rdo smoke on aarch64: missing",
        "rdo smoke on x86_64: missing",
    ]


def test_a_cell_that_names_no_value_comes_first() -> None:
    files = [run(result("passed", Arch("A"), "AppStream", "A"), result("passed", Arch("A"), "AppStream"))]
    line = requirement(arches="any", variants=(APPSTREAM, BASEOS))
    assert states(judge(files, line)) == [
        "rdo smoke on BaseOS: missing",
        "rdo smoke on A AppStream: passed",
        "rdo smoke on A AppStream (A): passed",
    ]


def test_a_requirement_of_another_stream_is_not_asked_for() -> None:
    lines = (requirement(), requirement("idm", streams=(Stream("CentOS-Stream-9"),)))
    assert states(judge([], *lines)) == ["rdo smoke on x86_64: missing"]


def test_a_requirement_that_names_the_stream_is_asked_for() -> None:
    line = requirement(streams=(Stream("CentOS-Stream-9"), Stream("CentOS-Stream-10")))
    assert states(judge([], line)) == ["rdo smoke on x86_64: missing"]


# Outcomes and attempts


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        ("queued", "running", "queued"),
        ("running", "running", "running"),
        ("passed", "passed", ""),
        ("info", "passed", ""),
        ("failed", "failed", ""),
        ("needs_inspection", "failed", "needs_inspection is not accepted"),
        ("error", "errored", "infrastructure error: no reason given"),
        ("not_applicable", "missing", "only not_applicable, which is not a result"),
        ("skipped", "missing", "only skipped, which is not a result"),
    ],
)
def test_each_outcome_alone_has_its_state(outcome: str, state: str, reason: str) -> None:
    answer = only(judge([run(result(outcome))]))
    assert (answer.outcome, answer.state, answer.reason, answer.attempts) == (outcome, state, reason, 1)


def test_info_that_is_not_accepted_is_failed() -> None:
    answer = only(judge([run(result("info"))], requirement(accept=frozenset({Outcome.PASSED}))))
    assert (answer.state, answer.reason) == (State.FAILED, "info is not accepted")


@pytest.mark.parametrize("outcome", ["skipped", "not_applicable"])
def test_a_skip_that_is_accepted_by_name_passes(outcome: str) -> None:
    accept = frozenset({Outcome.PASSED, Outcome(outcome)})
    answer = only(judge([run(result(outcome))], requirement(accept=accept)))
    assert (answer.state, answer.reason) == (State.PASSED, f"{outcome}, which is accepted")
    assert (answer.outcome, answer.run_id, answer.attempts) == (outcome, "1", 1)


def test_accepting_one_kind_of_skip_does_not_accept_the_other() -> None:
    accept = frozenset({Outcome.PASSED, Outcome.SKIPPED})
    assert only(judge([run(result("not_applicable"))], requirement(accept=accept))).state is State.MISSING


@pytest.mark.parametrize("order", list(itertools.permutations(["skipped", "failed"])))
def test_an_accepted_skip_never_replaces_a_failure(order: tuple[str, ...]) -> None:
    accept = frozenset({Outcome.PASSED, Outcome.SKIPPED})
    assert only(judge(attempts(*order), requirement(accept=accept))).state is State.FAILED


@pytest.mark.parametrize("order", list(itertools.permutations(["skipped", "error", "running"])))
def test_an_accepted_skip_comes_before_an_error_and_a_rerun(order: tuple[str, ...]) -> None:
    accept = frozenset({Outcome.PASSED, Outcome.SKIPPED})
    assert only(judge(attempts(*order), requirement(accept=accept))).state is State.PASSED


@pytest.mark.parametrize("verdict", ["passed", "info", "failed", "needs_inspection"])
@pytest.mark.parametrize("other", ["error", "skipped", "not_applicable", "queued", "running"])
@pytest.mark.parametrize("last", [True, False])
def test_what_is_no_verdict_never_replaces_one(verdict: str, other: str, *, last: bool) -> None:
    answer = only(judge(attempts(*((verdict, other) if last else (other, verdict)))))
    assert (answer.outcome, answer.attempts, answer.flaky) == (verdict, 2, False)


def test_an_error_says_why() -> None:
    answer = only(judge([run(result("error", error_reason="no route to the lab"))]))
    assert answer.reason == "infrastructure error: no route to the lab"


def test_the_last_error_says_why() -> None:
    files = [
        run(result("error", error_reason="disk full"), at=1, run_id="1"),
        run(result("error", error_reason="no route"), at=2, run_id="2"),
    ]
    answer = only(judge(files))
    assert (answer.reason, answer.run_id, answer.attempts) == ("infrastructure error: disk full; 2 attempts", "1", 2)


@pytest.mark.parametrize(
    ("started", "state"),
    [
        pytest.param(1, State.RUNNING, id="after the error"),
        pytest.param(2, State.ERRORED, id="with the error"),
        pytest.param(3, State.ERRORED, id="before the error"),
        pytest.param(None, State.ERRORED, id="nobody knows when"),
    ],
)
def test_a_rerun_counts_before_an_error_once_it_started_after_it(started: float | None, state: State) -> None:
    files = [run(result("error"), at=2, run_id="1"), run(result("running"), at=None, started=started, run_id="2")]
    assert only(judge(files)).state is state


def test_of_several_reruns_one_that_started_after_the_error_is_enough() -> None:
    files = [
        run(result("error"), at=2, run_id="1"),
        run(result("queued"), at=None, started=1, run_id="2"),
        run(result("running"), at=None, started=3, run_id="3"),
    ]
    answer = only(judge(files))
    assert (answer.state, answer.run_id, answer.reason) == (State.RUNNING, "2", "queued; 3 attempts")


def test_an_error_comes_before_a_skip() -> None:
    assert only(judge(attempts("error", "skipped"))).state is State.ERRORED


def test_a_run_in_progress_comes_before_a_skip() -> None:
    assert only(judge(attempts("running", "skipped"))).state is State.RUNNING


@pytest.mark.parametrize(
    ("outcomes", "state", "flaky"),
    [
        (("failed", "passed"), "passed", True),
        (("passed", "failed"), "failed", False),
        (("passed", "failed", "passed"), "passed", True),
        (("failed", "passed", "failed"), "failed", True),
        (("passed", "passed"), "passed", False),
        (("failed", "failed"), "failed", False),
        (("needs_inspection", "passed"), "passed", True),
        (("failed", "info"), "passed", True),
        (("info", "passed"), "passed", False),
        (("error", "passed"), "passed", False),
    ],
)
def test_the_latest_verdict_counts_and_a_pass_after_a_failure_is_flaky(
    outcomes: tuple[str, ...],
    state: str,
    *,
    flaky: bool,
) -> None:
    answer = only(judge(attempts(*outcomes)))
    assert (answer.state, answer.flaky, answer.attempts) == (state, flaky, len(outcomes))


def test_a_pass_after_a_failure_says_so() -> None:
    answer = only(judge(attempts("failed", "passed")))
    assert (answer.reason, answer.run_id, answer.url) == (
        "passed on attempt 2 of 2 (failed, passed)",
        "2",
        "https://ci.example.org/2",
    )


@pytest.mark.parametrize(
    ("outcomes", "state", "flaky", "run_id"),
    [
        (("failed", "passed"), "failed", True, "1"),
        (("passed", "failed"), "failed", False, "2"),
        (("failed", "needs_inspection", "passed"), "failed", True, "2"),
        (("passed", "info"), "passed", False, "2"),
        (("error", "passed"), "passed", False, "2"),
    ],
)
def test_the_worst_verdict_counts_where_it_is_asked_for(
    outcomes: tuple[str, ...],
    state: str,
    *,
    flaky: bool,
    run_id: str,
) -> None:
    answer = only(judge(attempts(*outcomes), requirement(attempts=Attempts.WORST)))
    assert (answer.state, answer.flaky, answer.run_id) == (state, flaky, run_id)


@pytest.mark.parametrize(
    ("one", "other", "counts"),
    [
        ("passed", "failed", "failed"),
        ("passed", "needs_inspection", "needs_inspection"),
        ("needs_inspection", "failed", "failed"),
        ("passed", "info", "info"),
        ("info", "failed", "failed"),
    ],
)
@pytest.mark.parametrize("swap", [True, False])
def test_a_tie_goes_to_the_worst(one: str, other: str, counts: str, *, swap: bool) -> None:
    files = [run(result(one), run_id="2" if swap else "1"), run(result(other), run_id="1" if swap else "2")]
    answer = only(judge(files))
    assert (answer.outcome, answer.flaky) == (counts, False)


@pytest.mark.parametrize(
    ("one", "other", "counts"),
    [("queued", "running", "running"), ("not_applicable", "skipped", "skipped")],
)
@pytest.mark.parametrize("swap", [True, False])
def test_a_tie_without_verdict_goes_to_the_one_further_on(
    one: str,
    other: str,
    counts: str,
    *,
    swap: bool,
) -> None:
    files = [run(result(one), run_id="2" if swap else "1"), run(result(other), run_id="1" if swap else "2")]
    assert only(judge(files)).outcome == counts


def test_of_equal_attempts_at_the_same_time_the_last_by_name_is_named() -> None:
    files = [run(result("passed"), run_id=run_id) for run_id in ("2", "3", "1")]
    answer = only(judge(files))
    assert (answer.run_id, answer.attempts) == ("3", 3)


def test_of_equal_attempts_in_one_run_the_last_address_is_named() -> None:
    files = [run(result("passed", url=f"https://ci.example.org/{name}")) for name in ("b", "c", "a")]
    assert only(judge(files)).url == "https://ci.example.org/c"


def test_of_equal_results_of_runs_of_one_name_the_last_address_is_named() -> None:
    files = []
    for name in ("b", "c", "a"):
        file = run(result("passed"))
        files.append(replace(file, run=replace(file.run, url=f"https://ci.example.org/{name}")))
    assert only(judge(files)).url == "https://ci.example.org/c"


def test_of_equal_errors_in_one_run_the_last_reason_is_named() -> None:
    files = [run(result("error", error_reason=reason)) for reason in ("b", "c", "a")]
    assert only(judge(files)).reason == "infrastructure error: c; 3 attempts"


def test_the_first_failure_decides_whether_a_pass_is_flaky() -> None:
    files = [
        run(result("failed"), at=1, run_id="1"),
        run(result("failed"), at=3, run_id="2"),
        run(result("passed"), at=2, run_id="3"),
    ]
    answer = only(judge(files))
    assert (answer.state, answer.flaky, answer.run_id) == (State.FAILED, True, "1")


def test_an_answer_links_to_its_result() -> None:
    answer = only(judge([run(result("passed", url="https://ci.example.org/1/smoke"))]))
    assert answer.url == "https://ci.example.org/1/smoke"


def test_an_answer_without_a_link_of_its_own_links_to_its_run() -> None:
    assert only(judge([run(result("passed"))])).url == "https://ci.example.org/1"


def test_a_missing_answer_names_no_run() -> None:
    answer = only(judge([]))
    assert (answer.outcome, answer.run_id, answer.url, answer.attempts) == (None, None, None, 0)


# Missing and overdue


def test_a_missing_answer_says_that_nothing_was_reported() -> None:
    assert only(judge([])).reason == "nothing reported"


@pytest.mark.parametrize(
    ("files", "reason"),
    [(("8",), "nothing reported; 1 file of rdo refused"), (("8", "9"), "nothing reported; 2 files of rdo refused")],
)
def test_a_missing_answer_says_how_many_files_of_its_origin_were_refused(files: tuple[str, ...], reason: str) -> None:
    refused = [problem(f"composes/c/results/rdo/{name}.json") for name in files for _ in range(2)]
    assert only(judge([], refused=refused)).reason == reason


@pytest.mark.parametrize(
    "path", ["composes/c/results/idm/8.json", "composes/c/results/rdo", "composes/c/notes/rdo/8.json", "gate/x.toml"]
)
def test_a_refused_file_of_nobody_or_somebody_else_is_not_mentioned(path: str) -> None:
    assert only(judge([], refused=[problem(path)])).reason == "nothing reported"


@pytest.mark.parametrize(
    ("age", "state"), [(24, State.MISSING), (24.001, State.OVERDUE), (0, State.MISSING), (-1, State.MISSING)]
)
def test_what_is_missing_is_overdue_once_its_deadline_has_passed(age: float, state: State) -> None:
    assert only(judge([], requirement(deadline=DAY), age=age)).state is state


def test_an_overdue_answer_names_its_deadline() -> None:
    answer = only(judge([], requirement(deadline=dt.timedelta(minutes=90)), age=2))
    assert (answer.state, answer.reason) == (State.OVERDUE, "nothing reported; due within 90m")


def test_what_was_only_skipped_is_overdue_too() -> None:
    answer = only(judge([run(result("skipped"))], requirement(deadline=DAY), age=25))
    assert (answer.state, answer.reason) == (State.OVERDUE, "only skipped, which is not a result; due within 1d")


def test_without_deadline_nothing_is_overdue() -> None:
    assert only(judge([], age=10_000)).state is State.MISSING


def test_nothing_is_overdue_while_nobody_knows_when_the_merge_request_was_opened() -> None:
    answer = only(judge([], requirement(deadline=DAY), age=None))
    assert answer.state is State.MISSING
    assert answer.reason == "nothing reported; when the merge request was opened is not known, so no deadline runs"


def test_without_deadline_nobody_needs_to_know_when_the_merge_request_was_opened() -> None:
    assert only(judge([], age=None)).reason == "nothing reported"


@pytest.mark.parametrize("outcome", ["failed", "error", "running", "passed"])
def test_a_deadline_bears_on_nothing_but_what_is_missing(outcome: str) -> None:
    files = [run(result(outcome))]
    line = requirement(deadline=DAY)
    assert judge(files, line, age=25) == judge(files, line, age=1)


# Waivers


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("failed", "failed"), ("error", "errored"), ("running", "running"), ("skipped", "missing")],
)
def test_a_waiver_covers_every_state_but_passed(outcome: str, state: str) -> None:
    exception = waiver()
    answer = only(judge([run(result(outcome))], waivers=[exception]))
    assert (answer.state, answer.waiver, answer.reason) == (State.WAIVED, exception, f"{state}; waived: known bug")


def test_a_waiver_covers_what_is_overdue() -> None:
    answer = only(judge([], requirement(deadline=DAY), age=25, waivers=[waiver()]))
    assert (answer.state, answer.reason) == (State.WAIVED, "overdue; waived: known bug")


def test_a_waived_answer_keeps_its_outcome_and_run() -> None:
    answer = only(judge(attempts("passed", "failed"), waivers=[waiver()]))
    assert (answer.outcome, answer.run_id, answer.attempts) == (Outcome.FAILED, "2", 2)


def test_what_passed_is_not_waived() -> None:
    answer = only(judge([run(result("passed"))], waivers=[waiver()]))
    assert (answer.state, answer.waiver) == (State.PASSED, None)


@pytest.mark.parametrize(
    ("exception", "state"),
    [
        pytest.param(waiver("idm"), State.FAILED, id="another origin"),
        pytest.param(waiver(testcase="full"), State.FAILED, id="another testcase"),
        pytest.param(waiver(arch=ARM), State.FAILED, id="another arch"),
        pytest.param(waiver(arch=X86), State.WAIVED, id="the arch"),
        pytest.param(waiver(variant=APPSTREAM), State.FAILED, id="another variant"),
        pytest.param(waiver(variant=BASEOS), State.WAIVED, id="the variant"),
        pytest.param(waiver(scenario=Scenario("uefi")), State.FAILED, id="another scenario"),
        pytest.param(waiver(scenario=Scenario("bios")), State.WAIVED, id="the scenario"),
        pytest.param(waiver(composes=("CentOS-Stream-9-*",)), State.FAILED, id="another compose"),
        pytest.param(waiver(composes=("x", "CentOS-Stream-10-2026112*")), State.WAIVED, id="the compose"),
    ],
)
def test_a_waiver_covers_exactly_what_it_names(exception: Waiver, state: State) -> None:
    files = [run(result("failed", X86, "BaseOS", "bios"))]
    assert only(judge(files, waivers=[exception])).state is state


def test_a_waiver_that_names_a_variant_does_not_cover_a_report_without_one() -> None:
    assert only(judge([run(result("failed"))], waivers=[waiver(variant=BASEOS)])).state is State.FAILED


@pytest.mark.parametrize(
    ("moment", "state"),
    [("2026-11-21T23:59:59+00:00", State.WAIVED), ("2026-11-22T00:00:00+00:00", State.FAILED)],
)
def test_a_waiver_holds_to_the_end_of_its_last_day(moment: str, state: State) -> None:
    exception = waiver(expires="2026-11-21")
    now = dt.datetime.fromisoformat(moment)
    assert only(judge([run(result("failed"))], waivers=[exception], now=now)).state is state


def test_a_waivers_last_day_is_counted_in_utc() -> None:
    now = dt.datetime.fromisoformat("2026-11-22T00:30:00+01:00")
    answer = only(judge([run(result("failed"))], waivers=[waiver(expires="2026-11-21")], now=now))
    assert answer.state is State.WAIVED


def test_a_waivers_last_day_is_counted_in_utc_wherever_it_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    now = dt.datetime.fromisoformat("2026-11-21T23:30:00+00:00")
    answer = only(judge([run(result("failed"))], waivers=[waiver(expires="2026-11-21")], now=now))
    monkeypatch.undo()
    time.tzset()
    assert answer.state is State.WAIVED


def test_of_several_waivers_the_one_that_lasts_longest_is_named() -> None:
    short, long = waiver(expires="2026-12-01"), waiver(expires="2026-12-02", arch=X86)
    assert only(judge([], waivers=[short, long])).waiver == long


def test_silence_on_any_variant_is_not_excused_by_a_waiver_for_one() -> None:
    answer = only(judge([], waivers=[waiver(variant=BASEOS)]))
    assert (answer.state, answer.reason) == (State.MISSING, "nothing reported")


def test_silence_waits_past_its_deadline_where_a_failure_might_be_waived() -> None:
    line = requirement(deadline=DAY)
    answer = only(judge([], line, age=25, waivers=[waiver(variant=BASEOS)]))
    assert answer.state is State.MISSING
    assert answer.reason == "nothing reported; due within 1d; waived in part: rdo smoke on BaseOS"


@pytest.mark.parametrize(
    ("line", "exception"),
    [
        pytest.param(requirement(deadline=DAY, arches="any"), waiver(arch=X86), id="arch"),
        pytest.param(requirement(deadline=DAY), waiver(scenario=Scenario("bios")), id="scenario"),
        pytest.param(requirement(deadline=DAY, arches="any"), waiver(arch=X86, variant=BASEOS), id="arch and variant"),
    ],
)
def test_silence_waits_for_any_dimension_that_is_waived_in_part(line: Requirement, exception: Waiver) -> None:
    answer = only(judge([], line, age=25, waivers=[exception]))
    assert answer.state is State.MISSING


@pytest.mark.parametrize(
    ("line", "exception"),
    [
        pytest.param(requirement(deadline=DAY), waiver(arch=ARM, variant=BASEOS), id="arch"),
        pytest.param(requirement(deadline=DAY, variants=(BASEOS,)), waiver(variant=APPSTREAM), id="variant"),
        pytest.param(
            requirement(deadline=DAY, scenarios=(Scenario("bios"),)), waiver(scenario=Scenario("uefi")), id="scenario"
        ),
    ],
)
def test_silence_is_overdue_where_no_failure_would_be_waived(line: Requirement, exception: Waiver) -> None:
    answer = only(judge([], line, age=25, waivers=[exception]))
    assert answer.state is State.OVERDUE


def test_silence_that_a_failing_baseline_excuses_says_nothing_of_a_waiver_for_a_part() -> None:
    line = requirement(deadline=DAY, baseline="published")
    failing = baseline(run(result("failed", variant="BaseOS")))
    answer, bare = (
        only(judge([], line, age=25, published=failing, waivers=waivers))
        for waivers in ([waiver(scenario=Scenario("bios"))], [])
    )
    assert answer == bare
    assert answer.reason == f"nothing reported; due within 1d; failing since {PUBLISHED}"


def test_before_its_deadline_silence_says_nothing_of_waivers() -> None:
    answer = only(judge([], requirement(deadline=DAY), waivers=[waiver(variant=BASEOS)]))
    assert answer.reason == "nothing reported"


def test_a_skip_is_overdue_although_another_variant_is_waived() -> None:
    files = [run(result("skipped"))]
    answer = only(judge(files, requirement(deadline=DAY), age=25, waivers=[waiver(variant=BASEOS)]))
    assert answer.state is State.OVERDUE
