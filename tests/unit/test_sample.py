"""Sample composes look like real ones, and change from day to day as real ones do."""

import dataclasses
import hashlib
from pathlib import Path

import pytest

from compose_repo.core.composes.compose import Status
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.ports.compose_root import compose_root
from compose_repo.ports.productmd.reading import read_compose
from sample_composes.sample import SamplePackage, SampleSpec, write_compose

FIRST = "CentOS-Stream-10-20261119.0"
SECOND = "CentOS-Stream-10-20261120.0"
DAY_ONE = SampleSpec.create(FIRST, srpms=120)
DAY_TWO = DAY_ONE.evolve(SECOND)


def manifest(folder: Path, spec: SampleSpec) -> Manifest:
    return Manifest.from_compose(read_compose(compose_root(str(write_compose(folder, spec)))))


def digests(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def by_name(spec: SampleSpec) -> dict[str, SamplePackage]:
    return {package.name: package for package in spec.packages}


def changed(field: str) -> list[str]:
    """Name the packages of both days of which that field differs."""
    old, new = by_name(DAY_ONE), by_name(DAY_TWO)
    return [name for name in old.keys() & new.keys() if getattr(old[name], field) != getattr(new[name], field)]


def test_the_same_spec_gives_the_same_files(tmp_path: Path) -> None:
    first, second = (write_compose(tmp_path / name, SampleSpec.create(FIRST, srpms=12)) for name in "ab")
    assert digests(first) == digests(second)


def test_a_tree_has_what_a_server_shows(tmp_path: Path) -> None:
    assert sorted(digests(write_compose(tmp_path, SampleSpec.create(FIRST, srpms=12)))) == [
        "COMPOSE_ID",
        "STATUS",
        "compose/metadata/composeinfo.json",
        "compose/metadata/images.json",
        "compose/metadata/modules.json",
        "compose/metadata/rpms.json",
    ]


def test_a_dozen_packages_have_every_variant(tmp_path: Path) -> None:
    variants = manifest(tmp_path, SampleSpec.create(FIRST, srpms=12)).variants
    assert {"HighAvailability", "RT", "NFV"} < set(variants)


def test_a_dozen_packages_have_foreign_rpms(tmp_path: Path) -> None:
    packages = manifest(tmp_path, SampleSpec.create(FIRST, srpms=12)).packages
    assert {group.rpm_arch for package in packages for group in package.rpms} == {None, "i686"}


def test_another_seed_gives_another_compose() -> None:
    assert SampleSpec.create(FIRST, srpms=50, seed=1).packages != SampleSpec.create(FIRST, srpms=50).packages


def test_a_spec_has_as_many_packages_as_asked() -> None:
    assert len(SampleSpec.create(FIRST).packages) == 2600


def test_status_and_label_are_written(tmp_path: Path) -> None:
    spec = dataclasses.replace(SampleSpec.create(FIRST, srpms=2), status=Status.FINISHED_INCOMPLETE, label="Update-1.0")
    assert (manifest(tmp_path, spec).status, manifest(tmp_path, spec).label) == (spec.status, spec.label)


def test_a_day_adds_a_package() -> None:
    assert len(by_name(DAY_TWO).keys() - by_name(DAY_ONE).keys()) == 1


def test_a_day_removes_a_package() -> None:
    assert len(by_name(DAY_ONE).keys() - by_name(DAY_TWO).keys()) == 1


@pytest.mark.parametrize(
    ("field", "count"),
    [("release", 1 + 1), ("arches", 1), ("signed", 1), ("rpms", 1 + 1)],
    ids=["one up, one down", "an arch lost", "unsigned", "a sub-package lost, one package moved"],
)
def test_a_day_changes_a_few_packages(field: str, count: int) -> None:
    assert len(changed(field)) == count


def test_a_package_that_moves_changes_its_variants() -> None:
    assert [name for name in changed("rpms") if by_name(DAY_ONE)[name].variants != by_name(DAY_TWO)[name].variants]


def test_a_day_upgrades_the_share_that_is_asked_for() -> None:
    later = by_name(DAY_ONE.evolve(SECOND, share=0.1))
    upgraded = [p for p in DAY_ONE.packages if p.name in later and later[p.name].release != p.release]
    assert len(upgraded) == 12 + 1


def test_a_day_of_a_single_package_changes_what_it_can() -> None:
    assert SampleSpec.create(FIRST, srpms=1).evolve(SECOND).compose_id.text == SECOND
