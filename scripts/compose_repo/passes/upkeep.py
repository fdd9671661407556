"""Finds a compose's merge request, and brings it back to what it should be before anything is judged or written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.composes.paths import COMPOSES
from compose_repo.core.escape import terminal
from compose_repo.core.forge.action import Plan
from compose_repo.core.forge.bots import Bot
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState, StaleHead
from compose_repo.core.forge.merge_requests import MERGED, Found, choose, newer_published, why_it_stays_closed
from compose_repo.core.plan.plan import Duplicate, plan_restore, restored
from compose_repo.core.problems.problem import UsageError
from compose_repo.core.rules.policy import Bots
from compose_repo.passes.session import Session
from compose_repo.ports.git.objects import GitTree
from compose_repo.words import wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """A compose's merge request as it should be, and what else bears its name.

    `plan` is what has to be written before it is so: empty unless it is a dry run. `stays_closed` says why a closed one
    is left closed.
    """

    merge_request: MergeRequest
    found: Found
    bots: Bots
    plan: Plan = ()
    stays_closed: str | None = None


def find(work: Session, compose_id: ComposeId, bot: Bot) -> tuple[Found, GitTree, Bots]:
    """Sort out the merge requests that bear a compose's name, for a session that acts as a bot of ours.

    Those that are not ours are named.

    Raises:
        InputError: the rules on main have problems.
        UsageError: the session's account is not that bot.

    """
    named = work.named(compose_id)
    main = work.main()  # after the merge requests: what they say is merged has to be there
    work.require(bot)
    bots = work.gate_files().bots
    is_on_main = main.read(compose_id.manifest_path) is not None
    found = choose(compose_id, named, bots=bots, target_branch=work.project.default_branch, is_on_main=is_on_main)
    for line in found.strangers:
        where = "a fork" if line.from_fork else "another branch"
        work.console.info(f"!{line.iid} by {line.author.username}, from {where}, is left alone: it bears the name only")
    return found, main, bots


def settle(work: Session, compose_id: ComposeId) -> Settled:
    """Find a compose's merge request; bring it back first if anybody has changed what it is.

    Raises:
        UsageError: there is none, or the account is not the gate bot's.
        StaleHead: it has been brought back, and has to be read anew.
        InputError: the rules on main have problems.

    """
    found, main, bots = find(work, compose_id, Bot.GATE)
    if found.ours is None:
        raise UsageError(_none(work, compose_id, found, bots))
    stays_closed = _why_it_stays_closed(work, compose_id, found.ours, main, bots)
    settled = Settled(merge_request=found.ours, found=found, bots=bots, stays_closed=stays_closed)
    if found.ours.state in MERGED or stays_closed is not None:
        return settled
    return bring_back(work, compose_id, settled)


def bring_back(work: Session, compose_id: ComposeId, settled: Settled) -> Settled:
    """Plan what brings the merge request back, even one that was to stay closed; apply it unless it is a dry run.

    Raises:
        StaleHead: something had to be done: it has been brought back, and has to be read anew.

    """
    ours, target_branch = settled.merge_request, work.project.default_branch
    plan = plan_restore(
        compose_id,
        merge_request=ours,
        duplicates=duplicates(work, compose_id, settled.found),
        target_branch=target_branch,
        branch_is_there=work.branch_is_there(compose_id.branch),
        me=work.forge.me(),
    )
    if not plan:
        return settled
    if work.dry_run:
        again = restored(ours, compose_id, target_branch)
        return replace(settled, merge_request=again, plan=plan, stays_closed=None)
    work.unmoved(ours)
    for action in plan:
        (work.console.info if work.as_json else work.console.out)(f"→ {terminal(action.sentence)}")
        work.apply((action,))
        work.done.append(action)
    raise StaleHead(f"!{ours.iid} has been brought back; run again")


def duplicates(work: Session, compose_id: ComposeId, found: Found) -> Sequence[Duplicate]:
    """Read what is on the duplicates, and find the words to close them."""
    words = wording.duplicate(compose_id, None if found.ours is None else found.ours.iid)
    return [Duplicate(merge_request=line, notes=work.forge.notes(line.iid), words=words) for line in found.duplicates]


def published(main: GitTree) -> Iterator[ComposeId]:
    """Give every compose that main holds: it has been published."""
    for folder in main.folders(COMPOSES):
        try:
            yield ComposeId.parse(folder)
        except ComposeIdError:
            continue


def _why_it_stays_closed(
    work: Session, compose_id: ComposeId, ours: MergeRequest, main: GitTree, bots: Bots
) -> str | None:
    if ours.state is not MergeRequestState.CLOSED:
        return None
    closer = ours.closed_by
    return why_it_stays_closed(
        ours,
        overtaken_by=newer_published(compose_id, published(main)),
        access_level=0 if closer is None else work.forge.access_level(closer.id),
        bots=bots,
    )


def _none(work: Session, compose_id: ComposeId, found: Found, bots: Bots) -> str:
    """Say that there is no merge request, and what there is instead."""
    open_it = "open it: compose-repo open"
    if found.astray is not None:
        return (
            f"!{found.astray.iid} of {compose_id} was merged into {found.astray.target_branch}, "
            f"not into {work.project.default_branch} as it is; {open_it}"
        )
    said = f"{compose_id} has no merge request of {bots.compose}'s in {work.project.path}"
    others = ", ".join(f"!{line.iid} by {line.author.username}" for line in found.duplicates)
    return f"{said} ({others}: never judged); {open_it}" if others else f"{said}; {open_it}"
