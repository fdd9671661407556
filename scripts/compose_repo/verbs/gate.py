"""Decides on a compose from the tree, offline, and changes nothing; exits 0 satisfied, 1 blocked, 3 pending."""

import argparse
import datetime as dt
from typing import Final, TypedDict

from compose_repo.cli import OK, PENDING, PROBLEMS, moment
from compose_repo.console import Console, Paint
from compose_repo.core.compose import ComposeId, ComposeIdError
from compose_repo.core.decision import State, Verdict
from compose_repo.core.decision_text import decision_text
from compose_repo.core.escape import json_text
from compose_repo.core.problem import InputError, UsageError
from compose_repo.ports import environment
from compose_repo.ports.git.objects import GitTree
from compose_repo.ports.git.repository import Repository
from compose_repo.ports.judging import judge_branch, judge_files, opened_at
from compose_repo.ports.line import unattributed
from compose_repo.ports.loading import GateFiles, load_gate
from compose_repo.ports.publications import Publications
from compose_repo.ports.tree import Tree, WorkingTree


class Rules(TypedDict):
    """By what is judged."""

    gate_files: GateFiles
    main: Tree
    publications: Publications
    now: dt.datetime


EXAMPLE: Final = """
compose-repo gate CentOS-Stream-10-20261120.0
compose-repo gate CentOS-Stream-10-20261120.0 --now 2026-11-23T06:00:00Z
compose-repo gate CentOS-Stream-10-20261120.0 --rev origin/compose/CentOS-Stream-10-20261120.0 --format json
compose-repo gate CentOS-Stream-10-20261120.0 --rev origin/compose/CentOS-Stream-10-20261120.0 --base origin/main
"""
UNATTRIBUTED: Final = "note: who pushed each result is not checked here; compose-repo approve does, with a token"
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the compose, the moment and the form of the answer."""
    parser.add_argument("compose_id", metavar="COMPOSE_ID", help="a compose of the repository, or its branch")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="(default: text)")
    parser.add_argument("--all", action="store_true", help="list what passed too; json always does")
    parser.add_argument("--now", type=moment, metavar="TIME", help="decide as at this time, RFC 3339 (default: now)")
    parser.add_argument("--rev", metavar="REV", help="decide on a commit's files, not on those checked out")
    parser.add_argument(
        "--base",
        metavar="REV",
        help="take gate/ and what is published from this commit, and judge each commit of --rev since",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Decide, then print."""
    now: dt.datetime = arguments.now or environment.now()
    compose_id = _compose_id(arguments.compose_id)
    repository = Repository(arguments.repo, console.trace)
    tree: Tree = WorkingTree(arguments.repo) if arguments.rev is None else GitTree(repository, arguments.rev)
    main: Tree = tree if arguments.base is None else GitTree(repository, arguments.base)
    if tree.read(f"{compose_id.folder}/manifest.json") is None:
        where = arguments.repo.resolve() if arguments.rev is None else arguments.rev
        raise UsageError(
            f"{where} has no {compose_id.folder}/manifest.json; while its merge request is open, it is on its branch: "
            f"--rev origin/{compose_id.branch}"
        )
    with console.progress(f"reading {compose_id.folder}"):
        gate_files = _gate_files(main, now)
        rules: Rules = {"gate_files": gate_files, "main": main, "publications": Publications(), "now": now}
        is_line = arguments.base is not None and arguments.rev is not None
        if is_line and main.read(f"{compose_id.folder}/manifest.json") is None:
            branch = unattributed(
                repository, compose_id, base=arguments.base, heads=[arguments.rev], origins=gate_files.origins
            )
            decision, _ = judge_branch(branch, compose_id, **rules)
        else:
            opened = opened_at(repository, compose_id, gate_files, arguments.rev or "HEAD")
            decision = judge_files(main if is_line else tree, compose_id, opened_at=opened, **rules)
    if arguments.base is not None:
        console.info(UNATTRIBUTED)
    if arguments.format == "json":
        console.out(json_text(decision.to_dict()))
    else:
        lines = decision_text(
            decision,
            gate_files.origins,
            every=arguments.all,
            emphasize=lambda state, text: console.paint(PAINT[state], text),
        )
        console.out("\n".join(lines))
    return EXIT_CODE[decision.verdict]


def _compose_id(text: str) -> ComposeId:
    try:
        return ComposeId.parse(text.removeprefix("compose/"))
    except ComposeIdError as error:
        raise UsageError(str(error)) from error


def _gate_files(tree: Tree, now: dt.datetime) -> GateFiles:
    """Read the configuration; without a sound one there is no verdict, and that is not the compose's fault."""
    try:
        return load_gate(tree, now)
    except InputError as error:
        first, *more = sorted(error.problems)
        rest = f" (and {len(more)} more; compose-repo validate shows them)" if more else ""
        raise UsageError(f"{first.path}:{first.line}: {first.message}; {first.fix}{rest}") from error
