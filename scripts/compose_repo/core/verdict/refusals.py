"""Reports that were refused, and what they keep from passing: what cannot be read is not nothing.

An origin that pushes a failure which is refused for its form has said something all the same. Until that origin reports
on a cell again, or takes the refused file back, the cell is not known to pass.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final, TypeAlias

from msgspec import Struct

from compose_repo.core import escape
from compose_repo.core.composes.paths import below_results
from compose_repo.core.names import Cell, Origin
from compose_repo.core.result import CONCLUSIVE, ResultFile
from compose_repo.core.rules.policy import Requirement
from compose_repo.core.verdict.decision import State
from compose_repo.core.verdict.finding import Finding


class RefusedReport(Struct, frozen=True, kw_only=True):
    """A change below an origin's folder, by somebody its attribution believes, that does not count.

    `came` is the place of its commit among all commits of the branch, in the order in which they were pushed. `codes`
    are those of its problems, where they are told one by one.
    """

    origin: Origin
    path: str
    came: int
    codes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How people name it: `rdo/8842.json`; a name that nobody can read whole is cut."""
        below = below_results(self.path)
        name = escape.path(self.path if below is None else below) or "everything"
        return name if len(name) <= NAME_LENGTH else f"{name[:NAME_LENGTH]}…"


Key: TypeAlias = tuple[str, str, Cell]
"""Origin, testcase, cell."""

OPEN_BY_REFUSAL: Final = frozenset({State.PASSED, State.KNOWN, State.MISSING})
"""What a refused report turns into `errored`; what fails, is overdue or is running stays what it is."""
NAME_LENGTH: Final = 160
"""Most characters that are shown of a refused file's name."""
NEVER: Final = -1
"""Before every commit."""


class Refusals:
    """The refused reports of a compose that nobody has taken back, by origin, oldest first.

    `came` says of each result file's path when it came to the branch, `requirements` which test has had which
    name.
    """

    def __init__(
        self,
        reports: Iterable[RefusedReport],
        files: Iterable[ResultFile],
        came: Mapping[str, int],
        requirements: Iterable[Requirement],
    ) -> None:
        self._names = {(line.origin, name): line.testcase for line in requirements for name in line.names}
        self._by_origin: dict[str, list[RefusedReport]] = {}
        for report in sorted(reports, key=_order):
            self._by_origin.setdefault(report.origin, []).append(report)
        self._times = {origin: [report.came for report in line] for origin, line in self._by_origin.items()}
        self._last = self._last_conclusive(files, came) if self._by_origin else {}
        self._starts = {origin: [0] * len(line) for origin, line in self._by_origin.items()}

    def _last_conclusive(self, files: Iterable[ResultFile], came: Mapping[str, int]) -> dict[Key, int]:
        """Find for each cell when its last conclusive report came; skips, errors and runs in progress do not count."""
        last: dict[Key, int] = {}
        for file in files:
            if file.origin not in self._by_origin:
                continue
            when = came.get(file.path, NEVER)
            for result in file.results:
                if result.outcome in CONCLUSIVE:
                    name = self._names.get((file.origin, result.testcase), result.testcase)
                    key = (file.origin, name, (result.scenario, result.arch, result.variant))
                    last[key] = max(last.get(key, NEVER), when)
        return last

    def keep_open(self, requirement: Requirement, cell: Cell, finding: Finding) -> Finding:
        """Keep a cell from passing where its last conclusive report did not come after every refused one.

        What came in the same commit did not come after it. Whatever fails, is overdue or is running stays as it is: it
        does not pass anyway. An answer that only informs is not counted among those that a file affects.
        """
        origin, testcase = requirement.origin, requirement.testcase
        reports = self._by_origin.get(origin)
        if reports is None:
            return finding
        first = bisect_left(self._times[origin], self._last.get((origin, testcase, cell), NEVER))
        if first == len(reports):
            return finding
        if requirement.blocking:
            self._starts[origin][first] += 1
        if finding.state not in OPEN_BY_REFUSAL:
            return finding
        reason = _reason(cell, finding, reports[-1], len(reports) - first - 1)
        return finding._replace(state=State.ERRORED, reason=reason)

    @property
    def bears_on(self) -> dict[str, int]:
        """How many blocking answers so far each refused report affects, by path; one that affects none is absent."""
        answers: Counter[str] = Counter()  # a folder may be several origins'
        for origin, reports in self._by_origin.items():
            for report, count in zip(reports, accumulate(self._starts[origin]), strict=True):
                answers[report.path] += count
        return {path: count for path, count in answers.items() if count}


def _reason(cell: Cell, finding: Finding, newest: RefusedReport, more: int) -> str:
    """Say which file keeps the cell from passing, and how to lift that."""
    codes = f" ({', '.join(newest.codes)})" if newest.codes else ""
    others = f" and {more} more" if more else ""
    before = [finding.reason] if finding.reason else []
    if finding.state is State.PASSED and finding.counted is not None:
        before.insert(0, f"passed in run {finding.counted.run.id}")
    refused = f"a report of {newest.origin} was refused: {newest.name}{codes}{others}"
    where = " ".join(part for part in (cell[1], cell[2]) if part is not None)
    scenario = "" if cell[0] is None else f" ({cell[0]})"
    report = f"push a report for {where}{scenario}" if where or scenario else "push a report"
    back = f"take {newest.name}{others} back"
    return "; ".join([*before, refused, f"{report}, or {back}"])


def _order(report: RefusedReport) -> tuple[str, int, str]:
    return (report.origin, report.came, report.path)
