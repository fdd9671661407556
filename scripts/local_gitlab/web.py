"""Pages to look at in a browser: projects, merge requests, pipelines, jobs. Nothing can be changed here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, redirect, render_template, request

from local_gitlab import entities, markdown
from local_gitlab import web_request as asked
from local_gitlab.drafts import is_draft
from local_gitlab.mergeability import merge_status
from local_gitlab.pipelines import head_pipeline
from local_gitlab.reports import Finding, jobs_of, new_findings, test_report
from local_gitlab.site import find_project

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Answer

    from local_gitlab.git import FileDiff
    from local_gitlab.site import Site
    from local_gitlab.store import Row

blueprint = Blueprint("web", __name__)
Json = dict[str, Any]
MAX_LINES = 2000
MAX_FILES = 300
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
ICONS = {
    "success": "✓",
    "failed": "✕",
    "running": "◔",
    "created": "○",
    "pending": "Ⅱ",
    "skipped": "»",
    "canceled": "⊘",
    "manual": "⚙",
    "warning": "!",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """One line or box of a merge request's history."""

    kind: str
    author: Json
    created_at: str
    body: str
    labels: tuple[Row, ...] = ()


def error_page(status: int, text: str) -> Response:
    """Return a page that says what is wrong."""
    return Response(render_template("error.html", status=status, text=text), status=status)


@blueprint.app_template_filter("moment")
def moment(text: str | None) -> str:
    """Show a time the way people read it."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC") if text else ""


@blueprint.app_template_filter("markdown")
def as_markdown(text: str | None) -> str:
    """Show a text's Markdown."""
    return markdown.render(text)


@blueprint.app_template_filter("icon")
def icon(status: str) -> str:
    """Show a status as a sign."""
    return ICONS.get(status, "•")


@blueprint.app_template_filter("ink")
def ink(color: str) -> str:
    """Return the colour of text on a label."""
    return entities.text_color(color)


@blueprint.app_template_filter("seconds")
def seconds(row: Row) -> str:
    """Show how long a pipeline or job took."""
    found = entities.duration(row)
    return "" if found is None else f"{found:.1f} s"


def _project(name: str) -> Row:
    found = find_project(asked.site(), name)
    if found is None:
        abort(404)
    return found


@blueprint.get("/")
def home() -> str:
    """List the projects."""
    site = asked.site()
    rows = site.store.all("SELECT * FROM projects ORDER BY last_activity_at DESC")
    counts = {
        row["id"]: site.store.count(
            "SELECT count(*) FROM merge_requests WHERE project_id = ? AND state = 'opened'",
            row["id"],
        )
        for row in rows
    }
    return render_template("home.html", projects=rows, counts=counts)


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Have no picture, and say so without an error."""
    return Response(status=204)


@blueprint.get("/<path:name>")
def project(name: str) -> str | Answer:
    """Show a project: its files, branches and last commits."""
    site = asked.site()
    row = find_project(site, name)
    if row is None:
        user = site.store.one("SELECT * FROM users WHERE username = ?", name)
        if user is None:
            abort(404)
        return redirect("/")
    if name != row["path_with_namespace"]:
        return redirect(f"/{row['path_with_namespace']}")
    repository = site.repository(row)
    head = repository.branch(row["default_branch"])
    readme = repository.entry(head, "README.md") if head else None
    return render_template(
        "project.html",
        project=row,
        branches=repository.branches(),
        commits=repository.log("-10", head) if head else [],
        files=sorted(repository.tree(head), key=lambda entry: (entry.kind != "tree", entry.path)) if head else [],
        readme=repository.blob(readme.sha).decode(errors="replace") if readme else "",
        **_counts(site, row),
    )


def _counts(site: Site, row: Row) -> Json:
    rows = site.store.all(
        "SELECT state, count(*) AS number FROM merge_requests WHERE project_id = ? GROUP BY state",
        row["id"],
    )
    return {"states": {one["state"]: one["number"] for one in rows}}


def _labels(site: Site, merge_request: Row) -> list[Row]:
    return site.store.all(
        "SELECT labels.* FROM labels JOIN merge_request_labels ON label_id = id "
        "WHERE merge_request_id = ? ORDER BY name",
        merge_request["id"],
    )


@blueprint.get("/<path:name>/-/merge_requests")
def merge_requests(name: str) -> str:
    """List merge requests."""
    site = asked.site()
    row = _project(name)
    state = request.args.get("state", "opened")
    found = site.store.all("SELECT * FROM merge_requests WHERE project_id = ? ORDER BY iid DESC", row["id"])
    shown = [one for one in found if state in {"all", one["state"]}]
    return render_template(
        "merge_requests.html",
        project=row,
        state=state,
        rows=[
            {
                "row": one,
                "labels": _labels(site, one),
                "author": entities.user_by_id(site, one["author_id"]),
                "pipeline": head_pipeline(site, one),
                "approvals": site.store.count("SELECT count(*) FROM approvals WHERE merge_request_id = ?", one["id"]),
            }
            for one in shown
        ],
        **_counts(site, row),
    )


@blueprint.get("/<path:name>/-/merge_requests/<int:iid>")
def merge_request(name: str, iid: int) -> str:
    """Show a merge request."""
    site = asked.site()
    row = _project(name)
    found = site.store.one("SELECT * FROM merge_requests WHERE project_id = ? AND iid = ?", row["id"], iid)
    if found is None:
        abort(404)
    repository = site.repository(row)
    both = found["base_sha"] and found["head_sha"]
    pipeline = head_pipeline(site, found)
    _, detailed, _ = merge_status(site, row, found)
    return render_template(
        "merge_request.html",
        project=row,
        mr=found,
        author=entities.user_by_id(site, found["author_id"]),
        merged_by=entities.user_by_id(site, found["merge_user_id"]),
        closed_by=entities.user_by_id(site, found["closed_by_id"]),
        labels=_labels(site, found),
        detailed=detailed,
        approvals=_approvals(site, found),
        pipeline=_pipeline(site, pipeline),
        commits=repository.log(f"{found['base_sha']}..{found['head_sha']}") if both else [],
        files=[_file(one) for one in repository.diff(found["base_sha"], found["head_sha"])[:MAX_FILES]] if both else [],
        activity=_activity(site, found),
        draft=is_draft(found["title"]),
        **_counts(site, row),
    )


def _approvals(site: Site, found: Row) -> list[Json]:
    rows = site.store.all("SELECT * FROM approvals WHERE merge_request_id = ? ORDER BY created_at", found["id"])
    return [
        {
            "user": entities.user_by_id(site, one["user_id"]),
            "sha": one["sha"],
            "at": one["created_at"],
            "stale": one["sha"] != found["head_sha"],
        }
        for one in rows
    ]


def _pipeline(site: Site, row: Row | None) -> Json | None:
    if row is None:
        return None
    findings: list[Finding] = new_findings(site, row)
    rows = site.store.all("SELECT * FROM jobs WHERE pipeline_id = ? AND retried = 0 ORDER BY id", row["id"])
    stages: dict[str, list[Row]] = {}
    for job in rows:
        stages.setdefault(job["stage"], []).append(job)
    return {
        "row": row,
        "status": job_status_of_pipeline(row, rows),
        "stages": stages,
        "report": test_report(site, row),
        "findings": findings,
    }


def job_status(job: Row) -> str:
    """Return a job's status, in which a failure that is allowed is a warning."""
    return "warning" if job["status"] == "failed" and job["allow_failure"] else str(job["status"])


blueprint.add_app_template_filter(job_status, "job_status")


def job_status_of_pipeline(row: Row, jobs: list[Row]) -> str:
    """Return a pipeline's status, in which a pass with an allowed failure is a warning."""
    warned = any(job_status(job) == "warning" for job in jobs)
    return "warning" if row["status"] == "success" and warned else str(row["status"])


def _activity(site: Site, found: Row) -> list[Activity]:
    notes = [
        Activity(
            kind="system" if row["system"] else "note",
            author=entities.user_by_id(site, row["author_id"]) or {},
            created_at=row["created_at"],
            body=_shown(row["body"]) if row["system"] else row["body"],
        )
        for row in site.store.all("SELECT * FROM notes WHERE merge_request_id = ? ORDER BY id", found["id"])
        if not row["internal"]
    ]
    groups: dict[tuple[int, str, str], list[Row]] = {}
    for row in site.store.all(
        "SELECT e.*, l.name, l.color, l.id AS label FROM label_events e JOIN labels l ON l.id = e.label_id "
        "WHERE merge_request_id = ? ORDER BY e.id",
        found["id"],
    ):
        groups.setdefault((row["user_id"], row["action"], row["created_at"][:19]), []).append(row)
    labels = [
        Activity(
            kind="labels",
            author=entities.user_by_id(site, user_id) or {},
            created_at=rows[0]["created_at"],
            body="added" if action == "add" else "removed",
            labels=tuple(rows),
        )
        for (user_id, action, _), rows in groups.items()
    ]
    return sorted(notes + labels, key=lambda one: one.created_at)


def _shown(body: str) -> str:
    """Turn the list that a push leaves in a note into Markdown."""
    return re.sub(r"</?ul>", "", body).replace("<li>", "\n- ").replace("</li>", "")


def _file(found: FileDiff) -> Json:
    lines = found.text.split("\n")
    shown = [
        {"kind": {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "same"), "text": line}
        for line in lines[:MAX_LINES]
    ]
    return {
        "diff": found,
        "lines": shown,
        "cut": len(lines) > MAX_LINES,
        "added": sum(line["kind"] == "add" for line in shown),
        "removed": sum(line["kind"] == "del" for line in shown),
    }


@blueprint.get("/<path:name>/-/pipelines")
def pipelines(name: str) -> str:
    """List pipelines."""
    site = asked.site()
    row = _project(name)
    rows = site.store.all("SELECT * FROM pipelines WHERE project_id = ? ORDER BY id DESC LIMIT 200", row["id"])
    found = [_pipeline(site, one) for one in rows]
    return render_template("pipelines.html", project=row, pipelines=found, **_counts(site, row))


@blueprint.get("/<path:name>/-/pipelines/<int:pipeline_id>")
def pipeline(name: str, pipeline_id: int) -> str:
    """Show a pipeline."""
    site = asked.site()
    row = _project(name)
    found = site.store.one("SELECT * FROM pipelines WHERE project_id = ? AND id = ?", row["id"], pipeline_id)
    if found is None:
        abort(404)
    mr = site.store.get("merge_requests", found["merge_request_id"]) if found["merge_request_id"] else None
    return render_template("pipeline.html", project=row, pipeline=_pipeline(site, found), mr=mr, **_counts(site, row))


@blueprint.get("/<path:name>/-/jobs/<int:job_id>")
def job(name: str, job_id: int) -> str:
    """Show a job and its log."""
    site = asked.site()
    row = _project(name)
    found = site.store.one("SELECT * FROM jobs WHERE project_id = ? AND id = ?", row["id"], job_id)
    if found is None:
        abort(404)
    trace = site.job_directory(job_id) / "trace.log"
    log = trace.read_text(encoding="utf-8", errors="replace") if trace.exists() else ""
    folder = site.job_directory(job_id) / "artifacts"
    artifacts = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    owner = site.store.get("pipelines", found["pipeline_id"])
    return render_template(
        "job.html",
        project=row,
        job=found,
        pipeline=owner,
        siblings=jobs_of(site, owner),
        log=_ANSI.sub("", log).splitlines(),
        artifacts=artifacts,
        **_counts(site, row),
    )


@blueprint.get("/<path:name>/-/commit/<sha>")
def commit(name: str, sha: str) -> str:
    """Show a commit."""
    site = asked.site()
    row = _project(name)
    repository = site.repository(row)
    found = repository.commit(sha)
    if found is None:
        abort(404)
    base = found.parents[0] if found.parents else repository.empty_tree()
    files = [_file(one) for one in repository.diff(base, found.sha)[:MAX_FILES]]
    return render_template("commit.html", project=row, commit=found, files=files, **_counts(site, row))


@blueprint.get("/<path:name>/-/tree/<path:where>")
@blueprint.get("/<path:name>/-/blob/<path:where>")
def browse(name: str, where: str) -> str:
    """Show a folder or a file of a branch, whose name may have slashes in it."""
    site = asked.site()
    row = _project(name)
    repository = site.repository(row)
    whole = where.replace("\0", "/").strip("/")
    names = sorted(repository.branches(), key=len, reverse=True)
    ref = next((one for one in names if f"{whole}/".startswith(f"{one}/")), whole.partition("/")[0])
    path = whole[len(ref) :].strip("/")
    revision = repository.resolve(ref)
    if revision is None:
        abort(404)
    entry = repository.entry(revision, path) if path else None
    text = None
    if entry is not None and entry.kind == "blob":
        text = repository.blob(entry.sha).decode(errors="replace").split("\n")
    elif path and entry is None:
        abort(404)
    entries = [] if text is not None else repository.tree(revision, path)
    return render_template(
        "browse.html",
        project=row,
        ref=ref,
        path=path,
        text=text,
        markdown=path.endswith(".md"),
        entries=sorted(entries, key=lambda one: (one.kind != "tree", one.path)),
        **_counts(site, row),
    )
