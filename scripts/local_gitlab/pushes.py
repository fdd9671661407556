"""What follows when a branch moves, whoever moved it: events, merge requests, pipelines, hooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local_gitlab import pipelines
from local_gitlab.activity import send
from local_gitlab.clock import now
from local_gitlab.git import ZERO
from local_gitlab.heads import branch_moved
from local_gitlab.site import protect_default_branch

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def branch_updated(site: Site, project: Row, user: Row, ref: str, old: str, new: str, *, quiet: bool = False) -> None:
    """Record that a ref moved and set everything in motion that depends on it.

    `quiet` leaves the pipeline out, as `ci.skip` does.
    """
    is_branch = ref.startswith("refs/heads/")
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    with site.lock(project):
        with site.store.transaction():
            _record(site, project, user, ref, name, old, new)
            moved = branch_moved(site, project, user, name, old, new) if is_branch else []
            if is_branch and old == ZERO and name == project["default_branch"]:
                protect_default_branch(site, project)
        if is_branch and new != ZERO and not quiet:
            _start_pipelines(site, project, user, name, old, new, moved)
    _deliver(site, project, user, ref, old, new)


def _start_pipelines(site: Site, project: Row, user: Row, branch: str, old: str, new: str, moved: list[Row]) -> None:
    if not moved:
        pipelines.create(site, project, user, ref=branch, sha=new, before=old, source="push")
    for merge_request in moved:
        pipelines.create_for_merge_request(site, project, user, merge_request)


def _record(site: Site, project: Row, user: Row, ref: str, name: str, old: str, new: str) -> None:
    repository = site.repository(project)
    action = "removed" if new == ZERO else "created" if old == ZERO else "pushed"
    title = None
    count = 0
    if new != ZERO:
        commit = repository.commit(new)
        title = commit.title[:70] if commit else None
        if old == ZERO:
            default = repository.branch(project["default_branch"])
            count = repository.count(new, f"^{default}") if default and default != new else repository.count(new)
        else:
            count = repository.count(f"{old}..{new}")
    push = {
        "commit_count": count,
        "action": action,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "commit_from": None if old == ZERO else old,
        "commit_to": None if new == ZERO else new,
        "ref": name,
        "commit_title": title,
        "ref_count": None,
    }
    site.store.insert(
        "events",
        project_id=project["id"],
        author_id=user["id"],
        action_name={"removed": "deleted", "created": "pushed new", "pushed": "pushed to"}[action],
        push_data=json.dumps(push),
        created_at=now(),
    )
    site.store.update("projects", project["id"], last_activity_at=now())


def _deliver(site: Site, project: Row, user: Row, ref: str, old: str, new: str) -> None:
    repository = site.repository(project)
    commits: list[dict[str, Any]] = []
    if new != ZERO:
        span = [new, "-20"] if old == ZERO else [f"{old}..{new}", "-20"]
        commits = [
            {"id": commit.sha, "message": commit.message, "title": commit.title, "timestamp": commit.committed_at}
            for commit in repository.log(*span)
        ]
    payload = {
        "object_kind": "push",
        "event_name": "push",
        "before": old,
        "after": new,
        "ref": ref,
        "checkout_sha": None if new == ZERO else new,
        "user_id": user["id"],
        "user_username": user["username"],
        "project_id": project["id"],
        "commits": commits,
        "total_commits_count": len(commits),
    }
    send(site, project, user, "push_events", payload)


def remove_branch(site: Site, project: Row, user: Row, branch: str) -> None:
    """Delete a branch, if it is there, and say so."""
    with site.lock(project):
        repository = site.repository(project)
        old = repository.branch(branch)
        if old is None or branch == project["default_branch"]:
            return
        repository.delete_ref(f"refs/heads/{branch}")
    branch_updated(site, project, user, f"refs/heads/{branch}", old, ZERO)
