"""Who approves a merge request, and when it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_gitlab.activity import again, deliver, record_event, system_note
from local_gitlab.clock import now
from local_gitlab.errors import not_found, unauthorized
from local_gitlab.refreshing import check_sha
from local_gitlab.site import DEVELOPER, access_level, settings_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def may_approve(site: Site, project: Row, merge_request: Row, user: Row | None) -> bool:
    """Tell whether the user's approval would be accepted."""
    if user is None or merge_request["state"] != "opened" or access_level(site, project, user) < DEVELOPER:
        return False
    if merge_request["author_id"] == user["id"] and not settings_of(project)["merge_requests_author_approval"]:
        return False
    return not _approved_by(site, merge_request, user)


def _approved_by(site: Site, merge_request: Row, user: Row) -> bool:
    row = site.store.one(
        "SELECT 1 FROM approvals WHERE merge_request_id = ? AND user_id = ?",
        merge_request["id"],
        user["id"],
    )
    return row is not None


def approve(site: Site, project: Row, merge_request: Row, user: Row, sha: object = None) -> None:
    """Approve the head.

    Raises ApiError 409 when `sha` is not the head, 401 when this user's approval is not accepted.
    """
    with site.lock(project), site.store.transaction():
        merge_request = again(site, merge_request)
        check_sha(merge_request, sha)
        if not may_approve(site, project, merge_request, user):
            raise unauthorized()
        site.store.run(
            "INSERT INTO approvals VALUES (?, ?, ?, ?)",
            merge_request["id"],
            user["id"],
            merge_request["head_sha"],
            now(),
        )
        site.store.update("merge_requests", merge_request["id"], updated_at=now())
        system_note(site, merge_request, user, "approved this merge request")
        record_event(site, project, user, "approved", merge_request)
    deliver(site, project, again(site, merge_request), user, "approved")


def unapprove(site: Site, project: Row, merge_request: Row, user: Row) -> None:
    """Take one's approval back.

    Raises ApiError 404 when there is none.
    """
    with site.lock(project), site.store.transaction():
        gone = site.store.run(
            "DELETE FROM approvals WHERE merge_request_id = ? AND user_id = ?",
            merge_request["id"],
            user["id"],
        )
        if not gone:
            raise not_found()
        site.store.update("merge_requests", merge_request["id"], updated_at=now())
        system_note(site, merge_request, user, "unapproved this merge request")
    deliver(site, project, again(site, merge_request), user, "unapproved")
