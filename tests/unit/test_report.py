"""Reports carry text from outside: they stay one line, valid XML, valid JSON, and stable."""

import json
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.problems.report import (
    Report,
    as_advice_line,
    as_code_quality,
    as_json,
    as_junit,
    as_line,
    as_row,
    as_text,
)

PROBLEM = Problem(
    path="a/b.json", line=5, pointer="/origin", code=Code.ORIGIN_MISMATCH, message="'x' & <y>", fix="fix it"
)
ADVICE = Problem(path="a/c.json", line=7, pointer="/x", code=Code.WAIVER_EXPIRED, message="'x' & <y>", fix="remove it")
ANY_TEXT = st.text(st.characters(), max_size=20)
PROBLEMS = st.builds(
    Problem,
    path=ANY_TEXT,
    line=st.integers(1, 99),
    pointer=ANY_TEXT,
    code=st.just("bad-name"),
    message=ANY_TEXT,
    fix=ANY_TEXT,
)


def report(*problems: Problem, advice: Sequence[Problem] = ()) -> Report:
    return Report(checked=["a/b.json", "a/c.json"], problems=sorted(problems), advice=sorted(advice))


def test_a_problem_is_one_line() -> None:
    assert as_line(PROBLEM) == "a/b.json:5: origin-mismatch: /origin: 'x' & <y>; fix it"


def test_a_problem_of_the_whole_file_has_no_pointer() -> None:
    assert as_line(Problem(path="f", code=Code.STRAY_FILE, message="m", fix="x")) == "f:1: stray-file: m; x"


def test_a_piece_of_advice_is_one_line_that_says_what_it_is() -> None:
    assert as_advice_line(ADVICE) == "a/c.json:7: advice: waiver-expired: /x: 'x' & <y>; remove it"


def test_text_sums_up_what_is_wrong() -> None:
    assert as_text(report(PROBLEM)).endswith("\n1 problem in 1 file; 2 files checked")


def test_text_says_that_nothing_is_wrong() -> None:
    assert as_text(report()) == "2 files checked, no problem"


def test_text_has_advice_after_the_problems_and_counts_it() -> None:
    first = Problem(path="a/a.json", code=Code.NO_DOCS, message="m", fix="x")
    assert as_text(report(PROBLEM, advice=[ADVICE, first])).split("\n") == [
        as_line(PROBLEM),
        as_advice_line(first),
        as_advice_line(ADVICE),
        "1 problem in 1 file; 2 pieces of advice; 2 files checked",
    ]


def test_advice_alone_is_not_a_problem() -> None:
    assert as_text(report(advice=[ADVICE])).endswith("\n2 files checked, no problem; 1 piece of advice")


def test_json_is_the_contract() -> None:
    assert json.loads(as_json(report(PROBLEM, advice=[ADVICE]))) == {
        "schema": "problems/2",
        "checked": 2,
        "problems": [
            {
                "code": "origin-mismatch",
                "path": "a/b.json",
                "pointer": "/origin",
                "line": 5,
                "message": "'x' & <y>",
                "fix": "fix it",
            }
        ],
        "advice": [
            {
                "code": "waiver-expired",
                "path": "a/c.json",
                "pointer": "/x",
                "line": 7,
                "message": "'x' & <y>",
                "fix": "remove it",
            }
        ],
    }


def test_json_says_that_there_is_no_advice() -> None:
    assert json.loads(as_json(report()))["advice"] == []


def test_junit_has_a_case_for_each_file() -> None:
    suites = ET.fromstring(as_junit(report(PROBLEM, PROBLEM)))  # noqa: S314  # our own
    assert [
        (case.get("name"), case.get("file"), [failure.get("message") for failure in case])
        for case in suites.iter("testcase")
    ] == [
        ("a/b.json", "a/b.json", ["origin-mismatch: 'x' & <y> (and 1 more)"]),
        ("a/c.json", "a/c.json", []),
    ]


def test_advice_is_the_output_of_a_case_and_no_failure() -> None:
    suites = ET.fromstring(as_junit(report(advice=[ADVICE, ADVICE])))  # noqa: S314  # our own
    line = as_advice_line(ADVICE)
    assert suites.get("failures") == "0"
    assert [[(one.tag, one.text) for one in case] for case in suites.iter("testcase")] == [
        [],
        [("system-out", f"{line}\n{line}")],
    ]


def test_a_case_with_both_has_its_failure_first_as_junit_wants_it() -> None:
    both = Problem(path=ADVICE.path, code=Code.BAD_TIME, message="m", fix="x")
    suites = ET.fromstring(as_junit(report(both, advice=[ADVICE])))  # noqa: S314  # our own
    assert [[one.tag for one in case] for case in suites.iter("testcase")] == [[], ["failure", "system-out"]]


def test_gitlab_takes_nothing_in_advice_for_an_attachment() -> None:
    sly = Problem(path="a/c.json", code=Code.WAIVER_EXPIRED, message="[[ATTACHMENT|../x]]", fix="x")
    assert b"[[ATTACHMENT" not in as_junit(report(advice=[sly]))


def test_junit_has_a_case_for_a_file_that_only_advice_names() -> None:
    elsewhere = Problem(path="gate/waivers.toml", code=Code.WAIVER_EXPIRED, message="m", fix="x")
    assert b'name="gate/waivers.toml"' in as_junit(report(advice=[elsewhere]))


def test_junit_counts_files_and_failures() -> None:
    suites = ET.fromstring(as_junit(report(PROBLEM)))  # noqa: S314  # our own
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("2", "1", "0")


def test_junit_has_a_case_for_a_file_that_is_not_there() -> None:
    absent = Problem(path="gate/policy.toml", code=Code.MISSING_FILE, message="m", fix="x")
    assert b'name="gate/policy.toml"' in as_junit(report(absent))


def test_code_quality_is_what_gitlab_reads() -> None:
    [row] = json.loads(as_code_quality(report(PROBLEM)))
    fingerprint = row.pop("fingerprint")
    assert len(fingerprint) == 64
    assert row == {
        "description": "'x' & <y>; fix it",
        "check_name": "origin-mismatch",
        "severity": "major",
        "location": {"path": "a/b.json", "lines": {"begin": 5}},
    }


def test_advice_is_of_the_least_severity() -> None:
    rows = json.loads(as_code_quality(report(PROBLEM, advice=[ADVICE])))
    assert [(row["check_name"], row["severity"]) for row in rows] == [
        ("origin-mismatch", "major"),
        ("waiver-expired", "info"),
    ]


def test_a_fingerprint_outlives_a_moved_line() -> None:
    moved = Problem(
        path="a/b.json", line=9, pointer="/origin", code=Code.ORIGIN_MISMATCH, message="'x' & <y>", fix="fix it"
    )
    before, after = (json.loads(as_code_quality(report(one)))[0]["fingerprint"] for one in (PROBLEM, moved))
    assert before == after


@given(st.lists(PROBLEMS, max_size=5))
def test_fingerprints_are_unique(problems: list[Problem]) -> None:
    rows = json.loads(as_code_quality(report(*problems, *problems, advice=problems)))
    assert len({row["fingerprint"] for row in rows}) == 3 * len(problems)


@given(st.lists(PROBLEMS, max_size=5), st.lists(PROBLEMS, max_size=5))
def test_whatever_stands_in_a_problem_every_report_can_be_read(problems: list[Problem], advice: list[Problem]) -> None:
    whole = report(*problems, advice=advice)
    both = len(problems) + len(advice)
    assert all(line.isprintable() for line in as_text(whole).split("\n"))
    assert len(as_text(whole).split("\n")) == both + 1
    document = json.loads(as_json(whole).encode())
    assert (len(document["problems"]), len(document["advice"])) == (len(problems), len(advice))
    assert len(json.loads(as_code_quality(whole).encode())) == both
    ET.fromstring(as_junit(whole))  # noqa: S314  # our own


def test_a_row_is_bounded_however_many_characters_a_byte_of_a_name_takes() -> None:
    row = as_row(Problem(path="\udcff" * 900, code=Code.BAD_NAME, message="\u202e" * 20000, fix="rename it"))
    assert (len(row["path"]), row["path"][-1]) == (4096, "…")
    assert (len(row["message"]), row["message"][-1]) == (16384, "…")
