"""A forge in memory: what passes ask of GitLab, without a server, and fast enough for unit tests.

A test makes a world, lets people act in it, and hands a pass the forge of the account that it acts as:

    world = MemoryWorld()
    world.user("compose-bot", DEVELOPER)
    world.user("gate-bot", MAINTAINER)
    world.user("rdo-ci", DEVELOPER)
    opener, gate = world.as_user("compose-bot"), world.as_user("gate-bot")
    world.push("compose-bot", BRANCH, {"composes/…/manifest.json": b"{}"})
    opener.apply(OpenMergeRequest(source_branch=BRANCH, target_branch="main", title=…, description="", labels=()))
    head = world.push("rdo-ci", BRANCH, {"composes/…/results/rdo/1.json": b"{}"})
    gate.apply(Approve(iid=1, sha=head))
    assert gate.approved_by(1) == {gate.me().id}

What a pass has written, by the API or by git, stands in `world.writes`, what it has asked for in `world.calls`. What
people do (`push`, `delete_branch`, …) is in neither:

    plan = ...
    assert world.writes == []

Something may happen between two calls. What is raised `before` a call takes the place of its answer; what is raised
`after` it hides that it has worked, as where a line breaks or a process is killed:

    world.before(Merge, lambda: world.push("rdo-ci", BRANCH, {"late.json": b"{}"}))
    world.before("merge_request", lambda: world.as_user("mallory").apply(CloseMergeRequest(iid=1)), nth=2)
    world.after(PutNote, fail("the line broke"))
    world.before(Sent, fail("git cannot reach it"))   # a push of the pass's own; None stands for any call at all

A pass that reads heads with git gets a world that lies on disk, in a bare repository that real git fetches from and
pushes to. A session's own repository comes from the world too; a push from it is that of whose token is given:

    world = MemoryWorld(git=tmp_path / "gitlab.git", files={"gate/policy.toml": b"…"})
    session = Session(
        forge=world.as_user("gate-bot"), repository=world.repository(tmp_path / "scratch.git"),
        token=world.token("gate-bot"), console=Console(),
    )

`pass_world.py` makes such a world with rules on main and an open compose. Where a test pushes with git itself,
`world.noticed("rdo-ci")` says who that was.

Settings are attributes: `pipelines_must_succeed` (see `set_pipeline`), `reset_approvals_on_push`, `author_may_approve`.
Branches are protected by `protect`, main is from the beginning. Time is `world.now`; it goes on by `tick` with each
write, so what comes later is later. Quick actions are unknown here: a text that has one raises NotImplementedError.

Every answer and refusal is that of the port on the local GitLab: tests/acceptance/test_forge_contract.py asks both.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn, TypeAlias, assert_never

import gitlab.exceptions
from memory_world import (
    DEVELOPER,
    GUEST,
    MAIN,
    MAINTAINER,
    NO_BRANCH,
    OWN,
    OWNER,
    PATH,
    PUSH_REFUSED,
    REPORTER,
    URL,
    Call,
    Line,
    Refusal,
    World,
    Write,
    forbidden,
    is_draft,
    names_in,
    not_found,
    unauthorized,
    valid_description,
    valid_note,
    valid_title,
    without_draft,
)
from msgspec.structs import replace
from recording_repository import Sent

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
    Project,
    Push,
    StaleHead,
    Thread,
    User,
)
from compose_repo.core.names import Sha
from compose_repo.ports.gitlab.failures import barred, explained

__all__ = [
    "DEVELOPER",
    "GUEST",
    "MAIN",
    "MAINTAINER",
    "OWNER",
    "REPORTER",
    "Call",
    "MemoryForge",
    "MemoryWorld",
    "Refusal",
    "Sent",
    "Write",
    "fail",
]

PAGE: Final = 100
_DAYS_BEFORE: Final = dt.timedelta(days=2)
_OnMergeRequest: TypeAlias = (
    UpdateMergeRequest
    | ReopenMergeRequest
    | CloseMergeRequest
    | PutNote
    | EditNote
    | DeleteNote
    | Approve
    | Unapprove
    | Merge
)


class MemoryWorld(World):
    """A GitLab in memory, with one project; see the top of this file."""

    def as_user(self, username: str) -> "MemoryForge":
        """Give the forge as an account sees it."""
        return MemoryForge(self, self.user(username))

    def open_from_fork(self, by: str, fork: int, branch: str, *, title: str, description: str = "") -> int:
        """Open a merge request from a fork's branch; give its number."""
        return self.open(self.user(by), branch, title=title, description=description, source=fork).iid


def fail(why: str) -> Callable[[], NoReturn]:
    """Give something to do before or after a call: it fails."""

    def refuse() -> NoReturn:
        raise ForgeError(f"{URL}: {why}")

    return refuse


class MemoryForge:
    """The project as one account sees it; everything it says is what the world is at that moment."""

    def __init__(self, world: World, user: User) -> None:
        self.world = world
        self.url = URL
        self._user = user
        self._told: dt.datetime | None = None
        self._project: Project | None = None

    def close(self) -> None:
        """Close nothing: there is no line."""

    def me(self) -> User:
        """Give the account; it is asked for once, and so is not among the calls."""
        return self._user

    def project(self) -> Project:
        """Give the project, as it was when it was first asked for."""
        if self._project is None:
            with self._called("project"):
                git = self.world.git
                self._project = Project(
                    id=OWN,
                    path=PATH,
                    web_url=f"{URL}/{PATH}",
                    clone_url=f"{URL}/{PATH}.git" if git is None else git.absolute().as_uri(),
                    remote=f"{URL}/{PATH}.git" if git is None else git.absolute().as_uri(),
                    default_branch=MAIN,
                    pipelines_must_succeed=self.world.pipelines_must_succeed,
                )
        return self._project

    def told_time(self) -> dt.datetime | None:
        """Give the time as of the last answer, in whole seconds; None before there was any."""
        return self._told

    # --- reading

    def lock(self, iid: int) -> Lock | None:
        """Tell whether a merge request's pipeline keeps it from being merged."""
        with self._reading("lock", f"merge request !{iid}"):
            return self.world.lock(self.world.line(iid))

    def holders(self, iid: int) -> Sequence[Holder]:
        """Give what in the pipeline of a merge request's head has not succeeded."""
        with self._reading("holders", f"merge request !{iid}"):
            return self.world.holders(self.world.line(iid))

    def pipelines_by(self, sha: Sha, username: str) -> int:
        """Count the pipelines of merge requests that an account has started for a commit."""
        with self._called("pipelines_by"):
            return self._pipelines_by(sha, username)

    def _pipelines_by(self, sha: Sha, username: str) -> int:
        return sum(one.sha == sha and one.iid is not None and one.by == username for one in self.world.pipelines)

    def branch_head(self, branch: str) -> Sha | None:
        """Give a branch's commit, or None if there is no such branch."""
        with self._called("branch_head"):
            return self.world.head(branch)

    def read_file(self, path: str, ref: str) -> bytes | None:
        """Give a file at a commit or branch, or None if it is not there."""
        with self._called("read_file"):
            return self._content(path, ref)

    def _content(self, path: str, ref: str) -> bytes | None:
        commit = self.world.objects.commit(self.world.head(ref) or Sha(ref))
        blob = None if commit is None else commit.files.get(path)
        return None if blob is None else self.world.objects.content(blob)

    def pushes(self, branch: str | None, since: dt.date) -> Sequence[Push]:
        """Give every push to a branch, or to any, since that day, oldest first; a few older ones may be among them."""
        with self._called("pushes"):
            found = [push for push in self.world.pushes() if push.at.date() > since - _DAYS_BEFORE]
            return found if branch is None else [push for push in found if push.branch == branch]

    def access_level(self, user_id: int) -> int:
        """Give a user's role in the project as GitLab counts it; 0 if it has none."""
        with self._called("access_level"):
            return self.world.levels.get((OWN, user_id), 0)

    def merge_requests(self, *, source_branch: str) -> Sequence[MergeRequest]:
        """Give every merge request from a branch of this name, in the project itself or in a fork, newest first."""
        with self._called("merge_requests"):
            return [one for one in self._newest_first() if one.source_branch == source_branch]

    def titled_merge_requests(self, title: str) -> Sequence[MergeRequest]:
        """Give every open merge request whose title has these words, from the project itself or a fork."""
        with self._called("titled_merge_requests"):
            return [one for one in self._newest_first() if _is_open(one) and title in one.title]

    def open_merge_requests(self) -> Sequence[MergeRequest]:
        """Give every open merge request, from the project itself or a fork, newest first."""
        with self._called("open_merge_requests"):
            return [one for one in self._newest_first() if _is_open(one)]

    def recent_merge_requests(self) -> Sequence[MergeRequest]:
        """Give those of the hundred newest merge requests, in every state, that are from the project itself."""
        with self._called("recent_merge_requests"):
            return [one for one in self._newest_first()[:PAGE] if not one.from_fork]

    def _newest_first(self) -> list[MergeRequest]:
        return [self._seen(line) for line in reversed(self.world.lines)]

    def _seen(self, line: Line) -> MergeRequest:
        return replace(_seen(line), is_locked=self.world.obstacle(line) == "locked_lfs_files")

    def merge_request(self, iid: int) -> MergeRequest:
        """Read one merge request anew."""
        with self._reading("merge_request", f"merge request !{iid}"):
            return self._seen(self.world.line(iid))

    def file_locks(self) -> Sequence[FileLock]:
        """Give every lock of Git LFS."""
        with self._called("file_locks"):
            return tuple(self.world.locks)

    def approved_by(self, iid: int) -> frozenset[int]:
        """Give the ids of the users who have approved."""
        with self._reading("approved_by", f"approvals of !{iid}"):
            return frozenset(self.world.line(iid).approved_by)

    def thread(self, iid: int) -> Thread:
        """Give everything below a merge request."""
        with self._reading("thread", f"notes of !{iid}"):
            line = self.world.line(iid)
            return Thread(notes=tuple(line.notes), told=tuple(line.told))

    def notes(self, iid: int) -> Sequence[Note]:
        """Give every note that a person or a bot has written, oldest first."""
        with self._reading("notes", f"notes of !{iid}"):
            return tuple(self.world.line(iid).notes)

    def statuses(self, sha: Sha, name: str) -> Sequence[CommitStatus]:
        """Give the statuses of one name on a commit, newest first."""
        with self._reading("statuses", f"statuses of {sha[:12]}"):
            return self._statuses(sha, name)

    def _statuses(self, sha: Sha, name: str) -> Sequence[CommitStatus]:
        if self.world.objects.commit(sha) is None:
            raise not_found("Commit")
        found = [
            status
            for pipeline in self.world.pipelines
            if pipeline.sha == sha
            for status in pipeline.statuses
            if status.name == name and not status.replaced
        ]
        return [
            CommitStatus(
                name=name,
                author_id=status.user.id,
                state=CommitState(status.state) if status.state in set(CommitState) else None,
                description=status.description,
                set_at=status.finished_at or status.created_at,
            )
            for status in sorted(found, key=lambda status: -status.id)
        ]

    # --- writing

    def apply(self, action: ForgeAction) -> None:
        """Do one action; one that is refused, but is done already, is as good as done.

        Raises:
            StaleHead: the head to approve or merge is not the merge request's head any more.
            ForgeError: it is refused.

        """
        with self._called(type(action).__name__):
            self.world.writes.append(Write(by=self._user.username, what=action))
            try:
                self._do(action)
            except Refusal as refusal:
                self._refused(action, refusal)

    def _refused(self, action: ForgeAction, refusal: Refusal) -> None:
        not_allowed = 405
        is_stale = refusal.code == 409 and isinstance(action, Approve | Merge)
        if not (is_stale and isinstance(action, Approve)) and self._is_so(action):
            return
        if is_stale:
            raise StaleHead(f"could not {action.sentence}: its head moved meanwhile")
        if refusal.code == not_allowed and isinstance(action, Merge):
            raise barred(URL, action.sentence, self.world.obstacle(self.world.line(action.iid))) from refusal
        raise _explained(action.sentence, refusal) from refusal

    def _do(self, action: ForgeAction) -> None:
        match action:
            case CreateCommit() | AddFiles():
                self._commit(action)
            case CreateBranch():
                self._create_branch(action)
            case OpenMergeRequest():
                labels = ",".join(action.labels)
                self.world.open(
                    self._user,
                    action.source_branch,
                    action.target_branch,
                    title=action.title,
                    description=action.description,
                    labels=labels,
                )
            case UpdateMergeRequest() | Unlock() | StartPipeline():
                self._change(action)
            case ReopenMergeRequest() | CloseMergeRequest():
                self._set_state(action)
            case SetStatus():
                self.world.set_status(
                    self._user,
                    action.sha,
                    action.branch,
                    name=action.name,
                    state=str(action.state),
                    description=action.description,
                )
            case PutNote() | EditNote() | DeleteNote():
                self._write_note(action)
            case Approve() | Unapprove():
                self._vote(action)
            case Merge():
                self._merge(action)
            case _:
                assert_never(action)

    def _commit(self, action: CreateCommit | AddFiles) -> None:
        world, branch = self.world, action.branch
        self._require(DEVELOPER)
        if not world.may_push(self._user, branch):
            raise forbidden(PUSH_REFUSED)
        there = world.head(branch)
        if isinstance(action, CreateCommit):
            if there is not None:
                words = f"A branch called '{branch}' already exists. Switch to that branch in order to make changes"
                raise Refusal(400, words)
            if world.objects.commit(action.start) is None:
                raise Refusal(400, f"Cannot find start_branch '{action.start}'")
        elif there is None:
            raise Refusal(400, NO_BRANCH)
        base = action.start if isinstance(action, CreateCommit) else there
        files = {file.path: file.content for file in action.files}
        there_before = set() if base is None else world.commit(base).files.keys() & files
        if any(file.path in there_before and not file.replaces for file in action.files):
            raise Refusal(400, "A file with this name already exists")
        if any(file.path not in there_before and file.replaces for file in action.files):
            raise Refusal(400, "A file with this name doesn't exist")
        new = world.make(self._user.username, branch, files, message=action.message, base=base)
        world.moved(self._user, {branch: new})

    def _create_branch(self, action: CreateBranch) -> None:
        self._require(DEVELOPER)
        if self.world.head(action.branch) is not None:
            raise Refusal(400, "Branch already exists")
        if self.world.objects.commit(action.sha) is None:
            raise Refusal(400, f"Invalid reference name: {action.sha}")
        if not self.world.may_push(self._user, action.branch):
            raise Refusal(400, "You are not allowed to create protected branches on this project.")
        self.world.moved(self._user, {action.branch: action.sha})

    def _update(self, action: UpdateMergeRequest) -> None:
        line = self._editable(action.iid)
        if action.title is not None:
            valid_title(action.title)
        if action.description is not None:
            valid_description(action.description)
        if action.target_branch not in {None, line.target_branch}:
            self._check_target(line, str(action.target_branch))
        self._set_title(line, line.title if action.title is None else action.title)
        if action.description not in {None, line.description}:
            line.description = action.description or ""
            self.world.tell(line, self._user, "changed the description")
        if action.target_branch not in {None, line.target_branch}:
            self._set_target(line, str(action.target_branch))
        if self.world.level(self._user) >= DEVELOPER:
            gone = names_in(",".join(action.remove_labels))
            there = [*line.labels, *names_in(",".join(action.add_labels))]
            line.labels = [label for label in dict.fromkeys(there) if label not in gone]
        self.world.moment()

        line.merge_after = None if action.any_time else line.merge_after
        line.squash = line.squash and not action.keep_commits

    def _change(self, action: UpdateMergeRequest | Unlock | StartPipeline) -> None:
        match action:
            case UpdateMergeRequest():
                self._update(action)
            case Unlock():
                self._unlock(action)
            case StartPipeline():
                self._require(DEVELOPER)
                self.world.start_pipeline(self.world.line(action.iid), by=self._user.username)

    def _unlock(self, action: Unlock) -> None:
        lock = next((lock for lock in self.world.locks if lock.id == action.lock_id), None)
        if lock is None:
            raise Refusal(404, "Lock not found")
        if self.world.level(self._user) < MAINTAINER:
            raise forbidden()
        self.world.locks.remove(lock)

    def _editable(self, iid: int) -> Line:
        line = self.world.line(iid)
        if self.world.level(self._user) < DEVELOPER and line.author != self._user:
            raise forbidden()
        return line

    def _set_title(self, line: Line, title: str) -> None:
        old, line.title = line.title, title
        if is_draft(old) != is_draft(title):
            word = "draft" if is_draft(title) else "ready"
            self.world.tell(line, self._user, f"marked this merge request as **{word}**")
        if without_draft(old) != without_draft(title):
            self.world.tell(line, self._user, f"changed title from **{old}** to **{title}**")

    def _check_target(self, line: Line, target: str) -> None:
        if self.world.head(target) is None:
            raise Refusal(400, {"target_branch": ["does not exist"]})
        if (line.source, line.source_branch) == (OWN, target):
            raise Refusal(422, ["You can't use same project/branch for source and target"])
        if line.is_open:
            self.world.refuse_second(line.source, line.source_branch, target)

    def _set_target(self, line: Line, target: str) -> None:
        old, line.target_branch = line.target_branch, target
        if line.is_open:
            self.world.refresh(line)
            self.world.start_pipeline(line, by=self._user.username)
        self.world.tell(line, self._user, f"changed target branch from `{old}` to `{target}`")

    def _set_state(self, action: ReopenMergeRequest | CloseMergeRequest) -> None:
        line = self._editable(action.iid)
        if isinstance(action, CloseMergeRequest):
            wanted = MergeRequestState.CLOSED
            if line.is_open:
                self.world.close(line, self._user)
        else:
            wanted = MergeRequestState.OPENED
            if line.state is MergeRequestState.CLOSED:
                self._reopen(line)
        if line.state is not wanted:
            raise ForgeError(
                f"{URL}: could not {action.sentence}: GitLab leaves it {line.state}; "
                "check the account's role and whether its branch is there"
            )

    def _reopen(self, line: Line) -> None:
        if self.world.head(line.source_branch, line.source) is None:
            raise Refusal(422, [f"Source branch `{line.source_branch}` does not exist"])
        self.world.refuse_second(line.source, line.source_branch, line.target_branch)
        line.state, line.closed_by = MergeRequestState.OPENED, None
        self.world.refresh(line)
        self.world.tell(line, self._user, "reopened")

    def _write_note(self, action: PutNote | EditNote | DeleteNote) -> None:
        line = self.world.line(action.iid)
        if isinstance(action, PutNote):
            valid_note(action.body)
            line.notes.append(self._note(self.world.next_id(), self._user.id, action.body))
            return
        note = next((note for note in [*line.notes, *line.told] if note.id == action.note_id), None)
        if note is None:
            raise not_found()
        is_ours = note.author_id == self._user.id or self.world.level(self._user) >= MAINTAINER
        if note in line.told or not is_ours:
            raise forbidden()
        place = line.notes.index(note)
        if isinstance(action, DeleteNote):
            del line.notes[place]
            return
        valid_note(action.body)
        line.notes[place] = self._note(note.id, note.author_id, action.body)

    def _note(self, number: int, author_id: int, body: str) -> Note:
        return Note(id=number, author_id=author_id, body=body, edited_at=self.world.moment())

    def _vote(self, action: Approve | Unapprove) -> None:
        line, me = self.world.line(action.iid), self._user.id
        if isinstance(action, Unapprove):
            if me not in line.approved_by:
                raise not_found()
            line.approved_by.remove(me)
            self.world.tell(line, self._user, "unapproved this merge request")
            return
        _check_sha(line, action.sha)
        is_barred = line.author == self._user and not self.world.author_may_approve
        if not line.is_open or self.world.level(self._user) < DEVELOPER or is_barred or me in line.approved_by:
            raise unauthorized()
        line.approved_by.append(me)
        self.world.tell(line, self._user, "approved this merge request")

    def _merge(self, action: Merge) -> None:
        world, line = self.world, self.world.line(action.iid)
        if not world.may_merge(self._user, line.target_branch):
            raise unauthorized()
        if world.obstacle(line):
            raise Refusal(405, "405 Method Not Allowed")
        target, head = world.head(line.target_branch), line.head
        files = None if target is None or head is None else world.objects.merged(target, head)
        if target is None or head is None or files is None:
            raise Refusal(422, "Branch cannot be merged")
        _check_sha(line, action.sha)
        at = int(world.now.timestamp())
        parents, by = (target, head), self._user.username
        commit = world.objects.make(files, parents=parents, message=action.message, by=by, at=at)
        line.state = MergeRequestState.MERGED
        world.tell(line, self._user, "merged")
        world.moved(self._user, {line.target_branch: commit}, quiet=True)

    def _require(self, level: int) -> None:
        if self.world.level(self._user) < level:
            raise forbidden()

    def _is_so(self, action: ForgeAction) -> bool:  # noqa: PLR0911  # one for each kind of action
        """Tell whether what was refused is done already, by a run beside ours, or by an answer that was lost."""
        match action:
            case CreateCommit() | AddFiles():
                return self._content(action.files[0].path, action.branch) == action.files[0].content
            case CreateBranch():
                return self.world.head(action.branch) is not None
            case OpenMergeRequest():
                return self._is_open(action)
            case SetStatus():
                return self._is_set(action)
            case StartPipeline():
                return self._pipelines_by(action.sha, self._user.username) > action.made
            case Unlock():
                return all(lock.id != action.lock_id for lock in self.world.locks)
            case _:
                line = next((line for line in self.world.lines if line.iid == action.iid), None)
                return line is not None and self._is_so_on(line, action)

    def _is_so_on(self, line: Line, action: _OnMergeRequest) -> bool:  # noqa: PLR0911  # one for each action
        me = self._user.id
        match action:
            case UpdateMergeRequest():
                return _says(_seen(line), action)
            case ReopenMergeRequest():
                return line.is_open
            case CloseMergeRequest():
                return line.state is MergeRequestState.CLOSED
            case PutNote():
                return any(note.author_id == me and action.marker in note.body for note in line.notes)
            case EditNote() | DeleteNote():
                bodies = [note.body for note in line.notes if note.id == action.note_id]
                return bodies == ([action.body] if isinstance(action, EditNote) else [])
            case Approve() | Unapprove():
                return (me in line.approved_by) is isinstance(action, Approve)
            case Merge():
                return line.state is MergeRequestState.MERGED and line.head == action.sha
            case _:
                assert_never(action)

    def _is_open(self, action: OpenMergeRequest) -> bool:
        pair = (OWN, action.source_branch, action.target_branch)
        return any(
            line.is_open and (line.source, line.source_branch, line.target_branch) == pair and line.author == self._user
            for line in self.world.lines
        )

    def _is_set(self, action: SetStatus) -> bool:
        try:
            newest = next(iter(self._statuses(action.sha, action.name)), None)
        except Refusal:
            return False
        if newest is None or newest.state is not action.state:
            return False
        return action.state is CommitState.PENDING or newest.description == action.description

    # --- calls

    @contextmanager
    def _called(self, what: str) -> Iterator[None]:
        with self.world.calling(self._user.username, what):
            yield
        self._told = self.world.now.replace(microsecond=0)

    @contextmanager
    def _reading(self, what: str, name: str) -> Iterator[None]:
        with self._called(what):
            try:
                yield
            except Refusal as refusal:
                raise _explained(f"read {name}", refusal) from refusal


def _explained(what: str, refusal: Refusal) -> ForgeError:
    """Say it in the words of the port."""
    unauthorized_code = 401
    kind = (
        gitlab.exceptions.GitlabAuthenticationError
        if refusal.code == unauthorized_code
        else gitlab.exceptions.GitlabHttpError
    )
    return explained(URL, what, kind(response_code=refusal.code, error_message=refusal.words))  # type: ignore[arg-type]  # python-gitlab gives whatever the JSON has


def _check_sha(line: Line, sha: Sha) -> None:
    if sha != line.head:
        raise Refusal(409, f"SHA does not match HEAD of source branch: {line.head}")


def _is_open(merge_request: MergeRequest) -> bool:
    return merge_request.state is MergeRequestState.OPENED


def _seen(line: Line) -> MergeRequest:
    seen = MergeRequest(
        iid=line.iid,
        state=line.state,
        title=line.title,
        description=line.description,
        source_branch=line.source_branch,
        target_branch=line.target_branch,
        head=line.head,
        author=line.author,
        labels=frozenset(line.labels),
        created_at=line.created_at,
        web_url=f"{URL}/{PATH}/-/merge_requests/{line.iid}",
        from_fork=line.source != OWN,
        merge_after=line.merge_after,
        squash=line.squash,
    )
    return replace(seen, closed_by=line.closed_by if line.state is MergeRequestState.CLOSED else None)


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
