"""The table of reruns in docs/policy.md says what the gate does."""

import tomllib
from pathlib import Path
from typing import Final

import pytest
from gate_world import attempts, judge, only

from compose_repo.core.rules.policy import Requirement

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "policy.md"


def examples() -> list[tuple[str, str, str]]:
    """Give each row of the table: the policy's line, the outcomes, the state."""
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in PAGE.read_text("utf-8").splitlines()]
    start = rows.index(["policy", "attempts", "answer"]) + 2
    end = next(number for number in range(start, len(rows)) if len(rows[number]) == 1)
    return [(policy.strip("`"), outcomes, answer) for policy, outcomes, answer in rows[start:end]]


@pytest.mark.parametrize(("policy", "outcomes", "answer"), examples())
def test_a_row_of_reruns_is_what_the_gate_answers(policy: str, outcomes: str, answer: str) -> None:
    line = Requirement.from_dict({"origin": "rdo", "testcase": "smoke", **tomllib.loads(policy)})
    files = attempts(*outcomes.split(", "))
    found = only(judge(files, line, came={file.path: place for place, file in enumerate(files)}))
    assert found.state == answer.partition(":")[0].partition(",")[0]
    assert found.flaky or "flaky" not in answer


def test_the_table_has_a_row_for_each_way() -> None:
    assert len(examples()) >= 7
