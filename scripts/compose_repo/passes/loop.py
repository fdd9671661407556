"""The one loop of every verb that writes: read, plan, show the plan, apply it, until nothing is left to be done."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import terminal
from compose_repo.core.forge.action import Plan, Stages
from compose_repo.core.forge.forge import MergeRequest, StaleHead
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.passes.judge import Judgement
from compose_repo.passes.work import Work
from compose_repo.passes.writer import Writer
from compose_repo.ports.console import Paint

ATTEMPTS: Final = 4
"""How often it is begun because somebody else has changed meanwhile what was read."""
MOST_STAGES: Final = 12
"""How many stages there may be; more of them mean that somebody undoes each."""


class Stage(Struct, frozen=True, kw_only=True):
    """A plan, and what follows it: nothing if all is as it should be, which `idle` says.

    `judged` is the merge request as it was judged, to be looked at again before anything is written on it. `writer` is
    that of another account than the verb's own. Where `more` is to follow, it is read and planned anew once this has
    been written, or without reading where it `outdates` nothing; `foreseen` is what will follow, as far as it can be
    told before, for a dry run. `error` is raised once the plan has been applied. `or_else` is told why the plan could
    not be written, where that stops nothing else.
    """

    compose_id: ComposeId
    plan: Plan = ()
    idle: str = ""
    merge_request: MergeRequest | None = None
    judged: MergeRequest | None = None
    judgement: Judgement | None = None
    writer: Writer | None = None
    more: bool = False
    outdates: bool = True
    foreseen: "Callable[[], Stage] | None" = None
    error: InputError | None = None
    or_else: Callable[[Exception], None] | None = None


def first_of(plans: Stages, stage: Stage) -> Stage:
    """Give the stage for the first of some plans; the others are foreseen, and so is what was to follow."""
    if len(plans) <= 1:
        return replace(stage, plan=plans[0] if plans else ())
    return replace(stage, plan=plans[0], more=True, foreseen=lambda: first_of(plans[1:], stage))


def show_actions(work: Work, stage: Stage) -> None:
    """Print what a stage will do; what comes beside one document, or before problems, is said aside."""
    tell = work.console.info if work.as_json or stage.error is not None else work.console.out
    for action in stage.plan:
        tell(f"{work.console.paint(Paint.STRONG, '→')} {terminal(action.sentence)}")


def carry_out(
    work: Work,
    next_stage: Callable[[], Stage],
    show: Callable[[Stage], None],
    *,
    anew: Callable[[], None] | None = None,
    give_up: Callable[[StaleHead], Stage] | None = None,
) -> Stage:
    """Plan, show and apply, stage by stage; begin again when somebody has changed meanwhile what was read.

    In a dry run everything that can be foreseen is shown as one stage, and nothing is applied. Gives the last stage.
    `give_up` gives what is done before it is told that things change faster than they are read.

    Raises:
        StaleHead: things change faster than they are read, or somebody undoes each stage.
        InputError: what a stage tells once it has been applied.

    """
    try:
        return _carry_out(work, next_stage, show, work.world.anew if anew is None else anew)
    except StaleHead as moving:
        if give_up is not None:
            stage = give_up(moving)
            show(stage)
            _write(work, stage)
        raise


def _carry_out(
    work: Work, next_stage: Callable[[], Stage], show: Callable[[Stage], None], read_anew: Callable[[], None]
) -> Stage:
    moves = 0
    for _ in range(MOST_STAGES):
        try:
            stage = _foreseen(next_stage()) if work.dry_run else next_stage()
            show(stage)
            _write(work, stage)
        except StaleHead as moved:
            moves += 1
            if moves == ATTEMPTS:
                raise StaleHead(f"{moved}, for the {ATTEMPTS}th time in this run; run again") from moved
            work.console.info(f"{moved}: reading it again")
            read_anew()
            continue
        if stage.error is not None:
            raise stage.error
        if work.dry_run or not stage.more:
            return stage
        if stage.outdates:
            read_anew()
    raise StaleHead("somebody undoes each write at once; run again")


def _write(work: Work, stage: Stage) -> None:
    if work.dry_run:
        return
    writer = work.writer if stage.writer is None else stage.writer
    try:
        writer.apply(stage.plan, stage.judged)
    except StaleHead:
        raise
    except (UsageError, OSError) as error:
        if stage.or_else is None:
            raise
        stage.or_else(error)


def _foreseen(stage: Stage) -> Stage:
    """Put together what this stage and those that follow it would write, as far as that can be told."""
    if stage.foreseen is None:
        return stage
    later = _foreseen(stage.foreseen())
    return replace(later, plan=(*stage.plan, *later.plan))
