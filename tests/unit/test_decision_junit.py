"""A decision as JUnit: one case for each required cell, and each state is what it is."""

import datetime as dt
from xml.etree import ElementTree as ET

import pytest
from gate_world import (
    ARM,
    TWO_ARCHES,
    X86,
    baseline,
    judge,
    requirement,
    result,
    run,
    waiver,
)

from compose_repo.core.names import Stream
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.verdict.decision import Decision
from compose_repo.core.verdict.junit import SUITE, as_junit


def suite(decision: Decision) -> ET.Element:
    written = as_junit(decision)
    assert written.startswith(b"<?xml")
    assert written.endswith(b"\n")
    [found] = ET.fromstring(written)  # noqa: S314  # our own
    return found


def told(decision: Decision) -> list[tuple[str | None, str | None, str | None]]:
    """Give each case: its name, what it is, and why."""
    rows: list[tuple[str | None, str | None, str | None]] = []
    for case in suite(decision).iter("testcase"):
        of = next(iter(case), None)
        rows.append((case.get("name"), None, None) if of is None else (case.get("name"), of.tag, of.get("message")))
    return rows


SMOKE = "rdo smoke on x86_64"
LATE = requirement(deadline=dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("decision", "kind", "message"),
    [
        (judge([run(result("passed"))]), None, None),
        (judge([run(result("failed"))]), "failure", "failed"),
        (judge([run(result("needs_inspection"))]), "failure", "failed: needs_inspection is not accepted"),
        (judge([], LATE, age=2), "failure", "overdue: nothing reported; due within 1h"),
        (
            judge([run(result("error", error_reason="no route"))]),
            "error",
            "errored: infrastructure error: no route",
        ),
        (judge([run(result("running"))]), "skipped", "running: running"),
        (judge([]), "skipped", "missing: nothing reported"),
        (
            judge([run(result("failed"))], waivers=[waiver()]),
            "skipped",
            "waived: failed; waived: known bug; until 2026-12-31, https://issues.example.org/1",
        ),
        (
            judge(
                [run(result("failed"))],
                requirement(baseline="published"),
                published=baseline(run(result("failed"))),
            ),
            "skipped",
            "known: failing since CentOS-Stream-10-20261115.0",
        ),
    ],
)
def test_each_state_is_what_junit_has_for_it(decision: Decision, kind: str | None, message: str | None) -> None:
    assert told(decision) == [(SMOKE, kind, message)]


def test_the_suite_says_that_nobody_has_asked_who_has_pushed() -> None:
    assert suite(judge([])).get("name") == SUITE == "as reported, pushers not checked"


def test_every_required_cell_is_a_case_and_what_decides_comes_first() -> None:
    decision = judge([run(result("passed", ARM), result("failed", X86))], variants=TWO_ARCHES)
    found = suite(decision)
    assert [name for name, _, _ in told(decision)] == [SMOKE, "rdo smoke on aarch64"]
    assert [found.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["2", "1", "0", "0"]
    assert {case.get("classname") for case in found.iter("testcase")} == {"rdo"}


def test_a_failure_tells_the_verdict_first_then_why_and_where() -> None:
    decision = judge([run(result("failed", url="https://ci.example.org/1/log"))])
    [failure] = suite(decision).iter("failure")
    assert failure.text == "The gate is blocked.\nfailed\nhttps://ci.example.org/1/log"
    assert failure.get("type") == "failed"


def test_silence_that_failed_has_no_address() -> None:
    [failure] = suite(judge([], LATE, age=2)).iter("failure")
    assert failure.text == "The gate is blocked.\noverdue: nothing reported; due within 1h"


def test_the_verdict_and_its_sentence_are_properties_of_the_suite() -> None:
    decision = judge([])
    assert [(one.get("name"), one.get("value")) for one in suite(decision).iter("property")] == [
        ("verdict", "pending"),
        ("summary", decision.summary),
    ]


def test_a_hold_is_a_property_of_the_suite() -> None:
    hold = HoldEntry(
        stream=Stream("CentOS-Stream-10"),
        reason="It eats <discs>.",
        issue="https://i.example.org/1",
        by="jdoe",
        until=dt.date(2026, 11, 30),
    )
    *_, last = suite(judge([], holds=[hold])).iter("property")
    said = "held until the end of 2026-11-30 (UTC) by jdoe: It eats <discs>. (https://i.example.org/1)"
    assert (last.get("name"), last.get("value")) == ("held", said)


def test_a_stream_without_any_requirement_has_a_case_that_failed() -> None:
    decision = judge([], requirement(streams=(Stream("CentOS-Stream-9"),)))
    assert told(decision) == [
        ("a requirement that blocks for CentOS-Stream-10", "failure", f"failed: {decision.summary}")
    ]


def test_what_only_informs_is_skipped_and_says_so() -> None:
    decision = judge(
        [run(result("passed"), result("failed", testcase="new"))],
        requirement(),
        requirement(testcase="new", blocking=False),
    )
    assert told(decision) == [
        ("rdo new on x86_64", "skipped", "failed: informing, moves no verdict"),
        (SMOKE, None, None),
    ]
    alone = told(judge([run(result("passed"))], requirement(blocking=False)))
    assert [(name, tag) for name, tag, _ in alone] == [
        ("a requirement that blocks for CentOS-Stream-10", "failure"),
        (SMOKE, None),
    ]


def test_cells_of_one_name_are_told_apart() -> None:
    decision = judge([], requirement(), requirement(arches=(X86,)))
    assert [name for name, _, _ in told(decision)] == [SMOKE, f"{SMOKE} [2]"]


def test_text_from_outside_is_xml_and_none_of_gitlabs_markup() -> None:
    decision = judge([run(result("error", error_reason="\x1b]<&\ud800 [[ATTACHMENT|/etc/passwd]] %{bold}"))])
    assert b"[[ATTACHMENT" not in as_junit(decision)
    assert "<& " not in as_junit(decision).decode()
    [(_, _, message)] = told(decision)
    assert message is not None
    assert message.startswith("errored: infrastructure error: ")
