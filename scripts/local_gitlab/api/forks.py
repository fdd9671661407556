"""Forks: a project's copies, which know where they come from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from local_gitlab import entities
from local_gitlab import web_request as asked
from local_gitlab.errors import ApiError, not_found
from local_gitlab.site import (
    OWNER,
    add_project,
    find_project,
    may_fork,
    may_read,
    protect_default_branch,
    root_of,
    settings_of,
)

if TYPE_CHECKING:
    from local_gitlab.store import Row

blueprint = Blueprint("forks", __name__)
VISIBILITIES = ("private", "internal", "public")


@blueprint.post("/projects/<key:project_id>/fork")
def create(project_id: str) -> Response:
    """Fork a project into the user's namespace or another; done at once, where GitLab copies in a background job.

    A fork takes over the parent's features, CI configuration path and git depth, and nothing else: not its members,
    rules, variables or labels (GitLab's `Projects::ForkService`).
    """
    site = asked.site()
    user = asked.user()
    parent = asked.project(project_id)
    if not may_fork(site, parent, user):
        raise not_found()
    values = asked.parameters()
    full_path = f"{_namespace(values, user)}/{values.get('path') or parent['path']}"
    if find_project(site, full_path) is not None:
        taken = ["has already been taken"]
        raise ApiError(409, {"message": {"project_namespace.name": taken, "name": taken, "path": taken}})
    asked_for = asked.choice(values.get("visibility", parent["visibility"]), VISIBILITIES, "visibility")
    with site.lock(parent):
        made = add_project(
            site,
            full_path,
            user,
            name=str(values.get("name") or parent["name"]),
            description=values.get("description", parent["description"]),
            visibility=min(parent["visibility"], asked_for, key=VISIBILITIES.index),
            default_branch=parent["default_branch"],
        )
        settings = {
            name: value
            for name, value in settings_of(parent).items()
            if name.endswith("_access_level") or name in {"ci_config_path", "ci_default_git_depth"}
        }
        site.store.update(
            "projects",
            made["id"],
            settings=json.dumps(settings),
            forked_from_id=parent["id"],
            fork_root_id=root_of(parent),
        )
        _copy(parent, made, str(values.get("branches") or ""))
    made = site.store.get("projects", made["id"])
    protect_default_branch(site, made)
    return asked.answer(entities.project(site, made, user), 201)


def _namespace(values: dict[str, Any], user: Row) -> str:
    wanted = values.get("namespace_id") or values.get("namespace_path") or values.get("namespace")
    if not wanted:
        return str(user["username"])
    column = "id" if str(wanted).isdigit() else "full_path"
    row = asked.site().store.one(f"SELECT * FROM namespaces WHERE {column} = ?", wanted)  # noqa: S608  # two words
    own = row is not None and (row["kind"] == "group" or row["full_path"] == user["username"] or user["admin"])
    if row is None or not own:
        raise not_found("Target Namespace")
    return str(row["full_path"])


def _copy(parent: Row, made: Row, branch: str) -> None:
    """Copy branches and tags, or one branch; refs of merge requests stay behind."""
    source = asked.repository(parent)
    if branch and source.branch(branch) is None:
        raise not_found("Source Branch")
    specs = [f"+refs/heads/{branch}:refs/heads/{branch}"] if branch else ["+refs/heads/*:refs/heads/*"]
    if not branch:
        specs.append("+refs/tags/*:refs/tags/*")
    options = ("-c", "fetch.fsckObjects=false")
    asked.repository(made).run(*options, "fetch", "--quiet", "--no-tags", str(source.path), *specs)


@blueprint.get("/projects/<key:project_id>/forks")
def listing(project_id: str) -> Response:
    """List the forks that the user sees."""
    site = asked.site()
    project = asked.project(project_id)
    user = asked.user_or_none()
    rows = site.store.all("SELECT * FROM projects WHERE forked_from_id = ? ORDER BY id DESC", project["id"])
    seen = [row for row in rows if may_read(site, row, user)]
    return asked.paginated(seen, lambda row: entities.project(site, row, user))


@blueprint.delete("/projects/<key:project_id>/fork")
def forget(project_id: str) -> Response:
    """Let a fork forget where it comes from; owners only."""
    project = asked.project(project_id, OWNER)
    if project["forked_from_id"] is None:
        return Response(status=304)
    asked.site().store.update("projects", project["id"], forked_from_id=None, fork_root_id=None)
    return asked.nothing()
