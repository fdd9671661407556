"""Refused reports: what they keep from passing, and what lifts them."""

import datetime as dt

import pytest
from gate_world import (
    ARM,
    COMPOSE,
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
from msgspec import structs

from compose_repo.core.names import Arch, Origin
from compose_repo.core.result import Outcome
from compose_repo.core.verdict.decision import State
from compose_repo.core.verdict.refusals import RefusedReport

DAY = dt.timedelta(hours=24)


HELD = "a report of rdo was refused: rdo/9.json (not-json); push a report for x86_64, or take rdo/9.json back"


def refused_report(path: str = "9", came: int = 5, origin: str = "rdo") -> RefusedReport:
    full = f"composes/{COMPOSE}/results/{origin}/{path}.json"
    return RefusedReport(origin=Origin(origin), path=full, came=came, codes=("not-json",))


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("passed", State.ERRORED),
        ("skipped", State.ERRORED),
        ("failed", State.FAILED),
        ("running", State.RUNNING),
        ("error", State.ERRORED),
    ],
)
def test_a_refused_report_keeps_a_cell_from_passing_and_changes_nothing_else(outcome: str, state: State) -> None:
    file = run(result(outcome))
    answer = only(judge([file], refused_reports=[refused_report()], came={file.path: 3}))
    assert answer.state is state


def test_a_refused_report_says_which_file_holds_what_and_how_to_lift_it() -> None:
    file = run(result("passed"), run_id="8841")
    decision = judge([file], refused_reports=[refused_report()], came={file.path: 3}, refused=[problem()])
    assert only(decision).reason == f"passed in run 8841; {HELD}"
    assert decision.bears_on == {problem().path: 1}


def test_several_refused_reports_are_counted() -> None:
    decision = judge([], refused_reports=[refused_report("8", 4), refused_report()])
    assert only(decision).reason == (
        "nothing reported; a report of rdo was refused: rdo/9.json (not-json) and 1 more; "
        "push a report for x86_64, or take rdo/9.json and 1 more back"
    )
    assert sorted(decision.bears_on.values()) == [1, 1]


def test_what_is_known_is_held_too() -> None:
    file = run(result("failed"))
    line = requirement(baseline="published")
    published = baseline(run(result("failed")))
    answer = only(judge([file], line, published=published, refused_reports=[refused_report()]))
    assert (answer.state, answer.reason) == (State.ERRORED, f"failing since {PUBLISHED}; {HELD}")


def test_what_is_overdue_blocks_whatever_was_refused() -> None:
    answer = only(judge([], requirement(deadline=DAY), refused_reports=[refused_report()], age=25))
    assert answer.state is State.OVERDUE


def test_a_waiver_covers_what_is_held() -> None:
    assert only(judge([], refused_reports=[refused_report()], waivers=[waiver()])).state is State.WAIVED


@pytest.mark.parametrize("outcome", ["passed", "info", "failed", "needs_inspection"])
def test_a_later_conclusive_report_of_the_cell_lifts_it(outcome: str) -> None:
    file = run(result(outcome))
    lifted = judge([file], refused_reports=[refused_report()], came={file.path: 6})
    assert lifted.answers == judge([file]).answers
    assert lifted.bears_on == {}


@pytest.mark.parametrize("outcome", ["running", "queued", "skipped", "not_applicable", "error"])
def test_what_is_not_conclusive_lifts_nothing(outcome: str) -> None:
    files = [run(result("passed"), run_id="1"), run(result(outcome), run_id="2")]
    came = {files[0].path: 3, files[1].path: 6}
    assert only(judge(files, refused_reports=[refused_report()], came=came)).state is State.ERRORED


def test_an_accepted_skip_lifts_nothing() -> None:
    file = run(result("skipped"))
    line = requirement(accept=frozenset({Outcome.PASSED, Outcome.SKIPPED}))
    assert only(judge([file], line, refused_reports=[refused_report()], came={file.path: 6})).state is State.ERRORED


def test_a_report_in_the_same_commit_lifts_nothing() -> None:
    file = run(result("passed"))
    assert only(judge([file], refused_reports=[refused_report()], came={file.path: 5})).state is State.ERRORED


def test_a_report_of_another_arch_lifts_nothing() -> None:
    old, new = run(result("passed", ARM), result("passed", X86), run_id="1"), run(result("passed", X86), run_id="2")
    decision = judge(
        [old, new], refused_reports=[refused_report()], came={old.path: 3, new.path: 6}, variants=TWO_ARCHES
    )
    assert states(decision) == ["rdo smoke on aarch64: errored", "rdo smoke on x86_64: passed"]


def test_each_refused_report_bears_on_what_was_not_reported_since() -> None:
    old, new = run(result("passed", ARM), result("passed", X86), run_id="1"), run(result("passed", X86), run_id="2")
    decision = judge(
        [old, new],
        refused_reports=[refused_report("8", 4), refused_report("9", 7)],
        came={old.path: 3, new.path: 6},
        variants=TWO_ARCHES,
    )
    assert {path[-6:]: count for path, count in decision.bears_on.items()} == {"8.json": 1, "9.json": 2}


def test_the_newest_of_several_reports_lifts_it_in_whatever_order_they_are_read() -> None:
    newer, older = run(result("passed"), run_id="2"), run(result("passed"), run_id="1")
    other = run(result("passed"), origin="idm", run_id="3")
    came = {newer.path: 6, older.path: 3, other.path: 1}
    for files in ([other, newer, older], [older, newer, other]):
        assert only(judge(files, refused_reports=[refused_report()], came=came)).state is State.PASSED


def test_only_those_that_came_after_the_last_report_are_counted() -> None:
    file = run(result("passed"), run_id="1")
    reports = [refused_report("a", 2), refused_report("b", 7), refused_report("c", 8)]
    answer = only(judge([file], refused_reports=reports, came={file.path: 6}))
    assert "was refused: rdo/c.json (not-json) and 1 more; " in answer.reason


@pytest.mark.parametrize(("codes", "words"), [((), "rdo/9.json; push"), (("a", "b"), "rdo/9.json (a, b); push")])
def test_the_codes_of_a_refused_report_are_named_if_there_are_any(codes: tuple[str, ...], words: str) -> None:
    report = structs.replace(refused_report(), codes=codes)
    assert words in only(judge([], refused_reports=[report])).reason


def test_the_run_that_passed_is_named_before_what_else_is_to_be_said_of_it() -> None:
    answer = only(judge(attempts("failed", "passed"), refused_reports=[refused_report()]))
    assert answer.reason == f"passed in run 2; {HELD}; passed on attempt 2 of 2 (failed, passed)"


def test_a_refused_report_of_another_origin_does_not_matter() -> None:
    file = run(result("passed"))
    assert only(judge([file], refused_reports=[refused_report(origin="idm")])).state is State.PASSED


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ((ARM, None, None), "push a report for aarch64, or"),
        ((ARM, "AppStream", "bios"), "push a report for aarch64 AppStream (bios), or"),
    ],
)
def test_what_lifts_it_names_the_cell(cell: tuple[Arch, str | None, str | None], words: str) -> None:
    file = run(result("passed", cell[0], cell[1], cell[2]))
    answer = only(judge([file], requirement(arches=(ARM,)), refused_reports=[refused_report()], variants=TWO_ARCHES))
    assert words in answer.reason


def test_what_lifts_it_names_no_cell_where_any_would_do() -> None:
    answer = only(judge([], requirement(arches="any"), refused_reports=[refused_report()]))
    assert "; push a report, or take" in answer.reason


@pytest.mark.parametrize(
    ("path", "name"),
    [("results/rdo/a\nb.json", "rdo/a\\nb.json"), (f"results/rdo/{'x' * 200}", f"rdo/{'x' * 156}…")],
)
def test_a_hostile_name_is_shown_on_one_line_and_not_too_long(path: str, name: str) -> None:
    assert RefusedReport(origin=Origin("rdo"), path=f"composes/{COMPOSE}/{path}", came=1).name == name


def test_a_folder_of_several_origins_bears_on_the_answers_of_each() -> None:
    folder = f"composes/{COMPOSE}/results"
    reports = [RefusedReport(origin=Origin(name), path=folder, came=1) for name in ("rdo", "idm")]
    decision = judge([], requirement(), requirement("idm"), requirement("idm", "other"), refused_reports=reports)
    assert decision.bears_on == {folder: 3}


def test_a_change_of_everything_has_a_name_too() -> None:
    report = RefusedReport(origin=Origin("rdo"), path="", came=1)
    assert "a report of rdo was refused: everything; push" in only(judge([], refused_reports=[report])).reason


def test_many_refused_reports_bear_on_many_answers() -> None:
    reports = [refused_report(str(number), number) for number in range(3000)]
    lines = [requirement(testcase=f"t{number}") for number in range(1000)]
    decision = judge([], *lines, refused_reports=reports)
    assert set(decision.bears_on.values()) == {1000}


def test_what_nobody_can_list_is_held_too() -> None:
    answer = only(judge([], refused_reports=[refused_report()], unreadable=True))
    assert (answer.state, answer.reason) == (
        State.ERRORED,
        (
            "which arches and variants the compose has is not known: its metadata could not be read; "
            "a report of rdo was refused: rdo/9.json (not-json); push a report, or take rdo/9.json back"
        ),
    )
