"""Results that answer no requirement: a mistyped name looks like silence, so what is close to it is named."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from compose_repo.core.names import Arch, Cell, Origin, Scenario, Testcase, Variant
from compose_repo.core.verdict.attempts import Index
from compose_repo.core.verdict.decision import Answer, State, Unmatched

NAMED_AT_MOST: Final = 20
"""How many results are named; the rest are counted."""
PLACES_AT_MOST: Final = 3
"""How many places are named in which a test is required."""
COMPARED_AT_MOST: Final = 2000
"""How many pairs of names are compared for one decision."""
LENGTH: Final = 64
"""How many characters of a name are compared."""
CLOSE: Final = 0.8
"""From which ratio on two names are close (difflib's measure)."""
WORDS: Final = 1024
"""Most characters of what is said about one result."""
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
    found, room, budget = [], NAMED_AT_MOST, Budget(COMPARED_AT_MOST)
    for origin in sorted(rows):
        named = tuple(islice(_named(rows[origin], missing[origin], budget), room))
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


def _named(rows: Iterable[Reported], missing: Sequence[Answer], budget: "Budget") -> Iterator[str]:
    wanted: dict[str, list[Answer]] = defaultdict(list)
    for answer in missing:
        wanted[answer.testcase].append(answer)
    known: dict[str, str | None] = {}
    for row in sorted(rows, key=_order):
        if row.testcase in wanted:
            asked = ", ".join(dict.fromkeys(_place(answer.cell) for answer in wanted[row.testcase][:PLACES_AT_MOST]))
            yield _cut(f"{_title(row)}; it is required {asked}")
            continue
        if row.testcase not in known:
            known[row.testcase] = budget.nearest(row.testcase, list(wanted))
        if (meant := known[row.testcase]) is not None:
            yield _cut(f"{_title(row)}; did you mean {meant}?")


class Budget:
    """Finds names that are close to others, as long as not too many pairs have been compared for one decision.

    Names are compared as far as `LENGTH` goes: more would take long where somebody makes them up for it.
    """

    def __init__(self, pairs: int) -> None:
        self._left = pairs

    def nearest(self, name: str, wanted: Sequence[str]) -> str | None:
        """Return the one of some names that is closest to another; None if none is close, or no budget is left."""
        self._left -= len(wanted)
        if self._left < 0:
            return None
        from difflib import SequenceMatcher  # noqa: PLC0415  # only where somebody is waited for

        matcher = SequenceMatcher()
        matcher.set_seq2(name[:LENGTH])
        best, closest = CLOSE, None
        for other in wanted:
            matcher.set_seq1(other[:LENGTH])
            if min(matcher.real_quick_ratio(), matcher.quick_ratio()) > best and (ratio := matcher.ratio()) > best:
                best, closest = ratio, other
        return closest


def _cut(text: str) -> str:
    return text if len(text) <= WORDS else f"{text[: WORDS - 1]}…"


def _title(row: Reported) -> str:
    return f"{row.testcase} {_place(row.cell)}"


def _place(cell: Cell) -> str:
    """Say where: `on aarch64 AppStream (devstack)`."""
    scenario, arch, variant = cell
    where = " ".join(part for part in (arch, variant) if part is not None) or "any arch"
    return f"on {where}" + (f" ({scenario})" if scenario is not None else "")


def _order(row: Reported) -> tuple[str, ...]:
    return tuple(part or "" for part in row)
