"""Notes and threads of a merge request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from local_gitlab import entities, merge_requests, notes, quick_actions
from local_gitlab import web_request as asked
from local_gitlab.clock import now
from local_gitlab.errors import forbidden, not_found
from local_gitlab.quick_actions import extract
from local_gitlab.site import MAINTAINER, REPORTER, access_level

if TYPE_CHECKING:
    from local_gitlab.store import Row

blueprint = Blueprint("notes", __name__)
BASE = "/projects/<key:project_id>/merge_requests/<int:iid>"


def _find(project_id: str, iid: int, *, writing: bool = False) -> tuple[Row, Row]:
    project = asked.guest(project_id) if writing else asked.project(project_id)
    return project, merge_requests.find(asked.site(), project, iid)


def _visible(project: Row, rows: list[Row]) -> list[Row]:
    if access_level(asked.site(), project, asked.user_or_none()) >= REPORTER:
        return rows
    return [row for row in rows if not row["internal"]]


@blueprint.get(f"{BASE}/notes")
def listing(project_id: str, iid: int) -> Response:
    """List the notes, newest first unless asked otherwise."""
    site = asked.site()
    project, found = _find(project_id, iid)
    values = asked.parameters()
    order = asked.choice(values.get("order_by", "created_at"), ("created_at", "updated_at"), "order_by")
    sort = asked.choice(values.get("sort", "desc"), ("asc", "desc"), "sort")
    rows = site.store.all("SELECT * FROM notes WHERE merge_request_id = ?", found["id"])
    kind = asked.choice(
        values.get("activity_filter", "all_notes"),
        ("all_notes", "only_comments", "only_activity"),
        "activity_filter",
    )
    if kind != "all_notes":
        rows = [row for row in rows if bool(row["system"]) == (kind == "only_activity")]
    rows = sorted(_visible(project, rows), key=lambda row: (row[order], row["id"]), reverse=sort == "desc")
    return asked.paginated(rows, lambda row: entities.note(site, row))


@blueprint.post(f"{BASE}/notes")
def create(project_id: str, iid: int) -> Response:
    """Write a note; its quick actions take effect."""
    project, found = _find(project_id, iid, writing=True)
    return _write(project, found)


def _write(project: Row, found: Row, **more: Any) -> Response:  # noqa: ANN401  # handed on
    site = asked.site()
    values = asked.parameters()
    asked.required(values, "body")
    row = notes.add_note(
        site,
        project,
        found,
        asked.user(),
        str(values["body"]),
        internal=asked.flag(values.get("internal", values.get("confidential"))),
        merge_sha=values.get("merge_request_diff_head_sha"),
        **more,
    )
    if row is None:
        return asked.answer({"commands_changes": {}, "summary": ["Applied the commands."]}, 202)
    if more.get("thread") and not more.get("discussion_id"):
        return asked.answer(entities.discussion(site, [row]), 201)
    return asked.answer(entities.note(site, row), 201)


def _note(found: Row, note_id: int) -> Row:
    row = asked.site().store.one("SELECT * FROM notes WHERE merge_request_id = ? AND id = ?", found["id"], note_id)
    if row is None:
        raise not_found()
    return row


@blueprint.get(f"{BASE}/notes/<int:note_id>")
def get(project_id: str, iid: int, note_id: int) -> Response:
    """Return a note."""
    project, found = _find(project_id, iid)
    rows = _visible(project, [_note(found, note_id)])
    if not rows:
        raise not_found()
    return asked.answer(entities.note(asked.site(), rows[0]))


def _own(project: Row, row: Row) -> None:
    user = asked.user()
    maintainer = access_level(asked.site(), project, user) >= MAINTAINER
    if row["system"] or (row["author_id"] != user["id"] and not maintainer):
        raise forbidden()


@blueprint.put(f"{BASE}/notes/<int:note_id>")
def edit(project_id: str, iid: int, note_id: int) -> Response:
    """Change a note."""
    site = asked.site()
    project, found = _find(project_id, iid, writing=True)
    row = _note(found, note_id)
    _own(project, row)
    values = asked.parameters()
    asked.required(values, "body")
    text = notes.valid_note(values["body"])
    kept, commands = extract(text)
    with site.lock(project), site.store.transaction():
        site.store.update("notes", row["id"], body=kept or text, updated_at=now())
        quick_actions.apply_commands(site, project, found, asked.user(), commands)
    return asked.answer(entities.note(site, site.store.get("notes", row["id"])))


@blueprint.delete(f"{BASE}/notes/<int:note_id>")
def delete(project_id: str, iid: int, note_id: int) -> Response:
    """Delete a note."""
    project, found = _find(project_id, iid, writing=True)
    row = _note(found, note_id)
    _own(project, row)
    asked.site().store.run("DELETE FROM notes WHERE id = ?", row["id"])
    return asked.nothing()


# --- threads


def _threads(project: Row, found: Row) -> dict[str, list[Row]]:
    rows = asked.site().store.all("SELECT * FROM notes WHERE merge_request_id = ? ORDER BY id", found["id"])
    threads: dict[str, list[Row]] = {}
    for row in _visible(project, rows):
        threads.setdefault(row["discussion_id"], []).append(row)
    return threads


@blueprint.get(f"{BASE}/discussions")
def discussions(project_id: str, iid: int) -> Response:
    """List the threads; a note outside a thread is one of its own."""
    threads = list(_threads(*_find(project_id, iid)).values())
    return asked.paginated(threads, lambda rows: entities.discussion(asked.site(), rows))


@blueprint.post(f"{BASE}/discussions")
def start(project_id: str, iid: int) -> Response:
    """Start a thread."""
    project, found = _find(project_id, iid, writing=True)
    return _write(project, found, thread=True)


@blueprint.get(f"{BASE}/discussions/<discussion_id>")
def discussion(project_id: str, iid: int, discussion_id: str) -> Response:
    """Return a thread."""
    rows = _threads(*_find(project_id, iid)).get(discussion_id)
    if not rows:
        raise not_found("Discussion")
    return asked.answer(entities.discussion(asked.site(), rows))


@blueprint.put(f"{BASE}/discussions/<discussion_id>")
def resolve(project_id: str, iid: int, discussion_id: str) -> Response:
    """Resolve a thread, or open it again."""
    site = asked.site()
    project, found = _find(project_id, iid, writing=True)
    values = asked.parameters()
    asked.required(values, "resolved")
    if discussion_id not in _threads(project, found):
        raise not_found("Discussion")
    site.store.run(
        "UPDATE notes SET resolved = ? WHERE merge_request_id = ? AND discussion_id = ?",
        asked.flag(values["resolved"]),
        found["id"],
        discussion_id,
    )
    return asked.answer(entities.discussion(site, _threads(project, found)[discussion_id]))


@blueprint.post(f"{BASE}/discussions/<discussion_id>/notes")
def reply(project_id: str, iid: int, discussion_id: str) -> Response:
    """Answer in a thread."""
    project, found = _find(project_id, iid, writing=True)
    if discussion_id not in _threads(project, found):
        raise not_found("Discussion")
    return _write(project, found, thread=True, discussion_id=discussion_id)
