"""Prepares the merging of a published compose, and the closing of what it supersedes."""

from collections.abc import Callable

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import terminal
from compose_repo.core.forge.action import Plan
from compose_repo.core.forge.forge import Lock, MergeRequest, StaleHead
from compose_repo.core.forge.merge_requests import MERGED, superseded_by
from compose_repo.core.plan.plan import plan_merge, plan_supersede
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.core.rules.policy import Mode, StreamEntry
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes.refused import see_that_no_refused_report_is_lost
from compose_repo.passes.session import Judgement, Prepared, Session
from compose_repo.passes.upkeep import Settled, bring_back, settle
from compose_repo.words import wording


class NotPublished(Exception):  # noqa: N818  # nobody is at fault: it is told and waited for
    """The mirrors do not carry the compose; the message says what they do."""


class PipelineDue(Exception):  # noqa: N818  # nobody is at fault: it is told and waited for
    """GitLab merges nothing before its pipeline has succeeded, and that is not over yet."""


def merge(work: Session, compose_id: ComposeId, why_not: Callable[[StreamEntry], str | None]) -> Prepared:
    """Judge a compose for the record, and prepare its merging; `why_not` says why it is not published, None if it is.

    Raises:
        NotPublished: it is not.
        PipelineDue: its stream is gated, and so is the merge by a pipeline that is not over.
        InputError: it cannot be judged, or that pipeline has failed.
        UsageError: it has no merge request, or its stream is gated and the gate has not let it through.
        StaleHead: somebody pushes meanwhile, or it had to be brought back first.

    """
    settled = settle(work, compose_id)
    merging: Plan = ()
    if settled.merge_request.state not in MERGED:
        judgement = work.judge(compose_id, settled.merge_request)
        stream = _stream(judgement, compose_id)
        reason = why_not(stream)
        if reason is not None:
            raise NotPublished(reason)
        settled = _opened_again(work, compose_id, settled, stream)
        if stream.mode is Mode.GATING and judgement.decision.verdict is Verdict.SATISFIED:
            see_that_no_refused_report_is_lost(judgement)
            _see_that_the_pipeline_lets_it_through(work, settled.merge_request, judgement)
        merging = settled.plan + _merge(work, compose_id, settled.merge_request, judgement, stream)
    merge_request = settled.merge_request
    return Prepared(
        compose_id=compose_id,
        plan=(*merging, *_supersede(work, compose_id, settled)),
        idle=f"!{merge_request.iid} of {compose_id} ({merge_request.state}) needs nothing: {merge_request.web_url}",
        merge_request=merge_request,
        judged=merge_request,
    )


def _opened_again(work: Session, compose_id: ComposeId, settled: Settled, stream: StreamEntry) -> Settled:
    """Open again what was to stay closed: the mirrors carry it, or may go back to what was superseded.

    Where merging leads to publishing, what stays closed is not published.
    """
    if settled.stays_closed is None:
        return settled
    if stream.mode is Mode.GATING:
        raise UsageError(
            f"!{settled.merge_request.iid} of {compose_id} stays closed: {settled.stays_closed}; "
            "a Maintainer opens it again if it is to be published"
        )
    return bring_back(work, compose_id, settled)


def _see_that_the_pipeline_lets_it_through(work: Session, merge_request: MergeRequest, judgement: Judgement) -> None:
    """Look before label and note say that it is merged.

    What is to be restored is restored first: a refused file fails the pipeline, and the commit without it has its own.
    """
    if not work.project.pipelines_must_succeed:
        return
    restore = work.restoration(merge_request, judgement, in_line=True)
    if restore is not None:
        if work.dry_run:
            return
        work.unmoved(merge_request)
        (work.console.info if work.as_json else work.console.out)(f"→ {terminal(restore.sentence)}")
        work.apply((restore,))
        work.done.append(restore)
        raise StaleHead(f"!{merge_request.iid} holds what counted and nothing else by now; run again")
    match work.forge.lock(merge_request.iid):
        case Lock.DUE:
            raise PipelineDue(f"the pipeline of !{merge_request.iid} is not over")
        case Lock.FAILED:
            raise InputError(
                Problem(
                    path=f"!{merge_request.iid}",
                    code=Code.PIPELINE_FAILED,
                    message="it is satisfied, but its pipeline has not succeeded, and GitLab merges nothing without",
                    fix="look at the pipeline; run it again if what failed in it is waived by now",
                )
            )
        case None:
            return


def _stream(judgement: Judgement, compose_id: ComposeId) -> StreamEntry:
    stream = judgement.gate_files.streams.get(compose_id.stream)
    if stream is None:
        raise UsageError(
            f"gate/streams.toml does not say where {compose_id.stream} is published; add [streams.{compose_id.stream}]"
        )
    return stream


def _merge(
    work: Session,
    compose_id: ComposeId,
    merge_request: MergeRequest,
    judgement: Judgement,
    stream: StreamEntry,
) -> Plan:
    return plan_merge(
        compose_id,
        merge_request=merge_request,
        judged=judgement.judged(published=stream.mode is Mode.MIRROR),
        me=work.forge.me(),
        notes=work.forge.notes(merge_request.iid),
        mode=stream.mode,
        commit_message=wording.merge_commit(judgement.decision, merge_request),
        restore=work.restoration(merge_request, judgement),
        names=judgement.gate_files.labels,
    )


def _supersede(work: Session, compose_id: ComposeId, settled: Settled) -> Plan:
    me, words = work.forge.me(), wording.superseded(compose_id, settled.merge_request.iid)
    names = work.gate_files().labels
    older = superseded_by(
        compose_id,
        work.open_merge_requests(),
        bots=settled.bots,
        target_branch=work.project.default_branch,
    )
    return tuple(
        action
        for line in older
        for action in plan_supersede(line, me=me, notes=work.forge.notes(line.iid), words=words, names=names)
    )
