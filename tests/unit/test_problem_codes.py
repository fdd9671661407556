"""Codes are stable and documented: every code in the source is in the registry, and the table is the registry."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from compose_repo.core.problems.codes import CODES, GROUPS, as_markdown

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+|schema")
SOURCES: Final = [path for path in (ROOT / "scripts" / "compose_repo").rglob("*.py") if path.name != "codes.py"]
MAKERS: Final = frozenset({"Problem", "problem", "problem_at", "_problem", "_failure", "failure", "_refusal"})


def emitted() -> Iterator[str]:
    """Find the code among the arguments of whatever makes a problem."""
    for file in SOURCES:
        for call in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(call, ast.Call) and name_of(call.func) in MAKERS:
                values = [*call.args, *(keyword.value for keyword in call.keywords)]
                for value in values:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
                        yield value.value


def written_out() -> Iterator[str]:
    """Give every text that could be a code, wherever it stands but in the registry."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from CODE.findall(node.value)


def put_together() -> Iterator[str]:
    """Find problems whose code is not written out: nobody could look for it."""
    for file in SOURCES:
        for call in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(call, ast.Call) and name_of(call.func) in MAKERS:
                for keyword in call.keywords:
                    if keyword.arg == "code" and not isinstance(keyword.value, ast.Constant | ast.Name | ast.Attribute):
                        yield f"{file.name}:{call.lineno}"


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_emitted_code_is_in_the_registry() -> None:
    assert set(emitted()) - set(CODES) == set()


def test_every_code_in_the_registry_is_emitted() -> None:
    assert set(CODES) - set(written_out()) == set()


def test_every_code_is_written_out() -> None:
    assert list(put_together()) == []


def test_no_code_is_in_two_groups() -> None:
    assert len(CODES) == sum(map(len, GROUPS.values()))


def test_the_table_of_codes_is_current() -> None:
    # Write it anew: python -c "from compose_repo.core.problems.codes import as_markdown as m; print(m(), end='')"
    assert (ROOT / "docs" / "problems.md").read_text() == as_markdown()
