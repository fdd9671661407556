"""Reads a compose and sums it up."""

import gc

from compose_repo.core.composes.compose import Status
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.ports.compose_root import Root, compose_root
from compose_repo.ports.console import Console
from compose_repo.ports.productmd.reading import read_compose


def make_manifest(source: str, *, location: str | None, timeout: float, console: Console) -> Manifest:
    """Read a compose root and sum it up; says on stderr what the compose does not have.

    Raises:
        InputError: there is no whole, finished compose.
        UsageError: the source is neither a directory nor an http(s) URL.

    """
    root = compose_root(source, timeout=timeout, clock=console.clock, trace=console.trace)
    return manifest_of(root, location=location, console=console)


def manifest_of(root: Root, *, location: str | None, console: Console) -> Manifest:
    """Read a compose root and sum it up; says on stderr what the compose does not have.

    Raises:
        InputError: there is no whole, finished compose.

    """
    # Hundreds of thousands of objects are made and nearly all are kept: looking for garbage finds none, slowly.
    gc.disable()
    try:
        compose = read_compose(root, location=location)
        manifest = Manifest.from_compose(compose)
    finally:
        gc.freeze()
        gc.enable()
    if manifest.status is Status.FINISHED_INCOMPLETE:
        console.info(f"{manifest.compose_id} is {manifest.status}: some of it failed to build")
    absent = [name for name, digest in manifest.metadata.items() if digest is None]
    if absent:
        console.info(f"{manifest.compose_id} has no {', '.join(absent)}")
    return manifest
