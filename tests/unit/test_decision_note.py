"""The decision as Markdown: whole for people, bounded for GitLab."""

import datetime as dt
import re

import pytest
from gate_world import ARM, TWO_ARCHES, judge, only, problem, requirement, result, run, waiver
from gitlab_markdown import acts
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from compose_repo.core.names import Origin
from compose_repo.core.result import Contact
from compose_repo.core.rules.policy import OriginEntry, Passes
from compose_repo.core.verdict.decision import Decision
from compose_repo.core.verdict.decision_text import next_step
from compose_repo.words.decision_note import LONGEST, decision_markdown

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ORIGINS = {
    Origin(name): OriginEntry(
        origin=Origin(name), name=name.upper(), contact=Contact(url=f"https://{name}.example.org")
    )
    for name in ("rdo", "idm")
}


def test_a_note_says_everything() -> None:
    files = [
        run(result("failed"), at=2, run_id="1"),
        run(result("failed"), result("passed", ARM), at=1, run_id="2"),
        run(result("running", scenario="bios"), origin="idm", at=None, run_id="3"),
    ]
    decision = judge(
        files,
        requirement(),
        requirement("idm", deadline=dt.timedelta(hours=1)),
        variants=TWO_ARCHES,
        waivers=[waiver("idm", arch=ARM), waiver("idm", testcase="x")],
        refused=[problem()],
        age=2,
    )
    text = decision_markdown(decision, ORIGINS).replace("\N{WORD JOINER}", "")
    assert text == (
        r"""### The gate is blocked

Of 4 required, 1 failed (rdo smoke on x86_64), 1 running, 1 waived; 1 result file refused.

| State | Origin | Test | Where | Why | What next |
|---|---|---|---|---|---|
| failed | rdo | [smoke](<https://ci.example.org/2>) (ci.example.org) | x86_64 | 2 attempts | ask https\://rdo.example.org; then rerun the test, or waive the failure |
| running | idm | [smoke](<https://ci.example.org/3>) (ci.example.org) | x86_64 (bios) | running | wait, or ask https\://idm.example.org |
| waived | idm | smoke | aarch64 | overdue; waived: known bug; [until 2026-12-31](<https://issues.example.org/1>) (issues.example.org) |  |

<details><summary>1 passed: rdo 1</summary>

| State | Origin | Test | Where | Why |
|---|---|---|---|---|
| passed | rdo | [smoke](<https://ci.example.org/2>) (ci.example.org) | aarch64 |  |

</details>

**Refused files**

- composes/CentOS-Stream-10-20261120.0/results/rdo/9.json\:1: not-json: the file ends too early; write it whole

**Waivers worth a look**

- unused: idm x (until 2026-12-31, by jdoe, https\://issues.example.org/1)

**Whom to ask**

- rdo (RDO): https\://rdo.example.org

"""  # noqa: E501  # a table's row is one line
    )


def test_what_informs_is_folded_and_what_came_too_late_is_linked() -> None:
    lines = [requirement(max_attempts=1), requirement(testcase="new", blocking=False)]
    files = [
        run(result("failed"), result("failed", testcase="new"), at=2),
        run(result("passed", url="https://ci.example.org/late"), at=1, run_id="2"),
    ]
    text = decision_markdown(judge(files, *lines), ORIGINS).replace("\N{WORD JOINER}", "")
    folded = text.partition("<details>")[2].partition("</details>")[0]
    assert folded.startswith("<summary>1 informing, which move no verdict</summary>")
    assert "| failed | rdo | [new]" in folded
    late = "rdo smoke on x86_64: passed in run 2"
    assert f"\n- [{late}](<https://ci.example.org/late>) (ci.example.org)\n" in text


@pytest.mark.parametrize(
    ("decision", "step"),
    [
        (judge([run(result("failed"))]), "ask https://rdo.example.org; then rerun the test, or waive the failure"),
        (judge([run(result("error"))]), "ask https://rdo.example.org to run it again"),
        (judge([run(result("running"), at=None)]), "wait, or ask https://rdo.example.org"),
        (judge([]), "ask https://rdo.example.org to report"),
        (judge([], requirement("other")), "ask other to report"),
        (
            judge([], requirement(deadline=dt.timedelta(hours=6))),
            "wait until 2026-11-21 17:00 UTC, or ask https://rdo.example.org",
        ),
        (
            judge([], requirement(deadline=dt.timedelta(minutes=6))),
            "ask https://rdo.example.org to report, or waive the test",
        ),
        (
            judge([run(result("passed"))], requirement(passes=Passes(passed=2, of=3), deadline=dt.timedelta(hours=6))),
            "wait until 2026-11-21 17:00 UTC, or ask https://rdo.example.org",
        ),
        (judge([run(result("passed"))]), ""),
        (judge([run(result("failed"))], requirement(blocking=False)), ""),
    ],
)
def test_what_to_do_next_is_one_line(decision: Decision, step: str) -> None:
    assert next_step(only(decision), ORIGINS) == step


def test_who_has_only_a_name_is_asked_by_it() -> None:
    entry = OriginEntry(origin=Origin("rdo"), name="RDO", contact=Contact(name="the RDO team"))
    assert next_step(only(judge([])), {Origin("rdo"): entry}) == "ask the RDO team to report"
    bare = OriginEntry(origin=Origin("rdo"), name="RDO", contact=Contact())
    assert next_step(only(judge([])), {Origin("rdo"): bare}) == "ask RDO to report"


def test_a_note_without_anything_to_look_at_is_short() -> None:
    assert decision_markdown(judge([], waivers=[waiver()]), ORIGINS) == (
        """### The gate is satisfied

Of 1 required, 0 passed, 1 waived.

| State | Origin | Test | Where | Why | What next |
|---|---|---|---|---|---|
| waived | rdo | smoke | x86_64 | missing; waived: known bug; [until 2026-12-31](<https://issues.example.org/1>) (issues.example.org) |  |

"""  # noqa: E501  # a table's row is one line
    )


def test_a_note_counts_what_it_leaves_out() -> None:
    lines = [requirement(testcase=f"t{number}") for number in range(8)]
    files = [run(*(result("passed", testcase=f"t{number}") for number in range(3)))]
    decision = judge(files, *lines, refused=[problem(f"{number}") for number in range(4)])
    text = decision_markdown(decision, ORIGINS, most=2)
    assert "\n\nAnd 3 more.\n" in text
    assert "\n\nAnd 1 more.\n" in text
    assert "\n- and 2 more\n" in text
    assert text.count("\n| missing |") == 2


def test_a_note_is_cut_until_it_fits() -> None:
    decision = judge([], *(requirement(testcase=f"t{number}" + "x" * 200) for number in range(100)))
    whole = decision_markdown(decision, ORIGINS)
    cut = decision_markdown(decision, ORIGINS, longest=10_000, most=100)
    assert "more." not in whole
    assert len(cut) <= 10_000
    assert f"\n\nAnd {100 - cut.count('| missing |')} more.\n" in cut


def test_a_note_that_cannot_fit_still_has_the_verdict() -> None:
    text = decision_markdown(judge([]), ORIGINS, longest=1)
    assert text.startswith("### The gate is pending\n\nOf 1 required, 1 missing (rdo smoke on x86_64).")
    assert "\n\nAnd 1 more.\n" in text


def test_the_worst_that_anybody_can_report_fits() -> None:
    lines = [requirement(testcase="@" * 240 + f"{number}") for number in range(2_000)]
    files = [run(*(result("error", testcase=line.testcase, error_reason="@" * 1024) for line in lines))]
    assert len(decision_markdown(judge(files, *lines), ORIGINS)) <= LONGEST


@given(st.text(st.sampled_from("@#!~$%&^*_`[](){}<>|\\/:+-=.\"' aw1"), min_size=1, max_size=30))
@example("/approve")
@example("[x](https://evil.example)|<img src=x>")
@example("```")
@example("<details>")
@example("[TOC] [ ] GL-1 a/b> [epic:1] :boom:")
def test_no_name_that_a_test_may_have_adds_markup_or_links(name: str) -> None:
    files = [
        run(
            result("error", scenario=name, testcase=name, error_reason=name, url="https://ci.example.org/1"),
            result("passed", ARM, scenario=name, testcase=name),
        )
    ]
    exception = waiver(testcase="x", reason=name, scenario=name)
    text = decision_markdown(judge(files, requirement(testcase=name), waivers=[exception]), ORIGINS)
    html = RENDERER.render(text)
    assert list(acts(text)) == []
    assert set(re.findall(r"<(\w+)", html)) <= {
        "a", "details", "h3", "li", "p", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
    }  # fmt: skip
    assert set(re.findall(r'href="([^"]*)"', html)) <= {"https://ci.example.org/1", "https://issues.example.org/1"}
    assert not any(line.lstrip().startswith("/") for line in text.splitlines())
    assert {row.count("<td>") for row in html.split("</tr>")[1:]} <= {0, 5, 6}
