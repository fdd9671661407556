"""Projects, their members and the groups they are in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from local_gitlab import entities
from local_gitlab import web_request as asked
from local_gitlab.clock import now
from local_gitlab.errors import ApiError, bad_request, forbidden, not_found
from local_gitlab.git import ZERO, Change, Person
from local_gitlab.push_events import ACTION_NAMES
from local_gitlab.pushes import branch_updated
from local_gitlab.site import (
    APPROVAL_SETTINGS,
    GUEST,
    MAINTAINER,
    OWNER,
    PROJECT_SETTINGS,
    access_level,
    add_member,
    add_project,
    delete_project,
    may_read,
    rename_project,
    settings_of,
)

if TYPE_CHECKING:
    from local_gitlab.store import Row

blueprint = Blueprint("projects", __name__)
COLUMNS = ("name", "description", "visibility", "default_branch", "path")
EVENTS_COUNTED = 10_001
VISIBILITIES = ("private", "internal", "public")
LEVELS = (5, 10, 15, 20, 30, 40, 50)
FEATURE = ("disabled", "private", "enabled")
# Settings whose words are a closed set, beside the levels of features.
WORDS = {
    "merge_method": ("merge", "rebase_merge", "ff"),
    "squash_option": ("never", "always", "default_on", "default_off"),
    "visibility": ("private", "internal", "public"),
    "build_git_strategy": ("fetch", "clone"),
    "auto_cancel_pending_pipelines": ("disabled", "enabled"),
    "auto_devops_deploy_strategy": ("continuous", "manual", "timed_incremental"),
    "ci_pipeline_variables_minimum_override_role": ("no_one_allowed", "developer", "maintainer", "owner"),
    "pages_access_level": (*FEATURE, "public"),
}
OWNERS_ROLES = ("no_one_allowed", "owner")


def _body(row: Row) -> dict[str, Any]:
    return entities.project(asked.site(), row, asked.user_or_none())


@blueprint.get("/projects")
def listing() -> Response:
    """List the projects that the user sees."""
    site = asked.site()
    values = asked.parameters()
    user = asked.user_or_none()
    rows = [row for row in site.store.all("SELECT * FROM projects ORDER BY id DESC") if may_read(site, row, user)]
    if values.get("search"):
        wanted = str(values["search"]).lower()
        rows = [row for row in rows if wanted in row["path_with_namespace"].lower() or wanted in row["name"].lower()]
    if asked.flag(values.get("membership")):
        rows = [row for row in rows if access_level(site, row, user) >= GUEST]
    if asked.flag(values.get("owned")):
        rows = [row for row in rows if access_level(site, row, user) >= OWNER]
    if values.get("min_access_level"):
        least = asked.integer(values["min_access_level"], "min_access_level")
        rows = [row for row in rows if access_level(site, row, user) >= least]
    if values.get("visibility"):
        rows = [row for row in rows if row["visibility"] == values["visibility"]]
    return asked.paginated(rows, _body)


@blueprint.post("/projects")
def create() -> Response:
    """Create a project in a group or for the user."""
    site = asked.site()
    user = asked.user()
    values = asked.parameters()
    if not values.get("name") and not values.get("path"):
        raise bad_request("name, path are missing, at least one parameter must be provided")
    path = str(values.get("path") or values["name"]).strip().lower().replace(" ", "-")
    namespace = user["username"]
    if values.get("namespace_id"):
        row = site.store.one("SELECT * FROM namespaces WHERE id = ?", values["namespace_id"])
        if row is None:
            raise not_found("Namespace")
        namespace = row["full_path"]
    project = add_project(
        site,
        f"{namespace}/{path}",
        user,
        name=str(values.get("name") or path),
        description=values.get("description"),
        visibility=asked.choice(values.get("visibility", "private"), VISIBILITIES, "visibility"),
        default_branch=str(values.get("default_branch") or "main"),
    )
    _store(project, values)
    project = site.store.get("projects", project["id"])
    if asked.flag(values.get("initialize_with_readme")):
        _readme(project, user)
    return asked.answer(_body(project), 201)


def _readme(project: Row, user: Row) -> None:
    repository = asked.repository(project)
    person = Person(name=user["name"], email=user["email"])
    readme = Change(kind="create", path="README.md", content=f"# {project['name']}\n".encode())
    sha = repository.commit_changes([readme], parent=None, message="Initial commit", author=person, committer=person)
    ref = f"refs/heads/{project['default_branch']}"
    repository.update_ref(ref, sha)
    branch_updated(asked.site(), project, user, ref, ZERO, sha, quiet=True)


@blueprint.get("/projects/<key:project_id>")
def get(project_id: str) -> Response:
    """Return a project."""
    return asked.answer(_body(asked.project(project_id)))


@blueprint.put("/projects/<key:project_id>")
def edit(project_id: str) -> Response:
    """Change a project's settings; who sees it, and roles that only owners had, are the owners' to change."""
    project = asked.project(project_id, MAINTAINER)
    values = asked.parameters()
    if access_level(asked.site(), project, asked.user()) < OWNER:
        _refuse_owners_settings(project, values)
    _store(project, values)
    return asked.answer(_body(asked.site().store.get("projects", project["id"])))


def _refuse_owners_settings(project: Row, values: dict[str, Any]) -> None:
    """Refuse what GitLab keeps for owners.

    The documentation of `ci_pipeline_variables_minimum_override_role` says: once it is `owner` or `no_one_allowed`,
    only an owner changes it.
    """
    if values.get("visibility") not in {None, project["visibility"]}:
        raise forbidden()
    name = "ci_pipeline_variables_minimum_override_role"
    if settings_of(project)[name] not in OWNERS_ROLES:
        return
    for touched in (name, "restrict_user_defined_variables"):
        if touched in values and values[touched] != settings_of(project)[touched]:
            raise bad_request({"base": [f"Changing the {touched} is not allowed"]})


def _store(project: Row, values: dict[str, Any]) -> None:
    store = asked.site().store
    for name, value in values.items():
        allowed = WORDS.get(name, FEATURE if name in PROJECT_SETTINGS and name.endswith("_access_level") else None)
        if allowed and value is not None:
            asked.choice(value, allowed, name)
    default = values.get("default_branch")
    repository = asked.repository(project)
    if default and default != project["default_branch"] and repository.branches():
        if repository.branch(str(default)) is None:
            raise bad_request({"base": ["Could not change HEAD: branch does not exist"]})
        repository.run("symbolic-ref", "HEAD", f"refs/heads/{default}")
    with store.transaction():
        settings = json.loads(store.get("projects", project["id"])["settings"])
        for name, default_value in PROJECT_SETTINGS.items():
            if name in values:
                settings[name] = asked.flag(values[name]) if isinstance(default_value, bool) else values[name]
        columns = {name: values[name] for name in COLUMNS if values.get(name) is not None}
        store.update("projects", project["id"], settings=json.dumps(settings), **columns)
        if "path" in columns:
            namespace = project["path_with_namespace"].rpartition("/")[0]
            rename_project(asked.site(), project, f"{namespace}/{columns['path']}")


@blueprint.delete("/projects/<key:project_id>")
def delete(project_id: str) -> Response:
    """Delete a project."""
    project = asked.project(project_id, OWNER)
    with asked.site().lock(project):
        delete_project(asked.site(), project)
    return asked.answer({"message": "202 Accepted"}, 202)


@blueprint.get("/projects/<key:project_id>/approvals")
def approval_settings(project_id: str) -> Response:
    """Return how the project treats approvals."""
    settings = settings_of(asked.project_of_paid_tier(project_id))
    return asked.answer({name: settings[name] for name in APPROVAL_SETTINGS})


@blueprint.post("/projects/<key:project_id>/approvals")
def edit_approval_settings(project_id: str) -> Response:
    """Change how the project treats approvals."""
    project = asked.project_of_paid_tier(project_id)
    values = asked.parameters()
    store = asked.site().store
    with store.transaction():
        settings = json.loads(store.get("projects", project["id"])["settings"])
        for name, default in APPROVAL_SETTINGS.items():
            if name in values:
                settings[name] = asked.flag(values[name]) if isinstance(default, bool) else values[name]
        store.update("projects", project["id"], settings=json.dumps(settings))
    found = settings_of(store.get("projects", project["id"]))
    return asked.answer({name: found[name] for name in APPROVAL_SETTINGS}, 201)


# The words that GitLab's API takes (`Event.actions`), and what each of them is called in the answer.
EVENT_ACTIONS = {
    "created": ("created", "opened"),
    "updated": ("updated",),
    "closed": ("closed",),
    "reopened": ("reopened",),
    "pushed": tuple(ACTION_NAMES.values()),
    "commented": ("commented on",),
    "merged": ("accepted",),
    "joined": ("joined",),
    "left": ("left",),
    "destroyed": ("destroyed",),
    "expired": ("removed due to membership expiration from",),
    "approved": ("approved",),
}
EVENT_TARGETS = {
    "issue": "Issue",
    "milestone": "Milestone",
    "merge_request": "MergeRequest",
    "note": "Note",
    "project": "Project",
    "snippet": "Snippet",
    "user": "User",
    "wiki": "WikiPage::Meta",
    "design": "DesignManagement::Design",
}


@blueprint.get("/projects/<key:project_id>/events")
def events(project_id: str) -> Response:
    """List who did what, newest first; the days of `before` and `after` are themselves left out."""
    site = asked.site()
    project = asked.project(project_id)
    values = asked.parameters()
    direction = "ASC" if asked.choice(values.get("sort", "desc"), ("asc", "desc"), "sort") == "asc" else "DESC"
    where, wanted = ["project_id = ?"], [project["id"]]
    if values.get("action"):
        names = EVENT_ACTIONS[asked.choice(values["action"], tuple(EVENT_ACTIONS), "action")]
        where.append(f"action_name IN ({', '.join('?' * len(names))})")
        wanted += names
    if values.get("target_type"):
        where.append("target_type = ?")
        wanted.append(EVENT_TARGETS[asked.choice(values["target_type"], tuple(EVENT_TARGETS), "target_type")])
    for name, sign in (("before", "<"), ("after", ">")):
        if values.get(name):
            where.append(f"substr(created_at, 1, 10) {sign} ?")
            wanted.append(asked.day(values[name], name))
    # GitLab's `EventsFinder` counts no further, and there is no page after what it has counted.
    limit = f"ORDER BY id {direction} LIMIT {EVENTS_COUNTED}"
    sql = f"SELECT * FROM events WHERE {' AND '.join(where)} {limit}"  # noqa: S608  # the words are ours
    return asked.paginated(site.store.all(sql, *wanted), lambda row: entities.event(site, row))


# --- members


def _member(project: Row, user_id: int) -> Row:
    row = asked.site().store.one(
        "SELECT * FROM members WHERE project_id = ? AND user_id = ?",
        project["id"],
        user_id,
    )
    if row is None:
        raise not_found()
    return row


@blueprint.get("/projects/<key:project_id>/members")
@blueprint.get("/projects/<key:project_id>/members/all")
def members(project_id: str) -> Response:
    """List the members; groups have none of their own here, so both lists are the same."""
    site = asked.site()
    project = asked.project(project_id)
    rows = site.store.all(
        "SELECT m.* FROM members m JOIN users u ON u.id = m.user_id WHERE m.project_id = ? ORDER BY m.user_id",
        project["id"],
    )
    query = str(asked.parameters().get("query") or "").lower()
    if query:
        rows = [row for row in rows if query in site.store.get("users", row["user_id"])["username"].lower()]
    return asked.paginated(rows, lambda row: entities.member(site, row))


@blueprint.post("/projects/<key:project_id>/members")
def add(project_id: str) -> Response:
    """Add a member."""
    site = asked.site()
    project = asked.project(project_id, MAINTAINER)
    values = asked.parameters()
    if not values.get("username"):
        asked.required(values, "user_id")
    asked.required(values, "access_level")
    level = _level(project, values["access_level"])
    user = (
        site.store.one("SELECT * FROM users WHERE username = ?", values["username"])
        if values.get("username")
        else site.store.one("SELECT * FROM users WHERE id = ?", values["user_id"])
    )
    if user is None:
        raise not_found("User")
    if site.store.one("SELECT 1 FROM members WHERE project_id = ? AND user_id = ?", project["id"], user["id"]):
        raise ApiError(409, {"message": "Member already exists"})
    row = add_member(site, project, user, level, by=asked.user(), expires_at=values.get("expires_at"))
    return asked.answer(entities.member(site, row), 201)


def _level(project: Row, value: object) -> int:
    level = asked.integer(value, "access_level")
    if level not in LEVELS:
        raise bad_request({"access_level": ["is not included in the list"]})
    if level > access_level(asked.site(), project, asked.user()):
        raise ApiError(403, {"message": "403 Forbidden"})
    return level


@blueprint.get("/projects/<key:project_id>/members/<int:user_id>")
@blueprint.get("/projects/<key:project_id>/members/all/<int:user_id>")
def member(project_id: str, user_id: int) -> Response:
    """Return a member."""
    return asked.answer(entities.member(asked.site(), _member(asked.project(project_id), user_id)))


@blueprint.put("/projects/<key:project_id>/members/<int:user_id>")
def edit_member(project_id: str, user_id: int) -> Response:
    """Change a member's role."""
    site = asked.site()
    project = asked.project(project_id, MAINTAINER)
    row = _member(project, user_id)
    values = asked.parameters()
    asked.required(values, "access_level")
    site.store.update("members", row["id"], access_level=_level(project, values["access_level"]))
    if "expires_at" in values:
        site.store.update("members", row["id"], expires_at=values["expires_at"])
    return asked.answer(entities.member(site, site.store.get("members", row["id"])))


@blueprint.delete("/projects/<key:project_id>/members/<int:user_id>")
def remove_member(project_id: str, user_id: int) -> Response:
    """Remove a member."""
    project = asked.project(project_id)
    if asked.user()["id"] != user_id:
        asked.project(project_id, MAINTAINER)
    asked.site().store.run("DELETE FROM members WHERE id = ?", _member(project, user_id)["id"])
    return asked.nothing()


# --- groups and namespaces


def _group(row: Row) -> dict[str, Any]:
    site = asked.site()
    return {
        "id": row["id"],
        "name": row["name"],
        "path": row["full_path"].rpartition("/")[2],
        "full_path": row["full_path"],
        "full_name": row["name"],
        "kind": row["kind"],
        "description": "",
        "visibility": "public",
        "parent_id": None,
        "avatar_url": None,
        "web_url": f"{site.url}/{row['full_path']}",
    }


@blueprint.get("/groups/<key:group_id>")
@blueprint.get("/namespaces/<key:group_id>")
def group(group_id: str) -> Response:
    """Return a group."""
    column = "id" if group_id.isdigit() else "full_path"
    row = asked.site().store.one(f"SELECT * FROM namespaces WHERE {column} = ?", group_id)  # noqa: S608  # two words
    if row is None:
        raise not_found("Group")
    return asked.answer(_group(row))


@blueprint.post("/groups")
def create_group() -> Response:
    """Create a group."""
    asked.user()
    values = asked.parameters()
    asked.required(values, "name", "path")
    store = asked.site().store
    if store.one("SELECT 1 FROM namespaces WHERE full_path = ?", values["path"]):
        raise bad_request('Failed to save group {:path=>["has already been taken"]}')
    row_id = store.insert("namespaces", full_path=values["path"], name=values["name"], kind="group")
    return asked.answer({**_group(store.get("namespaces", row_id)), "created_at": now()}, 201)


@blueprint.get("/groups/<key:group_id>/projects")
def group_projects(group_id: str) -> Response:
    """List a group's projects."""
    site = asked.site()
    column = "id" if group_id.isdigit() else "full_path"
    row = site.store.one(f"SELECT * FROM namespaces WHERE {column} = ?", group_id)  # noqa: S608  # two words
    if row is None:
        raise not_found("Group")
    user = asked.user_or_none()
    rows = site.store.all("SELECT * FROM projects WHERE namespace_id = ? ORDER BY id DESC", row["id"])
    return asked.paginated([project for project in rows if may_read(site, project, user)], _body)
