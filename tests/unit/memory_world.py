"""What a GitLab keeps and does, in memory: one project, its forks, people, branches and merge requests.

`memory_forge.py` is the door to it, and says how to use it. The rules are those of `local_gitlab`, to which
tests/acceptance/test_forge_contract.py holds them.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from git_objects import Blob, Commit, Objects, make_bare
from recording_repository import RecordingRepository, Sent

from compose_repo.core.forge.action import ForgeAction
from compose_repo.core.forge.forge import FileLock, Holder, Lock, MergeRequestState, Note, Push, User
from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import GitError

GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 20, 30, 40, 50
OWN: Final = 1
"""The id of the project; its forks have the next ones."""
MAIN: Final = "main"
URL: Final = "https://gitlab.example"
PATH: Final = "centos/compose-repo"
START: Final = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)
BULK: Final = 3
"""A push of more branches than that, to all of which the same happens, leaves an event that names none of them."""
TEXT_MOST, NOTE_MOST, TITLE_MOST, STATUS_MOST = 1_048_576, 1_000_000, 255, 255
FINISHED: Final = frozenset({"success", "failed", "canceled", "skipped"})

_DRAFT: Final = re.compile(r"(?:\[draft\]|\(draft\)|draft:)\s*", re.IGNORECASE)
_QUICK_ACTION: Final = re.compile(
    r"^/(approve|unapprove|merge|labels?|unlabel|remove_label|relabel|close|reopen|title|draft|ready|target_branch"
    r"|assign|unassign|rebase|lock|unlock)\b",
    re.MULTILINE | re.IGNORECASE,
)
PUSH_REFUSED: Final = "You are not allowed to push into this branch"
NO_BRANCH: Final = "You can only create or edit files when you are on a branch"


class Refusal(Exception):  # noqa: N818  # it is an answer
    """GitLab's answer to what it does not do: a status, and words as they stand in its JSON."""

    def __init__(self, code: int, words: object) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.words = words


def unauthorized() -> Refusal:
    """Refuse who has not the right to vote or merge."""
    return Refusal(401, "401 Unauthorized")


def forbidden(why: str = "") -> Refusal:
    """Refuse whose role is too low."""
    return Refusal(403, f"403 Forbidden - {why}" if why else "403 Forbidden")


def not_found(what: str = "") -> Refusal:
    """Refuse what is not there."""
    return Refusal(404, f"404 {what} Not Found" if what else "404 Not Found")


@dataclass(kw_only=True, slots=True)
class Status:
    """A commit status; `replaced` by a newer one of its name, it is seen no more."""

    id: int
    name: str
    user: User
    state: str
    created_at: dt.datetime
    description: str = ""
    finished_at: dt.datetime | None = None
    replaced: bool = False


@dataclass(kw_only=True, slots=True)
class Pipeline:
    """A pipeline of a commit: of a merge request, if it has an `iid`, or of a branch. `state` is that of its jobs."""

    id: int
    sha: Sha
    ref: str
    iid: int | None = None
    state: str | None = None
    by: str = ""
    statuses: list[Status] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The state of its jobs and of the statuses that were set, together."""
        found = {status.state for status in self.statuses if not status.replaced} | ({self.state} - {None})
        if "running" in found or (found & {"pending", "created"} and found & (FINISHED - {"skipped"})):
            return "running"
        order = ("pending", "created", "failed", "canceled", "success", "skipped")
        return next((state for state in order if state in found), "skipped")


@dataclass(kw_only=True, slots=True)
class Line:
    """A merge request as it is kept; `base` is where its branch had left the target when its head last moved."""

    iid: int
    title: str
    description: str
    author: User
    source_branch: str
    target_branch: str
    created_at: dt.datetime
    source: int = OWN
    state: MergeRequestState = MergeRequestState.OPENED
    head: Sha | None = None
    base: Sha | None = None
    closed_by: User | None = None
    labels: list[str] = field(default_factory=list)
    approved_by: list[int] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    told: list[Note] = field(default_factory=list)
    merge_after: dt.datetime | None = None
    squash: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self.state is MergeRequestState.OPENED


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """Something that one of our accounts has written, or has tried to: an action, or a push."""

    by: str
    what: ForgeAction | Sent


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Something that an account has asked of the forge: a method's name, for `apply` the name of the action's class."""

    by: str
    what: str


What: TypeAlias = str | type[ForgeAction] | type[Sent] | None
"""What to wait for: an action of a class, a push (`Sent`), a method by its name, or None for any of them."""


@dataclass(kw_only=True, slots=True)
class _Moment:
    """Something that is to happen between two calls."""

    what: str | None
    is_before: bool
    left: int
    do: Callable[[], object]


class World:
    """A project and its people; people do here what they do by git or on GitLab's pages.

    `now` goes on by `tick` with each thing that is written. `new_pipelines` is the state that pipelines begin with.
    """

    def __init__(
        self,
        *,
        files: Mapping[str, bytes] | None = None,
        git: Path | None = None,
        now: dt.datetime = START,
        tick: dt.timedelta = dt.timedelta(seconds=1),
    ) -> None:
        self.now = now
        self.tick = tick
        self.new_pipelines = "success"
        self.pipelines_must_succeed = False
        self.reset_approvals_on_push = False
        self.author_may_approve = False
        self.git = git
        self.objects = Objects(folder=git)
        self.users: dict[str, User] = {}
        self.levels: dict[tuple[int, int], int] = {}
        self.heads: dict[tuple[int, str], Sha] = {}
        self.protected: dict[tuple[int, str], tuple[int, int]] = {(OWN, MAIN): (MAINTAINER, MAINTAINER)}
        self.lines: list[Line] = []
        self.locks: list[FileLock] = []
        self.pipelines: list[Pipeline] = []
        self.writes: list[Write] = []
        self.calls: list[Call] = []
        self._pushes: list[Push] = []
        self._held: list[Push] | None = None
        self._moments: list[_Moment] = []
        self._is_interrupted = False
        self._last_id = 0
        if git is not None:
            make_bare(git)
        self.user("owner", OWNER)
        self.push("owner", MAIN, {"README.md": b"# Composes\n"} if files is None else files, message="Start")

    # --- people

    def user(self, username: str, level: int | None = None) -> User:
        """Give an account, made at its first mention; a `level` is its role from now on."""
        user = self.users.setdefault(username.lower(), User(id=len(self.users) + 1, username=username))
        if level is not None:
            self.levels[OWN, user.id] = level
        return user

    def level(self, user: User, project: int = OWN) -> int:
        """Give a user's role."""
        return self.levels.get((project, user.id), 0)

    @staticmethod
    def token(username: str) -> str:
        """Give the token that a session of this account pushes with."""
        return f"token-of-{username}"

    # --- time, and what happens between two calls

    def moment(self) -> dt.datetime:
        """Let time go on, and give it."""
        self.now += self.tick
        return self.now

    def before(self, what: What, do: Callable[[], object], *, nth: int = 1) -> None:
        """Do something right before the nth call of a kind from now; what it raises takes the place of the call."""
        self._moments.append(_Moment(what=_name(what), is_before=True, left=nth, do=do))

    def after(self, what: What, do: Callable[[], object], *, nth: int = 1) -> None:
        """Do something right after the nth call of a kind from now has worked; what it raises hides that it has."""
        self._moments.append(_Moment(what=_name(what), is_before=False, left=nth, do=do))

    @contextmanager
    def calling(self, by: str, what: str) -> Iterator[None]:
        """Note a call, and let happen what was to happen before and after it."""
        if self._is_interrupted:
            yield
            return
        self.calls.append(Call(by=by, what=what))
        self._reach(what, is_before=True)
        yield
        self._reach(what, is_before=False)

    def _reach(self, what: str, *, is_before: bool) -> None:
        waiting = [one for one in self._moments if one.is_before is is_before and one.what in {None, what}]
        for one in waiting:
            one.left -= 1
        due = [one for one in waiting if one.left == 0]
        self._moments = [one for one in self._moments if one.left > 0]
        self._is_interrupted = True
        try:
            for one in due:
                one.do()
        finally:
            self._is_interrupted = False

    def next_id(self) -> int:
        """Give a number that nothing has yet."""
        self._last_id += 1
        return self._last_id

    # --- branches

    def protect(self, pattern: str, *, push: int = MAINTAINER, merge: int = MAINTAINER, project: int = OWN) -> None:
        """Protect the branches of a name, in which `*` stands for anything; level 0 is nobody."""
        self.protected[project, pattern] = (push, merge)

    def may_push(self, user: User, branch: str, project: int = OWN) -> bool:
        """Tell whether a user may move a branch on."""
        return self._may(user, branch, project, 1)

    def may_merge(self, user: User, branch: str) -> bool:
        """Tell whether a user may merge into a branch."""
        return self._may(user, branch, OWN, 2)

    def _may(self, user: User, branch: str, project: int, most: int) -> bool:
        level = self.level(user, project)
        rules = [
            levels for (where, name), levels in self.protected.items() if where == project and _matches(name, branch)
        ]
        reached = not rules or any(0 < wanted <= level for levels in rules for wanted in levels[:most])
        return level >= DEVELOPER and reached

    def _is_protected(self, branch: str, project: int) -> bool:
        return any(where == project and _matches(name, branch) for where, name in self.protected)

    def head(self, branch: str, project: int = OWN) -> Sha | None:
        """Give a branch's commit."""
        return self.heads.get((project, branch))

    def commit(self, sha: Sha) -> Commit:
        """Read a commit that is there."""
        found = self.objects.commit(sha)
        if found is None:
            raise LookupError(sha)
        return found

    def files(self, branch: str = MAIN) -> dict[str, bytes]:
        """Give the files of a branch."""
        files = self.commit(self.heads[OWN, branch]).files
        return {path: self.objects.content(blob) for path, blob in files.items()}

    def push(  # noqa: PLR0913  # what a push is made of
        self,
        by: str,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        message: str = "Report results",
        base: Sha | None = None,
        project: int = OWN,
    ) -> Sha:
        """Push one commit that writes files, or deletes those that are None; give its name.

        It stands on the branch, where there is one, or on main; on a `base` that is not the branch's head it takes the
        place of what was there.
        """
        new = self.make(by, branch, files, message=message, base=base, project=project)
        self.move(by, {branch: new}, project=project)
        return new

    def push_many(self, by: str, files: Mapping[str, Mapping[str, bytes | None]]) -> dict[str, Sha]:
        """Push a commit to each of many branches at once; of more than three GitLab does not tell which."""
        moves = {branch: self.make(by, branch, more) for branch, more in files.items()}
        self.move(by, moves)
        return moves

    def make(  # noqa: PLR0913  # what a commit is made of
        self,
        by: str,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        message: str = "Report results",
        base: Sha | None = None,
        project: int = OWN,
    ) -> Sha:
        """Make a commit and push nothing."""
        parent = base or self.head(branch, project) or self.head(MAIN, project)
        there: dict[str, Blob] = {} if parent is None else dict(self.commit(parent).files)
        for path, content in files.items():
            if content is None:
                del there[path]
            else:
                there[path] = self.objects.blob(content)
        parents = () if parent is None else (parent,)
        at = int(self.now.timestamp())
        return self.objects.make(there, parents=parents, message=message, by=by, at=at)

    def move(self, by: str, moves: Mapping[str, Sha | None], *, project: int = OWN) -> None:
        """Move branches to commits in one push, or delete those that are None."""
        user = self.user(by)
        for branch, new in moves.items():
            why = self._push_refusal(user, branch, new, project)
            if why:
                raise Refusal(403, why)
        self.moved(user, moves, project=project)

    def delete_branch(self, by: str, branch: str) -> None:
        """Delete a branch."""
        self.move(by, {branch: None})

    def _push_refusal(self, user: User, branch: str, new: Sha | None, project: int) -> str:
        if self.level(user, project) < DEVELOPER:
            return "You are not allowed to push code to this project."
        if not self._is_protected(branch, project):
            return ""
        if new is None:
            return "You can only delete protected branches using the web interface."
        old = self.head(branch, project)
        is_forced = old is not None and not self.objects.came_before(old, new)
        if is_forced or (old is not None and not self.may_push(user, branch, project)):
            return "You are not allowed to push code to protected branches on this project."
        return "" if self.may_push(user, branch, project) else "You are not allowed to create protected branches."

    def moved(self, user: User, moves: Mapping[str, Sha | None], *, project: int = OWN, quiet: bool = False) -> None:
        """Let follow whatever follows when branches have moved; `quiet` leaves pipelines out."""
        before = {branch: self.head(branch, project) for branch in moves}
        kinds = [_kind(before[branch], new) for branch, new in moves.items()]
        for branch, new in moves.items():
            self._set_head(branch, new, project)
            at = self.moment()
            if project == OWN and kinds.count(_kind(before[branch], new)) <= BULK:
                self._note_push(Push(user=user, branch=branch, before=before[branch], after=new, at=at))
            lines = self._follow(user, branch, before[branch], new, project)
            if new is not None and project == OWN and not lines and not quiet:
                self._start(sha=new, ref=branch)
            for line in lines:
                self.start_pipeline(line, by=user.username)

    def _set_head(self, branch: str, new: Sha | None, project: int) -> None:
        if new is None:
            del self.heads[project, branch]
        else:
            self.heads[project, branch] = new
        if project == OWN:
            self.objects.point(f"refs/heads/{branch}", new)

    def _follow(self, user: User, branch: str, old: Sha | None, new: Sha | None, project: int) -> list[Line]:
        """Tell the open merge requests of a branch that it has moved; give those whose head has."""
        moved = []
        for line in self.lines:
            if not (line.is_open and line.source == project and line.source_branch == branch):
                continue
            if new is None:
                self.close(line, user)
            elif self.refresh(line):
                self._tell_push(line, user, old, new)
                if self.reset_approvals_on_push:
                    line.approved_by.clear()
                moved.append(line)
        if project == OWN:
            self._notice_merged(branch)
        return moved

    def _tell_push(self, line: Line, user: User, old: Sha | None, new: Sha) -> None:
        came = {} if old is None else self.objects.history(new)
        if old is None or old not in came:
            self.tell(line, user, f"force pushed the branch to {new[:8]}")
        else:
            for sha in self.objects.history(old):
                came.pop(sha, None)
            rows = "".join(f"<li>{one.sha[:8]} - {one.title}</li>" for one in came.values())
            word = "commit" if len(came) == 1 else "commits"
            self.tell(line, user, f"added {len(came)} {word}\n\n<ul>{rows}</ul>")
        drafts = [one for one in came.values() if is_draft(one.title)]
        if old is not None and drafts and not is_draft(line.title):
            line.title = f"Draft: {line.title}"
            self.tell(line, user, f"marked this merge request as **draft** from {drafts[-1].sha}")

    def _notice_merged(self, branch: str) -> None:
        """Mark as merged what has come into its target some other way."""
        target = self.head(branch)
        for line in self.lines:
            if target is None or not line.is_open or line.target_branch != branch or line.head in {None, line.base}:
                continue
            if line.head is not None and self.objects.came_before(line.head, target):
                line.state = MergeRequestState.MERGED

    # --- the log of pushes

    def _note_push(self, push: Push) -> None:
        (self._pushes if self._held is None else self._held).append(push)

    def pushes(self) -> Sequence[Push]:
        """Give what the log tells, oldest first."""
        return self._pushes

    def hold_events(self) -> None:
        """Keep pushes out of the log from now on: GitLab writes it a moment later."""
        self._held = self._held or []

    def release_events(self) -> int:
        """Write the pushes that wait, with this moment as their time; give how many there were."""
        held, self._held = self._held or [], None
        for push in held:
            at = self.moment()
            self._pushes.append(Push(user=push.user, branch=push.branch, before=push.before, after=push.after, at=at))
        return len(held)

    # --- merge requests

    def line(self, iid: int) -> Line:
        """Give a merge request as it is kept."""
        found = next((line for line in self.lines if line.iid == iid), None)
        if found is None:
            raise not_found()
        return found

    def open(  # noqa: PLR0913  # what a merge request is made of
        self,
        user: User,
        source_branch: str,
        target_branch: str = MAIN,
        *,
        title: str,
        description: str = "",
        labels: str = "",
        source: int = OWN,
    ) -> Line:
        """Open a merge request, from the project itself or from a fork."""
        if self.level(user, source) < DEVELOPER:
            raise forbidden()
        valid_title(title)
        _valid_text(description, TEXT_MOST, "description")
        if (source, source_branch) == (OWN, target_branch):
            raise Refusal(422, ["You can't use same project/branch for source and target"])
        if self.head(source_branch, source) is None:
            raise Refusal(400, {"source_branch": ["does not exist"]})
        if self.head(target_branch) is None:
            raise Refusal(400, {"target_branch": ["does not exist"]})
        self.refuse_second(source, source_branch, target_branch)
        line = Line(
            iid=len(self.lines) + 1,
            title=title,
            description=description,
            author=user,
            source=source,
            source_branch=source_branch,
            target_branch=target_branch,
            created_at=self.moment(),
        )
        self.lines.append(line)
        self.refresh(line)
        if self.level(user) >= DEVELOPER:
            line.labels = names_in(labels)
        self.start_pipeline(line, by=user.username)
        return line

    def refuse_second(self, source: int, source_branch: str, target_branch: str) -> None:
        """Refuse a second open merge request of two branches."""
        pair = (source, source_branch, target_branch)
        for line in self.lines:
            if line.is_open and (line.source, line.source_branch, line.target_branch) == pair:
                words = f"Another open merge request already exists for this source branch: !{line.iid}"
                raise Refusal(409, [words])

    def refresh(self, line: Line) -> bool:
        """Let a merge request follow its branch; tell whether its head has moved."""
        head, target = self.head(line.source_branch, line.source), self.head(line.target_branch)
        if head is None or target is None:
            return False
        has_moved = head != line.head
        line.head, line.base = head, self.objects.base(target, head) or target
        self.objects.point(f"refs/merge-requests/{line.iid}/head", head)
        return has_moved

    def close(self, line: Line, user: User) -> None:
        """Close an open merge request."""
        line.state, line.closed_by = MergeRequestState.CLOSED, user
        self.tell(line, user, "closed")

    def tell(self, line: Line, user: User, words: str) -> None:
        """Write below a merge request what somebody has done."""
        line.told.append(Note(id=self.next_id(), author_id=user.id, body=words, edited_at=self.moment()))

    def fork(self, by: str) -> int:
        """Fork the project, with all of its branches, for a user; give the fork's id."""
        fork = max(project for project, _ in self.heads) + 1
        self.levels[fork, self.user(by).id] = OWNER
        self.protect(MAIN, project=fork)
        for (project, branch), sha in [*self.heads.items()]:
            if project == OWN:
                self.heads[fork, branch] = sha
        return fork

    # --- pipelines

    def _start(self, *, sha: Sha, ref: str, iid: int | None = None, state: str | None = None, by: str = "") -> Pipeline:
        made = Pipeline(id=self.next_id(), sha=sha, ref=ref, iid=iid, state=state or self.new_pipelines, by=by)
        self.pipelines.append(made)
        return made

    def start_pipeline(self, line: Line, state: str | None = None, *, by: str = "owner") -> None:
        """Run a pipeline for a merge request's head, which goes at once to the state that is said."""
        if line.head is not None:
            ref = f"refs/merge-requests/{line.iid}/head"
            self._start(sha=line.head, ref=ref, iid=line.iid, state=state, by=by)

    def holders(self, line: Line) -> list[Holder]:
        """Give what in the pipeline of a merge request's head has not succeeded."""
        pipeline = self.head_pipeline(line)
        if pipeline is None:
            return []
        no_obstacle = {None, "success", "skipped"}
        job = Holder(name="validate", author=pipeline.by, state=str(pipeline.state), is_job=True)
        return [
            *([] if pipeline.state in no_obstacle else [job]),
            *(
                Holder(name=status.name, author=status.user.username, state=status.state, is_job=False)
                for status in pipeline.statuses
                if not status.replaced and status.state not in no_obstacle
            ),
        ]

    def set_pipeline(self, iid: int, state: str) -> None:
        """Let the pipeline of a merge request's head be in a state: running, success, failed, canceled, skipped."""
        self.start_pipeline(self.line(iid), state)

    def pipeline_of_status(self, sha: Sha, ref: str) -> Pipeline:
        """Give the newest pipeline of a commit and branch, or a new one that has no jobs."""
        found = [one for one in self.pipelines if (one.sha, one.ref) == (sha, ref)]
        if found:
            return found[-1]
        self.pipelines.append(Pipeline(id=self.next_id(), sha=sha, ref=ref))
        return self.pipelines[-1]

    def set_status(  # noqa: PLR0913  # what a status is made of
        self, user: User, sha: Sha, ref: str, *, name: str, state: str, description: str = ""
    ) -> None:
        """Set a status of a commit by its name; one that is not finished yet is the same one from then on."""
        if self.level(user) < DEVELOPER:
            raise forbidden()
        if self.objects.commit(sha) is None:
            raise not_found("Commit")
        _valid_text(description, STATUS_MOST, "description")
        if not self.may_push(user, ref):
            raise forbidden()
        pipeline = self.pipeline_of_status(sha, ref)
        same = [one for one in pipeline.statuses if one.name == name and not one.replaced]
        mine = next((one for one in same if one.user == user and one.state in {"pending", "running"}), None)
        if mine is not None and (mine.state == state or (mine.state, state) == ("running", "pending")):
            event = {"pending": "enqueue", "running": "run"}[state]
            why = f'Status cannot transition via "{event}"'
            raise Refusal(400, f"Cannot transition status via :{event} from :{mine.state} (Reason(s): {why})")
        if mine is None:
            for one in same:
                one.replaced = True
            mine = Status(id=self.next_id(), name=name, user=user, state="created", created_at=self.moment())
            pipeline.statuses.append(mine)
        mine.state, mine.description = state, description
        if state in FINISHED:
            mine.finished_at = self.moment()

    def head_pipeline(self, line: Line) -> Pipeline | None:
        """Give the newest pipeline of a merge request's head: one of its own before one of its branch."""
        of_head = [one for one in self.pipelines if one.sha == line.head]
        own = [one for one in of_head if one.iid == line.iid]
        of_branch = [one for one in of_head if one.iid is None and one.ref == line.source_branch and line.source == OWN]
        return next(iter([*reversed(own), *reversed(of_branch)]), None)

    def lock(self, line: Line) -> Lock | None:
        """Tell whether a pipeline keeps a merge request from being merged."""
        if not self.pipelines_must_succeed or self.is_unfit(line):
            return None
        pipeline = self.head_pipeline(line)
        status = "none" if pipeline is None else pipeline.status
        if status == "success":
            return None
        return Lock.FAILED if status in FINISHED else Lock.DUE

    def is_unfit(self, line: Line) -> bool:
        """Tell whether something but a pipeline or a conflict keeps a merge request from being merged."""
        return bool(self._unfit(line))

    def _unfit(self, line: Line) -> str:
        if not line.is_open:
            return "not_open"
        if line.merge_after is not None and self.now < line.merge_after:
            return "merge_time"
        if is_draft(line.title):
            return "draft_status"
        return "commits_status" if line.head in {None, line.base} else ""

    def obstacle(self, line: Line) -> str:
        """Say what keeps a merge request from being merged, but a conflict; nothing, if nothing does."""
        lock = self.lock(line)
        waits = "" if lock is None else "ci_still_running" if lock is Lock.DUE else "ci_must_pass"
        return self._unfit(line) or waits or ("locked_lfs_files" if self.is_locked(line) else "")

    def is_locked(self, line: Line) -> bool:
        """Tell whether somebody has locked a file that a merge request changes."""
        if line.head is None or line.base is None:
            return False
        old, new = self.commit(line.base).files, self.commit(line.head).files
        return any(old.get(lock.path) != new.get(lock.path) for lock in self.locks)

    def lock_file(self, by: str, path: str) -> None:
        """Lock a file, as `git lfs lock` does."""
        self.locks.append(FileLock(id=str(self.next_id()), path=path, owner=self.user(by).username))

    # --- git

    def repository(self, folder: Path) -> RecordingRepository:
        """Make a bare repository as a session works with; what is pushed from it is pushed by who has the token."""
        make_bare(folder, borrow=self.git)
        return RecordingRepository(folder, before=self._sending, after=self._sent)

    def _who(self, token: str | None) -> User:
        found = next((user for name, user in self.users.items() if self.token(name) == (token or "").lower()), None)
        if found is None:
            raise GitError("`git push` failed: fatal: Authentication failed; the token belongs to nobody")
        return found

    def _sending(self, sent: Sent, token: str | None) -> None:
        user = self._who(token)
        self.calls.append(Call(by=user.username, what="Sent"))
        self._reach("Sent", is_before=True)
        self.writes.append(Write(by=user.username, what=sent))
        branch = sent.ref.removeprefix("refs/heads/")
        why = "" if sent.is_tag else self._push_refusal(user, branch, sent.commit, OWN)
        if why or self.level(user) < DEVELOPER:
            raise GitError(f"`git push` failed: ! [remote rejected] {branch} ({why or 'pre-receive hook declined'})")

    def _sent(self, _: Sent, token: str | None) -> None:
        self.noticed(self._who(token).username)
        self._reach("Sent", is_before=False)

    def noticed(self, by: str) -> None:
        """Let follow whatever follows on branches that real git has moved in the repository on disk."""
        there = self.objects.refs("refs/heads")
        known = {branch: sha for (project, branch), sha in self.heads.items() if project == OWN}
        moves = {name: there.get(name) for name in there.keys() | known.keys() if there.get(name) != known.get(name)}
        self.moved(self.user(by), moves)

    @property
    def tags(self) -> frozenset[str]:
        """The names of the tags of the repository on disk."""
        return frozenset(self.objects.refs("refs/tags"))


def is_draft(title: str) -> bool:
    """Tell whether a title makes a draft."""
    return _DRAFT.match(title) is not None


def without_draft(title: str) -> str:
    """Give a title without what makes it a draft."""
    while found := _DRAFT.match(title):
        title = title[found.end() :]
    return title


def valid_title(title: str) -> None:
    """Refuse a title that GitLab does not take."""
    _valid_text(title, TITLE_MOST, "title")
    if not title.strip():
        raise Refusal(400, {"title": ["can't be blank"]})


def valid_note(body: str) -> None:
    """Refuse a note that GitLab does not take."""
    if not body.strip():
        raise Refusal(400, {"note": ["can't be blank"]})
    _valid_text(body, NOTE_MOST, "note")


def valid_description(text: str) -> None:
    """Refuse a description that GitLab does not take."""
    _valid_text(text, TEXT_MOST, "description")


def _valid_text(text: str, most: int, what: str) -> None:
    if len(text) > most:
        raise Refusal(400, {what: [f"is too long (maximum is {most} characters)"]})
    if _QUICK_ACTION.search(text):
        raise NotImplementedError(f"a quick action in a {what}: the forge in memory knows none")


def names_in(text: str) -> list[str]:
    """Take the names of labels apart."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _matches(pattern: str, branch: str) -> bool:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, branch, re.DOTALL) is not None


def _kind(old: Sha | None, new: Sha | None) -> str:
    return "created" if old is None else "removed" if new is None else "pushed"


def _name(what: What) -> str | None:
    return what if what is None or isinstance(what, str) else what.__name__
