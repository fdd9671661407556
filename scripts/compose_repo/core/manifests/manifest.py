"""The manifest: what a compose holds, small enough for git and enough to compare it after it has been deleted."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final, cast

from msgspec import Struct, convert

from compose_repo.core.composes.compose import Compose, ComposeId, Image, RowTable, RpmTable, SrpmTable, Status
from compose_repo.core.names import Arch, Sha256, Variant, as_line
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.value import Value

SCHEMA: Final = "manifest/1"

_NAME: Final = "[A-Za-z0-9_%][A-Za-z0-9_.+%{}-]*"
_VERSION: Final = "[A-Za-z0-9_.+%{}~^]+"
_NEVRA: Final = rf"{_NAME}-(?:0|[1-9][0-9]{{0,9}}):{_VERSION}-{_VERSION}\.[a-z0-9_]+"
"""`name-epoch:version-release.arch`, in the characters that rpm allows: those of a macro that nobody has expanded, too.

rpm's own lists are in its rpmbuild_internal.h: ALLOWED_CHARS_NAME, ALLOWED_FIRSTCHARS_NAME, ALLOWED_CHARS_VERREL.
"""
_LENGTH: Final = 255
"""Most characters of a name, version and release together: RPMs are files, and a file's name has no more."""
_EPOCH: Final = 2**32 - 1
"""The largest epoch: rpm keeps it in 32 bits."""
_NEVRA_LINES: Final = re.compile(rf"(?:{_NEVRA}\n)*+")
_NAME_LINES: Final = re.compile(rf"(?:{_NAME}\n)*+")
_SOURCE: Final = (".src", ".nosrc")
_UNUSED_CATEGORIES: Final = frozenset({"debug", "source"})
_MESSAGE: Final = 1024
"""Most characters of the reason for which a compose is unreadable."""
_MOST_PROBLEMS: Final = 20
"""A table that is wrong throughout need not be listed throughout."""
_SHOWN: Final = 80
"""Most characters of a wrong name that a message repeats."""

_encode: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


class RpmGroup(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The binary packages of one SRPM that are in the same variant on the same arches.

    `arches` are the trees; `rpm_arch` is set only where the RPMs are built for another arch than their tree
    (`i686` in `x86_64`): noarch packages and the tree's own count as native. Debug packages are left out.
    """

    variant: Variant
    arches: tuple[Arch, ...]
    rpm_arch: str | None = None
    names: tuple[str, ...]


class Package(Value, frozen=True, kw_only=True, omit_defaults=True):
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


class Unreadable(Value, frozen=True, kw_only=True):
    """Why it is not known what a published compose holds: the code of a problem, and its message."""

    code: str
    message: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What one compose holds; packages sorted by NVR, images by variant, arch and path.

    `metadata` maps each metadata file's name to its digest, or to None where the server has no such file. Of an
    `unreadable` compose, variants, images and packages are not known: they are empty here, and null in its bytes. Its
    status may not be known either, and is None then.
    """

    compose_id: ComposeId
    status: Status | None
    label: str | None
    release_name: str | None
    location: str
    variants: Mapping[Variant, tuple[Arch, ...]]
    metadata: Mapping[str, Sha256 | None]
    images: tuple[Image, ...]
    packages: tuple[Package, ...]
    unreadable: Unreadable | None = None

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
    def of_unreadable(
        cls,
        compose_id: ComposeId,
        why: Problem,
        *,
        location: str,
        status: Status | None,
        metadata: Mapping[str, Sha256 | None],
    ) -> "Manifest":
        """Record a compose of which no more is known than that it was published, and why."""
        message = as_line(f"{why.path}: {why.message}", _MESSAGE)
        return cls(
            compose_id=compose_id,
            status=status,
            label=None,
            release_name=None,
            location=location,
            variants={},
            metadata=dict(sorted(metadata.items())),
            images=(),
            packages=(),
            unreadable=Unreadable(code=why.code.value, message=message or why.code.value),
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Manifest":
        """Read a manifest; the data must satisfy the manifest schema.

        What the id already says (date, type, respin, release) is taken from the id alone.

        Raises:
            ComposeIdError: the id does not parse.

        """
        compose, holds = data["compose"], {} if "unreadable" in data else data
        return cls(
            compose_id=ComposeId.parse(compose["id"]),
            status=None if compose["status"] is None else Status(compose["status"]),
            label=compose["label"],
            release_name=data["release"]["name"],
            location=data["location"],
            variants={variant: tuple(sorted(arches)) for variant, arches in (holds.get("variants") or {}).items()},
            metadata=dict(data["metadata"]),
            images=convert(holds.get("images") or (), tuple[Image, ...]),
            packages=convert(holds.get("packages") or (), tuple[Package, ...]),
            unreadable=convert(data.get("unreadable"), Unreadable | None),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the manifest's JSON value."""
        return {
            **self._head(),
            "images": None if self.unreadable else [image.to_dict() for image in self.images],
            "packages": None if self.unreadable else [package.to_dict() for package in self.packages],
        }

    def to_bytes(self) -> bytes:
        """Write the manifest: the same compose gives the same bytes, one package or image a line."""
        members = [f'"{name}":{_encode(value)}' for name, value in self._head().items()]
        images, packages = "null", "null"
        if self.unreadable is None:
            images = _lines(image.to_dict() for image in self.images)
            packages = _lines(package.to_dict() for package in self.packages)
        members += [f'"images":{images}', f'"packages":{packages}']
        return ("{\n" + ",\n".join(members) + "\n}\n").encode("ascii")

    def _head(self) -> dict[str, Any]:
        compose = self.compose_id
        variants = {variant: sorted(arches) for variant, arches in sorted(self.variants.items())}
        return {
            "schema": SCHEMA,
            "compose": {
                "id": compose.text,
                "date": compose.date.isoformat(),
                "type": compose.type.value,
                "respin": compose.respin,
                "label": self.label,
                "status": None if self.status is None else self.status.value,
            },
            "release": {"short": compose.short, "version": compose.version, "name": self.release_name},
            "location": self.location,
            "variants": None if self.unreadable else variants,
            "metadata": dict(sorted(self.metadata.items())),
            **({} if self.unreadable is None else {"unreadable": self.unreadable.to_dict()}),
        }


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    """Write a JSON array with one row a line, so that a changed row is one changed line."""
    body = ",\n".join(map(_encode, rows))
    return f"[\n{body}\n]" if body else "[]"


def _image_order(image: Image) -> tuple[str, ...]:
    return (image.variant, image.arch, image.path, *map(str, (image.type, image.format, image.subvariant, image.size)))


class _Draft:
    """What has been seen of one SRPM in one variant: trees and the names on each, foreign arches by themselves."""

    __slots__ = ("_arches", "_evr", "_foreign", "_lists", "unsigned")

    def __init__(self, nevr: str) -> None:
        self._evr = f"-{nevr[nevr.rfind('-', 0, nevr.find(':')) + 1 :]}."
        self._arches: list[str] = []
        self._lists: list[list[str]] = []
        """The names on the tree of the arch in the same place; an arch may come more than once."""
        self._foreign: dict[str, tuple[list[str], list[list[str]]]] = {}
        """The same by foreign arch."""
        self.unsigned = 0

    def read(self, arch: str, srpm: str, rows: RowTable, others: list[str]) -> None:
        """Add what the SRPM has on one tree; to `others` goes each NEVRA that is yet to be looked at as a whole.

        It need not be where it is the SRPM itself, or a name, the SRPM's own epoch, version and release, and the tree's
        arch or noarch: then looking at the name is enough. The loop runs 70,000 times and does little.

        Raises:
            KeyError, TypeError: a row is not an object with category and sigkey.
            ValueError: a row is of no known category.

        """
        evr = self._evr
        names: list[str] = []
        for nevra, row in rows.items():
            if not row["sigkey"]:
                self.unsigned += 1
            category = row["category"]
            if category == "binary":
                # Nearly every RPM has its SRPM's epoch, version and release: one search parts its name from its arch.
                name, _, rpm_arch = nevra.partition(evr)
                if rpm_arch in (arch, "noarch"):
                    names.append(name)
                else:
                    others.append(nevra)
                    self._add_other(arch, nevra)
            elif category not in _UNUSED_CATEGORIES:
                raise ValueError(category)
            elif nevra != srpm:
                others.append(nevra)
        if names:
            self._arches.append(arch)
            self._lists.append(names)

    def _add_other(self, arch: str, nevra: str) -> None:
        """Add an RPM that has another arch than its tree, or another version than its SRPM."""
        name, rpm_arch = nevra[: nevra.rfind("-", 0, nevra.find(":"))], nevra.rpartition(".")[2]
        arches, lists = self._arches, self._lists
        if rpm_arch not in (arch, "noarch"):
            arches, lists = self._foreign.setdefault(rpm_arch, ([], []))
        arches.append(arch)
        lists.append([name])

    def groups(self, variant: str) -> list[RpmGroup]:
        """Put names that stand on the same trees together."""
        found = _groups(variant, None, self._arches, self._lists) if self._arches else []
        for rpm_arch, (arches, lists) in sorted(self._foreign.items()):
            found += _groups(variant, rpm_arch, arches, lists)
        return found


def _groups(variant: str, rpm_arch: str | None, arches: list[str], lists: list[list[str]]) -> list[RpmGroup]:
    # NewTypes cost a call each at run time: hence the casts in quotes.
    return [
        RpmGroup(
            variant=cast("Variant", variant), arches=cast("tuple[Arch, ...]", trees), rpm_arch=rpm_arch, names=names
        )
        for trees, names in _names_by_trees(arches, lists)
    ]


def _names_by_trees(arches: list[str], lists: list[list[str]]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give each set of trees that has names of its own, and those names, sorted."""
    if lists.count(lists[0]) == len(lists):
        return [(tuple(sorted(set(arches))), tuple(sorted(set(lists[0]))))]
    trees: dict[str, set[str]] = {}
    for arch, names in zip(arches, lists, strict=True):
        for name in names:
            trees.setdefault(name, set()).add(arch)
    found: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(trees):
        found.setdefault(tuple(sorted(trees[name])), []).append(name)
    return sorted((its_trees, tuple(names)) for its_trees, names in found.items())


class _Reader:
    """Reads the rows of rpms.json into drafts."""

    def __init__(self) -> None:
        self._drafts: dict[str, dict[str, _Draft]] = {}
        """By name-epoch:version-release, then by variant."""
        self._srpms: dict[str, dict[str, _Draft]] = {}
        """By variant, then by SRPM."""
        self._nevras: list[str] = []
        """Those that are yet to be looked at as a whole."""

    def read(self, variant: str, arch: str, srpms: SrpmTable) -> None:
        """Add one tree's rows to the drafts."""
        seen, nevras = self._srpms.setdefault(variant, {}), self._nevras
        for srpm, rows in srpms.items():
            draft = seen.get(srpm)
            if draft is None:
                draft = seen[srpm] = self._draft(variant, srpm)
                nevras.append(srpm)
            draft.read(arch, srpm, rows, nevras)

    def _draft(self, variant: str, srpm: str) -> _Draft:
        """Give the draft of an SRPM that is new; a source package may be there as src and as nosrc."""
        if not srpm.endswith(_SOURCE):
            raise ValueError(srpm)
        nevr = srpm.rpartition(".")[0]
        return self._drafts.setdefault(nevr, {}).setdefault(variant, _Draft(nevr))

    def packages(self) -> tuple[Package, ...]:
        """Turn the rows into packages, sorted by NVR, then epoch.

        Raises:
            ValueError: something that should be a NEVRA is none.

        """
        if not _are_all(_NEVRA_LINES, self._nevras):
            raise ValueError(self._nevras)
        packages = [_package(nevr, drafts) for nevr, drafts in self._drafts.items()]
        names = [name for package in packages for group in package.rpms for name in group.names]
        if not _are_all(_NAME_LINES, names) or any(len(name) > _LENGTH for name in names):
            raise ValueError(names)
        packages.sort(key=lambda package: (package.nvr, package.epoch))
        return tuple(packages)


def _package(nevr: str, drafts: dict[str, _Draft]) -> Package:
    """Finish the package of that name-epoch:version-release from its drafts by variant."""
    name, _, version_release = nevr.partition(":")
    name, _, epoch = name.rpartition("-")
    nvr = f"{name}-{version_release}"
    if len(nvr) > _LENGTH or int(epoch) > _EPOCH:
        raise ValueError(nevr)
    groups: list[RpmGroup] = []
    unsigned = 0
    for variant in sorted(drafts):
        groups += drafts[variant].groups(variant)
        unsigned += drafts[variant].unsigned
    return Package(nvr=nvr, epoch=int(epoch), unsigned=unsigned, rpms=tuple(groups))


def _packages(rpms: RpmTable, path: str) -> tuple[Package, ...]:
    """Read the rows of rpms.json, on the belief that they are sound; only if they are not, each is looked at.

    Raises:
        InputError: a row has no parsable NEVRA, or is of no known category.

    """
    reader = _Reader()
    try:
        for variant, trees in rpms.items():
            for arch, srpms in trees.items():
                reader.read(variant, arch, srpms)
        return reader.packages()
    except (KeyError, TypeError, ValueError):
        raise InputError(*_problems(rpms, path)) from None


def _are_all(lines: re.Pattern[str], texts: list[str]) -> bool:
    """Tell whether each text fits the pattern of a line: one match over all of them, in a third of the time."""
    joined = "\n".join([*texts, ""])
    # Counting lines as well keeps a text with a newline in it from standing in for two.
    return joined.count("\n") == len(texts) and lines.fullmatch(joined) is not None


def _problems(rpms: RpmTable, path: str) -> list[Problem]:
    """Say what is wrong with rows of rpms.json: with their names, else with the rest."""
    trees = [
        (f"/payload/rpms/{variant}/{arch}", srpms) for variant, tree in rpms.items() for arch, srpms in tree.items()
    ]
    nameless = chain.from_iterable(_nevra_problems(pointer, srpms, path) for pointer, srpms in trees)
    if problems := sorted(islice(nameless, _MOST_PROBLEMS)):
        return problems
    found = [islice(_row_problems(pointer, srpms, path), _MOST_PROBLEMS) for pointer, srpms in trees]
    return sorted(chain.from_iterable(found))[:_MOST_PROBLEMS]


def _nevra_problems(pointer: str, srpms: SrpmTable, path: str) -> Iterator[Problem]:
    """Every name, of source packages and of their RPMs, is a whole `name-epoch:version-release.arch`."""
    whole = re.compile(_NEVRA)
    for name in sorted({*srpms, *chain.from_iterable(srpms.values())}):
        wrong = "is not of the form name-epoch:version-release.arch" if whole.fullmatch(name) is None else _beyond(name)
        if wrong:
            yield _problem(path, pointer, Code.NEVRA_INVALID, f"{name[:_SHOWN]!a} {wrong}")


def _beyond(nevra: str) -> str | None:
    """Say which bound a well-formed NEVRA breaks."""
    named, _, version_release = nevra.rpartition(".")[0].partition(":")
    name, _, epoch = named.rpartition("-")
    if int(epoch) > _EPOCH:
        return f"has an epoch above {_EPOCH}"
    length = len(name) + 1 + len(version_release)
    return f"has {length} characters without epoch and arch, {_LENGTH} are allowed" if length > _LENGTH else None


def _row_problems(pointer: str, srpms: SrpmTable, path: str) -> Iterator[Problem]:
    """Every SRPM is a source package; every row has a known category and says how it is signed."""
    for srpm, rows in srpms.items():
        wrong = _wrong_row(rows) if srpm.endswith(_SOURCE) else f"{srpm[:_SHOWN]} is not a source package"
        if wrong:
            yield _problem(path, f"{pointer}/{srpm}", Code.METADATA_INVALID, wrong)


def _wrong_row(rows: RowTable) -> str | None:
    for nevra, row in rows.items():
        try:
            _, category = row["sigkey"], row["category"]
            known = category == "binary" or category in _UNUSED_CATEGORIES
        except (KeyError, TypeError):
            return "a row is not an object with category and sigkey"
        if not known:
            return f"{nevra[:_SHOWN]} has an unknown category"
    return None


def _problem(path: str, pointer: str, code: Code, message: str) -> Problem:
    fix = "ask the compose's makers to fix its metadata"
    return Problem(path=path, pointer=pointer, code=code, message=message, fix=fix)
