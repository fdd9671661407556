"""What `compare` finds between two small manifests, one kind of change a test."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId, Image, Status
from compose_repo.core.manifests.change_report import change_report
from compose_repo.core.manifests.changes import (
    ArchChange,
    Build,
    Changes,
    Difference,
    ImageChange,
    Move,
    SubpackageChange,
    Unsigned,
    Update,
    compare,
)
from compose_repo.core.manifests.manifest import Manifest, Package, RpmGroup, Unreadable
from compose_repo.core.names import Arch, Sha256, Variant

OLD = "CentOS-Stream-10-20261120.0"
NEW = "CentOS-Stream-10-20261121.1"
X86 = Arch("x86_64")
ARM = Arch("aarch64")
BASE = Variant("BaseOS")
APP = Variant("AppStream")
CRB = Variant("CRB")
SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "changes.schema.json"
VALIDATOR = jsonschema_rs.validator_for(json.loads(SCHEMA.read_bytes()))
TREES = {BASE: (ARM, X86), APP: (ARM, X86)}


def group(
    *names: str, variant: Variant = BASE, arches: tuple[Arch, ...] = (ARM, X86), rpm_arch: str | None = None
) -> RpmGroup:
    return RpmGroup(variant=variant, arches=arches, rpm_arch=rpm_arch, names=names)


def package(nvr: str, *groups: RpmGroup, epoch: int = 0, unsigned: int = 0) -> Package:
    return Package(nvr=nvr, epoch=epoch, unsigned=unsigned, rpms=groups or (group(nvr.rsplit("-", 2)[0]),))


def image(path: str, sha256: str = "a" * 64) -> Image:
    return Image(
        variant=BASE, arch=X86, path=path, type="dvd", format="iso", subvariant="", size=1, sha256=Sha256(sha256)
    )


def manifest(
    compose_id: str,
    *packages: Package,
    variants: Mapping[Variant, tuple[Arch, ...]] = TREES,
    images: Iterable[Image] = (),
    status: Status | None = Status.FINISHED,
    names_images: bool = True,
) -> Manifest:
    return Manifest(
        compose_id=ComposeId.parse(compose_id),
        status=status,
        label=None,
        release_name=None,
        location="https://composes.example.org/",
        variants=variants,
        metadata={"images.json": Sha256("a" * 64) if names_images else None},
        images=tuple(images),
        packages=packages,
    )


def changes(old: Iterable[Package], new: Iterable[Package]) -> Changes:
    return compare(manifest(OLD, *old), manifest(NEW, *new))


def test_a_package_that_only_the_new_compose_has_is_added() -> None:
    found = changes([], [package("bash-5.2-1.el10", group("bash", "bash-doc"), epoch=2)])
    assert found.added == (Build(name="bash", evr="2:5.2-1.el10", variants=(BASE,), subpackages=("bash", "bash-doc")),)


@pytest.mark.parametrize("blind", [[OLD], [NEW], [OLD, NEW]])
def test_with_a_compose_that_could_not_be_read_nothing_is_compared(blind: list[str]) -> None:
    why = Unreadable(code="metadata-truncated", message="rpms.json: the file ends too early")
    old, new = (
        replace(manifest(name, variants={}, status=None), unreadable=why)
        if name in blind
        else manifest(name, package("bash-5.2-1.el10"))
        for name in (OLD, NEW)
    )
    found = compare(old, new)
    document = found.to_dict()
    VALIDATOR.validate(document)
    assert (bool(found), document["not_known"], document["summary"], document["removed"], document["added"]) == (
        True,
        blind,
        None,
        [],
        [],
    )
    assert found.warnings == tuple(
        f"what {name} holds is not known: its metadata could not be read (metadata-truncated)" for name in blind
    )
    assert change_report(found, None).headline == "what changed is not known"


def test_a_package_that_only_the_old_compose_has_is_removed() -> None:
    found = changes([package("bash-5.2-1.el10")], [])
    assert found.removed == (Build(name="bash", evr="5.2-1.el10", variants=(BASE,), subpackages=("bash",)),)


def test_a_newer_version_is_an_upgrade() -> None:
    found = changes([package("bash-5.9-1.el10")], [package("bash-5.10-1.el10")])
    assert found.upgraded == (Update(name="bash", old="5.9-1.el10", new="5.10-1.el10"),)


def test_an_older_version_is_a_downgrade() -> None:
    found = changes([package("bash-5.10-1.el10")], [package("bash-5.10~rc1-1.el10")])
    assert found.downgraded == (Update(name="bash", old="5.10-1.el10", new="5.10~rc1-1.el10"),)


def test_a_greater_epoch_makes_an_older_version_an_upgrade() -> None:
    found = changes([package("bash-5.10-1.el10", epoch=9)], [package("bash-5.9-1.el10", epoch=10)])
    assert found.upgraded == (Update(name="bash", old="9:5.10-1.el10", new="10:5.9-1.el10"),)


def test_versions_that_rpm_finds_equal_but_are_spelled_differently_are_removed_and_added() -> None:
    found = changes([package("bash-5.2-1.el10")], [package("bash-5_2-1.el10")])
    assert [row.evr for row in (*found.removed, *found.added)] == ["5.2-1.el10", "5_2-1.el10"]


def test_of_several_versions_those_in_both_are_dropped_and_the_rest_is_paired_newest_with_newest() -> None:
    old = [package("java-8-1"), package("java-11-1"), package("java-17-1")]
    new = [package("java-17-2"), package("java-11-1")]
    found = changes(old, new)
    assert (found.upgraded, [row.evr for row in found.removed], found.unchanged) == (
        (Update(name="java", old="17-1", new="17-2"),),
        ["8-1"],
        1,
    )


def test_of_several_versions_those_left_over_are_added() -> None:
    found = changes([package("java-17-1")], [package("java-21-1"), package("java-17-2")])
    assert (found.upgraded, [row.evr for row in found.added]) == (
        (Update(name="java", old="17-1", new="21-1"),),
        ["17-2"],
    )


def test_the_spelling_decides_which_of_equal_versions_is_paired() -> None:
    names = [f"package{number}" for number in range(8)]
    old = [package(f"{name}-{version}-1") for name in names for version in ("1.0", "1_0")]
    found = changes(old, [package(f"{name}-2-1") for name in names])
    assert {row.old for row in found.upgraded} == {"1_0-1"}


def test_the_order_of_the_packages_in_a_manifest_does_not_matter() -> None:
    old = [package("java-8-1"), package("bash-1-1"), package("java-11-1")]
    new = [package("zsh-1-1"), package("java-9-1"), package("java-10-1")]
    assert changes(old, new) == changes(reversed(old), reversed(new))


def test_subpackages_gained_and_lost_are_told_for_the_package() -> None:
    found = changes(
        [package("bash-1-1", group("bash", "bash-old"))], [package("bash-2-1", group("bash", "bash-doc", "bash-new"))]
    )
    assert found.subpackages_of == (
        SubpackageChange(package="bash", subpackages=Difference(gained=("bash-doc", "bash-new"), lost=("bash-old",))),
    )


def test_a_subpackage_that_another_package_builds_now_is_not_lost_to_the_compose() -> None:
    found = changes(
        [package("a-1-1", group("a", "tool")), package("b-1-1")],
        [package("a-1-1", group("a")), package("b-1-1", group("b", "tool"))],
    )
    assert (len(found.subpackages_of), found.subpackages) == (2, Difference())


def test_subpackages_of_removed_packages_are_lost_to_the_compose() -> None:
    found = changes([package("a-1-1", group("a", "a-doc"))], [])
    assert found.subpackages == Difference(lost=("a", "a-doc"))


def test_an_arch_that_every_subpackage_lost_is_told_once_for_the_package() -> None:
    found = changes(
        [package("bash-1-1", group("bash", "bash-doc"))],
        [package("bash-1-1", group("bash", "bash-doc", arches=(X86,)))],
    )
    assert found.arches_of == (ArchChange(package="bash", subpackages=(), arches=Difference(lost=(ARM,))),)


def test_an_arch_that_one_subpackage_gained_is_told_with_its_name() -> None:
    found = changes(
        [package("bash-1-1", group("bash"), group("bash-doc", arches=(X86,)))],
        [package("bash-1-1", group("bash", "bash-doc"))],
    )
    assert found.arches_of == (ArchChange(package="bash", subpackages=("bash-doc",), arches=Difference(gained=(ARM,))),)


def test_a_lost_multilib_build_is_told_by_the_arch_it_is_built_for() -> None:
    found = changes(
        [package("bash-1-1", group("bash"), group("bash", arches=(X86,), rpm_arch="i686"))], [package("bash-1-1")]
    )
    assert found.arches_of == (ArchChange(package="bash", subpackages=(), arches=Difference(lost=("i686",))),)


def test_a_package_that_stands_in_another_variant_has_moved() -> None:
    found = changes([package("bash-1-1")], [package("bash-1-1", group("bash", variant=APP))])
    assert (found.moved, found.arches_of) == (
        (Move(package="bash", subpackages=(), old=(BASE,), new=(APP,)),),
        (),
    )


def test_a_subpackage_that_stands_in_one_more_variant_has_moved() -> None:
    found = changes(
        [package("bash-1-1", group("bash", "bash-doc"))],
        [package("bash-1-1", group("bash", "bash-doc"), group("bash-doc", variant=APP))],
    )
    assert found.moved == (Move(package="bash", subpackages=("bash-doc",), old=(BASE,), new=(APP, BASE)),)


def test_a_tree_that_the_compose_lost_takes_no_arch_from_its_packages() -> None:
    old = manifest(OLD, package("bash-1-1"))
    new = manifest(NEW, package("bash-1-1", group("bash", arches=(X86,))), variants={BASE: (X86,), APP: (ARM, X86)})
    found = compare(old, new)
    assert (found.trees, found.arches_of) == (Difference(lost=("BaseOS.aarch64",)), ())


def test_an_arch_that_the_compose_lost_is_told_once() -> None:
    old = manifest(OLD, package("bash-1-1"))
    new = manifest(NEW, package("bash-1-1", group("bash", arches=(X86,))), variants={BASE: (X86,), APP: (X86,)})
    found = compare(old, new)
    assert (found.arches, found.trees, found.arches_of) == (Difference(lost=(ARM,)), Difference(), ())


def test_a_variant_that_the_compose_gained_moves_no_package() -> None:
    old = manifest(OLD, package("bash-1-1"))
    new = manifest(
        NEW, package("bash-1-1", group("bash"), group("bash", variant=CRB)), variants={**TREES, CRB: (ARM, X86)}
    )
    found = compare(old, new)
    assert (found.variants, found.trees, found.moved) == (Difference(gained=(CRB,)), Difference(), ())


def test_a_package_that_left_a_variant_the_compose_lost_for_another_has_moved() -> None:
    old = manifest(OLD, package("bash-1-1", group("bash", variant=CRB)), variants={**TREES, CRB: (ARM, X86)})
    found = compare(old, manifest(NEW, package("bash-1-1")))
    assert (found.variants, found.moved) == (
        Difference(lost=(CRB,)),
        (Move(package="bash", subpackages=(), old=(CRB,), new=(BASE,)),),
    )


def test_newly_unsigned_packages_come_before_those_that_were_unsigned_already() -> None:
    found = changes(
        [package("apr-1-1", unsigned=3), package("bash-1-1")],
        [package("apr-1-2", unsigned=2), package("bash-1-1", unsigned=5), package("zsh-1-1", unsigned=1)],
    )
    assert found.unsigned == (
        Unsigned(name="bash", evr="1-1", rpms=5, newly=True),
        Unsigned(name="zsh", evr="1-1", rpms=1, newly=True),
        Unsigned(name="apr", evr="1-2", rpms=2, newly=False),
    )


def test_the_summary_counts_unsigned_rpms() -> None:
    found = changes([package("apr-1-1", unsigned=3)], [package("apr-1-2", unsigned=2), package("zsh-1-1", unsigned=1)])
    assert (found.summary["unsigned"], found.summary["newly_unsigned"]) == (3, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"BaseOS/x86_64/iso/{OLD}-x86_64-dvd1.iso", f"BaseOS/x86_64/iso/{NEW}-x86_64-dvd1.iso"),
        ("BaseOS/x86_64/Base-10-20261120.0.x86_64.tar.xz", "BaseOS/x86_64/Base-10-20261121.1.x86_64.tar.xz"),
        ("BaseOS/x86_64/Base_20261120.0.x86_64.tar.xz", "BaseOS/x86_64/Base_20261121.1.x86_64.tar.xz"),
    ],
)
def test_an_image_whose_name_differs_by_the_compose_only_is_the_same_image(old: str, new: str) -> None:
    found = compare(manifest(OLD, images=[image(old)]), manifest(NEW, images=[image(new, "b" * 64)]))
    assert (found.images_added, found.images_dropped, found.images_rebuilt, bool(found)) == ((), (), 1, False)


def test_the_respin_of_another_compose_is_part_of_an_images_name() -> None:
    found = compare(manifest(OLD, images=[image("a-20261120.05.iso")]), manifest(NEW, images=[image("a5.iso")]))
    assert [row.path for row in (*found.images_dropped, *found.images_added)] == ["a-20261120.05.iso", "a5.iso"]


def test_an_image_with_the_same_checksum_is_not_rebuilt() -> None:
    found = compare(manifest(OLD, images=[image("a.iso")]), manifest(NEW, images=[image("a.iso")]))
    assert found.images_rebuilt == 0


def test_images_are_added_and_dropped() -> None:
    found = compare(
        manifest(OLD, images=[image("iso/boot-20261120.0.iso")]),
        manifest(NEW, images=[image("iso/dvd-20261121.1.iso")]),
    )
    assert (found.images_added, found.images_dropped) == (
        (ImageChange(variant=BASE, arch=X86, path="iso/dvd.iso", type="dvd"),),
        (ImageChange(variant=BASE, arch=X86, path="iso/boot.iso", type="dvd"),),
    )


def test_a_compose_without_a_list_of_images_has_not_dropped_them() -> None:
    found = compare(manifest(OLD, images=[image("a.iso")]), manifest(NEW, names_images=False))
    assert (found.images_dropped, found.warnings) == ((), (f"{NEW} has no images.json: no images are compared",))


def test_a_list_of_images_that_the_old_compose_had_not_adds_none() -> None:
    found = compare(manifest(OLD, names_images=False), manifest(NEW, images=[image("a.iso")]))
    assert (found.images_added, found.warnings) == ((), (f"{OLD} has no images.json: no images are compared",))


def test_two_composes_without_lists_of_images_are_not_warned_of() -> None:
    assert compare(manifest(OLD, names_images=False), manifest(NEW, names_images=False)).warnings == ()


def test_different_streams_are_warned_of() -> None:
    found = compare(manifest("CentOS-Stream-9-20261120.0"), manifest(NEW))
    assert found.warnings == ("the streams differ: CentOS-Stream-9 and CentOS-Stream-10",)


@pytest.mark.parametrize("newer", [NEW, "CentOS-Stream-10-20261120.1"])
def test_an_old_compose_that_is_newer_is_warned_of(newer: str) -> None:
    found = compare(manifest(newer), manifest(OLD))
    assert found.warnings == (f"{newer} is newer than {OLD}: what reads as a downgrade may be an upgrade",)


def test_composes_in_order_are_not_warned_of() -> None:
    assert changes([], []).warnings == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (manifest(OLD), manifest(NEW, status=Status.FINISHED_INCOMPLETE)),
        (manifest(OLD), manifest(NEW, variants={BASE: (X86,)})),
        (manifest(OLD), manifest(NEW, variants={**TREES, BASE: (X86,)})),
        (manifest(OLD), manifest(NEW, images=[image("a.iso")])),
        (manifest(OLD, images=[image("a.iso")]), manifest(NEW)),
        (manifest(OLD), manifest(NEW, package("a-1-1"))),
        (manifest(OLD, package("a-1-1")), manifest(NEW)),
        (manifest(OLD, package("a-1-1")), manifest(NEW, package("a-1-2"))),
        (manifest(OLD, package("a-1-2")), manifest(NEW, package("a-1-1"))),
        (manifest(OLD, package("a-1-1")), manifest(NEW, package("a-1-1", unsigned=1))),
        (manifest(OLD, package("a-1-1")), manifest(NEW, package("a-1-1", group("a", "b")))),
        (manifest(OLD, package("a-1-1")), manifest(NEW, package("a-1-1", group("a", arches=(X86,))))),
        (manifest(OLD, package("a-1-1")), manifest(NEW, package("a-1-1", group("a", variant=APP)))),
    ],
)
def test_every_kind_of_change_counts_as_one(old: Manifest, new: Manifest) -> None:
    assert compare(old, new)


def test_downgrades_come_before_every_other_list_of_the_json() -> None:
    lists = [name for name, value in changes([], []).to_dict().items() if isinstance(value, list | dict)]
    assert lists[:6] == ["old", "new", "warnings", "summary", "downgraded", "unsigned"]


names = st.sampled_from(["a", "b", "c"])
groups = st.builds(
    RpmGroup,
    variant=st.sampled_from([BASE, APP, CRB]),
    arches=st.lists(st.sampled_from([ARM, X86]), min_size=1, unique=True).map(lambda found: tuple(sorted(found))),
    rpm_arch=st.sampled_from([None, "i686"]),
    names=st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, unique=True).map(lambda found: tuple(sorted(found))),
)
packages = st.builds(
    Package,
    nvr=st.builds("{}-{}-{}".format, names, st.sampled_from(["1", "01", "1~a", "1^b", "2"]), st.sampled_from("12")),
    epoch=st.integers(0, 1),
    unsigned=st.integers(0, 2),
    rpms=st.lists(groups, min_size=1, max_size=2).map(tuple),
)
manifests = st.builds(
    lambda compose_id, status, variants, images, found: manifest(
        compose_id, *found, status=status, variants=variants, images=images
    ),
    st.sampled_from([OLD, NEW]),
    st.sampled_from([Status.FINISHED, Status.FINISHED_INCOMPLETE]),
    st.dictionaries(st.sampled_from([BASE, APP, CRB]), st.sampled_from([(ARM,), (X86,), (ARM, X86)])),
    st.lists(st.builds(image, st.sampled_from(["a.iso", "b.iso"]), st.sampled_from(["a" * 64, "b" * 64])), max_size=2),
    st.lists(packages, max_size=5, unique_by=lambda found: (found.nvr, found.epoch)),
)


@given(same=manifests)
def test_nothing_changed_from_a_compose_to_itself(same: Manifest) -> None:
    assert not compare(same, same)


@given(old=manifests, new=manifests)
def test_the_way_back_is_the_mirror_of_the_way_there(old: Manifest, new: Manifest) -> None:
    assert _mirrored(compare(old, new)) == _lists(compare(new, old))


@given(old=manifests, new=manifests)
def test_every_package_is_counted_once_on_each_side(old: Manifest, new: Manifest) -> None:
    found = compare(old, new)
    in_both = found.unchanged + len(found.upgraded) + len(found.downgraded)
    assert (in_both + len(found.removed), in_both + len(found.added)) == (len(old.packages), len(new.packages))


@given(old=manifests, new=manifests)
def test_the_json_of_every_comparison_satisfies_the_schema(old: Manifest, new: Manifest) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(compare(old, new).to_dict())] == []


def _lists(found: Changes) -> dict[str, object]:
    return {
        "downgraded": set(found.downgraded),
        "upgraded": set(found.upgraded),
        "added": set(found.added),
        "removed": set(found.removed),
        "moved": set(found.moved),
        "arches_of": set(found.arches_of),
        "subpackages_of": set(found.subpackages_of),
        "whole": (found.subpackages, found.variants, found.arches, found.trees),
        "images": (found.images_added, found.images_dropped, found.images_rebuilt),
        "unchanged": found.unchanged,
    }


def _mirrored(found: Changes) -> dict[str, object]:
    def turned(difference: Difference) -> Difference:
        return Difference(gained=difference.lost, lost=difference.gained)

    def back(update: Update) -> Update:
        return Update(name=update.name, old=update.new, new=update.old)

    return {
        "downgraded": set(map(back, found.upgraded)),
        "upgraded": set(map(back, found.downgraded)),
        "added": set(found.removed),
        "removed": set(found.added),
        "moved": {
            Move(package=row.package, subpackages=row.subpackages, old=row.new, new=row.old) for row in found.moved
        },
        "arches_of": {
            ArchChange(package=row.package, subpackages=row.subpackages, arches=turned(row.arches))
            for row in found.arches_of
        },
        "subpackages_of": {
            SubpackageChange(package=row.package, subpackages=turned(row.subpackages)) for row in found.subpackages_of
        },
        "whole": (turned(found.subpackages), turned(found.variants), turned(found.arches), turned(found.trees)),
        "images": (found.images_dropped, found.images_added, found.images_rebuilt),
        "unchanged": found.unchanged,
    }
