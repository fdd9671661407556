"""What a hand may change on a merge request: title, target, people, whether it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_gitlab.activity import again, deliver, record_event, system_note
from local_gitlab.clock import now
from local_gitlab.errors import ApiError, bad_request, conflict
from local_gitlab.heads import refresh_head

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row

TITLE_MAX = 255


def valid_title(title: object) -> str:
    """Return the text of a title.

    Raises ApiError 400 when it is empty or longer than GitLab takes.
    """
    text = str(title)
    if len(text) > TITLE_MAX:
        raise bad_request({"title": [f"is too long (maximum is {TITLE_MAX} characters)"]})
    if not text.strip():
        raise bad_request({"title": ["can't be blank"]})
    return text


def set_title(site: Site, merge_request: Row, user: Row, title: str) -> None:
    """Change the title; a word in front of it makes it a draft."""
    old = merge_request["title"]
    if title == old:
        return
    site.store.update("merge_requests", merge_request["id"], title=title)
    system_note(site, merge_request, user, f"changed title from **{old}** to **{title}**")


def change_target(site: Site, project: Row, merge_request: Row, user: Row, target: object) -> None:
    """Point a merge request at another branch.

    Raises ApiError 400 when there is no such branch, 409 when another one is open on the same pair.
    """
    old = merge_request["target_branch"]
    if target is None or target == old:
        return
    source_id = merge_request["source_project_id"] or project["id"]
    if site.repository(project).branch(str(target)) is None:
        raise bad_request({"target_branch": ["does not exist"]})
    refuse_second(site, project, source_id, merge_request["source_branch"], str(target))
    site.store.update("merge_requests", merge_request["id"], target_branch=str(target))
    refresh_head(site, project, again(site, merge_request))
    system_note(site, merge_request, user, f"changed target branch from `{old}` to `{target}`")


def refuse_second(site: Site, project: Row, source_id: int, source: str, target: str) -> None:
    """Raise ApiError 409 when a merge request on the same two branches is open."""
    other = site.store.one(
        "SELECT iid FROM merge_requests WHERE project_id = ? AND coalesce(source_project_id, project_id) = ? "
        "AND source_branch = ? AND target_branch = ? AND state = 'opened'",
        project["id"],
        source_id,
        source,
        target,
    )
    if other:
        raise conflict([f"Another open merge request already exists for this source branch: !{other['iid']}"])


def change_state(site: Site, project: Row, merge_request: Row, user: Row, event: str) -> None:
    """Close or reopen; what is merged stays merged."""
    if event not in {"close", "reopen"}:
        raise ApiError(400, {"error": "state_event does not have a valid value"})
    moment = now()
    if event == "close" and merge_request["state"] == "opened":
        site.store.update(
            "merge_requests",
            merge_request["id"],
            state="closed",
            closed_at=moment,
            closed_by_id=user["id"],
            updated_at=moment,
        )
        system_note(site, merge_request, user, "closed")
        record_event(site, project, user, "closed", merge_request)
        deliver(site, project, again(site, merge_request), user, "close")
    elif event == "reopen" and merge_request["state"] == "closed":
        source_id = merge_request["source_project_id"] or project["id"]
        refuse_second(site, project, source_id, merge_request["source_branch"], merge_request["target_branch"])
        site.store.update(
            "merge_requests",
            merge_request["id"],
            state="opened",
            closed_at=None,
            closed_by_id=None,
            updated_at=moment,
        )
        refresh_head(site, project, again(site, merge_request))
        system_note(site, merge_request, user, "reopened")
        record_event(site, project, user, "reopened", merge_request)
        deliver(site, project, again(site, merge_request), user, "reopen")


def set_people(site: Site, merge_request: Row, role: str, ids: object, one: object) -> None:
    """Assign users, or ask them for a review; `0` or an empty list means nobody."""
    if ids is None and one is None:
        return
    wanted = ids if isinstance(ids, list) else [one if ids is None else ids]
    site.store.run(
        "DELETE FROM merge_request_people WHERE merge_request_id = ? AND role = ?",
        merge_request["id"],
        role,
    )
    for user_id in wanted:
        if str(user_id).isdigit() and site.store.one("SELECT id FROM users WHERE id = ?", int(str(user_id))):
            site.store.run(
                "INSERT OR IGNORE INTO merge_request_people VALUES (?, ?, ?)",
                merge_request["id"],
                int(str(user_id)),
                role,
            )
