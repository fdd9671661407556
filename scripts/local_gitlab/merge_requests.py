"""Merge requests: how one is found, opened and changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_gitlab.activity import again, deliver, record_event, system_note
from local_gitlab.clock import now
from local_gitlab.edits import change_state, change_target, refuse_second, set_people, set_title, valid_title
from local_gitlab.errors import ApiError, bad_parameter, bad_request, not_found, unprocessable
from local_gitlab.labels import set_labels
from local_gitlab.quick_actions import apply_commands, extract
from local_gitlab.refreshing import refresh_head
from local_gitlab.site import DEVELOPER, access_level, root_of, settings_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row

TEXT_MAX = 1_048_576


def find(site: Site, project: Row, iid: int) -> Row:
    """Return a merge request.

    Raises ApiError 404 when there is none with this number.
    """
    row = site.store.one("SELECT * FROM merge_requests WHERE project_id = ? AND iid = ?", project["id"], iid)
    if row is None:
        raise not_found()
    return row


def create(site: Site, project: Row, user: Row, values: dict[str, Any], *, origin: Row | None = None) -> Row:
    """Open a merge request, of a branch of the project itself or of its fork `origin`.

    Raises ApiError in GitLab's words when it cannot be opened.
    """
    source, target = str(values["source_branch"]), str(values["target_branch"])
    title = valid_title(values["title"])
    origin = origin or project
    if origin["id"] != project["id"] and root_of(origin) != root_of(project):
        raise unprocessable(["Source project is not a fork of the target project"])
    if source == target and origin["id"] == project["id"]:
        raise unprocessable(["You can't use same project/branch for source and target"])
    repository = site.repository(project)
    if site.repository(origin).branch(source) is None:
        raise bad_request({"source_branch": ["does not exist"]})
    if repository.branch(target) is None:
        raise bad_request({"target_branch": ["does not exist"]})
    description, commands = extract(_valid_description(values.get("description")) or "")
    with site.lock(project), site.store.transaction():
        refuse_second(site, project, origin["id"], source, target)
        merge_request = _insert(site, project, origin, user, values, title=title, description=description)
        refresh_head(site, project, merge_request, first=True)
        if may_sort(site, project, user):
            set_labels(site, project, merge_request, user, add=values.get("labels") or (), quiet=True)
            set_people(site, merge_request, "assignee", values.get("assignee_ids"), values.get("assignee_id"))
            set_people(site, merge_request, "reviewer", values.get("reviewer_ids"), None)
        record_event(site, project, user, "opened", merge_request)
        apply_commands(site, project, merge_request, user, commands, created=True)
    merge_request = again(site, merge_request)
    deliver(site, project, merge_request, user, "open")
    return merge_request


def may_sort(site: Site, project: Row, user: Row) -> bool:
    """Tell whether the user may label and assign: GitLab's services drop these values from anyone below Developer."""
    return access_level(site, project, user) >= DEVELOPER


def _insert(
    site: Site, project: Row, origin: Row, user: Row, values: dict[str, Any], *, title: str, description: str
) -> Row:
    iid = 1 + site.store.count("SELECT max(iid) FROM merge_requests WHERE project_id = ?", project["id"])
    settings = settings_of(project)
    remove = values.get("remove_source_branch")
    squash = values.get("squash")
    moment = now()
    row_id = site.store.insert(
        "merge_requests",
        project_id=project["id"],
        iid=iid,
        title=title,
        description=description or None,
        state="opened",
        author_id=user["id"],
        source_project_id=None if origin["id"] == project["id"] else origin["id"],
        source_branch=values["source_branch"],
        target_branch=values["target_branch"],
        created_at=moment,
        updated_at=moment,
        remove_source_branch=settings["remove_source_branch_after_merge"] if remove is None else bool(remove),
        squash=settings["squash_option"] in {"always", "default_on"} if squash is None else bool(squash),
        merge_after=_moment(values.get("merge_after")),
    )
    return site.store.get("merge_requests", row_id)


def _moment(value: object) -> str | None:
    """Read the moment before which a merge request is not merged; an empty text, or nothing, is none.

    Raises ApiError 400 when it is none.
    """
    if value in {None, ""}:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise bad_parameter("merge_after is invalid") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def _valid_description(description: object) -> str | None:
    text = None if description is None else str(description)
    if text is not None and len(text) > TEXT_MAX:
        raise bad_request({"description": [f"is too long (maximum is {TEXT_MAX} characters)"]})
    return text


def update(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> Row:
    """Change a merge request the way `PUT` asks."""
    if access_level(site, project, user) < DEVELOPER and merge_request["author_id"] != user["id"]:
        raise ApiError(403, {"message": "403 Forbidden"})
    with site.lock(project), site.store.transaction():
        merge_request = again(site, merge_request)
        _change_text(site, project, merge_request, user, values)
        change_target(site, project, merge_request, user, values.get("target_branch"))
        if may_sort(site, project, user):
            _sort(site, project, merge_request, user, values)
        flags = {
            name: bool(values[name])
            for name in ("squash", "remove_source_branch", "discussion_locked")
            if values.get(name) is not None
        }
        site.store.update("merge_requests", merge_request["id"], updated_at=now(), **flags)
        if "merge_after" in values:
            site.store.update("merge_requests", merge_request["id"], merge_after=_moment(values["merge_after"]))
        event = values.get("state_event")
        if event:
            change_state(site, project, again(site, merge_request), user, str(event))
    merge_request = again(site, merge_request)
    deliver(site, project, merge_request, user, "update")
    return merge_request


def _sort(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> None:
    if any(values.get(name) is not None for name in ("labels", "add_labels", "remove_labels")):
        set_labels(
            site,
            project,
            merge_request,
            user,
            replace=values.get("labels"),
            add=values.get("add_labels") or (),
            remove=values.get("remove_labels") or (),
        )
    set_people(site, merge_request, "assignee", values.get("assignee_ids"), values.get("assignee_id"))
    set_people(site, merge_request, "reviewer", values.get("reviewer_ids"), None)


def _change_text(site: Site, project: Row, merge_request: Row, user: Row, values: dict[str, Any]) -> None:
    if values.get("title") is not None:
        set_title(site, merge_request, user, valid_title(values["title"]))
    if "description" not in values:
        return
    text = _valid_description(values["description"])
    description, commands = extract(text or "")
    if description != (merge_request["description"] or ""):
        site.store.update("merge_requests", merge_request["id"], description=description or None)
        system_note(site, merge_request, user, "changed the description")
    apply_commands(site, project, merge_request, user, commands)
