"""Files of a tree, each read strictly and checked in its place; whatever is wrong with one becomes a problem."""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.checks import Case, Known, check
from compose_repo.core.composes import paths
from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.composes.layout import (
    GATE_FILES,
    Kind,
    Place,
    absent,
    is_lfs_pointer,
    is_readme,
    lfs_pointer,
    name_problems,
    not_plain,
    place_of,
    stray,
)
from compose_repo.core.documents.limits import LISTED, MANIFEST_BYTES, RESULT_BYTES, TOML_BYTES
from compose_repo.core.documents.strict import is_plain_under_schema, read_json, read_toml, too_large
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.ports.schemas import is_valid, violations
from compose_repo.ports.tree import Entry, Tree

if TYPE_CHECKING:
    from compose_repo.core.rules.advice import Rules
    from compose_repo.core.verdict.unasked import Unasked

BYTES: Final = {Kind.RESULT: RESULT_BYTES, Kind.MANIFEST: MANIFEST_BYTES}
"""Most bytes of each kind of file; the others are TOML."""
REQUIRED: Final = ("gate/policy.toml", "gate/origins.toml")
"""What a repository cannot do without; waivers, holds and streams may be absent."""


class Inspected(Struct, frozen=True, kw_only=True):
    """One file after every check: with any problem, its data are not to be used."""

    path: str
    raw: bytes = b""
    data: Any = None
    problems: Sequence[Problem] = ()


class Inspector:
    """Checks files of one tree, each in its place, and remembers what it has read around them.

    `origins` and `streams` are the names that files may refer to; None leaves that unsaid.
    """

    def __init__(
        self,
        tree: Tree,
        now: dt.datetime,
        *,
        origins: Collection[str] | None = None,
        streams: Collection[str] | None = None,
    ) -> None:
        self.tree: Final = tree
        self.now: Final = now
        self.origins = origins
        self.streams = streams
        self._composes: dict[str, Known] = {}

    def inspect(self, entry: Entry) -> Inspected:
        """Read one file strictly, hold it to its schema and to every check of its kind."""
        return self.inspect_from(self.tree, entry)

    def inspect_from(self, tree: Tree, entry: Entry) -> Inspected:
        """Do so with a file of another tree, as if it stood in this one."""
        path = entry.path
        place = place_of(path)
        if place is None:
            return Inspected(path=path, problems=() if is_readme(path) and entry.regular else (stray(path),))
        if not entry.regular:
            return Inspected(path=path, problems=(not_plain(path),))
        limit = BYTES.get(place.kind, TOML_BYTES)
        if entry.size > limit:
            return Inspected(path=path, problems=(too_large(path, entry.size, limit),))
        raw = tree.read(path)
        if raw is None:
            return Inspected(path=path, problems=(absent(path),))
        return self.inspect_bytes(place, raw, entry.at)

    def inspect_bytes(self, place: Place, raw: bytes, at: dt.datetime | None = None) -> Inspected:
        """Do the same with bytes that may not be in the tree; `at` is when they were pushed, by default now."""
        path, toml = place.path, place.kind not in BYTES
        if is_lfs_pointer(raw):
            return Inspected(path=path, raw=raw, problems=(lfs_pointer(path),))
        try:
            walked = toml or not is_plain_under_schema(raw)
            data = read_toml(raw, path) if toml else read_json(raw, path, walked=walked)
            valid = is_valid(place.kind, data)
            if not valid and not walked:
                read_json(raw, path)  # what breaks the bounds of reading is told as that
        except InputError as error:
            return Inspected(path=path, raw=raw, problems=[*name_problems(place), *error.problems])
        case = Case(place=place, raw=raw, data=data, known=self._known(place), now=at or self.now)
        found = check(case) if valid else _violated(case)
        problems = [*name_problems(place), *found]
        if problems:
            from compose_repo.core.documents.diagnosis import bounded, placed  # noqa: PLC0415  # only what is wrong needs a line

            problems = bounded(placed(problems, raw, toml=toml), path)
        return Inspected(path=path, raw=raw, data=data, problems=problems)

    def _known(self, place: Place) -> Known:
        """Give what is known around a file; a manifest is looked at once for all results on it."""
        if place.kind is not Kind.RESULT:
            return Known(origins=self.origins, streams=self.streams)
        known = self._composes.get(place.compose_id)
        if known is None:
            known = self._composes[place.compose_id] = self._compose(place.compose_id)
        return known

    def _compose(self, compose_id: str) -> Known:
        path = paths.manifest_of(compose_id)
        raw = self.tree.read(path)
        if raw is None:
            return Known(origins=self.origins)
        digest = hashlib.sha256(raw).hexdigest()
        try:
            data = read_json(raw, path)
        except InputError:
            return Known(origins=self.origins, manifest_sha256=digest)
        variants = _variants(data)
        if variants is None:
            return Known(origins=self.origins, manifest_sha256=digest)
        arches = frozenset(arch for arches in variants.values() for arch in arches)
        return Known(origins=self.origins, manifest_sha256=digest, variants=variants, arches=arches)


def _violated(case: Case) -> list[Problem]:
    """Tell what violates the schema, and in the same go what is wrong with the rest."""
    from compose_repo.reading.sound_part import problems_of_the_sound_part  # noqa: PLC0415  # only for what is refused

    found = violations(case.place.kind, case.data, case.place.path)
    return [*(_with_digest(problem, case) for problem in found), *problems_of_the_sound_part(case, found)]


def _with_digest(problem: Problem, case: Case) -> Problem:
    """Say which digest belongs into a result file, where it has none or something else."""
    digest = case.known.manifest_sha256
    asked = problem.pointer == "/manifest_sha256" or problem.message == "manifest_sha256 is missing"
    if digest is None or case.place.kind is not Kind.RESULT or not asked:
        return problem
    return replace(problem, fix=f"give the SHA-256 of the manifest.json that was tested; here it is {digest}")


class InspectedGate(Struct, frozen=True, kw_only=True):
    """The files of `gate/` by kind, every problem of the folder, and the advice on it; both sorted."""

    files: Mapping[Kind, Inspected]
    problems: tuple[Problem, ...]
    advice: tuple[Problem, ...] = ()


def inspect_gate(tree: Tree, now: dt.datetime, *, base: Tree | None = None) -> InspectedGate:
    """Check `gate/*.toml` as a whole, against one another, and what time has made of it.

    What has aged is advice, or a problem in an entry that a change has brought: one that is not in `base`, the tree
    from which it set out. Without a base there is no change.
    """
    from compose_repo.core.rules.advice import advise  # noqa: PLC0415  # results alone do not need it

    gate = _inspected_gate(tree, now)
    before = None if base is None else _rules(_inspected_gate(base, now).files)
    aged, advice = advise(_rules(gate.files), now, before)
    if not aged and not advice:
        return gate
    from compose_repo.core.documents.diagnosis import bounded, placed  # noqa: PLC0415  # only what has aged needs a line

    files = {file.path: file for file in gate.files.values()}
    brought = _by_path(aged)
    problems = [problem for problem in gate.problems if problem.path not in brought]
    for path, rows in brought.items():
        problems += _beside(files[path], rows)
    told = list[Problem]()
    for path, rows in _by_path(advice).items():
        told += bounded(placed(rows, files[path].raw, toml=True), path, advice=True)
    return InspectedGate(files=gate.files, problems=tuple(sorted(problems)), advice=tuple(sorted(told)))


def _beside(file: Inspected, aged: Sequence[Problem]) -> Sequence[Problem]:
    """Put what has aged in a file to what is wrong with it; of both together as many are listed as of one."""
    from compose_repo.core.documents.diagnosis import bounded, placed  # noqa: PLC0415  # as above

    if len(file.problems) > LISTED:  # the last of them says already that there are more
        return file.problems
    return bounded([*file.problems, *placed(aged, file.raw, toml=True)], file.path)


def _inspected_gate(tree: Tree, now: dt.datetime) -> InspectedGate:
    """Check the files of `gate/` alone, whatever time has made of them."""
    entries = {entry.path: entry for entry in tree.list("gate")}
    first = Inspector(tree, now)
    origins = first.inspect(entries[_ORIGINS]) if _ORIGINS in entries else None
    streams = first.inspect(entries[_STREAMS]) if _STREAMS in entries else None
    inspector = Inspector(tree, now, origins=_names(origins, "origins"), streams=_names(streams, "streams"))
    done = {file.path: file for file in (origins, streams) if file is not None}
    for path, entry in entries.items():
        if path not in done:
            done[path] = inspector.inspect(entry)
    problems = [problem for file in done.values() for problem in file.problems]
    problems += [absent(path) for path in REQUIRED if path not in entries]
    files = {GATE_FILES[path]: file for path, file in done.items() if path in GATE_FILES}
    return InspectedGate(files=files, problems=tuple(sorted(problems)))


def _rules(files: Mapping[Kind, Inspected]) -> "Rules":
    """Take the entries out of the files: what others refer to is known only of a file without problems."""
    from compose_repo.core.rules.advice import Rules  # noqa: PLC0415  # results alone do not need it

    return Rules(
        requirements=_rows(files, Kind.POLICY, "requirement"),
        waivers=_rows(files, Kind.WAIVERS, "waiver"),
        holds=_rows(files, Kind.HOLDS, "hold"),
        origins=_names(files.get(Kind.ORIGINS), "origins"),
        streams=_names(files.get(Kind.STREAMS), "streams"),
    )


def _rows(files: Mapping[Kind, Inspected], kind: Kind, table: str) -> Sequence[Mapping[str, Any]] | None:
    """Give the entries of a table: none of an absent file, and None of one that does not satisfy its schema."""
    if kind not in files:
        return ()
    data = files[kind].data
    rows: Sequence[Mapping[str, Any]] | None = data.get(table, ()) if is_valid(kind, data) else None
    return rows


def _by_path(rows: Sequence[Problem]) -> dict[str, list[Problem]]:
    return {path: [row for row in rows if row.path == path] for path in sorted({row.path for row in rows})}


def inspect_origins(tree: Tree, now: dt.datetime) -> Inspected:
    """Check `gate/origins.toml` alone: all that result files need of the folder."""
    raw = tree.read(_ORIGINS)
    if raw is None:
        return Inspected(path=_ORIGINS, problems=(absent(_ORIGINS),))
    return Inspector(tree, now).inspect(Entry(path=_ORIGINS, size=len(raw)))


def inspect_streams(tree: Tree, now: dt.datetime) -> Inspected | None:
    """Check `gate/streams.toml` alone; None if the file does not exist."""
    entry = next((entry for entry in tree.list("gate") if entry.path == _STREAMS), None)
    return None if entry is None else Inspector(tree, now).inspect(entry)


def origin_names(origins: Inspected) -> Collection[str] | None:
    """Give the names that a sound `gate/origins.toml` lists; of one with problems nothing is said."""
    return _names(origins, "origins")


class Inspection(Struct, frozen=True, kw_only=True):
    """What came of checking files: the paths that were checked, every problem, and all advice, in no order."""

    checked: set[str]
    problems: list[Problem]
    advice: list[Problem]


def inspect_all(
    tree: Tree,
    entries: Sequence[Entry],
    now: dt.datetime,
    *,
    rules: Tree | None = None,
    base: Tree | None = None,
) -> Inspection:
    """Check files and what they refer to.

    The files of gate/ refer to one another: with one of them, all are checked. `rules` is the tree whose origins
    result files may name, where that is another than theirs: what a branch says of origins is not asked. `base` is the
    tree from which a change set out, as for `inspect_gate`.
    """
    checked: set[str] = set()
    problems: list[Problem] = []
    advice: list[Problem] = []
    results = [entry for entry in entries if not entry.path.startswith("gate/")]
    origins = None
    if len(results) < len(entries):
        gate = inspect_gate(tree, now, base=base)
        problems.extend(gate.problems)
        advice.extend(gate.advice)
        checked.update(file.path for file in gate.files.values())
        origins = gate.files.get(Kind.ORIGINS)
    if results and (rules is not None or len(results) == len(entries)):
        origins = inspect_origins(rules or tree, now)
        problems.extend(origins.problems)
    inspector = Inspector(tree, now, origins=_names(origins, "origins"))
    unasked = _unasked(rules or tree) if results else None
    for entry in results:
        inspected = inspector.inspect(entry)
        problems.extend(inspected.problems)
        if unasked is not None:
            advice.extend(_advised(unasked, inspected))
        if not is_readme(entry.path):
            checked.add(entry.path)
    return Inspection(checked=checked, problems=problems, advice=advice)


def _unasked(rules: Tree) -> "Unasked | None":
    """Give what advises on results by a policy; None if there is no policy that can be read."""
    from compose_repo.core.verdict.unasked import Unasked  # noqa: PLC0415  # gate/ alone does not need it

    raw = rules.read(_POLICY)
    if raw is None or len(raw) > TOML_BYTES:
        return None
    try:
        data = read_toml(raw, _POLICY)
    except InputError:
        return None
    return Unasked(data.get("requirement", ())) if is_valid(Kind.POLICY, data) else None


def _advised(unasked: "Unasked", file: Inspected) -> Sequence[Problem]:
    """Advise on a sound result file; of one that is refused enough is said."""
    place = place_of(file.path)
    if place is None or place.kind is not Kind.RESULT or file.problems or file.data is None:
        return ()
    try:
        stream = ComposeId.parse(place.compose_id).stream
    except ComposeIdError:  # a day that no calendar has
        return ()
    found = list(unasked.advice(file.path, place.origin, stream, file.data["results"]))
    if not found:
        return ()
    from compose_repo.core.documents.diagnosis import placed  # noqa: PLC0415  # only what is told needs a line

    return placed(found, file.raw, toml=False)


def _names(file: Inspected | None, table: str) -> Mapping[str, Mapping[str, Any]] | None:
    """Give the names that a sound file lists, with their entries; of one with problems nothing is said."""
    return None if file is None or file.problems else file.data.get(table, {})


_ORIGINS: Final = "gate/origins.toml"
_POLICY: Final = "gate/policy.toml"
_STREAMS: Final = "gate/streams.toml"


def _variants(manifest: object) -> dict[str, frozenset[str]] | None:
    """Take the arches of each variant out of a manifest, or nothing; whether it is sound is said elsewhere."""
    table = manifest.get("variants") if isinstance(manifest, dict) else None
    if not isinstance(table, dict):
        return None
    return {
        name: frozenset(arch for arch in arches if isinstance(arch, str))
        for name, arches in table.items()
        if isinstance(arches, list)
    }
