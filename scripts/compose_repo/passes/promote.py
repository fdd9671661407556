"""Plans the call of a stream's hook for what has turned satisfied, and the record that it is so no more."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Promote
from compose_repo.core.forge.forge import MergeRequestState
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import utc
from compose_repo.core.rules.hook import Hook
from compose_repo.core.rules.policy import Mode
from compose_repo.core.streams.promotion import (
    Record,
    has_ended,
    is_due,
    outcome,
    plan_claim,
    plan_end,
    records_of,
    refused,
    unknown,
)
from compose_repo.core.verdict.decision import Verdict
from compose_repo.core.verdict.decision_text import hold_words
from compose_repo.passes.loop import Stage
from compose_repo.passes.refused import see_that_no_refused_report_is_lost
from compose_repo.passes.upkeep import Settled, brought_back, settle
from compose_repo.passes.work import Work
from compose_repo.ports import promoting
from compose_repo.ports.environment import nonce
from compose_repo.ports.http.post import Told


@dataclass(frozen=True, kw_only=True, slots=True)
class Promoting:
    """Judges a compose once more, claims its promotion, calls the hook, and records what came of it."""

    work: Work
    compose_id: ComposeId
    hook: Hook
    noted: set[int] = field(default_factory=set)
    called: list[Promote] = field(default_factory=list)

    def next_stage(self) -> Stage:
        """Plan what comes next; what a call has said is recorded before anything else is looked at.

        Nothing if a pass beside this one has claimed it, if a hold is on it, or if the merge request has been merged or
        closed meanwhile: what a Maintainer has just withdrawn, or another compose overtaken, is not promoted.

        Raises:
            InputError: it cannot be judged, or its stream is gated and a refused report affects an answer.
            UsageError: it has no merge request, or there is no secret or no program to call with: nothing is claimed.
            StaleHead: somebody pushes meanwhile.

        """
        if self.called and (call := self.called.pop()).call in self.work.writer.told:
            return self._record(call, self.work.writer.told[call.call])
        settled = settle(self.work, self.compose_id)
        return brought_back(self.work, self.compose_id, settled, self.noted, self._claim)

    def _claim(self, settled: Settled) -> Stage:
        merge_request, world = settled.merge_request, self.work.world
        stage = Stage(
            compose_id=self.compose_id,
            idle=f"{self.compose_id} is not to be promoted",
            merge_request=merge_request,
            judged=merge_request,
        )
        if merge_request.state is not MergeRequestState.OPENED or settled.stays_closed is not None:
            return stage
        judgement = self.work.judge(self.compose_id, merge_request)
        records = records_of(self.compose_id, world.promotions)
        decision = judgement.decision
        if not is_due(records, decision.verdict):
            return stage
        if decision.held is not None:
            return replace(stage, idle=f"{self.compose_id} is {hold_words(decision.held)}")
        stream = judgement.gate_files.streams.get(self.compose_id.stream)
        if stream is not None and stream.mode is Mode.GATING:
            see_that_no_refused_report_is_lost(judgement)
        claim, call = plan_claim(
            records,
            self.hook,
            decision,
            head=judgement.head,
            web_url=merge_request.web_url,
            main=judgement.main,
            at=utc(world.now),
            nonce=nonce(),
        )
        if not self.work.dry_run:
            promoting.require_means(call)
        self.called[:] = [call]
        return replace(stage, plan=(claim, call), more=True, outdates=False)

    def _record(self, call: Promote, told: Told) -> Stage:
        """Record the outcome of a call, if it is known; report a call that did not succeed."""
        at = utc(self.work.world.now)
        if told.done is None:
            return Stage(compose_id=self.compose_id, error=InputError(unknown(call, told.said)))
        what = Record.CALLED if told.done else Record.FAILED
        record = outcome(call, what, said=told.said, at=at, nonce=nonce())
        error = None if told.done else InputError(refused(call, told.said))
        return Stage(compose_id=self.compose_id, plan=(record,), error=error)


def retraction(work: Work, compose_id: ComposeId, verdict: Verdict) -> Stage:
    """Plan the record that a compose is satisfied no more; nothing if it stands there already."""
    records = records_of(compose_id, work.world.promotions)
    plan = (
        plan_end(records, main=work.world.main().commit, at=utc(work.world.now), verdict=verdict)
        if has_ended(records, verdict)
        else ()
    )
    return Stage(compose_id=compose_id, plan=plan, idle=f"{compose_id} is not promoted")
