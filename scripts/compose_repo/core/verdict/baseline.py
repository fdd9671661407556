"""What the stream's published composes came to, and what that says of a result of today.

A cell is conclusive in a compose if it passed or failed there, by the requirement's own `accept` and `attempts` and
before waivers. Of the published composes older than the one in question, the conclusive ones count, newest first, at
most `memory` of them. A compose in which the cell is silent, running or errored is passed over: it neither excuses a
failure nor hides one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.names import Cell, Stream
from compose_repo.core.result import ResultFile
from compose_repo.core.rules.policy import Policy, Requirement
from compose_repo.core.verdict.attempts import sorted_by_cell
from compose_repo.core.verdict.decision import State, Usual
from compose_repo.core.verdict.finding import Finding, conclusion, tests_run


class Published(Struct, frozen=True, kw_only=True):
    """What a published compose came to, for each requirement that `remembering` gives, in that order.

    Each cell that was reported has True where it passed, False where it failed, None where nothing was conclusive.
    `tests_run` has of each conclusive cell how many tests ran, None where that was not said; it is empty where the
    requirement does not ask.
    """

    compose_id: ComposeId
    conclusions: tuple[Mapping[Cell, bool | None], ...]
    tests_run: tuple[Mapping[Cell, int | None], ...]


def remembering(policy: Policy, stream: Stream) -> list[Requirement]:
    """Return the requirements for a stream that compare with what was published, in the order of the policy."""
    return [line for line in policy.requirements if line.remembers and line.applies_to(stream)]


def conclude(compose_id: ComposeId, files: Iterable[ResultFile], requirements: Sequence[Requirement]) -> Published:
    """Judge every cell of a published compose, for each of some requirements."""
    index = sorted_by_cell(files, requirements)
    cells = [(line, index[line.origin][line.testcase].cells) for line in requirements]
    conclusions = tuple(
        {cell: conclusion(line, history) for cell, history in histories.items()} for line, histories in cells
    )
    return Published(
        compose_id=compose_id,
        conclusions=conclusions,
        tests_run=tuple(
            {}
            if line.complete is None
            else {cell: tests_run(line, histories[cell]) for cell, passed in found.items() if passed is not None}
            for (line, histories), found in zip(cells, conclusions, strict=True)
        ),
    )


class Shelf:
    """Published composes, newest first; each is fetched once, and only if somebody looks so far back."""

    def __init__(self, source: Iterable[Published]) -> None:
        self._fetched: list[Published] = []
        self._rest = iter(source)

    def __iter__(self) -> Iterator[Published]:
        """Give them from the newest on."""
        place = 0
        while True:
            if place == len(self._fetched):
                older = next(self._rest, None)
                if older is None:
                    return
                self._fetched.append(older)
            yield self._fetched[place]
            place += 1


class Memory(NamedTuple):
    """What is remembered of a cell: the newest pass, and since when it has failed.

    `last_pass` is None if nothing that is remembered passed. `since` is the oldest compose of the failures that no
    later pass has ended, None if the newest conclusive compose passed.
    """

    last_pass: ComposeId | None
    since: ComposeId | None


COMPARED: Final = frozenset({State.PASSED, State.FAILED, State.OVERDUE})
"""States that are compared with what was published; the others say nothing of the compose yet."""
_SILENT: Final = object()


_USUAL_OF: Final = 10
"""In how many published composes, the newest in which a cell passed or failed, is looked how many tests usually run."""
_USUAL_FROM: Final = 3
"""Of fewer that say how many ran, nothing is concluded."""


class Past:
    """What the published composes say of one requirement; `index` is its place among those that `remembering` gives."""

    __slots__ = ("_index", "_known", "_memory", "_shelf")

    def __init__(self, requirement: Requirement, index: int, shelf: Shelf) -> None:
        self._index = index
        self._memory = requirement.memory
        self._shelf = shelf
        self._known: dict[Cell, Memory | None] = {}

    def of(self, wanted: Cell, cell: Cell) -> Memory | None:
        """Return what is remembered of a cell, None if nothing conclusive is.

        A value of "any" that was never reported is measured by all that was reported in its place.
        """
        memory, was_reported = self._of_cell(cell)
        return memory if was_reported or None not in wanted else self._of_place(wanted)

    def of_silence(self, wanted: Cell) -> Memory | None:
        """Return what is remembered of a place of which nothing is reported now.

        Silence is never worse than the worst report: where a failure of some cell in the place would be known, silence
        is measured by that cell.
        """
        if None not in wanted:
            return self._of_cell(wanted)[0]
        memory = self._of_place(wanted)
        if memory is None or memory.last_pass is None:
            return memory
        cells = {cell for published in self._shelf for cell in published.conclusions[self._index]}
        for cell in sorted(cells, key=repr):
            own = self._of_cell(cell)[0] if _stands_for(wanted, cell) else None
            if own is not None and own.last_pass is None:
                return own
        return memory

    def usual(self, cell: Cell) -> Usual | None:
        """Return how many tests usually run in a cell, None if too few published composes say so."""
        told = (
            (published.compose_id, published.tests_run[self._index][cell])
            for published in self._shelf
            if cell in published.tests_run[self._index]
        )
        composes = tuple((compose_id, run) for compose_id, run in islice(told, _USUAL_OF) if run is not None)
        if len(composes) < _USUAL_FROM:
            return None
        return Usual(median=_median([run for _, run in composes]), composes=composes)

    def _of_cell(self, cell: Cell) -> tuple[Memory | None, bool]:
        was_reported = False

        def conclusive() -> Iterator[tuple[ComposeId, bool]]:
            nonlocal was_reported
            for published in self._shelf:
                passed = published.conclusions[self._index].get(cell, _SILENT)
                if passed is not _SILENT:
                    was_reported = True
                    if isinstance(passed, bool):
                        yield published.compose_id, passed

        return _remembered(conclusive(), self._memory), was_reported

    def _of_place(self, wanted: Cell) -> Memory | None:
        if wanted not in self._known:
            self._known[wanted] = _remembered(self._in_place(wanted), self._memory)
        return self._known[wanted]

    def _in_place(self, wanted: Cell) -> Iterator[tuple[ComposeId, bool]]:
        """Give each compose in which something was conclusive in a place: it passed if nothing there failed."""
        for published in self._shelf:
            found = {
                passed
                for cell, passed in published.conclusions[self._index].items()
                if passed is not None and _stands_for(wanted, cell)
            }
            if found:
                yield published.compose_id, False not in found


def _median(numbers: Iterable[int]) -> float:
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _stands_for(wanted: Cell, cell: Cell) -> bool:
    scenario, arch, variant = wanted
    return scenario in {None, cell[0]} and arch in {None, cell[1]} and variant in {None, cell[2]}


def _remembered(conclusive: Iterator[tuple[ComposeId, bool]], most: int) -> Memory | None:
    """Look back to the newest pass, or as far as `most` conclusive composes go: what is older changes nothing."""
    since: ComposeId | None = None
    for compose_id, passed in islice(conclusive, most):
        if passed:
            return Memory(compose_id, since)
        since = compose_id
    return None if since is None else Memory(None, since)


def compared(finding: Finding, memory: Memory | None) -> Finding:
    """Say of a finding what it is against what was published.

    | now                | newest passed | newest failed, a pass remembered | only failures | nothing conclusive |
    |--------------------|---------------|----------------------------------|---------------|--------------------|
    | passed             | passed        | passed                           | passed        | passed             |
    | failed             | failed        | failed                           | known         | failed             |
    | overdue            | overdue       | overdue                          | missing       | overdue            |
    | anything else      | as it is      | as it is                         | as it is      | as it is           |
    """
    state, why = finding.state, ""
    match state:
        case State.PASSED:
            why = _fixed(memory)
        case State.FAILED:
            state, why = _regressed(memory)
        case State.OVERDUE if memory is not None and memory.last_pass is None:
            state, why = State.MISSING, f"failing since {memory.since}"
    if not why:
        return finding
    return finding._replace(state=state, reason=f"{finding.reason}; {why}" if finding.reason else why)


def _fixed(memory: Memory | None) -> str:
    if memory is None or memory.since is None:
        return ""
    return f"first pass since {memory.since}" if memory.last_pass is None else f"fixed: failed since {memory.since}"


def _regressed(memory: Memory | None) -> tuple[State, str]:
    if memory is None:
        return State.FAILED, "no history"
    if memory.since is None:
        return State.FAILED, f"regression: passed in {memory.last_pass}"
    if memory.last_pass is None:
        return State.KNOWN, f"failing since {memory.since}"
    return State.FAILED, f"regression since {memory.since}, published while failing"
