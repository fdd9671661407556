"""A decision as JUnit XML: a merge request's test widget shows what failed without anybody opening the note."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET  # the module is imported only where JUnit is asked for

from compose_repo.core import escape
from compose_repo.core.verdict.decision import Answer, Decision, State, Verdict
from compose_repo.core.verdict.decision_text import hold_words, in_order, remarks

SUITE: Final = "as reported, pushers not checked"
"""In a pipeline nobody asks GitLab who has pushed a result."""
ELEMENT: Final = {
    State.FAILED: "failure",
    State.OVERDUE: "failure",
    State.ERRORED: "error",
    State.RUNNING: "skipped",
    State.MISSING: "skipped",
    State.KNOWN: "skipped",
    State.WAIVED: "skipped",
}
"""What each state is in JUnit; a case that passed has none."""


class _Case(NamedTuple):
    """One test case: whose it is, its name, and what it came to."""

    origin: str
    name: str
    state: State
    why: str
    url: str | None = None
    blocking: bool = True

    @property
    def element(self) -> str | None:
        """The element that says what it came to; None of what passed. What only informs has never failed."""
        kind = ELEMENT.get(self.state)
        return kind if kind is None or self.blocking else "skipped"


def as_junit(decision: Decision) -> bytes:
    """Write JUnit XML: one test case for each required cell; the verdict and a hold are the suite's properties.

    What failed or is overdue has failed, what errored is an error, and all that neither passed nor failed is skipped;
    each says why. Of names that stand twice GitLab would show the first alone, so each further one is numbered.
    """
    cases = list(_cases(decision))
    found = Counter(case.element for case in cases)
    counts = {
        "tests": str(len(cases)),
        "failures": str(found["failure"]),
        "errors": str(found["error"]),
        "skipped": str(found["skipped"]),
    }
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": SUITE, **counts})
    properties = ET.SubElement(suite, "properties")
    held = () if decision.held is None else (("held", hold_words(decision.held)),)
    for name, value in (("verdict", decision.verdict.value), ("summary", decision.summary), *held):
        ET.SubElement(properties, "property", {"name": name, "value": escape.xml(value)})
    names: Counter[tuple[str, str]] = Counter()
    for case in cases:
        names[case.origin, case.name] += 1
        number = names[case.origin, case.name]
        _write(suite, case, "" if number == 1 else f" [{number}]", decision.verdict)
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _cases(decision: Decision) -> Iterator[_Case]:
    """Give a case for each answer, those that decide first; a stream in which nothing blocks has one that failed."""
    if not any(answer.blocking for answer in decision.answers):
        stream = str(decision.compose_id.stream)
        yield _Case("gate", f"a requirement that blocks for {stream}", State.FAILED, decision.summary)
    for answer in in_order(decision.answers):
        yield _Case(answer.origin, answer.title, answer.state, _why(answer), answer.url, answer.blocking)


def _why(answer: Answer) -> str:
    """Say why a case has the state that it has; of a waived one also until when and where that is discussed."""
    waiver = "" if answer.waiver is None else f"until {answer.waiver.expires}, {answer.waiver.issue}"
    informs = "" if answer.blocking else "informing, moves no verdict"
    return "; ".join(part for part in (informs, remarks(answer), waiver) if part)


def _write(suite: ET.Element, case: _Case, suffix: str, verdict: Verdict) -> None:
    names = {"classname": escape.xml(case.origin), "name": escape.xml(case.name) + suffix}
    element = ET.SubElement(suite, "testcase", names)
    kind = case.element
    if kind is None:
        return
    said = f"{case.state}: {case.why}" if case.why else str(case.state)
    told = ET.SubElement(element, kind, {"message": escape.xml(said)})
    if kind != "skipped":
        told.set("type", case.state.value)
        lines = [f"The gate is {verdict}.", said, *([] if case.url is None else [case.url])]
        told.text = "\n".join(map(escape.xml, lines))
