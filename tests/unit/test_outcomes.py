"""What an outcome means stands in one table; schemas and pages for people name the outcomes of that table."""

import ast
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from strategies import schema

from compose_repo.core.result import (
    ACCEPTABLE,
    ACCEPTED,
    CONCLUSIVE,
    IN_PROGRESS,
    NOT_RUN,
    OUTCOMES,
    WORST_FIRST,
    Outcome,
)
from compose_repo.core.rules.policy import Requirement

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "scripts" / "compose_repo"
OWN_WORDS: Final = {Outcome.NEEDS_INSPECTION, Outcome.NOT_APPLICABLE}
"""Outcomes that are no ordinary words, nor those of a state, a pipeline or a message."""


def listed(value: object) -> list[list[Any]]:
    """Give each enum of a schema that names outcomes which nothing else is called."""
    if isinstance(value, list):
        return [found for part in value for found in listed(part)]
    if not isinstance(value, dict):
        return []
    own = [value["enum"]] if OWN_WORDS & set(map(str, value.get("enum", ()))) else []
    return own + [found for name, part in value.items() if name != "enum" for found in listed(part)]


def test_the_table_has_every_outcome() -> None:
    assert set(OUTCOMES) == set(Outcome)


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_a_schema_that_lists_outcomes_lists_those_of_the_table(path: Path) -> None:
    known = {frozenset(Outcome), frozenset(ACCEPTABLE), CONCLUSIVE | {Outcome.ERROR}}
    assert [words for words in listed(json.loads(path.read_text("utf-8"))) if frozenset(words) not in known] == []


def test_the_schema_of_the_policy_has_the_defaults_of_the_table() -> None:
    accept = schema("policy")["$defs"]["requirement"]["properties"]["accept"]
    assert set(accept["default"]) == ACCEPTED
    assert Requirement.from_dict({"origin": "a", "testcase": "b", "why": "c"}).accept == ACCEPTED


def test_the_words_of_a_kind_are_in_no_other() -> None:
    kinds = (IN_PROGRESS, NOT_RUN, {Outcome.ERROR}, CONCLUSIVE)
    assert sorted(word for kind in kinds for word in kind) == sorted(Outcome)


def test_a_failure_hides_every_other_outcome_of_its_run_and_a_skip_none() -> None:
    assert sorted(WORST_FIRST) == sorted(Outcome)
    assert WORST_FIRST == (
        Outcome.FAILED,
        Outcome.NEEDS_INSPECTION,
        Outcome.ERROR,
        Outcome.INFO,
        Outcome.PASSED,
        Outcome.SKIPPED,
        Outcome.NOT_APPLICABLE,
        Outcome.RUNNING,
        Outcome.QUEUED,
    )


def test_no_other_module_spells_an_outcome() -> None:
    spelled = {
        f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "core" / "result.py"
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Constant) and node.value in OWN_WORDS
    }
    assert spelled == set()


PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "templates").glob("*.j2"))]
LISTS: Final = {
    f"{path.name}:{match.start()}": re.findall("`([a-z_]+)`", match[0])
    for path in PAGES
    for match in re.finditer(r"Outcomes: (?:`[a-z_]+`,? ?)+", path.read_text("utf-8"))
}


def test_the_page_for_third_parties_lists_outcomes() -> None:
    assert any(name.startswith("how_to_report.md.j2") for name in LISTS)


@pytest.mark.parametrize("words", LISTS.values(), ids=LISTS.keys())
def test_a_page_that_lists_outcomes_lists_them_all(words: list[str]) -> None:
    assert words == [str(outcome) for outcome in Outcome]
