"""Locks of Git LFS on files: while LFS is on, who has one keeps everybody else's merge request from being merged.

GitLab refuses pushes of a locked file, too; this server looks at merge requests alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local_gitlab.clock import now
from local_gitlab.site import MAINTAINER, access_level, settings_of

if TYPE_CHECKING:
    from local_gitlab.site import Site
    from local_gitlab.store import Row

KIND = "lfs_lock"


def all_of(site: Site, project: Row) -> list[Row]:
    """Return the locks of a project, oldest first."""
    return site.store.all("SELECT * FROM records WHERE project_id = ? AND kind = ? ORDER BY id", project["id"], KIND)


def holder(lock: Row) -> int:
    """Return the id of the user who holds a lock."""
    return int(json.loads(lock["data"])["user_id"])


def body(site: Site, lock: Row) -> dict[str, object]:
    """Return a lock as the LFS protocol shows it."""
    owner = site.store.get("users", holder(lock))
    locked_at = json.loads(lock["data"])["locked_at"]
    return {"id": str(lock["id"]), "path": lock["key"], "locked_at": locked_at, "owner": {"name": owner["username"]}}


def take(site: Site, project: Row, user: Row, path: str) -> Row | None:
    """Lock a file; None where somebody has."""
    with site.store.transaction():
        if any(lock["key"] == path for lock in all_of(site, project)):
            return None
        data = json.dumps({"user_id": user["id"], "locked_at": now()})
        row_id = site.store.insert("records", project_id=project["id"], kind=KIND, key=path, data=data)
        return site.store.get("records", row_id)


def may_release(site: Site, project: Row, user: Row, lock: Row, *, force: bool) -> bool:
    """Tell whether a user may unlock a file: whoever has locked it, and by force a Maintainer."""
    return holder(lock) == user["id"] or (force and access_level(site, project, user) >= MAINTAINER)


def release(site: Site, lock: Row) -> None:
    """Unlock a file."""
    site.store.run("DELETE FROM records WHERE id = ?", lock["id"])


def bars_merging(site: Site, project: Row, merge_request: Row) -> bool:
    """Tell whether somebody other than its author has locked a file that a merge request changes."""
    locks = [lock for lock in all_of(site, project) if holder(lock) != merge_request["author_id"]]
    if not locks or not settings_of(project)["lfs_enabled"] or not merge_request["head_sha"]:
        return False
    found = site.repository(project).diff(merge_request["base_sha"], merge_request["head_sha"])
    changed = {path for one in found for path in (one.old_path, one.new_path)}
    return any(lock["key"] in changed for lock in locks)
