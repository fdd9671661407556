"""What changed between two composes, from their manifests alone. Downgrades come first in every output."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId, Image, Status
from compose_repo.core.manifests.evr import EvrKey, evr_key
from compose_repo.core.manifests.manifest import Manifest, Package
from compose_repo.core.names import Arch, Variant
from compose_repo.core.value import Value

SCHEMA: Final = "changes/1"

Tree: TypeAlias = tuple[Variant, Arch]
Cell: TypeAlias = tuple[Variant, Arch, str]
"""A variant, the arch of its tree, and the arch that an RPM in it is built for."""
Cells: TypeAlias = frozenset[Cell]


class Difference(Value, frozen=True, kw_only=True, order=True):
    """Names that one side has and the other has not, each sorted."""

    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost)

    @classmethod
    def between(cls, old: Iterable[str], new: Iterable[str]) -> "Difference":
        """Compare two sets of names."""
        before, after = frozenset(old), frozenset(new)
        return cls(gained=tuple(sorted(after - before)), lost=tuple(sorted(before - after)))


class Build(Value, frozen=True, kw_only=True, order=True):
    """One SRPM that only one of the composes has; `evr` shows the epoch only where it is not zero."""

    name: str
    evr: str
    variants: tuple[Variant, ...]
    subpackages: tuple[str, ...]


class Update(Value, frozen=True, kw_only=True, order=True):
    """An SRPM in another version than before."""

    name: str
    old: str
    new: str


class Unsigned(Value, frozen=True, kw_only=True, order=True):
    """An SRPM of the new compose with unsigned RPMs, `rpms` of them over all trees.

    `newly`: the old compose had no unsigned RPM of this name.
    """

    name: str
    evr: str
    rpms: int
    newly: bool


class Move(Value, frozen=True, kw_only=True, order=True):
    """Sub-packages of one SRPM that stand in other variants than before; no names means every one of them."""

    package: str
    subpackages: tuple[str, ...]
    old: tuple[Variant, ...]
    new: tuple[Variant, ...]


class ArchChange(Struct, frozen=True, kw_only=True, order=True):
    """Sub-packages of one SRPM that are built for other arches than before; no names means every one of them."""

    package: str
    subpackages: tuple[str, ...]
    arches: Difference

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `changes/1`."""
        return {"package": self.package, "subpackages": list(self.subpackages), **self.arches.to_dict()}


class SubpackageChange(Struct, frozen=True, kw_only=True, order=True):
    """The binary packages that an SRPM, present in both composes, gained or lost."""

    package: str
    subpackages: Difference

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `changes/1`."""
        return {"package": self.package, **self.subpackages.to_dict()}


class ImageChange(Value, frozen=True, kw_only=True, order=True):
    """An image that only one of the composes has; `path` without the compose's date and respin."""

    variant: Variant
    arch: Arch
    path: str
    type: str


class Changes(Struct, frozen=True, kw_only=True):
    """What `new` has that `old` had not, and the other way round.

    `subpackages`, `variants`, `arches` and `trees` (written `variant.arch`) are of the composes as a whole; `trees`
    has only those whose variant and arch both composes know. A variant or tree that a whole compose gained or lost
    makes no line of its own for each package in it. `not_known` are those of the two of which it is not known what they
    hold: with any, nothing is compared. `unchanged` counts the SRPMs that stand in both, `images_rebuilt`
    the images of the same name whose checksums differ.
    """

    old: ComposeId
    new: ComposeId
    old_status: Status | None
    new_status: Status | None
    warnings: tuple[str, ...]
    not_known: tuple[ComposeId, ...] = ()
    downgraded: tuple[Update, ...] = ()
    unsigned: tuple[Unsigned, ...] = ()
    arches_of: tuple[ArchChange, ...] = ()
    moved: tuple[Move, ...] = ()
    subpackages_of: tuple[SubpackageChange, ...] = ()
    removed: tuple[Build, ...] = ()
    added: tuple[Build, ...] = ()
    upgraded: tuple[Update, ...] = ()
    unchanged: int = 0
    subpackages: Difference = Difference()
    variants: Difference = Difference()
    arches: Difference = Difference()
    trees: Difference = Difference()
    images_added: tuple[ImageChange, ...] = ()
    images_dropped: tuple[ImageChange, ...] = ()
    images_rebuilt: int = 0

    def __bool__(self) -> bool:
        """Tell whether anything changed that is worth a line, or may have; a rebuilt image is not."""
        return (
            bool(self.not_known)
            or self.old_status != self.new_status
            or any((self.variants, self.arches, self.trees, self.images_added, self.images_dropped))
            or any((self.downgraded, self.upgraded, self.added, self.removed))
            or any((self.arches_of, self.moved, self.subpackages_of))
            or any(row.newly for row in self.unsigned)
        )

    @property
    def summary(self) -> dict[str, int]:
        """How many there are of each kind; `unsigned` and `newly_unsigned` count RPMs, everything else lines."""
        return {
            "downgraded": len(self.downgraded),
            "newly_unsigned": sum(row.rpms for row in self.unsigned if row.newly),
            "unsigned": sum(row.rpms for row in self.unsigned),
            "arches_changed": len(self.arches_of),
            "moved": len(self.moved),
            "removed": len(self.removed),
            "added": len(self.added),
            "upgraded": len(self.upgraded),
            "unchanged": self.unchanged,
            "subpackages_lost": len(self.subpackages.lost),
            "subpackages_gained": len(self.subpackages.gained),
            "images_dropped": len(self.images_dropped),
            "images_added": len(self.images_added),
            "images_rebuilt": self.images_rebuilt,
        }

    def to_dict(self) -> dict[str, Any]:
        """Give the whole of `changes/1`."""
        return {
            "schema": SCHEMA,
            "old": {"compose_id": self.old.text, "status": self.old_status},
            "new": {"compose_id": self.new.text, "status": self.new_status},
            "warnings": list(self.warnings),
            **({"not_known": [one.text for one in self.not_known]} if self.not_known else {}),
            "summary": None if self.not_known else self.summary,
            "downgraded": [row.to_dict() for row in self.downgraded],
            "unsigned": [row.to_dict() for row in self.unsigned],
            "compose": {
                "variants": self.variants.to_dict(),
                "arches": self.arches.to_dict(),
                "trees": self.trees.to_dict(),
                "subpackages": self.subpackages.to_dict(),
            },
            "arches": [row.to_dict() for row in self.arches_of],
            "moved": [row.to_dict() for row in self.moved],
            "subpackages": [row.to_dict() for row in self.subpackages_of],
            "removed": [row.to_dict() for row in self.removed],
            "added": [row.to_dict() for row in self.added],
            "upgraded": [row.to_dict() for row in self.upgraded],
            "images": {
                "dropped": [row.to_dict() for row in self.images_dropped],
                "added": [row.to_dict() for row in self.images_added],
                "rebuilt": self.images_rebuilt,
            },
        }


def compare(old: Manifest, new: Manifest) -> Changes:
    """Say what changed from one compose to another, in whatever order their packages stand."""
    not_known = tuple(one.compose_id for one in (old, new) if one.unreadable is not None)
    if not_known:
        return Changes(
            old=old.compose_id,
            new=new.compose_id,
            old_status=old.status,
            new_status=new.status,
            warnings=tuple(_warnings(old, new)),
            not_known=not_known,
        )
    before, after = _by_name(old.packages), _by_name(new.packages)
    versions = _Versions()
    for name in sorted({*before, *after}):
        versions.compare(before.get(name, ()), after.get(name, ()))
    trees = _trees(old) & _trees(new)
    contents = _Contents(trees)
    for name in sorted(before.keys() & after.keys()):
        contents.compare(name, before[name], after[name])
    variants = Difference.between(old.variants, new.variants)
    arches = Difference.between(old.arches, new.arches)
    images_before, images_after = _images(old, new), _images(new, old)
    return Changes(
        old=old.compose_id,
        new=new.compose_id,
        old_status=old.status,
        new_status=new.status,
        warnings=tuple(_warnings(old, new)),
        downgraded=tuple(versions.downgraded),
        unsigned=_unsigned(before, new),
        arches_of=tuple(contents.arches),
        moved=tuple(contents.moved),
        subpackages_of=tuple(contents.subpackages),
        removed=tuple(versions.removed),
        added=tuple(versions.added),
        upgraded=tuple(versions.upgraded),
        unchanged=versions.unchanged,
        subpackages=Difference.between(_subpackages(old.packages), _subpackages(new.packages)),
        variants=variants,
        arches=arches,
        trees=_known_trees(old, new, variants, arches),
        images_added=tuple(sorted(images_after.keys() - images_before.keys())),
        images_dropped=tuple(sorted(images_before.keys() - images_after.keys())),
        images_rebuilt=sum(
            image.sha256 != images_after[key].sha256 for key, image in images_before.items() if key in images_after
        ),
    )


class _Versions:
    """Pairs the builds of each name: what stands in both is unchanged, the rest is paired newest with newest.

    Builds left over are added or removed; so are two that rpm finds equal though they are spelled differently.
    """

    def __init__(self) -> None:
        self.downgraded: list[Update] = []
        self.upgraded: list[Update] = []
        self.added: list[Build] = []
        self.removed: list[Build] = []
        self.unchanged = 0

    def compare(self, old: Sequence[Package], new: Sequence[Package]) -> None:
        before = {(package.nvr, package.epoch): package for package in old}
        after = {(package.nvr, package.epoch): package for package in new}
        self.unchanged += len(before.keys() & after.keys())
        gone = _newest_first(before[key] for key in before.keys() - after.keys())
        come = _newest_first(after[key] for key in after.keys() - before.keys())
        for (was, package), (now, successor) in zip(gone, come, strict=False):
            self._pair(package, was, successor, now)
        paired = min(len(gone), len(come))
        self.removed.extend(_build(package) for _, package in gone[paired:])
        self.added.extend(_build(package) for _, package in come[paired:])

    def _pair(self, old: Package, was: EvrKey, new: Package, now: EvrKey) -> None:
        update = Update(name=new.name, old=_evr(old), new=_evr(new))
        if was < now:
            self.upgraded.append(update)
        elif was > now:
            self.downgraded.append(update)
        else:
            self.removed.append(_build(old))
            self.added.append(_build(new))


class _Contents:
    """Compares what the SRPMs of one name are built into; `trees` are those that both composes have."""

    def __init__(self, trees: frozenset[Tree]) -> None:
        self.trees = trees
        self.variants = frozenset(variant for variant, _ in trees)
        self.arches: list[ArchChange] = []
        self.moved: list[Move] = []
        self.subpackages: list[SubpackageChange] = []

    def compare(self, name: str, old: Sequence[Package], new: Sequence[Package]) -> None:
        if [package.rpms for package in old] == [package.rpms for package in new]:
            return
        before, after = _cells(old), _cells(new)
        subpackages = Difference.between(before, after)
        if subpackages:
            self.subpackages.append(SubpackageChange(package=name, subpackages=subpackages))
        both = sorted(before.keys() & after.keys())
        arches: dict[Difference, list[str]] = defaultdict(list)
        moves: dict[tuple[tuple[Variant, ...], tuple[Variant, ...]], list[str]] = defaultdict(list)
        for subpackage in both:
            was, now = before[subpackage], after[subpackage]
            if was == now:
                continue
            arches[self._arches(was, now)].append(subpackage)
            moves[self._move(was, now)].append(subpackage)
        for arch_change, names in sorted(arches.items()):
            if arch_change:
                self.arches.append(ArchChange(package=name, subpackages=_unless_all(names, both), arches=arch_change))
        for (source, target), names in sorted(moves.items()):
            if source != target:
                self.moved.append(Move(package=name, subpackages=_unless_all(names, both), old=source, new=target))

    def _arches(self, old: Cells, new: Cells) -> Difference:
        """A tree that only one compose has takes no arch from a package and gives it none."""
        was, now = _arches(old), _arches(new)
        shared_was = _arches(cell for cell in old if cell[:2] in self.trees)
        shared_now = _arches(cell for cell in new if cell[:2] in self.trees)
        return Difference(gained=tuple(sorted(shared_now - was)), lost=tuple(sorted(shared_was - now)))

    def _move(self, old: Cells, new: Cells) -> tuple[tuple[Variant, ...], tuple[Variant, ...]]:
        """A variant that only one compose has makes no move; where there is one, it shows all variants."""
        was, now = _variants(old), _variants(new)
        if (was ^ now) & self.variants:
            return tuple(sorted(was)), tuple(sorted(now))
        return (), ()


def _unless_all(names: list[str], every: list[str]) -> tuple[str, ...]:
    return () if names == every else tuple(names)


def _by_name(packages: Iterable[Package]) -> dict[str, list[Package]]:
    """Group packages by SRPM name."""
    groups: dict[str, list[Package]] = defaultdict(list)
    for package in packages:
        groups[package.name].append(package)
    return groups


def _cells(packages: Iterable[Package]) -> dict[str, Cells]:
    cells: dict[str, set[Cell]] = defaultdict(set)
    for group in chain.from_iterable(package.rpms for package in packages):
        here = [(group.variant, arch, group.rpm_arch or arch) for arch in group.arches]
        for name in group.names:
            cells[name].update(here)
    return {name: frozenset(places) for name, places in cells.items()}


def _arches(cells: Iterable[Cell]) -> frozenset[str]:
    return frozenset(arch for _, _, arch in cells)


def _variants(cells: Iterable[Cell]) -> frozenset[Variant]:
    return frozenset(variant for variant, _, _ in cells)


def _trees(manifest: Manifest) -> frozenset[Tree]:
    return frozenset((variant, arch) for variant, arches in manifest.variants.items() for arch in arches)


def _known_trees(old: Manifest, new: Manifest, variants: Difference, arches: Difference) -> Difference:
    """Trees gained or lost that no variant or arch gained or lost explains."""
    explained = {*variants.gained, *variants.lost, *arches.gained, *arches.lost}

    def unexplained(manifest: Manifest) -> Iterator[str]:
        return (f"{variant}.{arch}" for variant, arch in _trees(manifest) if not explained & {variant, arch})

    return Difference.between(unexplained(old), unexplained(new))


def _subpackages(packages: Iterable[Package]) -> set[str]:
    return {name for package in packages for group in package.rpms for name in group.names}


def _unsigned(before: Mapping[str, Sequence[Package]], new: Manifest) -> tuple[Unsigned, ...]:
    """The new compose's unsigned RPMs, first those of packages that were signed or absent before."""
    rows = [
        Unsigned(
            name=package.name,
            evr=_evr(package),
            rpms=package.unsigned,
            newly=not any(was.unsigned for was in before.get(package.name, ())),
        )
        for package in new.packages
        if package.unsigned
    ]
    return tuple(sorted(rows, key=lambda row: (not row.newly, row)))


def _images(manifest: Manifest, other: Manifest) -> dict[ImageChange, Image]:
    """Every image under its name without what only this compose's id put there; none where the other names none."""
    if not _names_images(other):
        return {}
    stamp = manifest.compose_id.text.removeprefix(f"{manifest.compose_id.stream}-")
    stamped = re.compile(rf"[-._]?{re.escape(stamp)}(?![0-9])")
    return {
        ImageChange(variant=image.variant, arch=image.arch, path=stamped.sub("", image.path), type=image.type): image
        for image in manifest.images
    }


def _names_images(manifest: Manifest) -> bool:
    """A compose without images.json may have images all the same."""
    return manifest.metadata.get("images.json") is not None


def _warnings(old: Manifest, new: Manifest) -> Iterator[str]:
    before, after = old.compose_id, new.compose_id
    if before.stream != after.stream:
        yield f"the streams differ: {before.stream} and {after.stream}"
    elif (before.date, before.respin) > (after.date, after.respin):
        yield f"{before} is newer than {after}: what reads as a downgrade may be an upgrade"
    for manifest in (old, new):
        if manifest.unreadable is not None:
            code = manifest.unreadable.code
            yield f"what {manifest.compose_id} holds is not known: its metadata could not be read ({code})"
    if old.unreadable is new.unreadable is None and _names_images(old) != _names_images(new):
        yield f"{after if _names_images(old) else before} has no images.json: no images are compared"


def _build(package: Package) -> Build:
    return Build(
        name=package.name,
        evr=_evr(package),
        variants=tuple(sorted({group.variant for group in package.rpms})),
        subpackages=tuple(sorted(_subpackages([package]))),
    )


def _evr(package: Package) -> str:
    evr = f"{package.version}-{package.release}"
    return f"{package.epoch}:{evr}" if package.epoch else evr


def _newest_first(packages: Iterable[Package]) -> list[tuple[EvrKey, Package]]:
    """Sort the builds of one name; the spelling decides between versions that rpm finds equal."""
    keyed = [(evr_key(package.epoch, package.version, package.release), package) for package in packages]
    keyed.sort(key=lambda build: (build[0], build[1].nvr), reverse=True)
    return keyed
