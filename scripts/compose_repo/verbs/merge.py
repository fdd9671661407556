"""Merges a published compose, and closes what it supersedes."""

import argparse
from typing import Final

from compose_repo import session, wording
from compose_repo.cli import OK, PENDING
from compose_repo.console import Console
from compose_repo.core.action import Plan
from compose_repo.core.compose import ComposeId
from compose_repo.core.forge import MergeRequest
from compose_repo.core.merge_requests import MERGED, superseded_by
from compose_repo.core.plan import plan_merge, plan_supersede
from compose_repo.core.policy import Mode, StreamEntry
from compose_repo.core.problem import UsageError
from compose_repo.ports.http import Http, Limits
from compose_repo.ports.mirror import why_not_published
from compose_repo.upkeep import Settled, bring_back, settle

EXAMPLE: Final = """
compose-repo merge CentOS-Stream-10-20261120.0 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which compose."""
    parser.add_argument("compose_id", metavar="COMPOSE_ID", type=session.compose_id, help="the compose to merge")
    parser.add_argument(
        "--published", action="store_true", help="you vouch that it is on the mirrors: do not look there"
    )
    session.add_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Make sure that it is published, judge, print the plan, apply it."""
    with session.start(arguments, console) as work:
        return session.until_unmoved(lambda: _attempt(work, arguments.compose_id, arguments), console)


def _attempt(work: session.Session, compose_id: ComposeId, arguments: argparse.Namespace) -> int:
    settled = settle(work, compose_id, arguments)
    merging: Plan = ()
    if settled.merge_request.state not in MERGED:
        judgement = work.judge(compose_id, settled.merge_request)
        stream = _stream(judgement, compose_id)
        why_not = None if arguments.published else _why_not(work, compose_id, stream)
        if why_not is not None:
            work.console.error(f"{compose_id} is not published: {why_not}")
            return PENDING
        settled = _opened_again(work, compose_id, settled, stream, arguments)
        merging = settled.plan + _merge(work, compose_id, settled.merge_request, judgement, stream)
    merge_request = settled.merge_request
    plan = (*merging, *_supersede(work, compose_id, settled))
    idle = f"!{merge_request.iid} of {compose_id} ({merge_request.state}) needs nothing: {merge_request.web_url}"
    work.show(compose_id, plan, idle, as_json=arguments.format == "json")
    if plan and not arguments.dry_run:
        work.unmoved(merge_request)
        work.apply(plan, merge_request)
    return OK


def _opened_again(
    work: session.Session, compose_id: ComposeId, settled: Settled, stream: StreamEntry, arguments: argparse.Namespace
) -> Settled:
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
    return bring_back(work, compose_id, settled, arguments)


def _stream(judgement: session.Judgement, compose_id: ComposeId) -> StreamEntry:
    stream = judgement.gate_files.streams.get(compose_id.stream)
    if stream is None:
        raise UsageError(
            f"gate/streams.toml does not say where {compose_id.stream} is published; add [streams.{compose_id.stream}]"
        )
    return stream


def _why_not(work: session.Session, compose_id: ComposeId, stream: StreamEntry) -> str | None:
    with work.console.progress(f"reading {stream.published}"):
        return why_not_published(str(compose_id), stream.published, Http(Limits()).read)


def _merge(
    work: session.Session,
    compose_id: ComposeId,
    merge_request: MergeRequest,
    judgement: session.Judgement,
    stream: StreamEntry,
) -> Plan:
    return plan_merge(
        compose_id,
        merge_request=merge_request,
        judged=judgement.judged(published=True),
        me=work.forge.me(),
        notes=work.forge.notes(merge_request.iid),
        mode=stream.mode,
        commit_message=wording.merge_commit(judgement.decision, merge_request),
        restore=work.restoration(merge_request, judgement),
    )


def _supersede(work: session.Session, compose_id: ComposeId, settled: Settled) -> Plan:
    me, words = work.forge.me(), wording.superseded(compose_id, settled.merge_request.iid)
    older = superseded_by(
        compose_id,
        work.forge.open_merge_requests(),
        bots=settled.bots,
        target_branch=work.project.default_branch,
    )
    return tuple(
        action
        for line in older
        for action in plan_supersede(line, me=me, notes=work.forge.notes(line.iid), words=words)
    )
