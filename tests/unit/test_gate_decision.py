"""What is said of the whole compose: the verdict, the sentence, waivers worth a look, and `decision/2`."""

import datetime as dt
import hashlib
import itertools
import json

import pytest
from gate_world import (
    APPSTREAM,
    ARM,
    BASEOS,
    COMPOSE,
    NOW,
    TWO_ARCHES,
    X86,
    baseline,
    judge,
    problem,
    requirement,
    result,
    run,
    waiver,
)
from msgspec.structs import replace

from compose_repo.core.names import Arch, Origin, RunId, Scenario, Stream, Testcase
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import Outcome
from compose_repo.core.rules.waivers import WaiverState
from compose_repo.core.verdict.decision import Decision, Hold, NotCounted, State, Verdict
from compose_repo.core.verdict.refusals import RefusedReport
from compose_repo.core.verdict.unmatched import Reported

DAY = dt.timedelta(hours=24)
SMOKE = requirement()
FULL = requirement(testcase="full", deadline=DAY)
IDM = requirement("idm", "install")
OTHER_STREAM = requirement(streams=(Stream("CentOS-Stream-9"),))
FOUR = (ARM, Arch("ppc64le"), Arch("s390x"), X86)


def seen(decision: Decision) -> tuple[str, str]:
    return decision.verdict.value, decision.summary


# Verdict and summary


def test_all_passed_is_satisfied() -> None:
    decision = judge([run(result("passed", ARM), result("passed", X86))], variants=TWO_ARCHES)
    assert seen(decision) == ("satisfied", "All 2 required passed")


def test_one_passed_is_satisfied() -> None:
    assert seen(judge([run(result("passed"))])) == ("satisfied", "All 1 required passed")


def test_failed_is_blocked() -> None:
    assert seen(judge([run(result("failed"))])) == ("blocked", "Of 1 required, 1 failed (rdo smoke on x86_64)")


def test_overdue_is_blocked() -> None:
    assert seen(judge([], FULL, age=25)) == ("blocked", "Of 1 required, 1 overdue (rdo full on x86_64)")


def test_missing_is_pending() -> None:
    assert seen(judge([])) == ("pending", "Of 1 required, 1 missing (rdo smoke on x86_64)")


def test_running_is_pending() -> None:
    assert seen(judge([run(result("running"))])) == ("pending", "Of 1 required, 1 running (rdo smoke on x86_64)")


def test_errored_is_pending() -> None:
    assert seen(judge([run(result("error"))])) == ("pending", "Of 1 required, 1 errored (rdo smoke on x86_64)")


def test_waived_is_satisfied() -> None:
    decision = judge([run(result("failed"))], waivers=[waiver()])
    assert seen(decision) == ("satisfied", "Of 1 required, 0 passed, 1 waived")


def test_failed_comes_before_missing() -> None:
    files = [run(result("failed", ARM, "AppStream"))]
    assert seen(judge(files, variants=TWO_ARCHES)) == (
        "blocked",
        "Of 2 required, 1 failed (rdo smoke on aarch64 AppStream), 1 missing",
    )


def test_every_state_is_counted_and_what_blocks_is_named() -> None:
    lines = [requirement(testcase=name) for name in ("a", "b", "c", "d", "e", "f", "g")]
    files = [
        run(
            result("passed", testcase="a"),
            result("failed", testcase="b"),
            result("error", testcase="c"),
            result("running", testcase="d"),
            result("failed", testcase="f"),
        )
    ]
    decision = judge(files, *lines, FULL, waivers=[waiver(testcase="f")], age=25)
    assert seen(decision) == (
        "blocked",
        (
            "Of 8 required, 1 failed (rdo b on x86_64), 1 overdue (rdo full on x86_64), 1 errored, 1 running, "
            "2 missing, 1 waived"
        ),
    )


def test_everything_that_is_waited_for_is_named() -> None:
    files = [run(result("error"), result("running", testcase="full"), result("skipped", testcase="other"))]
    decision = judge(files, SMOKE, FULL, IDM, requirement(testcase="other"), waivers=[waiver(testcase="other")])
    assert seen(decision) == (
        "pending",
        (
            "Of 4 required, 1 errored (rdo smoke on x86_64), 1 running (rdo full on x86_64), "
            "1 missing (idm install on x86_64), 1 waived"
        ),
    )


@pytest.mark.parametrize(
    ("arches", "names"),
    [
        (FOUR[:3], "3 missing (rdo smoke on aarch64, rdo smoke on ppc64le, rdo smoke on s390x)"),
        (FOUR, "4 missing (rdo smoke on aarch64, rdo smoke on ppc64le, rdo smoke on s390x and 1 more)"),
    ],
)
def test_three_are_named_and_the_rest_counted(arches: tuple[Arch, ...], names: str) -> None:
    decision = judge([], requirement(arches=arches))
    assert decision.summary == f"Of {len(arches)} required, {names}"


def test_a_stream_without_requirement_is_blocked() -> None:
    decision = judge([run(result("passed"))], OTHER_STREAM)
    assert seen(decision) == ("blocked", "No requirement applies to CentOS-Stream-10, so nothing can be satisfied")


def test_a_refused_file_is_told_of() -> None:
    decision = judge([run(result("passed"))], refused=[problem(), problem()])
    assert seen(decision) == ("satisfied", "All 1 required passed; 1 result file refused")


def test_a_refused_file_of_any_name_is_told_of_in_json_that_every_reader_reads() -> None:
    refused = problem(f"composes/{COMPOSE}/results/rdo/\udcff\x1b.json")
    (row,) = judge([], refused=[refused]).to_dict()["refused"]
    assert row["path"] == f"composes/{COMPOSE}/results/rdo/\\udcff\\x1b.json"


def test_refused_files_are_counted() -> None:
    folder = f"composes/{COMPOSE}/results/rdo"
    refused = [
        problem(f"{folder}/b.json"),
        problem(f"{folder}/a.json"),
        problem(f"{folder}/a.json"),
        problem("Makefile"),
    ]
    told = "2 result files and 1 other change refused"
    assert seen(judge([], refused=refused)) == (
        "pending",
        f"Of 1 required, 1 missing (rdo smoke on x86_64); {told}",
    )


def test_other_refused_changes_are_counted() -> None:
    decision = judge([run(result("passed"))], refused=[problem("Makefile"), problem("README.md")])
    assert decision.summary == "All 1 required passed; 2 other changes refused"


def test_a_refused_file_that_is_no_report_bears_on_nothing() -> None:
    (row,) = judge([], refused=[problem("Makefile")]).to_dict()["refused"]
    assert row["bears_on"] == 0


def test_refused_files_are_told_of_where_no_requirement_applies() -> None:
    decision = judge([], OTHER_STREAM, refused=[problem()])
    assert decision.summary == (
        "No requirement applies to CentOS-Stream-10, so nothing can be satisfied; 1 result file refused"
    )


def test_the_verdict_is_a_function_of_the_states() -> None:
    """Any failed or overdue blocks; else any errored, running or missing waits; else it is satisfied."""
    outcome = {
        "passed": "passed",
        "failed": "failed",
        "errored": "error",
        "running": "running",
        "known": "failed",
        "waived": "failed",
    }
    published = baseline(run(result("failed", testcase="known")))
    for states in itertools.chain.from_iterable(itertools.combinations(State, count) for count in range(1, 9)):
        lines = [
            requirement(
                testcase=state.value,
                deadline=DAY if state is State.OVERDUE else None,
                baseline="published" if state is State.KNOWN else None,
            )
            for state in states
        ]
        files = [run(*(result(outcome[state], testcase=state.value) for state in states if state.value in outcome))]
        decision = judge(files, *lines, waivers=[waiver(testcase="waived")], published=published, age=25)
        if {State.FAILED, State.OVERDUE} & set(states):
            expected = Verdict.BLOCKED
        elif {State.ERRORED, State.RUNNING, State.MISSING} & set(states):
            expected = Verdict.PENDING
        else:
            expected = Verdict.SATISFIED
        assert {answer.state for answer in decision.answers} == set(states)
        assert decision.verdict is expected


def test_answers_are_counted_by_state() -> None:
    decision = judge([run(result("passed", ARM))], SMOKE, IDM, variants=TWO_ARCHES)
    assert {state: decision.count(state) for state in (State.PASSED, State.MISSING, State.FAILED)} == {
        State.PASSED: 1,
        State.MISSING: 3,
        State.FAILED: 0,
    }


# Waivers worth a look


def noticed(decision: Decision) -> list[tuple[WaiverState, str]]:
    return [(notice.state, notice.waiver.title) for notice in decision.notices]


def test_a_waiver_in_use_is_not_worth_a_look() -> None:
    assert noticed(judge([], waivers=[waiver()])) == []


def test_an_expired_waiver_is_named() -> None:
    assert noticed(judge([], waivers=[waiver(expires="2026-11-20")])) == [(WaiverState.EXPIRED, "rdo smoke")]


def test_an_unused_waiver_is_named() -> None:
    decision = judge([run(result("passed"))], waivers=[waiver(arch=X86)])
    assert noticed(decision) == [(WaiverState.UNUSED, "rdo smoke on x86_64")]


def test_a_waiver_for_a_test_that_nobody_requires_is_named() -> None:
    assert noticed(judge([], waivers=[waiver(testcase="smok")])) == [(WaiverState.UNUSED, "rdo smok")]


def test_a_waiver_for_a_test_of_another_stream_is_not_unused() -> None:
    other = requirement("idm", streams=(Stream("CentOS-Stream-9"),))
    assert noticed(judge([], SMOKE, other, waivers=[waiver("idm")])) == []


def test_a_waiver_for_a_test_of_this_and_another_stream_is_unused_where_it_passes() -> None:
    decision = judge([run(result("passed"))], SMOKE, OTHER_STREAM, waivers=[waiver()])
    assert noticed(decision) == [(WaiverState.UNUSED, "rdo smoke")]


def test_a_waiver_for_a_test_of_this_stream_alone_is_unused_where_it_passes() -> None:
    here = requirement(streams=(Stream("CentOS-Stream-10"),))
    assert noticed(judge([run(result("passed"))], here, waivers=[waiver()])) == [(WaiverState.UNUSED, "rdo smoke")]


def test_an_expired_waiver_for_another_stream_is_named() -> None:
    other = requirement("idm", streams=(Stream("CentOS-Stream-9"),))
    assert noticed(judge([], SMOKE, other, waivers=[waiver("idm", expires="2026-11-20")])) == [
        (WaiverState.EXPIRED, "idm smoke")
    ]


@pytest.mark.parametrize(
    ("expires", "notices"),
    [("2026-12-04", [(WaiverState.EXPIRES_SOON, "rdo smoke")]), ("2026-12-05", [])],
)
def test_a_waiver_in_use_is_named_in_its_last_two_weeks(expires: str, notices: list[tuple[WaiverState, str]]) -> None:
    assert noticed(judge([], waivers=[waiver(expires=expires)])) == notices


@pytest.mark.parametrize("expires", ["2026-11-20", "2026-12-31"])
def test_a_waiver_for_other_composes_is_not_named(expires: str) -> None:
    assert noticed(judge([], waivers=[waiver(expires=expires, composes=("CentOS-Stream-9-*",))])) == []


def test_a_waiver_for_other_composes_hides_none_that_comes_after_it() -> None:
    other = waiver(expires="2026-12-31", composes=("CentOS-Stream-9-*",))
    assert noticed(judge([], waivers=[other, waiver(expires="2026-11-20")])) == [(WaiverState.EXPIRED, "rdo smoke")]


def test_waivers_are_named_from_the_one_that_lasts_longest() -> None:
    waivers = [waiver("idm", expires="2026-11-01"), waiver("idm", expires="2026-11-02"), waiver("abc")]
    expected = [
        (WaiverState.UNUSED, "abc smoke"),
        (WaiverState.EXPIRED, "idm smoke"),
        (WaiverState.EXPIRED, "idm smoke"),
    ]
    decision = judge([], waivers=waivers)
    assert noticed(decision) == expected
    assert [notice.waiver.expires.day for notice in decision.notices] == [31, 2, 1]


def test_waivers_that_read_alike_keep_one_order() -> None:
    waivers = [waiver("idm", arch="bios"), waiver("idm", scenario="bios"), waiver("idm", variant="bios")]
    decisions = [judge([], waivers=order) for order in itertools.permutations(waivers)]
    assert all(decision == decisions[0] for decision in decisions)


# decision/1


def test_a_decision_has_the_fields_of_the_contract() -> None:
    exception = waiver(expires="2026-11-25", arch=X86, composes=("CentOS-Stream-10-*",))
    files = [run(result("failed", X86, "BaseOS", "bios", url="https://ci.example.org/1/smoke"), run_id="1")]
    lines = (requirement(scenarios=(Scenario("bios"),), variants=(BASEOS,)), IDM)
    aged = Problem(path="gate/waivers.toml", code=Code.WAIVER_EXPIRED, message="it has ended", fix="remove it")
    decision = judge(
        files,
        *lines,
        waivers=[exception],
        refused=[problem()],
        refused_reports=[RefusedReport(origin=Origin("rdo"), path=problem().path, came=1)],
        unasked=[Reported(Origin("idm"), Testcase("instal"), None, X86, None)],
        advice=[aged],
    )
    excused = {
        "origin": "rdo",
        "testcase": "smoke",
        "arch": "x86_64",
        "reason": "known bug",
        "issue": "https://issues.example.org/1",
        "by": "jdoe",
        "expires": "2026-11-25",
        "composes": ["CentOS-Stream-10-*"],
    }
    assert json.loads(json.dumps(decision.to_dict())) == {
        "schema": "decision/2",
        "compose_id": "CentOS-Stream-10-20261120.0",
        "verdict": "pending",
        "held": None,
        "summary": "Of 2 required, 1 missing (idm install on x86_64), 1 waived; 1 result file refused",
        "manifest_sha256": "a" * 64,
        "policy_sha256": "b" * 64,
        "answers": [
            {
                "origin": "idm",
                "testcase": "install",
                "scenario": None,
                "arch": "x86_64",
                "variant": None,
                "blocking": True,
                "state": "missing",
                "outcome": None,
                "run_id": None,
                "url": None,
                "attempts": 0,
                "not_counted": [],
                "flaky": False,
                "waiver": None,
                "since": None,
                "usual": None,
                "due": None,
                "reason": "nothing reported",
            },
            {
                "origin": "rdo",
                "testcase": "smoke",
                "scenario": "bios",
                "arch": "x86_64",
                "variant": "BaseOS",
                "blocking": True,
                "state": "waived",
                "outcome": "failed",
                "run_id": "1",
                "url": "https://ci.example.org/1/smoke",
                "attempts": 1,
                "not_counted": [],
                "flaky": False,
                "waiver": excused,
                "since": None,
                "usual": None,
                "due": None,
                "reason": "failed; waived: known bug",
            },
        ],
        "refused": [
            {
                "code": "not-json",
                "path": "composes/CentOS-Stream-10-20261120.0/results/rdo/9.json",
                "pointer": "",
                "line": 1,
                "message": "the file ends too early",
                "fix": "write it whole",
                "bears_on": 1,
            }
        ],
        "unmatched": [{"origin": "idm", "named": ["instal on x86_64; did you mean install?"], "others": 0}],
        "waivers": [{"state": "expires soon", "waiver": excused}],
        "advice": [
            {
                "code": "waiver-expired",
                "path": "gate/waivers.toml",
                "pointer": "",
                "line": 1,
                "message": "it has ended",
                "fix": "remove it",
            }
        ],
    }


def test_the_digest_covers_what_was_decided_and_no_words() -> None:
    files, lines = [run(result("failed"), run_id="1")], (SMOKE,)
    whole = judge(files, *lines, waivers=[waiver()])
    assert whole.sha256 == hashlib.sha256(CANONICAL.encode()).hexdigest()
    other_words = judge(files, *lines, waivers=[waiver(reason="another")], refused=[problem()])
    assert (other_words.summary != whole.summary, other_words.sha256) == (True, whole.sha256)


CANONICAL = (
    '{"answers":[["rdo","smoke",null,"x86_64",null,true,"waived","failed","1",'
    '{"by":"jdoe","expires":"2026-12-31","issue":"https://issues.example.org/1","origin":"rdo","testcase":"smoke"}]],'
    '"held":null,"verdict":"satisfied"}'
)


@pytest.mark.parametrize(
    "other",
    [
        judge([run(result("failed"), run_id="2")], SMOKE, waivers=[waiver()]),
        judge([run(result("info"), run_id="1")], SMOKE, waivers=[waiver()]),
        judge([run(result("failed"), run_id="1")], SMOKE),
        judge([run(result("failed"), run_id="1")], SMOKE, waivers=[waiver(by="somebody")]),
        judge([run(result("failed"), run_id="1")], SMOKE, FULL, waivers=[waiver()]),
    ],
)
def test_another_decision_has_another_digest(other: Decision) -> None:
    assert other.sha256 != judge([run(result("failed"), run_id="1")], SMOKE, waivers=[waiver()]).sha256


def test_a_hold_is_part_of_the_digest_without_its_words() -> None:
    bare = judge([])
    hold = Hold(reason="a", issue="https://issues.example.org/1", by="jdoe", until=NOW.date())
    held, reworded = (replace(bare, held=one) for one in (hold, replace(hold, reason="b")))
    assert (held.sha256 == reworded.sha256, held.sha256 == bare.sha256) == (True, False)
    assert held.to_dict()["held"] == {
        "reason": "a",
        "issue": "https://issues.example.org/1",
        "by": "jdoe",
        "until": "2026-11-21",
    }


def test_an_attempt_that_does_not_count_is_named_by_its_run() -> None:
    attempt = NotCounted(outcome=Outcome.PASSED, run_id=RunId("4"), url="https://ci.example.org/4")
    answer = replace(judge([]).answers[0], not_counted=(attempt,), since=COMPOSE)
    row = answer.to_dict()
    assert row["not_counted"] == [{"outcome": "passed", "run_id": "4", "url": "https://ci.example.org/4"}]
    assert row["since"] == "CentOS-Stream-10-20261120.0"


def test_the_decision_is_about_its_compose() -> None:
    assert judge([]).compose_id == COMPOSE


def test_refused_problems_are_sorted() -> None:
    decision = judge([], refused=[problem("b"), problem("a")])
    assert [each.path for each in decision.refused] == ["a", "b"]


def test_a_baseline_that_nothing_asks_for_changes_nothing() -> None:
    files = [run(result("failed", variant="AppStream"))]
    assert judge(files, published=baseline(run(result("failed")))) == judge(files)


def test_an_answers_title_names_its_cell() -> None:
    files = [run(result("passed", X86, "AppStream", "bios"))]
    (answer,) = judge(files, requirement(variants=(APPSTREAM,))).answers
    assert answer.title == "rdo smoke on x86_64 AppStream (bios)"
    assert answer.cell == ("bios", "x86_64", "AppStream")


def test_a_decision_later_is_the_same_as_long_as_nothing_runs_out() -> None:
    files = [run(result("passed"))]
    assert judge(files, FULL, SMOKE, age=1) == judge(files, FULL, SMOKE, age=2, now=NOW + dt.timedelta(hours=1))
