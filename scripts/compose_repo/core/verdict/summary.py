"""A decision in one sentence: "Of 12 required, 1 failed (rdo tempest.smoke on aarch64), 2 missing"."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.composes.paths import below_results
from compose_repo.core.problems.problem import Problem
from compose_repo.core.verdict.decision import BLOCKING, WAITING, Answer, State, Verdict

NAMED_AT_MOST: Final = 3
"""How many answers a summary names; the rest are counted."""


def summary(compose_id: ComposeId, verdict: Verdict, answers: Sequence[Answer], refused: Sequence[Problem]) -> str:
    """Say what the verdict rests on, and how many files were refused."""
    sentence = _sentence(compose_id, verdict, answers)
    paths = {problem.path for problem in refused}
    files = sum(below_results(path) is not None for path in paths)
    others = len(paths) - files
    parts = [
        *([f"{files} result {'file' if files == 1 else 'files'}"] if files else []),
        *([f"{others} other {'change' if others == 1 else 'changes'}"] if others else []),
    ]
    refused_files = [f"{' and '.join(parts)} refused"] if parts else []
    return "; ".join([sentence, *refused_files, *_informing(answers)])


def _informing(answers: Sequence[Answer]) -> list[str]:
    """Count what only informs, by state."""
    counts = Counter(answer.state for answer in answers if not answer.blocking)
    said = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return [f"informing: {said}"] if said else []


def _sentence(compose_id: ComposeId, verdict: Verdict, answers: Sequence[Answer]) -> str:
    asked = "requirement that blocks" if answers else "requirement"
    answers = [answer for answer in answers if answer.blocking]
    if not answers:
        return f"No {asked} applies to {compose_id.stream}, so nothing can be satisfied"
    counts = Counter(answer.state for answer in answers)
    named = BLOCKING if verdict is Verdict.BLOCKED else WAITING
    parts = [
        f"{counts[state]} {state}{_names(answers, state) if state in named else ''}"
        for state in (*BLOCKING, *WAITING, State.KNOWN, State.WAIVED)
        if counts[state]
    ]
    if not parts:
        return f"All {len(answers)} required passed"
    if verdict is Verdict.SATISFIED:
        parts = [f"{counts[State.PASSED]} passed", *parts]
    return f"Of {len(answers)} required, {', '.join(parts)}"


def _names(answers: Sequence[Answer], state: State) -> str:
    titles = [answer.title for answer in answers if answer.state is state]
    more = len(titles) - NAMED_AT_MOST
    return f" ({', '.join(titles[:NAMED_AT_MOST])}{f' and {more} more' if more > 0 else ''})"
