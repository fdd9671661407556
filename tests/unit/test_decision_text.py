"""The decision in plain text: what decides first, nothing lost, nothing wider than a terminal."""

import datetime as dt

import pytest
from gate_world import ARM, COMPOSE, TWO_ARCHES, X86, baseline, judge, problem, requirement, result, run, waiver

from compose_repo.core.names import Arch, Origin, Testcase
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import Contact
from compose_repo.core.rules.policy import OriginEntry
from compose_repo.core.verdict.decision import Decision, State, Verdict
from compose_repo.core.verdict.decision_text import Basis, decision_text, heading
from compose_repo.core.verdict.refusals import RefusedReport
from compose_repo.core.verdict.unmatched import Reported

ORIGINS = {
    Origin("rdo"): OriginEntry(
        origin=Origin("rdo"),
        name="RDO",
        contact=Contact(name="N", email="e@example.org", url="https://u.example.org", docs="https://d.example.org"),
    )
}
HOUR = dt.timedelta(hours=1)
MERGED = Basis(where="as merged on origin/main (0123456789ab)")
OPENED = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)


def plain(_: State | Verdict, text: str) -> str:
    return text


def text(decision: Decision, *, every: bool = False) -> str:
    lines = decision_text(decision, ORIGINS, basis=MERGED, every=every, emphasize=plain)
    return "".join(f"{line}\n" for line in lines)


def head(basis: Basis) -> list[str]:
    return list(heading(judge([run(result("passed"))]), basis, plain))


def every_state() -> Decision:
    lines = [requirement(testcase=name) for name in ("a", "b", "c", "d", "e", "f")]
    lines.append(requirement(testcase="g", baseline="published"))
    files = [
        run(result("failed", X86, "AppStream", "bios", testcase="f"), at=2),
        run(
            result("passed", testcase="a"),
            result("running", testcase="c"),
            result("error", testcase="d", error_reason="no route"),
            result("passed", testcase="e"),
            result("passed", X86, "AppStream", "bios", testcase="f"),
            at=1,
            run_id="2",
        ),
        run(result("failed", testcase="e"), result("failed", testcase="g"), run_id="3"),
    ]
    late = requirement("idm", "late", deadline=HOUR, arches="any")
    return judge(
        files,
        *lines,
        late,
        requirement("idm"),
        waivers=[waiver("idm")],
        refused=[problem()],
        published=baseline(run(result("failed", testcase="g"))),
        age=2,
    )


def test_what_needs_a_person_comes_first() -> None:
    assert text(every_state()) == (
        """\
BLOCKED
CentOS-Stream-10-20261120.0: as merged on origin/main (0123456789ab)
Of 9 required, 1 failed (rdo e on x86_64), 1 overdue (idm late), 1 errored, 1 running, 1 missing, 1
known, 1 waived; 1 result file refused.

STATE    ORIGIN  TEST   WHERE     WHY
failed   rdo     e      x86_64    failed on attempt 2 of 2 (passed, failed)
         https://ci.example.org/3
overdue  idm     late   anywhere  nothing reported; due within 1h
errored  rdo     d      x86_64    infrastructure error: no route
         https://ci.example.org/2
running  rdo     c      x86_64    running
         https://ci.example.org/2
missing  rdo     b      x86_64    nothing reported; 1 file of rdo refused
known    rdo     g      x86_64    failing since CentOS-Stream-10-20261115.0
         https://ci.example.org/3
waived   idm     smoke  x86_64    missing; waived: known bug; until 2026-12-31,
                                  https://issues.example.org/1

2 passed: rdo 2 (--all lists them)

Refused files:
  composes/CentOS-Stream-10-20261120.0/results/rdo/9.json:1: not-json: the file ends too early;
    write it whole

Whom to ask:
  rdo (RDO): N, e@example.org, https://u.example.org, https://d.example.org
"""
    )


def test_all_lists_what_passed_too() -> None:
    shown = text(every_state(), every=True)
    assert (
        """
passed   rdo     a      x86_64
passed   rdo     f      x86_64 AppStream        passed on attempt 2 of 2 (failed, passed); flaky
                        (bios)

Refused files"""
        in shown
    )
    assert "--all" not in shown


def test_what_only_informs_stands_apart() -> None:
    lines = [requirement(), requirement(testcase="new", blocking=False)]
    shown = text(judge([run(result("passed"), result("failed", testcase="new"))], *lines))
    assert "All 1 required passed; informing: 1 failed." in shown
    assert (
        """
1 passed: rdo 1 (--all lists them)

Informing, which moves no verdict:

STATE   ORIGIN  TEST  WHERE   WHY
failed  rdo     new   x86_64
"""
        in shown
    )


def test_what_is_too_long_for_its_column_goes_on_below() -> None:
    decision = judge([], requirement(testcase="a" * 40))
    assert text(decision).split("\n\n")[1] == (
        f"""\
STATE    ORIGIN  TEST                        WHERE   WHY
missing  rdo     {"a" * 26}  x86_64  nothing reported
                 {"a" * 14}"""
    )


def test_a_decision_without_answers_is_three_lines() -> None:
    decision = judge([], requirement(streams=("CentOS-Stream-9",)))
    assert text(decision) == (
        "BLOCKED\n"
        "CentOS-Stream-10-20261120.0: as merged on origin/main (0123456789ab)\n"
        "No requirement applies to CentOS-Stream-10, so nothing can be satisfied.\n"
    )


def test_what_passed_is_counted_by_origin() -> None:
    files = [run(result("passed", ARM), result("passed", X86)), run(result("passed"), origin="idm")]
    decision = judge(files, requirement(), requirement("idm", arches=(Arch("x86_64"),)), variants=TWO_ARCHES)
    assert text(decision) == (
        """\
SATISFIED
CentOS-Stream-10-20261120.0: as merged on origin/main (0123456789ab)
All 3 required passed.

3 passed: idm 1, rdo 2 (--all lists them)
"""
    )


def test_each_waiver_worth_a_look_is_named() -> None:
    decision = judge([run(result("passed"))], waivers=[waiver(), waiver("idm", expires="2026-11-01")])
    assert text(decision).split("\n\n")[2] == (
        """\
Waivers worth a look:
  unused: rdo smoke (until 2026-12-31, by jdoe, https://issues.example.org/1)
  expired: idm smoke (until 2026-11-01, by jdoe, https://issues.example.org/1)
"""
    )


def test_an_origin_that_nobody_knows_is_not_to_be_asked() -> None:
    assert "Whom to ask" not in text(judge([], requirement("idm")))


def test_what_stands_out_is_the_verdict_and_each_state() -> None:
    shown = list(
        decision_text(
            judge([run(result("failed"))], requirement(), requirement("idm")),
            {},
            basis=MERGED,
            every=False,
            emphasize=lambda state, text: f"<{state}:{text}>",
        )
    )
    assert shown[0] == "<blocked:BLOCKED>"
    assert [line.split(">")[0] for line in shown if line.startswith("<")][1:] == ["<failed:failed", "<missing:missing"]


def test_no_character_moves_the_cursor() -> None:
    decision = judge([run(result("error", error_reason="a\x1b[2Jb"))])
    assert "\x1b" not in text(decision)


def test_a_refused_file_says_on_how_many_answers_it_bears() -> None:
    report = RefusedReport(origin=Origin("rdo"), path=problem().path, came=1)
    shown = text(judge([], requirement(), requirement(testcase="b"), refused=[problem()], refused_reports=[report]))
    assert (
        """
Refused files:
  composes/CentOS-Stream-10-20261120.0/results/rdo/9.json:1: not-json: the file ends too early;
    write it whole; this affects 2 answers until each is reported again or the file is taken back
"""
        in shown
    )
    one = text(judge([], refused=[problem()], refused_reports=[report]))
    assert "; this affects 1 answer until" in one.replace("\n   ", "")


def test_what_bears_on_most_is_told_first() -> None:
    old, new = (f"composes/{COMPOSE}/results/rdo/{name}.json" for name in ("a", "z"))
    reports = [
        RefusedReport(origin=Origin("rdo"), path=old, came=1),
        RefusedReport(origin=Origin("rdo"), path=new, came=5),
    ]
    file = run(result("passed"))
    shown = text(
        judge([file], refused=[problem(old), problem(new)], refused_reports=reports, came={file.path: 3}), every=True
    )
    assert shown.index("rdo/z.json:1") < shown.index("rdo/a.json:1")


def test_what_is_wrong_with_the_branch_is_told_before_any_file() -> None:
    file, branch = problem(), problem(f"composes/{COMPOSE}")
    report = RefusedReport(origin=Origin("rdo"), path=file.path, came=1)
    shown = text(judge([], refused=[file, branch], refused_reports=[report]))
    assert shown.index(f"  {branch.path}:1") < shown.index(f"  {file.path}:1")


def test_results_that_answer_nothing_are_named_or_counted() -> None:
    unasked = [
        Reported(Origin(origin), Testcase(name), None, X86, None)
        for origin, name in (("rdo", "smok"), ("rdo", "x"), ("idm", "y"), ("qa", "y"), ("qa", "z"))
    ]
    shown = text(judge([], unasked=unasked))
    assert (
        """
Results that answer no requirement:
  idm: 1 result
  qa: 2 results
  rdo: smok on x86_64; did you mean smoke?
  rdo: 1 more result
"""
        in shown
    )


def test_results_that_are_all_named_are_not_counted() -> None:
    shown = text(judge([], unasked=[Reported(Origin("rdo"), Testcase("smok"), None, X86, None)]))
    assert "\nResults that answer no requirement:\n  rdo: smok on x86_64; did you mean smoke?\n\n" in shown


def test_advice_on_the_rules_is_counted() -> None:
    def aged(code: Code, line: int) -> Problem:
        return Problem(path="gate/policy.toml", line=line, code=code, message="it has aged", fix="look at it")

    shown = text(judge([], advice=[aged(Code.NO_DOCS, 1), aged(Code.WAIVER_EXPIRED, 2), aged(Code.NO_DOCS, 3)]))
    assert "\nAdvice on the rules:\n  2 no-docs, 1 waiver-expired (compose-repo validate gate lists them)\n" in shown


@pytest.mark.parametrize(
    ("files", "said"), [(1, "1 result file"), (2, "2 result files"), (1_000, "1,000 result files")]
)
def test_a_verdict_that_hangs_on_who_has_pushed_says_so_and_of_how_many_files(files: int, said: str) -> None:
    assert head(Basis(where="on a branch", believed=files)) == [
        f"SATISFIED if the pushers are who they say: {said}, whose pushers only GitLab knows",
        "CentOS-Stream-10-20261120.0: on a branch",
    ]


def test_a_verdict_that_hangs_on_nobody_stands_alone() -> None:
    assert head(MERGED)[0] == "SATISFIED"


def test_what_runs_by_the_date_of_a_commit_is_said() -> None:
    at = dt.datetime(2026, 11, 20, 19, tzinfo=dt.timezone(HOUR))
    assert head(Basis(where="on a branch", opened_at=OPENED, at=at))[2:] == [
        "what was there by 2026-11-20 18:00 UTC, as of commit dates; they are claims",
        "deadlines run from 2026-11-20 06:00 UTC, the date of the commit that opened the compose",
    ]


def test_the_name_of_a_commit_comes_from_outside() -> None:
    assert head(Basis(where="on a\x1b[2J"))[1] == "CentOS-Stream-10-20261120.0: on a\N{REPLACEMENT CHARACTER}[2J"
