"""GitLab's JSON as the core's values."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from compose_repo.core.action import CommitState
from compose_repo.core.forge import CommitStatus, MergeRequest, MergeRequestState, User
from compose_repo.core.names import Sha


def user_of(data: Mapping[str, Any]) -> User:
    """Read an account."""
    return User(id=data["id"], username=data["username"])


def merge_request_of(data: Mapping[str, Any]) -> MergeRequest:
    """Read a merge request."""
    return MergeRequest(
        iid=data["iid"],
        state=MergeRequestState(data["state"]),
        title=data["title"],
        description=data["description"] or "",
        source_branch=data["source_branch"],
        target_branch=data["target_branch"],
        head=None if data["sha"] is None else Sha(data["sha"]),
        author=user_of(data["author"]),
        labels=frozenset(data["labels"]),
        created_at=dt.datetime.fromisoformat(data["created_at"]),
        web_url=data["web_url"],
    )


def commit_status_of(data: Mapping[str, Any]) -> CommitStatus:
    """Read a commit status; a state that we never write is None."""
    state = data["status"]
    return CommitStatus(
        name=data["name"],
        author_id=(data.get("author") or {"id": 0})["id"],
        state=CommitState(state) if state in set(CommitState) else None,
        description=data["description"] or "",
    )
