"""GitLab's JSON as the core's values; of another shape it raises whatever error comes of it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import requests

from compose_repo.core.action import CommitState
from compose_repo.core.forge import CommitStatus, ForgeError, MergeRequest, MergeRequestState, Note, Project, User
from compose_repo.core.names import Sha


def user_of(data: Mapping[str, Any]) -> User:
    """Read an account."""
    return User(id=data["id"], username=data["username"])


def project_of(data: Mapping[str, Any]) -> Project:
    """Read the project.

    Raises:
        ForgeError: it is empty yet.

    """
    if data["default_branch"] is None:
        raise ForgeError(f"{data['path_with_namespace']} has no branch yet; push this repository to it first")
    return Project(
        id=data["id"],
        path=data["path_with_namespace"],
        web_url=data["web_url"],
        clone_url=data["http_url_to_repo"],
        default_branch=data["default_branch"],
    )


def head_of(branch: requests.Response) -> Sha:
    """Read a branch's commit."""
    return Sha(branch.json()["commit"]["id"])


def content_of(file: requests.Response) -> bytes:
    """Read a file, which comes as it is."""
    return file.content


def approvers_of(data: Mapping[str, Any]) -> frozenset[int]:
    """Read who has approved."""
    return frozenset(row["user"]["id"] for row in data["approved_by"])


def note_of(data: Mapping[str, Any]) -> Note | None:
    """Read a note; one that GitLab itself has written is None."""
    return None if data["system"] else Note(id=data["id"], author_id=data["author"]["id"], body=data["body"])


def merge_status_of(data: Mapping[str, Any]) -> str | None:
    """Read whether a merge request could be merged, where GitLab says so."""
    return data.get("detailed_merge_status")


def own_merge_request_of(data: Mapping[str, Any]) -> MergeRequest | None:
    """Read a merge request; one from a fork is None."""
    return merge_request_of(data) if data["source_project_id"] == data["target_project_id"] else None


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


def numbered_status_of(data: Mapping[str, Any]) -> tuple[int, CommitStatus]:
    """Read a commit status with its id, which tells which is newer."""
    return int(data["id"]), commit_status_of(data)


def commit_status_of(data: Mapping[str, Any]) -> CommitStatus:
    """Read a commit status; a state that we never write is None."""
    state = data["status"]
    return CommitStatus(
        name=data["name"],
        author_id=(data.get("author") or {"id": 0})["id"],
        state=CommitState(state) if state in set(CommitState) else None,
        description=data["description"] or "",
    )
