"""Pipelines and their jobs as GitLab keeps them; running them is `ci`'s part."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from local_gitlab.clock import now
from local_gitlab.git import ZERO
from local_gitlab.site import DEVELOPER, MAINTAINER, OWNER, access_level, settings_of, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_gitlab.site import Site
    from local_gitlab.store import Row

SKIP = re.compile(r"\[(ci[ _-]skip|skip[ _-]ci)\]", re.IGNORECASE)
FINISHED = frozenset({"success", "failed", "canceled", "skipped"})


def create_for_merge_request(
    site: Site, target: Row, user: Row, merge_request: Row, *, push_skips: bool = False
) -> Row | None:
    """Queue the pipeline of a merge request's head, in the project where this user may run it, if there is one."""
    project = _project_to_run_in(site, target, user, merge_request)
    if project is None:
        return None
    own = project["id"] == target["id"]
    return create(
        site,
        project,
        user,
        ref=f"refs/merge-requests/{merge_request['iid']}/head" if own else merge_request["source_branch"],
        sha=merge_request["head_sha"],
        before=ZERO,
        source="merge_request_event",
        merge_request=merge_request,
        push_skips=push_skips,
    )


def _project_to_run_in(site: Site, target: Row, user: Row, merge_request: Row) -> Row | None:
    """Return where GitLab's `MergeRequests::CreatePipelineService` runs the pipeline of a merge request.

    That of a fork runs in the parent only for a Developer of the parent and where the parent's setting
    `ci_allow_fork_pipelines_to_run_in_parent_project` allows it; else in the fork, with the fork's configuration.
    """
    source = source_of(site, merge_request)
    if source is None or source["id"] == target["id"]:
        return target
    allowed = settings_of(target)["ci_allow_fork_pipelines_to_run_in_parent_project"]
    if allowed and access_level(site, target, user) >= DEVELOPER:
        return target
    return source if access_level(site, source, user) >= DEVELOPER else None


def head_pipeline(site: Site, merge_request: Row) -> Row | None:
    """Return the newest pipeline of a merge request's head; one of its own comes before one of its branch."""
    return site.store.one(
        "SELECT * FROM pipelines WHERE sha = ? AND (merge_request_id = ? OR "
        "(merge_request_id IS NULL AND project_id = ? AND ref = ?)) ORDER BY merge_request_id IS NULL, id DESC LIMIT 1",
        merge_request["head_sha"],
        merge_request["id"],
        merge_request["source_project_id"] or merge_request["project_id"],
        merge_request["source_branch"],
    )


# Who may give a pipeline variables, by what `ci_pipeline_variables_minimum_override_role` says.
OVERRIDE_LEVELS = {"no_one_allowed": OWNER + 1, "owner": OWNER, "maintainer": MAINTAINER, "developer": DEVELOPER}


def may_set_variables(site: Site, project: Row, user: Row) -> bool:
    """Tell whether a pipeline of this user may have variables of its own, however it is started.

    As in GitLab's `override_pipeline_variables_allowed?`, the role counts only where the project restricts them.
    """
    settings = settings_of(project)
    if not settings["restrict_user_defined_variables"]:
        return True
    role = settings["ci_pipeline_variables_minimum_override_role"]
    return access_level(site, project, user) >= OVERRIDE_LEVELS[role]


def create(
    site: Site,
    project: Row,
    user: Row,
    *,
    ref: str,
    sha: str,
    before: str = ZERO,
    source: str,
    merge_request: Row | None = None,
    variables: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    status: str = "created",
    push_skips: bool = False,
) -> Row:
    """Queue a pipeline; one whose commit says `[skip ci]`, or whose push does, is skipped.

    What a person, a schedule or a trigger starts runs nevertheless, as in GitLab (`ignore_skip_ci`). `files` are
    variables whose value is in a file.
    """
    skip = ""
    if source in {"push", "merge_request_event"}:
        commit = site.repository(project).commit(sha)
        if push_skips:
            skip = "The push asks for no pipeline."
        elif commit and SKIP.search(commit.message):
            skip = "The commit message asks for no pipeline."
    moment = now()
    with site.store.transaction():
        iid = 1 + site.store.count("SELECT max(iid) FROM pipelines WHERE project_id = ?", project["id"])
        pipeline_id = site.store.insert(
            "pipelines",
            project_id=project["id"],
            iid=iid,
            sha=sha,
            before_sha=before,
            ref=ref,
            source=source,
            status="skipped" if skip else status,
            merge_request_id=merge_request["id"] if merge_request else None,
            user_id=user["id"],
            reason=skip or None,
            variables=json.dumps({**(variables or {}), **{key: {"file": text} for key, text in (files or {}).items()}}),
            created_at=moment,
            updated_at=moment,
            finished_at=moment if skip else None,
        )
    if skip or source == "external":
        keep_commits(site, project, site.store.get("pipelines", pipeline_id))
    if not skip and source != "external":
        site.pipelines.wake()
    return site.store.get("pipelines", pipeline_id)


def keep_commits(site: Site, project: Row, pipeline: Row) -> None:
    """Keep the commits of a pipeline that there really is, as GitLab does (`Ci::Pipeline#keep_around_commits`)."""
    site.repository(project).keep_around(pipeline["sha"], pipeline["before_sha"])


def recompute(site: Site, pipeline_id: int) -> str:
    """Derive a pipeline's status from its jobs and external statuses, and keep it."""
    rows = site.store.all("SELECT * FROM jobs WHERE pipeline_id = ? AND retried = 0", pipeline_id)
    status = composite(rows)
    times: dict[str, str | None] = {
        "started_at": min((row["started_at"] for row in rows if row["started_at"]), default=None),
        "finished_at": None,
    }
    if status in FINISHED:
        times["finished_at"] = max((row["finished_at"] for row in rows if row["finished_at"]), default=now())
    site.store.update("pipelines", pipeline_id, status=status, updated_at=now(), **times)
    return status


def composite(rows: list[Row]) -> str:
    """Return the status that jobs have together."""
    statuses = {"success" if row["status"] == "failed" and row["allow_failure"] else row["status"] for row in rows}
    if statuses & {"running"} or (statuses & {"pending", "created"} and statuses & FINISHED - {"skipped"}):
        return "running"
    for status in ("pending", "created", "failed", "canceled", "success", "skipped"):
        if status in statuses:
            return status
    return "skipped"
