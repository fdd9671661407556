"""Protected branches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from local_gitlab import entities
from local_gitlab import web_request as asked
from local_gitlab.errors import conflict, not_found
from local_gitlab.site import DEVELOPER, MAINTAINER

if TYPE_CHECKING:
    from local_gitlab.store import Row

blueprint = Blueprint("protected_branches", __name__)
LEVELS = (0, 30, 40, 60)
KINDS = ("push", "merge", "unprotect")


def _row(project: Row, name: str) -> Row:
    row = asked.site().store.one(
        "SELECT * FROM protected_branches WHERE project_id = ? AND name = ?",
        project["id"],
        name,
    )
    if row is None:
        raise not_found()
    return row


def _levels(values: dict[str, Any], kind: str, default: list[int]) -> list[int]:
    """Read access levels from `push_access_level` or, as Premium has it, `allowed_to_push`."""
    single = values.get(f"{kind}_access_level")
    several = values.get(f"allowed_to_{kind}")
    if several:
        found = [entry.get("access_level") for entry in several if isinstance(entry, dict)]
        return sorted({asked.integer(level, "access_level") for level in found if level is not None})
    if single is None:
        return default
    return [asked.integer(asked.choice(str(single), [str(level) for level in LEVELS], f"{kind}_access_level"), kind)]


@blueprint.get("/projects/<key:project_id>/protected_branches")
def listing(project_id: str) -> Response:
    """List the rules."""
    project = asked.project(project_id, DEVELOPER)
    rows = asked.site().store.all("SELECT * FROM protected_branches WHERE project_id = ? ORDER BY name", project["id"])
    search = str(asked.parameters().get("search") or "")
    return asked.paginated([row for row in rows if search in row["name"]], entities.protected_branch)


@blueprint.post("/projects/<key:project_id>/protected_branches")
def protect(project_id: str) -> Response:
    """Protect a branch or a pattern."""
    project = asked.project(project_id, MAINTAINER)
    store = asked.site().store
    values = asked.parameters()
    asked.required(values, "name")
    name = str(values["name"])
    with store.transaction():
        if store.one("SELECT 1 FROM protected_branches WHERE project_id = ? AND name = ?", project["id"], name):
            raise conflict(f"Protected branch '{name}' already exists")
        row_id = store.insert(
            "protected_branches",
            project_id=project["id"],
            name=name,
            allow_force_push=asked.flag(values.get("allow_force_push")),
            push_levels=json.dumps(_levels(values, "push", [40])),
            merge_levels=json.dumps(_levels(values, "merge", [40])),
            unprotect_levels=json.dumps(_levels(values, "unprotect", [])),
        )
    return asked.answer(entities.protected_branch(store.get("protected_branches", row_id)), 201)


@blueprint.get("/projects/<key:project_id>/protected_branches/<key:name>")
def get(project_id: str, name: str) -> Response:
    """Return a rule."""
    return asked.answer(entities.protected_branch(_row(asked.project(project_id, DEVELOPER), name)))


@blueprint.patch("/projects/<key:project_id>/protected_branches/<key:name>")
def edit(project_id: str, name: str) -> Response:
    """Change a rule: force pushing, and levels that are added or, with `_destroy`, taken away."""
    project = asked.project(project_id, MAINTAINER)
    store = asked.site().store
    row = _row(project, name)
    values = asked.parameters()
    if values.get("allow_force_push") is not None:
        store.update("protected_branches", row["id"], allow_force_push=asked.flag(values["allow_force_push"]))
    for kind in KINDS:
        levels = set(json.loads(row[f"{kind}_levels"]))
        for entry in values.get(f"allowed_to_{kind}") or []:
            level = entry.get("access_level", int(entry.get("id", 0)) - row["id"] * 100)
            levels = levels - {level} if entry.get("_destroy") else levels | {level}
        store.update("protected_branches", row["id"], **{f"{kind}_levels": json.dumps(sorted(levels))})
    return asked.answer(entities.protected_branch(store.get("protected_branches", row["id"])))


@blueprint.delete("/projects/<key:project_id>/protected_branches/<key:name>")
def unprotect(project_id: str, name: str) -> Response:
    """Remove a rule."""
    project = asked.project(project_id, MAINTAINER)
    asked.site().store.run("DELETE FROM protected_branches WHERE id = ?", _row(project, name)["id"])
    return asked.nothing()
