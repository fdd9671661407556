"""Judges a compose's merge request, and plans what brings approval, status, labels and note up to date."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Plan
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState, StaleHead
from compose_repo.core.forge.merge_requests import compose_of
from compose_repo.core.plan.plan import (
    STATUS_NAME,
    is_given_since,
    is_settled,
    plan_approve,
    plan_withdraw,
    with_description,
)
from compose_repo.core.problems.problem import InputError
from compose_repo.core.problems.report import as_line
from compose_repo.core.verdict.decision_text import hold_words
from compose_repo.passes.describe import described_again
from compose_repo.passes.failures import FAILURES, problems_of
from compose_repo.passes.judge import Judgement
from compose_repo.passes.loop import Stage, carry_out, show_actions
from compose_repo.passes.upkeep import Settled, brought_back, settle
from compose_repo.passes.work import Work

Arrive: TypeAlias = Callable[[MergeRequest, Judgement], Stage | None]
"""Gives the stage that brings results from elsewhere to what was judged, None if there are none."""


def nothing_arrives(_: MergeRequest, __: Judgement) -> Stage | None:
    """Bring nothing from elsewhere."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Approving:
    """Approves a compose by the rules on main; what cannot be judged loses the approval that we gave it.

    `vanished` says of so many results whether the compose has gone from its server before any came, None if nobody
    knows. `arrive` gives the stage that brings results from elsewhere to what was judged, None if there are none.
    """

    work: Work
    compose_id: ComposeId
    vanished: Callable[[int], bool | None] = lambda _: None
    arrive: Arrive = nothing_arrives
    noted: set[int] = field(default_factory=set)

    def next_stage(self) -> Stage:
        """Plan what comes next; if it cannot be judged, the stage's `error` says why.

        Raises:
            UsageError: it has no merge request.
            StaleHead: somebody pushes meanwhile.

        """
        try:
            settled = settle(self.work, self.compose_id)
        except InputError as error:
            return withdrawal(self.work, self.compose_id, error)
        return brought_back(self.work, self.compose_id, settled, self.noted, self._judge)

    def give_up(self, moving: StaleHead) -> Stage:
        """Plan to withdraw: who changes things faster than they are read must not keep an approval by that."""
        return withdrawal(self.work, self.compose_id, InputError(*problems_of(moving, self.compose_id.folder)))

    def _judge(self, settled: Settled) -> Stage:
        merge_request = settled.merge_request
        try:
            judgement = self.work.judge(self.compose_id, merge_request)
        except InputError as error:
            return withdrawal(self.work, self.compose_id, error)
        stage = Stage(
            compose_id=self.compose_id, merge_request=merge_request, judged=merge_request, judgement=judgement
        )
        arriving = self.arrive(merge_request, judgement)
        if arriving is None:
            return self._approve(stage, settled, judgement)
        return replace(
            arriving, judgement=judgement, more=True, foreseen=lambda: self._approve(stage, settled, judgement)
        )

    def _approve(self, stage: Stage, settled: Settled, judgement: Judgement) -> Stage:
        merge_request, decision = settled.merge_request, judgement.decision
        idle = f"!{merge_request.iid} ({merge_request.state}) needs nothing: the gate is {decision.verdict}"
        if decision.held is not None:
            idle += f", and it is {hold_words(decision.held)}"
        if settled.stays_closed is not None:
            idle += f"; it stays closed: {settled.stays_closed}"
        vanished = self.vanished(judgement.results)
        return replace(stage, idle=idle, plan=self._plan(merge_request, judgement, vanished=vanished))

    def _plan(self, merge_request: MergeRequest, judgement: Judgement, *, vanished: bool | None) -> Plan:
        """Ask what is there no further than it takes to know that nothing is to be written.

        What has been approved is asked of the approvals themselves: GitLab can reset them without a word below.
        """
        if merge_request.state is not MergeRequestState.OPENED:
            return ()
        forge = self.work.world.forge
        me, judged, pushed_at = forge.me(), judgement.judged(), judgement.pushed_at
        names = judgement.gate_files.labels
        thread = forge.thread(merge_request.iid)
        described = described_again(self.work, merge_request, judgement, thread)
        settled = is_settled(
            self.compose_id,
            merge_request=merge_request,
            judged=judged,
            me=me,
            thread=thread,
            pushed_at=pushed_at,
            vanished=vanished,
            names=names,
        )
        if settled and not judged.is_let_through:
            return described
        approved_by = forge.approved_by(merge_request.iid)
        if settled and me.id in approved_by:
            return described
        approving = plan_approve(
            self.compose_id,
            merge_request=merge_request,
            judged=judged,
            me=me,
            approved_by=approved_by,
            statuses=forge.statuses(judgement.told_of, STATUS_NAME),
            notes=thread.notes,
            pushed_at=pushed_at,
            given_since=is_given_since(thread, me, pushed_at),
            vanished=vanished,
            names=names,
        )
        return with_description(approving, described)


def withdrawal(work: Work, compose_id: ComposeId, error: InputError) -> Stage:
    """Plan to take back what we said of an earlier head, or by earlier rules, before the problems are told.

    Wherever it stands: which merge request counts is not known for certain while the rules cannot be read.
    """
    forge, reason = work.world.forge, f"it cannot be judged: {error.problems[0].code}"
    plan = tuple(
        action
        for line in forge.merge_requests(source_branch=compose_id.branch)
        if line.state is MergeRequestState.OPENED
        for action in plan_withdraw(line, me=forge.me(), approved_by=forge.approved_by(line.iid), reason=reason)
    )
    return Stage(compose_id=compose_id, plan=plan, error=error)


def withdraw_all(work: Work, error: InputError) -> None:
    """Withdraw every approval of the gate bot: by rules that cannot be read nothing is satisfied.

    One that cannot be withdrawn is told, and keeps no other.
    """
    for line in work.world.open_merge_requests():
        compose_id = compose_of(line)
        if compose_id is not None and not line.from_fork:
            try:
                carry_out(work, partial(withdrawal, work, compose_id, error), partial(show_actions, work))
            except InputError:
                continue  # it is told once, for all of them
            except FAILURES as failure:
                for problem in problems_of(failure, compose_id.folder):
                    work.console.error(as_line(problem))
