"""Decides on a compose's merge request, then writes approval, status, labels and the note."""

import argparse
from typing import Final

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes import session
from compose_repo.passes.approve import approve
from compose_repo.ports.console import Console
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
        return EXIT_CODE[session.until_unmoved(lambda: _attempt(work, arguments.compose_id), console)]


def _attempt(work: session.Session, compose_id: ComposeId) -> Verdict:
    work.anew()
    prepared, judgement = approve(work, compose_id)
    work.show(prepared)
    work.carry_out(prepared)
    return judgement.decision.verdict
