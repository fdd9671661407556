"""The manifest: what a compose holds, small enough for git and enough to compare it after it has been deleted."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compose_repo.core.compose import Compose, ComposeId, Image, Status
from compose_repo.core.names import Arch, Sha256, Variant

SCHEMA: Final = "manifest/1"

_encode: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, kw_only=True, slots=True)
class RpmGroup:
    """The binary packages of one SRPM that stand in the same variant on the same arches.

    `arches` are the trees; `rpm_arch` is set only where the RPMs are built for another arch than their tree
    (`i686` in `x86_64`): noarch packages and the tree's own count as native. Debug packages are left out.
    """

    variant: Variant
    arches: tuple[Arch, ...]
    rpm_arch: str | None = None
    names: tuple[str, ...]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "RpmGroup":
        """Read a group; the data must satisfy the manifest schema."""
        return cls(
            variant=data["variant"],
            arches=tuple(data["arches"]),
            rpm_arch=data.get("rpm_arch"),
            names=tuple(data["names"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the group's JSON value."""
        foreign = {} if self.rpm_arch is None else {"rpm_arch": self.rpm_arch}
        return {"variant": self.variant, "arches": list(self.arches), **foreign, "names": list(self.names)}


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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Package":
        """Read a package; the data must satisfy the manifest schema."""
        return cls(
            nvr=data["nvr"],
            epoch=data.get("epoch", 0),
            unsigned=data.get("unsigned", 0),
            rpms=tuple(map(RpmGroup.from_dict, data["rpms"])),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the package's JSON value; zeros are left out."""
        data: dict[str, Any] = {"nvr": self.nvr}
        if self.epoch:
            data["epoch"] = self.epoch
        if self.unsigned:
            data["unsigned"] = self.unsigned
        data["rpms"] = [group.to_dict() for group in self.rpms]
        return data


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
        """Read a manifest; the data must satisfy the manifest schema.

        What the id already says (date, type, respin, release) is taken from the id alone.

        Raises:
            ComposeIdError: the id does not parse.

        """
        compose = data["compose"]
        return cls(
            compose_id=ComposeId.parse(compose["id"]),
            status=Status(compose["status"]),
            label=compose["label"],
            release_name=data["release"]["name"],
            location=data["location"],
            variants={variant: tuple(sorted(arches)) for variant, arches in data["variants"].items()},
            metadata=dict(data["metadata"]),
            images=tuple(Image(**image) for image in data["images"]),
            packages=tuple(map(Package.from_dict, data["packages"])),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the manifest's JSON value."""
        return {
            **self._head(),
            "images": [image.to_dict() for image in self.images],
            "packages": [package.to_dict() for package in self.packages],
        }

    def to_bytes(self) -> bytes:
        """Write the manifest: the same compose gives the same bytes, one package or image a line."""
        members = [f'"{name}":{_encode(value)}' for name, value in self._head().items()]
        members.append(f'"images":{_lines(image.to_dict() for image in self.images)}')
        members.append(f'"packages":{_lines(package.to_dict() for package in self.packages)}')
        return ("{\n" + ",\n".join(members) + "\n}\n").encode("ascii")

    def _head(self) -> dict[str, Any]:
        compose = self.compose_id
        return {
            "schema": SCHEMA,
            "compose": {
                "id": compose.text,
                "date": compose.date.isoformat(),
                "type": compose.type.value,
                "respin": compose.respin,
                "label": self.label,
                "status": self.status.value,
            },
            "release": {"short": compose.short, "version": compose.version, "name": self.release_name},
            "location": self.location,
            "variants": {variant: sorted(arches) for variant, arches in sorted(self.variants.items())},
            "metadata": dict(sorted(self.metadata.items())),
        }


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    """Write a JSON array with one row a line, so that a changed row is one changed line."""
    body = ",\n".join(map(_encode, rows))
    return f"[\n{body}\n]" if body else "[]"
