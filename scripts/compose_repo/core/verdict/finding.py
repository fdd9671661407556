"""What the reports of one cell come to, by the word of one requirement."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from compose_repo.core.result import CONCLUSIVE, IN_PROGRESS, NOT_RUN, Outcome
from compose_repo.core.rules.policy import Attempts, Requirement
from compose_repo.core.verdict.attempts import BEGINNING, Alike, History, last_of
from compose_repo.core.verdict.decision import State


class Finding(NamedTuple):
    """A state and why; `counted` is the attempt that decided, None where there is none."""

    state: State
    reason: str = ""
    counted: Alike | None = None
    flaky: bool = False


def judge(requirement: Requirement, history: History) -> Finding:
    """Let the attempt that counts speak for its cell.

    A conclusive attempt always counts before one that is not: an error of the lab, a rerun in progress or a skip never
    replaces a verdict. A skip that is accepted by name is the weakest verdict. Without any verdict, an error counts
    unless a rerun is known to have started after it; what was only skipped is missing.
    """
    conclusive = [attempts for outcome, attempts in history.items() if outcome in CONCLUSIVE]
    if conclusive:
        return _judge_conclusive(requirement, conclusive)
    skips = [history[outcome] for outcome in history.keys() & NOT_RUN]
    accepted = [attempts for attempts in skips if attempts.outcome in requirement.accept]
    if accepted:
        last = last_of(accepted)
        return Finding(State.PASSED, f"{last.outcome}, which is accepted", last)
    error = history.get(Outcome.ERROR)
    reruns = [history[outcome] for outcome in history.keys() & IN_PROGRESS]
    if reruns and (error is None or last_of(reruns).last > error.last):
        last = last_of(reruns)
        return Finding(State.RUNNING, last.outcome.value, last)
    if error is not None:
        why = error.result.error_reason or "no reason given"
        return Finding(State.ERRORED, f"infrastructure error: {why}", error)
    last = last_of(skips)
    return Finding(State.MISSING, f"only {last.outcome}: that is no result", last)


def conclusion(requirement: Requirement, history: History) -> bool | None:
    """Return whether a cell passed, by the word of one requirement; None where nothing in it is conclusive."""
    if len(history) > 1:
        state = judge(requirement, history).state
        return state is State.PASSED if state in _CONCLUDED else None
    (outcome,) = history  # most cells have one report, and a memory holds very many
    if outcome in requirement.accept:
        return True
    return False if outcome in CONCLUSIVE else None


_CONCLUDED: Final = frozenset({State.PASSED, State.FAILED})


def _judge_conclusive(requirement: Requirement, conclusive: Sequence[Alike]) -> Finding:
    """Take the last attempt, or the worst, by the requirement's word; a tie in time goes to the worst.

    `needs_inspection`, and `info` where it is not accepted, count as failed. A pass after a failure is flaky.
    """
    good = [attempts for attempts in conclusive if attempts.outcome in requirement.accept]
    if len(good) == len(conclusive):
        return Finding(State.PASSED, "", last_of(good))
    bad = [attempts for attempts in conclusive if attempts.outcome not in requirement.accept]
    failed = last_of(bad)
    passed_at = max((attempts.last for attempts in good), default=BEGINNING)
    flaky = passed_at > min(attempts.first for attempts in bad)
    if requirement.attempts is Attempts.LATEST and passed_at > failed.last:
        return Finding(State.PASSED, "passed after a failure", last_of(good), flaky)
    reason = "" if failed.outcome is Outcome.FAILED else f"{failed.outcome} is not accepted"
    return Finding(State.FAILED, reason, failed, flaky)
