"""From a tree of files to the values that the core works on; whatever is wrong with a file becomes a problem."""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from compose_repo.core.checks import Case, Known, check
from compose_repo.core.layout import (
    GATE_FILES,
    Kind,
    Place,
    absent,
    collisions,
    is_readme,
    name_problems,
    not_plain,
    place_of,
    stray,
)
from compose_repo.core.names import Origin, Sha256, Stream
from compose_repo.core.problem import InputError, Problem
from compose_repo.core.strict import (
    MANIFEST_BYTES,
    RESULT_BYTES,
    TOML_BYTES,
    bounded,
    placed,
    read_json,
    read_toml,
    too_large,
)
from compose_repo.ports.schemas import is_valid, violations
from compose_repo.ports.tree import Entry, Tree

if TYPE_CHECKING:  # the models are imported by what makes them: `validate` makes none
    from compose_repo.core.compose import ComposeId
    from compose_repo.core.gate import Baseline
    from compose_repo.core.manifest import Manifest
    from compose_repo.core.policy import OriginEntry, Policy, StreamEntry, Waiver
    from compose_repo.core.result import ResultFile

BYTES: Final = {Kind.RESULT: RESULT_BYTES, Kind.MANIFEST: MANIFEST_BYTES}
"""Most bytes of each kind of file; the others are TOML."""
REQUIRED: Final = ("gate/policy.toml", "gate/origins.toml")
"""What a repository cannot do without; waivers and streams may be absent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateFiles:
    """What `gate/*.toml` says; `policy_sha256` is the digest of policy.toml's bytes."""

    policy: "Policy"
    policy_sha256: Sha256
    origins: Mapping[Origin, "OriginEntry"]
    waivers: tuple["Waiver", ...]
    streams: Mapping[Stream, "StreamEntry"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedCompose:
    """One compose and what was reported on it.

    A file with any problem is not in `files`; its problems are in `refused`.
    """

    manifest: "Manifest"
    manifest_sha256: Sha256
    files: tuple["ResultFile", ...]
    refused: tuple[Problem, ...]


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
        path = entry.path
        place = place_of(path)
        if place is None:
            return Inspected(path=path, problems=() if is_readme(path) and entry.regular else (stray(path),))
        if not entry.regular:
            return Inspected(path=path, problems=(not_plain(path),))
        limit = BYTES.get(place.kind, TOML_BYTES)
        if entry.size > limit:
            return Inspected(path=path, problems=(too_large(path, entry.size, limit),))
        raw = self.tree.read(path)
        if raw is None:
            return Inspected(path=path, problems=(absent(path),))
        return self.inspect_bytes(place, raw)

    def inspect_bytes(self, place: Place, raw: bytes) -> Inspected:
        """Do the same with bytes that may not be in the tree."""
        path, toml = place.path, place.kind not in BYTES
        try:
            data = read_toml(raw, path) if toml else read_json(raw, path)
        except InputError as error:
            return Inspected(path=path, raw=raw, problems=[*name_problems(place), *error.problems])
        if is_valid(place.kind, data):
            found = check(Case(place=place, raw=raw, data=data, known=self._known(place), now=self.now))
        else:
            found = violations(place.kind, data, path)
        problems = [*name_problems(place), *found]
        if problems:
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
        if not is_valid(Kind.MANIFEST, data):
            return Known(origins=self.origins, manifest_sha256=digest)
        variants = {variant: frozenset(arches) for variant, arches in data["variants"].items()}
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


def inspect_all(tree: Tree, entries: Sequence[Entry], now: dt.datetime) -> tuple[set[str], list[Problem]]:
    """Check files and what they refer to; gives the paths that were checked, and every problem.

    The files of gate/ refer to one another: with one of them, all are checked.
    """
    checked: set[str] = set()
    problems: list[Problem] = []
    results = [entry for entry in entries if not entry.path.startswith("gate/")]
    origins = None
    if len(results) < len(entries):
        files, problems = inspect_gate(tree, now)
        checked.update(file.path for file in files.values())
        origins = files.get(Kind.ORIGINS)
    elif results:
        origins = inspect_origins(tree, now)
        problems.extend(origins.problems)
    inspector = Inspector(tree, now, origins=_names(origins, "origins"))
    for entry in results:
        problems.extend(inspector.inspect(entry).problems)
        if not is_readme(entry.path):
            checked.add(entry.path)
    return checked, problems


def load_gate(tree: Tree, now: dt.datetime | None = None) -> GateFiles:
    """Read `gate/*.toml`; waivers.toml and streams.toml may be absent.

    Raises:
        InputError: any file of the folder has a problem; it carries all of them.

    """
    from compose_repo.core.policy import (  # noqa: PLC0415  # `validate` makes no models
        Policy,
        origins_from_dict,
        streams_from_dict,
        waivers_from_dict,
    )

    files, problems = inspect_gate(tree, now or _ANY_TIME)
    if problems:
        raise InputError(*problems)
    return GateFiles(
        policy=Policy.from_dict(files[Kind.POLICY].data),
        policy_sha256=Sha256(hashlib.sha256(files[Kind.POLICY].raw).hexdigest()),
        origins=origins_from_dict(files[Kind.ORIGINS].data),
        waivers=waivers_from_dict(files[Kind.WAIVERS].data) if Kind.WAIVERS in files else (),
        streams=streams_from_dict(files[Kind.STREAMS].data) if Kind.STREAMS in files else {},
    )


def read_manifest(file: Path) -> "Manifest":
    """Read a manifest wherever it lies: it satisfies its schema, but its place and its exact bytes say nothing.

    Raises:
        InputError: it has a problem; it carries all of them.
        OSError: it cannot be read.

    """
    from compose_repo.core.compose import ComposeIdError  # noqa: PLC0415  # `validate` makes no models
    from compose_repo.core.manifest import Manifest  # noqa: PLC0415

    path = str(file)
    size = file.stat().st_size
    if size > MANIFEST_BYTES:
        raise InputError(too_large(path, size, MANIFEST_BYTES))
    raw = file.read_bytes()
    data = read_json(raw, path)
    if not is_valid(Kind.MANIFEST, data):
        raise InputError(*bounded(placed(violations(Kind.MANIFEST, data, path), raw, toml=False), path))
    try:
        return Manifest.from_dict(data)
    except ComposeIdError as error:
        problem = Problem(
            path=path,
            pointer="/compose/id",
            code="bad-compose-id",
            message=str(error),
            fix="make the manifest anew: compose-repo manifest SOURCE",
        )
        raise InputError(*placed([problem], raw, toml=False)) from error


def load_compose(tree: Tree, compose_id: "ComposeId", gate_files: GateFiles, now: dt.datetime) -> LoadedCompose:
    """Read a compose's manifest and every result file on it; no other compose's folder is looked into.

    Raises:
        InputError: the compose has no manifest, or one with a problem.

    """
    from compose_repo.core.manifest import Manifest  # noqa: PLC0415  # `validate` makes no models
    from compose_repo.core.result import ResultFile  # noqa: PLC0415

    inspector = Inspector(tree, now, origins=gate_files.origins)
    entries = {entry.path: entry for entry in tree.list(compose_id.folder)}
    manifest_path = f"{compose_id.folder}/manifest.json"
    if manifest_path not in entries:
        raise InputError(absent(manifest_path))
    manifest = inspector.inspect(entries.pop(manifest_path))
    if manifest.problems:
        raise InputError(*manifest.problems)
    refused, files = list(collisions(entries)), []
    collided = {problem.path for problem in refused}
    for path, entry in entries.items():
        inspected = inspector.inspect(entry)
        refused.extend(inspected.problems)
        if inspected.data is not None and not inspected.problems and path not in collided:
            files.append(ResultFile.from_dict(inspected.data))
    return LoadedCompose(
        manifest=Manifest.from_dict(manifest.data),
        manifest_sha256=Sha256(hashlib.sha256(manifest.raw).hexdigest()),
        files=tuple(files),
        refused=tuple(sorted(refused)),
    )


def load_manifest(tree: Tree, compose_id: "ComposeId") -> "Manifest | None":
    """Read a compose's manifest alone, or give None if there is none without problems."""
    from compose_repo.core.manifest import Manifest  # noqa: PLC0415  # `validate` makes no models

    path = f"{compose_id.folder}/manifest.json"
    entry = next((entry for entry in tree.list(compose_id.folder) if entry.path == path), None)
    found = None if entry is None else Inspector(tree, _ANY_TIME).inspect(entry)
    return None if found is None or found.problems else Manifest.from_dict(found.data)


def load_baseline(tree: Tree, compose_id: "ComposeId", gate_files: GateFiles, now: dt.datetime) -> "Baseline | None":
    """Read the newest older compose of the same stream in the tree: what is merged has been published.

    None where there is none, and where no requirement for the stream compares with it.

    Raises:
        InputError: that compose's manifest has a problem.

    """
    from compose_repo.core.compose import ComposeId, ComposeIdError  # noqa: PLC0415  # `validate` makes no models
    from compose_repo.core.gate import Baseline  # noqa: PLC0415

    stream = compose_id.stream
    if not any(line.baseline and line.applies_to(stream) for line in gate_files.policy.requirements):
        return None
    older = []
    for name in tree.folders("composes"):
        try:
            other = ComposeId.parse(name)
        except ComposeIdError:
            continue
        if other.stream == stream and other < compose_id:
            older.append(other)
    for other in sorted(older, reverse=True):
        if tree.read(f"{other.folder}/manifest.json") is not None:
            return Baseline(compose_id=other, files=load_compose(tree, other, gate_files, now).files)
    return None


def _names(file: Inspected | None, table: str) -> Collection[str] | None:
    """Give the names that a sound file lists; of one with problems nothing is said."""
    return None if file is None or file.problems else file.data.get(table, {})


_ORIGINS: Final = "gate/origins.toml"
_STREAMS: Final = "gate/streams.toml"
_ANY_TIME: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
"""For files of which no check looks at the clock."""
