"""Advice on results that answer no requirement although they nearly do: a mistyped name looks like silence."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem

if TYPE_CHECKING:
    from compose_repo.core.verdict.unmatched import Budget

NAMED_AT_MOST: Final = 20
"""How many results are named in a run, as many as in a note."""
PLACES_AT_MOST: Final = 3
"""How many places are named in which a test is required."""
Row: TypeAlias = Mapping[str, Any]
"""A requirement or a result, as its file has it; it satisfies its schema."""

_FREE: Final = frozenset({"all", "any"})
"""Words for a dimension of which any value that is in the compose is asked for."""
_MUST_NAME: Final = "all"
"""Of a dimension that says so, a result that names no value answers nothing."""


class Unasked:
    """Advises on results, file after file, by the requirements of a policy.

    No more results are named in a run than in a note, and no more pairs of names are compared.
    """

    def __init__(self, requirements: Sequence[Row]) -> None:
        self._requirements = requirements
        self._budget: Budget | None = None
        self._room = NAMED_AT_MOST

    def advice(self, path: str, origin: str, stream: str, results: Sequence[Row]) -> Iterator[Problem]:
        """Name each result of a file that is right but for its place, or whose name is close to one that is not there.

        Of others nothing is said: an origin may report more than anybody asks for.
        """
        wanted: dict[str, list[Row]] = defaultdict(list)
        for line in self._requirements:
            if line["origin"] == origin and stream in line.get("streams", (stream,)):
                for name in (line["testcase"], *line.get("testcase_was", ())):
                    wanted[name].append(line)
        reported = {row["testcase"] for row in results}
        silent = [testcase for testcase in wanted if testcase not in reported]
        known: dict[str, str | None] = {}
        for index, row in enumerate(results):
            testcase = row["testcase"]
            if testcase in wanted:
                hint = None if any(_answers(row, line) for line in wanted[testcase]) else _asked(wanted[testcase])
            else:
                if testcase not in known:
                    known[testcase] = self._nearest(testcase, silent)
                meant = known[testcase]
                hint = None if meant is None else f"did you mean {meant}?"
            if hint is not None and self._room > 0:
                self._room -= 1
                yield Problem(
                    path=path,
                    pointer=f"/results/{index}",
                    code=Code.ANSWERS_NO_REQUIREMENT,
                    message=f"{_title(row)} answers no requirement of {origin}; {hint}",
                    fix="report it in a new file under the name and in the place that gate/policy.toml asks for",
                )

    def _nearest(self, testcase: str, silent: Sequence[str]) -> str | None:
        if not silent:
            return None
        from compose_repo.core.verdict.unmatched import COMPARED_AT_MOST, Budget  # noqa: PLC0415  # slow to import

        self._budget = self._budget or Budget(COMPARED_AT_MOST)
        return self._budget.nearest(testcase, silent)


def _answers(row: Row, line: Row) -> bool:
    """Tell whether a result is in a place that a requirement asks for; that the compose has it is checked elsewhere."""
    return (
        _is_asked(row["arch"], line.get("arches", _MUST_NAME))
        and _is_asked(row.get("variant"), line.get("variants", "any"))
        and _is_asked(row.get("scenario"), line.get("scenario", "any"))
    )


def _is_asked(value: str | None, asked: str | Sequence[str]) -> bool:
    if isinstance(asked, str):
        return value is not None if asked == _MUST_NAME else asked in _FREE or value == asked
    return value in asked


def _asked(lines: Sequence[Row]) -> str:
    """Say where a test is required: `it is required on x86_64 AppStream (uefi)`."""
    places = []
    for line in lines[:PLACES_AT_MOST]:
        dimensions = (line.get("arches", _MUST_NAME), line.get("variants", "any"), line.get("scenario", "any"))
        arch, variant, scenario = map(_values, dimensions, ("arch", "variant", "scenario"))
        where = " ".join(part for part in (arch, variant) if part) or "any arch"
        places.append(f"on {where}" + (f" ({scenario})" if scenario else ""))
    return f"it is required {', '.join(dict.fromkeys(places))}"


def _values(asked: str | Sequence[str], dimension: str) -> str:
    if not isinstance(asked, str):
        return " or ".join(asked)
    return "" if asked == "any" else f"each {dimension}" if asked == _MUST_NAME else asked


def _title(row: Row) -> str:
    where = " ".join(row[name] for name in ("arch", "variant") if name in row)
    return f"{row['testcase']} on {where}" + (f" ({row['scenario']})" if "scenario" in row else "")
