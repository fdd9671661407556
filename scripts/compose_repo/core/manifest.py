"""The manifest: what a compose holds, small enough for git and enough to compare it after it has been deleted."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final, cast

from compose_repo.core.compose import Compose, ComposeId, Image, RpmTable, SrpmTable, Status
from compose_repo.core.names import Arch, Sha256, Variant
from compose_repo.core.problem import InputError, Problem

SCHEMA: Final = "manifest/1"

_NEVRA: Final = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.+-]*-(?:0|[1-9][0-9]{0,8}):[A-Za-z0-9_.+~^]+-[A-Za-z0-9_.+~^]+\.[a-z0-9_]+"
)
"""`name-epoch:version-release.arch`, in the characters that rpm allows."""
_NEVRAS: Final = re.compile(rf"{_NEVRA.pattern}(?:\n{_NEVRA.pattern})*+")
"""Any number of them, one a line."""
_SOURCE_ARCHES: Final = frozenset({"src", "nosrc"})
_UNUSED_CATEGORIES: Final = frozenset({"debug", "source"})
_MOST_PROBLEMS: Final = 20
"""A table that is wrong throughout need not be listed throughout."""
_SHOWN: Final = 80
"""Most characters of a wrong name that a message repeats."""

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
            InputError: a row of rpms.json has no parsable NEVRA, or is of no known category.

        """
        return cls(
            compose_id=compose.id,
            status=compose.status,
            label=compose.label,
            release_name=compose.release_name,
            location=compose.location,
            variants={variant: tuple(sorted(arches)) for variant, arches in sorted(compose.variants.items())},
            metadata=dict(sorted(compose.metadata.items())),
            images=tuple(sorted(compose.images, key=_image_order)),
            packages=_packages(compose.rpms, f"{compose.location}/compose/metadata/rpms.json"),
        )

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


def _image_order(image: Image) -> tuple[str, ...]:
    return (image.variant, image.arch, image.path, *map(str, (image.type, image.format, image.subvariant, image.size)))


class _Draft:
    """What has been seen of one SRPM so far: per variant and foreign arch, the names on each tree."""

    __slots__ = ("names", "unsigned")

    def __init__(self) -> None:
        self.names: dict[tuple[str, str | None], dict[str, list[str]]] = {}
        self.unsigned = 0

    def package(self, nevr: str) -> Package:
        """Finish the package of that name-epoch:version-release."""
        name, _, version_release = nevr.partition(":")
        name, _, epoch = name.rpartition("-")
        order = sorted(self.names, key=lambda place: (place[0], place[1] or ""))
        return Package(
            nvr=f"{name}-{version_release}",
            epoch=int(epoch),
            unsigned=self.unsigned,
            rpms=tuple(chain.from_iterable(_groups(place, self.names[place]) for place in order)),
        )


def _groups(place: tuple[str, str | None], trees: dict[str, list[str]]) -> Iterator[RpmGroup]:
    """Put names that stand on the same trees together."""
    variant, rpm_arch = place
    arches_of: dict[str, list[str]] = {}
    for arch in sorted(trees):
        for name in set(trees[arch]):
            arches_of.setdefault(name, []).append(arch)
    names_on: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(arches_of):
        names_on.setdefault(tuple(arches_of[name]), []).append(name)
    for arches in sorted(names_on):
        # NewTypes cost a call each at run time, here 20,000 of them: hence the casts in quotes.
        yield RpmGroup(
            variant=cast("Variant", variant),
            arches=cast("tuple[Arch, ...]", arches),
            rpm_arch=rpm_arch,
            names=tuple(names_on[arches]),
        )


def _packages(rpms: RpmTable, path: str) -> tuple[Package, ...]:
    """Turn rpms.json's rows into packages, sorted by NVR, then epoch."""
    if not _all_nevras(rpms):
        raise InputError(*sorted(islice(_nevra_problems(rpms, path), _MOST_PROBLEMS)))
    drafts: dict[str, _Draft] = {}
    problems: list[Problem] = []
    for variant, trees in rpms.items():
        for arch, srpms in trees.items():
            problems.extend(islice(_read_tree(drafts, variant, arch, srpms, path), _MOST_PROBLEMS))
    if problems:
        raise InputError(*sorted(problems)[:_MOST_PROBLEMS])
    packages = [draft.package(nevr) for nevr, draft in drafts.items()]
    packages.sort(key=lambda package: (package.nvr, package.epoch))
    return tuple(packages)


def _all_nevras(rpms: RpmTable) -> bool:
    """Tell whether each name in the table is a NEVRA; one pass of one pattern over all of them."""
    names: set[str] = set()
    for trees in rpms.values():
        for srpms in trees.values():
            names.update(srpms, *srpms.values())
    text = "\n".join(names)
    # Counting lines as well keeps a name with a newline in it from standing in for two.
    return not names or (text.count("\n") + 1 == len(names) and _NEVRAS.fullmatch(text) is not None)


def _nevra_problems(rpms: RpmTable, path: str) -> Iterator[Problem]:
    """Every name, of source packages and of their RPMs, is a whole `name-epoch:version-release.arch`."""
    for variant, trees in rpms.items():
        for arch, srpms in trees.items():
            for name in chain(srpms, *srpms.values()):
                if _NEVRA.fullmatch(name) is None:
                    message = f"{name[:_SHOWN]!a} is no name-epoch:version-release.arch"
                    yield _problem(path, f"/payload/rpms/{variant}/{arch}", "nevra-invalid", message)


def _read_tree(drafts: dict[str, _Draft], variant: str, arch: str, srpms: SrpmTable, path: str) -> Iterator[Problem]:
    """Add one tree's rows to the drafts; gives what is wrong with them."""
    native = (f".{arch}", ".noarch")
    place = f"/payload/rpms/{variant}/{arch}"
    for srpm, rows in srpms.items():
        nevr, _, source = srpm.rpartition(".")
        draft = drafts.get(nevr)
        if draft is None:
            draft = drafts[nevr] = _Draft()
        names: list[str] = []
        for nevra, row in rows.items():
            if not row.get("sigkey"):
                draft.unsigned += 1
            category = row.get("category")
            if category == "binary":
                if nevra.endswith(native):
                    names.append(nevra[: nevra.rfind("-", 0, nevra.find(":"))])
                else:
                    foreign = draft.names.setdefault((variant, nevra.rpartition(".")[2]), {})
                    foreign.setdefault(arch, []).append(nevra[: nevra.rfind("-", 0, nevra.find(":"))])
            elif category not in _UNUSED_CATEGORIES:
                yield _problem(
                    path, f"{place}/{srpm}/{nevra}", "metadata-invalid", f"the category {category!a} is unknown"
                )
        if names:
            draft.names.setdefault((variant, None), {}).setdefault(arch, []).extend(names)
        if source not in _SOURCE_ARCHES:
            yield _problem(path, f"{place}/{srpm}", "nevra-invalid", f"{source!r} is no arch of a source package")


def _problem(path: str, pointer: str, code: str, message: str) -> Problem:
    fix = "ask who makes the compose to correct its metadata"
    return Problem(path=path, pointer=pointer, code=code, message=message, fix=fix)
