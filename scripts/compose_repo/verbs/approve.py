"""`approve`: decides on a compose's merge request, then writes approval, status, labels and the note."""

import argparse
from typing import Final

from compose_repo.passes.approve import Approving
from compose_repo.ports.console import Console
from compose_repo.verbs.arguments import add_plan_arguments, compose_id, connected
from compose_repo.verbs.gate import exit_code
from compose_repo.verbs.plans import carry_out_and_print

EXAMPLE: Final = """
compose-repo approve CentOS-Stream-10-20261120.0 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which compose."""
    parser.add_argument("compose_id", metavar="COMPOSE_ID", type=compose_id, help="the compose to decide on")
    add_plan_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Judge, print the plan, apply it; the exit code is the decision's."""
    with connected(arguments, console) as work:
        approving = Approving(work=work, compose_id=arguments.compose_id)
        stage = carry_out_and_print(work, arguments.compose_id, approving.next_stage, approving.give_up)
    judgement = stage.judgement
    if judgement is None:
        raise AssertionError("what is approved was judged")
    return exit_code(judgement.decision)
