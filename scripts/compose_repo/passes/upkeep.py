"""Finds a compose's merge request, and plans what brings it back to what it should be, before anything else is done."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Plan, Stages
from compose_repo.core.forge.bots import Bot
from compose_repo.core.forge.forge import FileLock, MergeRequest, MergeRequestState
from compose_repo.core.forge.merge_requests import MERGED, Found, choose, newer_published, why_it_stays_closed
from compose_repo.core.plan.plan import Duplicate, plan_restore, plan_second_notes, restored
from compose_repo.core.problems.problem import UsageError
from compose_repo.core.rules.policy import Bots
from compose_repo.passes.describe import published
from compose_repo.passes.loop import Stage, first_of
from compose_repo.passes.work import Work
from compose_repo.ports.git.objects import GitTree
from compose_repo.words import wording

MOST_LOCKS: Final = 100
"""How many locks on files one stage takes off."""


class Settled(Struct, frozen=True, kw_only=True):
    """A compose's merge request, what else bears its name, and what is to be written before it is as it should be.

    `stays_closed` says why a closed one is left closed.
    """

    merge_request: MergeRequest
    found: Found
    bots: Bots
    stages: Stages = ()
    stays_closed: str | None = None


def find(work: Work, compose_id: ComposeId, bot: Bot) -> tuple[Found, GitTree, Bots]:
    """Sort out the merge requests that bear a compose's name, for an account that acts as one of the two bots.

    Those that are not ours are named.

    Raises:
        InputError: the rules on main have problems.
        UsageError: the account is not that bot's.

    """
    world = work.world
    named = world.named(compose_id)
    main = world.main()  # after the merge requests: what they say is merged has to be there
    world.require(bot)
    bots = world.gate_files().bots
    is_on_main = main.read(compose_id.manifest_path) is not None
    found = choose(compose_id, named, bots=bots, target_branch=world.project.default_branch, is_on_main=is_on_main)
    for line in found.strangers:
        where = "a fork" if line.from_fork else "another branch"
        work.console.info(f"!{line.iid} by {line.author.username}, from {where}, is left alone: only its name fits")
    return found, main, bots


def settle(work: Work, compose_id: ComposeId, *, closely: bool = False) -> Settled:
    """Find a compose's merge request, and plan what brings it back if anybody has changed what it is.

    With `closely`, an open one is read by itself: GitLab may keep a list as it was for hours, and a lock on a file,
    which bars merging alone, makes no difference to it.

    Raises:
        UsageError: there is none, or the account is not the gate bot's.
        InputError: the rules on main have problems.

    """
    found, main, bots = find(work, compose_id, Bot.GATE)
    if found.ours is None:
        raise UsageError(_none(work, compose_id, found, bots))
    ours = found.ours
    if closely and ours.state is MergeRequestState.OPENED:
        ours = work.world.forge.merge_request(ours.iid)
    stays_closed = _why_it_stays_closed(work, compose_id, ours, main, bots)
    settled = Settled(merge_request=ours, found=found, bots=bots, stays_closed=stays_closed)
    if ours.state in MERGED or stays_closed is not None:
        return settled
    return to_bring_back(work, compose_id, settled)


def to_bring_back(work: Work, compose_id: ComposeId, settled: Settled) -> Settled:
    """Plan what brings the merge request back, even one that was to stay closed."""
    world = work.world
    stages = plan_restore(
        compose_id,
        merge_request=settled.merge_request,
        duplicates=duplicates(work, compose_id, settled.found),
        target_branch=world.project.default_branch,
        branch_is_there=world.branch_is_there(compose_id.branch),
        me=world.forge.me(),
        locks=_locks(work, compose_id) if settled.merge_request.is_locked else (),
    )
    return replace(settled, stages=stages, stays_closed=None)


def _locks(work: Work, compose_id: ComposeId) -> Sequence[FileLock]:
    """Give the locks to be taken off one that they bar, its own folder's first; of very many the next run takes more.

    Any of the others may bar it too, or the commit that restores it: nothing in the project is meant to be locked.
    """

    def is_elsewhere(lock: FileLock) -> bool:
        return not lock.path.startswith(f"{compose_id.folder}/")

    return sorted(work.world.forge.file_locks(), key=is_elsewhere)[:MOST_LOCKS]


def brought_back(
    work: Work, compose_id: ComposeId, settled: Settled, noted: set[int], go_on: Callable[[Settled], Stage]
) -> Stage:
    """Give the stage that brings a merge request back; where nothing is to be brought back, go on.

    `noted` is kept from stage to stage, for `second_notes`.
    """
    left = second_notes(work, noted, settled.found.duplicates)
    stages = (left, *settled.stages) if left else settled.stages
    if not stages:
        return go_on(settled)
    ours, target = settled.merge_request, work.world.project.default_branch
    as_it_will_be = replace(settled, merge_request=restored(ours, compose_id, target), stages=())
    stage = Stage(
        compose_id=compose_id,
        merge_request=ours,
        judged=ours,
        more=True,
        foreseen=lambda: go_on(as_it_will_be),
    )
    return first_of(stages, stage)


def second_notes(work: Work, noted: set[int], to_close: Iterable[MergeRequest]) -> Plan:
    """Plan the deletion of second notes on merge requests that another run has closed while this one closes them.

    Both have said there why. `noted` are those on which this run has, from stage to stage; these are added to it.
    """
    still = {line.iid for line in to_close}
    forge, gone = work.world.forge, sorted(noted - still)
    noted.update(still)
    return tuple(action for iid in gone for action in plan_second_notes(iid, forge.notes(iid), forge.me()))


def duplicates(work: Work, compose_id: ComposeId, found: Found) -> Sequence[Duplicate]:
    """Read what is on the duplicates, and find the words to close them."""
    words = wording.duplicate(compose_id, None if found.ours is None else found.ours.iid)
    notes = work.world.forge.notes
    return [Duplicate(merge_request=line, notes=notes(line.iid), words=words) for line in found.duplicates]


def _why_it_stays_closed(
    work: Work, compose_id: ComposeId, ours: MergeRequest, main: GitTree, bots: Bots
) -> str | None:
    if ours.state is not MergeRequestState.CLOSED:
        return None
    closer = ours.closed_by
    return why_it_stays_closed(
        ours,
        overtaken_by=newer_published(compose_id, published(main)),
        access_level=0 if closer is None else work.world.forge.access_level(closer.id),
        bots=bots,
    )


def _none(work: Work, compose_id: ComposeId, found: Found, bots: Bots) -> str:
    """Say that there is no merge request, and what exists instead."""
    open_it = "open it: compose-repo open"
    project = work.world.project
    if found.astray is not None:
        return (
            f"!{found.astray.iid} of {compose_id} was merged into {found.astray.target_branch}, "
            f"not into {project.default_branch} as it is; {open_it}"
        )
    said = f"{compose_id} has no merge request of {bots.compose}'s in {project.path}"
    others = ", ".join(f"!{line.iid} by {line.author.username}" for line in found.duplicates)
    return f"{said} ({others}: never judged); {open_it}" if others else f"{said}; {open_it}"
