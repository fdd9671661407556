"""Notes that people write on merge requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_gitlab import entities
from local_gitlab.activity import record_event, send, write_note
from local_gitlab.errors import bad_request
from local_gitlab.quick_actions import apply_commands, extract

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row

NOTE_MAX = 1_000_000


def add_note(site: Site, project: Row, merge_request: Row, user: Row, body: str, **values: Any) -> Row | None:  # noqa: ANN401  # as posted
    """Write a note, carrying out the quick actions in it; return nothing when it held nothing else."""
    valid_note(body)
    text, commands = extract(body)
    with site.lock(project), site.store.transaction():
        row = None
        if text.strip():
            row = write_note(site, merge_request, user, text, **values)
            record_event(site, project, user, "commented on", merge_request)
        apply_commands(site, project, merge_request, user, commands, merge_sha=values.get("merge_sha"))
    if row is not None:
        payload = {
            "object_kind": "note",
            "event_type": "note",
            "object_attributes": entities.note(site, row),
            "merge_request": {"iid": merge_request["iid"], "title": merge_request["title"]},
        }
        send(site, project, user, "note_events", payload)
    return row


def valid_note(body: object) -> str:
    """Return the text of a note.

    Raises ApiError 400 when it is empty or longer than GitLab takes.
    """
    text = str(body)
    if not text.strip():
        raise bad_request({"note": ["can't be blank"]})
    if len(text) > NOTE_MAX:
        raise bad_request({"note": [f"is too long (maximum is {NOTE_MAX} characters)"]})
    return text
