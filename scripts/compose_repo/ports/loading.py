"""From a tree of files to the values that the core works on; whatever is wrong with a file becomes a problem."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from compose_repo.core.compose import ComposeId
from compose_repo.core.gate import Baseline
from compose_repo.core.manifest import Manifest
from compose_repo.core.names import Origin, Sha256, Stream
from compose_repo.core.policy import OriginEntry, Policy, StreamEntry, Waiver
from compose_repo.core.problem import Problem
from compose_repo.core.result import ResultFile
from compose_repo.ports.tree import Tree


@dataclass(frozen=True, kw_only=True, slots=True)
class GateFiles:
    """What `gate/*.toml` says; `policy_sha256` is the digest of policy.toml's bytes."""

    policy: Policy
    policy_sha256: Sha256
    origins: Mapping[Origin, OriginEntry]
    waivers: tuple[Waiver, ...]
    streams: Mapping[Stream, StreamEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedCompose:
    """One compose and what was reported on it; a file with any problem is not in `files`, its problems are `refused`."""

    manifest: Manifest
    manifest_sha256: Sha256
    files: tuple[ResultFile, ...]
    refused: tuple[Problem, ...]


def load_gate(tree: Tree) -> GateFiles:
    """Read `gate/*.toml`; a file other than policy.toml and origins.toml may be absent.

    Raises:
        InputError: any of them has a problem; it carries all of them.

    """
    raise NotImplementedError


def load_compose(tree: Tree, compose_id: ComposeId, gate_files: GateFiles, now: dt.datetime) -> LoadedCompose:
    """Read a compose's manifest and every result file on it; no other compose's folder is looked into.

    Raises:
        InputError: the compose has no manifest, or one with a problem.

    """
    raise NotImplementedError


def load_baseline(tree: Tree, compose_id: ComposeId, gate_files: GateFiles, now: dt.datetime) -> Baseline | None:
    """Read the newest older compose of the same stream in the tree: what is merged has been published.

    None where there is none, and where no requirement for the stream compares with it.

    Raises:
        InputError: that compose's manifest has a problem.

    """
    raise NotImplementedError
