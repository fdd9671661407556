"""`sync`: one idempotent run over every stream; opens, judges, merges and closes every compose that is due."""

import argparse
from pathlib import Path
from typing import Final

from compose_repo.core.bus.hint import Everything, Nothing, One, read_hint
from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.escape import json_text, terminal
from compose_repo.core.problems.problem import UsageError
from compose_repo.core.streams.sync_report import SyncReport
from compose_repo.passes.failures import FAILURES, problems_of
from compose_repo.passes.sync import sync
from compose_repo.passes.tools import Tools
from compose_repo.passes.work import Work, opener_beside
from compose_repo.ports.console import Console
from compose_repo.ports.hint import hint_in
from compose_repo.ports.http import Http, limits, patience
from compose_repo.verbs.arguments import add_plan_arguments, compose_id, connected
from compose_repo.verbs.exit_codes import OK, PROBLEMS

EXAMPLE: Final = """
compose-repo sync --dry-run
compose-repo sync --report sync.json
compose-repo sync --only CentOS-Stream-10-20261120.0
compose-repo sync --hint event.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how much is to be done."""
    narrowing = parser.add_mutually_exclusive_group()
    narrowing.add_argument("--only", metavar="COMPOSE_ID", type=compose_id, help="do what is due for this compose only")
    narrowing.add_argument(
        "--hint",
        metavar="FILE",
        help="an event as GitLab's webhooks send it: do only what is due because of it",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write to FILE what was seen, done, refused and failed, as sync/1"
    )
    add_plan_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Do everything that is due; a second run right after it writes nothing.

    The exit code is 0 if all is well or waits for something: a verdict that is pending or blocked, a compose that is
    not finished, a push to the mirrors. It is 1 if anything failed or was refused, which the report names, or if the
    rules on main have problems. It is 2 if the run could not begin for another reason. It is never 3: most runs leave
    pending composes behind.
    """
    only: ComposeId | None = arguments.only
    try:
        with connected(arguments, console) as work:
            due = _due(arguments.hint, work) if only is None else One(compose_id=only)
            if isinstance(due, One):
                only = due.compose_id
            report = SyncReport(streams=(), dry_run=work.dry_run) if isinstance(due, Nothing) else _pass(work, only)
    except FAILURES as error:
        problems = problems_of(error, "sync")
        failed = SyncReport(streams=(), only=only, dry_run=arguments.dry_run, problems=problems)
        _write(arguments.report, failed)
        raise
    _write(arguments.report, report)
    console.out(json_text(report.to_dict()) if arguments.format == "json" else report.summary)
    return PROBLEMS if report.failed else OK


def _due(file: str | None, work: Work) -> One | Everything | Nothing | None:
    """Return what is due because of an event, and print it; None without an event."""
    if not file:
        return None
    data, project = hint_in(file), work.world.project
    if data is None:
        work.console.info("the hint cannot be read: doing everything that is due")
        return None
    due = read_hint(data, project_id=project.id, default_branch=project.default_branch)
    match due:
        case One():
            work.console.info(f"hint: {due.compose_id} has changed")
        case Everything():
            work.console.info(f"hint: {terminal(due.why)}: doing everything that is due")
        case Nothing():
            work.console.info(f"hint: {due.why}: nothing to do because of it")
    return due


def _pass(work: Work, only: ComposeId | None) -> SyncReport:
    with opener_beside(work) as opener:
        if opener is None:
            work.console.info("COMPOSE_REPO_OPENER_TOKEN is not set: nothing is opened")
        clock, trace = work.console.clock, work.console.trace
        http = Http(limits(), clock=clock, patience=patience(clock), trace=trace)
        return sync(Tools(work=work, opener=opener, http=http, index_http=http, only=only))


def _write(file: Path | None, report: SyncReport) -> None:
    if file is None:
        return
    try:
        file.write_text(f"{json_text(report.to_dict())}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
