"""Says what about a GitLab project, or the pair, is not as it should be, why it matters, and how to fix it."""

import argparse
from collections.abc import Sequence
from typing import Final

from compose_repo.core.escape import json_text, terminal
from compose_repo.core.hardening import SCHEMA, Check, State, examine, is_stopped, is_unsafe
from compose_repo.core.hardening.release import Template
from compose_repo.core.hardening.rule import Seen, Severity
from compose_repo.ports.console import Console, Paint
from compose_repo.ports.environment import environment
from compose_repo.verbs.arguments import add_survey_arguments, surveying
from compose_repo.verbs.exit_codes import OK, PROBLEMS

EXAMPLE: Final = """
compose-repo doctor
compose-repo doctor --gate-project centos/compose-gate --all
compose-repo doctor --template https://gitlab.com/CentOS/compose-repo.git
compose-repo doctor --format json
"""
PAINT: Final = {Severity.UNSAFE: Paint.BAD, Severity.STOPPED: Paint.BAD, Severity.ADVICE: Paint.WAITING}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which projects, and what to print."""
    add_survey_arguments(parser)
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the answer (default: text)"
    )
    parser.add_argument(
        "--template",
        metavar="URL",
        help="the template's address, a git URL or a path: also say whether it has a newer version "
        "(default: COMPOSE_REPO_TEMPLATE)",
    )
    parser.add_argument("--all", action="store_true", help="list the checks that are fine, too; json always does")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read the settings, check every rule, print; exit 1 if anything is unsafe, or the project does not run."""
    with surveying("doctor", arguments, console) as surveyor:
        template = surveyor.template(arguments.template or environment().template)
        seen = surveyor.look(at_streams=True, template=template)
    checks = [check for one in seen for check in examine(one)]
    if template.warning is not None:
        console.info(f"warning: {terminal(template.warning)}")
    if arguments.format == "json":
        console.out(json_text(_document(seen, template, checks)))
    else:
        for check in checks:
            _tell(check, console, everything=arguments.all)
        if template.version is not None:
            console.out(terminal(template.sentence))
        console.out(_summary(checks))
    return PROBLEMS if is_unsafe(checks) or is_stopped(checks) else OK


def _document(seen: Sequence[Seen], template: Template, checks: Sequence[Check]) -> dict[str, object]:
    paths = [one.project.path for one in seen]
    return {
        "schema": SCHEMA,
        "project": paths[0],
        "gate_project": paths[1] if len(paths) > 1 else None,
        "template": template.to_dict(),
        "safe": not is_unsafe(checks),
        "runs": not is_stopped(checks),
        "checks": [check.to_dict() for check in checks],
    }


def _tell(check: Check, console: Console, *, everything: bool) -> None:
    rule = check.rule
    match check.state:
        case State.BROKEN:
            word = console.paint(PAINT[rule.severity], str(rule.severity))
            for finding in check.findings:
                console.out(f"{word} {rule.code}: {check.project}: {finding}")
            console.out(f"    why:  {rule.why}\n    fix: {rule.fix}")
        case State.FINE if everything:
            console.out(f"{console.paint(Paint.GOOD, 'fine')} {rule.code}: {check.project}: {rule.law}")
        case State.ABSENT if everything:
            console.out(f"{console.paint(Paint.FAINT, 'skip')} {rule.code}: {check.project}: {check.absent}")
        case _:
            return


def _summary(checks: Sequence[Check]) -> str:
    broken = [check.rule.severity for check in checks if check.state is State.BROKEN]
    fine = sum(check.state is State.FINE for check in checks)
    absent = sum(check.state is State.ABSENT for check in checks)
    stopped = broken.count(Severity.STOPPED)
    parts = [
        f"{len(checks)} checks: {fine} fine",
        f"{broken.count(Severity.UNSAFE)} unsafe",
        *([f"{stopped} that stop it"] if stopped else []),
        f"{broken.count(Severity.ADVICE)} to look at",
        *([f"{absent} do not apply or cannot be made here (--all says why)"] if absent else []),
    ]
    return f"{', '.join(parts)}; the project {'does not run' if stopped else 'runs'}"
