"""The line of a compose's merge request, commit by commit: what of it counts, and what is refused.

A branch is append-only. What its compose bot opened it with and the first version of each result that its origin has
pushed count for ever; whatever else is done to it is named and changes nothing. Who has pushed a commit is for GitLab
to say, not for the commit: names, mails and dates in it are claims.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct, field

from compose_repo.core.branch.commit import GONE, PLAIN, Change, Commit, Content, Version
from compose_repo.core.branch.touch import Attributed, Touch, Touched, is_same, origins_of
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.composes.layout import Kind, Place, name_problems, not_plain, place_of
from compose_repo.core.composes.paths import BRANCHES, RESULTS
from compose_repo.core.documents.limits import COMMIT_PROBLEMS, ORIGIN_BYTES, ORIGIN_FILES
from compose_repo.core.forge.forge import Push
from compose_repo.core.names import Origin, Sha
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.policy import Bots


class Line(Struct, frozen=True, kw_only=True):
    """What counts of a merge request's commits: the files it was opened with, and the results, first pushed first."""

    opening: Push
    manifest: Version
    readme: Version | None
    results: tuple[Version, ...]
    problems: tuple[Problem, ...]
    touched: Touched = field(default_factory=dict)

    @property
    def counted(self) -> tuple[Version, ...]:
        """Every file that counts."""
        return (self.manifest, *(() if self.readme is None else (self.readme,)), *self.results)


class Pushed(Struct, frozen=True, kw_only=True):
    """Who has pushed what, by GitLab's word: the pushes of the branch, oldest first, and that of each commit."""

    pushes: Sequence[Push]
    of: Mapping[Sha, Push]

    def by(self, commit: Sha) -> str:
        """Name who has pushed a commit."""
        if not self.pushes:
            return "by somebody"  # in a pipeline nobody asks GitLab
        push = self.of.get(commit)
        return "by a user whom GitLab does not name" if push is None else f"by {push.user.username}"

    def is_by(self, commit: Sha, username: str) -> bool:
        """Tell whether an account has pushed a commit."""
        push = self.of.get(commit)
        return push is not None and push.user.is_called(username)


def in_push_order(commits: Iterable[Commit], pushed: Pushed) -> list[Commit]:
    """Sort commits by the push that brought them, and parents before children; what nobody has pushed comes last."""
    order: dict[Push | None, int] = {}
    for number, push in enumerate(pushed.pushes):
        order.setdefault(push, number)
    return sorted(commits, key=lambda commit: order.get(pushed.of.get(commit.sha), len(pushed.pushes)))


def opening_of(compose_id: ComposeId, commits: Iterable[Commit], pushed: Pushed, bots: Bots) -> Commit | None:
    """Find the commit that opened a compose: the first of the compose bot's that adds the manifest."""
    manifest = compose_id.manifest_path
    for commit in commits:
        if pushed.is_by(commit.sha, bots.compose) and any(
            change.path == manifest and change.before.mode == GONE and change.after.mode == PLAIN
            for change in commit.changes
        ):
            return commit
    return None


def foreign_manifest(compose_id: ComposeId, bots: Bots) -> Problem:
    """Say that nobody who may open a compose has opened this one."""
    return Problem(
        path=compose_id.manifest_path,
        code=Code.FOREIGN_MANIFEST,
        message=f"no commit of {compose_id.branch} that {bots.compose} has pushed adds the manifest",
        fix="delete the branch and let the compose bot open the compose; [bots] in gate/streams.toml names the bot",
    )


def lost_history(compose_id: ComposeId, sha: Sha, push: Push) -> Problem:
    """Say that commits which were pushed are nowhere to be found, so that what they reported is not known."""
    return Problem(
        path=compose_id.folder,
        code=Code.HISTORY_REWRITTEN,
        message=f"{sha[:12]}, which {push.user.username} pushed at {push.at:%Y-%m-%d %H:%M} UTC according to GitLab, "
        "is gone from the branch and from the server",
        fix=f"push that commit again from a clone that has it; protect {BRANCHES} against force pushes (doctor)",
    )


def read_line(
    compose_id: ComposeId, commits: Sequence[Commit], *, pushed: Pushed, attributed: Attributed, bots: Bots
) -> Line | None:
    """Judge each commit since main, in the order in which they were pushed; None if no compose bot has opened it."""
    ordered = in_push_order(commits, pushed)
    opening = opening_of(compose_id, ordered, pushed, bots)
    if opening is None:
        return None
    ours = {commit.sha for commit in ordered if pushed.is_by(commit.sha, bots.gate)}  # they only bring back what counts
    reader = _Reader(compose_id, opening, pushed, attributed)
    reader.read_all([commit for commit in ordered if commit.sha not in ours])
    return Line(
        opening=pushed.of[opening.sha],
        manifest=reader.manifest,
        readme=reader.readme,
        results=tuple(reader.versions.values()),
        problems=(*_rewritings(compose_id, ordered, pushed), *reader.problems),
        touched=reader.touched,
    )


class Unattributed(NamedTuple):
    """What counts of commits as far as it goes without asking who has pushed them.

    `opening` is the commit that adds the manifest, None if there is none.
    """

    opening: Commit | None
    results: Sequence[Version]
    problems: Sequence[Problem]
    touched: Touched


class _Everybody(Container[tuple[Origin, Sha]]):
    def __contains__(self, _: object) -> bool:
        return True


def read_unattributed(
    compose_id: ComposeId, commits: Sequence[Commit], origins: Collection[Origin] = ()
) -> Unattributed:
    """Judge each commit since main as far as it goes without knowing who has pushed it, as in a pipeline.

    The user who added the manifest counts as the compose bot, and folders are believed: what lies below an origin's is
    the origin's. Commits come parents first.
    """
    opening = _first_with_manifest(compose_id, commits)
    nobody = Pushed(pushes=(), of={})
    reader = _Reader(compose_id, opening, nobody, Attributed(refusals={}, owned=_Everybody(), origins=origins))
    reader.read_all(commits)
    return Unattributed(opening, list(reader.versions.values()), reader.problems, reader.touched)


def opened_with(compose_id: ComposeId, commits: Sequence[Commit]) -> list[Version]:
    """Give the files that a compose was opened with, as far as it goes without knowing who has opened it."""
    opening = _first_with_manifest(compose_id, commits)
    paths = (compose_id.manifest_path, compose_id.readme_path)
    return [] if opening is None else list(_opening_files(opening, *paths).values())


def _first_with_manifest(compose_id: ComposeId, commits: Sequence[Commit]) -> Commit | None:
    manifest = compose_id.manifest_path
    return next((one for one in commits if any(change.path == manifest for change in one.changes)), None)


def still_true(
    problems: Iterable[Problem], refused: Container[str], back: Container[str] = frozenset()
) -> list[Problem]:
    """Leave out that a file was taken away which is `refused` anyway: that is how a mistake is undone.

    Of a refused file that its origin has taken `back` nothing is told, whatever was done to it before.
    """
    return [
        problem
        for problem in problems
        if problem.path not in refused or (problem.code != Code.REMOVED_FILE and problem.path not in back)
    ]


def within_bytes(versions: Iterable[Version], sizes: Mapping[str, int]) -> tuple[list[Version], list[Problem]]:
    """Leave out what an origin reports beyond what it may in bytes; each origin has bounds of its own.

    `sizes` are those of the blobs, in bytes.
    """
    kept, problems = [], []
    total: dict[Origin | None, int] = {}
    for version in versions:
        grown = total.get(version.origin, 0) + sizes[version.blob]
        if grown > ORIGIN_BYTES:
            problems.append(
                _too_many(version.path, f"results of more than {ORIGIN_BYTES // 2**20} MiB on this compose")
            )
        else:
            total[version.origin] = grown
            kept.append(version)
    return kept, problems


def gone_from_head(line: Line, head: Mapping[str, Content], told: Iterable[Problem]) -> Iterator[Problem]:
    """Results that count and that the head does not have, by whatever means; `head` is what it changes against main.

    Paths of which something has been `told` already are left out, and all of them where the history was rewritten.
    """
    known = {problem.path for problem in told}
    if any(problem.code == Code.HISTORY_REWRITTEN for problem in line.problems):
        return
    for version in line.results:
        if head.get(version.path) != Content(PLAIN, version.blob) and version.path not in known:
            yield _removed(version.path, "the head of the branch does not have it as it was pushed; it still counts")


def below_restoring(head: Sha, commits: Iterable[Commit], pushed: Pushed, bots: Bots) -> Sha:
    """Give what stands below the gate bot's restoring commits, of which a head is one if a merge did not come about.

    They bring back what counts and nothing else, so whatever was said of the head below them still holds.
    """
    parents = {commit.sha: commit.parents for commit in commits}
    while pushed.is_by(head, bots.gate) and len(parents.get(head, ())) > 1:
        head = parents[head][0]
    return head


def is_clean(counted: Iterable[Version], head: Mapping[str, Content]) -> bool:
    """Tell whether a head brings main exactly what counts; `head` is what it changes against main."""
    return dict(head) == {version.path: Content(PLAIN, version.blob) for version in counted}


_NOTHING: Final = Content(GONE, "")


class _Reader:
    """Reads the commits of a line one after the other."""

    def __init__(self, compose_id: ComposeId, opening: Commit | None, pushed: Pushed, attributed: Attributed) -> None:
        self._id = compose_id
        self._pushed = pushed
        self._attributed = attributed
        self._manifest_path = compose_id.manifest_path
        self._readme_path = compose_id.readme_path
        self._opening = {} if opening is None else _opening_files(opening, self._manifest_path, self._readme_path)
        self._first: dict[str, Content] = {}
        self._last: dict[str, Content] = {}
        self._last_commit: dict[str, Sha] = {}
        self._last_owned: dict[str, Content] = {}
        self._taken: dict[str, str] = {}
        self._count: dict[Origin, int] = {}
        self.touched: dict[tuple[Origin, str], Touch] = {}
        self.versions: dict[str, Version] = {}
        self.problems: list[Problem] = []

    @property
    def manifest(self) -> Version:
        """The manifest that the line was opened with."""
        return self._opening[self._manifest_path]

    @property
    def readme(self) -> Version | None:
        """The file that explains the results folder, if it was opened with one."""
        return self._opening.get(self._readme_path)

    def read_all(self, commits: Sequence[Commit]) -> None:
        """Judge commits in the order in which they came."""
        for commit in commits:
            for change in commit.changes:
                self._last[change.path], self._last_commit[change.path] = change.after, commit.sha
                if self._owners(commit.sha, change):
                    self._last_owned[change.path] = change.after
        for came, commit in enumerate(commits):
            self._read(commit, came)

    def _read(self, commit: Commit, came: int) -> None:
        found = [] if len(commit.parents) < 2 else [self._merge(commit)]  # noqa: PLR2004  # two parents make a merge
        for change in commit.changes:
            before = self._first.setdefault(change.path, change.before)
            first = before if change.is_folder else _NOTHING
            owners = self._owners(commit.sha, change)
            problem = self._change(commit, change, came)
            if problem is not None and not self._is_taken_back(problem, commit.sha, first, owners=bool(owners)):
                found.append(problem)
            for origin in owners:
                self.touched[origin, change.path] = Touch(first, change.after, came)
        self.problems.extend(found[:COMMIT_PROBLEMS])
        if len(found) > COMMIT_PROBLEMS:
            self.problems.append(self._more(commit.sha, len(found) - COMMIT_PROBLEMS))

    def _owners(self, commit: Sha, change: Change) -> Sequence[Origin]:
        """Return the origins below whose folders a change lies, and whose attribution believes its commit."""
        if change.path in self._opening:
            return ()
        origins = origins_of(self._id, change, self._attributed.origins)
        return [origin for origin in origins if (origin, commit) in self._attributed.owned]

    def _is_taken_back(self, problem: Problem, commit: Sha, first: Content, *, owners: bool) -> bool:
        """Return whether a later commit has taken back what a problem is about: then there is nothing to tell.

        Of what the origin itself did, the origin must have taken it back. Of what was never believed, nothing is left
        as soon as the file is gone. Anything else that is not a result must be as it was before the branch changed it,
        by the user who did it; where nobody says who has pushed, whoever did.
        """
        path = problem.path
        if owners:
            there = self.versions.get(path)
            wanted = first if there is None else Content(PLAIN, there.blob)
            return is_same(self._last_owned[path], wanted)
        if problem.code == Code.NOT_ATTRIBUTED:
            return self._last[path].mode == GONE
        is_stray = path not in self._opening and _result_place(self._id, path) is None
        return is_stray and is_same(self._last[path], self._first[path]) and self._is_by_one(commit, path)

    def _is_by_one(self, commit: Sha, path: str) -> bool:
        """Tell whether the user who has pushed a commit has also pushed the last change to a path."""
        one, last = self._pushed.of.get(commit), self._pushed.of.get(self._last_commit[path])
        if one is None or last is None:
            return not self._pushed.pushes
        return one.user.id == last.user.id

    def _change(self, commit: Commit, change: Change, came: int) -> Problem | None:
        path, after = change.path, change.after
        opened = self._opening.get(path)
        if opened is not None:
            return None if after == Content(PLAIN, opened.blob) else self._not_as_opened(commit.sha, change)
        place = _result_place(self._id, path)
        if place is None:
            return self._foreign(commit.sha, change)
        if after.mode == GONE:
            return self._removal(commit.sha, path)
        if after.mode != PLAIN:
            return not_plain(path)
        return self._result(commit, place, after.blob, came)

    def _result(self, brought_by: Commit, place: Place, blob: str, came: int) -> Problem | None:
        """The first version that its origin has pushed counts for ever; of names that differ in case, the first."""
        path, origin, commit = place.path, Origin(place.origin), brought_by.sha
        there = self.versions.get(path)
        if there is not None:
            return None if there.blob == blob else self._edit(commit, path, there)
        refusal = self._attributed.refusals.get((origin, commit))
        if refusal is not None:
            return Problem(
                path=path,
                code=Code.NOT_ATTRIBUTED,
                message=f"commit {commit[:12]}: {refusal}",
                fix="report with an account or a key that gate/origins.toml lists for the origin",
            )
        taken = self._taken.setdefault(path.casefold(), path)
        if taken != path:
            return Problem(
                path=path,
                code=Code.NAME_COLLISION,
                message=f"the file's name differs only in case from {taken.rpartition('/')[2]}, which was there first",
                fix="give each run an id that is unique without regard to case",
            )
        self._count[origin] = self._count.get(origin, 0) + 1
        if self._count[origin] > ORIGIN_FILES:
            return _too_many(path, f"more than {ORIGIN_FILES:,} result files on this compose")
        push = self._pushed.of.get(commit)
        at = brought_by.date if push is None else push.at
        self.versions[path] = Version(path=path, blob=blob, commit=commit, origin=origin, came=came, at=at)
        return None

    def _foreign(self, commit: Sha, change: Change) -> Problem | None:
        """A branch may change nothing but results of its compose; restoring something is allowed."""
        if self._first[change.path] == change.after:
            return None
        place = place_of(change.path)
        if place is not None and place.compose_id == self._id.text and place.kind is Kind.RESULT:
            return name_problems(place)[0]
        what = "removes" if change.after.mode == GONE else "adds" if change.before.mode == GONE else "changes"
        return Problem(
            path=change.path,
            code=Code.FOREIGN_CHANGE,
            message=f"commit {commit[:12]}, pushed {self._pushed.by(commit)}, {what} "
            "what is not a result of this compose",
            fix=f"undo it in another commit: a branch only adds {RESULTS}/<origin>/<run_id>.json of its compose",
        )

    def _not_as_opened(self, commit: Sha, change: Change) -> Problem:
        what = "removes" if change.after.mode == GONE else "changes"
        if change.path == self._manifest_path:
            return Problem(
                path=change.path,
                code=Code.MANIFEST_CHANGED,
                message=f"commit {commit[:12]}, pushed {self._pushed.by(commit)}, {what} the manifest; "
                "that of the compose bot's commit counts",
                fix="undo it in another commit: a manifest is written once",
            )
        return Problem(
            path=change.path,
            code=Code.FOREIGN_CHANGE,
            message=f"commit {commit[:12]}, pushed {self._pushed.by(commit)}, {what} what the branch was opened with",
            fix="undo it in another commit",
        )

    def _edit(self, commit: Sha, path: str, there: Version) -> Problem:
        return Problem(
            path=path,
            code=Code.CHANGED_RESULT,
            message=f"commit {commit[:12]}, pushed {self._pushed.by(commit)}, changes the result; "
            f"its first version, of commit {there.commit[:12]}, counts",
            fix="a result is written once: report a rerun in a new file",
        )

    def _removal(self, commit: Sha, path: str) -> Problem | None:
        """What never counted may be taken away; what counts is kept."""
        if path not in self.versions:
            return None
        return _removed(
            path, f"commit {commit[:12]}, pushed {self._pushed.by(commit)}, removes the result; it still counts"
        )

    def _merge(self, commit: Commit) -> Problem:
        return Problem(
            path=self._id.folder,
            code=Code.MERGE_COMMIT,
            message=f"commit {commit.sha[:12]}, pushed {self._pushed.by(commit.sha)}, merges "
            f"{len(commit.parents)} commits; only what was added beside it counts",
            fix="rebase instead of merging: git pull --rebase",
        )

    def _more(self, commit: Sha, number: int) -> Problem:
        return Problem(
            path=self._id.folder,
            code=Code.MORE_PROBLEMS,
            message=f"commit {commit[:12]}, pushed {self._pushed.by(commit)}, makes {number:,} more such changes",
            fix="undo them in another commit",
        )


def _opening_files(opening: Commit, *paths: str) -> dict[str, Version]:
    """Take the files that a compose is opened with out of the commit that opened it."""
    return {
        change.path: Version(path=change.path, blob=change.after.blob, commit=opening.sha)
        for change in opening.changes
        if change.path in paths and change.after.mode == PLAIN
    }


def _result_place(compose_id: ComposeId, path: str) -> Place | None:
    """Read a path; None if no result of this compose may stand there."""
    place = place_of(path)
    if place is None or place.kind is not Kind.RESULT or place.compose_id != compose_id.text:
        return None
    return None if name_problems(place) else place


def _rewritings(compose_id: ComposeId, commits: Sequence[Commit], pushed: Pushed) -> Iterator[Problem]:
    """A push that leaves out what was there, or deletes the branch, rewrites history; what it hides counts."""
    parents = {commit.sha: commit.parents for commit in commits}
    for push in pushed.pushes:
        if push.before is None or (push.after is not None and _descends(push.after, push.before, parents)):
            continue
        what = "deleted the branch" if push.after is None else f"replaced {push.before[:12]} by {push.after[:12]}"
        yield Problem(
            path=compose_id.folder,
            code=Code.HISTORY_REWRITTEN,
            message=f"{push.user.username} {what} at {push.at:%Y-%m-%d %H:%M} UTC; what was pushed before still counts",
            fix=f"protect {BRANCHES} against force pushes and deletion: compose-repo setup",
        )


def _descends(after: Sha, before: Sha, parents: Mapping[Sha, tuple[Sha, ...]]) -> bool:
    """Tell whether a commit is another or comes after it; what is not of the line is main's, and is never left out."""
    if before not in parents:
        return True
    seen, waiting = {after}, [after]
    while waiting:
        sha = waiting.pop()
        if sha == before:
            return True
        new = [parent for parent in parents.get(sha, ()) if parent not in seen]
        seen.update(new)
        waiting.extend(new)
    return False


def _removed(path: str, message: str) -> Problem:
    return Problem(
        path=path,
        code=Code.REMOVED_FILE,
        message=message,
        fix="restore the file as it was; report a rerun in a new file",
    )


def _too_many(path: str, what: str) -> Problem:
    return Problem(
        path=path,
        code=Code.TOO_MANY_FILES,
        message=f"the origin reports {what}",
        fix="report fewer or smaller files, with more results in each",
    )
