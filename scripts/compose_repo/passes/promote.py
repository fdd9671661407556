"""Prepares the call of a stream's hook for what has turned satisfied, and the record that it is so no more."""

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Plan, Promote
from compose_repo.core.forge.forge import MergeRequestState
from compose_repo.core.result import utc
from compose_repo.core.rules.hook import Hook
from compose_repo.core.rules.policy import Mode
from compose_repo.core.streams.promotion import has_ended, is_due, plan_claim, plan_end, records_of
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes.refused import see_that_no_refused_report_is_lost
from compose_repo.passes.session import Prepared, Session
from compose_repo.passes.upkeep import settle
from compose_repo.ports import promoting
from compose_repo.ports.environment import nonce


def promote(work: Session, compose_id: ComposeId, hook: Hook) -> Prepared:
    """Judge once more, and prepare the claim and the call.

    Nothing if a pass beside this one has claimed it, or if the merge request has been merged or closed meanwhile: what
    a Maintainer has just withdrawn, or another compose overtaken, is not promoted.

    Raises:
        InputError: it cannot be judged, or its stream is gated and a refused report bears on an answer.
        UsageError: it has no merge request, or there is no secret or no program to call with: nothing is claimed.
        StaleHead: somebody pushes meanwhile.

    """
    settled = settle(work, compose_id)
    merge_request = settled.merge_request
    plan: Plan = ()
    if merge_request.state is MergeRequestState.OPENED and settled.stays_closed is None:
        judgement = work.judge(compose_id, merge_request)
        records = records_of(compose_id, work.promotions)
        stream = judgement.gate_files.streams.get(compose_id.stream)
        if is_due(records, judgement.decision.verdict):
            if stream is not None and stream.mode is Mode.GATING:
                see_that_no_refused_report_is_lost(judgement)
            plan = plan_claim(
                records,
                hook,
                judgement.decision,
                head=judgement.head,
                web_url=merge_request.web_url,
                main=judgement.main,
                at=utc(work.now),
                nonce=nonce(),
            )
    for action in plan:
        if isinstance(action, Promote) and not work.dry_run:
            promoting.require_means(action)
    return Prepared(
        compose_id=compose_id,
        plan=plan,
        idle=f"{compose_id} is not to be promoted",
        merge_request=merge_request,
        judged=merge_request,
    )


def retract(work: Session, compose_id: ComposeId, verdict: Verdict) -> Prepared:
    """Prepare the record that a compose is satisfied no more; nothing if it stands there already."""
    records = records_of(compose_id, work.promotions)
    plan = (
        plan_end(records, main=work.main().commit, at=utc(work.now), verdict=verdict)
        if has_ended(records, verdict)
        else ()
    )
    return Prepared(compose_id=compose_id, plan=plan, idle=f"{compose_id} is not promoted")
