"""Problems as people and programs read them: text, `problems/1`, JUnit and GitLab Code Quality.

Paths and messages carry text from outside; nothing leaves here that a terminal or an XML reader could stumble over.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compose_repo.core import escape
from compose_repo.core.escape import terminal
from compose_repo.core.problem import SCHEMA, Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a validation came to: the paths of the files that were checked, and every problem; both sorted."""

    checked: Sequence[str]
    problems: Sequence[Problem]


def as_text(report: Report) -> str:
    """Write one line per problem, by file, and a last line that sums up."""
    files = len(report.checked)
    if not report.problems:
        return f"{_counted(files, 'file')} checked, no problem"
    bad = len({problem.path for problem in report.problems})
    total = f"{_counted(len(report.problems), 'problem')} in {_counted(bad, 'file')}; {_counted(files, 'file')} checked"
    return "\n".join([*map(as_line, report.problems), total])


def as_line(problem: Problem) -> str:
    """Write a problem as `path:line: code: pointer: message; fix`."""
    pointer = f"{terminal(problem.pointer)}: " if problem.pointer else ""
    where = f"{escape.path(problem.path)}:{problem.line}"
    return f"{where}: {problem.code}: {pointer}{terminal(problem.message)}; {terminal(problem.fix)}"


def as_json(report: Report) -> str:
    """Write the `problems/1` document; the same problems give the same bytes."""
    document = {
        "schema": SCHEMA,
        "checked": len(report.checked),
        "problems": list(map(as_row, report.problems)),
    }
    return escape.json_text(document)


def as_row(problem: Problem) -> dict[str, Any]:
    """Give the `problems/1` row with nothing in it that JSON readers or terminals could stumble over."""
    return {
        **problem.to_dict(),
        "path": escape.path(problem.path),
        "pointer": terminal(problem.pointer),
        "message": terminal(problem.message),
        "fix": terminal(problem.fix),
    }


def as_junit(report: Report) -> bytes:
    """Write JUnit XML: a test case for each file; the problems of one make its failure."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415  # only where JUnit is asked for

    by_path: dict[str, list[Problem]] = {path: [] for path in report.checked}
    for problem in report.problems:
        by_path.setdefault(problem.path, []).append(problem)
    counts = {"tests": str(len(by_path)), "failures": str(sum(map(bool, by_path.values()))), "errors": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": "compose-repo validate", **counts})
    for path, problems in sorted(by_path.items()):
        name = escape.xml(escape.path(path))
        case = ET.SubElement(suite, "testcase", {"classname": "validate", "name": name, "file": name})
        if problems:
            about = f"{problems[0].code}: {escape.xml(problems[0].message)}"
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            failure = ET.SubElement(case, "failure", {"type": problems[0].code, "message": about + more})
            failure.text = "\n".join(escape.xml(as_line(problem)) for problem in problems)
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def as_code_quality(report: Report) -> str:
    """Write GitLab's Code Quality report: a merge request shows each problem at its line.

    A fingerprint stays the same when lines move; of problems that are alike, each has its own.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    rows = []
    for problem in report.problems:
        identity = (problem.code, problem.path, problem.pointer, problem.message)
        seen[identity] += 1
        rows.append(
            {
                "description": escape.code_quality(f"{problem.message}; {problem.fix}"),
                "check_name": problem.code,
                "fingerprint": _digest(*identity, str(seen[identity])),
                "severity": "major",
                "location": {"path": escape.code_quality(escape.path(problem.path)), "lines": {"begin": problem.line}},
            }
        )
    return escape.json_text(rows)


def _digest(*parts: str) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(ascii(parts).encode()).hexdigest()


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
