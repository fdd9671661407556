"""Applies the safe settings to a GitLab project, or to a pair; says what only people can do."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Final

from compose_repo.core.escape import json_text, terminal
from compose_repo.core.hardening import BEGINNING, State, begun, examine, plan_setup
from compose_repo.core.hardening.administration import Action, Dispensable, Plan, Protect, Refused, to_dict
from compose_repo.core.hardening.rule import Seen
from compose_repo.core.problems.problem import InputError
from compose_repo.passes.survey import Surveyor
from compose_repo.ports.console import Console, Paint
from compose_repo.verbs.arguments import add_survey_arguments, surveying
from compose_repo.verbs.exit_codes import OK, PROBLEMS
from compose_repo.words import wording

EXAMPLE: Final = """
compose-repo setup --dry-run
compose-repo setup --gate-project centos/compose-gate
"""
SCHEMA: Final = "setup/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which projects, and whether anything is written."""
    add_survey_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the plan (default: text)"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the plan of differences, apply it, check the result, and say what is left for people."""
    with surveying("setup", arguments, console) as surveyor:
        seen = surveyor.look(at_streams=False)
        if seen[0].gate.problems:
            raise InputError(*seen[0].gate.problems)
        shown: list[Action] = []
        given_up: dict[Action, Refused] = {}
        # What has been tried once is not tried again: what GitLab did not take is told.
        while plan := _plan(seen, besides=shown):
            _show(plan, console, as_json=arguments.format == "json")
            _warn(seen, plan, console)
            shown += plan
            if arguments.dry_run:
                break
            given_up |= _apply(surveyor, seen, plan, console)
            seen = surveyor.look(at_streams=False)
        _conclude(seen, shown, console, as_json=arguments.format == "json")
        if arguments.dry_run:
            return OK
        left = [action for action in _plan(seen) if not isinstance(given_up.get(action), Dispensable)]
        for action in left:
            if action not in given_up:
                console.error(f"GitLab did not accept it: {terminal(action.sentence)}")
        _tell_people(seen, console)
        return PROBLEMS if left else OK


def _plan(seen: Sequence[Seen], *, besides: Sequence[Action] = ()) -> Plan:
    return tuple(action for one in seen for action in plan_setup(one) if action not in besides)


def _show(plan: Plan, console: Console, *, as_json: bool) -> None:
    if not as_json:
        for action in plan:
            console.out(f"{console.paint(Paint.STRONG, '→')} {terminal(action.sentence)}")


def _conclude(seen: Sequence[Seen], shown: Sequence[Action], console: Console, *, as_json: bool) -> None:
    """Give the one document that JSON is, or say that there was nothing to do."""
    if as_json:
        paths = [one.project.path for one in seen]
        answer = {
            "schema": SCHEMA,
            "project": paths[0],
            "gate_project": paths[1] if len(paths) > 1 else None,
            "actions": list(map(to_dict, shown)),
        }
        console.out(json_text(answer))
    elif not shown:
        console.out(f"{' and '.join(one.project.path for one in seen)}: already set up, nothing to do")


def _apply(surveyor: Surveyor, seen: tuple[Seen, ...], plan: Plan, console: Console) -> Mapping[Action, Refused]:
    """Apply a plan; give what GitLab refuses, and why: one setting that it will not have keeps no other back."""
    administrators, given_up = surveyor.administrators(seen), {}
    for action in plan:
        try:
            with console.progress(action.sentence):
                administrators[action.project].apply(action)
        except Refused as refused:
            console.error(terminal(str(refused)))
            given_up[action] = refused
    return given_up


def _tell_people(seen: Sequence[Seen], console: Console) -> None:
    """Say what no plan fixes, and what it takes to begin: accounts and tokens are made by people."""
    checks = [check for one in seen for check in examine(one)]
    broken = [check for check in checks if check.state is State.BROKEN and not check.rule.by_setup]
    steps = wording.owner_steps(
        [check for check in broken if check.rule.code not in BEGINNING],
        done=begun(checks),
        bots=seen[0].gate.bots,
        home=seen[-1].project,
        pair=len(seen) > 1,
    )
    console.info(steps.rstrip())


def _warn(seen: Sequence[Seen], plan: Plan, console: Console) -> None:
    """Say what people will notice first: whoever could push to main cannot any more."""
    for one in seen:
        path, main = one.project.path, one.project.default_branch
        if any(isinstance(action, Protect) and (action.project, action.branch) == (path, main) for action in plan):
            console.info(
                f"{path}: direct pushes to {terminal(main)} end with this, yours too: from then on every change of it "
                "comes by merge request"
            )
