"""Decides on a compose's merge request, then writes approval, status, labels and the note."""

import argparse
from typing import Final

from compose_repo import session
from compose_repo.console import Console
from compose_repo.core.compose import ComposeId
from compose_repo.core.forge import MergeRequest
from compose_repo.core.plan import STATUS_NAME, plan_approve, plan_withdraw
from compose_repo.core.problem import InputError
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
    merge_request = work.merge_request(compose_id)
    try:
        judgement = work.judge(compose_id, merge_request)
    except InputError as error:
        _withdraw(work, merge_request, error, dry_run=arguments.dry_run)
        raise
    decision = judgement.decision
    plan = plan_approve(
        compose_id,
        merge_request=merge_request,
        judged=judgement.judged(published=False),
        me=work.forge.me(),
        approved_by=work.forge.approved_by(merge_request.iid),
        statuses=work.forge.statuses(judgement.head, STATUS_NAME),
        notes=work.forge.notes(merge_request.iid),
    )
    idle = f"!{merge_request.iid} ({merge_request.state}) needs nothing: the gate is {decision.verdict}"
    work.show(compose_id, plan, idle, as_json=arguments.format == "json")
    if plan and not arguments.dry_run:
        work.unmoved(merge_request)
        work.apply(plan)
    return EXIT_CODE[decision.verdict]


def _withdraw(work: session.Session, merge_request: MergeRequest, error: InputError, *, dry_run: bool) -> None:
    """Take back what we said of an earlier head, or by earlier rules, before the problems are told."""
    approved_by, reason = work.forge.approved_by(merge_request.iid), f"it cannot be judged: {error.problems[0].code}"
    plan = plan_withdraw(merge_request, me=work.forge.me(), approved_by=approved_by, reason=reason)
    for action in plan:
        work.console.info(action.sentence)
    if not dry_run:
        work.apply(plan)
