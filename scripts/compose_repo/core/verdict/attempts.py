"""Every attempt at a test, by cell and by outcome: what the gate has to judge."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from compose_repo.core.names import Cell
from compose_repo.core.result import SEVERITY, Outcome, Result, ResultFile, Run
from compose_repo.core.rules.policy import Requirement

BEGINNING: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
"""When an attempt was made whose run names no time."""


class Alike:
    """The attempts at one cell that came to the same outcome: how many, when the first and the last were made.

    An attempt is made when its run finishes; one that has not finished, when it started. `run` and `result` are the
    last attempt's.
    """

    __slots__ = ("count", "first", "last", "outcome", "result", "run")

    def __init__(self, made: dt.datetime, run: Run, result: Result) -> None:
        self.outcome = result.outcome
        self.count = 1
        self.first = self.last = made
        self.run = run
        self.result = result

    def add(self, made: dt.datetime, run: Run, result: Result) -> None:
        """Count one more; names break a tie, so that the order of files never shows."""
        self.count += 1
        if made < self.first:
            self.first = made
        elif made > self.last or (made == self.last and _names_of(run, result) > _names_of(self.run, self.result)):
            self.last, self.run, self.result = made, run, result


def _names_of(run: Run, result: Result) -> tuple[str, ...]:
    return (run.id, repr(result), repr(run))


def last_of(attempts: Iterable[Alike]) -> Alike:
    """Of different outcomes, the one that was made last; a tie goes to the worst."""
    return max(attempts, key=_last_order)


def _last_order(attempts: Alike) -> tuple[dt.datetime, int]:
    return (attempts.last, SEVERITY[attempts.outcome])


History: TypeAlias = dict[Outcome, Alike]
"""Every attempt at one cell, by its outcome."""


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


def sorted_by_cell(files: Iterable[ResultFile], requirements: Iterable[Requirement]) -> Index:
    """Sort every report that some requirement asks for into its cell."""
    index: dict[str, dict[str, Reports]] = {}
    for requirement in requirements:
        index.setdefault(requirement.origin, {}).setdefault(requirement.testcase, Reports())
    for file in files:
        tests = index.get(file.origin, {})
        run = file.run
        made = run.finished_at or run.started_at or BEGINNING
        for result in file.results:
            reports = tests.get(result.testcase)
            if reports is None:
                continue
            cell = (result.scenario, result.arch, result.variant)
            history = reports.cells.get(cell)
            if history is None:
                history = reports.cells[cell] = {}
            attempts = history.get(result.outcome)
            if attempts is None:
                history[result.outcome] = Alike(made, run, result)
            else:
                attempts.add(made, run, result)
    return index
