"""Reads a compose and sums it up."""

import gc
from typing import Final

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId, Status
from compose_repo.core.composes.layout import Kind
from compose_repo.core.documents.limits import MANIFEST_BYTES
from compose_repo.core.documents.strict import is_plain_under_schema, read_json
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UnansweredError
from compose_repo.core.problems.report import as_line as as_problem_line
from compose_repo.ports.compose_root import Root, compose_root, failure
from compose_repo.ports.console import Console
from compose_repo.ports.productmd.reading import read_compose, what_is_left
from compose_repo.ports.schemas import is_valid, violations

_NAMED: Final = 20
"""Most reasons for which a manifest is refused that are named."""
PASSING: Final = frozenset(
    {
        Code.COMPOSE_CHANGED,
        Code.SOURCE_TIMEOUT,
        Code.SOURCE_TLS,
        Code.SOURCE_TRUNCATED,
        Code.SOURCE_UNREACHABLE,
    }
)
"""What says nothing of a compose: its server cannot be reached now, or the compose changed while it was read."""
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


def published_manifest_of(root: Root, compose_id: ComposeId, *, console: Console) -> Manifest:
    """Read a compose that has been published, or record that it was and why it cannot be read.

    It has been shipped: the repository records that, whatever its server holds. Only a server that does not answer now
    is asked again in the next run, for what it holds can be known then.

    Raises:
        InputError: the server does not answer.

    """
    try:
        manifest = manifest_of(root, location=None, console=console).manifest
        same_id(root, manifest.compose_id, compose_id)
    except InputError as error:
        why = error.problems[0]
        if isinstance(error, UnansweredError) or why.code in PASSING:
            raise
        status, metadata = what_is_left(root)
        left = Manifest.of_unreadable(compose_id, why, location=root.location, status=status, metadata=metadata)
        _read_back(left)
        console.error(f"{compose_id} is recorded without its contents: {as_problem_line(why)}")
        return left
    return manifest


def same_id(root: Root, found: ComposeId, asked: ComposeId) -> None:
    """Look whether a folder holds the compose that it is named by.

    Raises:
        InputError: it holds another.

    """
    if found != asked:
        raise failure(
            f"{root.location}/COMPOSE_ID",
            Code.COMPOSE_ID_MISMATCH,
            f"the folder of {asked} holds {found}",
            "tell the server's administrators",
        )


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
