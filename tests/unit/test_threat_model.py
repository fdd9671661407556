"""docs/threat-model.md is kept true: what it names is there, and what is played is in its table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compose_repo.core.hardening import RULES
from compose_repo.core.problems.laws import CODES

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "scripts" / "compose_repo"
ATTACKS: Final = ROOT / "tests" / "attacks"
PAGES: Final = ("docs/threat-model.md", "docs/architecture.md", "SECURITY.md")
TEXTS: Final = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
MODEL: Final = TEXTS["docs/threat-model.md"]
WORD: Final = re.compile(r"`([^`\n]+)`")
PATH: Final = re.compile(
    r"(?P<path>[\w.-]*[\w/-]+(?:/|/[\w-]+|\.(?:py|md|yml|toml)))(?:: (?P<names>\w+(?:\.\w+)?(?:, \w+(?:\.\w+)?)*))?"
)
CODE: Final = re.compile(r"[a-z]+(?:-[a-z]+)+")
PROGRAM: Final = "compose-repo"
NO_CODES: Final = {"decision/2", "compose/*", "compose/ID"}
"""What looks like a path and is none."""


def scenarios(text: str) -> set[str]:
    """Give the scenarios in the last column of the table of attacks."""
    table = text.partition("\n## Attacks\n")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| attack ")]
    return {word for row in rows for word in WORD.findall(row.split("|")[4]) if "/" not in word}


def named(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give each path that a text names, with the names that it says are in it."""
    for word in WORD.findall(text):
        found = PATH.fullmatch(word)
        if found is not None and word not in NO_CODES and ("/" in word or "." in word):
            yield found["path"], tuple(filter(None, (found["names"] or "").split(", ")))


def place(path: str) -> Path | None:
    """Find a path from the root, or from the package."""
    return next((base / path for base in (ROOT, PACKAGE) if (base / path).exists()), None)


def defined(file: Path) -> set[str]:
    """Give what a module defines: functions, classes and their methods, constants."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def lies(text: str) -> Iterator[str]:
    """Say what a text names that is not there."""
    codes = {*CODES, *(rule.code for rule in RULES)}
    for path, names in named(text):
        file = place(path)
        if file is None:
            yield path
        elif names:
            yield from (f"{path}: {name}" for name in names if name not in defined(file))
    yield from (word for word in WORD.findall(text) if CODE.fullmatch(word) and word not in {*codes, PROGRAM})


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_function_and_code_that_is_named_is_there(name: str) -> None:
    assert list(lies(TEXTS[name])) == []


@pytest.mark.parametrize(
    "word",
    ["core/nothing.py", "core/branch/history.py: nothing", "core/branch/history.py: read_line, nothing",
     "scripts/nothing",
     "passes/world.py: World.nothing", "no-such-code", "tests/unit/nothing.py"],
)  # fmt: skip
def test_what_is_not_there_is_noticed(word: str) -> None:
    assert len(list(lies(f"It is stopped by `{word}`."))) == 1


def test_every_row_of_the_table_says_what_stops_it_and_where_it_is_played() -> None:
    table = MODEL.partition("\n## Attacks\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) > 20
    assert [row[1] for row in rows if len(row) != 6 or not row[2].strip() or not row[4].strip()] == []


def test_the_attacks_that_are_played_are_those_in_the_table() -> None:
    played = {file.parent.name for file in ATTACKS.glob("*/attack.py")}
    assert len(played) > 20
    assert sorted(played ^ scenarios(MODEL)) == []
