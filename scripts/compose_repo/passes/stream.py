"""A pass over one stream: reads what it says of itself, and does step by step what the core has planned."""

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeVar

from compose_repo.core.compose import ComposeId, ComposeIdError, Status
from compose_repo.core.decision import Verdict
from compose_repo.core.escape import terminal
from compose_repo.core.forge import ForgeError, MergeRequest, MergeRequestState, StaleHead
from compose_repo.core.merge_requests import compose_of, is_bots
from compose_repo.core.names import Stream
from compose_repo.core.policy import StreamEntry
from compose_repo.core.problem import InputError, Problem, UsageError
from compose_repo.core.promotion import State, records_of
from compose_repo.core.report import as_line
from compose_repo.core.sync import (
    Carried,
    Do,
    Readiness,
    Step,
    StreamView,
    Why,
    candidates,
    followed,
    has_vanished,
    is_not_yet,
    plan_gated,
    plan_judging,
    plan_opening,
    plan_promoting,
    plan_publishing,
    unseen,
)
from compose_repo.core.sync_report import Outcome, Row, StreamReport
from compose_repo.passes.approve import approve
from compose_repo.passes.jenkins import LIMITS, Poll
from compose_repo.passes.manifest import manifest_of
from compose_repo.passes.merge import PipelineDue, merge
from compose_repo.passes.open import prepare_open
from compose_repo.passes.promote import promote, retract
from compose_repo.ports.compose_root import Root, root_in
from compose_repo.ports.git.repository import GitError
from compose_repo.ports.http import Http
from compose_repo.ports.index import compose_ids
from compose_repo.ports.mirror import Unsettled, published_name
from compose_repo.ports.productmd.reading import identity
from compose_repo.session import Prepared, Session, until_unmoved
from compose_repo.upkeep import find, published

T = TypeVar("T")

FAILURES: Final = (InputError, UsageError, OSError)
"""What stops a step, or the reading of a stream, and nothing else."""
_AGAIN: Final = "the next pass tries again"
_MOST: Final = 4096
"""Bytes of a COMPOSE_ID that are worth reading."""


@dataclass(kw_only=True, slots=True)
class Tools:
    """What the passes over all streams share.

    `opener` acts as the compose bot; without it nothing is opened and no Jenkins is polled, which `jenkins` does.
    `index_http` reads what is asked for only if it is another by now; `http` reads everything else, of which several
    machines may answer for one name.
    """

    work: Session
    opener: Session | None
    http: Http
    index_http: Http
    only: ComposeId | None = None
    jenkins: Http = field(default_factory=lambda: Http(LIMITS))
    recent: Sequence[MergeRequest] | None = field(default=None, init=False)
    poll: Poll = field(init=False)

    def __post_init__(self) -> None:
        """Begin to poll nothing yet."""
        self.poll = Poll(work=self.work, opener=self.opener, http=self.jenkins)

    def look(self) -> None:
        """Read anew what is in GitLab and on main."""
        self.recent = None
        self.work.look(self.only)

    def ours(self, merge_requests: Iterable[MergeRequest]) -> dict[ComposeId, MergeRequest]:
        """Give the composes of those merge requests that the compose bot has opened."""
        bots = self.work.gate_files().bots
        found = {found: line for line in merge_requests if is_bots(line, bots) and (found := compose_of(line))}
        return found if self.only is None else {one: line for one, line in found.items() if one == self.only}

    def recently_closed(self) -> dict[ComposeId, MergeRequest]:
        """Give the composes of the compose bot's newest merge requests that are closed; asked for once."""
        if self.recent is None:
            self.recent = self.work.forge.recent_merge_requests()
        return self.ours(line for line in self.recent if line.state is MergeRequestState.CLOSED)


class StreamPass:
    """A pass over one stream; `entry` is None where gate/streams.toml does not list it: it is judged only."""

    def __init__(self, tools: Tools, stream: Stream, entry: StreamEntry | None) -> None:
        self._tools = tools
        self._work = tools.work
        self._stream = stream
        self._entry = entry
        self._rows: list[Row] = []
        self._problems: list[Problem] = []
        self._places: dict[ComposeId, str] = {}
        self._on_server: frozenset[ComposeId] | None = None
        self._is_whole = True
        self._carried = Carried()
        self._waiting: set[ComposeId] = set()
        self._judged: StreamView | None = None

    @property
    def has_written(self) -> bool:
        """Whether anything has been opened, merged or closed yet."""
        return any(row.actions for row in self._rows) and not self._work.dry_run

    def publish_and_open(self) -> None:
        """Merge what the mirrors carry, close what is overtaken, open what is new."""
        if self._entry is None:
            return
        self._read(self._entry)
        for step in self._of_interest(plan_publishing(self._view(self._entry))):
            self._do(step)
        view = self._view(self._entry)
        for step in self._of_interest(
            plan_opening(view, self._readiness(view), may_open=self._tools.opener is not None)
        ):
            self._do(step)

    def judge_and_gate(self) -> None:
        """Judge what is open; where merging leads to publishing, merge what is satisfied."""
        entry = self._entry or StreamEntry(stream=self._stream, composes=(), published="")
        view = self._judged = self._view(entry)
        gone = {
            row.step.compose_id
            for row in self._rows
            if row.step.do in {Do.MERGE, Do.CLOSE} and row.outcome is not Outcome.FAILED
        }
        for step in self._of_interest(plan_judging(view)):
            if step.compose_id not in gone and not (self._work.dry_run and self._is_to_be_closed(step.compose_id)):
                self._do(step)
        verdicts = self._verdicts()
        for step in self._of_interest(plan_promoting(view, verdicts, self._work.promotions)):
            self._do(step)
        for step in self._of_interest(plan_gated(view, verdicts, self._promoted(view))):
            self._do(step)

    def _verdicts(self) -> dict[ComposeId, Verdict]:
        return {row.step.compose_id: row.verdict for row in self._rows if row.verdict is not None}

    def _promoted(self, view: StreamView) -> frozenset[ComposeId]:
        """Give what was promoted before, or just now."""
        before = {one for one in view.opened if records_of(one, self._work.promotions).state is State.CALLED}
        now = {
            row.step.compose_id for row in self._rows if row.step.do is Do.PROMOTE and row.outcome is Outcome.CHANGED
        }
        return frozenset(before | now)

    def report(self) -> StreamReport:
        """Sum up what was done."""
        return StreamReport(
            stream=self._stream,
            mode=None if self._entry is None else self._entry.mode,
            on_server=None if self._on_server is None else len(self._on_server),
            carried=self._carried.compose_id,
            carried_not_known=self._carried.why_not,
            rows=tuple(self._rows),
            problems=tuple(self._problems),
        )

    # --- reading

    def _read(self, entry: StreamEntry) -> None:
        """Read the index and the mirrors; what cannot be read is a problem of the stream, and stops nothing."""
        self._carried = self._attempted(lambda: self._read_carried(entry)) or Carried(why_not="it could not be read")
        if self._tools.only is None:
            self._read_indexes(entry)
        elif self._tools.only not in self._view(entry).opened | self._view(entry).merged:
            self._on_server = followed({self._tools.only}, entry)
        carried, index = self._carried, self._on_server
        named = carried.why_not or f"the mirrors carry {carried.compose_id or 'nothing'}"
        listed = "" if index is None or self._tools.only else f"{len(index):,} composes on the server; "
        self._tell(f"{self._stream}: {listed}{named}")

    def _read_indexes(self, entry: StreamEntry) -> None:
        """Read each index of the stream; one that cannot be read hides what the others list from nobody."""
        for address in entry.composes:
            ids = self._attempted(partial(self._read_index, entry, address))
            if ids is None:
                self._is_whole = False
                continue
            self._places = dict.fromkeys(ids, address) | self._places
            self._on_server = (self._on_server or frozenset()) | ids

    def _read_index(self, entry: StreamEntry, address: str) -> frozenset[ComposeId]:
        with self._work.console.progress(f"reading {address}"):
            return followed(compose_ids(address, self._tools.index_http.get).ids, entry)

    def _read_carried(self, entry: StreamEntry) -> Carried:
        with self._work.console.progress(f"reading {entry.published}"):
            try:
                name = published_name(entry.published, self._tools.http.read)
            except Unsettled as reason:
                return Carried(why_not=str(reason))
        if name is None:
            return Carried()
        try:
            compose_id = ComposeId.parse(name)
        except ComposeIdError as error:
            raise InputError(_strange(entry, str(error))) from error
        if compose_id.stream != entry.stream:
            raise InputError(_strange(entry, f"the mirrors name {compose_id}, which is none of {entry.stream}"))
        return Carried(compose_id=compose_id)

    def _view(self, entry: StreamEntry) -> StreamView:
        """Put together what is known of the stream now."""
        opened = self._tools.ours(self._work.open_merge_requests())
        view = StreamView(
            entry=entry,
            on_server=self._on_server,
            is_whole=self._is_whole,
            merged=frozenset(one for one in published(self._work.main()) if one.stream == self._stream),
            opened=frozenset(one for one in opened if one.stream == self._stream),
            carried=self._carried,
        )
        return replace(view, closed=self._closed(view))

    def _closed(self, view: StreamView) -> frozenset[ComposeId]:
        """Find what is closed among what could be opened; GitLab is asked only if there is any."""
        carried = view.carried.compose_id
        closed: set[ComposeId] = set()
        if carried is not None and carried not in view.merged | view.opened and self._is_wanted(carried):
            found, _, _ = find(self._work, carried)
            closed |= {carried} if found.ours is not None else set()
        if candidates(view):
            closed |= self._tools.recently_closed().keys()
        return frozenset(one for one in closed if one.stream == self._stream) - view.opened

    def _readiness(self, view: StreamView) -> Readiness:
        """Look at what was never seen, oldest first, until as many are finished as may be opened."""
        readiness: dict[ComposeId, Status | tuple[Problem, ...]] = {}
        for compose_id in unseen(view) if self._tools.opener is not None else ():
            finished = [one for one in readiness.values() if one in view.entry.statuses]
            if len(finished) >= view.entry.open_at_most:
                break
            with self._work.console.progress(f"looking at {compose_id}"):
                readiness[compose_id] = self._status(view.entry, compose_id)
        return readiness

    def _status(self, entry: StreamEntry, compose_id: ComposeId) -> Status | tuple[Problem, ...]:
        root = self._root(entry, compose_id)
        try:
            found, status = identity(root)
            _same_id(root, found, compose_id)
        except InputError as error:
            return error.problems
        return status

    def _root(self, entry: StreamEntry, compose_id: ComposeId) -> Root:
        """Give where a compose is, or, where no index lists it, the first place that has one of its name."""
        place = self._places.get(compose_id)
        roots = [root_in(one, str(compose_id), self._tools.http.read) for one in ([place] if place else entry.composes)]
        return next((root for root in roots[:-1] if root.read("COMPOSE_ID", _MOST) is not None), roots[-1])

    # --- doing

    def _do(self, step: Step) -> None:
        """Do one step, again if somebody moves something meanwhile; what goes wrong is part of the row."""
        sessions = [one for one in (self._work, self._tools.opener) if one is not None]
        before = [len(one.applied) for one in sessions]
        try:
            row = until_unmoved(self._attempt(step), self._work.console)
        except PipelineDue:
            row = self._leave(replace(step, do=Do.LEAVE, why=Why.PIPELINE))
        except FAILURES as error:
            row = self._failed(step, problems_of(error, step.compose_id.folder))
        except Exception as error:  # noqa: BLE001  # our mistake with one compose is no other's: it is told, and goes on
            self._work.console.trace("".join(traceback.format_exception(error)))
            row = self._failed(step, (_mistake(error, step.compose_id),))
        if not self._work.dry_run:
            done = [action for one, start in zip(sessions, before, strict=True) for action in one.applied[start:]]
            row = replace(row, actions=tuple(done))
            if done and row.outcome is Outcome.UNCHANGED:
                row = replace(row, outcome=Outcome.CHANGED)
        self._rows.append(row)
        if row.actions and not self._work.dry_run and step.do in {Do.MERGE, Do.CLOSE}:
            self._attempted(self._tools.look)  # main and the merge requests are others now

    def _attempt(self, step: Step) -> Callable[[], Row]:
        """Give a way to try a step, each time but the first on what is read anew."""
        tries = iter((False,))

        def attempt() -> Row:
            if next(tries, True):
                self._tools.look()
            return self._act(step)

        return attempt

    def _act(self, step: Step) -> Row:
        match step.do:
            case Do.LEAVE:
                return self._leave(step)
            case Do.OPEN:
                return self._open(step)
            case Do.JUDGE:
                return self._judge(step)
            case Do.MERGE | Do.CLOSE:
                return self._merge(step)
            case Do.PROMOTE | Do.RETRACT:
                return self._promote(step)

    def _leave(self, step: Step) -> Row:
        """Say why a compose is left; what is wrong with it for good is a failure."""
        good = is_not_yet(step.problems)
        self._tell(f"{step.compose_id}: left: {step.reason}")
        return Row(step=step, outcome=Outcome.LEFT if good else Outcome.FAILED, problems=step.problems)

    def _open(self, step: Step) -> Row:
        opener, entry = self._tools.opener, self._entry
        if opener is None or entry is None:
            return self._leave(replace(step, do=Do.LEAVE, why=Why.NO_OPENER))
        root = self._root(entry, step.compose_id)
        with self._work.console.progress(f"reading {root.location}"):
            manifest = manifest_of(root, location=None, console=self._work.console)
        _same_id(root, manifest.compose_id, step.compose_id)
        row = self._carried_out(step, opener, prepare_open(opener, manifest))
        if self._work.dry_run:
            self._waiting.add(step.compose_id)
        return row

    def _judge(self, step: Step) -> Row:
        def vanished(results: int) -> bool | None:
            view = self._judged
            return None if view is None else has_vanished(step.compose_id, view, results=results)

        prepared, judgement = approve(
            self._work,
            step.compose_id,
            vanished,
            lambda merge_request, judgement: self._tools.poll.add(step.compose_id, merge_request, judgement),
        )
        decision = judgement.decision
        about = f"{step.compose_id}: {decision.verdict}: {decision.summary}"
        return replace(
            self._carried_out(step, self._work, prepared, about),
            verdict=decision.verdict,
            summary=decision.summary,
            vanished=vanished(judgement.results) is True,
        )

    def _merge(self, step: Step) -> Row:
        if step.compose_id in self._waiting:  # a dry run opens nothing
            self._tell(f"{step.compose_id}: merge: {step.reason}")
            return Row(step=step, outcome=Outcome.CHANGED)
        return self._carried_out(step, self._work, merge(self._work, step.compose_id, lambda _: None))

    def _promote(self, step: Step) -> Row:
        hook, verdict = None if self._entry is None else self._entry.promote, self._verdicts().get(step.compose_id)
        if hook is None or verdict is None:
            raise AssertionError("what is promoted has a hook and was judged")
        if step.do is Do.RETRACT:
            return self._carried_out(step, self._work, retract(self._work, step.compose_id, verdict))
        return self._carried_out(step, self._work, promote(self._work, step.compose_id, hook))

    def _carried_out(self, step: Step, session: Session, prepared: Prepared, about: str = "") -> Row:
        """Print what is to be written, write it, and say so."""
        if prepared.plan:
            self._tell(about or f"{step.compose_id}: {step.do}: {step.reason}")
            if not self._work.as_json:
                session.show_actions(prepared.plan)
        session.carry_out(prepared)
        return Row(
            step=step,
            outcome=Outcome.CHANGED if prepared.plan else Outcome.UNCHANGED,
            actions=prepared.plan,
            merge_request=prepared.merge_request,
        )

    def _failed(self, step: Step, problems: tuple[Problem, ...]) -> Row:
        """Tell of a step that failed. A compose that is only not there yet is left, unless the mirrors carry it."""
        later = is_not_yet(problems) and step.why is Why.FIRST_SEEN
        outcome = Outcome.LEFT if later else Outcome.FAILED
        self._tell(f"{step.compose_id}: {step.do}: {outcome}")
        for problem in problems:
            self._work.console.error(as_line(problem))
        return Row(step=step, outcome=outcome, problems=problems)

    # --- helpers

    def _is_wanted(self, compose_id: ComposeId) -> bool:
        return self._tools.only is None or compose_id == self._tools.only

    def _of_interest(self, steps: Iterable[Step]) -> list[Step]:
        return [step for step in steps if self._is_wanted(step.compose_id)]

    def _is_to_be_closed(self, compose_id: ComposeId) -> bool:
        """Tell whether a dry run has said already what becomes of a compose."""
        merged = [row.step.compose_id for row in self._rows if row.step.do in {Do.MERGE, Do.CLOSE}]
        return any(compose_id < one for one in merged)

    def _attempted(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except FAILURES as error:
            problems = problems_of(error, self._stream)
            self._problems += problems
            for problem in problems:
                self._work.console.error(as_line(problem))
            return None

    def _tell(self, text: str) -> None:
        if not self._work.as_json:
            self._work.console.out(terminal(text))


def problems_of(error: Exception, where: str) -> tuple[Problem, ...]:
    """Give what went wrong, under a code."""
    match error:
        case InputError():
            return error.problems
        case StaleHead():
            code = "head-moving"
        case ForgeError():
            code = "gitlab-failed"
        case GitError():
            code = "git-failed"
        case _:
            code = "not-done"
    return (Problem(path=where, code=code, message=str(error), fix=_AGAIN),)


def _mistake(error: Exception, compose_id: ComposeId) -> Problem:
    return Problem(
        path=compose_id.folder,
        code="internal-error",
        message=f"{type(error).__name__}: {error}",
        fix="this is our mistake: please report it with what the same command says under --verbose",
    )


def _same_id(root: Root, found: ComposeId, asked: ComposeId) -> None:
    if found != asked:
        raise InputError(
            Problem(
                path=f"{root.location}/COMPOSE_ID",
                code="compose-id-mismatch",
                message=f"the folder of {asked} holds {found}",
                fix="tell the server's keepers",
            )
        )


def _strange(entry: StreamEntry, message: str) -> Problem:
    return Problem(
        path=entry.published,
        code="published-unknown",
        message=message,
        fix="look what the mirrors carry; mend the address in gate/streams.toml",
    )
