"""Every attempt at a test, by cell: what the gate has to judge.

An attempt is made when its run finishes; one that has not finished, when it started. What a tool has tried again by
itself stands in one result: such attempts come right before it, in their order.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.names import Cell
from compose_repo.core.result import SEVERITY, WORST_FIRST, Outcome, Result, ResultFile, Run
from compose_repo.core.rules.policy import Requirement

BEGINNING: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
"""When an attempt was made whose run names no time."""
END: Final = dt.datetime.max.replace(tzinfo=dt.UTC)
"""After every attempt."""
NOWHERE: Final[Mapping[str, int]] = MappingProxyType({})
"""When files came to the branch, where that is not known: all of them at once."""
SHOWN: Final = 10
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


class Source(Struct, frozen=True, gc=False):
    """What all results of one file have in common: when it was made, when it came to the branch, and its run."""

    made: dt.datetime
    came: int
    run: Run


class History:
    """Every attempt at one cell, in no order: results, and beside each its outcome and the file that it is from.

    Nearly all cells are judged without an object for each attempt, and without a second look at each result; `attempts`
    makes such objects.
    """

    __slots__ = ("outcomes", "results", "retries", "sources")

    def __init__(self) -> None:
        self.retries = 0
        self.outcomes: list[Outcome] = []
        self.results: list[Result] = []
        self.sources: list[Source] = []

    def add(self, source: Source, result: Result) -> None:
        """Add a report."""
        self.outcomes.append(result.outcome)
        self.results.append(result)
        self.sources.append(source)
        if result.attempts:
            self.retries += len(result.attempts)

    def __len__(self) -> int:
        """Count the attempts, those among them that a tool had made before its result."""
        return len(self.results) + self.retries

    def attempts(self) -> list[Attempt]:
        """Give every attempt."""
        return [
            attempt
            for source, result in zip(self.sources, self.results, strict=True)
            for attempt in (*_tried_before(source, result), attempt_of(source, result))
        ]


def attempt_of(source: Source, result: Result) -> Attempt:
    """Give the last attempt of a run, which is its result."""
    return Attempt(source.made, 0, source.came, result.outcome, source.run, result)


def last_of(attempts: Sequence[Attempt]) -> Attempt:
    """Return the attempt that was made last; a tie goes to the worst, and one of equals is taken by its names."""
    last = attempts[0]
    for other in attempts:
        if other.made > last.made or (other.made == last.made and other is not last and _is_later(other, last)):
            last = other
    return last


def _is_later(attempt: Attempt, other: Attempt) -> bool:
    one, two = _order(attempt), _order(other)
    return one > two if one != two else _names(attempt) > _names(other)


def as_they_came(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Sort attempts by when they came to the branch; of what came at once, by when it was made, the worst first."""
    ordered = sorted(attempts, key=_arrival)
    if any(_arrival(one) == _arrival(other) for one, other in pairwise(ordered)):  # rare, and names take long
        ordered.sort(key=lambda attempt: (_arrival(attempt), _names(attempt)))
    return ordered


def _order(attempt: Attempt) -> tuple[dt.datetime, int, int]:
    return (attempt.made, attempt.place, SEVERITY[attempt.outcome])


def _arrival(attempt: Attempt) -> tuple[int, dt.datetime, int, int]:
    return (attempt.came, attempt.made, attempt.place, -SEVERITY[attempt.outcome])


def _names(attempt: Attempt) -> tuple[str, str, str]:
    return (attempt.run.id, repr(attempt.result), repr(attempt.run))


def told(attempts: Sequence[Attempt], counted: Attempt) -> str:
    """Say which of several attempts counted: `passed on attempt 3 of 3 (failed, failed, passed)`.

    Of very many it is only said how many there were.
    """
    if len(attempts) > SHOWN:
        return f"{counted.outcome}; {sequence(attempts)}"
    place = _order(counted)
    number = 1 + sum(_order(attempt) < place for attempt in attempts)
    return f"{counted.outcome} on attempt {number} of {len(attempts)} ({sequence(attempts)})"


def sequence(attempts: Sequence[Attempt]) -> str:
    """Name the outcomes of attempts as they were made; of very many, how often each came: `10 failed, 2 passed`."""
    if len(attempts) > SHOWN:
        return counted_by_outcome([attempt.outcome for attempt in attempts])
    return ", ".join(attempt.outcome for attempt in sorted(attempts, key=_order))


def counted_by_outcome(outcomes: Sequence[Outcome]) -> str:
    """Say how often each outcome came: `12 attempts: 10 failed, 2 passed`."""
    found = set(outcomes)
    counts = [f"{outcomes.count(outcome)} {outcome}" for outcome in WORST_FIRST if outcome in found]
    return f"{len(outcomes)} attempts: {', '.join(counts)}"


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
    files: Iterable[ResultFile], requirements: Collection[Requirement], came: Mapping[str, int] = NOWHERE
) -> Index:
    """Sort every report that some requirement asks for into its cell; one under an earlier name counts for the new one.

    `came` says of each file's path when it came to the branch.
    """
    index: dict[str, dict[str, Reports]] = {}
    for requirement in requirements:
        index.setdefault(requirement.origin, {}).setdefault(requirement.testcase, Reports())
    renamed = {line.origin: {**index[line.origin]} for line in requirements if line.testcase_was}
    for line in requirements:
        for name in line.testcase_was:
            renamed[line.origin][name] = index[line.origin][line.testcase]
    for file in files:
        tests = renamed.get(file.origin) or index.get(file.origin, {})
        run = file.run
        made = run.finished_at or run.started_at or BEGINNING
        source = Source(made, came.get(file.path, 0) if came else 0, run)
        results = _under_one_name(file.results, tests) if file.origin in renamed else file.results
        for result in results:
            reports = tests.get(result.testcase)
            if reports is None:
                continue
            cell = (result.scenario, result.arch, result.variant)
            history = reports.cells.get(cell)
            if history is None:
                history = reports.cells[cell] = History()
            history.add(source, result)
    return index


def _tried_before(source: Source, result: Result) -> Iterable[Attempt]:
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
        yield Attempt(source.made, place, source.came, earlier.outcome, source.run, alone)


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
