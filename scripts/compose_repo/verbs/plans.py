"""Runs the loop of a verb for one compose, and prints its plan."""

from collections.abc import Callable
from typing import Final

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import json_text
from compose_repo.core.forge.action import Action, to_dict
from compose_repo.core.forge.forge import StaleHead
from compose_repo.core.problems.problem import InputError
from compose_repo.passes.loop import Stage, carry_out, show_actions
from compose_repo.passes.work import Work

SCHEMA: Final = "plan/1"


def carry_out_and_print(
    work: Work,
    compose_id: ComposeId,
    next_stage: Callable[[], Stage],
    give_up: Callable[[StaleHead], Stage] | None = None,
) -> Stage:
    """Print each stage before it is applied, or that there is nothing to do.

    JSON is one document: what has been done, in a dry run what would be. It comes at the end, also where the rest could
    not be done; where problems are the answer, what was done is said beside it.
    """
    planned: list[Action] = []

    def show(stage: Stage) -> None:
        planned[:] = stage.plan
        if work.as_json:
            return
        show_actions(work, stage)
        if not stage.plan and not work.writer.applied and stage.error is None:
            work.console.out(stage.idle)

    try:
        stage = carry_out(work, next_stage, show, give_up=give_up)
    except InputError:
        if work.as_json:
            done = planned if work.dry_run else work.writer.applied
            show_actions(work, Stage(compose_id=compose_id, plan=tuple(done)))
        raise
    except Exception:
        if work.as_json and work.writer.applied:
            _print(work, compose_id, work.writer.applied)
        raise
    if work.as_json:
        _print(work, compose_id, planned if work.dry_run else work.writer.applied)
    return stage


def _print(work: Work, compose_id: ComposeId, actions: list[Action]) -> None:
    work.console.out(
        json_text({"schema": SCHEMA, "compose_id": str(compose_id), "actions": list(map(to_dict, actions))})
    )
