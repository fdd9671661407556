"""Codes are stable and documented: each is a member of one enum, and the table of laws says what it means."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.laws import CODES, GROUPS, as_markdown
from compose_repo.core.problems.problem import Problem

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "scripts" / "compose_repo"
ELSEWHERE: Final = {
    "schema": "a key of our documents",
    "waiver-expired": "a rule of the hardened state, too",
    "hold-ends-soon": "a rule of the hardened state, too",
}
"""Texts that are codes by chance."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Give each module but the two that name every code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name not in {"codes.py", "laws.py"}:
            yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_bytes())


def spelled(tree: ast.AST) -> Iterator[str]:
    """Give each text that is a code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in set(Code):
            yield str(node.value)


def test_codes_are_members_and_never_texts() -> None:
    found = {module: set(spelled(tree)) - set(ELSEWHERE) for module, tree in sources()}
    assert {module: codes for module, codes in found.items() if codes} == {}


@pytest.mark.parametrize("source", ['problem.code == "source-too-large"', 'x = {"no-docs"}', 'f(code="not-json")'])
def test_a_code_that_is_spelled_out_is_noticed(source: str) -> None:
    assert list(spelled(ast.parse(source))) != []


def test_every_code_is_used() -> None:
    used = {
        node.attr
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Code"
    }
    assert used == set(Code.__members__)


def test_every_code_is_documented_in_the_order_of_the_enum() -> None:
    assert list(CODES) == list(Code)


def test_a_member_is_named_by_its_value() -> None:
    assert [member.name for member in Code] == [member.value.replace("-", "_").upper() for member in Code]


def test_reports_carry_the_plain_text() -> None:
    code = Problem(path="a", code=Code.NOT_JSON, message="m", fix="f").to_dict()["code"]
    assert (type(code), json.dumps(code)) == (str, '"not-json"')


def test_no_code_is_in_two_groups() -> None:
    assert len(CODES) == sum(map(len, GROUPS.values()))


def test_the_table_of_codes_is_current() -> None:
    # Write it anew: python -c "from compose_repo.core.problems.laws import as_markdown as m; print(m(), end='')"
    assert (ROOT / "docs" / "problems.md").read_text() == as_markdown()
