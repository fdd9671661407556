"""Listens to the message bus: what a message asks for, done in GitLab.

A message is a hint. Of a compose that is said to have finished, the pass looks for itself whether it has. A report of a
test becomes a file that the compose bot commits on its origin's behalf; what it says is the origin's own word, and who
may say it is the bus's matter. Either way the pass then brings the compose up to date, and if its verdict has changed,
the bus is told.

`compose-repo listen` runs `Listener`; so does
`fedora-messaging consume --callback compose_repo.passes.listening:Listener`.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.bus.announcement import change_of, plan_announced
from compose_repo.core.bus.event import (
    ComposeFinished,
    Event,
    Message,
    Nothing,
    TestReported,
    compose_named,
    event_of,
)
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.convert.bus import bytes_of, origin_of, result_file
from compose_repo.core.escape import terminal
from compose_repo.core.forge.action import File, Plan
from compose_repo.core.forge.bots import Bot
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState
from compose_repo.core.names import Origin
from compose_repo.core.plan.plan import our_notes, plan_add
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.core.streams.sync import Do, Why
from compose_repo.core.streams.sync_report import Outcome, Row, SyncReport
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes.judge import Judgement
from compose_repo.passes.loop import Stage, carry_out
from compose_repo.passes.sync import sync
from compose_repo.passes.tools import Tools
from compose_repo.passes.upkeep import find
from compose_repo.passes.work import Work, connected, opener_beside
from compose_repo.ports.bus.consumer import Away, Callback, Later, PublishError, repeat
from compose_repo.ports.bus.settings import Settings, settings
from compose_repo.ports.console import Console
from compose_repo.ports.git.objects import Blobs
from compose_repo.ports.gitlab.pace import Paces
from compose_repo.ports.http import Document, Http, limits, patience
from compose_repo.reading.converting import checked
from compose_repo.words import wording


class Listener:
    """What fedora-messaging calls with each message."""

    def __init__(self, console: Console | None = None, repo: Path | None = None) -> None:
        told = settings()
        self._handler = Handler(told, console or Console(), told.repo or repo or Path())
        aside = self._handler.console
        self._callback = Callback(self._handler.handle, told, tell=aside.error, trace=aside.trace, clock=aside.clock)
        if told.pass_every:
            repeat(told.pass_every, self._handler.look_at_all, tell=self._handler.console.error)

    @property
    def callback(self) -> Callback:
        """The callback itself, which knows when it is to stop."""
        return self._callback

    def require_accounts(self) -> None:
        """Look at GitLab before anything is taken from the bus.

        Raises:
            UsageError: it cannot be reached, an account is not what it should be, or the rules have problems.

        """
        self._handler.require_accounts()

    def __call__(self, message: object) -> None:
        """Handle one message of fedora-messaging's."""
        self._callback(message)  # type: ignore[arg-type]  # its class is for the port to know


class _Accounts(Struct, frozen=True, kw_only=True):
    """Two accounts at work on one project: the gate bot judges and announces, the compose bot opens and adds files."""

    gate: Work
    opener: Work


class Handler:
    """Does what messages ask for. Each message is handled anew: nothing is remembered outside git and GitLab.

    But how much was asked in the last minute: GitLab's limits count on from one message to the next.
    """

    def __init__(self, told: Settings, console: Console, repo: Path) -> None:
        self.console = console
        self._told = told
        self._repo = repo
        self._paces = Paces(console.clock)
        self._one_at_a_time = threading.Lock()
        self._indexes: dict[str, Document] = {}
        """What compose servers have listed, to be asked for only if it is another by now."""

    def require_accounts(self) -> None:
        """Connect, and let go again.

        Raises:
            UsageError: that does not work.

        """
        try:
            with self._accounts():
                pass
        except Later as error:
            raise UsageError(str(error)) from error

    def look_at_all(self) -> None:
        """Run the pass over every compose, and tell the bus of each change that was made without a message.

        Raises:
            Later: it could not be done.

        """
        with self._one_at_a_time, self._accounts() as accounts:
            self._bring_up_to_date(accounts, None, with_stream=True)

    def handle(self, message: Message) -> None:
        """Do what a message asks for.

        Raises:
            InputError: it cannot be used, now or later.
            Later: it may be later.

        """
        event: Event | InputError
        try:
            event = event_of(message, self._told.status_topics)
        except InputError as error:
            event = error
        if isinstance(event, Nothing):
            self.console.trace(f"{message.name} on {message.topic}: {event.why}")
            return
        compose_id = compose_named(message, self._told.status_topics)
        if compose_id is None and isinstance(event, InputError):
            raise event
        with self._one_at_a_time, self._accounts() as accounts:
            followed = accounts.gate.world.gate_files().streams
            if compose_id is None or compose_id.stream not in followed:
                self.console.trace(
                    f"{message.name} on {message.topic}: gate/streams.toml does not list the stream of {compose_id}"
                )
            elif isinstance(event, InputError):
                raise event
            elif isinstance(event, ComposeFinished):
                self.console.info(f"{event.compose_id} has the status {event.status}, says the bus")
                self._bring_up_to_date(accounts, event.compose_id, with_stream=True)
            elif self._write_down(message, event, accounts):
                self._bring_up_to_date(accounts, event.compose_id, with_stream=False)

    def _write_down(self, message: Message, report: TestReported, accounts: _Accounts) -> bool:
        """Add a report to its compose's branch; False if nobody waits for it any more."""
        work = accounts.gate
        origin = origin_of(message, report, work.world.gate_files().origins)
        writing = _Writing(message=message, report=report, origin=origin, accounts=accounts)
        with _passing(besides=writing.refusals):
            stage = carry_out(work, writing.next_stage, partial(_say, work.console))
        if stage.merge_request is not None and stage.merge_request.state is not MergeRequestState.OPENED:
            self.console.info(stage.idle)
            return False
        return True

    def _bring_up_to_date(self, accounts: _Accounts, compose_id: ComposeId | None, *, with_stream: bool) -> None:
        """Run the pass for one compose, or for all of them, and tell the bus of what has changed.

        What is wrong with its stream alone matters `with_stream` only: a result is judged without.
        """
        clock, trace = self.console.clock, self.console.trace
        patient = patience(clock)
        with _passing():
            report = sync(
                Tools(
                    work=accounts.gate,
                    opener=accounts.opener,
                    http=Http(limits(), clock=clock, patience=patient, trace=trace),
                    index_http=Http(limits(), clock=clock, cache=self._indexes, patience=patient, trace=trace),
                    only=compose_id,
                )
            )
        self.console.info(report.summary)
        with _passing():
            if self._told.publish:
                _tell_of_changes(accounts.gate, report)
            _must_have_worked(report, with_stream=with_stream)

    @contextmanager
    def _accounts(self) -> Iterator[_Accounts]:
        """Connect both accounts.

        Raises:
            Away: GitLab cannot be reached, an account is not what it should be, or the rules have problems.

        """
        with ExitStack() as stack:
            with _passing(Away):
                work = stack.enter_context(connected(self._repo, self.console, paces=self._paces))
                opener = stack.enter_context(opener_beside(work))
                if opener is None:
                    raise UsageError("COMPOSE_REPO_OPENER_TOKEN is not set: it is the compose bot's token")
                work.world.require(Bot.GATE)
                opener.world.require(Bot.COMPOSE)
                work.world.gate_files()
            yield _Accounts(gate=work, opener=opener)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Writing:
    """Writes a report down, as a file on its compose's branch; `refusals` are what is wrong with the report itself."""

    message: Message
    report: TestReported
    origin: Origin
    accounts: _Accounts
    refusals: list[Exception] = field(default_factory=list)

    def next_stage(self) -> Stage:
        """Plan to add the file; nothing where it is there, or where nobody waits for it any more.

        Raises:
            Later: there is no merge request yet, or it is being merged.
            InputError: the report cannot be used, now or later.

        """
        compose_id, work = self.report.compose_id, self.accounts.gate
        merge_request = _merge_request(work, compose_id)
        idle = f"{self.message.name}: !{merge_request.iid} of {compose_id} is {merge_request.state}"
        stage = Stage(compose_id=compose_id, idle=idle, merge_request=merge_request, writer=self.accounts.opener.writer)
        if merge_request.state is not MergeRequestState.OPENED:
            return stage
        judgement = work.judge(compose_id, merge_request)
        manifest = _manifest(work, compose_id, judgement)
        try:
            return replace(stage, plan=self._plan(judgement, manifest))
        except InputError as error:
            self.refusals.append(error)
            raise

    def _plan(self, judgement: Judgement, manifest: bytes) -> Plan:
        compose_id, world = self.report.compose_id, self.accounts.gate.world
        digest = judgement.decision.manifest_sha256
        file = result_file(self.message, self.report, self.origin, manifest_sha256=digest, now=world.now)
        raw = checked(file, manifest, world.now, origins=world.gate_files().origins, write=bytes_of)
        there = world.forge.read_file(file.path, compose_id.branch)
        return plan_add(
            compose_id.branch,
            [File(path=file.path, content=raw)],
            {} if there is None else {file.path: there},
            message=wording.bus_commit(file),
        )


def _say(console: Console, stage: Stage) -> None:
    """Say what a stage will do, in the log and at once."""
    for action in stage.plan:
        console.info(f"→ {terminal(action.sentence)}")


def _tell_of_changes(work: Work, report: SyncReport) -> None:
    """Tell the bus of each verdict or hold that is another than was told last, then write down that it was told."""
    for row in (row for stream in report.streams for row in stream.rows):
        if row.merge_request is not None and row.verdict is not None and row.outcome is not Outcome.FAILED:
            telling = partial(_telling, work, row, row.merge_request, row.verdict)
            carry_out(work, telling, partial(_say, work.console))


def _telling(work: Work, row: Row, merge_request: MergeRequest, verdict: Verdict) -> Stage:
    stage = Stage(compose_id=row.step.compose_id, merge_request=merge_request)
    notes = our_notes(work.world.forge.notes(merge_request.iid), work.world.forge.me())
    if not notes:
        return stage
    change = change_of(
        row.step.compose_id,
        merge_request=merge_request,
        note=notes[0],
        verdict=verdict,
        held=row.held,
        summary=row.summary or "",
        decision_sha256=row.decision_sha256,
    )
    return stage if change is None else replace(stage, plan=plan_announced(merge_request, notes, change))


def _must_have_worked(report: SyncReport, *, with_stream: bool) -> None:
    """Look for what went wrong in a pass.

    Raises:
        InputError: it has, and this is why.

    """
    streams = report.streams
    problems = [
        *(problem for stream in streams for row in stream.rows for problem in row.problems if _has_failed(row)),
        *(problem for stream in streams for problem in stream.problems if with_stream),
    ]
    if problems:
        raise InputError(*problems)


def _has_failed(row: Row) -> bool:
    """Return whether a step has failed; a promotion does not concern a message, and may wait for a person."""
    promotion = row.step.do in {Do.PROMOTE, Do.RETRACT} or row.step.why is Why.UNPROMOTED
    return row.outcome is Outcome.FAILED and not promotion


@contextmanager
def _passing(kind: type[Later] = Later, *, besides: Collection[Exception] = ()) -> Iterator[None]:
    """Treat errors in this block as temporary, except those among `besides`: the message did not cause them."""
    try:
        yield
    except (InputError, UsageError, PublishError) as error:
        if error in besides:
            raise
        raise kind(str(error)) from error


def _merge_request(work: Work, compose_id: ComposeId) -> MergeRequest:
    """Find a compose's merge request, in whatever state.

    Raises:
        Later: there is none yet.

    """
    found, _, _ = find(work, compose_id, Bot.GATE)
    if found.ours is None:
        raise Later(f"{compose_id} has no merge request yet")
    return found.ours


def _manifest(work: Work, compose_id: ComposeId, judgement: Judgement) -> bytes:
    """Give the manifest that counts, whatever the head has.

    Raises:
        Later: it has been merged in this very moment.

    """
    for version in judgement.counted:
        if version.path == compose_id.manifest_path:
            return Blobs(work.world.repository).read(version.blob)
    raise Later(f"{compose_id} is being merged")
