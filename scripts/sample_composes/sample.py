"""Sample composes: trees of metadata as a real stream's server shows them, and what they turn into day by day."""

import dataclasses
import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compose_repo.core.composes.compose import ComposeId, Image, Status
from compose_repo.core.names import Arch, Sha256, Variant
from sample_composes.names import HIGH_AVAILABILITY, REAL_TIME, all_names
from sample_composes.writing import ComposeWriter

ARCHES: Final = (Arch("aarch64"), Arch("ppc64le"), Arch("s390x"), Arch("x86_64"))
FULL_SIZE: Final = 2600
"""How many source packages a stream has."""

_BASEOS: Final = Variant("BaseOS")
_APPSTREAM: Final = Variant("AppStream")
_CRB: Final = Variant("CRB")
_HA: Final = Variant("HighAvailability")
_RT: Final = Variant("RT")
_NFV: Final = Variant("NFV")

_X86_64: Final = Arch("x86_64")
_NOARCH_FAMILIES: Final = (
    "hunspell-",
    "hyphen-",
    "mythes-",
    "langpacks-",
    "maven-",
    "plexus-",
    "apache-",
    "glassfish-",
    "lohit-",
    "smc-",
    "sil-",
    "tzdata",
    "texlive-",
)
_MANY: Final = {
    "texlive": [f"collection-part{number:03}" for number in range(240)],
    "glibc": [f"langpack-{a}{b}" for a in "abcdefghijklmnopqrstuvw" for b in "aefgiklmorstu"],
    "kernel": ["core", "modules", "modules-core", "modules-extra", "debug", "devel", "headers", "tools", "doc"],
    "kernel-rt": ["core", "modules", "modules-core", "modules-extra", "debug", "devel", "kvm"],
}
_PARTS: Final = (
    "libs",
    "devel",
    "doc",
    "common",
    "utils",
    "tools",
    "static",
    "server",
    "client",
    "plugins",
    "gui",
    "data",
)
_NOARCH_PARTS: Final = frozenset({"doc", "common", "data"})
_MULTILIB_PARTS: Final = frozenset({"libs", "devel", ""})
_NOARCH_SHARE: Final = 0.6
"""Of modules for Perl and Python."""
_MULTILIB_SHARE: Final = 0.12
_SIGKEY: Final = "5a3e9c10"
_IMAGES: Final = (
    (_BASEOS, "boot", "iso", "BaseOS", 900),
    (_BASEOS, "dvd", "iso", "BaseOS", 9000),
    (_BASEOS, "qcow2", "qcow2", "GenericCloud", 1100),
    (_BASEOS, "tar-gz", "tar.gz", "GCE", 700),
    (_APPSTREAM, "container", "tar.xz", "Container-Base", 60),
)
_EPOCH_DAYS: Final = 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleRpm:
    """One binary package; `debug`: it comes with a debuginfo package; `multilib`: x86_64 has it for i686 too."""

    name: str
    variant: Variant
    noarch: bool = False
    debug: bool = False
    multilib: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplePackage:
    """One source package and what is built from it."""

    name: str
    epoch: int = 0
    version: str
    release: str
    arches: tuple[Arch, ...]
    rpms: tuple[SampleRpm, ...]
    signed: bool = True

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Every variant that has something of it, sorted."""
        return tuple(sorted({rpm.variant for rpm in self.rpms}))


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleSpec:
    """All of a sample compose; the same values give the same files."""

    compose_id: ComposeId
    status: Status = Status.FINISHED
    label: str | None = None
    arches: tuple[Arch, ...] = ARCHES
    packages: tuple[SamplePackage, ...]

    @classmethod
    def create(
        cls,
        compose_id: str = "CentOS-Stream-10-20261119.0",
        *,
        seed: int = 0,
        srpms: int = FULL_SIZE,
        arches: tuple[Arch, ...] = ARCHES,
    ) -> "SampleSpec":
        """Make a compose up; a dozen packages already hold every kind of them."""
        names = all_names()
        dozen, rest = names[:12], names[12:]
        random.Random(seed).shuffle(rest)  # noqa: S311  # play data, no secrets
        chosen = (dozen + rest)[:srpms]
        return cls(
            compose_id=(parsed := ComposeId.parse(compose_id)),
            arches=arches,
            packages=tuple(_package(name, seed, arches, f"el{parsed.version}") for name in sorted(chosen)),
        )

    def evolve(self, compose_id: str, *, seed: int = 0, share: float = 0.01) -> "SampleSpec":
        """Give a later compose: a share of the packages upgraded, and one of each other thing that happens.

        One package each is downgraded, added, removed, moved to another variant and unsigned, one loses a sub-package
        and one an arch, as far as the compose has packages that can.
        """
        dice = random.Random(f"{self.compose_id}/{seed}")  # noqa: S311  # play data, no secrets
        packages = {package.name: package for package in self.packages}
        order = dice.sample(sorted(packages), len(packages))
        for change in (_lose_rpm, _lose_arch, _move, _downgrade, _unsign, lambda _package: None):
            _change_one(packages, order, change)
        for name in order[: max(1, round(share * len(self.packages)))]:
            packages[name] = _upgrade(packages[name])
        new = next((name for name in all_names() if name not in {package.name for package in self.packages}), None)
        target = ComposeId.parse(compose_id)
        if new is not None:
            packages[new] = _package(new, seed, self.arches, f"el{target.version}")
        return dataclasses.replace(self, compose_id=target, packages=tuple(packages[name] for name in sorted(packages)))


def write_compose(root: Path, spec: SampleSpec) -> Path:
    """Write a compose's tree as a server would show it; gives the tree's path, `root/<compose id>`."""
    folder = root / str(spec.compose_id)
    writer = ComposeWriter(spec.compose_id, label=spec.label, release_name="CentOS Stream")
    for variant in sorted({variant for package in spec.packages for variant in package.variants}):
        writer.add_variant(variant, spec.arches)
    for package in spec.packages:
        _add_package(writer, package)
    for image in _images(spec):
        writer.add_image(image, mtime=int(spec.compose_id.date.toordinal()) * _EPOCH_DAYS % 2**31)
    writer.write(folder / "compose" / "metadata")
    (folder / "COMPOSE_ID").write_text(str(spec.compose_id), encoding="ascii")
    (folder / "STATUS").write_text(f"{spec.status}\n", encoding="ascii")
    return folder


def _package(name: str, seed: int, arches: tuple[Arch, ...], dist: str) -> SamplePackage:
    """Make a package up; it depends on its name and the seed alone, not on what else is in the compose."""
    dice = random.Random(f"{name}/{seed}")  # noqa: S311  # play data, no secrets
    home = _home(name, dice)
    noarch = name.startswith(_NOARCH_FAMILIES) or (
        name.startswith(("perl-", "python-")) and dice.random() < _NOARCH_SHARE
    )
    if noarch:
        parts = dice.sample(("doc", "common", "data"), dice.choice((0, 0, 1, 2)))
    else:
        parts = dice.sample(_PARTS, dice.choice((0, 1, 1, 2, 2, 3, 3, 4, 5)))
    multilib = name.startswith("lib") or dice.random() < _MULTILIB_SHARE
    rpms = [
        SampleRpm(
            name=_binary_name(name, part),
            variant=_CRB if part in {"devel", "static"} and home[0] in {_BASEOS, _APPSTREAM} else variant,
            noarch=noarch or part in _NOARCH_PARTS,
            debug=not noarch and part not in _NOARCH_PARTS and part not in {"devel", "static"},
            multilib=multilib and not noarch and part in _MULTILIB_PARTS,
        )
        for variant in home
        for part in ("", *parts, *_MANY.get(name, ()))
    ]
    return SamplePackage(
        name=name,
        epoch=dice.choice((0,) * 14 + (1, 2)),
        version=".".join(str(dice.randrange(limit)) for limit in (12, 40, 9)[: dice.choice((2, 3))]),
        release=f"{dice.randrange(1, 40)}.{dist}",
        arches=(_X86_64,) if name.startswith(("intel-", "dotnet", "virt-p2v")) and _X86_64 in arches else arches,
        rpms=tuple(dict.fromkeys(rpms)),
    )


def _home(name: str, dice: random.Random) -> tuple[Variant, ...]:
    if name in HIGH_AVAILABILITY:
        return (_HA,)
    if name in REAL_TIME:
        return (_RT, _NFV)
    if name.startswith(("mingw-", "maven-", "plexus-", "ghc-", "ocaml-", "golang-", "rust-")):
        return (_CRB,)
    return (dice.choice((_BASEOS, _APPSTREAM, _APPSTREAM, _APPSTREAM, _CRB)),)


def _binary_name(name: str, part: str) -> str:
    base = name.replace("python-", "python3-", 1) if name.startswith("python-") else name
    return f"{base}-{part}" if part else base


def _add_package(writer: ComposeWriter, package: SamplePackage) -> None:
    evr = f"{package.epoch}:{package.version}-{package.release}"
    srpm = f"{package.name}-{evr}.src"
    sigkey = _SIGKEY if package.signed else None
    for variant in package.variants:
        rpms = [rpm for rpm in package.rpms if rpm.variant == variant]
        for tree in package.arches:
            writer.add_rpm(variant, tree, srpm, sigkey=sigkey, category="source", srpm=srpm)
            for name, arch, category in _binaries(package.name, rpms, tree):
                writer.add_rpm(variant, tree, f"{name}-{evr}.{arch}", sigkey=sigkey, category=category, srpm=srpm)


def _binaries(name: str, rpms: list[SampleRpm], tree: Arch) -> Iterator[tuple[str, str, str]]:
    """Give name, arch and category of everything that one tree has of a package."""
    for rpm in rpms:
        yield rpm.name, "noarch" if rpm.noarch else tree, "binary"
        if rpm.multilib and tree == _X86_64:
            yield rpm.name, "i686", "binary"
        if rpm.debug:
            yield f"{rpm.name}-debuginfo", tree, "debug"
    if any(rpm.debug for rpm in rpms):
        yield f"{name}-debugsource", tree, "debug"


def _images(spec: SampleSpec) -> Iterator[Image]:
    present = {variant for package in spec.packages for variant in package.variants}
    for variant, kind, form, subvariant, megabytes in _IMAGES:
        for arch in spec.arches:
            if variant not in present:
                continue
            stem = f"{spec.compose_id.stream}-{subvariant}-{spec.compose_id}-{arch}-{kind}"
            digest = hashlib.sha256(stem.encode("ascii"))
            yield Image(
                variant=variant,
                arch=arch,
                path=f"{variant}/{arch}/{'iso' if form == 'iso' else 'images'}/{stem}.{form}",
                type=kind,
                format=form,
                subvariant=subvariant,
                size=megabytes * 2**20 + digest.digest()[0] * 2048,
                sha256=Sha256(digest.hexdigest()),
            )


_Change = Callable[[SamplePackage], SamplePackage | None]


def _change_one(packages: dict[str, SamplePackage], order: list[str], change: _Change) -> None:
    """Let one thing happen to the first package that it can happen to, and to nothing else afterwards."""
    for name in order:
        changed = change(packages[name])
        if changed is packages[name]:
            continue
        order.remove(name)
        if changed is None:
            del packages[name]
        else:
            packages[name] = changed
        return


def _upgrade(package: SamplePackage) -> SamplePackage:
    number, _, dist = package.release.partition(".")
    return dataclasses.replace(package, release=f"{int(number) + 1}.{dist}")


def _downgrade(package: SamplePackage) -> SamplePackage:
    """Go back by one release, where there is one."""
    number, _, dist = package.release.partition(".")
    return package if number == "1" else dataclasses.replace(package, release=f"{int(number) - 1}.{dist}")


def _lose_rpm(package: SamplePackage) -> SamplePackage:
    return dataclasses.replace(package, rpms=package.rpms[:-1]) if len(package.rpms) > 1 else package


def _lose_arch(package: SamplePackage) -> SamplePackage:
    return dataclasses.replace(package, arches=package.arches[1:]) if len(package.arches) > 1 else package


def _unsign(package: SamplePackage) -> SamplePackage:
    return dataclasses.replace(package, signed=False) if package.signed else package


def _move(package: SamplePackage) -> SamplePackage:
    """Swap BaseOS and AppStream."""
    other = {_BASEOS: _APPSTREAM, _APPSTREAM: _BASEOS}
    if not other.keys() & set(package.variants):
        return package
    moved = (dataclasses.replace(rpm, variant=other.get(rpm.variant, rpm.variant)) for rpm in package.rpms)
    return dataclasses.replace(package, rpms=tuple(moved))
