"""Results that answer no requirement: what is close to a missing one is named, the rest is counted."""

import datetime as dt

import pytest
from gate_world import APPSTREAM, ARM, BASEOS, TWO_ARCHES, X86, judge, requirement, result, run

from compose_repo.core.decision import Unmatched
from compose_repo.core.names import Arch, Origin, Scenario, Testcase
from compose_repo.core.unmatched import NAMED_AT_MOST, Reported

RDO, IDM = Origin("rdo"), Origin("idm")


def reported(testcase: str, arch: str = "x86_64", *, origin: Origin = RDO) -> Reported:
    return Reported(origin, Testcase(testcase), None, Arch(arch), None)


def test_a_name_close_to_a_missing_one_is_named() -> None:
    decision = judge([], requirement(testcase="tempest.smoke"), unasked=[reported("tempest.smok")])
    hint = "tempest.smok on x86_64; did you mean tempest.smoke?"
    assert decision.unmatched == (Unmatched(origin=RDO, named=(hint,)),)


def test_a_name_close_to_one_that_is_overdue_is_named_too() -> None:
    late = requirement(testcase="tempest.smoke", deadline=dt.timedelta(hours=1))
    decision = judge([], late, unasked=[reported("Tempest.smoke")], age=2)
    assert decision.unmatched[0].named == ("Tempest.smoke on x86_64; did you mean tempest.smoke?",)


@pytest.mark.parametrize("testcase", ["freeipa.install", "x"])
def test_a_name_that_is_not_close_is_counted(testcase: str) -> None:
    decision = judge([], requirement(testcase="tempest.smoke"), unasked=[reported(testcase)])
    assert decision.unmatched == (Unmatched(origin=RDO, others=1),)


def test_of_an_origin_that_nobody_waits_for_results_are_counted() -> None:
    decision = judge([run(result("passed"))], unasked=[reported("smok"), reported("smok", "aarch64")])
    assert decision.unmatched == (Unmatched(origin=RDO, others=2),)


@pytest.mark.parametrize(
    ("line", "there", "hint"),
    [
        (requirement(arches=(X86,)), result("passed", ARM), "smoke on aarch64; it is asked for on x86_64"),
        (
            requirement(variants=(BASEOS,)),
            result("passed", X86, "AppStream"),
            "smoke on x86_64 AppStream; it is asked for on x86_64 BaseOS",
        ),
        (
            requirement(scenarios=(Scenario("uefi"),)),
            result("passed", scenario="bios"),
            "smoke on x86_64 (bios); it is asked for on x86_64 (uefi)",
        ),
        (
            requirement(arches="any", variants=(APPSTREAM,)),
            result("passed", X86, "BaseOS"),
            "smoke on x86_64 BaseOS; it is asked for on AppStream",
        ),
        (
            requirement(arches="any", scenarios=(Scenario("uefi"),)),
            result("passed", X86),
            "smoke on x86_64; it is asked for on any arch (uefi)",
        ),
    ],
)
def test_the_right_test_in_the_wrong_place_is_named(line: object, there: object, hint: str) -> None:
    decision = judge([run(there)], line)  # type: ignore[arg-type]  # built by the table
    assert decision.unmatched == (Unmatched(origin=RDO, named=(hint,)),)


def test_a_result_beside_what_is_asked_is_counted_where_all_is_there() -> None:
    decision = judge(
        [run(result("passed", ARM), result("passed", X86))], requirement(arches=(X86,)), variants=TWO_ARCHES
    )
    assert decision.unmatched == (Unmatched(origin=RDO, others=1),)


def test_what_answers_a_requirement_is_not_listed() -> None:
    assert judge([run(result("passed"))]).unmatched == ()


def test_not_too_many_are_named_over_all_origins() -> None:
    lines = (requirement(testcase="test-000"), requirement("idm", "test-000"))
    unasked = [
        reported(f"test-00{chr(96 + number)}", origin=origin) for number in range(1, 16) for origin in (RDO, IDM)
    ]
    decision = judge([], *lines, unasked=unasked)
    assert [(row.origin, len(row.named), row.others) for row in decision.unmatched] == [
        (IDM, 15, 0),
        (RDO, NAMED_AT_MOST - 15, 10),
    ]


def test_a_flood_of_names_is_not_compared_to_the_end() -> None:
    unasked = [reported(f"a{number:04}") for number in range(1000)] + [reported("smok")]
    decision = judge([], unasked=unasked)
    assert decision.unmatched == (Unmatched(origin=RDO, others=1001),)


def test_a_name_is_compared_once_for_all_its_cells() -> None:
    decision = judge([], unasked=[reported("smok", "aarch64"), reported("smok", "x86_64")])
    assert decision.unmatched[0].named == (
        "smok on aarch64; did you mean smoke?",
        "smok on x86_64; did you mean smoke?",
    )
