"""Problems as people and programs read them: text, `problems/2`, JUnit and GitLab Code Quality.

Paths and messages carry text from outside; nothing leaves here that a terminal or an XML reader could stumble over.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from compose_repo.core import escape
from compose_repo.core.escape import terminal
from compose_repo.core.problems.problem import SCHEMA, Problem


class Report(Struct, frozen=True, kw_only=True):
    """What a validation came to: the paths of the files that were checked, every problem, all advice; each sorted.

    Advice has the form of problems and is not one: it never changes an exit code.
    """

    checked: Sequence[str]
    problems: Sequence[Problem]
    advice: Sequence[Problem] = ()


def as_text(report: Report) -> str:
    """Write one line per problem, by file, then one per piece of advice, and a last line that sums up."""
    files = _counted(len(report.checked), "file")
    advice = f"{_counted(len(report.advice), 'piece')} of advice" if report.advice else ""
    if report.problems:
        bad = len({problem.path for problem in report.problems})
        found = f"{_counted(len(report.problems), 'problem')} in {_counted(bad, 'file')}"
        total = "; ".join(filter(None, [found, advice, f"{files} checked"]))
    else:
        total = "; ".join(filter(None, [f"{files} checked, no problem", advice]))
    return "\n".join([*map(as_line, report.problems), *map(as_advice_line, report.advice), total])


def as_line(problem: Problem) -> str:
    """Write a problem as `path:line: code: pointer: message; fix`; an address has no line."""
    return f"{_where(problem)}: {_what(problem)}"


def as_advice_line(advice: Problem) -> str:
    """Write a piece of advice as `path:line: advice: code: pointer: message; fix`: nobody takes it for a problem."""
    return f"{_where(advice)}: advice: {_what(advice)}"


def _where(problem: Problem) -> str:
    """Name the place: of a file its line, of an address none, for what a server shows was not looked at by lines."""
    path = escape.path(problem.path)
    return path if "://" in problem.path and problem.line == 1 else f"{path}:{problem.line}"


def _what(problem: Problem) -> str:
    pointer = f"{terminal(problem.pointer)}: " if problem.pointer else ""
    return f"{problem.code}: {pointer}{terminal(problem.message)}; {terminal(problem.fix)}"


def as_json(report: Report) -> str:
    """Write the `problems/2` document; the same problems and advice give the same bytes."""
    document = {
        "schema": SCHEMA,
        "checked": len(report.checked),
        "problems": list(map(as_row, report.problems)),
        "advice": list(map(as_row, report.advice)),
    }
    return escape.json_text(document)


def as_row(problem: Problem) -> dict[str, Any]:
    """Give the `problems/2` row with nothing in it that JSON readers or terminals could stumble over."""
    return {
        **problem.to_dict(),
        "path": _cut(escape.path(problem.path), PATH_LENGTH),
        "pointer": terminal(problem.pointer),
        "message": _cut(terminal(problem.message), MESSAGE_LENGTH),
        "fix": terminal(problem.fix),
    }


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


PATH_LENGTH: Final = 4096
MESSAGE_LENGTH: Final = 16384
"""Most characters of a row's path and message: a hostile name takes several characters for each of its bytes."""


def as_junit(report: Report) -> bytes:
    """Write JUnit XML: a test case for each file; the problems of one make its failure, advice is its output."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415  # only where JUnit is asked for

    failed, advised = _by_path(report.problems), _by_path(report.advice)
    paths = sorted({*report.checked, *failed, *advised})
    counts = {"tests": str(len(paths)), "failures": str(len(failed)), "errors": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": "compose-repo validate", **counts})
    for path in paths:
        name, problems = escape.xml(escape.path(path)), failed.get(path)
        case = ET.SubElement(suite, "testcase", {"classname": "validate", "name": name, "file": name})
        if problems:
            about = f"{problems[0].code}: {escape.xml(problems[0].message)}"
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            failure = ET.SubElement(case, "failure", {"type": problems[0].code, "message": about + more})
            failure.text = "\n".join(escape.xml(as_line(problem)) for problem in problems)
        if path in advised:
            output = ET.SubElement(case, "system-out")
            output.text = "\n".join(escape.xml(as_advice_line(advice)) for advice in advised[path])
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def as_code_quality(report: Report) -> str:
    """Write GitLab's Code Quality report: a merge request shows each problem, and each piece of advice, at its line.

    A fingerprint stays the same when lines move; of problems that are alike, each has its own.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    rows = []
    graded = [*((one, "major") for one in report.problems), *((one, "info") for one in report.advice)]
    for problem, severity in graded:
        identity = (problem.code, problem.path, problem.pointer, problem.message)
        seen[identity] += 1
        rows.append(
            {
                "description": escape.code_quality(f"{problem.message}; {problem.fix}"),
                "check_name": problem.code,
                "fingerprint": _digest(*identity, str(seen[identity])),
                "severity": severity,
                "location": {"path": escape.code_quality(escape.path(problem.path)), "lines": {"begin": problem.line}},
            }
        )
    return escape.json_text(rows)


def _by_path(problems: Sequence[Problem]) -> dict[str, list[Problem]]:
    by_path: dict[str, list[Problem]] = {}
    for problem in problems:
        by_path.setdefault(problem.path, []).append(problem)
    return by_path


def _digest(*parts: str) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(ascii(parts).encode()).hexdigest()


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
