"""Whether a merge request can be merged, in GitLab's two vocabularies."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from local_gitlab.clock import now
from local_gitlab.drafts import is_draft
from local_gitlab.lfs_locks import bars_merging
from local_gitlab.pipelines import head_pipeline
from local_gitlab.site import settings_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def merge_status(site: Site, project: Row, merge_request: Row) -> tuple[str, str, bool]:
    """Return `merge_status`, `detailed_merge_status` and whether there are conflicts."""
    if merge_request["state"] != "opened":
        return "can_be_merged" if merge_request["state"] == "merged" else "unchecked", "not_open", False
    conflicts = has_conflicts(site, project, merge_request)
    status = "cannot_be_merged" if conflicts else "can_be_merged"
    reason = obstacle(site, project, merge_request)
    return status, reason or ("conflict" if conflicts else "mergeable"), conflicts


def obstacle(site: Site, project: Row, merge_request: Row, *, skip_pipeline: bool = False) -> str:
    """Return what forbids a merge, other than conflicts: a `detailed_merge_status`, or nothing.

    Asked in the order of GitLab's `mergeable_state_checks`.
    """
    if merge_request["state"] != "opened":
        return "not_open"
    if is_before(merge_request["merge_after"]):
        return "merge_time"
    if is_draft(merge_request["title"]):
        return "draft_status"
    if merge_request["head_sha"] in {None, "", merge_request["base_sha"]}:
        return "commits_status" if merge_request["head_sha"] else "broken_status"
    if settings_of(project)["only_allow_merge_if_all_discussions_are_resolved"] and has_open_threads(
        site, merge_request
    ):
        return "discussions_not_resolved"
    waits = "" if skip_pipeline else _pipeline_obstacle(site, project, merge_request)
    return waits or ("locked_lfs_files" if bars_merging(site, project, merge_request) else "")


def is_before(moment: str | None) -> bool:
    """Tell whether it is earlier than a moment, if there is one."""
    return moment is not None and datetime.fromisoformat(now()) < datetime.fromisoformat(moment)


def has_open_threads(site: Site, merge_request: Row) -> bool:
    """Tell whether a thread waits to be resolved."""
    found = site.store.one("SELECT 1 FROM notes WHERE merge_request_id = ? AND resolved = 0", merge_request["id"])
    return found is not None


def _pipeline_obstacle(site: Site, project: Row, merge_request: Row) -> str:
    settings = settings_of(project)
    if not settings["only_allow_merge_if_pipeline_succeeds"]:
        return ""
    pipeline = head_pipeline(site, merge_request)
    status = pipeline["status"] if pipeline else "none"
    if status == "success" or (status == "skipped" and settings["allow_merge_on_skipped_pipeline"]):
        return ""
    return "ci_still_running" if status in {"created", "pending", "running"} else "ci_must_pass"


def is_squashed(project: Row, merge_request: Row) -> bool:
    """Tell whether a merge squashes, as GitLab's `squash_on_merge?` does: the project's word counts for more."""
    option = settings_of(project)["squash_option"]
    return option == "always" or (bool(merge_request["squash"]) and option != "never")


def has_conflicts(site: Site, project: Row, merge_request: Row) -> bool:
    """Tell whether the branches change the same lines."""
    repository = site.repository(project)
    target = repository.branch(merge_request["target_branch"])
    if target is None or not merge_request["head_sha"]:
        return True
    if merge_request["start_sha"] == target:
        # The target has not moved since the base was computed from it: whatever is on the branch applies.
        base = merge_request["base_sha"]
        if base == target:
            return False
    return repository.merge_tree(target, merge_request["head_sha"]) is None
