"""What a pass over a stream has to do, and why: from its server's index, main, the merge requests, and the mirrors.

Nothing is remembered between passes: the same values give the same steps, and once they are done there are none left
that write.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId, Status
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.policy import Mode, StreamEntry
from compose_repo.core.streams.promotion import has_ended, is_due, records_of
from compose_repo.core.verdict.decision import Hold, Verdict
from compose_repo.core.verdict.decision_text import hold_words

NOT_YET: Final = frozenset(
    {
        Code.COMPOSE_CHANGED,
        Code.COMPOSE_ID_MISSING,
        Code.COMPOSE_NOT_FOUND,
        Code.METADATA_MISSING,
        Code.METADATA_NOT_JSON,
        Code.METADATA_TRUNCATED,
        Code.NOT_A_COMPOSE,
        Code.SOURCE_STATUS,
        Code.SOURCE_TIMEOUT,
        Code.SOURCE_TRUNCATED,
        Code.SOURCE_UNREACHABLE,
        Code.STATUS_MISSING,
        Code.STATUS_UNFINISHED,
    }
)
"""What is found wrong with a compose that is still being written or copied: the next pass looks again."""


class Do(StrEnum):
    """What is done for a compose."""

    OPEN = "open"
    MERGE = "merge"
    CLOSE = "close"
    JUDGE = "judge"
    LEAVE = "leave"
    PROMOTE = "promote"
    RETRACT = "retract"


class Why(StrEnum):
    """Why it is done, or left."""

    FIRST_SEEN = "first-seen"
    CARRIED = "carried"
    SATISFIED = "satisfied"
    OVERTAKEN = "overtaken"
    IS_OPEN = "is-open"
    IS_CLOSED = "is-closed"
    NOT_READY = "not-ready"
    NOT_ACCEPTED = "not-accepted"
    LIMIT = "limit"
    NO_OPENER = "no-opener"
    PIPELINE = "pipeline"
    HELD = "held"
    TURNED = "turned-satisfied"
    TURNED_BACK = "turned-back"
    UNPROMOTED = "unpromoted"


_WORDS: Final = {
    Why.FIRST_SEEN: "it is finished and new",
    Why.CARRIED: "the mirrors carry it",
    Why.SATISFIED: "the gate is satisfied, and merging starts publishing",
    Why.OVERTAKEN: "it supersedes older composes",
    Why.IS_OPEN: "it is open",
    Why.IS_CLOSED: "it is closed, perhaps by a user who may not close it",
    Why.NOT_READY: "it is not ready",
    Why.NOT_ACCEPTED: "its status is not one that gate/streams.toml accepts",
    Why.LIMIT: "one run opens no more, and older composes come first",
    Why.NO_OPENER: "COMPOSE_REPO_OPENER_TOKEN is not set",
    Why.HELD: "it is satisfied, but must not go out",
    Why.PIPELINE: "it is satisfied, and merged as soon as its pipeline has succeeded",
    Why.TURNED: "it has turned satisfied, and the stream has a hook for that",
    Why.TURNED_BACK: "it was satisfied and no longer is",
    Why.UNPROMOTED: "it is not known whether its promotion worked",
}


class Step(Struct, frozen=True, kw_only=True):
    """One step of a pass; of a compose that is left, `problems` or `held` say in particular why."""

    do: Do
    compose_id: ComposeId
    why: Why
    problems: tuple[Problem, ...] = ()
    held: Hold | None = None

    @property
    def reason(self) -> str:
        """Why, in words."""
        told = "; ".join(problem.message for problem in self.problems)
        if self.held is not None:
            told = hold_words(self.held)
        return f"{_WORDS[self.why]}: {told}" if told else _WORDS[self.why]


Readiness: TypeAlias = Mapping[ComposeId, Status | tuple[Problem, ...]]
"""Of each compose that was looked at its status, or what is wrong with it."""


class Carried(Struct, frozen=True, kw_only=True):
    """What the mirrors carry: None where it is nothing, or not known, which `why_not` tells apart."""

    compose_id: ComposeId | None = None
    why_not: str | None = None


class StreamView(Struct, frozen=True, kw_only=True):
    """A stream as it is, compose by compose.

    `on_server` is None where no index could be read, and not whole where one of several could not. `merged` are those
    on main, `opened` and `closed` those with a merge request of the compose bot's in that state.
    """

    entry: StreamEntry
    on_server: frozenset[ComposeId] | None
    merged: frozenset[ComposeId]
    opened: frozenset[ComposeId]
    closed: frozenset[ComposeId] = frozenset()
    carried: Carried = Carried()
    is_whole: bool = True


def followed(ids: Iterable[ComposeId], entry: StreamEntry) -> frozenset[ComposeId]:
    """Choose the composes of a stream that are of a type it follows; an index may list others beside them."""
    return frozenset(one for one in ids if one.stream == entry.stream and one.type in entry.types)


def newest_published(view: StreamView) -> ComposeId | None:
    """Give the newest compose that counts as published: on main, or carried by the mirrors.

    Where COMPOSE_ID goes back to an older compose, the newer one stays published: it was tested and shipped.
    """
    carried = () if view.carried.compose_id is None else (view.carried.compose_id,)
    return max((*view.merged, *carried), default=None)


def is_overtaken(compose_id: ComposeId, view: StreamView) -> bool:
    """Tell whether a compose is older than what is published: it is neither opened nor merged any more."""
    newest = newest_published(view)
    return newest is not None and compose_id < newest


def is_age_known(view: StreamView) -> bool:
    """Tell whether it is known what is old: something is on main, or the mirrors say what they carry.

    Else a new project whose mirrors are being pushed to would open composes from years ago.
    """
    return bool(view.merged) or view.carried.why_not is None


def candidates(view: StreamView) -> tuple[ComposeId, ...]:
    """Give what is on the server, newer than what is published, and neither merged nor open; oldest first."""
    if not is_age_known(view):
        return ()
    known = view.merged | view.opened
    found = (view.on_server or frozenset()) - known
    return tuple(sorted(one for one in found if one != view.carried.compose_id and not is_overtaken(one, view)))


def unseen(view: StreamView) -> tuple[ComposeId, ...]:
    """Give the candidates that never had a merge request, oldest first; not only the newest."""
    return tuple(one for one in candidates(view) if one not in view.closed)


def plan_publishing(view: StreamView) -> tuple[Step, ...]:
    """Merge what the mirrors carry, opening it first if it was never seen, and close what main has overtaken.

    COMPOSE_ID may jump over composes, which are superseded then; go back to one that was superseded, which is opened
    again; or name one that is merged already, which needs nothing. Where merging leads to publishing, the mirrors are
    behind main, and what they carry is no news unless it is newer than all of main.
    """
    steps: list[Step] = []
    carried, newest = view.carried.compose_id, max(view.merged, default=None)
    if carried is not None and carried not in view.merged and not _is_behind(view, carried):
        if carried not in view.opened | view.closed:
            steps.append(Step(do=Do.OPEN, compose_id=carried, why=Why.CARRIED))
        steps.append(Step(do=Do.MERGE, compose_id=carried, why=Why.CARRIED))
        left = {one for one in view.opened if not one < carried and one != carried}
    else:
        left = set(view.opened)
    if newest is not None and any(one < newest for one in left):
        steps.append(Step(do=Do.CLOSE, compose_id=newest, why=Why.OVERTAKEN))
    return tuple(steps)


def _is_behind(view: StreamView, carried: ComposeId) -> bool:
    return view.entry.mode is Mode.GATING and any(carried < one for one in view.merged)


def plan_opening(view: StreamView, readiness: Readiness, *, may_open: bool) -> tuple[Step, ...]:
    """Open what was never seen and is finished, oldest first, as many as the stream allows in one pass.

    `readiness` is the status of each that has been looked at, or what is wrong with it. What is not ready counts
    nothing against the limit; what comes after the limit need not have been looked at.
    """
    steps: list[Step] = []
    for compose_id in unseen(view):
        if not may_open:
            steps.append(Step(do=Do.LEAVE, compose_id=compose_id, why=Why.NO_OPENER))
        elif sum(step.do is Do.OPEN for step in steps) >= view.entry.open_at_most:
            steps.append(Step(do=Do.LEAVE, compose_id=compose_id, why=Why.LIMIT))
        else:
            steps.append(_opened_or_left(view.entry, compose_id, readiness[compose_id]))
    return tuple(steps)


def _opened_or_left(entry: StreamEntry, compose_id: ComposeId, state: Status | tuple[Problem, ...]) -> Step:
    if isinstance(state, tuple):
        return Step(do=Do.LEAVE, compose_id=compose_id, why=Why.NOT_READY, problems=state)
    if state not in entry.statuses:
        return Step(do=Do.LEAVE, compose_id=compose_id, why=Why.NOT_ACCEPTED)
    return Step(do=Do.OPEN, compose_id=compose_id, why=Why.FIRST_SEEN)


def plan_judging(view: StreamView) -> tuple[Step, ...]:
    """Judge every compose that is open, oldest first, and look after those that are closed and not overtaken."""
    closed = view.closed - view.opened - view.merged
    return (
        *(Step(do=Do.JUDGE, compose_id=one, why=Why.IS_OPEN) for one in sorted(view.opened)),
        *(
            Step(do=Do.JUDGE, compose_id=one, why=Why.IS_CLOSED)
            for one in sorted(closed)
            if not is_overtaken(one, view)
        ),
    )


Holds: TypeAlias = Mapping[ComposeId, Hold]
"""Of each compose that is held, the hold on it."""
NOTHING_HELD: Final[Holds] = MappingProxyType({})


def plan_promoting(
    view: StreamView, verdicts: Mapping[ComposeId, Verdict], refs: Collection[str], holds: Holds = NOTHING_HELD
) -> tuple[Step, ...]:
    """Call the stream's hook for what has turned satisfied, oldest first; record what is satisfied no more.

    `refs` are the records. What was called for once is not called for again; where nobody knows whether it was, that is
    told in each pass. What is older than what is published needs no promotion. What is held is left: its promotion is
    due when the hold ends. One that was called for before the hold is not called for again.
    """
    steps: list[Step] = []
    for one in sorted(view.opened if view.entry.promote is not None else ()):
        records, verdict = records_of(one, refs), verdicts.get(one)
        problem = records.problem
        if has_ended(records, verdict):
            steps.append(Step(do=Do.RETRACT, compose_id=one, why=Why.TURNED_BACK))
        elif problem is not None:
            steps.append(Step(do=Do.LEAVE, compose_id=one, why=Why.UNPROMOTED, problems=(problem,)))
        elif is_due(records, verdict) and not is_overtaken(one, view):
            steps.append(_unless_held(Step(do=Do.PROMOTE, compose_id=one, why=Why.TURNED), holds))
    return tuple(steps)


def plan_gated(
    view: StreamView,
    verdicts: Mapping[ComposeId, Verdict],
    promoted: Collection[ComposeId] = (),
    holds: Holds = NOTHING_HELD,
) -> tuple[Step, ...]:
    """Merge what is satisfied where merging leads to publishing, oldest first, never past a newer published one.

    Where the stream has a hook, it is the call that leads to publishing: only what is `promoted` is merged.
    Oldest first, although the newest one alone would be enough: so a pass that comes late, and finds two, leaves what
    two passes in time would have left. What is held is left.
    """
    if view.entry.mode is not Mode.GATING:
        return ()
    return tuple(
        _unless_held(Step(do=Do.MERGE, compose_id=one, why=Why.SATISFIED), holds)
        for one in sorted(view.opened)
        if verdicts.get(one) is Verdict.SATISFIED
        and not is_overtaken(one, view)
        and (view.entry.promote is None or one in promoted)
    )


def _unless_held(step: Step, holds: Holds) -> Step:
    held = holds.get(step.compose_id)
    return step if held is None else Step(do=Do.LEAVE, compose_id=step.compose_id, why=Why.HELD, held=held)


def has_vanished(compose_id: ComposeId, view: StreamView, *, results: int) -> bool | None:
    """Tell whether a compose has gone from its server before any result came; None where that is not known.

    An index in which nothing of the stream is left proves nothing: it is the server's mistake rather than its word.
    """
    if not view.on_server or (compose_id not in view.on_server and not view.is_whole):
        return None
    return compose_id not in view.on_server and results == 0


def is_not_yet(problems: Iterable[Problem]) -> bool:
    """Tell whether a compose is only not there yet: every problem may be gone in the next pass."""
    return all(problem.code in NOT_YET for problem in problems)
