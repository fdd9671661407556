"""Reads a compose and sums it up."""

import gc
from typing import Final

from msgspec import Struct

from compose_repo.core.composes.compose import Status
from compose_repo.core.composes.layout import Kind
from compose_repo.core.documents.limits import MANIFEST_BYTES
from compose_repo.core.documents.strict import is_plain_under_schema, read_json
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.ports.compose_root import Root, compose_root, failure
from compose_repo.ports.console import Console
from compose_repo.ports.productmd.reading import read_compose
from compose_repo.ports.schemas import is_valid, violations

_NAMED: Final = 20
"""Most reasons for which a manifest is refused that are named."""
_CORRECT: Final = "ask the compose's makers to fix its metadata"


class Made(Struct, frozen=True, kw_only=True):
    """A manifest and its bytes, which have been read back."""

    manifest: Manifest
    raw: bytes


def make_manifest(source: str, *, location: str | None, timeout: float, console: Console) -> Made:
    """Read a compose root and sum it up; says on stderr what the compose does not have.

    Raises:
        InputError: there is no whole, finished compose.
        UsageError: the source is neither a directory nor an http(s) URL.

    """
    root = compose_root(source, timeout=timeout, clock=console.clock, trace=console.trace)
    return manifest_of(root, location=location, console=console)


def manifest_of(root: Root, *, location: str | None, console: Console) -> Made:
    """Read a compose root and sum it up; says on stderr what the compose does not have.

    Raises:
        InputError: there is no whole, finished compose, or none that a manifest can hold.

    """
    # Hundreds of thousands of objects are made and nearly all are kept: looking for garbage finds none, slowly.
    gc.disable()
    try:
        compose = read_compose(root, location=location)
        manifest = Manifest.from_compose(compose)
        raw = _read_back(manifest)
    finally:
        gc.freeze()
        gc.enable()
    if manifest.status is Status.FINISHED_INCOMPLETE:
        console.info(f"{manifest.compose_id} is {manifest.status}: some of it failed to build")
    absent = [name for name, digest in manifest.metadata.items() if digest is None]
    if absent:
        console.info(f"{manifest.compose_id} has no {', '.join(absent)}")
    for remark in compose.remarks:
        console.info(f"{manifest.compose_id}: {remark}")
    return Made(manifest=manifest, raw=raw)


def _read_back(manifest: Manifest) -> bytes:
    """Write a manifest and read it as the gate will: what the gate would refuse is not pushed.

    The laws beside the schema hold for whatever is made here: tests/unit/test_any_manifest.py tries them all.

    Raises:
        InputError: it would be refused.

    """
    raw = manifest.to_bytes()
    if len(raw) > MANIFEST_BYTES:
        message = f"its manifest has {len(raw):,} bytes; {MANIFEST_BYTES:,} are allowed"
        raise failure(manifest.location, Code.SOURCE_TOO_LARGE, message, "ask the compose's makers for a smaller one")
    path = manifest.compose_id.manifest_path
    try:
        data = read_json(raw, path, walked=not is_plain_under_schema(raw))
        found = [] if is_valid(Kind.MANIFEST, data) else violations(Kind.MANIFEST, data, path)
    except InputError as error:
        found = list(error.problems)
    if found:
        raise InputError(*(_refused(manifest, problem) for problem in found[:_NAMED]))
    return raw


def _refused(manifest: Manifest, problem: Problem) -> Problem:
    """Say of the compose what is wrong with its manifest."""
    return Problem(
        path=manifest.location,
        pointer=problem.pointer,
        code=Code.METADATA_INVALID,
        message=f"no manifest can hold it: {problem.message}",
        fix=_CORRECT,
    )
