"""The head of one merge request: it is that of its branch, and who acts on it may say which one was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_gitlab.clock import now
from local_gitlab.errors import conflict
from local_gitlab.site import source_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row


def refresh_head(site: Site, project: Row, merge_request: Row, *, first: bool = False) -> bool:
    """Make the merge request follow its branch; tell whether its head moved."""
    repository = site.repository(project)
    source = source_of(site, merge_request)
    head = site.repository(source).branch(merge_request["source_branch"]) if source else None
    target = repository.branch(merge_request["target_branch"])
    if source is None or head is None or target is None:
        return False
    if source["id"] != project["id"]:
        repository.fetch(site.repository(source).path, head, f"refs/merge-requests/{merge_request['iid']}/head")
    base = repository.merge_base(target, head) or target
    moved: bool = head != merge_request["head_sha"]
    changes = {"head_sha": head, "base_sha": base, "start_sha": target}
    if not moved and base == merge_request["base_sha"] and not first:
        return False
    site.store.update("merge_requests", merge_request["id"], **changes)
    if moved:
        site.store.update("merge_requests", merge_request["id"], auto_merge_by=None)
    if moved or first:
        repository.update_ref(f"refs/merge-requests/{merge_request['iid']}/head", head)
        repository.keep_around(head, base, target)
        site.store.insert(
            "merge_request_versions",
            merge_request_id=merge_request["id"],
            head_sha=head,
            base_sha=base,
            start_sha=target,
            created_at=now(),
        )
    return moved


def check_sha(merge_request: Row, sha: object) -> None:
    """Refuse to act on anything but the head that the caller has judged."""
    if sha and str(sha) != merge_request["head_sha"]:
        raise conflict(f"SHA does not match HEAD of source branch: {merge_request['head_sha']}")
