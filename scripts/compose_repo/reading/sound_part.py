"""What is sound in a file that its schema refuses: other laws are held to it, so that all faults are told in one go."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.checks import Case, check
from compose_repo.core.composes.layout import Kind
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import Outcome
from compose_repo.ports.schemas import is_valid

_ENTRIES: Final = {
    Kind.RESULT: "results",
    Kind.POLICY: "requirement",
    Kind.WAIVERS: "waiver",
    Kind.HOLDS: "hold",
    Kind.ORIGINS: "origins",
    Kind.STREAMS: "streams",
}
"""Where the entries of each kind of file are, of which one can be left out. A manifest is made by the program: what its
schema refuses is not checked further."""
_SOME_URL: Final = "https://example.org/"
_SOME_DIGEST: Final = "0" * 64
_LONG_AGO: Final = "2000-01-01T00:00:00Z"
_TIMES: Final = frozenset({"started_at", "finished_at"})
_ENTRY: Final = re.compile(r"(?P<table>/(?:results|requirement|waiver|hold)/)(?P<index>[0-9]+)(?P<field>(?:/[^/]+)*)")
_NUMBERED: Final = re.compile(r"(?P<words> at /results/| as requirement )(?P<number>[0-9]+)\Z")


class _Part(Struct, frozen=True, kw_only=True):
    """The sound part, and the indexes that its entries have in the file; None where they are not in a list."""

    data: Mapping[str, Any]
    kept: Sequence[int] | None


def problems_of_the_sound_part(case: Case, found: Sequence[Problem]) -> Sequence[Problem]:
    """Check what is left of a file without the entries and fields that its schema refuses.

    `found` is what violates the schema. If that is not all of it, or nothing can be left out, nothing more is said.
    """
    place = case.place
    if place.kind not in _ENTRIES or not isinstance(case.data, Mapping):
        return ()
    part = _part(case, [_steps(problem.pointer) for problem in found])
    if not is_valid(place.kind, part.data):
        return ()
    return [told for problem in check(replace(case, data=part.data)) for told in _in_the_file(problem, part.kept)]


def _part(case: Case, wrong: Sequence[Sequence[str]]) -> _Part:
    """Leave out each wrong entry and field; of what must be there, put what breaks no law."""
    name = _ENTRIES[case.place.kind]
    wrong_entries = {steps[1] for steps in wrong if steps[:1] == [name] and len(steps) > 1}
    fields = {steps[0] for steps in wrong if steps and (steps[0] != name or len(steps) == 1)}
    data = {field: value for field, value in case.data.items() if field not in fields}
    entries, kept = data.get(name), None
    if isinstance(entries, list):
        kept = [index for index in range(len(entries)) if str(index) not in wrong_entries]
        data[name] = [entries[index] for index in kept]
    elif isinstance(entries, Mapping):
        data[name] = {key: value for key, value in entries.items() if key not in wrong_entries}
    data.setdefault("schema", f"{_SCHEMA_NAMES.get(case.place.kind, case.place.kind)}/1")
    if case.place.kind is Kind.RESULT:
        _complete(data, case, {steps[1] for steps in wrong if steps[:1] == ["run"] and len(steps) > 1})
    return _Part(data=data, kept=kept)


_SCHEMA_NAMES: Final = {Kind.RESULT: "results"}


def _complete(data: dict[str, Any], case: Case, wrong: set[str]) -> None:
    """Put into a result file what must be there; `wrong` are the fields of its run that are not usable."""
    place = case.place
    data.setdefault("compose_id", place.compose_id)
    data.setdefault("origin", place.origin)
    data.setdefault("manifest_sha256", case.known.manifest_sha256 or _SOME_DIGEST)
    given = case.data.get("run")
    run = {key: given[key] for key in given if key not in wrong} if isinstance(given, Mapping) else {}
    if not isinstance(given, Mapping) or wrong & _TIMES:
        run = {key: value for key, value in run.items() if key not in _TIMES} | {"finished_at": _LONG_AGO}
    data["run"] = {"id": place.run_id, "url": _SOME_URL} | run
    if not data.get("results"):  # no result is sound, but the rest of the file can be looked at
        arch = next(iter(sorted(case.known.arches)), "noarch")
        data["results"] = [{"testcase": "none", "outcome": Outcome.QUEUED.value, "arch": arch}]


def _in_the_file(problem: Problem, kept: Sequence[int] | None) -> Iterator[Problem]:
    """Name an entry of a list by its index in the file; nothing is said of one that the file does not have."""
    entry = _ENTRY.fullmatch(problem.pointer)
    if kept is None or entry is None:
        yield problem
    elif kept:
        pointer = f"{entry['table']}{kept[int(entry['index'])]}{entry['field']}"
        yield replace(problem, pointer=pointer, message=_NUMBERED.sub(partial(_renumbered, kept), problem.message))


def _renumbered(kept: Sequence[int], found: re.Match[str]) -> str:
    """Number another entry that a message names at its end as it is in the file; requirements count from 1."""
    first = 0 if found["words"].endswith("/") else 1
    return f"{found['words']}{kept[int(found['number']) - first] + first}"


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
