"""A pass over one stream: does step by step what the core has planned."""

import traceback
from collections.abc import Callable, Iterable
from functools import partial

from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Action, CreateTag, Promote
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Stream
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.core.problems.report import as_line
from compose_repo.core.rules.policy import StreamEntry
from compose_repo.core.streams.promotion import Record, State, records_of
from compose_repo.core.streams.sync import (
    Do,
    Step,
    StreamView,
    Why,
    has_vanished,
    is_not_yet,
    plan_gated,
    plan_judging,
    plan_opening,
    plan_promoting,
    plan_publishing,
)
from compose_repo.core.streams.sync_report import Outcome, Row, StreamReport
from compose_repo.core.verdict.decision import Decision, Hold, Verdict
from compose_repo.core.verdict.decision_text import hold_words
from compose_repo.passes.approve import Approving, Arrive, nothing_arrives, withdrawal
from compose_repo.passes.failures import FAILURES, mistake_of, problems_of
from compose_repo.passes.loop import Stage, carry_out, show_actions
from compose_repo.passes.manifest import manifest_of, published_manifest_of, same_id
from compose_repo.passes.merge import Held, Merging, PipelineDue
from compose_repo.passes.open import Opening
from compose_repo.passes.promote import Promoting, retraction
from compose_repo.passes.stream_reader import StreamReader
from compose_repo.passes.tools import Tools
from compose_repo.passes.work import Work
from compose_repo.ports.compose_root import Root


class StreamPass:
    """A pass over one stream; `entry` is None where gate/streams.toml does not list it: it is judged only."""

    def __init__(self, tools: Tools, stream: Stream, entry: StreamEntry | None) -> None:
        self._tools = tools
        self._work = tools.work
        self._stream = stream
        self._entry = entry
        self._rows: list[Row] = []
        self._reader = StreamReader(tools, entry or StreamEntry(stream=stream, composes=()))
        self._waiting: set[ComposeId] = set()
        self._judged: StreamView | None = None
        self._stages: dict[ComposeId, Stage] = {}

    @property
    def has_written(self) -> bool:
        """Whether anything has been opened, merged or closed yet."""
        return any(row.actions for row in self._rows) and not self._work.dry_run

    def publish_and_open(self) -> None:
        """Merge what the mirrors carry, close what is overtaken, open what is new; what cannot be read is reported."""
        if self._entry is not None:
            self._reader.attempted(self._publish_and_open)

    def _publish_and_open(self) -> None:
        self._reader.read()
        for step in self._of_interest(plan_publishing(self._reader.view())):
            self._do(step)
        view = self._reader.view()
        for step in self._of_interest(
            plan_opening(view, self._reader.readiness(view), may_open=self._tools.opener is not None)
        ):
            self._do(step)

    def judge(self) -> None:
        """Judge what is open; tell what cannot be read."""
        self._reader.attempted(self._judge_open)

    def _judge_open(self) -> None:
        view = self._judged = self._reader.view()
        gone = {
            row.step.compose_id
            for row in self._rows
            if row.step.do in {Do.MERGE, Do.CLOSE} and row.outcome is not Outcome.FAILED
        }
        for step in self._of_interest(plan_judging(view)):
            if step.compose_id not in gone and not (self._work.dry_run and self._is_to_be_closed(step.compose_id)):
                self._do(step)

    def poll(self) -> None:
        """Judge again that to which a Jenkins brings something."""
        for index, row in enumerate(self._rows):
            stage = self._stages.get(row.step.compose_id) if row.step.do is Do.JUDGE else None
            if stage is not None:
                again = self._done(row.step, partial(self._judge_what_is_new, row, stage))
                outcome = row.outcome if again.outcome is Outcome.UNCHANGED else again.outcome
                self._rows[index] = replace(again, outcome=outcome, actions=(*row.actions, *again.actions))

    def promote_and_gate(self) -> None:
        """Promote or merge what is satisfied, where it is asked for."""
        self._reader.attempted(self._promote_and_gate)

    def _promote_and_gate(self) -> None:
        view = self._judged
        if view is None:
            return
        verdicts, holds = self._verdicts(), self._holds()
        for step in self._of_interest(plan_promoting(view, verdicts, self._work.world.promotions, holds)):
            self._do(step)
        for step in self._of_interest(plan_gated(view, verdicts, self._promoted(view), holds)):
            self._do(step)

    def _verdicts(self) -> dict[ComposeId, Verdict]:
        return {row.step.compose_id: row.verdict for row in self._rows if row.verdict is not None}

    def _holds(self) -> dict[ComposeId, Hold]:
        return {row.step.compose_id: row.held for row in self._rows if row.held is not None}

    def _promoted(self, view: StreamView) -> frozenset[ComposeId]:
        """Give what was promoted before, or just now."""
        before = {one for one in view.opened if records_of(one, self._work.world.promotions).state is State.CALLED}
        now = {
            row.step.compose_id
            for row in self._rows
            if row.outcome is Outcome.CHANGED and any(map(self._is_promotion, row.actions))
        }
        return frozenset(before | now)

    def _is_promotion(self, action: Action) -> bool:
        """Tell whether an action says that a hook was called: the record of it does, in a dry run the call itself."""
        if self._work.dry_run:
            return isinstance(action, Promote)
        return isinstance(action, CreateTag) and action.tag.endswith(f"/{Record.CALLED}")

    def report(self) -> StreamReport:
        """Sum up what was done."""
        return StreamReport(
            stream=self._stream,
            mode=None if self._entry is None else self._entry.mode,
            on_server=None if self._reader.on_server is None else len(self._reader.on_server),
            carried=self._reader.carried.compose_id,
            carried_not_known=self._reader.carried.why_not,
            rows=tuple(self._rows),
            problems=tuple(self._reader.problems),
        )

    # --- doing

    def _do(self, step: Step) -> None:
        """Do one step, and what follows from it."""
        row = self._done(step, partial(self._act, step))
        self._rows.append(row)
        if row.actions and not self._work.dry_run and step.do in {Do.MERGE, Do.CLOSE}:
            self._reader.attempted(self._tools.look)  # main and the merge requests are others now

    def _done(self, step: Step, act: Callable[[], Row]) -> Row:
        """Act, again if somebody moves something meanwhile; what goes wrong is part of the row."""
        writers = [one.writer for one in (self._work, self._tools.opener) if one is not None]
        before = [len(one.applied) for one in writers]
        try:
            row = act()
        except PipelineDue:
            row = self._leave(replace(step, do=Do.LEAVE, why=Why.PIPELINE))
        except Held as held:
            row = self._left_held(step, held)
        except FAILURES as error:
            row = self._failed(step, problems_of(error, step.compose_id.folder))
        except Exception as error:  # noqa: BLE001  # our mistake with one compose is no other's: it is told, and goes on
            row = self._failed(step, self._mistaken(step, error))
        if not self._work.dry_run:
            done = [action for one, start in zip(writers, before, strict=True) for action in one.applied[start:]]
            row = replace(row, actions=tuple(done))
            if done and row.outcome is Outcome.UNCHANGED:
                row = replace(row, outcome=Outcome.CHANGED)
        return row

    def _left_held(self, step: Step, held: Held) -> Row:
        """Leave what a hold keeps from being merged; where the mirrors carry it all the same, that is told aloud."""
        if step.why is not Why.CARRIED:
            return self._leave(replace(step, do=Do.LEAVE, why=Why.HELD, held=held.hold))
        told = UsageError(f"the mirrors carry it, but {step.compose_id.stream} is gated, and it is {held}")
        return self._failed(step, problems_of(told, step.compose_id.folder))

    def _mistaken(self, step: Step, error: Exception) -> tuple[Problem, ...]:
        """Give a mistake of our own; what it keeps from being judged loses our approval, like all that cannot be."""
        mistake = self._mistake(step, error)
        try:
            if step.do is Do.JUDGE:
                self._withdraw(step, InputError(mistake))
        except InputError as told:
            return told.problems
        except FAILURES as failure:
            return (mistake, *problems_of(failure, step.compose_id.folder))
        except Exception as another:  # noqa: BLE001  # whatever the first was, the second may be, too
            return (mistake, self._mistake(step, another))
        return (mistake,)

    def _withdraw(self, step: Step, error: InputError) -> None:
        """Take back our approval, then tell why.

        Raises:
            InputError: this is why.

        """
        carry_out(self._work, lambda: withdrawal(self._work, step.compose_id, error), self._shown(step, self._work))

    def _mistake(self, step: Step, error: Exception) -> Problem:
        self._work.console.trace("".join(traceback.format_exception(error)))
        return mistake_of(error, step.compose_id.folder)

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
        self._tools.tell(f"{step.compose_id}: left: {step.reason}")
        return Row(step=step, outcome=Outcome.LEFT if good else Outcome.FAILED, problems=step.problems)

    def _open(self, step: Step) -> Row:
        opener = self._tools.opener
        if opener is None:
            return self._leave(replace(step, do=Do.LEAVE, why=Why.NO_OPENER))
        root = self._reader.root(step.compose_id)
        with self._work.console.progress(f"reading {root.location}"):
            manifest = self._manifest(root, step)
        row = self._carried_out(step, Opening(work=opener, manifest=manifest).next_stage, opener)
        if self._work.dry_run:
            self._waiting.add(step.compose_id)
        return row

    def _manifest(self, root: Root, step: Step) -> Manifest:
        """Sum up a compose; what the mirrors carry is recorded even if it cannot be read."""
        if step.why is Why.CARRIED:
            return published_manifest_of(root, step.compose_id, console=self._work.console)
        manifest = manifest_of(root, location=None, console=self._work.console).manifest
        same_id(root, manifest.compose_id, step.compose_id)
        return manifest

    def _judge_what_is_new(self, row: Row, stage: Stage) -> Row:
        """Judge a compose again if a Jenkins has built something of it; else all stays as it is."""
        poll, (merge_request, judgement) = self._tools.poll, (stage.merge_request, stage.judgement)
        if merge_request is None or judgement is None:
            raise AssertionError("what was judged has a merge request")
        if not poll.has_news(row.step.compose_id, merge_request, judgement):
            return replace(row, outcome=Outcome.UNCHANGED, actions=())
        return self._judge(row.step, arrive=partial(poll.arriving, row.step.compose_id))

    def _judge(self, step: Step, *, arrive: Arrive = nothing_arrives) -> Row:
        def vanished(results: int) -> bool | None:
            view = self._judged
            return None if view is None else has_vanished(step.compose_id, view, results=results)

        approving = Approving(
            work=self._work,
            compose_id=step.compose_id,
            vanished=vanished,
            arrive=arrive,
        )
        stage = carry_out(
            self._work,
            approving.next_stage,
            self._shown(step, self._work),
            anew=self._tools.look,
            give_up=approving.give_up,
        )
        judgement = stage.judgement
        if judgement is None:
            raise AssertionError("what is approved was judged")
        self._stages[step.compose_id] = stage
        decision = judgement.decision
        return replace(
            _row(step, stage),
            verdict=decision.verdict,
            held=decision.held,
            summary=decision.summary,
            decision_sha256=decision.sha256,
            vanished=vanished(judgement.results) is True,
        )

    def _merge(self, step: Step) -> Row:
        if step.compose_id in self._waiting:  # a dry run opens nothing
            self._tools.tell(f"{step.compose_id}: merge: {step.reason}")
            return Row(step=step, outcome=Outcome.CHANGED)
        return self._carried_out(step, Merging(work=self._work, compose_id=step.compose_id).next_stage, self._work)

    def _promote(self, step: Step) -> Row:
        hook, verdict = None if self._entry is None else self._entry.promote, self._verdicts().get(step.compose_id)
        if hook is None or verdict is None:
            raise AssertionError("what is promoted has a hook and was judged")
        if step.do is Do.RETRACT:
            return self._carried_out(step, lambda: retraction(self._work, step.compose_id, verdict), self._work)
        promoting = Promoting(work=self._work, compose_id=step.compose_id, hook=hook)
        return self._carried_out(step, promoting.next_stage, self._work)

    def _carried_out(self, step: Step, next_stage: Callable[[], Stage], work: Work) -> Row:
        """Print what is to be written, write it, and say so, stage by stage."""
        return _row(step, carry_out(work, next_stage, self._shown(step, work), anew=self._tools.look))

    def _shown(self, step: Step, work: Work) -> Callable[[Stage], None]:
        """Give what prints a stage, below a line that says what it is about."""
        said: list[str] = []

        def show(stage: Stage) -> None:
            decision = None if stage.judgement is None or stage.writer is not None else stage.judgement.decision
            about = f"{step.do}: {step.reason}" if decision is None else _said_of(decision)
            if stage.plan and about not in said and stage.error is None:
                said.append(about)
                self._tools.tell(f"{step.compose_id}: {about}")
            show_actions(work, stage)

        return show

    def _failed(self, step: Step, problems: tuple[Problem, ...]) -> Row:
        """Tell of a step that failed. A compose that is only not there yet is left, unless the mirrors carry it."""
        later = is_not_yet(problems) and step.why is Why.FIRST_SEEN
        outcome = Outcome.LEFT if later else Outcome.FAILED
        self._tools.tell(f"{step.compose_id}: {step.do}: {outcome}")
        for problem in problems:
            self._work.console.error(as_line(problem))
        return Row(step=step, outcome=outcome, problems=problems)

    # --- helpers

    def _of_interest(self, steps: Iterable[Step]) -> list[Step]:
        return [step for step in steps if self._tools.is_wanted(step.compose_id)]

    def _is_to_be_closed(self, compose_id: ComposeId) -> bool:
        """Tell whether a dry run has said already what becomes of a compose."""
        merged = [row.step.compose_id for row in self._rows if row.step.do in {Do.MERGE, Do.CLOSE}]
        return any(compose_id < one for one in merged)


def _said_of(decision: Decision) -> str:
    held = "" if decision.held is None else f"{hold_words(decision.held)}; "
    return f"{decision.verdict}: {held}{decision.summary}"


def _row(step: Step, stage: Stage) -> Row:
    return Row(
        step=step,
        outcome=Outcome.CHANGED if stage.plan else Outcome.UNCHANGED,
        actions=stage.plan,
        merge_request=stage.merge_request,
    )
