"""The heads of merge requests that ended long ago: GitLab removes their refs, and keeps their commits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row

KEPT_FOR: Final = timedelta(days=14)
"""How long after a merge request was closed or merged `refs/merge-requests/N/head` is there (since GitLab 16.6)."""


def remove_old_heads(site: Site, project: Row, at: datetime | None = None) -> None:
    """Remove the refs of the merge requests that have ended two weeks before a time, by default now.

    GitLab's background job `MergeRequests::CleanupRefsService` does so. Their commits can still be fetched by name.
    """
    end = (at or datetime.now(tz=UTC)) - KEPT_FOR
    rows = site.store.all(
        "SELECT iid, head_sha, coalesce(merged_at, closed_at) AS ended FROM merge_requests "
        "WHERE project_id = ? AND state IN ('closed', 'merged')",
        project["id"],
    )
    repository = site.repository(project)
    for row in rows:
        ref = f"refs/merge-requests/{row['iid']}/head"
        if datetime.fromisoformat(row["ended"]) <= end and repository.value(ref):
            repository.keep_around(row["head_sha"])
            repository.delete_ref(ref)
