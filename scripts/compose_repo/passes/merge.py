"""Prepares the merging of a published compose, and the closing of what it supersedes."""

from collections.abc import Callable

from compose_repo import wording
from compose_repo.core.action import Plan
from compose_repo.core.compose import ComposeId
from compose_repo.core.forge import MergeRequest
from compose_repo.core.merge_requests import MERGED, superseded_by
from compose_repo.core.plan import plan_merge, plan_supersede
from compose_repo.core.policy import Mode, StreamEntry
from compose_repo.core.problem import UsageError
from compose_repo.session import Judgement, Prepared, Session
from compose_repo.upkeep import Settled, bring_back, settle


class NotPublished(Exception):  # noqa: N818  # nobody is at fault: it is told and waited for
    """The mirrors do not carry the compose; the message says what they do."""


def merge(work: Session, compose_id: ComposeId, why_not: Callable[[StreamEntry], str | None]) -> Prepared:
    """Judge a compose for the record, and prepare its merging; `why_not` says why it is not published, None if it is.

    Raises:
        NotPublished: it is not.
        InputError: it cannot be judged.
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
