"""From a merge request's commits to the files that count: GitLab says who pushed, git what, and the core judges."""

import datetime as dt
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from compose_repo.core.branch.attribution import UNSIGNED, attribute, in_order, refusal, wants_signature
from compose_repo.core.branch.commit import Commit, Content
from compose_repo.core.branch.history import (
    Line,
    Pushed,
    below_restoring,
    foreign_manifest,
    gone_from_head,
    lost_history,
    opened_with,
    read_line,
    read_unattributed,
    still_true,
    within_bytes,
)
from compose_repo.core.branch.signing import COMMIT_BYTES, TOO_LARGE
from compose_repo.core.branch.touch import Attributed, Touched, reported, taken_back
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.forge import MergeRequest, Push
from compose_repo.core.forge.merge_requests import compose_of
from compose_repo.core.names import Origin, Sha
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.rules.policy import Bots, OriginEntry
from compose_repo.ports.clock import Clock
from compose_repo.ports.git.history import changed_since, commits_after, commits_since
from compose_repo.ports.git.objects import Blobs, VersionTree
from compose_repo.ports.git.repository import GitError, Repository
from compose_repo.ports.retry import Backoff, Retry
from compose_repo.ports.signatures import Signatures
from compose_repo.reading.inspection import Inspector
from compose_repo.reading.judging import Branch
from compose_repo.reading.loading import GateFiles

UNTIL_PUSHES_SHOW: Final = Backoff(first=1.0, tries=4)
"""How to wait, in all passes together, for GitLab to say who has pushed: it writes that down a moment later."""
_DAYS: Final = dt.timedelta(days=2)
"""How long before its merge request and before its own day a compose may have been pushed."""


class Reading(Struct, frozen=True, kw_only=True):
    """A compose's branch as GitLab tells of it, and what its head would bring to main.

    `pushed_at` is when the branch was last pushed to by anybody but the gate bot, and `below` what stands below the
    gate bot's restoring commits: the head itself, nearly always.
    """

    branch: Branch
    brings: Mapping[str, Content]
    pushed_at: dt.datetime | None
    below: Sha


def commit_problems(
    repository: Repository, compose_id: ComposeId, *, base: str, head: str, inspector: Inspector
) -> list[Problem]:
    """Judge every commit between two as far as it goes without asking GitLab who has pushed it.

    Files that are not at the head any more are inspected where the commits have them.
    """
    found = read_unattributed(compose_id, commits_since(repository, base, [head]))
    gone = {problem.path for problem in found.problems if problem.code == Code.REMOVED_FILE}
    blobs = Blobs(repository)
    sizes = blobs.sizes(version.blob for version in found.results if version.path in gone)
    tree = VersionTree(blobs, [version for version in found.results if version.path in gone], sizes)
    refused = {entry.path for entry in tree.list("") if inspector.inspect_from(tree, entry).problems}
    return still_true(found.problems, refused, taken_back(found.touched))


def unattributed(
    repository: Repository,
    compose_id: ComposeId,
    *,
    base: str,
    heads: Sequence[str],
    origins: Collection[Origin],
) -> Branch:
    """Read the commits that some heads have and a base has not, without asking GitLab who has pushed them.

    Folders are believed: what is changed below an origin's, the origin has changed. Times are those of the commits.
    """
    commits = commits_since(repository, base, heads)
    found = read_unattributed(compose_id, commits, origins)
    opened = opened_with(compose_id, commits)
    blobs = Blobs(repository)
    sizes = blobs.sizes(version.blob for version in (*opened, *found.results))
    kept, too_large = within_bytes(found.results, sizes)
    files = (*opened, *kept)
    return Branch(
        tree=VersionTree(blobs, files, sizes),
        files=files,
        problems=(*found.problems, *_standing(too_large, found.touched)),
        touched=found.touched,
        opened_at=None if found.opening is None else found.opening.date,
    )


def _standing(problems: Iterable[Problem], touched: Touched) -> list[Problem]:
    """Leave out the problems of files that their origin has taken back."""
    back = taken_back(touched)
    return [problem for problem in problems if problem.path not in back]


class PushLog:
    """Asks GitLab for the pushes of all branches at once; again if a branch is asked for a second time.

    Whoever asks twice has seen that something is missing, or that something has moved. `read` gives every push since a
    day, oldest first.
    """

    def __init__(self, read: Callable[[dt.date], Sequence[Push]]) -> None:
        self._read = read
        self._expected: dt.date | None = None
        self._known: tuple[dt.date, Sequence[Push]] | None = None
        self._asked: set[str] = set()

    def expect(self, since: dt.date | None) -> None:
        """Say how far back will be asked, and forget what is known."""
        self._expected, self._known = since, None

    def of(self, branch: str, since: dt.date) -> Sequence[Push]:
        """Give every push to a branch since that day, oldest first; older ones may be among them."""
        if self._known is None or branch in self._asked or self._known[0] > since:
            asked = since if self._expected is None else min(since, self._expected)
            self._known = asked, self._read(asked)
            self._asked.clear()
        self._asked.add(branch)
        return [push for push in self._known[1] if push.branch == branch]


def since_of(merge_requests: Iterable[MergeRequest]) -> dt.date | None:
    """Give the day since which the pushes of all these composes are asked for; None if there are no composes."""
    composes = [(compose_id, line.created_at) for line in merge_requests if (compose_id := compose_of(line))]
    return min((_since(compose_id, opened_at) for compose_id, opened_at in composes), default=None)


def _since(compose_id: ComposeId, opened_at: dt.datetime) -> dt.date:
    return (min(dt.datetime.combine(compose_id.date, dt.time(), dt.UTC), opened_at) - _DAYS).date()


class LineReader:
    """Reads lines of one project into one repository.

    `pushes` asks GitLab for a branch's pushes since a day; `fetch` brings commits by their ids and raises `GitError`
    where the server has not got them any more.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        pushes: Callable[[str, dt.date], Sequence[Push]],
        fetch: Callable[[Sha], None],
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._pushes = pushes
        self._fetch = fetch
        self._clock = clock
        self._retry = Retry(UNTIL_PUSHES_SHOW, clock)

    def read(
        self, compose_id: ComposeId, opened_at: dt.datetime, *, main: Sha, head: Sha, gate_files: GateFiles
    ) -> Reading:
        """Judge every commit since main of a merge request that was opened at some time.

        Raises:
            InputError: the compose bot has not opened it, or a part of its history is lost.
            ForgeError: GitLab cannot be asked.

        """
        bots = gate_files.bots
        commits, pushed = self._pushed(compose_id, opened_at, main, head, bots)
        attributed = self._attributed(compose_id, commits, pushed, gate_files)
        line = read_line(compose_id, commits, pushed=pushed, attributed=attributed, bots=bots)
        if line is None:
            raise InputError(foreign_manifest(compose_id, bots))
        brings = changed_since(self._repository, main, head)
        blobs = Blobs(self._repository)
        sizes = blobs.sizes(version.blob for version in line.counted)
        results, too_large = within_bytes(line.results, sizes)
        problems = [*line.problems, *_standing(too_large, line.touched)]
        problems += gone_from_head(line, self._since_opening(line, head, brings), problems)
        opened = [line.manifest] if line.readme is None else [line.manifest, line.readme]
        files = (*opened, *results)
        tree = VersionTree(blobs, files, sizes)
        return Reading(
            branch=Branch(
                tree=tree,
                files=files,
                problems=tuple(problems),
                touched=line.touched,
                opened_at=line.opening.at,
            ),
            brings=brings,
            pushed_at=max((push.at for push in pushed.pushes if not push.user.is_called(bots.gate)), default=None),
            below=below_restoring(head, commits, pushed, bots),
        )

    def _pushed(
        self, compose_id: ComposeId, opened_at: dt.datetime, main: Sha, head: Sha, bots: Bots
    ) -> tuple[list[Commit], Pushed]:
        """Read the commits, those of pushes that were thrown away too, and who has pushed each of them.

        Whoever merges this line into another that comes to main makes it a part of main: what the compose bot has
        opened is read from there on all the same.
        """
        since = _since(compose_id, opened_at)
        while True:
            pushes = in_order(self._pushes(compose_id.branch, since))
            commits = commits_since(self._repository, main, [head])
            elsewhere = self._elsewhere(compose_id, pushes, {commit.sha for commit in commits})
            if elsewhere:
                commits = commits_since(self._repository, main, [head, *elsewhere])
                commits = [*self._swallowed(pushes, commits, [head, *elsewhere], bots), *commits]
            of = attribute([(commit.sha, commit.parents) for commit in commits], pushes)
            if not commits or head in of or not self._retry.again():
                return commits, Pushed(pushes=pushes, of=of)

    def _swallowed(
        self, pushes: Sequence[Push], commits: Sequence[Commit], heads: Sequence[Sha], bots: Bots
    ) -> Iterator[Commit]:
        """Give what is a part of main by now, from each commit on with which the compose bot has made the branch."""
        known = {commit.sha for commit in commits}
        for push in pushes:
            opening = push.after if push.before is None and push.user.is_called(bots.compose) else None
            if opening is None or opening in known:
                continue
            for commit in commits_after(self._repository, opening, heads):
                if commit.sha not in known:
                    known.add(commit.sha)
                    yield commit

    def _since_opening(self, line: Line, head: Sha, brings: Mapping[str, Content]) -> Mapping[str, Content]:
        """Give what a head has changed since it was opened; what main has swallowed of that, it does not bring."""
        if line.manifest.path in brings:
            return brings
        return changed_since(self._repository, f"{line.manifest.commit}^", head)

    def _elsewhere(self, compose_id: ComposeId, pushes: Sequence[Push], line: Container[Sha]) -> list[Sha]:
        """Give what was pushed, or stood there before, and is not on the line: nobody takes a result back so.

        It is fetched where it must be.
        """
        told = [(sha, push) for push in pushes for sha in (push.before, push.after)]
        outside = {sha: push for sha, push in told if sha is not None and sha not in line}
        absent = Blobs(self._repository).missing(outside)
        for sha, push in outside.items():
            if sha in absent:
                try:
                    self._fetch(sha)
                except GitError as error:
                    raise InputError(lost_history(compose_id, sha, push)) from error
        return list(outside)

    def _attributed(
        self, compose_id: ComposeId, commits: Sequence[Commit], pushed: Pushed, gate_files: GateFiles
    ) -> Attributed:
        """Say of each origin and commit whether the one has reported by the other, and why not."""
        asked = reported(compose_id, commits, gate_files.origins)
        bots = gate_files.bots
        carrier = bots.compose
        unsigned = self._unsigned(asked, pushed, gate_files.origins, carrier)
        refused: dict[tuple[Origin, Sha], str] = {}
        for origin, sha in asked:
            entry = gate_files.origins.get(origin)
            reason = (
                f"gate/origins.toml does not list {origin}"
                if entry is None
                else refusal(entry, pushed.of.get(sha), unsigned.get((origin, sha), UNSIGNED), carrier)
            )
            if reason is not None:
                refused[origin, sha] = reason
        owned = {
            (origin, sha)
            for origin, sha in asked
            if (origin, sha) not in refused and not any(pushed.is_by(sha, bot) for bot in (bots.compose, bots.gate))
        }
        return Attributed(refusals=refused, owned=owned, origins=gate_files.origins.keys())

    def _unsigned(
        self, asked: Sequence[tuple[Origin, Sha]], pushed: Pushed, origins: Mapping[Origin, OriginEntry], carrier: str
    ) -> dict[tuple[Origin, Sha], str | None]:
        """Say what is wrong with each signature that decides, None if nothing is."""
        deciding = [
            (entry, sha, push)
            for origin, sha in asked
            if (entry := origins.get(origin)) and (push := pushed.of.get(sha)) and wants_signature(entry, push, carrier)
        ]
        blobs = Blobs(self._repository)
        sizes = blobs.sizes(sha for _, sha, _ in deciding)
        with Signatures(self._repository.trace, self._clock) as signatures:
            return {
                (entry.origin, sha): (
                    signatures.refusal(sha, blobs.read(sha), entry, push.at)
                    if sizes[sha] <= COMMIT_BYTES
                    else TOO_LARGE
                )
                for entry, sha, push in deciding
            }
