"""Every attempt at a test, by cell: what the gate has to judge.

An attempt is made when its run finishes; one that has not finished, when it started. What a tool has tried again by
itself stands in one result: such attempts come right before it, in their order.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.names import Cell
from compose_repo.core.result import SEVERITY, WORST_FIRST, Outcome, Result, ResultFile, Run
from compose_repo.core.rules.policy import Requirement

BEGINNING: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
"""When an attempt was made whose run names no time."""
NOWHERE: Final[Mapping[str, int]] = MappingProxyType({})
"""When files came to the branch, where that is not known: all of them at once."""
_SHOWN: Final = 10
"""Most attempts whose outcomes are named one by one; of more, each outcome is counted."""


class Attempt(Struct, frozen=True, gc=False):
    """One attempt at a cell.

    `place` is 0 for a result, and negative for what its tool had tried before: -1 is the last of these. `came` says
    when its file came to the branch, on a scale of all its commits. Of an earlier attempt, `result` is the result as
    it would have been.
    """

    made: dt.datetime
    place: int
    came: int
    outcome: Outcome
    run: Run
    result: Result


History: TypeAlias = list[Attempt]
"""Every attempt at one cell, in no order."""


def last_of(attempts: Sequence[Attempt]) -> Attempt:
    """Return the attempt that was made last; a tie goes to the worst, and one of equals is taken by its names."""
    last = attempts[0]
    for other in attempts:
        if other.made > last.made or (other.made == last.made and _order(other) > _order(last)):
            last = other
    return last


def as_made(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Sort attempts by when they were made, the last one last."""
    return sorted(attempts, key=_order)


def as_they_came(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Sort attempts by when they came to the branch; of what came at once, by when it was made, the worst first."""
    return sorted(attempts, key=_arrival)


def _order(attempt: Attempt) -> tuple[dt.datetime, int, int, str, str, str]:
    return (attempt.made, attempt.place, SEVERITY[attempt.outcome], *_names(attempt))


def _arrival(attempt: Attempt) -> tuple[int, dt.datetime, int, int, str, str, str]:
    return (attempt.came, attempt.made, attempt.place, -SEVERITY[attempt.outcome], *_names(attempt))


def _names(attempt: Attempt) -> tuple[str, str, str]:
    return (attempt.run.id, repr(attempt.result), repr(attempt.run))


def told(attempts: Sequence[Attempt], counted: Attempt) -> str:
    """Say which of several attempts counted: `passed on attempt 3 of 3 (failed, failed, passed)`."""
    return f"{counted.outcome} on attempt {_number(attempts, counted)} of {len(attempts)} ({sequence(attempts)})"


def sequence(attempts: Sequence[Attempt]) -> str:
    """Name the outcomes of attempts as they were made; of very many, how often each came: `10 failed, 2 passed`."""
    if len(attempts) <= _SHOWN:
        return ", ".join(attempt.outcome for attempt in as_made(attempts))
    counts = Counter(attempt.outcome for attempt in attempts)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in WORST_FIRST if outcome in counts)


def _number(attempts: Sequence[Attempt], counted: Attempt) -> int:
    place = _order(counted)
    return 1 + sum(_order(attempt) < place for attempt in attempts)


class Reports:
    """Every report of one test by cell, and for each "any" the cells that it stands for."""

    __slots__ = ("_parts", "cells")

    def __init__(self) -> None:
        self.cells: dict[Cell, History] = {}
        self._parts: dict[tuple[bool, bool, bool], dict[Cell, list[Cell]]] = {}

    def matching(self, wanted: Cell) -> Sequence[Cell]:
        """Give the cells reported that have each value asked for; None asks for no particular one.

        A report that names no value of a dimension stands for none of those that are listed.
        """
        if None not in wanted:
            return (wanted,) if wanted in self.cells else ()
        scenario, arch, variant = wanted
        left_open = (scenario is None, arch is None, variant is None)
        part = self._parts.get(left_open)
        if part is None:
            part = self._parts[left_open] = self._part(left_open)
        return part.get(wanted, ())

    def _part(self, left_open: tuple[bool, bool, bool]) -> dict[Cell, list[Cell]]:
        any_scenario, any_arch, any_variant = left_open
        part: dict[Cell, list[Cell]] = {}
        for cell in self.cells:
            scenario, arch, variant = cell
            key = (None if any_scenario else scenario, None if any_arch else arch, None if any_variant else variant)
            part.setdefault(key, []).append(cell)
        return part


Index: TypeAlias = Mapping[str, Mapping[str, Reports]]
"""By origin, then by testcase."""


def sorted_by_cell(
    files: Iterable[ResultFile], requirements: Iterable[Requirement], came: Mapping[str, int] = NOWHERE
) -> Index:
    """Sort every report that some requirement asks for into its cell; one under an earlier name counts for the new one.

    `came` says of each file's path when it came to the branch.
    """
    index: dict[str, dict[str, Reports]] = {}
    by_name: dict[str, dict[str, Reports]] = {}
    renamed: set[str] = set()
    for requirement in requirements:
        origin, testcase = requirement.origin, requirement.testcase
        named = index.setdefault(origin, {}).setdefault(testcase, Reports())
        by_name.setdefault(origin, {}).update(dict.fromkeys(requirement.names, named))
        if requirement.testcase_was:
            renamed.add(origin)
    for file in files:
        tests = by_name.get(file.origin, {})
        run = file.run
        made = run.finished_at or run.started_at or BEGINNING
        when = came.get(file.path, 0) if came else 0
        results = _under_one_name(file.results, tests) if file.origin in renamed else file.results
        for result in results:
            reports = tests.get(result.testcase)
            if reports is None:
                continue
            cell = (result.scenario, result.arch, result.variant)
            history = reports.cells.get(cell)
            if history is None:
                history = reports.cells[cell] = []
            if result.attempts:
                history.extend(_tried_before(made, when, run, result))
            history.append(Attempt(made, 0, when, result.outcome, run, result))
    return index


def _tried_before(made: dt.datetime, came: int, run: Run, result: Result) -> Iterable[Attempt]:
    """Give what a tool had tried before its result, each as the result that it would have been."""
    first = -len(result.attempts)
    for place, earlier in enumerate(result.attempts, start=first):
        is_error = earlier.outcome is Outcome.ERROR
        alone = replace(
            result,
            outcome=earlier.outcome,
            note=earlier.note,
            error_reason=_first_line(earlier.note) if is_error else None,
            counts=None,
            attempts=(),
        )
        yield Attempt(made, place, came, earlier.outcome, run, alone)


def _first_line(note: str | None) -> str | None:
    return None if note is None else note.strip().partition("\n")[0][:_REASON] or None


_REASON: Final = 1024
"""Most characters of an error's reason."""


def _under_one_name(results: Iterable[Result], tests: Mapping[str, Reports]) -> Iterable[Result]:
    """Of results of one file that are about one cell of one test, under two of its names, give the worst."""
    found: dict[tuple[int, Cell], Result] = {}
    for result in results:
        key = (id(tests.get(result.testcase)), (result.scenario, result.arch, result.variant))
        other = found.get(key)
        if other is None or WORST_FIRST.index(result.outcome) < WORST_FIRST.index(other.outcome):
            found[key] = result
    return found.values()
