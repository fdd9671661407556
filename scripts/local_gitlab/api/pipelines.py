"""Pipelines, jobs, commit statuses, schedules and triggers."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from local_gitlab import entities, pipelines
from local_gitlab import web_request as asked
from local_gitlab.clock import now
from local_gitlab.errors import ApiError, bad_parameter, bad_request, forbidden, not_found, unauthorized
from local_gitlab.protection import may_merge, may_push
from local_gitlab.reports import test_report
from local_gitlab.site import DEVELOPER, OWNER, find_project

if TYPE_CHECKING:
    from pathlib import Path

    from local_gitlab.store import Row

blueprint = Blueprint("pipelines", __name__)
jobs_blueprint = Blueprint("jobs", __name__)
STATES = ("pending", "running", "success", "failed", "canceled", "skipped")
DESCRIPTION_MAX = 255
UNFINISHED = ("created", "pending", "running")


def _pipeline(project: Row, pipeline_id: int) -> Row:
    row = asked.site().store.one(
        "SELECT * FROM pipelines WHERE project_id = ? AND id = ?",
        project["id"],
        pipeline_id,
    )
    if row is None:
        raise not_found("Pipeline")
    return row


@blueprint.get("/projects/<key:project_id>/pipelines")
def listing(project_id: str) -> Response:
    """List pipelines, newest first."""
    site = asked.site()
    project = asked.project(project_id)
    values = asked.parameters()
    direction = "ASC" if values.get("sort") == "asc" else "DESC"
    rows = site.store.all(
        f"SELECT * FROM pipelines WHERE project_id = ? ORDER BY id {direction}",  # noqa: S608  # one of two words
        project["id"],
    )
    for column in ("sha", "ref", "status", "source"):
        if values.get(column):
            rows = [row for row in rows if row[column] == values[column]]
    if values.get("username"):
        rows = [row for row in rows if site.store.get("users", row["user_id"])["username"] == values["username"]]
    return asked.paginated(rows, lambda row: entities.pipeline_basic(site, project, row))


@blueprint.get("/projects/<key:project_id>/pipelines/latest")
def latest(project_id: str) -> Response:
    """Return the newest pipeline of a branch's head."""
    site = asked.site()
    project = asked.project(project_id)
    ref = str(asked.parameters().get("ref") or project["default_branch"])
    row = site.store.one(
        "SELECT * FROM pipelines WHERE project_id = ? AND ref = ? ORDER BY id DESC LIMIT 1",
        project["id"],
        ref,
    )
    if row is None:
        raise forbidden()
    return asked.answer(entities.pipeline(site, project, row))


@blueprint.get("/projects/<key:project_id>/pipelines/<int:pipeline_id>")
def get(project_id: str, pipeline_id: int) -> Response:
    """Return a pipeline."""
    project = asked.project(project_id)
    return asked.answer(entities.pipeline(asked.site(), project, _pipeline(project, pipeline_id)))


@blueprint.post("/projects/<key:project_id>/pipeline")
def create(project_id: str) -> Response:
    """Run a branch's pipeline."""
    project = asked.project(project_id, DEVELOPER)
    values = asked.parameters()
    asked.required(values, "ref")
    variables = [one for one in values.get("variables") or [] if isinstance(one, dict) and "key" in one]
    chosen = {str(one["key"]): str(one.get("value", "")) for one in variables}
    if len(chosen) < len(variables):
        names = [str(one["key"]) for one in variables]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise bad_request({"base": [f"Duplicate variable name{'s' if len(twice) > 1 else ''}: {', '.join(twice)}"]})
    row = _run(project, asked.user(), str(values["ref"]), chosen, "api")
    return asked.answer(entities.pipeline(asked.site(), project, row), 201)


def _run(
    project: Row, user: Row, ref: str, variables: dict[str, str], source: str, *, files: dict[str, str] | None = None
) -> Row:
    site = asked.site()
    sha = asked.repository(project).resolve(ref)
    if sha is None:
        raise bad_request({"base": ["Reference not found"]})
    if not may_merge(site, project, user, ref):  # GitLab's `can_update_branch?`: to push or to merge will do
        raise bad_request({"base": ["You do not have sufficient permission to run a pipeline on this branch."]})
    restricted = bool(variables) or (bool(files) and site.payload_is_restricted)
    if restricted and not pipelines.may_set_variables(site, project, user):
        raise bad_request({"base": ["Insufficient permissions to set pipeline variables"]})
    return pipelines.create(site, project, user, ref=ref, sha=sha, source=source, variables=variables, files=files)


@blueprint.delete("/projects/<key:project_id>/pipelines/<int:pipeline_id>")
def delete(project_id: str, pipeline_id: int) -> Response:
    """Delete a pipeline; owners only."""
    project = asked.project(project_id, OWNER)
    row = _pipeline(project, pipeline_id)
    store = asked.site().store
    with store.transaction():
        store.run("DELETE FROM jobs WHERE pipeline_id = ?", row["id"])
        store.run("DELETE FROM pipelines WHERE id = ?", row["id"])
    return asked.nothing()


@blueprint.post("/projects/<key:project_id>/pipelines/<int:pipeline_id>/cancel")
def cancel(project_id: str, pipeline_id: int) -> Response:
    """Cancel what has not finished."""
    site = asked.site()
    project = asked.project(project_id, DEVELOPER)
    row = _pipeline(project, pipeline_id)
    if row["status"] in UNFINISHED:
        with site.store.transaction():
            site.store.run(
                "UPDATE jobs SET status = 'canceled', finished_at = ? WHERE pipeline_id = ? "
                "AND status IN ('created', 'pending', 'running')",
                now(),
                row["id"],
            )
            site.store.update("pipelines", row["id"], status="canceled", updated_at=now(), finished_at=now())
    return asked.answer(entities.pipeline(site, project, _pipeline(project, pipeline_id)))


@blueprint.post("/projects/<key:project_id>/pipelines/<int:pipeline_id>/retry")
def retry(project_id: str, pipeline_id: int) -> Response:
    """Run a pipeline's jobs again."""
    site = asked.site()
    project = asked.project(project_id, DEVELOPER)
    row = _pipeline(project, pipeline_id)
    if row["status"] not in UNFINISHED and row["source"] != "external":
        with site.store.transaction():
            site.store.run("UPDATE jobs SET retried = 1 WHERE pipeline_id = ? AND kind = 'build'", row["id"])
            site.store.update("pipelines", row["id"], status="created", updated_at=now(), finished_at=None)
        site.pipelines.wake()
    return asked.answer(entities.pipeline(site, project, _pipeline(project, pipeline_id)), 201)


@blueprint.get("/projects/<key:project_id>/pipelines/<int:pipeline_id>/variables")
def variables(project_id: str, pipeline_id: int) -> Response:
    """Return the variables the pipeline was started with."""
    row = _pipeline(asked.project(project_id, DEVELOPER), pipeline_id)
    found = [
        {"variable_type": "env_var", "key": key, "value": value, "raw": False}
        for key, value in json.loads(row["variables"]).items()
    ]
    return asked.answer(found)


@blueprint.get("/projects/<key:project_id>/pipelines/<int:pipeline_id>/test_report")
def report(project_id: str, pipeline_id: int) -> Response:
    """Return what the jobs' JUnit reports say."""
    row = _pipeline(asked.project(project_id), pipeline_id)
    return asked.answer(test_report(asked.site(), row))


@blueprint.get("/projects/<key:project_id>/pipelines/<int:pipeline_id>/jobs")
def pipeline_jobs(project_id: str, pipeline_id: int) -> Response:
    """List a pipeline's jobs."""
    site = asked.site()
    project = asked.project_with_jobs(project_id)
    row = _pipeline(project, pipeline_id)
    values = asked.parameters()
    retried = asked.flag(values.get("include_retried"))
    rows = site.store.all(
        "SELECT * FROM jobs WHERE pipeline_id = ? AND kind = 'build' AND retried <= ? ORDER BY id DESC",
        row["id"],
        retried,
    )
    return _jobs(project, rows)


@blueprint.get("/projects/<key:project_id>/pipelines/<int:pipeline_id>/bridges")
def bridges(project_id: str, pipeline_id: int) -> Response:
    """List downstream pipelines; there are none."""
    _pipeline(asked.project(project_id), pipeline_id)
    return asked.paginated([], lambda row: row)


def _jobs(project: Row, rows: list[Row]) -> Response:
    scope = asked.parameters().get("scope")
    wanted = scope if isinstance(scope, list) else [scope] if scope else []
    found = [row for row in rows if not wanted or row["status"] in wanted]
    return asked.paginated(found, lambda row: entities.job(asked.site(), project, row))


# --- jobs


@jobs_blueprint.get("/projects/<key:project_id>/jobs")
def jobs(project_id: str) -> Response:
    """List the project's jobs."""
    project = asked.project_with_jobs(project_id)
    rows = asked.site().store.all(
        "SELECT * FROM jobs WHERE project_id = ? AND kind = 'build' ORDER BY id DESC",
        project["id"],
    )
    return _jobs(project, rows)


def _job(project: Row, job_id: int) -> Row:
    row = asked.site().store.one(
        "SELECT * FROM jobs WHERE project_id = ? AND id = ? AND kind = 'build'",
        project["id"],
        job_id,
    )
    if row is None:
        raise not_found("Job")
    return row


@jobs_blueprint.get("/job")
def current() -> Response:
    """Return the job whose token asks."""
    site = asked.site()
    asked.user()
    token = asked.current_token()
    if token["job_id"] is None:
        raise unauthorized()
    row = site.store.get("jobs", token["job_id"])
    return asked.answer(entities.job(site, site.store.get("projects", row["project_id"]), row))


@jobs_blueprint.get("/projects/<key:project_id>/jobs/<int:job_id>")
def job(project_id: str, job_id: int) -> Response:
    """Return a job."""
    project = asked.project_with_jobs(project_id)
    return asked.answer(entities.job(asked.site(), project, _job(project, job_id)))


@jobs_blueprint.get("/projects/<key:project_id>/jobs/<int:job_id>/trace")
def trace(project_id: str, job_id: int) -> Response:
    """Return a job's log."""
    row = _job(asked.project_with_jobs(project_id), job_id)
    log = asked.site().job_directory(row["id"]) / "trace.log"
    return Response(log.read_bytes() if log.exists() else b"", content_type="text/plain; charset=utf-8")


def _artifacts(project_id: str, job_id: int) -> Path:
    row = _job(asked.project_with_jobs(project_id), job_id)
    return asked.site().job_directory(row["id"]) / "artifacts"


@jobs_blueprint.get("/projects/<key:project_id>/jobs/<int:job_id>/artifacts")
def artifact_archive(project_id: str, job_id: int) -> Response:
    """Return a job's artifacts as a zip archive."""
    folder = _artifacts(project_id, job_id)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        raise not_found()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in files:
            zipped.write(path, path.relative_to(folder))
    headers = {"Content-Disposition": 'attachment; filename="artifacts.zip"'}
    return Response(archive.getvalue(), headers=headers, content_type="application/zip")


@jobs_blueprint.get("/projects/<key:project_id>/jobs/<int:job_id>/artifacts/<path:name>")
def artifact_file(project_id: str, job_id: int, name: str) -> Response:
    """Return one file of a job's artifacts."""
    folder = _artifacts(project_id, job_id).resolve()
    path = (folder / name.replace("\0", "/")).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise not_found()
    return Response(path.read_bytes(), content_type="application/octet-stream")


# --- commit statuses


@blueprint.get("/projects/<key:project_id>/repository/commits/<key:sha>/statuses")
def statuses(project_id: str, sha: str) -> Response:
    """List a commit's statuses: its jobs and what others have posted; only the newest of each name unless `all`."""
    site = asked.site()
    project = asked.project(project_id)
    commit = asked.repository(project).resolve(sha)
    if commit is None:
        raise not_found("Commit")
    values = asked.parameters()
    rows = site.store.all("SELECT * FROM jobs WHERE project_id = ? AND sha = ? ORDER BY id", project["id"], commit)
    if not asked.flag(values.get("all")):
        rows = [row for row in rows if not row["retried"]]
    for column in ("ref", "name", "stage", "pipeline_id"):
        if values.get(column):
            rows = [row for row in rows if str(row[column]) == str(values[column])]
    if values.get("sort") == "desc":
        rows = rows[::-1]
    return asked.paginated(rows, lambda row: entities.status(site, row))


@blueprint.post("/projects/<key:project_id>/statuses/<key:sha>")
def post_status(project_id: str, sha: str) -> Response:
    """Set a status of a commit by name."""
    site = asked.site()
    project = asked.project(project_id, DEVELOPER)
    user = asked.user()
    values = asked.parameters()
    asked.required(values, "state")
    asked.only(values, "state", "ref", "name", "context", "target_url", "description", "coverage", "pipeline_id")
    state = asked.choice(values["state"], STATES, "state")
    commit = asked.repository(project).resolve(sha)
    if commit is None:
        raise not_found("Commit")
    _valid_status(values)
    name = str(values.get("name") or values.get("context") or "default")
    with site.lock(project), site.store.transaction():
        pipeline = _status_pipeline(project, user, commit, values)
        if not may_push(site, project, user, pipeline["ref"]) and not pipeline["ref"].startswith("refs/"):
            raise forbidden()
        row = _status(project, user, pipeline, name)
        _transition(row["status"], state)
        _apply_status(row, state, values)
        pipelines.recompute(site, pipeline["id"])
    return asked.answer(entities.status(site, site.store.get("jobs", row["id"])), 201)


def _valid_status(values: dict[str, Any]) -> None:
    url = values.get("target_url")
    if url is not None and (len(str(url)) > DESCRIPTION_MAX or not str(url).startswith(("http://", "https://"))):
        text = "is blocked: Only allowed schemes are http, https" if len(str(url)) <= DESCRIPTION_MAX else None
        raise bad_request({"target_url": [text or f"is too long (maximum is {DESCRIPTION_MAX} characters)"]})
    if len(str(values.get("description") or "")) > DESCRIPTION_MAX:
        raise bad_request({"description": [f"is too long (maximum is {DESCRIPTION_MAX} characters)"]})
    if len(str(values.get("name") or "")) > DESCRIPTION_MAX:
        raise bad_request({"name": [f"is too long (maximum is {DESCRIPTION_MAX} characters)"]})


def _status_pipeline(project: Row, user: Row, sha: str, values: dict[str, Any]) -> Row:
    """Return the newest pipeline of the commit, or a new one of source `external`."""
    site = asked.site()
    rows = site.store.all(
        "SELECT * FROM pipelines WHERE project_id = ? AND sha = ? ORDER BY id DESC",
        project["id"],
        sha,
    )
    if values.get("pipeline_id"):
        rows = [row for row in rows if str(row["id"]) == str(values["pipeline_id"])]
        if not rows:
            raise not_found("Pipeline")
    if values.get("ref"):
        rows = [row for row in rows if row["ref"] == values["ref"]]
    if rows:
        return rows[0]
    ref = values.get("ref") or _branch_containing(project, sha)
    return pipelines.create(site, project, user, ref=str(ref), sha=sha, source="external", status="pending")


def _branch_containing(project: Row, sha: str) -> str:
    text = asked.repository(project).run(
        "for-each-ref", f"--contains={sha}", "--format=%(refname:strip=2)", "refs/heads/"
    )
    names = text.decode().splitlines()
    if not names:
        raise ApiError(404, {"message": "404 References for commit Not Found"})
    return names[0]


def _status(project: Row, user: Row, pipeline: Row, name: str) -> Row:
    """Return this user's unfinished status of this name, or a new one that takes the place of older ones."""
    store = asked.site().store
    existing = store.one(
        "SELECT * FROM jobs WHERE pipeline_id = ? AND kind = 'external' AND name = ? AND user_id = ? AND retried = 0 "
        "AND status IN ('pending', 'running')",
        pipeline["id"],
        name,
        user["id"],
    )
    if existing is not None:
        return existing
    store.run(
        "UPDATE jobs SET retried = 1 WHERE pipeline_id = ? AND kind = 'external' AND name = ?",
        pipeline["id"],
        name,
    )
    row_id = store.insert(
        "jobs",
        project_id=project["id"],
        pipeline_id=pipeline["id"],
        kind="external",
        name=name,
        stage="external",
        ref=pipeline["ref"],
        sha=pipeline["sha"],
        status="created",
        user_id=user["id"],
        created_at=now(),
    )
    return store.get("jobs", row_id)


def _transition(old: str, new: str) -> None:
    """Refuse what GitLab's state machine refuses: a status that is pending or running already stays so."""
    event = {"pending": "enqueue", "running": "run"}.get(new)
    if old == new or (old == "running" and new == "pending"):
        reason = f'Status cannot transition via "{event}"'
        raise bad_request(f"Cannot transition status via :{event} from :{old} (Reason(s): {reason})")


def _apply_status(row: Row, state: str, values: dict[str, Any]) -> None:
    moment = now()
    changes: dict[str, Any] = {"status": state}
    for name in ("target_url", "description", "coverage"):
        if name in values:
            changes[name] = values[name]
    if state == "running" or (state in pipelines.FINISHED and not row["started_at"] and row["status"] != "created"):
        changes["started_at"] = moment
    if state in pipelines.FINISHED:
        changes["finished_at"] = moment
    asked.site().store.update("jobs", row["id"], **changes)


# --- triggers fire


@blueprint.post("/projects/<key:project_id>/trigger/pipeline", defaults={"ref": None})
@blueprint.post("/projects/<key:project_id>/ref/<path:ref>/trigger/pipeline")
def trigger(project_id: str, ref: str | None) -> Response:
    """Run a pipeline with a trigger's token; all that is sent is given to its jobs in the file TRIGGER_PAYLOAD.

    What the address says comes before what is sent: of a push's event `ref` is lost.
    """
    site = asked.site()
    if asked.header("X-Gitlab-Event") == "Pipeline Hook":
        raise forbidden()
    project = find_project(site, project_id)
    values = {**asked.parameters(), **({} if ref is None else {"ref": ref})}
    asked.required(values, "ref", "token")
    rows = site.store.all(
        "SELECT * FROM records WHERE project_id = ? AND kind = 'trigger' AND key = ?",
        project["id"] if project else 0,
        values["token"],
    )
    if project is None or not rows:
        raise not_found()
    chosen = values.get("variables")
    if chosen is None:
        chosen = {key[10:-1]: value for key, value in values.items() if key.startswith("variables[")}
    if not isinstance(chosen, dict):
        raise bad_parameter("variables is invalid")
    data = json.loads(rows[0]["data"])
    owner = site.store.get("users", data["owner_id"])
    named = {str(key): str(value) for key, value in chosen.items()}
    sent = {key: value for key, value in values.items() if key != "token"}
    payload = json.dumps({**sent, "id": project_id, "ref": str(values["ref"]), "variables": chosen})
    row = _run(project, owner, str(values["ref"]), named, "trigger", files={"TRIGGER_PAYLOAD": payload})
    site.store.update("records", rows[0]["id"], data=json.dumps({**data, "last_used": now()}))
    return asked.answer(entities.pipeline(site, project, row), 201)
