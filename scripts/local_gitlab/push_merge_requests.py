"""Merge requests that a push opens or changes with `-o merge_request.…` (GitLab's `PushOptionsHandlerService`).

Milestones, and merging when the pipeline succeeds, are read and left alone: this server has neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_gitlab import entities, merge_requests, pipelines
from local_gitlab.activity import again
from local_gitlab.drafts import is_draft
from local_gitlab.errors import ApiError
from local_gitlab.git import ZERO
from local_gitlab.site import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_gitlab.push_events import Move
    from local_gitlab.push_options import PushOptions
    from local_gitlab.site import Site
    from local_gitlab.store import Row

LIMIT = 10


def warnings(site: Site, project: Row, moves: Sequence[Move], options: PushOptions) -> list[str]:
    """Return what is wrong with the options of a push that is about to be taken."""
    asked = options.merge_request
    if not asked:
        return []
    target = _target(site, project)
    branches = _branches(target, moves)
    found = []
    if len(branches) > LIMIT:
        found.append(f"Too many branches pushed ({len(branches)} were pushed, limit is {LIMIT})")
    wanted = asked.get("target", [""])[-1]
    if wanted and site.repository(target).branch(wanted) is None:
        found.append(f"Target branch {target['path_with_namespace']}:{wanted} does not exist")
    if found or "create" in asked:
        return found
    return [
        f"A merge_request.create push option is required to create a merge request for branch {branch}"
        for branch in branches
        if _opened(site, project, target, branch) is None
    ]


def carry_out(site: Site, project: Row, user: Row, moves: Sequence[Move], options: PushOptions) -> None:
    """Open or change the merge requests of the branches that were pushed; what is not allowed does nothing."""
    asked = options.merge_request
    target = _target(site, project)
    branches = _branches(target, moves)
    if not asked or len(branches) > LIMIT:
        return
    if asked.get("target") and site.repository(target).branch(asked["target"][-1]) is None:
        return
    for branch in branches:
        try:
            _carry_out(site, project, target, user, branch, options)
        except ApiError:
            continue  # GitLab says so to who pushes; the push stands


def _carry_out(site: Site, project: Row, target: Row, user: Row, branch: str, options: PushOptions) -> None:
    asked = options.merge_request
    existing = _opened(site, project, target, branch)
    if existing is not None:
        values = _values(site, asked, entities.people(site, existing, "assignee"), title=existing["title"])
        old = existing["target_branch"]
        merge_requests.update(site, target, existing, user, values)
        changed = again(site, existing)["target_branch"] != old
    elif "create" in asked:
        title = (site.repository(project).log("-1", f"refs/heads/{branch}")[0].title or branch)[:255]
        values = {"source_branch": branch, "target_branch": target["default_branch"], "assignee_ids": [user["id"]]}
        values |= _values(site, asked, [], title=title)
        values.setdefault("title", title)
        values["labels"] = values.pop("add_labels", ())
        existing = merge_requests.create(site, target, user, values, origin=project)
        changed = True
    else:
        return
    if changed:
        fresh = again(site, existing)
        pipelines.create_for_merge_request(site, target, user, fresh, push_skips=options.skip_ci)


def _target(site: Site, project: Row) -> Row:
    """Return where merge requests of this project go by default: to its parent, if it is a fork."""
    if project["forked_from_id"] is None or settings_of(project)["mr_default_target_self"]:
        return project
    return site.store.one("SELECT * FROM projects WHERE id = ?", project["forked_from_id"]) or project


def _branches(target: Row, moves: Sequence[Move]) -> list[str]:
    kept = [move for move in moves if move.ref.startswith("refs/heads/") and move.new != ZERO]
    return [move.name for move in kept if move.name != target["default_branch"]]


def _opened(site: Site, project: Row, target: Row, branch: str) -> Row | None:
    return site.store.one(
        "SELECT * FROM merge_requests WHERE project_id = ? AND coalesce(source_project_id, project_id) = ? "
        "AND source_branch = ? AND state = 'opened'",
        target["id"],
        project["id"],
        branch,
    )


def _values(site: Site, asked: dict[str, list[str]], people: list[dict[str, Any]], *, title: str) -> dict[str, Any]:
    """Return the options as the API's parameters."""
    values: dict[str, Any] = {name: asked[name][-1] for name in ("title",) if asked.get(name)}
    if "description" in asked:
        values["description"] = asked["description"][-1].replace("\\n", "\n")
    if asked.get("target"):
        values["target_branch"] = asked["target"][-1]
    if "remove_source_branch" in asked:
        values["remove_source_branch"] = asked["remove_source_branch"][-1].lower() not in {"false", "0", "no"}
    if "draft" in asked and not is_draft(values.get("title", title)):
        values["title"] = f"Draft: {values.get('title', title)}"
    for option, name in (("label", "add_labels"), ("unlabel", "remove_labels")):
        if option in asked:
            values[name] = asked[option]
    if "assign" in asked or "unassign" in asked:
        ids = {person["id"] for person in people} | _ids(site, asked.get("assign", []))
        values["assignee_ids"] = sorted(ids - _ids(site, asked.get("unassign", [])))
    return values


def _ids(site: Site, names: list[str]) -> set[int]:
    rows = site.store.all("SELECT id, username FROM users")
    wanted = {name.removeprefix("@").lower() for name in names}
    return {row["id"] for row in rows if {str(row["id"]), row["username"].lower()} & wanted}
