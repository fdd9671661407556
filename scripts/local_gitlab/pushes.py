"""What follows when a branch moves, whoever moved it: events, merge requests, pipelines, hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_gitlab import pipelines, push_events, push_options
from local_gitlab.activity import send
from local_gitlab.git import ZERO
from local_gitlab.heads import branch_moved
from local_gitlab.push_events import Move
from local_gitlab.site import protect_default_branch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_gitlab.push_options import PushOptions
    from local_gitlab.site import Site
    from local_gitlab.store import Row


PIPELINE_LIMIT = 4  # GitLab's `git_push_pipeline_limit`: the refs of a push past it start no pipeline


def branch_updated(site: Site, project: Row, user: Row, ref: str, old: str, new: str, *, quiet: bool = False) -> None:
    """Record that one ref moved and set everything in motion that depends on it.

    `quiet` leaves the pipeline out.
    """
    refs_updated(site, project, user, [Move(ref=ref, old=old, new=new)], quiet=quiet)


def refs_updated(
    site: Site,
    project: Row,
    user: Row,
    moves: Sequence[Move],
    *,
    quiet: bool = False,
    options: PushOptions = push_options.NONE,
) -> None:
    """Record that refs moved in one push; those that are neither branches nor tags go unnoticed, as in GitLab."""
    known = [move for move in moves if move.ref.startswith(("refs/heads/", "refs/tags/"))]
    groups: dict[tuple[str, str], list[Move]] = {}
    for move in known:
        groups.setdefault((move.kind, move.action), []).append(move)
    for group in groups.values():
        bulk = len(group) > push_events.LIMIT
        for move in group:
            chosen = options if not quiet and known.index(move) < PIPELINE_LIMIT else None
            _ref_updated(site, project, user, move, with_event=not bulk, options=chosen)
            if not bulk:  # GitLab's `push_event_hooks_limit` is the same number, and counts the same groups
                _deliver(site, project, user, move)
        if bulk:
            push_events.record_bulk(site, project, user, group)


def _ref_updated(
    site: Site, project: Row, user: Row, move: Move, *, with_event: bool, options: PushOptions | None
) -> None:
    """Follow one ref; without options there is no pipeline."""
    is_branch = move.kind == "branch"
    old, new, name = move.old, move.new, move.name
    with site.lock(project):
        with site.store.transaction():
            if with_event:
                push_events.record(site, project, user, move)
            moved = branch_moved(site, project, user, name, old, new) if is_branch else []
            if is_branch and old == ZERO and name == project["default_branch"]:
                protect_default_branch(site, project)
        if is_branch and new != ZERO and options is not None:
            _start_pipelines(site, project, user, move, moved, options)


def _start_pipelines(site: Site, project: Row, user: Row, move: Move, moved: list[Row], options: PushOptions) -> None:
    """Run the branch's pipeline, or those of its open merge requests.

    GitLab gives the variables of a push to the branch's pipeline only, and makes none for who may not set them.
    """
    if not moved and (not options.variables or pipelines.may_set_variables(site, project, user)):
        pipelines.create(
            site,
            project,
            user,
            ref=move.name,
            sha=move.new,
            before=move.old,
            source="push",
            variables=options.variables,
            push_skips=options.skip_ci,
        )
    for merge_request in moved:
        target = site.store.get("projects", merge_request["project_id"])
        pipelines.create_for_merge_request(site, target, user, merge_request, push_skips=options.skip_ci)


def _deliver(site: Site, project: Row, user: Row, move: Move) -> None:
    old, new = move.old, move.new
    kind = "push" if move.kind == "branch" else "tag_push"
    if not site.deliveries.wants(project, f"{kind}_events"):
        return
    repository = site.repository(project)
    commits: list[dict[str, Any]] = []
    if new != ZERO:
        span = [new, "-20"] if old == ZERO else [f"{old}..{new}", "-20"]
        commits = [
            {
                "id": commit.sha,
                "message": commit.message,
                "title": commit.title,
                "timestamp": commit.committed_at,
                "url": site.web(project, "commit", commit.sha),
            }
            for commit in repository.log(*span)
        ]
    payload = {
        "object_kind": kind,
        "event_name": kind,
        "before": old,
        "after": new,
        "ref": move.ref,
        "checkout_sha": None if new == ZERO else new,
        "user_id": user["id"],
        "user_name": user["name"],
        "user_username": user["username"],
        "user_email": "",
        "project_id": project["id"],
        "commits": commits,
        "total_commits_count": len(commits),
    }
    send(site, project, user, f"{kind}_events", payload)


def remove_branch(site: Site, project: Row, user: Row, branch: str) -> None:
    """Delete a branch, if it is there, and say so."""
    with site.lock(project):
        repository = site.repository(project)
        old = repository.branch(branch)
        if old is None or branch == project["default_branch"]:
            return
        repository.delete_ref(f"refs/heads/{branch}")
    branch_updated(site, project, user, f"refs/heads/{branch}", old, ZERO)
