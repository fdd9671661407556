"""Judges a compose's merge request, and prepares what brings approval, status, labels and note up to date."""

from collections.abc import Callable

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Plan
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState
from compose_repo.core.plan.plan import STATUS_NAME, is_settled, plan_approve, plan_withdraw
from compose_repo.core.problems.problem import InputError
from compose_repo.passes.session import Judgement, Prepared, Session
from compose_repo.passes.upkeep import settle


def approve(
    work: Session,
    compose_id: ComposeId,
    vanished: Callable[[int], bool | None] = lambda _: None,
    arrive: Callable[[MergeRequest, Judgement], Plan] = lambda *_: (),
) -> tuple[Prepared, Judgement]:
    """Judge by the rules on main; what cannot be judged loses the approval that we gave it.

    `vanished` says of so many results whether the compose has gone from its server before any came, None if nobody
    knows. `arrive` brings results from elsewhere to what was judged, and has it judged again by `StaleHead`.

    Raises:
        InputError: it cannot be judged.
        UsageError: it has no merge request.
        StaleHead: somebody pushes meanwhile, or it had to be brought back first.

    """
    try:
        settled = settle(work, compose_id)
        judgement = work.judge(compose_id, settled.merge_request)
    except InputError as error:
        withdraw(work, compose_id, error)
        raise
    merge_request, decision = settled.merge_request, judgement.decision
    arriving = arrive(merge_request, judgement)
    plan = (
        settled.plan
        + arriving
        + _plan(work, compose_id, merge_request, judgement, vanished=vanished(judgement.results))
    )
    idle = f"!{merge_request.iid} ({merge_request.state}) needs nothing: the gate is {decision.verdict}"
    if settled.stays_closed is not None:
        idle += f"; it stays closed: {settled.stays_closed}"
    prepared = Prepared(compose_id=compose_id, plan=plan, idle=idle, merge_request=merge_request, judged=merge_request)
    return prepared, judgement


def _plan(
    work: Session, compose_id: ComposeId, merge_request: MergeRequest, judgement: Judgement, *, vanished: bool | None
) -> Plan:
    """Ask what is there no further than it takes to know that nothing is to be written."""
    if merge_request.state is not MergeRequestState.OPENED:
        return ()
    me, judged, pushed_at = work.forge.me(), judgement.judged(published=False), judgement.pushed_at
    names = judgement.gate_files.labels
    thread = work.forge.thread(merge_request.iid)
    if is_settled(
        compose_id,
        merge_request=merge_request,
        judged=judged,
        me=me,
        thread=thread,
        pushed_at=pushed_at,
        vanished=vanished,
        names=names,
    ):
        return ()
    return plan_approve(
        compose_id,
        merge_request=merge_request,
        judged=judged,
        me=me,
        approved_by=work.forge.approved_by(merge_request.iid),
        statuses=work.forge.statuses(judgement.told_of, STATUS_NAME),
        notes=thread.notes,
        pushed_at=pushed_at,
        vanished=vanished,
        names=names,
    )


def withdraw(work: Session, compose_id: ComposeId, error: InputError) -> None:
    """Take back what we said of an earlier head, or by earlier rules, before the problems are told.

    Wherever it stands: which merge request counts is not known for certain while the rules cannot be read.
    """
    reason = f"it cannot be judged: {error.problems[0].code}"
    for line in work.forge.merge_requests(source_branch=compose_id.branch):
        approved_by = work.forge.approved_by(line.iid) if line.state is MergeRequestState.OPENED else frozenset[int]()
        plan = plan_withdraw(line, me=work.forge.me(), approved_by=approved_by, reason=reason)
        for action in plan:
            work.console.info(action.sentence)
        if not work.dry_run:
            work.apply(plan)
