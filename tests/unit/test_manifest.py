"""A manifest sums up all of a compose that a later comparison needs, in the same bytes each time."""

import json
import random
from typing import Any, cast

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.composes.compose import Compose, ComposeId, Image, Status
from compose_repo.core.manifests.manifest import Manifest, Package, RpmGroup
from compose_repo.core.names import Arch, Sha256, Variant
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem

X86, ARM = Arch("x86_64"), Arch("aarch64")
BASEOS, APPSTREAM = Variant("BaseOS"), Variant("AppStream")
SRPM = "bash-0:5.2.26-6.el10.src"

Rows = dict[str, dict[str, Any]]
Table = dict[str, dict[str, dict[str, Rows]]]


def row(category: str = "binary", sigkey: str | None = "5a3e9c10") -> dict[str, Any]:
    return {"category": category, "path": "BaseOS/x.rpm", "sigkey": sigkey}


def rows(*names: str, sigkey: str | None = "5a3e9c10") -> Rows:
    def category(name: str) -> str:
        return "source" if name.endswith("src") else "debug" if "-debug" in name else "binary"

    return {name: row(category(name), sigkey) for name in names}


def compose(rpms: Table, images: tuple[Image, ...] = ()) -> Compose:
    return Compose(
        id=ComposeId.parse("CentOS-Stream-10-20261120.0"),
        status=Status.FINISHED,
        label=None,
        release_name="CentOS Stream",
        location="https://composes.example/CentOS-Stream-10-20261120.0",
        variants={Variant(name): tuple(map(Arch, trees)) for name, trees in rpms.items()},
        metadata={"rpms.json": Sha256("0" * 64)},
        images=images,
        rpms=rpms,
    )


def packages(rpms: Table) -> tuple[Package, ...]:
    return Manifest.from_compose(compose(rpms)).packages


def groups(rpms: Table) -> tuple[RpmGroup, ...]:
    (package,) = packages(rpms)
    return package.rpms


def problems(rpms: Table) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        Manifest.from_compose(compose(rpms))
    return list(caught.value.problems)


def test_same_names_on_two_trees_stand_in_one_group() -> None:
    tree: dict[str, dict[str, Rows]] = {arch: {SRPM: rows(SRPM, f"bash-0:5.2.26-6.el10.{arch}")} for arch in (X86, ARM)}
    assert groups({BASEOS: tree}) == (RpmGroup(variant=BASEOS, arches=(ARM, X86), names=("bash",)),)


def test_a_name_that_one_tree_lacks_stands_in_a_group_of_its_own() -> None:
    both: dict[str, dict[str, Rows]] = {arch: {SRPM: rows(f"bash-0:5.2.26-6.el10.{arch}")} for arch in (X86, ARM)}
    both[X86][SRPM] |= rows("bash-doc-0:5.2.26-6.el10.x86_64")
    assert groups({BASEOS: both}) == (
        RpmGroup(variant=BASEOS, arches=(ARM, X86), names=("bash",)),
        RpmGroup(variant=BASEOS, arches=(X86,), names=("bash-doc",)),
    )


def test_noarch_counts_as_native() -> None:
    rpms: Table = {BASEOS: {X86: {SRPM: rows("bash-0:5.2.26-6.el10.x86_64", "bash-doc-0:5.2.26-6.el10.noarch")}}}
    assert groups(rpms) == (RpmGroup(variant=BASEOS, arches=(X86,), names=("bash", "bash-doc")),)


def test_a_name_in_two_native_arches_stands_once() -> None:
    rpms: Table = {BASEOS: {X86: {SRPM: rows("bash-0:5.2.26-6.el10.x86_64", "bash-0:5.2.26-6.el10.noarch")}}}
    assert groups(rpms) == (RpmGroup(variant=BASEOS, arches=(X86,), names=("bash",)),)


def test_an_arch_foreign_to_its_tree_is_named() -> None:
    names = ("bash-0:5.2.26-6.el10.x86_64", "bash-0:5.2.26-6.el10.i686", "bash-devel-0:5.2.26-6.el10.i686")
    assert groups({BASEOS: {X86: {SRPM: rows(*names)}}}) == (
        RpmGroup(variant=BASEOS, arches=(X86,), names=("bash",)),
        RpmGroup(variant=BASEOS, arches=(X86,), rpm_arch="i686", names=("bash", "bash-devel")),
    )


def test_a_package_in_two_variants_is_one_package() -> None:
    rpms: Table = {
        name: {X86: {SRPM: rows(f"{part}-0:5.2.26-6.el10.x86_64")}}
        for name, part in ((BASEOS, "bash"), (APPSTREAM, "bash-devel"))
    }
    assert [group.variant for group in groups(rpms)] == [APPSTREAM, BASEOS]


def test_another_version_on_another_arch_is_another_package() -> None:
    old = "bash-0:5.2.26-5.el10.src"
    rpms: Table = {BASEOS: {X86: {SRPM: rows(SRPM)}, ARM: {old: rows(old)}}}
    assert [package.nvr for package in packages(rpms)] == ["bash-5.2.26-5.el10", "bash-5.2.26-6.el10"]


def test_an_rpm_may_have_a_version_of_its_own() -> None:
    rpms: Table = {BASEOS: {X86: {SRPM: rows("bash-data-2:1.0-6.el10.noarch")}}}
    assert groups(rpms)[0].names == ("bash-data",)


def test_a_package_without_binaries_is_still_there() -> None:
    assert groups({BASEOS: {X86: {SRPM: rows(SRPM)}}}) == ()


def test_debug_packages_have_no_names_but_count_as_unsigned() -> None:
    names = (SRPM, "bash-0:5.2.26-6.el10.x86_64", "bash-debuginfo-0:5.2.26-6.el10.x86_64")
    (package,) = packages({BASEOS: {X86: {SRPM: rows(*names, sigkey=None)}}})
    assert (package.unsigned, package.rpms[0].names) == (3, ("bash",))


def test_an_epoch_is_kept() -> None:
    srpm = "bash-12:5.2.26-6.el10.src"
    (package,) = packages({BASEOS: {X86: {srpm: rows(srpm)}}})
    assert (package.nvr, package.epoch) == ("bash-5.2.26-6.el10", 12)


def test_a_package_knows_its_name_version_and_release() -> None:
    package = Package(nvr="xorg-x11-server-1.20-4.el10", rpms=())
    assert (package.name, package.version, package.release) == ("xorg-x11-server", "1.20", "4.el10")


def test_a_source_package_may_be_nosrc() -> None:
    srpm = "bash-0:5.2.26-6.el10.nosrc"
    assert [package.nvr for package in packages({BASEOS: {X86: {srpm: {}}}})] == ["bash-5.2.26-6.el10"]


def test_a_compose_without_packages_has_a_manifest() -> None:
    assert packages({}) == ()


@pytest.mark.parametrize(
    "name",
    [
        "bash-5.2.26-6.el10.x86_64",
        "bash-0:5.2.26-6",
        "bash-0:5.2.26.x86_64",
        "bash-00:5.2.26-6.el10.x86_64",
        "bash-12345678901:5.2.26-6.el10.x86_64",
        "ba{sh-0:5.2.26 -6.el10.x86_64",
        "{bash-0:5.2.26-6.el10.x86_64",
        "-0:5.2.26-6.el10.x86_64",
        "../bash-0:5.2.26-6.el10.x86_64",
        "bash-0:5.2.26-6.el10.x86_64\n",
        "bash-0:5.2.26-6.el10.x86_64\nbash-0:5.2.26-6.el10.x86_64",
        "bäsh-0:5.2.26-6.el10.x86_64",
        "ba\nsh-0:5.2.26-6.el10.x86_64",
        "bash-0:5.2.26-6.el10.x86_64 ",
        "",
    ],
)
def test_a_name_that_is_no_nevra_is_refused(name: str) -> None:
    (problem,) = problems({BASEOS: {X86: {SRPM: {**rows(SRPM), name: row()}}}})
    assert (problem.code, problem.pointer) == ("nevra-invalid", "/payload/rpms/BaseOS/x86_64")


@pytest.mark.parametrize(
    ("srpm", "nvr", "epoch"),
    [
        ("foo-0:1.0-1%{dist}.src", "foo-1.0-1%{dist}", 0),
        ("%{name}-0:%{version}-1.src", "%{name}-%{version}-1", 0),
        ("bash-4294967295:1-1.src", "bash-1-1", 4294967295),
        (f"{'a' * 251}-0:1-1.src", f"{'a' * 251}-1-1", 0),
    ],
)
def test_what_rpm_allows_is_taken(srpm: str, nvr: str, epoch: int) -> None:
    (package,) = packages({BASEOS: {X86: {srpm: rows(srpm)}}})
    assert (package.nvr, package.epoch) == (nvr, epoch)


@pytest.mark.parametrize(
    ("srpm", "rpm", "why"),
    [
        ("bash-4294967296:1-1.src", "bash-0:1-1.x86_64", "'bash-4294967296:1-1.src' has an epoch above 4294967295"),
        (f"{'a' * 252}-0:1-1.src", "bash-0:1-1.x86_64", "has 256 characters without epoch and arch, 255 are allowed"),
        (SRPM, f"{'a' * 256}-0:1-1.x86_64", "has 260 characters without epoch and arch, 255 are allowed"),
    ],
)
def test_what_rpm_does_not_allow_is_refused(srpm: str, rpm: str, why: str) -> None:
    (problem,) = problems({BASEOS: {X86: {srpm: {rpm: row()}}}})
    assert problem.message.endswith(why)


def test_a_name_of_two_lines_does_not_stand_in_for_a_wrong_one() -> None:
    two_lines = "a-0:1-1.x86_64\nb-0:1-1.x86_64"
    assert len(problems({BASEOS: {X86: {SRPM: {two_lines: row(), "": row()}}}})) == 2


def test_a_source_package_that_is_no_nevra_is_refused() -> None:
    (problem,) = problems({BASEOS: {X86: {"bash": rows("bash-0:5.2.26-6.el10.x86_64")}}})
    assert problem.message == "'bash' is not of the form name-epoch:version-release.arch"


def test_a_source_package_with_a_strange_name_is_refused() -> None:
    (problem,) = problems({BASEOS: {X86: {"b sh-0:5.2.26-6.el10.src": {}}}})
    assert problem.code == "nevra-invalid"


def test_a_debug_package_with_a_strange_name_is_refused() -> None:
    (problem,) = problems({BASEOS: {X86: {SRPM: {"b sh-debuginfo-0:5.2.26-6.el10.x86_64": row("debug")}}}})
    assert problem.code == "nevra-invalid"


def test_a_source_package_of_a_binary_arch_is_refused() -> None:
    (problem,) = problems({BASEOS: {X86: {"bash-0:5.2.26-6.el10.x86_64": {}}}})
    assert problem.message == "bash-0:5.2.26-6.el10.x86_64 is not a source package"


def test_an_unknown_category_is_refused() -> None:
    (problem,) = problems({BASEOS: {X86: {SRPM: {SRPM: row("kernel")}}}})
    assert problem.message == f"{SRPM} has an unknown category"


def test_only_the_package_that_is_wrong_is_refused() -> None:
    good = "dash-0:0.5-1.el10.src"
    (problem,) = problems({BASEOS: {X86: {good: rows(good), SRPM: {SRPM: row("kernel")}}}})
    assert problem.pointer == f"/payload/rpms/BaseOS/x86_64/{SRPM}"


@pytest.mark.parametrize("wrong", [{}, {"sigkey": None}, {"category": "binary"}, [], "row", None, 7])
def test_a_row_without_its_fields_is_refused(wrong: object) -> None:
    (problem,) = problems({BASEOS: {X86: {SRPM: cast("Rows", {SRPM: wrong})}}})
    assert (problem.code, problem.pointer) == ("metadata-invalid", f"/payload/rpms/BaseOS/x86_64/{SRPM}")


def test_a_table_that_is_wrong_throughout_is_not_listed_throughout() -> None:
    assert len(problems({BASEOS: {X86: {SRPM: {f"bash{number}": row() for number in range(99)}}}})) == 20


def test_the_manifest_of_an_example_has_these_bytes() -> None:
    image = Image(
        variant=BASEOS,
        arch=X86,
        path="BaseOS/x86_64/iso/boot.iso",
        type="boot",
        format="iso",
        subvariant="BaseOS",
        size=7,
        sha256=None,
    )
    rpms: Table = {BASEOS: {X86: {SRPM: rows(SRPM, "bash-0:5.2.26-6.el10.x86_64", sigkey="")}}}
    assert Manifest.from_compose(compose(rpms, (image,))).to_bytes().decode() == (
        "{\n"
        '"schema":"manifest/1",\n'
        '"compose":{"id":"CentOS-Stream-10-20261120.0","date":"2026-11-20","type":"production","respin":0,'
        '"label":null,"status":"FINISHED"},\n'
        '"release":{"short":"CentOS-Stream","version":"10","name":"CentOS Stream"},\n'
        '"location":"https://composes.example/CentOS-Stream-10-20261120.0",\n'
        '"variants":{"BaseOS":["x86_64"]},\n'
        f'"metadata":{{"rpms.json":"{"0" * 64}"}},\n'
        '"images":[\n'
        '{"variant":"BaseOS","arch":"x86_64","path":"BaseOS/x86_64/iso/boot.iso","type":"boot","format":"iso",'
        '"subvariant":"BaseOS","size":7,"sha256":null}\n'
        "],\n"
        '"packages":[\n'
        '{"nvr":"bash-5.2.26-6.el10","unsigned":2,'
        '"rpms":[{"variant":"BaseOS","arches":["x86_64"],"names":["bash"]}]}\n'
        "]\n"
        "}\n"
    )


def test_what_cannot_be_read_is_null_in_the_manifest_of_a_published_compose() -> None:
    why = Problem(path="https://a/rpms.json", code=Code.METADATA_TRUNCATED, message="the file\nends", fix="wait")
    made = Manifest.of_unreadable(
        ComposeId.parse("CentOS-Stream-10-20261120.0"), why, location="https://a", status=None, metadata={"a": None}
    )
    data = json.loads(made.to_bytes())
    assert data["unreadable"] == {"code": "metadata-truncated", "message": "https://a/rpms.json: the file ends"}
    assert [data[name] for name in ("variants", "images", "packages")] == [None] * 3
    assert (data["compose"]["status"], Manifest.from_dict(data)) == (None, made)


def test_a_manifest_without_rows_is_json() -> None:
    assert json.loads(Manifest.from_compose(compose({})).to_bytes())["packages"] == []


@given(strategies.manifests)
def test_a_manifest_survives_its_bytes(manifest: Manifest) -> None:
    assert Manifest.from_dict(json.loads(manifest.to_bytes())).to_dict() == manifest.to_dict()


@given(strategies.manifests)
def test_bytes_and_dict_say_the_same(manifest: Manifest) -> None:
    assert json.loads(manifest.to_bytes()) == manifest.to_dict()


ARCHES = st.sampled_from(["x86_64", "aarch64", "i686", "noarch"])
NAMES = st.sampled_from(["a", "a-libs", "b", "c-devel"])
TREES = st.dictionaries(
    st.sampled_from(["x86_64", "aarch64", "s390x"]),
    st.dictionaries(
        st.sampled_from(["a-0:1-1.src", "a-1:1-1.src", "b-0:2-1.src", "b-0:2-1.nosrc"]),
        st.dictionaries(
            st.builds("{}-0:{}-1.{}".format, NAMES, st.sampled_from("12"), ARCHES),
            st.builds(row, st.sampled_from(["binary", "debug", "source"]), st.sampled_from([None, "5a3e9c10"])),
            max_size=6,
        ),
        max_size=4,
    ),
    max_size=3,
)
TABLES = st.dictionaries(st.sampled_from(["BaseOS", "AppStream", "CRB"]), TREES, max_size=3)


def shuffled(value: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """Put the keys of objects within objects in another order."""
    items = [(key, shuffled(child, dice) if isinstance(child, dict) else child) for key, child in value.items()]
    dice.shuffle(items)
    return dict(items)


@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rpms: Table, dice: random.Random) -> None:
    assert (
        Manifest.from_compose(compose(shuffled(rpms, dice))).to_bytes()
        == Manifest.from_compose(compose(rpms)).to_bytes()
    )


@given(TABLES)
def test_every_binary_package_is_in_the_manifest_and_nothing_else(rpms: Table) -> None:
    expected = {
        (srpm.rpartition(".")[0], variant, tree, "" if arch in {tree, "noarch"} else arch, name.rsplit("-", 2)[0])
        for variant, trees in rpms.items()
        for tree, srpms in trees.items()
        for srpm, its_rows in srpms.items()
        for nevra, its_row in its_rows.items()
        for name, _, arch in [nevra.rpartition(".")]
        if its_row["category"] == "binary"
    }
    assert expected == {
        (
            f"{package.name}-{package.epoch}:{package.version}-{package.release}",
            group.variant,
            tree,
            group.rpm_arch or "",
            name,
        )
        for package in packages(rpms)
        for group in package.rpms
        for tree in group.arches
        for name in group.names
    }


@given(TABLES)
def test_every_unsigned_row_counts(rpms: Table) -> None:
    unsigned = sum(
        not its_row["sigkey"]
        for trees in rpms.values()
        for srpms in trees.values()
        for its_rows in srpms.values()
        for its_row in its_rows.values()
    )
    assert sum(package.unsigned for package in packages(rpms)) == unsigned


def test_arches_of_all_variants_come_together() -> None:
    manifest = Manifest.from_compose(compose({BASEOS: {X86: {}}, APPSTREAM: {ARM: {}, X86: {}}}))
    assert manifest.arches == (ARM, X86)
