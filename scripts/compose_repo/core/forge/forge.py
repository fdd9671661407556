"""GitLab as the core sees it: a few values, and the protocol behind which it stands."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from compose_repo.core.forge.action import CommitState, ForgeAction
from compose_repo.core.names import Sha, is_same_user
from compose_repo.core.problems.problem import UsageError


class ForgeError(UsageError):
    """GitLab cannot be reached or refuses; the message says what was tried, why it failed, and how to fix it."""


class StaleHead(ForgeError):  # noqa: N818  # it names what happened; nobody is at fault
    """The merge request's head is no longer the one that was judged: judge again."""


class User(Struct, frozen=True, kw_only=True):
    """An account; only `id` is never given to somebody else."""

    id: int
    username: str

    def is_called(self, username: str) -> bool:
        """Tell whether the account has a user name."""
        return is_same_user(self.username, username)


class Project(Struct, frozen=True, kw_only=True):
    """The GitLab project that holds the composes.

    `clone_url` is for people, `remote` for our own git, which sends the token there; both are http(s) and carry none.
    Where `pipelines_must_succeed`, GitLab merges nothing before the pipeline of its head has.
    """

    id: int
    path: str
    web_url: str
    clone_url: str
    remote: str
    default_branch: str
    pipelines_must_succeed: bool = False


class Lock(StrEnum):
    """Why GitLab would not merge for the sake of a pipeline: it is not over yet, or it has not succeeded."""

    DUE = "due"
    FAILED = "failed"


class Holder(Struct, frozen=True, kw_only=True):
    """A job of a pipeline that has not succeeded, or a status that an account has set in it and that is none of these.

    A job's `author` is who started the pipeline.
    """

    name: str
    author: str
    state: str
    is_job: bool

    @property
    def is_others(self) -> bool:
        """Whether somebody else did this: set a status, or cancelled a job; we do neither."""
        return not self.is_job or self.state == "canceled"


class MergeRequestState(StrEnum):
    """The states of a merge request."""

    OPENED = "opened"
    CLOSED = "closed"
    MERGED = "merged"
    LOCKED = "locked"


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request into a branch of the project; `head` is None if its branch is gone and was never read.

    One from a fork has a branch of that fork's, whatever its name. `closed_by` is None unless it is closed, and where
    GitLab no longer knows who did it. `merge_after` is the date before which GitLab does not merge it, `squash` whether
    GitLab squashes its commits when it does, `is_locked` whether somebody's Git LFS lock on a file of it bars that.
    """

    iid: int
    state: MergeRequestState
    title: str
    description: str
    source_branch: str
    target_branch: str
    head: Sha | None
    author: User
    labels: frozenset[str]
    created_at: dt.datetime
    web_url: str
    closed_by: User | None = None
    from_fork: bool = False
    merge_after: dt.datetime | None = None
    squash: bool = False
    is_locked: bool = False


class FileLock(Struct, frozen=True, kw_only=True):
    """A lock of Git LFS on a file: nobody else may push or merge a change of it.

    `owner` is the name that the account gives itself, empty where it is gone.
    """

    id: str
    path: str
    owner: str


class Note(Struct, frozen=True, kw_only=True, order=True):
    """A comment on a merge request; lower ids are older. `edited_at`: when it got its words, by the server's clock."""

    id: int
    author_id: int
    body: str
    edited_at: dt.datetime | None = None


class Thread(Struct, frozen=True, kw_only=True):
    """What stands below a merge request, oldest first.

    `notes` are by people and bots; `told` are GitLab's own words of what an account has done.
    """

    notes: tuple[Note, ...]
    told: tuple[Note, ...] = ()


class CommitStatus(Struct, frozen=True, kw_only=True):
    """A status on a commit; of one name on one commit only the last counts. Foreign states are None.

    `set_at` is when it got its state, by the server's clock.
    """

    name: str
    author_id: int
    state: CommitState | None
    description: str
    set_at: dt.datetime | None = None


class Push(Struct, frozen=True, kw_only=True):
    """That somebody, authenticated, has moved a branch; `at` is GitLab's time.

    `before` is None where the push created the branch, `after` where it deleted it.
    """

    user: User
    branch: str
    before: Sha | None
    after: Sha | None
    at: dt.datetime


class Forge(Protocol):
    """What we ask of GitLab. Everything may raise `ForgeError`."""

    def me(self) -> User:
        """Give the account that the token belongs to."""
        ...

    def project(self) -> Project:
        """Give the project."""
        ...

    def lock(self, iid: int) -> Lock | None:
        """Tell whether a merge request's pipeline keeps it from being merged."""
        ...

    def holders(self, iid: int) -> Sequence[Holder]:
        """Give what in the pipeline of a merge request's head has not succeeded; nothing where it has none."""
        ...

    def pipelines_by(self, sha: Sha, username: str) -> int:
        """Count the pipelines of merge requests that an account has started for a commit, by pushing or otherwise."""
        ...

    def told_time(self) -> dt.datetime | None:
        """Give the time by the forge's own clock, as of its last answer; None where it has not told."""
        ...

    def branch_head(self, branch: str) -> Sha | None:
        """Give a branch's commit, or None if there is no such branch."""
        ...

    def read_file(self, path: str, ref: str) -> bytes | None:
        """Give a file at a commit or branch, or None if it is not there."""
        ...

    def pushes(self, branch: str | None, since: dt.date) -> Sequence[Push]:
        """Give every push to a branch, or to any, since that day, oldest first; a few older ones may be among them.

        What was written by a push of many branches at once is missing: GitLab tells only how many they were.
        """
        ...

    def access_level(self, user_id: int) -> int:
        """Give a user's role in the project as GitLab counts it (30 Developer, 40 Maintainer); 0 if it has none."""
        ...

    def merge_requests(self, *, source_branch: str) -> Sequence[MergeRequest]:
        """Give every merge request from a branch of this name, in the project itself or in a fork, newest first."""
        ...

    def titled_merge_requests(self, title: str) -> Sequence[MergeRequest]:
        """Give every open merge request whose title has these words, from the project itself or a fork."""
        ...

    def open_merge_requests(self) -> Sequence[MergeRequest]:
        """Give every open merge request, from the project itself or a fork, newest first."""
        ...

    def recent_merge_requests(self) -> Sequence[MergeRequest]:
        """Give the hundred newest merge requests, in every state, from branches of the project itself."""
        ...

    def merge_request(self, iid: int) -> MergeRequest:
        """Read one merge request anew."""
        ...

    def file_locks(self) -> Sequence[FileLock]:
        """Give every lock of Git LFS in the project; there are none where that is off."""
        ...

    def approved_by(self, iid: int) -> frozenset[int]:
        """Give the ids of the users who have approved."""
        ...

    def thread(self, iid: int) -> Thread:
        """Give everything below a merge request."""
        ...

    def notes(self, iid: int) -> Sequence[Note]:
        """Give every note that a person or a bot has written, oldest first."""
        ...

    def statuses(self, sha: Sha, name: str) -> Sequence[CommitStatus]:
        """Give the statuses of one name on a commit, newest first."""
        ...

    def apply(self, action: ForgeAction) -> None:
        """Do one action; if it cannot be known whether a try has worked, look before trying again.

        Raises:
            StaleHead: the head to approve or merge is not the merge request's head any more.
            ForgeError: GitLab refuses.

        """
        ...
