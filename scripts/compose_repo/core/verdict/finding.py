"""What the reports of one cell come to, by the word of one requirement."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from typing import Final, NamedTuple

from msgspec.structs import replace

from compose_repo.core.result import CONCLUSIVE, IN_PROGRESS, NOT_RUN, Outcome
from compose_repo.core.rules.policy import Attempts, Passes, Requirement
from compose_repo.core.verdict.attempts import (
    BEGINNING,
    END,
    SHOWN,
    Attempt,
    History,
    as_they_came,
    attempt_of,
    counted_by_outcome,
    last_of,
    sequence,
    told,
)
from compose_repo.core.verdict.decision import State, Usual


class Finding(NamedTuple):
    """A state and why; `counted` is the attempt that decided, or None.

    `tells` says what several attempts came to. `is_open`: the attempts that are wanted are not all there yet. `late`
    are the attempts that came too late to count.
    """

    state: State
    reason: str = ""
    counted: Attempt | None = None
    flaky: bool = False
    tells: Callable[[], str] | None = None
    is_open: bool = False
    late: Sequence[Attempt] = ()


def judge(requirement: Requirement, history: History, usual: Usual | None = None) -> Finding:
    """Let the attempts that count speak for their cell.

    A conclusive attempt always counts before one that is not: an error of the lab, a rerun in progress or a skip never
    replaces a verdict. A skip that is accepted by name is the weakest verdict. Without any verdict, an error counts
    unless a rerun is known to have started after it; what was only skipped is missing. Where the requirement asks how
    many tests ran, `usual` says how many do, None if that is not known.
    """
    if requirement.counts_all and requirement.complete is None:
        finding = _at_once(requirement, history)
        if finding is not None:
            return finding
    attempts = history.attempts()
    if requirement.complete is not None:
        attempts = [_if_complete(attempt, requirement, requirement.complete, usual) for attempt in attempts]
    return judge_attempts(requirement, attempts)


def _at_once(requirement: Requirement, history: History) -> Finding | None:
    """Judge what most cells have: conclusive results, each of one attempt, of which none came too late.

    None where that is not so, or where a tie is to be broken: `judge_attempts` gives the same, and takes longer.
    """
    extremes = _extremes(requirement, history)
    if extremes is None:
        return None
    good, bad, passed_at, failed_at, first_failed_at = extremes
    passed, failed = _attempt_at(history, good), _attempt_at(history, bad)
    if failed is None:
        return None if passed is None else Finding(State.PASSED, "", passed)
    if passed is None:
        return Finding(State.FAILED, _not_accepted(failed), failed)
    flaky = passed_at > first_failed_at
    if requirement.attempts is Attempts.LATEST and passed_at > failed_at:
        return Finding(State.PASSED, "", passed, flaky, partial(_told_of, history, passed))
    return Finding(State.FAILED, _not_accepted(failed), failed, flaky, partial(_told_of, history, failed))


def _extremes(
    requirement: Requirement, history: History
) -> tuple[int, int, dt.datetime, dt.datetime, dt.datetime] | None:
    """Find the last pass and the last failure, by place, -1 where there is none; when they were, and the first failure.

    None where more than that has to be looked at. This is the gate's innermost loop.
    """
    if history.retries:
        return None
    accepted = requirement.accept & CONCLUSIVE
    good = bad = -1
    passed_at = failed_at = BEGINNING
    first_failed_at = END
    for place, outcome, source in zip(count(), history.outcomes, history.sources, strict=False):
        made = source.made
        if outcome in accepted:
            if made >= passed_at:
                if made == passed_at and good >= 0:
                    return None
                good, passed_at = place, made
        elif outcome not in CONCLUSIVE:
            return None
        else:
            if made >= failed_at:
                if made == failed_at and bad >= 0:
                    return None
                bad, failed_at = place, made
            first_failed_at = min(made, first_failed_at)
    return good, bad, passed_at, failed_at, first_failed_at


def _attempt_at(history: History, place: int) -> Attempt | None:
    return None if place < 0 else attempt_of(history.sources[place], history.results[place])


def _told_of(history: History, counted: Attempt) -> str:
    if len(history) > SHOWN:
        return f"{counted.outcome}; {counted_by_outcome(history.outcomes)}"
    return told(history.attempts(), counted)


def judge_attempts(requirement: Requirement, history: Sequence[Attempt]) -> Finding:
    """Let those of some attempts that count speak for their cell, as `judge` says."""
    conclusive = [attempt for attempt in history if attempt.outcome in CONCLUSIVE]
    if conclusive:
        return _judge_conclusive(requirement, conclusive)
    skips = [attempt for attempt in history if attempt.outcome in NOT_RUN]
    accepted = [attempt for attempt in skips if attempt.outcome in requirement.accept]
    if accepted:
        last = last_of(accepted)
        return Finding(State.PASSED, f"{last.outcome}, which is accepted", last)
    errors = [attempt for attempt in history if attempt.outcome is Outcome.ERROR]
    reruns = [attempt for attempt in history if attempt.outcome in IN_PROGRESS]
    if reruns:
        rerun = last_of(reruns)
        if not errors or _is_after(rerun, last_of(errors)):
            return Finding(State.RUNNING, rerun.outcome.value, rerun)
    if errors:
        error = last_of(errors)
        why = error.result.error_reason or "no reason given"
        return Finding(State.ERRORED, f"infrastructure error: {why}", error)
    last = last_of(skips)
    return Finding(State.MISSING, f"only {last.outcome}, which is not a result", last)


def conclusion(requirement: Requirement, history: History) -> bool | None:
    """Return whether a cell of a published compose passed; None where nothing in it is conclusive.

    How many tests ran is not asked there: that would ask for what had been published before, and so on.
    """
    extremes = _extremes(requirement, history) if requirement.counts_all else None
    if extremes is None:
        state = judge(without_completeness(requirement), history).state
        return state is State.PASSED if state in _CONCLUDED else None
    good, bad, passed_at, failed_at, _ = extremes
    return bad < 0 or (good >= 0 and requirement.attempts is Attempts.LATEST and passed_at > failed_at)


def tests_run(requirement: Requirement, history: History) -> int | None:
    """Return how many tests ran, by the attempt that counts in a cell; None where it does not say so."""
    counted = judge(without_completeness(requirement), history).counted
    return None if counted is None or counted.result.counts is None else counted.result.counts.run


def without_completeness(requirement: Requirement) -> Requirement:
    """Give a requirement that does not ask how many tests ran."""
    return requirement if requirement.complete is None else replace(requirement, complete=None)


_CONCLUDED: Final = frozenset({State.PASSED, State.FAILED})


def _if_complete(attempt: Attempt, requirement: Requirement, share: int, usual: Usual | None) -> Attempt:
    """Read a pass of too few tests as an error; a failure stays one, however few tests ran.

    A pass that does not say how many tests ran cannot be known to be one. Where it is not known how many usually run,
    nothing is concluded from a number.
    """
    if attempt.outcome not in CONCLUSIVE or attempt.outcome not in requirement.accept:
        return attempt
    counts = attempt.result.counts
    if counts is None:
        why = f"{attempt.outcome}, but it does not say how many tests ran"
    elif usual is not None and 100 * counts.run < share * usual.median:
        why = f"{attempt.outcome}, but only {counts.run} tests ran, under {share}% of the usual {usual.median:g}"
    else:
        return attempt
    result = replace(attempt.result, outcome=Outcome.ERROR, error_reason=why)
    return replace(attempt, outcome=Outcome.ERROR, result=result)


def _judge_conclusive(requirement: Requirement, conclusive: Sequence[Attempt]) -> Finding:
    if requirement.passes is not None:
        return _enough_of(requirement, requirement.passes, conclusive)
    late: Sequence[Attempt] = ()
    if requirement.max_attempts is not None and len(conclusive) > requirement.max_attempts:
        conclusive, late = _in_time(requirement, requirement.max_attempts, conclusive)
    return _one_of(requirement, conclusive)._replace(late=late)


def _in_time(
    requirement: Requirement, most: int, conclusive: Iterable[Attempt]
) -> tuple[Sequence[Attempt], Sequence[Attempt]]:
    """Part attempts into those that count and those that came too late: no pass after so many attempts counts.

    A failure always counts. Attempts are numbered as they came to the branch, whatever time they give.
    """
    ordered = as_they_came(conclusive)
    late = [attempt for attempt in ordered[most:] if attempt.outcome in requirement.accept]
    further = [attempt for attempt in ordered[most:] if attempt.outcome not in requirement.accept]
    return [*ordered[:most], *further], late


def _one_of(requirement: Requirement, conclusive: Sequence[Attempt]) -> Finding:
    """Take the last attempt, or the worst, by the requirement's word; a tie in time goes to the worst.

    `needs_inspection`, and `info` where it is not accepted, count as failed. A pass after a failure is flaky.
    """
    accept = requirement.accept
    good = [attempt for attempt in conclusive if attempt.outcome in accept]
    if len(good) == len(conclusive):
        return Finding(State.PASSED, "", last_of(good))
    bad = [attempt for attempt in conclusive if attempt.outcome not in accept]
    failed = last_of(bad)
    if not good:
        return Finding(State.FAILED, _not_accepted(failed), failed)
    passed = last_of(good)
    flaky = any(_is_after(passed, attempt) for attempt in bad)
    if requirement.attempts is Attempts.LATEST and _is_after(passed, failed):
        return Finding(State.PASSED, "", passed, flaky, partial(told, conclusive, passed))
    return Finding(State.FAILED, _not_accepted(failed), failed, flaky, partial(told, conclusive, failed))


def _is_after(attempt: Attempt, other: Attempt) -> bool:
    return (attempt.made, attempt.place) > (other.made, other.place)


def _enough_of(requirement: Requirement, wanted: Passes, conclusive: Sequence[Attempt]) -> Finding:
    """Ask for so many passes among the first so many attempts, as they came to the branch.

    It is open until all are there, or until what is still to come can change nothing.
    """
    ordered = as_they_came(conclusive)
    first, late = ordered[: wanted.of], ordered[wanted.of :]
    good = [attempt for attempt in first if attempt.outcome in requirement.accept]
    bad = [attempt for attempt in first if attempt.outcome not in requirement.accept]
    tells = partial(_tells_passes, wanted, len(good), first)
    flaky = bool(good and bad)
    if len(good) >= wanted.passed:
        return Finding(State.PASSED, "", last_of(good), flaky, tells, late=late)
    if len(bad) > wanted.of - wanted.passed:
        failed = last_of(bad)
        return Finding(State.FAILED, _not_accepted(failed), failed, flaky, tells, late=late)
    more = wanted.passed - len(good)
    reason = f"{more} more {'pass' if more == 1 else 'passes'} wanted"
    return Finding(State.RUNNING, reason, last_of(first), flaky, tells, is_open=True)


def _tells_passes(wanted: Passes, good: int, attempts: Sequence[Attempt]) -> str:
    return f"{good} of {len(attempts)} attempts passed ({sequence(attempts)}), {wanted} wanted"


def _not_accepted(failed: Attempt) -> str:
    return "" if failed.outcome is Outcome.FAILED else f"{failed.outcome} is not accepted"
