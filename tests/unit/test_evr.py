"""RPM's version order, against the cases that rpm itself publishes (its tests/rpmvercmp.at)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.manifests.evr import evr_key, version_key

SAME = [
    "1.0 = 1.0",
    "2.0.1 = 2.0.1",
    "2.0.1a = 2.0.1a",
    "5.5p1 = 5.5p1",
    "5.5p10 = 5.5p10",
    "xyz10 = xyz10",
    "xyz.4 = xyz.4",
    "1.0aa = 1.0aa",
    "10.0001 = 10.0001",
    "10.0001 = 10.1",
    "20101121 = 20101121",
    "2_0 = 2_0",
    "2.0 = 2_0",
    "a = a",
    "a+ = a+",
    "a+ = a_",
    "+a = +a",
    "+a = _a",
    "+_ = +_",
    "_+ = +_",
    "_+ = _+",
    "+ = _",
    "1.0~rc1 = 1.0~rc1",
    "1.0~rc1~git123 = 1.0~rc1~git123",
    "1.0^ = 1.0^",
    "1.0^git1 = 1.0^git1",
    "1.0^20160101 = 1.0^20160101",
    "1.0^20160101^git1 = 1.0^20160101^git1",
    "1.0~rc1^git1 = 1.0~rc1^git1",
    "1.0^git1~pre = 1.0^git1~pre",
    "1b.fc17 = 1b.fc17",
    "1g.fc17 = 1g.fc17",
    "1.1.δ = 1.1.δ",
    "1.1.δ = 1.1.β",
    "1.1.δδ = 1.1.δ",
    "1.1.δ = 1.1.ββ",
    "1.1.ββ = 1.1.δδ",
]
OLDER = [
    "1.0 < 2.0",
    "2.0 < 2.0.1",
    "2.0.1 < 2.0.1a",
    "5.5p1 < 5.5p2",
    "5.5p1 < 5.5p10",
    "10xyz < 10.1xyz",
    "xyz10 < xyz10.1",
    "xyz.4 < 8",
    "xyz.4 < 2",
    "5.5p2 < 5.6p1",
    "5.6p1 < 6.5p1",
    "6.0 < 6.0.rc1",
    "10a1 < 10b2",
    "10a2 < 10b2",
    "1.0a < 1.0aa",
    "10.0001 < 10.0039",
    "4.999.9 < 5.0",
    "20101121 < 20101122",
    "1.0~rc1 < 1.0",
    "1.0~rc1 < 1.0~rc2",
    "1.0~rc1~git123 < 1.0~rc1",
    "1.0 < 1.0^",
    "1.0 < 1.0^git1",
    "1.0^git1 < 1.0^git2",
    "1.0^git1 < 1.01",
    "1.0^20160101 < 1.0.1",
    "1.0^20160101^git1 < 1.0^20160102",
    "1.0~rc1 < 1.0~rc1^git1",
    "1.0^git1~pre < 1.0^git1",
    "1b.fc17 < 1.fc17",
    "1.fc17 < 1g.fc17",
]


@pytest.mark.parametrize("case", SAME)
def test_rpm_finds_no_difference(case: str) -> None:
    left, right = case.split(" = ")
    assert version_key(left) == version_key(right)


@pytest.mark.parametrize("case", OLDER)
def test_rpm_finds_the_left_one_older(case: str) -> None:
    left, right = case.split(" < ")
    assert version_key(left) < version_key(right)


def test_epochs_are_numbers_and_come_first() -> None:
    assert evr_key(9, "2.0", "1") < evr_key(10, "1.0", "1")


def test_the_release_decides_between_equal_versions() -> None:
    assert evr_key(0, "1.0", "9.el10") < evr_key(0, "1.0", "10.el10")


def test_a_number_may_be_longer_than_python_reads() -> None:
    assert version_key("1" * 5000) < version_key("2" * 5000)


versions = st.text(alphabet="0012abZ.~^_+é", max_size=8)


@given(version=versions, rest=versions)
def test_a_tilde_makes_any_version_older(version: str, rest: str) -> None:
    assert version_key(f"{version}~{rest}") < version_key(version)


@given(version=versions, rest=versions)
def test_a_caret_makes_any_version_newer_but_not_as_new_as_another_number(version: str, rest: str) -> None:
    assert version_key(version) < version_key(f"{version}^{rest}") < version_key(f"{version}.0")


@given(version=versions, release=versions)
def test_separators_around_a_text_never_count(version: str, release: str) -> None:
    assert evr_key(0, f".{version}_", release) == evr_key(0, version, f"{release}é")


@given(number=st.integers(min_value=0), zeros=st.text(alphabet="0"))
def test_leading_zeros_never_count(number: int, zeros: str) -> None:
    assert version_key(f"{zeros}{number}") == version_key(str(number))


@given(left=st.integers(min_value=0), right=st.integers(min_value=0))
def test_numbers_sort_as_numbers(left: int, right: int) -> None:
    assert (version_key(f"a{left}") < version_key(f"a{right}")) == (left < right)
