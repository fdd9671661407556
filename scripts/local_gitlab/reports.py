"""What jobs report about themselves: JUnit and Code Quality."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from pathlib import Path

    from local_gitlab.site import Site
    from local_gitlab.store import Row

MAX_BYTES = 30 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of a Code Quality report."""

    description: str
    severity: str
    path: str
    line: int
    check_name: str


def report_files(site: Site, job: Row, kind: str) -> list[Path]:
    """Return a job's report files of a kind, e.g. `junit`."""
    folder = site.job_directory(job["id"]) / "reports" / kind
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def jobs_of(site: Site, pipeline: Row) -> list[Row]:
    """Return the jobs of a pipeline that count."""
    return site.store.all(
        "SELECT * FROM jobs WHERE pipeline_id = ? AND kind = 'build' AND retried = 0 ORDER BY id",
        pipeline["id"],
    )


def test_report(site: Site, pipeline: Row) -> dict[str, Any]:
    """Return the JUnit reports of a pipeline in the form of GitLab's test report."""
    suites = []
    for job in jobs_of(site, pipeline):
        files = report_files(site, job, "junit")
        if files:
            suites.append(_suite(job, files))
    totals = {
        f"{name}_count": sum(suite[f"{name}_count"] for suite in suites)
        for name in ("total", "success", "failed", "skipped", "error")
    }
    return {"total_time": round(sum(suite["total_time"] for suite in suites), 3), **totals, "test_suites": suites}


def _suite(job: Row, files: list[Path]) -> dict[str, Any]:
    cases: dict[tuple[str, str], dict[str, Any]] = {}
    problem = None
    for path in files:
        try:
            for case in _cases(path):
                # As on GitLab, the first of several cases with the same name counts.
                cases.setdefault((case["classname"], case["name"]), case)
        except (ET.ParseError, ValueError) as error:
            problem = f"JUnit XML parsing failed: {error}"
    found = list(cases.values())
    counts = {
        f"{name}_count": sum(case["status"] == name for case in found)
        for name in ("success", "failed", "skipped", "error")
    }
    return {
        "name": job["name"],
        "total_time": round(sum(case["execution_time"] for case in found), 3),
        "total_count": len(found),
        **counts,
        "suite_error": problem,
        "test_cases": found,
    }


def _cases(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    if len(content) > MAX_BYTES or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError("the file is too large or declares entities")
    found = []
    for case in ET.fromstring(content).iter("testcase"):  # noqa: S314  # declarations are refused above
        status, output = "success", None
        for tag, word in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
            element = case.find(tag)
            if element is not None:
                status = word
                output = "\n".join(part for part in (element.get("message"), element.text) if part)
                break
        found.append(
            {
                "status": status,
                "name": case.get("name", ""),
                "classname": case.get("classname", ""),
                "file": case.get("file"),
                "execution_time": float(case.get("time") or 0),
                "system_output": output,
                "stack_trace": None,
            },
        )
    return found


def code_quality(site: Site, pipeline: Row) -> list[Finding]:
    """Return the findings of a pipeline's Code Quality reports."""
    found = []
    for job in jobs_of(site, pipeline):
        for path in report_files(site, job, "codequality"):
            try:
                items = json.loads(path.read_bytes())
            except ValueError:
                continue
            found += [_finding(item) for item in items if isinstance(item, dict)]
    return found


def new_findings(site: Site, pipeline: Row) -> list[Finding]:
    """Return what a pipeline finds and that of its merge request's target does not.

    As in GitLab's widget, a merge request shows nothing where the target branch has no report to compare with.
    """
    found = code_quality(site, pipeline)
    if pipeline["merge_request_id"] is None:
        return found
    merge_request = site.store.get("merge_requests", pipeline["merge_request_id"])
    rows = site.store.all(
        "SELECT * FROM pipelines WHERE project_id = ? AND ref = ? AND merge_request_id IS NULL ORDER BY id DESC",
        merge_request["project_id"],
        merge_request["target_branch"],
    )
    base = next((row for row in rows if has_code_quality(site, row)), None)
    known = [] if base is None else code_quality(site, base)
    return [] if base is None else [one for one in found if one not in known]


def has_code_quality(site: Site, pipeline: Row) -> bool:
    """Tell whether a pipeline has a Code Quality report, even an empty one."""
    return any(report_files(site, job, "codequality") for job in jobs_of(site, pipeline))


def _finding(item: dict[str, Any]) -> Finding:
    location = item.get("location") or {}
    lines = location.get("lines") or {}
    begin = lines.get("begin") or (location.get("positions") or {}).get("begin", {}).get("line") or 1
    return Finding(
        description=str(item.get("description", "")),
        severity=str(item.get("severity", "minor")),
        path=str(location.get("path", "")),
        line=int(begin),
        check_name=str(item.get("check_name", "")),
    )
