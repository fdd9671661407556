"""From a tree of files to the values that the gate works on: only files without any problem count."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, ValidationError

from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.composes.layout import Kind, absent
from compose_repo.core.documents.diagnosis import bounded, placed
from compose_repo.core.documents.limits import MANIFEST_BYTES
from compose_repo.core.documents.strict import read_json, too_large
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Origin, Sha256, Stream
from compose_repo.core.plan.labels import USUAL, Labels, labels_from_dict
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.result import ResultFile
from compose_repo.core.rules.holds import HoldEntry, holds_from_dict
from compose_repo.core.rules.policy import (
    Bots,
    Mode,
    OriginEntry,
    Policy,
    StreamEntry,
    Waiver,
    bots_from_dict,
    origins_from_dict,
    streams_from_dict,
    waivers_from_dict,
)
from compose_repo.core.verdict.unmatched import Reported
from compose_repo.ports.schemas import is_valid, violations
from compose_repo.ports.tree import Tree
from compose_repo.reading.inspection import Inspector, inspect_gate


class GateFiles(Struct, frozen=True, kw_only=True):
    """What `gate/*.toml` says; `policy_sha256` is the digest of policy.toml's bytes.

    `advice` is what time has made of it, sorted: none of it is a problem.
    """

    policy: Policy
    policy_sha256: Sha256
    origins: Mapping[Origin, OriginEntry]
    waivers: tuple[Waiver, ...]
    holds: tuple[HoldEntry, ...] = ()
    streams: Mapping[Stream, StreamEntry]
    bots: Bots
    labels: Labels = USUAL
    advice: tuple[Problem, ...] = ()

    def is_gating(self, compose_id: ComposeId) -> bool:
        """Tell whether merging leads to publishing in a compose's stream."""
        stream = self.streams.get(compose_id.stream)
        return stream is not None and stream.mode is Mode.GATING


class LoadedCompose(Struct, frozen=True, kw_only=True):
    """One compose and what was reported on it.

    A file with any problem is not in `files`; its problems are in `refused`. `unasked` are sound results whose test no
    requirement names.
    """

    manifest: Manifest
    manifest_sha256: Sha256
    files: tuple[ResultFile, ...]
    refused: tuple[Problem, ...]
    unasked: frozenset[Reported] = frozenset()


def load_gate(tree: Tree, now: dt.datetime | None = None) -> GateFiles:
    """Read `gate/*.toml`; waivers.toml, holds.toml and streams.toml may be absent. Without `now`, nothing has expired.

    Raises:
        InputError: any file of the folder has a problem; it carries all of them.

    """
    gate = inspect_gate(tree, now or ANY_TIME)
    if gate.problems:
        raise InputError(*gate.problems)
    files = gate.files
    return GateFiles(
        policy=Policy.from_dict(files[Kind.POLICY].data),
        policy_sha256=Sha256(hashlib.sha256(files[Kind.POLICY].raw).hexdigest()),
        origins=origins_from_dict(files[Kind.ORIGINS].data),
        waivers=waivers_from_dict(files[Kind.WAIVERS].data) if Kind.WAIVERS in files else (),
        holds=holds_from_dict(files[Kind.HOLDS].data) if Kind.HOLDS in files else (),
        streams=streams_from_dict(files[Kind.STREAMS].data) if Kind.STREAMS in files else {},
        bots=bots_from_dict(files[Kind.STREAMS].data) if Kind.STREAMS in files else Bots(),
        labels=labels_from_dict(files[Kind.STREAMS].data) if Kind.STREAMS in files else USUAL,
        advice=gate.advice,
    )


def read_manifest_file(file: Path) -> Manifest:
    """Read a manifest wherever it lies: it satisfies its schema, but its place and its exact bytes say nothing.

    Raises:
        InputError: it has a problem; it carries all of them.
        OSError: it cannot be read.

    """
    size = file.stat().st_size
    if size > MANIFEST_BYTES:
        raise InputError(too_large(str(file), size, MANIFEST_BYTES))
    return manifest_of(file.read_bytes(), str(file))


def manifest_of(raw: bytes, path: str) -> Manifest:
    """Read a manifest's bytes: they satisfy its schema, but whether they are exactly those of the manifest is not said.

    Raises:
        InputError: it has a problem; it carries all of them.

    """
    if len(raw) > MANIFEST_BYTES:
        raise InputError(too_large(path, len(raw), MANIFEST_BYTES))
    data = read_json(raw, path)
    if not is_valid(Kind.MANIFEST, data):
        raise InputError(*bounded(placed(violations(Kind.MANIFEST, data, path), raw, toml=False), path))
    try:
        return Manifest.from_dict(data)
    except ComposeIdError as error:
        problem = Problem(
            path=path,
            pointer="/compose/id",
            code=Code.BAD_COMPOSE_ID,
            message=str(error),
            fix="make the manifest again: compose-repo manifest SOURCE",
        )
        raise InputError(*placed([problem], raw, toml=False)) from error
    except ValidationError as error:  # the schema takes 2.0 for an integer
        raise InputError(
            Problem(
                path=path,
                code=Code.NOT_CANONICAL,
                message=f"the manifest is not in the form that `compose-repo manifest` writes: {error}",
                fix="make the manifest again: compose-repo manifest SOURCE",
            )
        ) from error


def load_compose(tree: Tree, compose_id: ComposeId, gate_files: GateFiles, now: dt.datetime) -> LoadedCompose:
    """Read a compose's manifest and every result file on it; what no requirement asks for is checked, and left out.

    No other compose's folder is looked into.

    No file takes another's place: of names that differ only in case, which validate refuses, each sound file counts,
    or whoever adds one could silence another's failure.

    Raises:
        InputError: the compose has no manifest, or one with a problem.

    """
    inspector = Inspector(tree, now, origins=gate_files.origins)
    entries = {entry.path: entry for entry in tree.list(compose_id.folder)}
    manifest_path = compose_id.manifest_path
    if manifest_path not in entries:
        raise InputError(absent(manifest_path))
    manifest = inspector.inspect(entries.pop(manifest_path))
    if manifest.problems:
        raise InputError(*manifest.problems)
    refused: list[Problem] = []
    files = []
    unasked: set[Reported] = set()
    wanted = {name for line in gate_files.policy.requirements for name in line.names}
    for entry in entries.values():
        inspected = inspector.inspect(entry)
        refused.extend(inspected.problems)
        data = inspected.data
        if data is None or inspected.problems:
            continue
        rows = data["results"]
        if any(row["testcase"] in wanted for row in rows):
            files.append(ResultFile.from_dict(data, wanted))
        unasked.update(_reported(data["origin"], row) for row in rows if row["testcase"] not in wanted)
    return LoadedCompose(
        manifest=Manifest.from_dict(manifest.data),
        manifest_sha256=Sha256(hashlib.sha256(manifest.raw).hexdigest()),
        files=tuple(files),
        refused=tuple(sorted(refused)),
        unasked=frozenset(unasked),
    )


def _reported(origin: Origin, row: Mapping[str, Any]) -> Reported:
    return Reported(origin, row["testcase"], row.get("scenario"), row["arch"], row.get("variant"))


def load_manifest(tree: Tree, compose_id: ComposeId) -> Manifest | None:
    """Read a compose's manifest alone; None if it is missing or has problems."""
    path = compose_id.manifest_path
    entry = next((entry for entry in tree.list(compose_id.folder) if entry.path == path), None)
    found = None if entry is None else Inspector(tree, ANY_TIME).inspect(entry)
    return None if found is None or found.problems else Manifest.from_dict(found.data)


ANY_TIME: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
"""For files of which no check looks at the clock; nothing has expired by then."""
