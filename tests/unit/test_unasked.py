"""Advice on results that answer no requirement, file after file, as far as a file tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from compose_repo.core.verdict import unmatched
from compose_repo.core.verdict.unasked import NAMED_AT_MOST, PLACES_AT_MOST, Unasked

STREAM = "CentOS-Stream-10"


def line(testcase: str = "tempest.smoke", **fields: object) -> dict[str, Any]:
    return {"origin": "rdo", "testcase": testcase, "why": "It boots.", **fields}


def row(testcase: str = "tempest.smoke", **fields: str) -> dict[str, Any]:
    return {"testcase": testcase, "outcome": "passed", "arch": "x86_64", **fields}


def hints(lines: Sequence[Mapping[str, Any]], *rows: Mapping[str, Any]) -> list[str]:
    return [problem.message for problem in Unasked(lines).advice("f", "rdo", STREAM, rows)]


def test_the_bounds_are_those_of_the_note() -> None:
    assert (NAMED_AT_MOST, PLACES_AT_MOST) == (unmatched.NAMED_AT_MOST, unmatched.PLACES_AT_MOST)


def test_a_name_close_to_one_that_is_required_and_not_there_is_named_in_its_place() -> None:
    rows = [row("other"), row("tempest.smok", variant="AppStream", scenario="devstack")]
    [problem] = Unasked([line()]).advice("f", "rdo", STREAM, rows)
    assert (problem.code, problem.path, problem.pointer) == ("answers-no-requirement", "f", "/results/1")
    assert problem.message == (
        "tempest.smok on x86_64 AppStream (devstack) answers no requirement of rdo; did you mean tempest.smoke?"
    )


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        ([], [row("tempest.smok")]),
        ([line()], [row("something.else")]),
        ([line()], [row(), row("tempest.smok")]),
        ([line(origin="idm")], [row("tempest.smok")]),
        ([line(streams=["CentOS-Stream-9"])], [row("tempest.smok")]),
        ([line(streams=[STREAM], arches="any", variants="any", scenario="any")], [row()]),
        ([line(arches=["aarch64"]), line(arches=["x86_64"])], [row()]),
        ([line(variants="all")], [row(variant="AppStream")]),
        ([line(variants=["AppStream"], scenario="uefi")], [row(variant="AppStream", scenario="uefi")]),
        ([line(scenario=["bios", "uefi"])], [row(scenario="uefi")]),
    ],
)
def test_of_what_answers_a_requirement_or_comes_close_to_none_nothing_is_said(
    lines: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> None:
    assert hints(lines, *rows) == []


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"arches": ["aarch64"]}, "on aarch64"),
        ({"arches": ["aarch64", "s390x"], "variants": ["BaseOS"]}, "on aarch64 or s390x BaseOS"),
        ({"variants": "all"}, "on each arch each variant"),
        ({"arches": "any", "scenario": "uefi"}, "on any arch (uefi)"),
        ({"scenario": ["bios", "uefi"]}, "on each arch (bios or uefi)"),
    ],
)
def test_the_right_test_in_the_wrong_place_is_named(asked: Mapping[str, Any], where: str) -> None:
    assert hints([line(**asked)], row()) == [
        f"tempest.smoke on x86_64 answers no requirement of rdo; it is required {where}"
    ]


def test_not_too_many_places_are_named() -> None:
    lines = [line(arches=[arch]) for arch in ("aarch64", "ppc64le", "s390x", "riscv64")]
    assert hints(lines, row())[0].endswith("; it is required on aarch64, on ppc64le, on s390x")


def test_no_more_are_named_in_a_run_than_in_a_note() -> None:
    unasked = Unasked([line(arches=["aarch64"])])
    found = [list(unasked.advice(f"{number}", "rdo", STREAM, [row()] * 15)) for number in range(3)]
    assert [len(rows) for rows in found] == [15, 5, 0]


def test_no_more_pairs_are_compared_in_a_run_than_for_a_note() -> None:
    unasked = Unasked([line()])
    many = [row(f"a{number:04}") for number in range(unmatched.COMPARED_AT_MOST)]
    assert list(unasked.advice("f", "rdo", STREAM, many)) == []
    assert list(unasked.advice("g", "rdo", STREAM, [row("tempest.smok")])) == []


def test_a_name_is_compared_once_for_all_its_cells() -> None:
    rows = [row("tempest.smok", arch=arch) for arch in ("aarch64", "x86_64")]
    assert len(hints([line()], *rows)) == 2
