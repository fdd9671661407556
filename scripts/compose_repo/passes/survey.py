"""What `setup` and `doctor` look at: a project, or the pair of one with the composes and one with the token."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from compose_repo.core.hardening.administration import Administration, ProjectState
from compose_repo.core.hardening.files import CI_FILE
from compose_repo.core.hardening.release import PROJECT_FILE, TAGS, Template, newest_of, require_no_secret, version_in
from compose_repo.core.hardening.rule import GateState, Look, Seen
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.core.rules.policy import Bots
from compose_repo.passes.work import Work, connected
from compose_repo.ports.compose_root import path_in, reading_files
from compose_repo.ports.console import Console
from compose_repo.ports.environment import environment
from compose_repo.ports.git.repository import GitError
from compose_repo.ports.git.tags import release_refs
from compose_repo.ports.gitlab.administration import Administrator, administer
from compose_repo.ports.http import Http, Limits
from compose_repo.ports.resources import version
from compose_repo.reading.loading import load_gate
from compose_repo.reading.mirror import Read

_LIMITS: Final = Limits(timeout=10.0, total=20.0, tries=2)
_MOST: Final = 1 << 20
"""Bytes that are read of an address to see that it can be read."""


class Surveyor:
    """Looks at the project, or at the pair; `gate` is None where one project is both."""

    def __init__(self, work: Work, composes: Administrator, gate: Administrator | None, *, webhook: bool) -> None:
        self._work = work
        self._composes = composes
        self._gate = gate
        self._webhook = webhook
        self._tree = work.world.main()

    def look(self, *, at_streams: bool, template: Template | None = None) -> tuple[Seen, ...]:
        """Read everything; what can be read and yet is wrong is left for the rules to tell."""
        gate = self._gate_state()
        with self._work.console.progress("reading how the project is set up"):
            token = self._composes.token_in_use()
            states = [one.state() for one in (self._composes, self._gate) if one is not None]
        _see_two_projects(states)
        home = states[-1]
        looks = tuple(self._looks(gate)) if at_streams else None
        return tuple(
            Seen(
                project=state,
                composes=state is states[0],
                uses_token=state is home,
                ci_config=f"{CI_FILE}@{home.path}:{home.default_branch}",
                gate=gate,
                token=token,
                now=self.now,
                looks=looks,
                home=home,
                webhook=self._webhook,
                template=template,
            )
            for state in states
        )

    def template(self, address: str | None) -> Template:
        """Read the version on the default branch and, where an address of the template is given, its newest release.

        Raises:
            UsageError: the address has a secret in it.

        """
        known = Template(version=version_in(self._tree.read(PROJECT_FILE)), program=version())
        if not address:
            return known
        require_no_secret(address)
        with self._work.console.progress("reading the template's releases"):
            try:
                newest = newest_of(release_refs(self._work.world.repository, address, TAGS))
            except GitError as error:
                return replace(known, unknown=f"{address} cannot be read: {error}")
        return replace(known, newest=newest, unknown=f"{address} has no tag of the form vX.Y.Z")

    @property
    def now(self) -> dt.datetime:
        """The time as of which is judged."""
        return self._work.world.now

    def administrators(self, seen: tuple[Seen, ...]) -> Mapping[str, Administration]:
        """Give who writes to each project, by its path."""
        ours = [one for one in (self._composes, self._gate) if one is not None]
        return {one.project.path: administrator for one, administrator in zip(seen, ours, strict=True)}

    def _gate_state(self) -> GateState:
        try:
            files = load_gate(self._tree, self.now)
        except InputError as error:
            return GateState(bots=Bots(), origins={}, streams={}, waivers=(), problems=error.problems)
        return GateState(
            bots=files.bots,
            origins=files.origins,
            streams=files.streams,
            waivers=files.waivers,
            holds=files.holds,
            labels=files.labels,
        )

    def _looks(self, gate: GateState) -> Iterator[Look]:
        read = Http(_LIMITS, clock=self._work.console.clock, trace=self._work.console.trace).read
        for stream, entry in gate.streams.items():
            for field, url in entry.addresses:
                with self._work.console.progress(f"reading {url}"):
                    yield Look(stream=stream, field=field, url=url, failure=_failure(read, url))


def _failure(read: Read, url: str) -> str | None:
    """Say why an address cannot be read; one that is too long to be read whole can be."""
    here = path_in(url)
    if here is not None and here.is_dir():
        return None
    try:
        found = reading_files(read)(url, _MOST)
    except InputError as error:
        problem = error.problems[0]
        return None if problem.code == Code.SOURCE_TOO_LARGE else problem.message
    return "nothing exists there" if found is None else None


def _see_two_projects(states: list[ProjectState]) -> None:
    if len({state.path for state in states}) < len(states):
        raise UsageError(f"{states[0].path} is the project with the composes; name another one with --gate-project")


@contextmanager
def surveying(  # noqa: PLR0913  # what a verb is told
    verb: str, repo: Path, console: Console, *, now: dt.datetime | None, gate_project: str | None, webhook: bool
) -> Iterator[Surveyor]:
    """Connect to the project, or to the pair; connections are closed at the end.

    Raises:
        UsageError: the token is none of a Maintainer.

    """
    with ExitStack() as stack:
        work = stack.enter_context(connected(repo, console, now=now))
        names = [None, *([gate_project] if gate_project else [])]
        ours = [
            stack.enter_context(closing(administer(environment(), console.trace, console.clock, name)))
            for name in names
        ]
        for administrator in ours:
            administrator.require_maintainer(verb)
        yield Surveyor(work, ours[0], ours[1] if len(ours) > 1 else None, webhook=webhook)
