"""Files of a tree, each read strictly and checked in its place; whatever is wrong with one becomes a problem."""

import datetime as dt
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from compose_repo.core.checks import Case, Known, check
from compose_repo.core.layout import (
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
from compose_repo.core.limits import MANIFEST_BYTES, RESULT_BYTES, TOML_BYTES
from compose_repo.core.problem import InputError, Problem
from compose_repo.core.strict import is_plain_under_schema, read_json, read_toml, too_large
from compose_repo.ports.schemas import is_valid, violations
from compose_repo.ports.tree import Entry, Tree

BYTES: Final = {Kind.RESULT: RESULT_BYTES, Kind.MANIFEST: MANIFEST_BYTES}
"""Most bytes of each kind of file; the others are TOML."""
REQUIRED: Final = ("gate/policy.toml", "gate/origins.toml")
"""What a repository cannot do without; waivers and streams may be absent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
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
        return self.inspect_bytes(place, raw)

    def inspect_bytes(self, place: Place, raw: bytes) -> Inspected:
        """Do the same with bytes that may not be in the tree."""
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
        if valid:
            found = check(Case(place=place, raw=raw, data=data, known=self._known(place), now=self.now))
        else:
            found = violations(place.kind, data, path)
        problems = [*name_problems(place), *found]
        if problems:
            from compose_repo.core.diagnosis import bounded, placed  # noqa: PLC0415  # only what is wrong needs a line

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
        path = f"composes/{compose_id}/manifest.json"
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


def inspect_gate(tree: Tree, now: dt.datetime) -> tuple[dict[Kind, Inspected], list[Problem]]:
    """Check `gate/*.toml` as a whole, against one another; gives the files by kind, and every problem of the folder."""
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
    return {GATE_FILES[path]: file for path, file in done.items() if path in GATE_FILES}, sorted(problems)


def inspect_origins(tree: Tree, now: dt.datetime) -> Inspected:
    """Check `gate/origins.toml` alone: all that result files need of the folder."""
    raw = tree.read(_ORIGINS)
    if raw is None:
        return Inspected(path=_ORIGINS, problems=(absent(_ORIGINS),))
    return Inspector(tree, now).inspect(Entry(path=_ORIGINS, size=len(raw)))


def inspect_streams(tree: Tree, now: dt.datetime) -> Inspected | None:
    """Check `gate/streams.toml` alone; None where there is none."""
    entry = next((entry for entry in tree.list("gate") if entry.path == _STREAMS), None)
    return None if entry is None else Inspector(tree, now).inspect(entry)


def origin_names(origins: Inspected) -> Collection[str] | None:
    """Give the names that a sound `gate/origins.toml` lists; of one with problems nothing is said."""
    return _names(origins, "origins")


def inspect_all(
    tree: Tree, entries: Sequence[Entry], now: dt.datetime, *, rules: Tree | None = None
) -> tuple[set[str], list[Problem]]:
    """Check files and what they refer to; gives the paths that were checked, and every problem.

    The files of gate/ refer to one another: with one of them, all are checked. `rules` is the tree whose origins
    result files may name, where that is another than theirs: what a branch says of origins is not asked.
    """
    checked: set[str] = set()
    problems: list[Problem] = []
    results = [entry for entry in entries if not entry.path.startswith("gate/")]
    origins = None
    if len(results) < len(entries):
        files, problems = inspect_gate(tree, now)
        checked.update(file.path for file in files.values())
        origins = files.get(Kind.ORIGINS)
    if results and (rules is not None or len(results) == len(entries)):
        origins = inspect_origins(rules or tree, now)
        problems.extend(origins.problems)
    inspector = Inspector(tree, now, origins=_names(origins, "origins"))
    for entry in results:
        problems.extend(inspector.inspect(entry).problems)
        if not is_readme(entry.path):
            checked.add(entry.path)
    return checked, problems


def _names(file: Inspected | None, table: str) -> Collection[str] | None:
    """Give the names that a sound file lists; of one with problems nothing is said."""
    return None if file is None or file.problems else file.data.get(table, {})


_ORIGINS: Final = "gate/origins.toml"
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
