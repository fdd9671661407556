"""The manifest: what a compose holds, small enough for git and enough to compare it after it has been deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from compose_repo.core.compose import Compose, ComposeId, Image, Status
from compose_repo.core.names import Arch, Sha256, Variant

SCHEMA: Final = "manifest/1"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class RpmGroup:
    """The binary packages of one SRPM that stand in the same variant on the same arches.

    `arches` are the trees; `rpm_arch` is set only where the RPMs are built for another arch than their tree
    (`i686` in `x86_64`): noarch packages and the tree's own count as native. Debug packages are left out.
    """

    variant: Variant
    arches: tuple[Arch, ...]
    rpm_arch: str | None = None
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One SRPM of a compose. `unsigned` counts its RPMs of every kind, over all trees, that carry no signing key."""

    nvr: str
    epoch: int = 0
    unsigned: int = 0
    rpms: tuple[RpmGroup, ...]

    @property
    def name(self) -> str:
        """The SRPM's name."""
        return self.nvr.rsplit("-", 2)[0]

    @property
    def version(self) -> str:
        """The SRPM's version."""
        return self.nvr.rsplit("-", 2)[1]

    @property
    def release(self) -> str:
        """The SRPM's release."""
        return self.nvr.rsplit("-", 2)[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What one compose holds; packages sorted by NVR, images by variant, arch and path.

    `metadata` maps each metadata file's name to its digest, or to None where the server has no such file.
    """

    compose_id: ComposeId
    status: Status
    label: str | None
    release_name: str | None
    location: str
    variants: Mapping[Variant, tuple[Arch, ...]]
    metadata: Mapping[str, Sha256 | None]
    images: tuple[Image, ...]
    packages: tuple[Package, ...]

    @property
    def arches(self) -> tuple[Arch, ...]:
        """Every arch of the compose, sorted."""
        return tuple(sorted({arch for arches in self.variants.values() for arch in arches}))

    @classmethod
    def from_compose(cls, compose: Compose) -> "Manifest":
        """Sum a compose up.

        Raises:
            InputError: a row of rpms.json has no parsable NEVRA.

        """
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Manifest":
        """Read a manifest; the data must satisfy the manifest schema."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Give the manifest's JSON value."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """Write the manifest: the same compose gives the same bytes, one package or image a line."""
        raise NotImplementedError
