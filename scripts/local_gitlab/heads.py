"""The heads of merge requests: they follow their branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_gitlab.activity import again, deliver, record_event, system_note
from local_gitlab.clock import now
from local_gitlab.drafts import is_draft
from local_gitlab.edits import close
from local_gitlab.git import ZERO
from local_gitlab.refreshing import refresh_head
from local_gitlab.site import settings_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def branch_moved(site: Site, project: Row, user: Row, branch: str, old: str, new: str) -> list[Row]:
    """Tell the open merge requests of a branch, in this project and in its parents, that it moved.

    Return those whose head did.
    """
    moved = []
    rows = site.store.all(
        "SELECT * FROM merge_requests WHERE coalesce(source_project_id, project_id) = ? AND state = 'opened' "
        "AND source_branch = ?",
        project["id"],
        branch,
    )
    for merge_request in rows:
        target = site.store.get("projects", merge_request["project_id"])
        if new == ZERO:
            # GitLab's `MergeRequests::RefreshService`: without its branch a merge request is closed.
            close(site, target, merge_request, user)
            continue
        if not refresh_head(site, target, merge_request):
            continue
        site.store.update("merge_requests", merge_request["id"], updated_at=now())
        _describe_push(site, project, merge_request, user, old, new)
        _mark_draft(site, project, again(site, merge_request), user, old, new)
        if settings_of(target)["reset_approvals_on_push"]:
            site.store.run("DELETE FROM approvals WHERE merge_request_id = ?", merge_request["id"])
        moved.append(again(site, merge_request))
        deliver(site, target, moved[-1], user, "update")
    _notice_merged_by_push(site, project, user, branch)
    return moved


def _mark_draft(site: Site, project: Row, merge_request: Row, user: Row, old: str, new: str) -> None:
    """Make a draft of a merge request to which a commit was pushed whose title says so, as GitLab does."""
    if old == ZERO or is_draft(merge_request["title"]):
        return
    found = [commit for commit in site.repository(project).log(f"{old}..{new}") if is_draft(commit.title)]
    if found:
        site.store.update("merge_requests", merge_request["id"], title=f"Draft: {merge_request['title']}")
        system_note(site, merge_request, user, f"marked this merge request as **draft** from {found[-1].sha}")


def _describe_push(site: Site, project: Row, merge_request: Row, user: Row, old: str, new: str) -> None:
    repository = site.repository(project)
    if old == ZERO or not repository.is_ancestor(old, new):
        system_note(site, merge_request, user, f"force pushed the branch to {new[:8]}")
        return
    commits = repository.log(f"{old}..{new}")
    lines = "".join(f"<li>{commit.sha[:8]} - {commit.title}</li>" for commit in commits[:100])
    word = "commit" if len(commits) == 1 else "commits"
    system_note(site, merge_request, user, f"added {len(commits)} {word}\n\n<ul>{lines}</ul>")


def _notice_merged_by_push(site: Site, project: Row, user: Row, branch: str) -> None:
    """Mark merge requests whose head has come into their target some other way as merged, as GitLab does."""
    rows = site.store.all(
        "SELECT * FROM merge_requests WHERE project_id = ? AND state = 'opened' AND target_branch = ?",
        project["id"],
        branch,
    )
    repository = site.repository(project)
    for merge_request in rows:
        head = merge_request["head_sha"]
        was_ahead = head and head != merge_request["base_sha"]
        if was_ahead and repository.branch(branch) and repository.is_ancestor(head, f"refs/heads/{branch}"):
            moment = now()
            site.store.update(
                "merge_requests",
                merge_request["id"],
                state="merged",
                merged_at=moment,
                updated_at=moment,
                merge_user_id=user["id"],
                merge_commit_sha=None,
            )
            record_event(site, project, user, "accepted", merge_request)
