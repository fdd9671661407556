"""The variables that a pipeline's jobs see: GitLab's predefined ones, the project's, the pipeline's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_gitlab.protection import protection
from local_gitlab.site import source_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def branch_of(pipeline: Row, merge_request: Row | None) -> str:
    """Return the branch that a pipeline runs for."""
    return str(merge_request["source_branch"] if merge_request else pipeline["ref"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Variables:
    """What jobs see: variables of every job, those whose value depends on the job's environment, those in a file."""

    everywhere: dict[str, str]
    scoped: dict[str, dict[str, str]]
    files: dict[str, str]


def variables(site: Site, project: Row, user: Row, pipeline: Row, merge_request: Row | None) -> Variables:
    """Return the predefined variables, the project's, and the pipeline's own, the later over the earlier."""
    branch = branch_of(pipeline, merge_request)
    web = site.web(project)
    rules = protection(site, project, branch)
    # The branch of a fork is not the parent's branch of that name.
    foreign = merge_request is not None and (merge_request["source_project_id"] or project["id"]) != project["id"]
    protected = rules.protected and not foreign
    found = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{site.url}/api/v4",
        "CI_SERVER_URL": site.url,
        "CI_PROJECT_ID": str(project["id"]),
        "CI_PROJECT_PATH": project["path_with_namespace"],
        "CI_PROJECT_NAME": project["path"],
        "CI_PROJECT_URL": web,
        "CI_PROJECT_DIR": ".",
        "CI_PROJECT_VISIBILITY": project["visibility"],
        "CI_DEFAULT_BRANCH": project["default_branch"],
        "CI_PIPELINE_ID": str(pipeline["id"]),
        "CI_PIPELINE_IID": str(pipeline["iid"]),
        "CI_PIPELINE_URL": site.web(project, "pipelines", pipeline["id"]),
        "CI_PIPELINE_SOURCE": pipeline["source"],
        "CI_COMMIT_SHA": pipeline["sha"],
        "CI_COMMIT_SHORT_SHA": pipeline["sha"][:8],
        "CI_COMMIT_BEFORE_SHA": pipeline["before_sha"],
        "CI_COMMIT_REF_NAME": branch,
        "CI_COMMIT_REF_PROTECTED": "true" if protected else "false",
        "GITLAB_USER_ID": str(user["id"]),
        "GITLAB_USER_LOGIN": user["username"],
    }
    if merge_request is None:
        found["CI_COMMIT_BRANCH"] = pipeline["ref"]
        opened = site.store.all(
            "SELECT iid, path_with_namespace AS path FROM merge_requests m JOIN projects p ON p.id = m.project_id "
            "WHERE coalesce(source_project_id, project_id) = ? AND source_branch = ? AND state = 'opened'",
            project["id"],
            pipeline["ref"],
        )
        if opened:
            found["CI_OPEN_MERGE_REQUESTS"] = ",".join(f"{row['path']}!{row['iid']}" for row in opened)
    else:
        found |= of_merge_request(site, pipeline, merge_request)
    given = json.loads(pipeline["variables"])
    files = {key: str(value["file"]) for key, value in given.items() if isinstance(value, dict)}
    own = {key: str(value) for key, value in given.items() if key not in files}
    kept = {key: scopes for key, scopes in _of_project(site, project, protected=protected).items() if key not in given}
    everywhere = {key: scopes["*"] for key, scopes in kept.items() if scopes.keys() == {"*"}}
    scoped = {key: scopes for key, scopes in kept.items() if key not in everywhere}
    return Variables(everywhere={**found, **everywhere, **own}, scoped=scoped, files=files)


def _of_project(site: Site, project: Row, *, protected: bool) -> dict[str, dict[str, str]]:
    """Return the values of the project's variables by environment; protected ones for protected branches only."""
    found: dict[str, dict[str, str]] = {}
    for row in site.store.all(
        "SELECT * FROM records WHERE project_id = ? AND kind = 'variable' ORDER BY id",
        project["id"],
    ):
        data = json.loads(row["data"])
        if protected or not data["protected"]:
            found.setdefault(row["key"], {})[data["environment_scope"]] = str(data["value"])
    return found


def of_merge_request(site: Site, pipeline: Row, merge_request: Row) -> dict[str, str]:
    """Return what a merge request's pipelines have beside."""
    project = site.store.get("projects", merge_request["project_id"])
    source = source_of(site, merge_request) or project
    version = site.store.one(
        "SELECT * FROM merge_request_versions WHERE merge_request_id = ? AND head_sha = ? ORDER BY id DESC LIMIT 1",
        merge_request["id"],
        pipeline["sha"],
    )
    labels = site.store.all(
        "SELECT name FROM labels JOIN merge_request_labels ON label_id = id WHERE merge_request_id = ? ORDER BY name",
        merge_request["id"],
    )
    return {
        "CI_MERGE_REQUEST_ID": str(merge_request["id"]),
        "CI_MERGE_REQUEST_IID": str(merge_request["iid"]),
        "CI_MERGE_REQUEST_TITLE": merge_request["title"],
        "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
        "CI_MERGE_REQUEST_REF_PATH": f"refs/merge-requests/{merge_request['iid']}/head",
        "CI_MERGE_REQUEST_PROJECT_ID": str(project["id"]),
        "CI_MERGE_REQUEST_PROJECT_PATH": project["path_with_namespace"],
        "CI_MERGE_REQUEST_PROJECT_URL": site.web(project),
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(source["id"]),
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": source["path_with_namespace"],
        "CI_MERGE_REQUEST_SOURCE_PROJECT_URL": site.web(source),
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": merge_request["source_branch"],
        # Both are empty in GitLab too, except in merged results pipelines.
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
        "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": merge_request["target_branch"],
        "CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED": "true"
        if protection(site, project, merge_request["target_branch"]).protected
        else "false",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": (version or merge_request)["base_sha"],
        "CI_MERGE_REQUEST_DIFF_ID": str(version["id"]) if version else "",
        "CI_MERGE_REQUEST_LABELS": ",".join(row["name"] for row in labels),
    }
