"""GitLab's JSON as the core's values; of another shape it raises whatever error comes of it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import requests

from compose_repo.core.documents.moment import read_moment
from compose_repo.core.forge.action import CommitState
from compose_repo.core.forge.forge import (
    CommitStatus,
    FileLock,
    ForgeError,
    Holder,
    Lock,
    MergeRequest,
    MergeRequestState,
    Note,
    Project,
    Push,
    User,
)
from compose_repo.core.names import Sha, is_sha
from compose_repo.ports.gitlab.bounds import is_below

_NO_COMMIT: Final = frozenset({None, "0" * 40, "0" * 64})
"""How it is said of a push that it has created or deleted its branch."""
_NEVER_SUCCEEDS: Final = frozenset({"failed", "canceled", "skipped"})
"""The states of a pipeline that nothing but another one fixes."""


GONE: Final = User(id=0, username="(deleted account)")
"""Whoever has done what GitLab ascribes to nobody any more; no account can be called so, and none has this id."""


def user_of(data: Mapping[str, Any]) -> User:
    """Read an account."""
    return User(id=data["id"], username=data["username"])


def author_of(data: Mapping[str, Any] | None) -> User:
    """Read who has written something; an author that GitLab gives as null is gone."""
    return GONE if data is None else user_of(data)


def project_of(data: Mapping[str, Any], *, home: str) -> Project:
    """Read the project of the GitLab at `home`.

    Its address for git may be on another host, for people: the token is sent to GitLab's own only.

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
        remote=own_remote(data["http_url_to_repo"], home, data["path_with_namespace"]),
        default_branch=data["default_branch"],
        pipelines_must_succeed=bool(data.get("only_allow_merge_if_pipeline_succeeds")),
    )


def own_remote(url: str, home: str, path: str) -> str:
    """Give the address from which our own git fetches: the one that GitLab names, if that is on its own host."""
    return url if is_below(url, home) else f"{home.rstrip('/')}/{path}.git"


def head_of(branch: requests.Response) -> Sha:
    """Read a branch's commit."""
    return Sha(branch.json()["commit"]["id"])


def content_of(file: requests.Response) -> bytes:
    """Read a file, which comes as it is."""
    return file.content


def approvers_of(data: Mapping[str, Any]) -> frozenset[int]:
    """Read who has approved."""
    return frozenset(author_of(row["user"]).id for row in data["approved_by"])


def note_of(data: Mapping[str, Any]) -> tuple[bool, Note]:
    """Read a note, and whether GitLab itself has written it."""
    if type(data["system"]) is not bool:
        raise TypeError("neither true nor false")
    edited = data.get("updated_at") or data.get("created_at")
    note = Note(
        id=data["id"],
        author_id=author_of(data["author"]).id,
        body=data["body"],
        edited_at=None if edited is None else _moment(edited),
    )
    return data["system"], note


def merge_status_of(data: Mapping[str, Any]) -> str | None:
    """Read whether a merge request could be merged, where GitLab says so."""
    return data.get("detailed_merge_status")


def lock_of(data: Mapping[str, Any]) -> Lock | None:
    """Read whether a pipeline keeps a merge request from being merged; one of an earlier head says nothing."""
    if merge_status_of(data) not in {"ci_still_running", "ci_must_pass"}:
        return None
    pipeline = data.get("head_pipeline")
    over = pipeline is not None and pipeline["sha"] == data["sha"] and pipeline["status"] in _NEVER_SUCCEEDS
    return Lock.FAILED if over else Lock.DUE


_NO_OBSTACLE: Final = frozenset({"success", "skipped", "manual"})
"""The states of a job or a status that keep no pipeline from succeeding."""


def pipeline_of_head(data: Mapping[str, Any]) -> int | None:
    """Read the id of a merge request's pipeline; one of an earlier head is none."""
    pipeline = data.get("head_pipeline")
    return None if pipeline is None or pipeline["sha"] != data["sha"] else whole_of(pipeline["id"])


def job_of(data: Mapping[str, Any]) -> tuple[int, Holder | None]:
    """Read a job with its id; what keeps no pipeline from succeeding holds nothing."""
    author = (data.get("user") or {}).get("username")
    return whole_of(data["id"]), _holder(data, author, is_job=True)


def held_by_status(data: Mapping[str, Any]) -> tuple[int, Holder | None]:
    """Read a commit status with its id, and what it holds."""
    author = (data.get("author") or {}).get("username")
    return whole_of(data["id"]), _holder(data, author, is_job=False)


def _holder(data: Mapping[str, Any], author: object, *, is_job: bool) -> Holder | None:
    state = _text(data["status"])
    if state in _NO_OBSTACLE or data.get("allow_failure") is True:
        return None
    return Holder(name=str(data["name"]), author=str(author or ""), state=state, is_job=is_job)


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
        author=author_of(data["author"]),
        labels=frozenset(data["labels"]),
        created_at=_moment(data["created_at"]),
        web_url=data["web_url"],
        closed_by=None if data.get("closed_by") is None else user_of(data["closed_by"]),
        from_fork=data["source_project_id"] != data["target_project_id"],
        merge_after=None if data.get("merge_after") is None else _moment(data["merge_after"]),
        squash=bool(data.get("squash")),
        is_locked=merge_status_of(data) == "locked_lfs_files",
    )


def file_locks_of(data: Mapping[str, Any]) -> list[FileLock]:
    """Read a project's locks of Git LFS."""
    return [
        FileLock(id=_text(row["id"]), path=_text(row["path"]), owner=str((row.get("owner") or {}).get("name") or ""))
        for row in data["locks"]
    ]


def access_level_of(member: requests.Response) -> int:
    """Read a member's role."""
    return whole_of(member.json()["access_level"])


class Event(NamedTuple):
    """An event of pushing: `push` is None for any but the push of one branch."""

    id: int
    at: dt.datetime
    push: Push | None


def event_of(data: Mapping[str, Any]) -> Event:
    """Read an event with its id, which tells which is newer, and its push of a branch.

    There is none of a push of many branches at once, of which GitLab says neither the names nor the commits. Of all
    rows this is the one that trust rests on, so it is read with particular care.
    """
    number, at = whole_of(data["id"]), _moment(data["created_at"])
    pushed = data.get("push_data")
    if pushed is None or pushed.get("ref") is None or pushed["ref_type"] != "branch":
        return Event(number, at, None)
    push = Push(
        user=_pusher_of(data),
        branch=_text(pushed["ref"]),
        before=_commit_of(pushed["commit_from"]),
        after=_commit_of(pushed["commit_to"]),
        at=at,
    )
    return Event(number, at, push)


def _pusher_of(data: Mapping[str, Any]) -> User:
    """Read who has pushed; one that is gone is nobody's account, whatever name it had."""
    author = data["author"]
    if author is None:
        return GONE
    if author["id"] != data["author_id"]:
        raise ValueError("an event has two authors")
    return User(id=whole_of(author["id"]), username=_text(author["username"]))


def _commit_of(value: Any) -> Sha | None:  # noqa: ANN401  # any JSON
    if value in _NO_COMMIT:
        return None
    if not is_sha(value):
        raise ValueError("no commit has such a name")
    return Sha(value)


def whole_of(value: Any) -> int:  # noqa: ANN401  # any JSON
    """Read a whole number."""
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value


def _text(value: Any) -> str:  # noqa: ANN401  # any JSON
    if type(value) is not str or not value:
        raise TypeError("not a text")
    return value


def _moment(value: Any) -> dt.datetime:  # noqa: ANN401  # any JSON
    moment = read_moment(_text(value))
    if moment.tzinfo is None:
        raise ValueError("of no time zone")
    return moment


def numbered_status_of(data: Mapping[str, Any]) -> tuple[int, CommitStatus]:
    """Read a commit status with its id, which tells which is newer."""
    return int(data["id"]), commit_status_of(data)


def commit_status_of(data: Mapping[str, Any]) -> CommitStatus:
    """Read a commit status; a state that we never write is None."""
    state = data["status"]
    return CommitStatus(
        name=data["name"],
        author_id=author_of(data.get("author")).id,
        state=CommitState(state) if state in set(CommitState) else None,
        description=data["description"] or "",
        set_at=_moment(data.get("finished_at") or data["created_at"]),
    )
