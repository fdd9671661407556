"""What refusing a file costs: looking ends with the first problem that is not listed, and what is sound is skipped."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from compose_repo.core.composes.layout import Kind, place_of
from compose_repo.core.documents.limits import LISTED
from compose_repo.core.problems.problem import Problem, shown
from compose_repo.ports.schemas import violations
from compose_repo.ports.tree import WorkingTree
from compose_repo.reading.inspection import Inspector

BASE: Final = Path(__file__).resolve().parents[1] / "examples" / "base"
PATH: Final = "composes/CentOS-Stream-10-20261120.0/results/rdo/8841.json"
SOUND: Final[dict[str, Any]] = json.loads((BASE / PATH).read_text(encoding="utf-8"))
MOST: Final = 20_000
"""Most results that a file may have (`schemas/result.schema.json`)."""


def rows(number: int, **fields: object) -> list[dict[str, Any]]:
    return [{"testcase": f"t{index}", "outcome": "passed", "arch": "x86_64", **fields} for index in range(number)]


def problems(results: Sequence[object], **fields: object) -> Sequence[Problem]:
    place = place_of(PATH)
    assert place is not None
    raw = json.dumps({**SOUND, "results": results, **fields}, indent=0).encode()
    return Inspector(WorkingTree(BASE), dt.datetime(2026, 11, 24, tzinfo=dt.UTC)).inspect_bytes(place, raw).problems


def places(found: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in found]


def test_a_fault_far_down_is_found_in_its_place() -> None:
    results = rows(300)
    results[290]["outcome"] = "pased"
    [problem] = problems(results)
    assert (problem.code, problem.pointer) == ("wrong-value", "/results/290/outcome")
    assert problem.line == 1 + json.dumps({**SOUND, "results": results}, indent=0).split('"pased"')[0].count("\n")


def test_of_too_many_elements_none_that_has_no_place_is_looked_at() -> None:
    many = rows(MOST + 1)
    many[MOST] = {"outcome": "pased"}
    assert places(problems(many)) == [("out-of-bounds", "/results")]
    many[MOST - 1] = {**many[MOST - 1], "outcome": "pased"}
    assert places(problems(many)) == [("out-of-bounds", "/results"), ("wrong-value", f"/results/{MOST - 1}/outcome")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"outcome": "pased"}, "wrong-value"),
        ({"outcom": "passed"}, "unknown-field"),
        ({"arch": "arm"}, "unknown-arch"),
        ({"testcase": "t"}, "duplicate-cell"),
        ({"error_reason": "x"}, "stray-error-reason"),
        ({"url": "https://a@b/"}, "bad-link"),
        ({"note": "\x01"}, "control-character"),
    ],
)
def test_looking_ends_with_the_first_that_is_not_listed(fields: Mapping[str, object], code: str) -> None:
    found = problems(rows(500, **fields))
    assert [problem.code for problem in found] == [*[code] * LISTED, "more-problems"]
    assert found[-1].message == "and more problems in this file"
    assert all(problem.pointer.split("/")[2] <= "99" for problem in found)


def test_a_flood_of_one_kind_hides_no_other_law() -> None:
    found = problems(rows(500, arch="arm"), origin="idm")
    assert found[0].code == "origin-mismatch"


def test_the_few_elements_that_are_wrong_are_told_as_in_a_short_array() -> None:
    wrong: list[object] = [1, {"testcase": "t"}, {**rows(1)[0], "x": 1, "outcome": "pased"}]
    short, long = (violations(Kind.RESULT, {**SOUND, "results": [*rows(n), *wrong]}, PATH) for n in (0, 100))
    moved = [problem.pointer.split("/") for problem in long]
    assert [(problem.code, problem.message, problem.fix) for problem in long] == [
        (problem.code, problem.message, problem.fix) for problem in short
    ]
    assert ["/".join([*steps[:2], str(int(steps[2]) - 100), *steps[3:]]) for steps in moved] == [
        problem.pointer for problem in short
    ]


def test_what_is_shown_of_a_value_is_the_beginning_of_its_json() -> None:
    value = {"a": [1, "é", None, True, 1.5], "b": {"c": "x" * 200}}
    assert shown(value) == f"{json.dumps(value)[:80]}…"
    assert shown({"a": [1, "é"]}) == json.dumps({"a": [1, "é"]})
    assert shown("x") == '"x"'
