"""What a hand may change on a merge request: title, target, people, whether it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_gitlab.activity import again, deliver, record_event, system_note
from local_gitlab.clock import now
from local_gitlab.drafts import is_draft, without_draft
from local_gitlab.errors import ApiError, bad_request, conflict, unprocessable
from local_gitlab.refreshing import refresh_head
from local_gitlab.site import source_of

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
    if is_draft(old) != is_draft(title):
        system_note(
            site, merge_request, user, f"marked this merge request as **{'draft' if is_draft(title) else 'ready'}**"
        )
    if without_draft(old) != without_draft(title):
        system_note(site, merge_request, user, f"changed title from **{old}** to **{title}**")


def change_target(site: Site, project: Row, merge_request: Row, user: Row, target: object) -> bool:
    """Point a merge request at another branch; tell whether that was another one.

    Raises ApiError 400 when there is no such branch, 422 when it is the source itself, 409 when another one is open on
    the same pair.
    """
    old = merge_request["target_branch"]
    if target is None or target == old:
        return False
    source_id = merge_request["source_project_id"] or project["id"]
    if site.repository(project).branch(str(target)) is None:
        raise bad_request({"target_branch": ["does not exist"]})
    if source_id == project["id"] and target == merge_request["source_branch"]:
        raise unprocessable(["You can't use same project/branch for source and target"])
    if merge_request["state"] == "opened":
        refuse_second(site, project, source_id, merge_request["source_branch"], str(target))
    site.store.update("merge_requests", merge_request["id"], target_branch=str(target))
    if merge_request["state"] == "opened":
        refresh_head(site, project, again(site, merge_request))
    system_note(site, merge_request, user, f"changed target branch from `{old}` to `{target}`")
    return True


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
    if event == "close" and merge_request["state"] == "opened":
        close(site, project, merge_request, user)
    elif event == "reopen" and merge_request["state"] == "closed":
        _reopen(site, project, merge_request, user)


def close(site: Site, project: Row, merge_request: Row, user: Row) -> None:
    """Close an open merge request."""
    moment = now()
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


def _reopen(site: Site, project: Row, merge_request: Row, user: Row) -> None:
    """Open a closed merge request again.

    Raises ApiError 409 when another one is open on the same branches (GitLab's `validate_branches`), 422 when the
    source branch or the fork is gone (`reopenable?`, by which GitLab's pages refuse).
    """
    source = source_of(site, merge_request)
    branch = merge_request["source_branch"]
    if source is None or site.repository(source).branch(branch) is None:
        raise unprocessable([f"Source branch `{branch}` does not exist"])
    refuse_second(site, project, source["id"], branch, merge_request["target_branch"])
    site.store.update(
        "merge_requests",
        merge_request["id"],
        state="opened",
        closed_at=None,
        closed_by_id=None,
        updated_at=now(),
    )
    # GitLab makes the diff anew, and with it the ref of the head, which it may have removed (`reload_diff`).
    refresh_head(site, project, again(site, merge_request), first=True)
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
