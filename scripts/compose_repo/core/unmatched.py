"""Results that answer no requirement: a mistyped name looks like silence, so what is close to it is named."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from compose_repo.core.attempts import Index
from compose_repo.core.decision import Answer, State, Unmatched
from compose_repo.core.names import Arch, Cell, Origin, Scenario, Testcase, Variant

NAMED_AT_MOST: Final = 20
"""How many results are named; the rest are counted."""
_COMPARED_AT_MOST: Final = 200
"""How many different names of an origin are compared, and with how many missing ones."""
_SILENT: Final = frozenset({State.MISSING, State.OVERDUE})


class Reported(NamedTuple):
    """A result: who reported which test in which cell."""

    origin: Origin
    testcase: Testcase
    scenario: Scenario | None
    arch: Arch | None
    variant: Variant | None

    @property
    def cell(self) -> Cell:
        """Scenario, arch and variant."""
        return (self.scenario, self.arch, self.variant)


def unmatched(answers: Sequence[Answer], reports: Index, unasked: Collection[Reported]) -> tuple[Unmatched, ...]:
    """Sort out by origin what was reported and answers nothing; `unasked` are results whose test nobody requires.

    Named are results of an origin that is waited for, whose name is close to a missing one, or which are right but for
    arch, variant or scenario.
    """
    rows: dict[Origin, list[Reported]] = defaultdict(list)
    for row in {*unasked, *_beside_what_is_asked(answers, reports)}:
        rows[row.origin].append(row)
    if not rows:
        return ()
    missing: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.state in _SILENT:
            missing[answer.origin].append(answer)
    found, room = [], NAMED_AT_MOST
    for origin in sorted(rows):
        named = tuple(islice(_named(rows[origin], missing[origin]), room)) if missing[origin] else ()
        room -= len(named)
        found.append(Unmatched(origin=origin, named=named, others=len(rows[origin]) - len(named)))
    return tuple(found)


def _beside_what_is_asked(answers: Iterable[Answer], reports: Index) -> Iterator[Reported]:
    """Give the cells of required tests that no requirement asks for."""
    answered: dict[tuple[str, str], set[Cell]] = defaultdict(set)
    for answer in answers:
        answered[answer.origin, answer.testcase].add(answer.cell)
    for origin, tests in reports.items():
        for testcase, found in tests.items():
            for cell in found.cells.keys() - answered[origin, testcase]:
                yield Reported(Origin(origin), Testcase(testcase), *cell)


def _named(rows: Iterable[Reported], missing: Sequence[Answer]) -> Iterator[str]:
    wanted: Mapping[str, list[Answer]] = defaultdict(list)
    for answer in missing:
        wanted[answer.testcase].append(answer)
    near = _Near(wanted)
    for row in sorted(rows, key=_order):
        if row.testcase in wanted:
            asked = ", ".join(dict.fromkeys(_place(answer.cell) for answer in wanted[row.testcase][:3]))
            yield f"{_title(row)}; it is asked for {asked}"
        elif (meant := near.to(row.testcase)) is not None:
            yield f"{_title(row)}; did you mean {meant}?"


class _Near:
    """Finds the missing test whose name is closest to another; each name is looked up once, and not too many are."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = list(islice(wanted, _COMPARED_AT_MOST))
        self._known: dict[str, str | None] = {}

    def to(self, name: str) -> str | None:
        if name not in self._known:
            if len(self._known) == _COMPARED_AT_MOST:
                return None
            from difflib import get_close_matches  # noqa: PLC0415  # only where somebody is waited for

            self._known[name] = next(iter(get_close_matches(name, self._wanted, n=1, cutoff=0.8)), None)
        return self._known[name]


def _title(row: Reported) -> str:
    return f"{row.testcase} {_place(row.cell)}"


def _place(cell: Cell) -> str:
    """Say where: `on aarch64 AppStream (devstack)`."""
    scenario, arch, variant = cell
    where = " ".join(part for part in (arch, variant) if part is not None) or "any arch"
    return f"on {where}" + (f" ({scenario})" if scenario is not None else "")


def _order(row: Reported) -> tuple[str, ...]:
    return tuple(part or "" for part in row)
