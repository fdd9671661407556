"""Results that answer no requirement: what is close to a missing one is named, the rest is counted."""

import datetime as dt

import pytest
from gate_world import APPSTREAM, ARM, BASEOS, TWO_ARCHES, X86, judge, requirement, result, run

from compose_repo.core.names import Arch, Origin, Scenario, Testcase
from compose_repo.core.verdict.decision import Unmatched
from compose_repo.core.verdict.unmatched import COMPARED_AT_MOST, NAMED_AT_MOST, Budget, Reported

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
        (requirement(arches=(X86,)), result("passed", ARM), "smoke on aarch64; it is required on x86_64"),
        (
            requirement(variants=(BASEOS,)),
            result("passed", X86, "AppStream"),
            "smoke on x86_64 AppStream; it is required on x86_64 BaseOS",
        ),
        (
            requirement(scenarios=(Scenario("uefi"),)),
            result("passed", scenario="bios"),
            "smoke on x86_64 (bios); it is required on x86_64 (uefi)",
        ),
        (
            requirement(arches="any", variants=(APPSTREAM,)),
            result("passed", X86, "BaseOS"),
            "smoke on x86_64 BaseOS; it is required on AppStream",
        ),
        (
            requirement(arches="any", scenarios=(Scenario("uefi"),)),
            result("passed", X86),
            "smoke on x86_64; it is required on any arch (uefi)",
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
    unasked = [reported(f"a{number:04}") for number in range(COMPARED_AT_MOST)] + [reported("smok")]
    decision = judge([], unasked=unasked)
    assert decision.unmatched == (Unmatched(origin=RDO, others=COMPARED_AT_MOST + 1),)
    assert judge([], unasked=unasked[1:]).unmatched[0].named == ("smok on x86_64; did you mean smoke?",)


@pytest.mark.parametrize(("pairs", "nearest"), [(1, None), (2, "smoke")])
def test_no_more_pairs_are_compared_than_there_is_budget_for(pairs: int, nearest: str | None) -> None:
    assert Budget(pairs).nearest("smok", ["other", "smoke"]) == nearest


def test_the_budget_is_spent_once_for_all_origins() -> None:
    budget = Budget(3)
    assert [budget.nearest("smok", ["other", "smoke"]) for _ in range(2)] == ["smoke", None]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("abcdefgh", "abcdefgh"),
        ("abcdefgX", "abcdefgh"),
        ("abcdXXgh", None),
        ("x" * 64 + "abc", "x" * 64 + "def"),
        ("y" * 80, None),
    ],
)
def test_names_are_close_from_some_ratio_on_as_far_as_they_are_compared(name: str, nearest: str | None) -> None:
    assert Budget(10).nearest(name, ["abcdefgh", "x" * 64 + "def"]) == nearest


def test_of_two_that_are_close_the_closest_is_meant() -> None:
    assert Budget(10).nearest("tempest.smoke", ["tempest.smoky", "tempest.smokes", "tempest.smok"]) == "tempest.smokes"


def test_of_two_that_are_equally_close_the_first_is_meant() -> None:
    assert Budget(10).nearest("smok", ["smoka", "smokb"]) == "smoka"


@pytest.mark.parametrize("name", ["abcdX", "abced"])
def test_names_that_are_just_not_close_are_not_meant(name: str) -> None:
    assert Budget(10).nearest(name, ["abcde"]) is None


def test_not_too_many_places_are_named_and_in_their_order() -> None:
    arches = tuple(map(Arch, ("aarch64", "ppc64le", "s390x", "x86_64")))
    line = requirement(arches=arches)
    hint = "smoke on riscv64; it is required on aarch64, on ppc64le, on s390x"
    assert judge([run(result("passed", Arch("riscv64")))], line).unmatched[0].named == (hint,)


def test_named_results_are_sorted_though_some_name_no_scenario() -> None:
    files = [run(result("passed", ARM, scenario="A"), result("passed", ARM), result("passed", ARM, "BaseOS"))]
    named = judge(files, requirement(arches=(X86,))).unmatched[0].named
    assert [hint.partition(";")[0] for hint in named] == [
        "smoke on aarch64",
        "smoke on aarch64 BaseOS",
        "smoke on aarch64 (A)",
    ]


@pytest.mark.parametrize(("length", "said"), [(498, 1024), (499, 1024)])
def test_what_is_said_of_one_result_is_bounded(length: int, said: int) -> None:
    unasked = [reported("t" * length + "s", "aarch64")]
    [row] = judge([], requirement(testcase="t" * length), unasked=unasked).unmatched
    assert (len(row.named[0]), row.named[0][-1] == "…") == (said, length > 498)


def test_a_name_is_compared_once_for_all_its_cells() -> None:
    unasked = [reported("smok", "aarch64"), reported("smok", "x86_64")]
    assert judge([], unasked=unasked).unmatched[0].named == (
        "smok on aarch64; did you mean smoke?",
        "smok on x86_64; did you mean smoke?",
    )
