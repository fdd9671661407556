"""Merge requests: open, list, change, approve, merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from local_gitlab import approvals, edits, entities, labels, merge_requests, merging, pipelines
from local_gitlab import web_request as asked
from local_gitlab.drafts import is_draft
from local_gitlab.errors import ApiError, bad_request, forbidden, not_allowed, not_found
from local_gitlab.site import DEVELOPER, MAINTAINER, REPORTER, access_level, may_read

if TYPE_CHECKING:
    from local_gitlab.store import Row

blueprint = Blueprint("merge_requests", __name__)
STATES = ("opened", "closed", "locked", "merged", "all")
CREATED = (
    "title", "source_branch", "target_branch", "target_project_id", "description", "labels", "assignee_id",
    "assignee_ids", "reviewer_ids", "remove_source_branch", "squash", "merge_after",
)  # fmt: skip
MERGED = (
    "sha", "merge_commit_message", "squash_commit_message", "should_remove_source_branch", "squash", "auto_merge",
    "merge_when_pipeline_succeeds",
)  # fmt: skip
FLAGS = (
    "squash", "remove_source_branch", "discussion_locked", "should_remove_source_branch", "auto_merge",
    "merge_when_pipeline_succeeds",
)  # fmt: skip
ORDERS = {"created_at": "created_at", "updated_at": "updated_at", "title": "title", "merged_at": "merged_at"}


def _find(project_id: str, iid: int) -> tuple[Row, Row]:
    project = asked.project(project_id)
    merging.carry_on(asked.site(), project)
    return project, merge_requests.find(asked.site(), project, iid)


def _body(project: Row, row: Row) -> dict[str, Any]:
    fresh = asked.site().store.get("merge_requests", row["id"])
    return entities.merge_request(asked.site(), project, fresh, asked.user_or_none())


def _values() -> dict[str, Any]:
    values = asked.parameters()
    for name in FLAGS:
        if values.get(name) is not None:
            values[name] = asked.flag(values[name], name=name)
    return values


# --- lists


@blueprint.get("/projects/<key:project_id>/merge_requests")
def listing(project_id: str) -> Response:
    """List a project's merge requests."""
    site = asked.site()
    project = asked.project(project_id)
    merging.carry_on(site, project)
    rows = site.store.all("SELECT * FROM merge_requests WHERE project_id = ?", project["id"])
    return asked.paginated(
        _ordered(_filtered(rows)),
        lambda row: entities.merge_request_basic(site, project, row),
    )


@blueprint.get("/merge_requests")
def everywhere() -> Response:
    """List merge requests of every project the user sees."""
    site = asked.site()
    user = asked.user()
    found = site.store.all("SELECT * FROM merge_requests")
    rows = [row for row in found if may_read(site, site.store.get("projects", row["project_id"]), user)]
    scope = asked.parameters().get("scope", "created_by_me")
    if scope in {"created_by_me", "created-by-me"}:
        rows = [row for row in rows if row["author_id"] == user["id"]]
    return asked.paginated(
        _ordered(_filtered(rows)),
        lambda row: entities.merge_request_basic(site, site.store.get("projects", row["project_id"]), row),
    )


def _filtered(rows: list[Row]) -> list[Row]:  # noqa: C901  # one step per filter
    site = asked.site()
    values = asked.parameters()
    state = asked.choice(values.get("state", "all"), STATES, "state")
    if state != "all":
        rows = [row for row in rows if row["state"] == state]
    if values.get("source_project_id") is not None:
        wanted = str(values["source_project_id"])
        rows = [row for row in rows if str(row["source_project_id"] or row["project_id"]) == wanted]
    for column in ("source_branch", "target_branch", "author_id"):
        if values.get(column) is not None:
            rows = [row for row in rows if str(row[column]) == str(values[column])]
    if values.get("author_username"):
        rows = [
            row for row in rows if site.store.get("users", row["author_id"])["username"] == values["author_username"]
        ]
    iids = values.get("iids")
    if iids is not None:
        wanted_iids = {str(iid) for iid in (iids if isinstance(iids, list) else [iids])}
        rows = [row for row in rows if str(row["iid"]) in wanted_iids]
    rows = _labelled(rows, asked.names(values.get("labels")), without=False)
    rows = _labelled(rows, asked.names(values.get("not[labels]")), without=True)
    if values.get("search"):
        wanted = str(values["search"]).lower()
        fields = asked.names(values.get("in") or "title,description")
        rows = [row for row in rows if any(wanted in (row[name] or "").lower() for name in fields)]
    draft = values.get("draft", values.get("wip"))
    if draft is not None:
        rows = [row for row in rows if is_draft(row["title"]) == asked.flag(draft)]
    for name, column in (("created", "created_at"), ("updated", "updated_at"), ("merged", "merged_at")):
        if values.get(f"{name}_after"):
            rows = [row for row in rows if (row[column] or "") >= str(values[f"{name}_after"])]
        if values.get(f"{name}_before"):
            rows = [row for row in rows if row[column] and row[column] <= str(values[f"{name}_before"])]
    approved_by = values.get("approved_by_usernames") or values.get("approved_by_ids")
    if approved_by:
        rows = [row for row in rows if _approved_by(row, asked.names(approved_by))]
    return rows


def _approved_by(row: Row, names: list[str]) -> bool:
    site = asked.site()
    found = site.store.all(
        "SELECT users.id, username FROM approvals JOIN users ON users.id = user_id WHERE merge_request_id = ?",
        row["id"],
    )
    known = {str(one["id"]) for one in found} | {one["username"] for one in found}
    return set(names) <= known


def _labelled(rows: list[Row], names: list[str], *, without: bool) -> list[Row]:
    if not names:
        return rows
    labels = {row["id"]: set(entities.label_names(asked.site(), row)) for row in rows}
    if without:
        return [row for row in rows if not labels[row["id"]] & set(names)]
    if names in (["None"], ["Any"]):
        return [row for row in rows if bool(labels[row["id"]]) == (names == ["Any"])]
    return [row for row in rows if set(names) <= labels[row["id"]]]


def _ordered(rows: list[Row]) -> list[Row]:
    values = asked.parameters()
    order = asked.choice(values.get("order_by", "created_at"), tuple(ORDERS), "order_by")
    sort = asked.choice(values.get("sort", "desc"), ("asc", "desc"), "sort")
    return sorted(rows, key=lambda row: (row[ORDERS[order]] or "", row["id"]), reverse=sort == "desc")


# --- one


@blueprint.post("/projects/<key:project_id>/merge_requests")
def create(project_id: str) -> Response:
    """Open a merge request of this project's branch, to this project or, with `target_project_id`, to another."""
    site = asked.site()
    origin = asked.project(project_id)
    user = asked.user()
    if access_level(site, origin, user) < DEVELOPER:
        raise forbidden()
    values = _values()
    asked.required(values, "title", "source_branch", "target_branch")
    asked.only(values, *CREATED)
    project = asked.project(str(values["target_project_id"])) if values.get("target_project_id") else origin
    row = merge_requests.create(site, project, user, values, origin=origin)
    pipelines.create_for_merge_request(site, project, user, row)
    return asked.answer(_body(project, row), 201)


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>")
def get(project_id: str, iid: int) -> Response:
    """Return a merge request."""
    return asked.answer(_body(*_find(project_id, iid)))


@blueprint.put("/projects/<key:project_id>/merge_requests/<int:iid>")
def edit(project_id: str, iid: int) -> Response:
    """Change a merge request."""
    project, row = _find(project_id, iid)
    user = asked.user()
    values = _values()
    editable = {
        "title",
        "description",
        "target_branch",
        "state_event",
        "labels",
        "add_labels",
        "remove_labels",
        "assignee_id",
        "assignee_ids",
        "reviewer_ids",
        "merge_after",
        "squash",
        "remove_source_branch",
        "discussion_locked",
    }
    if not editable & values.keys():
        raise ApiError(
            400, {"error": ", ".join(sorted(editable)) + " are missing, at least one parameter must be provided"}
        )
    asked.only(values, *editable)
    old = row["target_branch"]
    row = merge_requests.update(asked.site(), project, row, user, values)
    if row["target_branch"] != old and row["state"] == "opened":
        pipelines.create_for_merge_request(asked.site(), project, user, row)
    return asked.answer(_body(project, row))


@blueprint.delete("/projects/<key:project_id>/merge_requests/<int:iid>")
def delete(project_id: str, iid: int) -> Response:
    """Delete a merge request; owners only."""
    site = asked.site()
    project, row = _find(project_id, iid)
    user = asked.user()
    if access_level(site, project, user) <= MAINTAINER:
        raise forbidden()
    with site.store.transaction():
        site.store.run("DELETE FROM notes WHERE merge_request_id = ?", row["id"])
        site.store.run("DELETE FROM merge_requests WHERE id = ?", row["id"])
    return asked.nothing()


@blueprint.put("/projects/<key:project_id>/merge_requests/<int:iid>/merge")
def merge(project_id: str, iid: int) -> Response:
    """Merge."""
    project, row = _find(project_id, iid)
    values = _values()
    asked.only(values, *MERGED)
    row = merging.merge(asked.site(), project, row, asked.user(), values)
    return asked.answer(_body(asked.site().store.get("projects", project["id"]), row))


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/commits")
def commits(project_id: str, iid: int) -> Response:
    """List the commits, newest first."""
    project, row = _find(project_id, iid)
    if not row["head_sha"]:
        return asked.paginated([], lambda one: one)
    found = asked.repository(project).log(f"{row['base_sha']}..{row['head_sha']}")
    return asked.paginated(found, lambda one: entities.commit(asked.site(), project, one))


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/changes")
def changes(project_id: str, iid: int) -> Response:
    """Return the merge request with its diff."""
    project, row = _find(project_id, iid)
    found = [entities.diff(one) for one in _diff(project, row)]
    return asked.answer({**_body(project, row), "changes": found, "overflow": False})


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/diffs")
def diffs(project_id: str, iid: int) -> Response:
    """List the diff, file by file."""
    return asked.paginated(_diff(*_find(project_id, iid)), entities.diff)


def _diff(project: Row, row: Row) -> list[Any]:
    if not row["head_sha"]:
        return []
    return list(asked.repository(project).diff(row["base_sha"], row["head_sha"]))


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/versions")
def versions(project_id: str, iid: int) -> Response:
    """List the states that the branch has been in, newest first."""
    _, row = _find(project_id, iid)
    rows = asked.site().store.all(
        "SELECT * FROM merge_request_versions WHERE merge_request_id = ? ORDER BY id DESC",
        row["id"],
    )
    return asked.paginated(rows, entities.version)


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/versions/<int:version_id>")
def version(project_id: str, iid: int, version_id: int) -> Response:
    """Return one state that the branch has been in."""
    site = asked.site()
    project, row = _find(project_id, iid)
    found = site.store.one(
        "SELECT * FROM merge_request_versions WHERE merge_request_id = ? AND id = ?",
        row["id"],
        version_id,
    )
    if found is None:
        raise not_found()
    repository = asked.repository(project)
    log = repository.log(f"{found['base_sha']}..{found['head_sha']}")
    body = {
        **entities.version(found),
        "commits": [entities.commit(site, project, one) for one in log],
        "diffs": [entities.diff(one) for one in repository.diff(found["base_sha"], found["head_sha"])],
    }
    return asked.answer(body)


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/participants")
def participants(project_id: str, iid: int) -> Response:
    """List who has taken part."""
    site = asked.site()
    _, row = _find(project_id, iid)
    rows = site.store.all(
        "SELECT * FROM users WHERE id = ? OR id IN (SELECT author_id FROM notes WHERE merge_request_id = ?) "
        "ORDER BY id",
        row["author_id"],
        row["id"],
    )
    return asked.paginated(rows, lambda one: entities.user_basic(site, one))


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/resource_label_events")
def label_events(project_id: str, iid: int) -> Response:
    """List when labels came and went."""
    site = asked.site()
    _, row = _find(project_id, iid)
    rows = site.store.all("SELECT * FROM label_events WHERE merge_request_id = ? ORDER BY id", row["id"])

    def render(one: Row) -> dict[str, Any]:
        label = site.store.one("SELECT * FROM labels WHERE id = ?", one["label_id"])
        return {
            "id": one["id"],
            "user": entities.user_by_id(site, one["user_id"]),
            "created_at": one["created_at"],
            "resource_type": "MergeRequest",
            "resource_id": row["id"],
            "label": {
                "id": label["id"],
                "name": label["name"],
                "color": label["color"],
                "description": label["description"],
            }
            if label
            else None,
            "action": one["action"],
        }

    return asked.paginated(rows, render)


# --- approvals


def _approvals(project: Row, row: Row) -> dict[str, Any]:
    site = asked.site()
    user = asked.user_or_none()
    fresh = site.store.get("merge_requests", row["id"])
    can = approvals.may_approve(site, project, fresh, user)
    return entities.approvals(site, project, fresh, user, can_approve=can)


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/approvals")
def show_approvals(project_id: str, iid: int) -> Response:
    """Return who has approved."""
    return asked.answer(_approvals(*_find(project_id, iid)))


@blueprint.post("/projects/<key:project_id>/merge_requests/<int:iid>/approve")
def approve(project_id: str, iid: int) -> Response:
    """Approve the head; `sha` says which one was judged."""
    project, row = _find(project_id, iid)
    values = asked.parameters()
    asked.only(values, "sha")
    approvals.approve(asked.site(), project, row, asked.user(), values.get("sha"))
    return asked.answer(_approvals(project, row), 201)


@blueprint.post("/projects/<key:project_id>/merge_requests/<int:iid>/unapprove")
def unapprove(project_id: str, iid: int) -> Response:
    """Take one's approval back."""
    project, row = _find(project_id, iid)
    approvals.unapprove(asked.site(), project, row, asked.user())
    return asked.answer(_approvals(project, row), 201)


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/approval_state")
def approval_state(project_id: str, iid: int) -> Response:
    """Return the rules and who satisfied them; on Free there is one, and it requires nobody."""
    project, row = _find(project_id, iid)
    found = _approvals(project, row)
    users = [approval["user"] for approval in found["approved_by"]]
    rule = {
        "id": 1,
        "name": "All Members",
        "rule_type": "any_approver",
        "report_type": None,
        "section": None,
        "eligible_approvers": [],
        "approvals_required": 0,
        "users": [],
        "groups": [],
        "contains_hidden_groups": False,
        "approved_by": users,
        "source_rule": None,
        "approved": True,
        "overridden": False,
        "code_owner": False,
    }
    return asked.answer({"approval_rules_overwritten": False, "rules": [rule]})


# --- pipelines


@blueprint.get("/projects/<key:project_id>/merge_requests/<int:iid>/pipelines")
def list_pipelines(project_id: str, iid: int) -> Response:
    """List the pipelines, newest first."""
    site = asked.site()
    project, row = _find(project_id, iid)
    rows = site.store.all(
        "SELECT * FROM pipelines WHERE merge_request_id = ? OR (merge_request_id IS NULL AND project_id = ? AND "
        "ref = ? AND sha IN (SELECT head_sha FROM merge_request_versions WHERE merge_request_id = ?)) "
        "ORDER BY id DESC",
        row["id"],
        row["source_project_id"] or project["id"],
        row["source_branch"],
        row["id"],
    )
    projects = {one["project_id"]: site.store.get("projects", one["project_id"]) for one in rows}
    user = asked.user_or_none()
    seen = [one for one in rows if may_read(site, projects[one["project_id"]], user)]
    return asked.paginated(seen, lambda one: entities.pipeline_basic(site, projects[one["project_id"]], one))


@blueprint.post("/projects/<key:project_id>/merge_requests/<int:iid>/pipelines")
def create_pipeline(project_id: str, iid: int) -> Response:
    """Run the merge request's pipeline again, where this user may run it."""
    site = asked.site()
    project, row = _find(project_id, iid)
    found = None
    if row["head_sha"] and row["head_sha"] != row["base_sha"]:
        found = pipelines.create_for_merge_request(site, project, asked.user(), row)
    if found is None:
        raise not_allowed()
    return asked.answer(entities.pipeline(site, site.store.get("projects", found["project_id"]), found))


# --- labels of the project


@blueprint.get("/projects/<key:project_id>/labels")
def list_labels(project_id: str) -> Response:
    """List the project's labels."""
    site = asked.site()
    project = asked.project(project_id)
    values = asked.parameters()
    rows = site.store.all("SELECT * FROM labels WHERE project_id = ? ORDER BY name", project["id"])
    search = str(values.get("search") or "").lower()
    rows = [row for row in rows if search in row["name"].lower()]
    counts = asked.flag(values.get("with_counts"))
    return asked.paginated(rows, lambda row: entities.label(site, row, counts=counts))


def _label(project: Row, key: str) -> Row:
    site = asked.site()
    row = labels.find_label(site, project, key)
    if row is None and key.isdigit():
        row = site.store.one("SELECT * FROM labels WHERE project_id = ? AND id = ?", project["id"], int(key))
    if row is None:
        raise not_found("Label")
    return row


NAMED_COLORS = {"red": "#FF0000", "green": "#008000", "blue": "#0000FF", "orange": "#FFA500", "gray": "#808080"}


def _color(value: object) -> str:
    text = NAMED_COLORS.get(str(value).lower(), str(value))
    digits = text[1:]
    if not text.startswith("#") or len(digits) not in {3, 6} or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise bad_request({"color": ["must be a valid color code"]})
    return text if len(digits) == 6 else "#" + "".join(2 * c for c in digits)  # noqa: PLR2004  # red, green, blue


@blueprint.post("/projects/<key:project_id>/labels")
def create_label(project_id: str) -> Response:
    """Create a label."""
    site = asked.site()
    project = asked.project(project_id, REPORTER)
    values = asked.parameters()
    asked.required(values, "name", "color")
    name = str(values["name"])
    if not name or "," in name or len(name) > edits.TITLE_MAX:
        raise bad_request({"title": ["is invalid"]})
    with site.store.transaction():
        if labels.find_label(site, project, name):
            raise ApiError(409, {"message": "Label already exists"})
        row_id = site.store.insert(
            "labels",
            project_id=project["id"],
            name=name,
            color=_color(values["color"]),
            description=values.get("description"),
            priority=values.get("priority"),
        )
    return asked.answer(entities.label(site, site.store.get("labels", row_id)), 201)


@blueprint.get("/projects/<key:project_id>/labels/<key:name>")
def get_label(project_id: str, name: str) -> Response:
    """Return a label."""
    return asked.answer(entities.label(asked.site(), _label(asked.project(project_id), name)))


@blueprint.put("/projects/<key:project_id>/labels/<key:name>")
@blueprint.put("/projects/<key:project_id>/labels", defaults={"name": ""})
def edit_label(project_id: str, name: str) -> Response:
    """Change a label."""
    site = asked.site()
    values = asked.parameters()
    row = _label(asked.project(project_id, REPORTER), name or str(values.get("name", values.get("label_id", ""))))
    changed: dict[str, Any] = {key: values[key] for key in ("description", "priority") if key in values}
    if values.get("new_name"):
        changed["name"] = values["new_name"]
    if values.get("color"):
        changed["color"] = _color(values["color"])
    site.store.update("labels", row["id"], **changed)
    return asked.answer(entities.label(site, site.store.get("labels", row["id"])))


@blueprint.delete("/projects/<key:project_id>/labels/<key:name>")
@blueprint.delete("/projects/<key:project_id>/labels", defaults={"name": ""})
def delete_label(project_id: str, name: str) -> Response:
    """Delete a label; merge requests lose it."""
    site = asked.site()
    row = _label(asked.project(project_id, REPORTER), name or str(asked.parameters().get("name", "")))
    with site.store.transaction():
        site.store.run("DELETE FROM merge_request_labels WHERE label_id = ?", row["id"])
        site.store.run("DELETE FROM labels WHERE id = ?", row["id"])
    return asked.nothing()
