"""What is left behind by whatever is done to a merge request: system notes, events, hooks."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from local_gitlab import entities
from local_gitlab.clock import now

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def again(site: Site, merge_request: Row) -> Row:
    """Read a merge request anew, as it has become."""
    return site.store.get("merge_requests", merge_request["id"])


def write_note(
    site: Site,
    merge_request: Row,
    user: Row,
    body: str,
    *,
    system: bool = False,
    internal: bool = False,
    discussion_id: str = "",
    thread: bool = False,
    **_: object,
) -> Row:
    """Keep a note, whoever or whatever wrote it."""
    moment = now()
    note_id = site.store.insert(
        "notes",
        project_id=merge_request["project_id"],
        merge_request_id=merge_request["id"],
        author_id=user["id"],
        body=body,
        system=system,
        internal=internal,
        discussion_id=discussion_id or secrets.token_hex(20),
        type="DiscussionNote" if thread else None,
        resolved=0 if thread else None,
        created_at=moment,
        updated_at=moment,
    )
    site.store.update("merge_requests", merge_request["id"], updated_at=moment)
    return site.store.get("notes", note_id)


def system_note(site: Site, merge_request: Row, user: Row, body: str) -> None:
    """Record in the merge request that somebody did something."""
    write_note(site, merge_request, user, body, system=True)


def record_event(site: Site, project: Row, user: Row, action: str, merge_request: Row) -> None:
    """Write down who did what, for the events API."""
    site.store.insert(
        "events",
        project_id=project["id"],
        author_id=user["id"],
        action_name=action,
        target_type="MergeRequest",
        target_id=merge_request["id"],
        target_iid=merge_request["iid"],
        target_title=merge_request["title"],
        created_at=now(),
    )
    site.store.update("projects", project["id"], last_activity_at=now())


def deliver(site: Site, project: Row, merge_request: Row, user: Row, action: str) -> None:
    """Tell the project's hooks about a merge request."""
    payload = {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "object_attributes": {
            "id": merge_request["id"],
            "iid": merge_request["iid"],
            "title": merge_request["title"],
            "description": merge_request["description"],
            "state": merge_request["state"],
            "action": action,
            "source_branch": merge_request["source_branch"],
            "target_branch": merge_request["target_branch"],
            "last_commit": {"id": merge_request["head_sha"]},
            "url": site.web(project, "merge_requests", merge_request["iid"]),
        },
        "labels": [{"title": name} for name in entities.label_names(site, merge_request)],
    }
    send(site, project, user, "merge_requests_events", payload)


def send(site: Site, project: Row, user: Row, event: str, payload: dict[str, Any]) -> None:
    """Hand an event to the project's hooks."""
    whole = {
        **payload,
        "user": entities.user_basic(site, user),
        "project": {
            "id": project["id"],
            "path_with_namespace": project["path_with_namespace"],
            "web_url": site.web(project),
            "git_http_url": f"{site.web(project)}.git",
            "default_branch": project["default_branch"],
        },
    }
    site.deliveries.send(project, event, whole)
