"""Which of several attempts count: as many as the policy admits, as many passes as it wants."""

import datetime as dt

import pytest
from gate_world import ARM, X86, attempts, judge, only, problem, requirement, result, run
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from compose_repo.core.names import Origin
from compose_repo.core.result import Outcome, ResultFile, Tried
from compose_repo.core.rules.policy import Attempts, Passes, Requirement
from compose_repo.core.verdict.decision import Answer, State, Verdict
from compose_repo.core.verdict.refusals import RefusedReport

THREE_OF_FIVE = Passes(passed=3, of=5)


def one_by_one(files: list[ResultFile]) -> dict[str, int]:
    """Let files come to the branch in the order in which they are listed."""
    return {file.path: place for place, file in enumerate(files)}


def answer(outcomes: str, line: Requirement, *, age: float = 1) -> Answer:
    """Judge outcomes, an hour apart, that came to the branch as they were made."""
    files = attempts(*outcomes.split())
    return only(judge(files, line, came=one_by_one(files), age=age))


def retried(outcome: str, *earlier: str, at: float = 0, run_id: str = "1") -> ResultFile:
    """Report one run in which a tool had tried before."""
    tried = tuple(Tried(outcome=Outcome(word), note=f"attempt {place}") for place, word in enumerate(earlier, start=1))
    return run(result(outcome, attempts=tried), at=at, run_id=run_id)


class TestMaxAttempts:
    @pytest.mark.parametrize(
        ("outcomes", "state"),
        [
            ("failed failed passed", State.PASSED),
            ("failed failed failed passed", State.FAILED),
            ("failed failed failed passed passed passed", State.FAILED),
            ("passed failed failed passed", State.FAILED),
            ("failed failed passed passed", State.PASSED),
            ("passed passed passed failed", State.FAILED),
            ("failed error error error passed", State.PASSED),
            ("failed failed failed skipped", State.FAILED),
        ],
    )
    def test_no_pass_after_the_last_attempt_counts(self, outcomes: str, state: State) -> None:
        assert answer(outcomes, requirement(max_attempts=3)).state is state

    def test_attempts_are_numbered_as_they_came_whatever_time_they_give(self) -> None:
        files = [run(result(word), at=hours, run_id=word[0]) for word, hours in (("failed", 2), ("passed", 9))]
        late = requirement(max_attempts=1, attempts=Attempts.WORST)
        assert only(judge(files[1:] + files[:1], late, came=one_by_one(files))).state is State.FAILED
        soon = requirement(max_attempts=1)
        files = [run(result("failed"), at=9, run_id="f"), run(result("passed"), at=2, run_id="p")]
        assert only(judge(files, soon, came={files[1].path: 0, files[0].path: 1})).state is State.PASSED

    def test_of_what_came_at_once_the_earlier_counts_and_the_worse(self) -> None:
        files = [run(result("passed"), run_id="p"), run(result("failed"), run_id="f")]
        assert only(judge(files, requirement(max_attempts=1))).state is State.FAILED

    def test_what_does_not_count_is_named_in_order(self) -> None:
        found = answer("failed passed passed passed", requirement(max_attempts=1))
        assert [row.to_dict() for row in found.not_counted] == [
            {"outcome": "passed", "run_id": number, "url": f"https://ci.example.org/{number}"} for number in "234"
        ]
        assert (found.attempts, found.outcome, found.run_id) == (4, Outcome.FAILED, "1")

    def test_nothing_is_left_out_while_there_are_no_more(self) -> None:
        assert answer("failed passed", requirement(max_attempts=2)).not_counted == ()


class TestPassesAmongTheFirst:
    @pytest.mark.parametrize(
        ("outcomes", "state"),
        [
            ("passed", State.RUNNING),
            ("passed passed", State.RUNNING),
            ("passed passed passed", State.PASSED),
            ("failed failed passed passed passed", State.PASSED),
            ("failed failed failed", State.FAILED),
            ("failed failed passed passed failed passed", State.FAILED),
            ("passed passed passed failed failed failed", State.PASSED),
            ("error error", State.ERRORED),
            ("passed error running", State.RUNNING),
        ],
    )
    def test_as_many_as_are_wanted(self, outcomes: str, state: State) -> None:
        assert answer(outcomes, requirement(passes=THREE_OF_FIVE)).state is state

    def test_it_says_how_many_are_still_wanted(self) -> None:
        found = answer("passed failed", requirement(passes=THREE_OF_FIVE))
        assert found.reason == "2 more passes wanted; 1 of 2 attempts passed (passed, failed), 3 of 5 wanted"
        found = answer("passed failed passed", requirement(passes=THREE_OF_FIVE))
        assert found.reason.startswith("1 more pass wanted; ")

    def test_it_says_what_it_came_to(self) -> None:
        found = answer("passed failed passed passed", requirement(passes=THREE_OF_FIVE))
        assert found.reason == "3 of 4 attempts passed (passed, failed, passed, passed), 3 of 5 wanted"
        assert found.flaky
        failed = answer("failed needs_inspection", requirement(passes=Passes(passed=2, of=3)))
        assert failed.reason == (
            "needs_inspection is not accepted; 0 of 2 attempts passed (failed, needs_inspection), 2 of 3 wanted"
        )
        assert not failed.flaky

    def test_past_the_deadline_what_is_open_is_overdue(self) -> None:
        line = requirement(passes=THREE_OF_FIVE, deadline=dt.timedelta(hours=2))
        assert answer("passed", line, age=1).state is State.RUNNING
        late = answer("passed", line, age=3)
        assert (late.state, late.reason) == (
            State.OVERDUE,
            "2 more passes wanted; due within 2h; 1 of 1 attempts passed (passed), 3 of 5 wanted",
        )
        assert answer("passed passed passed", line, age=3).state is State.PASSED

    def test_later_attempts_do_not_count(self) -> None:
        found = answer("failed failed failed passed passed passed", requirement(passes=Passes(passed=2, of=3)))
        assert [row.run_id for row in found.not_counted] == ["4", "5", "6"]


class TestFilesOfOneCell:
    def test_of_very_many_files_each_outcome_is_counted(self) -> None:
        found = only(judge(attempts(*["failed"] * 10, "passed")))
        assert (found.reason, found.run_id) == ("passed; 11 attempts: 10 failed, 1 passed", "11")

    @pytest.mark.parametrize("word", ["passed", "failed"])
    def test_of_attempts_that_ended_at_once_one_is_named_whatever_their_order(self, word: str) -> None:
        files = [run(result(word), run_id=f"{number}") for number in range(3)]
        found = {only(judge(order)).run_id for order in (files, files[::-1], files[1:] + files[:1])}
        assert found == {"2"}


class TestRetriesInOneRun:
    def test_what_was_tried_before_comes_before_the_result(self) -> None:
        found = only(judge([retried("passed", "failed", "failed")]))
        assert (found.state, found.flaky, found.attempts) == (State.PASSED, True, 3)
        assert found.reason == "passed on attempt 3 of 3 (failed, failed, passed)"

    def test_the_worst_may_be_one_of_them(self) -> None:
        found = only(judge([retried("passed", "failed", "passed")], requirement(attempts=Attempts.WORST)))
        assert (found.state, found.reason) == (State.FAILED, "failed on attempt 1 of 3 (failed, passed, passed)")

    def test_they_are_attempts_like_all_others(self) -> None:
        assert only(judge([retried("passed", "failed", "failed")], requirement(max_attempts=2))).state is State.FAILED
        line = requirement(passes=Passes(passed=2, of=3))
        assert only(judge([retried("passed", "passed", "failed")], line)).state is State.PASSED

    def test_an_error_among_them_says_why(self) -> None:
        found = only(judge([retried("skipped", "error")]))
        assert (found.state, found.reason) == (State.ERRORED, "infrastructure error: attempt 1; 2 attempts")
        tried = (Tried(outcome=Outcome.ERROR, note="\nno route\nto host"),)
        assert only(judge([run(result("skipped", attempts=tried))])).reason.startswith(
            "infrastructure error: no route;"
        )
        tried = (Tried(outcome=Outcome.ERROR),)
        assert "no reason given" in only(judge([run(result("skipped", attempts=tried))])).reason

    def test_of_very_many_each_outcome_is_counted(self) -> None:
        found = only(judge([retried("passed", *["failed"] * 10)]))
        assert found.reason == "passed; 11 attempts: 10 failed, 1 passed"

    @given(
        words=st.lists(
            st.sampled_from(["passed", "info", "failed", "needs_inspection", "error"]), min_size=1, max_size=6
        ),
        last=st.sampled_from(Outcome),
        line=st.builds(
            requirement,
            max_attempts=st.none() | st.integers(1, 4),
            attempts=st.sampled_from(Attempts),
            passes=st.none() | st.sampled_from([Passes(passed=1, of=2), Passes(passed=2, of=3)]),
        ),
    )
    def test_are_judged_as_files_one_after_the_other_would_be(
        self, words: list[str], last: Outcome, line: Requirement
    ) -> None:
        """Law: a retry inside one file, or as a second file right after it, gives the same decision."""
        inside = judge([retried(last, *words)], line)
        files = [
            run(result(word), at=1 - place / 1000, started=None, run_id=f"{place}")
            for place, word in enumerate([*words, last])
        ]
        apart = judge(files, line, came=one_by_one(files))
        one, other = only(inside), only(apart)
        same = ("state", "outcome", "flaky", "attempts", "blocking")
        assert inside.verdict is apart.verdict
        assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
        assert len(one.not_counted) == len(other.not_counted)


class TestInforming:
    def test_moves_no_verdict(self) -> None:
        lines = [requirement(), requirement(testcase="new", blocking=False)]
        decision = judge([run(result("passed"), result("failed", testcase="new"))], *lines)
        assert decision.verdict is Verdict.SATISFIED
        assert decision.summary == "All 1 required passed; informing: 1 failed"
        assert [(row.testcase, row.blocking) for row in decision.answers] == [("new", False), ("smoke", True)]

    def test_a_refused_report_is_not_said_to_affect_it(self) -> None:
        report = RefusedReport(origin=Origin("rdo"), path=problem().path, came=1)
        lines = [requirement(), requirement(testcase="new", blocking=False)]
        decision = judge([run(result("passed"), result("passed", testcase="new"))], *lines, refused_reports=[report])
        assert [row.state for row in decision.answers] == [State.ERRORED, State.ERRORED]
        assert decision.bears_on == {problem().path: 1}

    def test_alone_blocks_a_stream(self) -> None:
        decision = judge([run(result("passed"))], requirement(blocking=False))
        assert decision.verdict is Verdict.BLOCKED
        assert decision.summary == (
            "No requirement that blocks applies to CentOS-Stream-10, so nothing can be satisfied; informing: 1 passed"
        )


class TestEarlierNames:
    LINE = requirement(testcase="smoke", testcase_was=("boot", "start"))

    @pytest.mark.parametrize("name", ["smoke", "boot", "start"])
    def test_count_under_the_new_one(self, name: str) -> None:
        found = only(judge([run(result("failed", testcase=name))], self.LINE))
        assert (found.testcase, found.state) == ("smoke", State.FAILED)

    @pytest.mark.parametrize("order", [("boot", "smoke"), ("smoke", "boot")])
    def test_of_two_in_one_file_the_worst_counts(self, order: tuple[str, str]) -> None:
        for good, bad in (order, order[::-1]):
            rows = [result("passed", testcase=good), result("failed", testcase=bad)]
            for row in (rows, rows[::-1]):
                found = only(judge([run(*row)], self.LINE))
                assert (found.state, found.attempts) == (State.FAILED, 1)

    def test_in_two_files_are_attempts(self) -> None:
        files = [run(result("failed", testcase="boot"), at=2), run(result("passed"), at=1, run_id="2")]
        assert only(judge(files, self.LINE)).state is State.PASSED

    def test_other_cells_of_one_file_stay_apart(self) -> None:
        file = run(result("passed", testcase="boot"), result("failed", ARM))
        assert [row.state for row in judge([file], structs.replace(self.LINE, arches=(ARM, X86))).answers] == [
            State.FAILED,
            State.PASSED,
        ]

    def test_of_another_origin_count_for_nothing(self) -> None:
        assert only(judge([run(result("passed", testcase="boot"), origin="idm")], self.LINE)).state is State.MISSING
