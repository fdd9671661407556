"""The forge on a real GitLab.

Reads are repeated on failures that pass, writes too, but never blindly: when it cannot be known whether a write has
worked (the line broke, a proxy gave up), GitLab is asked before the write is sent again. So nothing is posted twice.
"""

import base64
import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar, assert_never
from urllib.parse import quote, urlsplit

import gitlab
import gitlab.exceptions
import requests

from compose_repo.core.action import (
    Action,
    Approve,
    CloseMergeRequest,
    CreateCommit,
    DeleteNote,
    EditNote,
    Merge,
    OpenMergeRequest,
    PutNote,
    ReopenMergeRequest,
    SetStatus,
    Unapprove,
    UpdateMergeRequest,
)
from compose_repo.core.forge import (
    CommitStatus,
    ForgeError,
    MergeRequest,
    MergeRequestState,
    Note,
    Project,
    Push,
    StaleHead,
    User,
)
from compose_repo.core.names import Sha
from compose_repo.core.problem import UsageError
from compose_repo.ports.environment import Environment
from compose_repo.ports.gitlab.failures import CONFLICT, NOT_ALLOWED, NOT_FOUND, explained
from compose_repo.ports.gitlab.rows import (
    access_level_of,
    approvers_of,
    content_of,
    head_of,
    merge_request_of,
    merge_status_of,
    note_of,
    numbered_push_of,
    numbered_status_of,
    own_merge_request_of,
    project_of,
    user_of,
)
from compose_repo.ports.gitlab.session import BROKEN, TIMEOUT, TRANSIENT, Session, Trace, waits

T = TypeVar("T")
Numbered: TypeAlias = tuple[int, T]

PAGE: Final = 100
_DAYS_BEFORE: Final = dt.timedelta(days=2)
"""How much earlier events are asked for: GitLab leaves the day itself out, and its days may begin far from UTC's."""
_OURS: Final[dict[str, Any]] = {"obey_rate_limit": False}
"""Keeps python-gitlab from waiting on 429 after `Session` has done so."""
_STILL_CHECKING: Final = frozenset(
    {"unchecked", "checking", "preparing", "approvals_syncing", "cannot_be_merged_recheck"}
)


def connect(environment: Environment, trace: Trace) -> "GitLab":
    """Reach the GitLab that the environment names; nothing is sent yet.

    Raises:
        UsageError: a setting is missing or cannot be right; the message names the variable.

    """
    url, project, token = environment.gitlab_url, environment.project, environment.token
    if not url:
        raise UsageError("no GitLab is named; set COMPOSE_REPO_URL to its address")
    if "@" in urlsplit(url).netloc:
        raise UsageError(
            "COMPOSE_REPO_URL holds a user or a password; give it without, and COMPOSE_REPO_TOKEN the token"
        )
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise UsageError(f"COMPOSE_REPO_URL is {url!r}; it should be an address such as https://gitlab.com")
    if not project:
        raise UsageError("no project is named; set COMPOSE_REPO_PROJECT to its path or id")
    if not token:
        raise UsageError("no token is given; set COMPOSE_REPO_TOKEN to one with scope api")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(
            "COMPOSE_REPO_TOKEN is no token: it has spaces, control characters or letters beyond ASCII; copy it again"
        )
    return GitLab(url=url, project=project, token=token, trace=trace)


class GitLab:
    """One project of one GitLab, seen with one account's token."""

    def __init__(
        self, *, url: str, project: str, token: str, trace: Trace, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._project = project
        self._trace = trace
        self._sleep = sleep
        self._client = gitlab.Gitlab(
            self.url,
            private_token=token,
            timeout=TIMEOUT,
            keep_base_url=True,
            session=Session(trace, sleep),
            user_agent="compose-repo",
        )
        self._base = f"/projects/{quote(project, safe='')}"

    def close(self) -> None:
        """Close what connections are open."""
        self._client.session.close()

    @cached_property
    def _me(self) -> User:
        return self._get("the token's account", "/user", user_of)

    def me(self) -> User:
        """Give the account that the token belongs to."""
        return self._me

    @cached_property
    def _found(self) -> Project:
        return self._get(f"project {self._project}", self._base, project_of)

    def project(self) -> Project:
        """Give the project."""
        return self._found

    def branch_head(self, branch: str) -> Sha | None:
        """Give a branch's commit, or None if there is no such branch."""
        return self._find(f"branch {branch}", f"{self._base}/repository/branches/{quote(branch, safe='')}", head_of)

    def read_file(self, path: str, ref: str) -> bytes | None:
        """Give a file at a commit or branch, or None if it is not there."""
        where = f"{self._base}/repository/files/{quote(path, safe='')}/raw"
        return self._find(f"{path} at {ref}", where, content_of, ref=ref)

    def pushes(self, branch: str, since: dt.date) -> Sequence[Push]:
        """Give every push to a branch since that day, oldest first; a few older ones may be among them."""
        rows = self._list(
            "push events",
            f"{self._base}/events",
            numbered_push_of,
            action="pushed",
            after=str(since - _DAYS_BEFORE),
            sort="asc",
        )
        numbered = dict(row for row in rows if row is not None)  # a page that moved while reading repeats rows
        return [push for _, push in sorted(numbered.items(), key=_number) if push.branch == branch]

    def access_level(self, user_id: int) -> int:
        """Give a user's role in the project as GitLab counts it; 0 if it has none."""
        return self._find(f"member {user_id}", f"{self._base}/members/all/{user_id}", access_level_of) or 0

    def merge_requests(self, *, source_branch: str) -> Sequence[MergeRequest]:
        """Give every merge request from a branch of the project itself (not of a fork), newest first."""
        return self._merge_requests(source_branch=source_branch, state="all")

    def open_merge_requests(self) -> Sequence[MergeRequest]:
        """Give every open merge request from a branch of the project itself, newest first."""
        return self._merge_requests(state="opened")

    def recent_merge_requests(self) -> Sequence[MergeRequest]:
        """Give the hundred newest merge requests, in every state, from branches of the project itself."""
        return self._merge_requests(state="all", limit=PAGE)

    def _merge_requests(self, *, limit: int | None = None, **query: str) -> Sequence[MergeRequest]:
        rows = self._list(
            "merge requests",
            f"{self._base}/merge_requests",
            own_merge_request_of,
            limit=limit,
            order_by="created_at",
            sort="desc",
            **query,
        )
        return [one for one in rows if one is not None]

    def merge_request(self, iid: int) -> MergeRequest:
        """Read one merge request anew."""
        return self._get(f"merge request !{iid}", f"{self._base}/merge_requests/{iid}", merge_request_of)

    def approved_by(self, iid: int) -> frozenset[int]:
        """Give the ids of the users who have approved."""
        return self._get(f"approvals of !{iid}", f"{self._base}/merge_requests/{iid}/approvals", approvers_of)

    def notes(self, iid: int) -> Sequence[Note]:
        """Give every note that a person or a bot has written, oldest first."""
        rows = self._list(f"notes of !{iid}", f"{self._base}/merge_requests/{iid}/notes", note_of, sort="asc")
        return sorted(note for note in rows if note is not None)

    def statuses(self, sha: Sha, name: str) -> Sequence[CommitStatus]:
        """Give the statuses of one name on a commit, newest first."""
        where = f"{self._base}/repository/commits/{sha}/statuses"
        rows = sorted(self._list(f"statuses of {sha[:12]}", where, numbered_status_of, name=name), key=_newest_first)
        return [status for _, status in rows if status.name == name]

    def apply(self, action: Action) -> None:
        """Do one action; if it cannot be known whether a try has worked, look before trying again."""
        match action:
            case CreateCommit():
                self._create_commit(action)
            case OpenMergeRequest():
                self._open_merge_request(action)
            case UpdateMergeRequest():
                self._update_merge_request(action)
            case ReopenMergeRequest():
                self._set_state(action, "reopen", MergeRequestState.OPENED)
            case CloseMergeRequest():
                self._set_state(action, "close", MergeRequestState.CLOSED)
            case SetStatus():
                self._set_status(action)
            case PutNote() | EditNote() | DeleteNote():
                self._write_note(action)
            case Approve() | Unapprove():
                self._write_approval(action)
            case Merge():
                self._merge(action)
            case _:
                assert_never(action)

    def _create_commit(self, action: CreateCommit) -> None:
        first = action.files[0]
        data = {
            "branch": action.branch,
            "start_sha": action.start,
            "commit_message": action.message,
            "actions": [
                {
                    "action": "create",
                    "file_path": file.path,
                    "content": base64.b64encode(file.content).decode("ascii"),
                    "encoding": "base64",
                }
                for file in action.files
            ],
        }
        self._write(
            action,
            lambda: self._client.http_post(f"{self._base}/repository/commits", post_data=data, **_OURS),
            lambda: self.read_file(first.path, action.branch) == first.content,
        )

    def _open_merge_request(self, action: OpenMergeRequest) -> None:
        data = {
            "source_branch": action.source_branch,
            "target_branch": action.target_branch,
            "title": action.title,
            "description": action.description,
            "labels": ",".join(action.labels),
            "remove_source_branch": False,
        }
        self._write(
            action,
            lambda: self._client.http_post(f"{self._base}/merge_requests", post_data=data, **_OURS),
            lambda: any(
                line.state is MergeRequestState.OPENED and line.target_branch == action.target_branch
                for line in self.merge_requests(source_branch=action.source_branch)
            ),
        )

    def _update_merge_request(self, action: UpdateMergeRequest) -> None:
        data: dict[str, Any] = {}
        if action.title is not None:
            data["title"] = action.title
        if action.description is not None:
            data["description"] = action.description
        if action.add_labels:
            data["add_labels"] = ",".join(action.add_labels)
        if action.remove_labels:
            data["remove_labels"] = ",".join(action.remove_labels)
        self._write(
            action,
            lambda: self._client.http_put(f"{self._base}/merge_requests/{action.iid}", post_data=data, **_OURS),
            lambda: _says(self.merge_request(action.iid), action),
        )

    def _set_state(self, action: ReopenMergeRequest | CloseMergeRequest, event: str, state: MergeRequestState) -> None:
        data = {"state_event": event}
        self._write(
            action,
            lambda: self._client.http_put(f"{self._base}/merge_requests/{action.iid}", post_data=data, **_OURS),
            lambda: self.merge_request(action.iid).state is state,
        )

    def _set_status(self, action: SetStatus) -> None:
        data = {
            "state": str(action.state),
            "name": action.name,
            "ref": action.branch,
            "description": action.description,
        }
        self._write(
            action,
            lambda: self._client.http_post(f"{self._base}/statuses/{action.sha}", post_data=data, **_OURS),
            lambda: any(line.state is action.state for line in self.statuses(action.sha, action.name)[:1]),
        )

    def _write_note(self, action: PutNote | EditNote | DeleteNote) -> None:
        notes = f"{self._base}/merge_requests/{action.iid}/notes"
        match action:
            case PutNote(marker=marker, body=body):
                self._write(
                    action,
                    lambda: self._client.http_post(notes, post_data={"body": body}, **_OURS),
                    lambda: any(
                        note.author_id == self.me().id and marker in note.body for note in self.notes(action.iid)
                    ),
                )
            case EditNote(note_id=note_id, body=body):
                self._write(
                    action,
                    lambda: self._client.http_put(f"{notes}/{note_id}", post_data={"body": body}, **_OURS),
                    lambda: any(note.id == note_id and note.body == body for note in self.notes(action.iid)),
                )
            case DeleteNote(note_id=note_id):
                self._write(
                    action,
                    lambda: self._client.http_delete(f"{notes}/{note_id}", **_OURS),
                    lambda: all(note.id != note_id for note in self.notes(action.iid)),
                )

    def _write_approval(self, action: Approve | Unapprove) -> None:
        path = f"{self._base}/merge_requests/{action.iid}"
        match action:
            case Approve(sha=sha):
                self._write(
                    action,
                    lambda: self._client.http_post(f"{path}/approve", post_data={"sha": sha}, **_OURS),
                    lambda: self.me().id in self.approved_by(action.iid),
                )
            case Unapprove():
                self._write(
                    action,
                    lambda: self._client.http_post(f"{path}/unapprove", **_OURS),
                    lambda: self.me().id not in self.approved_by(action.iid),
                )

    def _merge(self, action: Merge) -> None:
        data = {
            "sha": action.sha,
            "merge_commit_message": action.message,
            "should_remove_source_branch": False,
            "squash": False,
        }
        self._write(
            action,
            lambda: self._client.http_put(f"{self._base}/merge_requests/{action.iid}/merge", post_data=data, **_OURS),
            lambda: self.merge_request(action.iid).state is MergeRequestState.MERGED,
        )

    def _write(self, action: Action, send: Callable[[], object], is_so: Callable[[], bool]) -> None:
        """Send a write until it is known to have worked, or to be refused.

        Whatever goes wrong, GitLab is asked whether it is so already before anything else: a try whose answer was
        lost has worked, or a run beside ours was faster.
        """
        what = action.sentence
        failure: Exception
        for wait in waits():
            try:
                send()
            except gitlab.exceptions.GitlabError as error:
                failure = error
                if isinstance(action, Approve) and error.response_code == CONFLICT:
                    raise _stale(what) from error
            except requests.RequestException as error:
                failure = error
            else:
                return
            if not self._passes(failure, action):
                if _is_so_for_certain(is_so):
                    return
                break
            self._sleep(wait)
            if is_so():
                return
        if isinstance(action, Merge) and getattr(failure, "response_code", None) == CONFLICT:
            raise _stale(what) from failure
        raise explained(self.url, what, failure) from failure

    def _passes(self, failure: Exception, action: Action) -> bool:
        """Tell whether a failure may be gone soon. GitLab looks into mergeability at its leisure after each push."""
        if isinstance(failure, BROKEN):
            return not isinstance(failure, requests.exceptions.SSLError)
        code = getattr(failure, "response_code", None)
        if code == NOT_ALLOWED and isinstance(action, Merge):
            where = f"{self._base}/merge_requests/{action.iid}"
            return self._get(f"merge request !{action.iid}", where, merge_status_of) in _STILL_CHECKING
        return code in TRANSIENT

    def _get(self, what: str, path: str, parse: Callable[[Mapping[str, Any]], T]) -> T:
        def ask() -> T:
            found: Any = self._client.http_get(path, **_OURS)
            return parse(found)

        return self._read(what, ask)

    def _find(self, what: str, path: str, parse: Callable[[requests.Response], T], **query: str) -> T | None:
        """Read what may be absent. A project that is absent is an error all the same."""

        def ask() -> T | None:
            try:
                found = self._client.http_get(path, query_data=query, raw=True, **_OURS)
            except gitlab.exceptions.GitlabHttpError as error:
                if error.response_code == NOT_FOUND:
                    return None
                raise
            if not isinstance(found, requests.Response):
                raise TypeError(f"python-gitlab gave {type(found)} for a raw request")
            return parse(found)

        found = self._read(what, ask)
        if found is None:
            self.project()
        return found

    def _list(
        self, what: str, path: str, parse: Callable[[Mapping[str, Any]], T], *, limit: int | None = None, **query: str
    ) -> list[T]:
        """Read every page, or the first rows only."""

        def ask() -> list[T]:
            rows = self._client.http_list(
                path, query_data={**query, "per_page": PAGE}, iterator=limit is None, get_all=False, **_OURS
            )
            return [parse(row) for row in rows]

        return self._read(what, ask)

    def _read(self, what: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (gitlab.exceptions.GitlabError, requests.RequestException) as error:
            raise explained(self.url, f"read {what}", error) from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:  # JSON, but of another shape
            raise ForgeError(f"{self.url} does not answer like a GitLab for {what}; check COMPOSE_REPO_URL") from error


def _number(numbered: Numbered[object]) -> int:
    return numbered[0]


def _newest_first(numbered: Numbered[CommitStatus]) -> int:
    return -numbered[0]


def _is_so_for_certain(is_so: Callable[[], bool]) -> bool:
    """Ask after a refusal; if that fails too, the refusal is the error to tell of."""
    try:
        return is_so()
    except ForgeError:
        return False


def _stale(what: str) -> StaleHead:
    return StaleHead(f"could not {what}: its head has moved meanwhile; run again")


def _says(merge_request: MergeRequest, action: UpdateMergeRequest) -> bool:
    return (
        action.title in {None, merge_request.title}
        and (action.description is None or action.description.strip() == merge_request.description.strip())
        and merge_request.labels.issuperset(action.add_labels)
        and merge_request.labels.isdisjoint(action.remove_labels)
    )
