"""Protected tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from local_gitlab import entities
from local_gitlab import web_request as asked
from local_gitlab.errors import conflict, not_found
from local_gitlab.site import MAINTAINER

if TYPE_CHECKING:
    from local_gitlab.store import Row

blueprint = Blueprint("protected_tags", __name__)
LEVELS = (0, 30, 40, 60)


def _row(project: Row, name: str) -> Row:
    row = asked.site().store.one("SELECT * FROM protected_tags WHERE project_id = ? AND name = ?", project["id"], name)
    if row is None:
        raise not_found()
    return row


@blueprint.get("/projects/<key:project_id>/protected_tags")
def listing(project_id: str) -> Response:
    """List the rules."""
    project = asked.project(project_id, MAINTAINER)
    rows = asked.site().store.all("SELECT * FROM protected_tags WHERE project_id = ? ORDER BY name", project["id"])
    return asked.paginated(rows, entities.protected_tag)


@blueprint.post("/projects/<key:project_id>/protected_tags")
def protect(project_id: str) -> Response:
    """Protect a tag or a pattern."""
    project = asked.project(project_id, MAINTAINER)
    store, values = asked.site().store, asked.parameters()
    asked.required(values, "name")
    name = str(values["name"])
    level = values.get("create_access_level")
    chosen = 40 if level is None else int(asked.choice(str(level), [str(one) for one in LEVELS], "create_access_level"))
    with store.transaction():
        if store.one("SELECT 1 FROM protected_tags WHERE project_id = ? AND name = ?", project["id"], name):
            raise conflict(f"Protected tag '{name}' already exists")
        row = store.insert("protected_tags", project_id=project["id"], name=name, create_levels=json.dumps([chosen]))
    return asked.answer(entities.protected_tag(store.get("protected_tags", row)), 201)


@blueprint.get("/projects/<key:project_id>/protected_tags/<key:name>")
def get(project_id: str, name: str) -> Response:
    """Return a rule."""
    return asked.answer(entities.protected_tag(_row(asked.project(project_id, MAINTAINER), name)))


@blueprint.delete("/projects/<key:project_id>/protected_tags/<key:name>")
def unprotect(project_id: str, name: str) -> Response:
    """Remove a rule."""
    project = asked.project(project_id, MAINTAINER)
    asked.site().store.run("DELETE FROM protected_tags WHERE id = ?", _row(project, name)["id"])
    return asked.nothing()
