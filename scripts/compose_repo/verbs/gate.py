"""Decides on a compose from git, offline, and changes nothing; exits 0 satisfied, 1 blocked, 3 pending or held."""

import argparse
import datetime as dt
from pathlib import Path
from typing import Final

from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.composes.paths import BRANCH_PREFIX
from compose_repo.core.escape import json_text
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.core.verdict.decision import Decision, State, Verdict
from compose_repo.core.verdict.decision_text import decision_text, heading
from compose_repo.ports.console import Console, Paint
from compose_repo.ports.git.repository import Repository
from compose_repo.ports.tree import Tree
from compose_repo.reading.clone import Asked, judged, standing
from compose_repo.reading.loading import GateFiles, load_gate
from compose_repo.verbs.arguments import moment, write_report
from compose_repo.verbs.exit_codes import OK, PENDING, PROBLEMS

EXAMPLE: Final = """
compose-repo gate CentOS-Stream-10-20261120.0
compose-repo gate CentOS-Stream-10-20261120.0 --format json
compose-repo gate CentOS-Stream-10-20261120.0 --at 2026-11-20T18:00:00Z
compose-repo gate CentOS-Stream-10-20261120.0 --working-tree
compose-repo gate CentOS-Stream-10-20261120.0 --junit gate.xml
"""
EXIT_CODE: Final = {Verdict.SATISFIED: OK, Verdict.BLOCKED: PROBLEMS, Verdict.PENDING: PENDING}
PAINT: Final[dict[State | Verdict, Paint]] = {
    Verdict.SATISFIED: Paint.GOOD,
    Verdict.BLOCKED: Paint.BAD,
    Verdict.PENDING: Paint.WAITING,
    State.PASSED: Paint.GOOD,
    State.FAILED: Paint.BAD,
    State.OVERDUE: Paint.BAD,
    State.ERRORED: Paint.WAITING,
    State.RUNNING: Paint.WAITING,
    State.MISSING: Paint.WAITING,
    State.KNOWN: Paint.FAINT,
    State.WAIVED: Paint.FAINT,
}


def exit_code(decision: Decision) -> int:
    """Give the exit code of a decision: while a hold is on the compose, it is that of waiting, whatever the verdict."""
    return PENDING if decision.held is not None else EXIT_CODE[decision.verdict]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the compose, the moment and the form of the answer."""
    parser.add_argument("compose_id", metavar="COMPOSE_ID", help="a compose id, or the name of the compose's branch")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the answer (default: text)"
    )
    parser.add_argument(
        "--junit", type=Path, metavar="FILE", help="write a JUnit report to FILE, one test case for each required cell"
    )
    parser.add_argument("--all", action="store_true", help="list what passed, too; json always does")
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--now", type=moment, metavar="TIME", help="decide as if it were this time, RFC 3339 (default: now)"
    )
    when.add_argument(
        "--at", type=moment, metavar="TIME", help="use the commits and rules of this time, by commit dates"
    )
    parser.add_argument(
        "--rev", metavar="REV", help="judge this commit (default: origin/compose/COMPOSE_ID, else the local branch)"
    )
    parser.add_argument(
        "--base", metavar="REV", help="use this commit as main (default: origin/HEAD, else origin/main, else main)"
    )
    parser.add_argument(
        "--working-tree",
        action="store_true",
        help="use the files in this checkout, committed or not, in place of main's",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Decide, then print."""
    now: dt.datetime = arguments.now or arguments.at or console.clock.now()
    compose_id = _compose_id(arguments.compose_id)
    repository = Repository(arguments.repo, console.trace, console.clock)
    with console.progress(f"reading {compose_id.folder}"):
        place = standing(repository, compose_id, _asked(arguments), tell=console.info)
        gate_files = _gate_files(place.main, now)
        decision, basis = judged(repository, compose_id, place, gate_files=gate_files, now=now)
    if place.hint is not None:
        console.info(place.hint)
    if arguments.junit is not None:
        from compose_repo.core.verdict.junit import as_junit  # noqa: PLC0415  # only where JUnit is asked for

        write_report(arguments.junit, as_junit(decision))
    if arguments.format == "json":
        console.info("\n".join(heading(decision, basis, lambda _, text: text)))
        console.out(json_text(decision.to_dict()))
    else:
        lines = decision_text(
            decision,
            gate_files.origins,
            basis=basis,
            every=arguments.all,
            emphasize=lambda state, text: console.paint(PAINT[state], text),
        )
        console.out("\n".join(lines))
    return exit_code(decision)


def _asked(arguments: argparse.Namespace) -> Asked:
    """Read where to look, as the command line says.

    Raises:
        UsageError: two of the arguments exclude each other.

    """
    for name, given in (("--rev", arguments.rev), ("--at", arguments.at)):
        if arguments.working_tree and given is not None:
            raise UsageError(f"{name} reads commits, --working-tree reads the files of the checkout; leave one out")
    return Asked(rev=arguments.rev, base=arguments.base, at=arguments.at, working_tree=arguments.working_tree)


def _compose_id(text: str) -> ComposeId:
    try:
        return ComposeId.parse(text.removeprefix(BRANCH_PREFIX))
    except ComposeIdError as error:
        raise UsageError(str(error)) from error


def _gate_files(tree: Tree, now: dt.datetime) -> GateFiles:
    """Read the configuration; if it has problems there is no verdict, and that is not the compose's fault."""
    try:
        return load_gate(tree, now)
    except InputError as error:
        first, *more = sorted(error.problems)
        rest = f" (and {len(more)} more; compose-repo validate shows them)" if more else ""
        raise UsageError(f"{first.path}:{first.line}: {first.message}; {first.fix}{rest}") from error
