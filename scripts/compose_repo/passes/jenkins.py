"""Polls the jobs of a Jenkins that report for origins, and adds what is new to the composes' branches.

Nothing is remembered between passes: what has been written down is found on the branch. Whatever is wrong with a
Jenkins is told, and stops nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.convert.jenkins_job import (
    BUILD_BYTES,
    LISTING_BYTES,
    MOST_FILES,
    Known,
    Listed,
    as_listed,
    build_url,
    elsewhere,
    has_report,
    is_known,
    known_of,
    listing_url,
    named,
    news,
    not_a_job,
    read_build,
    read_listing,
    report_url,
    result_file,
    server_of,
    slow,
    too_many,
)
from compose_repo.core.documents.limits import FOREIGN_BYTES
from compose_repo.core.forge.action import File
from compose_repo.core.forge.bots import Bot
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState
from compose_repo.core.links import authority_of
from compose_repo.core.names import Origin
from compose_repo.core.plan.plan import plan_add
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.core.problems.report import as_line
from compose_repo.core.result import ResultFile
from compose_repo.core.rules.policy import JenkinsJob
from compose_repo.passes.judge import Judgement
from compose_repo.passes.loop import Stage
from compose_repo.passes.work import Work
from compose_repo.ports.git.objects import Blobs, GitTree
from compose_repo.ports.http import Http, Limits
from compose_repo.reading.converting import checked
from compose_repo.words import wording

T = TypeVar("T")

LIMITS: Final = Limits(timeout=10.0, total=30.0, tries=3)
"""A Jenkins is not waited for as long as a compose server: everything else waits behind it."""
MOST_READ: Final = 50
"""How many builds of a job are written down for one compose in one pass; the rest comes with the next pass."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""About how many bytes of a job one commit adds; the rest comes with the next pass."""
SECONDS: Final = 300.0
"""About how long a pass reads every Jenkins in all; the rest comes with the next pass."""
SECONDS_OF_ONE: Final = 100.0
"""About how long it reads one of them, so that one that is slow leaves time for the others."""
_AWAY: Final = frozenset({Code.SOURCE_STATUS, Code.SOURCE_TIMEOUT, Code.SOURCE_UNREACHABLE, Code.SOURCE_TLS})


class _Place(Struct, frozen=True, kw_only=True):
    """A compose's branch as it was judged, the folder of an origin there, and the job that reports for it."""

    compose_id: ComposeId
    judgement: Judgement
    origin: Origin
    job: JenkinsJob


@dataclass(kw_only=True, slots=True)
class Poll:
    """What one pass knows of the jobs; each is asked once for its builds, and nothing more once it is away.

    `_spent` is how many seconds have gone by with each server.
    """

    work: Work
    opener: Work | None
    http: Http
    problems: list[Problem] = field(default_factory=list)
    _spent: dict[str, float] = field(default_factory=dict)
    _listings: dict[str, list[Listed]] = field(default_factory=dict)
    _away: set[str] = field(default_factory=set)
    _added: set[ComposeId] = field(default_factory=set)
    _tried: set[tuple[ComposeId, str, Listed]] = field(default_factory=set)

    def has_news(self, compose_id: ComposeId, merge_request: MergeRequest, judgement: Judgement) -> bool:
        """Tell whether a job has built something of a compose that its branch has not got; nothing is written yet."""
        if merge_request.state is not MergeRequestState.OPENED or self.opener is None:
            return False
        places = self._places(compose_id, judgement)
        return any([bool(self._listed(place)[0]) for place in places])  # noqa: C419  # each is read, and told of

    def _places(self, compose_id: ComposeId, judgement: Judgement) -> list[_Place]:
        return [
            _Place(compose_id=compose_id, judgement=judgement, origin=origin, job=job)
            for origin, entry in judgement.gate_files.origins.items()
            for job in entry.jenkins
        ]

    def arriving(self, compose_id: ComposeId, merge_request: MergeRequest, judgement: Judgement) -> Stage | None:
        """Plan to add what is new of a compose to its branch, by one commit in a pass; None if nothing is."""
        if merge_request.state is not MergeRequestState.OPENED or self.opener is None or compose_id in self._added:
            return None
        new = [row for place in self._places(compose_id, judgement) for row in self._new(place)]
        if not new:
            return None
        files = [File(path=file.path, content=data) for file, data in new]
        plan = plan_add(compose_id.branch, files, {}, message=wording.jenkins_commit([file for file, _ in new]))
        try:
            self.opener.world.require(Bot.COMPOSE)
        except (UsageError, OSError) as error:
            self._is_not_written(compose_id, merge_request, error)
            return None
        self._added.add(compose_id)
        return Stage(
            compose_id=compose_id,
            plan=plan,
            merge_request=merge_request,
            writer=self.opener.writer,
            or_else=lambda error: self._is_not_written(compose_id, merge_request, error),
        )

    def _is_not_written(self, compose_id: ComposeId, merge_request: MergeRequest, error: Exception) -> None:
        """Tell that it cannot be written; that stops nothing else.

        Raises:
            StaleHead: somebody has pushed meanwhile, a pass beside this one perhaps, which has added the same.

        """
        self._tried.clear()
        self._added.discard(compose_id)
        self.work.world.require_unmoved(merge_request)
        self._added.add(compose_id)
        again = "the next run tries again"
        self._tell(Problem(path=merge_request.source_branch, code=Code.NOT_DONE, message=str(error), fix=again))

    def _listed(self, place: _Place) -> tuple[list[Listed], set[Known]]:
        """List what a job has built of a compose that its branch has not got, and what it has got."""
        job, builds = place.job, self._builds(place.job)
        if not any(str(place.compose_id) in build.composes for build in builds):
            return [], set()
        files = [file.blob for file in place.judgement.counted if file.origin == place.origin]
        blobs = Blobs(self.work.world.repository)
        known = {found for blob in files if (found := known_of(blobs.read(blob))) is not None}
        new, unclear = news(job, builds, str(place.compose_id), known)
        for problem in unclear:
            self._tell(problem)
        if new and len(files) >= MOST_FILES:
            self._tell(too_many(job, place.origin))
            return [], known
        return new, known

    def _new(self, place: _Place) -> Iterator[tuple[ResultFile, bytes]]:
        """Read what a job has built of a compose that its branch has not got, until it is enough for one commit.

        Chance says where is begun: a build that stops the reading in each pass hides none for good.
        """
        new, known = self._listed(place)
        size, written, start = 0, 0, int(self.work.console.clock.chance() * len(new))
        for listed in new[start:] + new[:start]:
            if size > MOST_BYTES or written >= MOST_READ:
                return
            made = self._attempted(place, listed, known)
            if made is not None:
                size, written = size + len(made[1]), written + 1
                yield made

    def _attempted(self, place: _Place, listed: Listed, known: set[Known]) -> tuple[ResultFile, bytes] | None:
        """Read one build, once in a run; report its problems."""
        job = place.job
        is_tried = (place.compose_id, job.address, listed) in self._tried
        if is_tried or job.address in self._away or not self._has_time(job):
            return None
        self._tried.add((place.compose_id, job.address, listed))
        return self._told(job, lambda: self._read(place, listed, known))

    def _read(self, place: _Place, listed: Listed, known: set[Known]) -> tuple[ResultFile, bytes] | None:
        job = place.job
        with self.work.console.progress(f"reading {job.address}/{listed.number}"):
            found = self._get(job, build_url(job, listed.number), BUILD_BYTES)
            if found is None:
                return None  # it has been deleted since it was listed
            document = read_build(found, job, listed)
            if is_known(job, as_listed(document, listed), known):
                return None
            report = self._get(job, report_url(job, listed.number), FOREIGN_BYTES) if has_report(document) else None
        manifest = self._manifest(place)
        file = result_file(
            job,
            document,
            report,
            compose_id=str(place.compose_id),
            manifest_sha256=place.judgement.decision.manifest_sha256,
            origin=place.origin,
        )
        file = named(file, self._taken(file.path, place.judgement), place.judgement.head)
        return file, checked(file, manifest, self.work.world.now)

    def _builds(self, job: JenkinsJob) -> list[Listed]:
        """List a job's builds, once in a pass; none where it cannot be read."""
        if job.address not in self._listings:
            if not self._has_time(job):
                return []
            with self.work.console.progress(f"reading {job.address}"):
                self._listings[job.address] = self._told(job, lambda: self._listing(job)) or []
        return self._listings[job.address]

    def _listing(self, job: JenkinsJob) -> list[Listed]:
        data = self._get(job, listing_url(job), LISTING_BYTES)
        if data is None:
            raise InputError(not_a_job(job, "there is no such job, or not everybody may read it"))
        builds, problems = read_listing(data, job)
        for problem in problems:
            self._tell(problem)
        return builds

    def _get(self, job: JenkinsJob, url: str, limit: int) -> bytes | None:
        """Read a document of a job's own server.

        Raises:
            InputError: it cannot be read, or lies elsewhere.

        """
        clock = self.work.console.clock
        began = clock.monotonic()
        try:
            document = self.http.get(url, limit)
        finally:
            server = server_of(job)
            self._spent[server] = self._spent.get(server, 0.0) + clock.monotonic() - began
        if document is None:
            return None
        if authority_of(document.url) != authority_of(url):
            raise InputError(elsewhere(job, url.partition("?")[0]))
        return document.body

    def _has_time(self, job: JenkinsJob) -> bool:
        """Tell whether a pass still has time for a job's server; if not, say so."""
        if self._spent.get(server_of(job), 0.0) >= SECONDS_OF_ONE:
            self._tell(slow(job, SECONDS_OF_ONE, of_all=False))
            return False
        if sum(self._spent.values()) >= SECONDS:
            self._tell(slow(job, SECONDS, of_all=True))
            return False
        return True

    def _manifest(self, place: _Place) -> bytes:
        path = place.compose_id.manifest_path
        blob = next(version.blob for version in place.judgement.counted if version.path == path)
        return Blobs(self.work.world.repository).read(blob)

    def _taken(self, path: str, judgement: Judgement) -> list[str]:
        """Return what is in a file's folder at the head, no matter who put it there."""
        tree = GitTree(self.work.world.repository, judgement.head)
        return [entry.path for entry in tree.list(path.rpartition("/")[0])]

    def _told(self, job: JenkinsJob, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InputError as error:
            for problem in error.problems:
                self._tell(problem)
                if problem.code in _AWAY:
                    self._away.add(job.address)
            return None

    def _tell(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            self.work.console.error(as_line(problem))
