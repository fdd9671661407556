"""Merges a published compose, and closes what it supersedes."""

import argparse
from typing import Final

from compose_repo import session, wording
from compose_repo.cli import OK, PENDING
from compose_repo.console import Console
from compose_repo.core.action import Plan
from compose_repo.core.compose import ComposeId
from compose_repo.core.forge import MergeRequest
from compose_repo.core.plan import plan_merge, plan_supersede, superseded_by
from compose_repo.core.policy import StreamEntry
from compose_repo.core.problem import UsageError
from compose_repo.ports.http import Http, Limits
from compose_repo.ports.mirror import why_not_published

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
    merge_request = work.merge_request(compose_id)
    merging: Plan = ()
    if merge_request.state not in session.MERGED:
        judgement = work.judge(compose_id, merge_request)
        stream = _stream(judgement, compose_id)
        why_not = None if arguments.published else _why_not(work, compose_id, stream)
        if why_not is not None:
            work.console.error(f"{compose_id} is not published: {why_not}")
            return PENDING
        merging = _merge(work, compose_id, merge_request, judgement, stream)
    plan = (*merging, *_supersede(work, compose_id, merge_request))
    idle = f"!{merge_request.iid} of {compose_id} ({merge_request.state}) needs nothing: {merge_request.web_url}"
    work.show(compose_id, plan, idle, as_json=arguments.format == "json")
    if plan and not arguments.dry_run:
        work.unmoved(merge_request)
        work.apply(plan)
    return OK


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


def _supersede(work: session.Session, compose_id: ComposeId, merge_request: MergeRequest) -> Plan:
    me, words = work.forge.me(), wording.superseded(compose_id, merge_request.iid)
    return tuple(
        action
        for older in superseded_by(compose_id, work.forge.open_merge_requests())
        for action in plan_supersede(older, me=me, notes=work.forge.notes(older.iid), words=words)
    )
