"""The forge on a real GitLab.

How requests are sent, and sent again, is in `client.py`.
"""

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar, assert_never
from urllib.parse import quote

import gitlab.exceptions

from compose_repo.core.forge.action import (
    AddFiles,
    Approve,
    CloseMergeRequest,
    CommitState,
    CreateBranch,
    CreateCommit,
    DeleteNote,
    EditNote,
    ForgeAction,
    Merge,
    OpenMergeRequest,
    PutNote,
    ReopenMergeRequest,
    SetStatus,
    StartPipeline,
    Unapprove,
    Unlock,
    UpdateMergeRequest,
)
from compose_repo.core.forge.forge import (
    CommitStatus,
    FileLock,
    ForgeError,
    Holder,
    Lock,
    MergeRequest,
    MergeRequestState,
    Note,
    Push,
    StaleHead,
    Thread,
    User,
)
from compose_repo.core.names import Sha
from compose_repo.ports.clock import Clock
from compose_repo.ports.environment import Environment
from compose_repo.ports.gitlab.client import OURS as _OURS
from compose_repo.ports.gitlab.client import PAGE, Client, address_of, code_of, may_pass
from compose_repo.ports.gitlab.failures import CONFLICT, NOT_ALLOWED, NOT_FOUND, barred
from compose_repo.ports.gitlab.pace import Paces
from compose_repo.ports.gitlab.rows import (
    Event,
    access_level_of,
    approvers_of,
    content_of,
    event_of,
    file_locks_of,
    head_of,
    held_by_status,
    job_of,
    lock_of,
    merge_request_of,
    merge_status_of,
    note_of,
    numbered_status_of,
    pipeline_of_head,
    user_of,
)
from compose_repo.ports.gitlab.session import Trace

T = TypeVar("T")
Numbered: TypeAlias = tuple[int, T]

_DAYS_BEFORE: Final = dt.timedelta(days=2)
"""How much earlier events are asked for: GitLab leaves the day itself out, and its days may begin far from UTC's."""
_LISTED: Final = 10_000
"""Events that GitLab lists for one question: it counts no further, so there is no page after those."""
_LFS: Final = "application/vnd.git-lfs+json"
_DONE: Final = frozenset({200, 201})
_STILL_CHECKING: Final = frozenset(
    {"unchecked", "checking", "preparing", "approvals_syncing", "cannot_be_merged_recheck"}
)


def connect(environment: Environment, trace: Trace, paces: Paces, clock: Clock) -> "GitLab":
    """Reach the GitLab that the environment names, at the pace of its account; nothing is sent yet.

    Raises:
        UsageError: a setting is missing or cannot be right; the message names the variable.

    """
    address = address_of(environment)
    return GitLab(**address, trace=trace, clock=clock, pace=paces.of(address["token"]))


class GitLab(Client):
    """One project of one GitLab, seen with one account's token."""

    @cached_property
    def _me(self) -> User:
        return self._get("the token's account", "/user", user_of)

    def me(self) -> User:
        """Give the account that the token belongs to."""
        return self._me

    def lock(self, iid: int) -> Lock | None:
        """Tell whether a merge request's pipeline keeps it from being merged."""
        return self._get(f"merge request !{iid}", f"{self._base}/merge_requests/{iid}", lock_of)

    def holders(self, iid: int) -> Sequence[Holder]:
        """Give what in the pipeline of a merge request's head has not succeeded; nothing where it has none.

        GitLab lists jobs among the statuses, too. Of very many statuses the first hundred are enough to be told.
        """
        where = f"{self._base}/merge_requests/{iid}"
        sha, pipeline = self._get(f"merge request !{iid}", where, lambda data: (data["sha"], pipeline_of_head(data)))
        if pipeline is None:
            return ()
        what = f"pipeline {pipeline}"
        jobs = dict(self._list(f"the jobs of {what}", f"{self._base}/pipelines/{pipeline}/jobs", job_of))
        statuses = self._list(
            f"the statuses of {what}",
            f"{self._base}/repository/commits/{sha}/statuses",
            held_by_status,
            limit=PAGE,
            pipeline_id=str(pipeline),
        )
        found = (*jobs.values(), *(holder for number, holder in statuses if number not in jobs))
        return [holder for holder in found if holder is not None]

    def pipelines_by(self, sha: Sha, username: str) -> int:
        """Count the pipelines of merge requests that an account has started for a commit, by pushing or otherwise."""
        rows = self._list(
            f"pipelines of {sha[:12]}",
            f"{self._base}/pipelines",
            lambda row: row["source"] == "merge_request_event",
            sha=sha,
            username=username,
        )
        return sum(rows)

    def branch_head(self, branch: str) -> Sha | None:
        """Give a branch's commit, or None if there is no such branch."""
        return self._find(f"branch {branch}", f"{self._base}/repository/branches/{quote(branch, safe='')}", head_of)

    def read_file(self, path: str, ref: str) -> bytes | None:
        """Give a file at a commit or branch, or None if it is not there."""
        where = f"{self._base}/repository/files/{quote(path, safe='')}/raw"
        return self._find(f"{path} at {ref}", where, content_of, ref=ref)

    def pushes(self, branch: str | None, since: dt.date) -> Sequence[Push]:
        """Give every push to a branch, or to any, since that day, oldest first; a few older ones may be among them.

        GitLab lists no more than some 10,000 events for one question, so the question is put again from the last day
        that was listed.

        Raises:
            ForgeError: it has more for a few days than it lists: nobody knows who has pushed what is missing.

        """
        events: dict[int, Event] = {}  # a page that moved while reading repeats rows
        after = since - _DAYS_BEFORE
        while True:
            listed = self._pushed_events(after, "asc")
            events.update(listed)
            if len(listed) < _LISTED:
                break
            onwards = max(event.at for event in listed.values()).date() - _DAYS_BEFORE
            if onwards > after:
                after = onwards
                continue
            newest = self._pushed_events(after, "desc")
            if len(newest) >= _LISTED and newest.keys().isdisjoint(listed):
                raise ForgeError(
                    f"{self.url}: the push events since {after} cannot be read: there are more than twice as many as "
                    f"GitLab lists ({_LISTED:,}), so who has pushed some of them is not known; look at who pushes so "
                    "often, and run it again in a few days"
                )
            events.update(newest)
            break
        pushes = [event.push for _, event in sorted(events.items()) if event.push is not None]
        return pushes if branch is None else [push for push in pushes if push.branch == branch]

    def _pushed_events(self, after: dt.date, sort: str) -> dict[int, Event]:
        rows = self._list("push events", f"{self._base}/events", event_of, action="pushed", after=str(after), sort=sort)
        return {row.id: row for row in rows}

    def access_level(self, user_id: int) -> int:
        """Give a user's role in the project as GitLab counts it; 0 if it has none."""
        return self._find(f"member {user_id}", f"{self._base}/members/all/{user_id}", access_level_of) or 0

    def merge_requests(self, *, source_branch: str) -> Sequence[MergeRequest]:
        """Give every merge request from a branch of this name, in the project itself or in a fork, newest first."""
        return self._merge_requests(source_branch=source_branch, state="all")

    def titled_merge_requests(self, title: str) -> Sequence[MergeRequest]:
        """Give every open merge request whose title has these words, from the project itself or a fork."""
        found = self._merge_requests(state="opened", search=title)
        return [one for one in found if title in one.title]

    def open_merge_requests(self) -> Sequence[MergeRequest]:
        """Give every open merge request, from the project itself or a fork, newest first."""
        return self._merge_requests(state="opened")

    def recent_merge_requests(self) -> Sequence[MergeRequest]:
        """Give the hundred newest merge requests, in every state, from branches of the project itself."""
        return [one for one in self._merge_requests(state="all", limit=PAGE) if not one.from_fork]

    def _merge_requests(self, *, limit: int | None = None, **query: str) -> Sequence[MergeRequest]:
        return self._list(
            "merge requests",
            f"{self._base}/merge_requests",
            merge_request_of,
            limit=limit,
            order_by="created_at",
            sort="desc",
            **query,
        )

    def merge_request(self, iid: int) -> MergeRequest:
        """Read one merge request anew."""
        return self._get(f"merge request !{iid}", f"{self._base}/merge_requests/{iid}", merge_request_of)

    def approved_by(self, iid: int) -> frozenset[int]:
        """Give the ids of the users who have approved."""
        return self._get(f"approvals of !{iid}", f"{self._base}/merge_requests/{iid}/approvals", approvers_of)

    def notes(self, iid: int) -> Sequence[Note]:
        """Give every note that a person or a bot has written, oldest first."""
        return self.thread(iid).notes

    def thread(self, iid: int) -> Thread:
        """Give everything below a merge request."""
        rows = self._list(f"notes of !{iid}", f"{self._base}/merge_requests/{iid}/notes", note_of, sort="asc")
        return Thread(
            notes=tuple(sorted((note for is_told, note in rows if not is_told), key=_note_id)),
            told=tuple(sorted((note for is_told, note in rows if is_told), key=_note_id)),
        )

    def statuses(self, sha: Sha, name: str) -> Sequence[CommitStatus]:
        """Give the statuses of one name on a commit, newest first."""
        where = f"{self._base}/repository/commits/{sha}/statuses"
        rows = sorted(self._list(f"statuses of {sha[:12]}", where, numbered_status_of, name=name), key=_newest_first)
        return [status for _, status in rows if status.name == name]

    def apply(self, action: ForgeAction) -> None:
        """Do one action; if it cannot be known whether a try has worked, look before trying again."""
        match action:
            case CreateCommit() | AddFiles() | CreateBranch():
                self._create(action)
            case OpenMergeRequest():
                self._open_merge_request(action)
            case UpdateMergeRequest():
                self._update_merge_request(action)
            case Unlock() | StartPipeline():
                self._free(action)
            case ReopenMergeRequest() | CloseMergeRequest():
                self._set_state(action)
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

    def _create(self, action: CreateCommit | AddFiles | CreateBranch) -> None:
        match action:
            case CreateCommit():
                self._commit(action, start_sha=action.start)
            case AddFiles():
                self._commit(action)
            case CreateBranch():
                self._create_branch(action)

    def _commit(self, action: CreateCommit | AddFiles, **more: str) -> None:
        first = action.files[0]
        data = {
            **more,
            "branch": action.branch,
            "commit_message": action.message,
            "actions": [
                {
                    "action": "update" if file.replaces else "create",
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

    def _create_branch(self, action: CreateBranch) -> None:
        data = {"branch": action.branch, "ref": action.sha}
        self._write(
            action,
            lambda: self._client.http_post(f"{self._base}/repository/branches", post_data=data, **_OURS),
            lambda: self.branch_head(action.branch) is not None,
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
                line.state is MergeRequestState.OPENED
                and line.target_branch == action.target_branch
                and line.author.id == self.me().id
                and not line.from_fork
                for line in self.merge_requests(source_branch=action.source_branch)
            ),
        )

    def _update_merge_request(self, action: UpdateMergeRequest) -> None:
        data: dict[str, Any] = {}
        if action.title is not None:
            data["title"] = action.title
        if action.target_branch is not None:
            data["target_branch"] = action.target_branch
        if action.description is not None:
            data["description"] = action.description
        if action.any_time:
            data["merge_after"] = ""
        if action.keep_commits:
            data["squash"] = False
        if action.add_labels:
            data["add_labels"] = ",".join(action.add_labels)
        if action.remove_labels:
            data["remove_labels"] = ",".join(action.remove_labels)
        self._write(
            action,
            lambda: self._client.http_put(f"{self._base}/merge_requests/{action.iid}", post_data=data, **_OURS),
            lambda: _says(self.merge_request(action.iid), action),
        )

    def file_locks(self) -> Sequence[FileLock]:
        """Give every lock of Git LFS in the project; none where that is off."""

        def ask() -> list[FileLock]:
            try:
                return file_locks_of(self._lfs("GET", "", None))
            except gitlab.exceptions.GitlabHttpError as error:
                if error.response_code == NOT_FOUND:
                    return []
                raise

        return self._read("the locks of Git LFS", ask)

    def _free(self, action: Unlock | StartPipeline) -> None:
        match action:
            case Unlock(lock_id=lock_id):
                self._write(
                    action,
                    lambda: self._lfs("POST", f"/{quote(lock_id, safe='')}/unlock", {"force": True}),
                    lambda: all(lock.id != lock_id for lock in self.file_locks()),
                )
            case StartPipeline(iid=iid, sha=sha, made=made):
                self._write(
                    action,
                    lambda: self._client.http_post(f"{self._base}/merge_requests/{iid}/pipelines", **_OURS),
                    lambda: self.pipelines_by(sha, self.me().username) > made,
                )

    def _lfs(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:  # noqa: ANN401  # any JSON
        """Ask Git LFS, which stands beside the API: it wants the token as git sends it, and its own media type.

        Raises:
            GitlabHttpError: it refuses.

        """
        answer = self._session.request(
            method,
            f"{self.url}/{self.project().path}.git/info/lfs/locks{path}",
            auth=("oauth2", self.token),
            headers={"Accept": _LFS, "Content-Type": _LFS},
            data=None if body is None else json.dumps(body),
            timeout=self._client.timeout,
            allow_redirects=False,
        )
        if answer.status_code not in _DONE:
            raise gitlab.exceptions.GitlabHttpError(response_code=answer.status_code, error_message=answer.text)
        return answer.json()

    def _set_state(self, action: ReopenMergeRequest | CloseMergeRequest) -> None:
        """Close or reopen; GitLab answers 200 and changes nothing where it does not let the account do it."""
        reopens = isinstance(action, ReopenMergeRequest)
        event, state = ("reopen", MergeRequestState.OPENED) if reopens else ("close", MergeRequestState.CLOSED)

        def send() -> None:
            where = f"{self._base}/merge_requests/{action.iid}"
            answer: Any = self._client.http_put(where, post_data={"state_event": event}, **_OURS)
            if answer["state"] != state:
                raise ForgeError(
                    f"{self.url}: could not {action.sentence}: GitLab leaves it {answer['state']}; "
                    "check the account's role and whether its branch is there"
                )

        self._write(action, send, lambda: self.merge_request(action.iid).state is state)

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
            lambda: any(_tells(line, action) for line in self.statuses(action.sha, action.name)[:1]),
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
            case Approve():
                self._write(
                    action,
                    lambda: self._approve(action, path),
                    lambda: self.me().id in self.approved_by(action.iid),
                )
            case Unapprove():
                self._write(
                    action,
                    lambda: self._client.http_post(f"{path}/unapprove", **_OURS),
                    lambda: self.me().id not in self.approved_by(action.iid),
                )

    def _approve(self, action: Approve, path: str) -> None:
        try:
            self._client.http_post(f"{path}/approve", post_data={"sha": action.sha}, **_OURS)
        except gitlab.exceptions.GitlabError as error:
            if error.response_code == CONFLICT:
                raise _stale(action.sentence) from error
            raise

    def _merge(self, action: Merge) -> None:
        data = {
            "sha": action.sha,
            "merge_commit_message": action.message,
            "should_remove_source_branch": False,
            "squash": False,
        }
        try:
            self._write(
                action,
                lambda: self._client.http_put(
                    f"{self._base}/merge_requests/{action.iid}/merge", post_data=data, **_OURS
                ),
                lambda: self._is_merged(action),
            )
        except ForgeError as error:
            if code_of(error.__cause__) == CONFLICT:
                raise _stale(action.sentence) from error.__cause__
            if code_of(error.__cause__) == NOT_ALLOWED:
                raise barred(self.url, action.sentence, self._merge_status(action.iid)) from error.__cause__
            raise

    def _merge_status(self, iid: int) -> str | None:
        return self._get(f"merge request !{iid}", f"{self._base}/merge_requests/{iid}", merge_status_of)

    def _is_merged(self, action: Merge) -> bool:
        """Tell whether this very head has been merged; anybody may have merged another one meanwhile."""
        found = self.merge_request(action.iid)
        return found.state is MergeRequestState.MERGED and found.head == action.sha

    def _write(self, action: ForgeAction, send: Callable[[], object], is_so: Callable[[], bool]) -> None:
        self._send(action.sentence, send, is_so, passes=lambda failure: self._passes(failure, action))

    def _passes(self, failure: Exception, action: ForgeAction) -> bool:
        """Tell whether a failure may be gone soon.

        GitLab looks into mergeability at its leisure after each push, and sets one status of a commit at a time.
        """
        if code_of(failure) == NOT_ALLOWED and isinstance(action, Merge):
            return self._merge_status(action.iid) in _STILL_CHECKING
        busy = code_of(failure) == CONFLICT and isinstance(action, SetStatus)
        return busy or may_pass(failure)


def _note_id(note: Note) -> int:
    return note.id


def _newest_first(numbered: Numbered[CommitStatus]) -> int:
    return -numbered[0]


def _tells(status: CommitStatus, action: SetStatus) -> bool:
    """Tell whether a status is as it should be; GitLab does not change the words of one that is pending already."""
    same = status.description == action.description
    return status.state is action.state and (same or action.state is CommitState.PENDING)


def _stale(what: str) -> StaleHead:
    return StaleHead(f"could not {what}: its head moved meanwhile")


def _says(merge_request: MergeRequest, action: UpdateMergeRequest) -> bool:
    return (
        action.title in {None, merge_request.title}
        and action.target_branch in {None, merge_request.target_branch}
        and (action.description is None or action.description.strip() == merge_request.description.strip())
        and merge_request.labels.issuperset(action.add_labels)
        and merge_request.labels.isdisjoint(action.remove_labels)
        and not (action.any_time and merge_request.merge_after is not None)
        and not (action.keep_commits and merge_request.squash)
    )
