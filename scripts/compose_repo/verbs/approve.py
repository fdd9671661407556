"""Decides on a compose's merge request, then writes approval, status, labels and the note."""

import argparse
import datetime as dt
from typing import Final

from compose_repo import session
from compose_repo.console import Console
from compose_repo.core.compose import ComposeId
from compose_repo.core.forge import MergeRequest, MergeRequestState
from compose_repo.core.plan import STATUS_NAME, plan_approve, plan_withdraw
from compose_repo.core.problem import InputError
from compose_repo.upkeep import settle
from compose_repo.verbs.gate import EXIT_CODE

EXAMPLE: Final = """
compose-repo approve CentOS-Stream-10-20261120.0 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which compose."""
    parser.add_argument("compose_id", metavar="COMPOSE_ID", type=session.compose_id, help="the compose to decide on")
    session.add_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Judge, print the plan, apply it; the exit code is the verdict's."""
    with session.start(arguments, console) as work:
        return session.until_unmoved(lambda: _attempt(work, arguments.compose_id, arguments), console)


def _attempt(work: session.Session, compose_id: ComposeId, arguments: argparse.Namespace) -> int:
    try:
        settled = settle(work, compose_id, arguments)
        judgement = work.judge(compose_id, settled.merge_request)
    except InputError as error:
        _withdraw(work, compose_id, error, dry_run=arguments.dry_run)
        raise
    decision, merge_request = judgement.decision, settled.merge_request
    plan = settled.plan + plan_approve(
        compose_id,
        merge_request=merge_request,
        judged=judgement.judged(published=False),
        me=work.forge.me(),
        approved_by=work.forge.approved_by(merge_request.iid),
        statuses=work.forge.statuses(judgement.head, STATUS_NAME),
        notes=work.forge.notes(merge_request.iid),
        pushed_at=_pushed_at(work, compose_id, merge_request),
    )
    idle = f"!{merge_request.iid} ({merge_request.state}) needs nothing: the gate is {decision.verdict}"
    if settled.stays_closed is not None:
        idle += f"; it stays closed: {settled.stays_closed}"
    work.show(compose_id, plan, idle, as_json=arguments.format == "json")
    if plan and not arguments.dry_run:
        work.unmoved(merge_request)
        work.apply(plan, merge_request)
    return EXIT_CODE[decision.verdict]


def _pushed_at(work: session.Session, compose_id: ComposeId, merge_request: MergeRequest) -> dt.datetime | None:
    """Give when the branch was last pushed to."""
    pushes = work.forge.pushes(compose_id.branch, merge_request.created_at.date())
    return max((push.at for push in pushes), default=None)


def _withdraw(work: session.Session, compose_id: ComposeId, error: InputError, *, dry_run: bool) -> None:
    """Take back what we said of an earlier head, or by earlier rules, before the problems are told.

    Wherever it stands: which merge request counts is not known for certain while the rules cannot be read.
    """
    reason = f"it cannot be judged: {error.problems[0].code}"
    for line in work.forge.merge_requests(source_branch=compose_id.branch):
        approved_by = work.forge.approved_by(line.iid) if line.state is MergeRequestState.OPENED else frozenset[int]()
        plan = plan_withdraw(line, me=work.forge.me(), approved_by=approved_by, reason=reason)
        for action in plan:
            work.console.info(action.sentence)
        if not dry_run:
            work.apply(plan)
