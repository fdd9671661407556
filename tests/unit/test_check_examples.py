"""The example folders again, without a process for each: everything is told, word by word."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Final

import pytest

from compose_repo.core.problems.report import as_advice_line, as_line
from compose_repo.ports.tree import WorkingTree
from compose_repo.reading.inspection import inspect_all

EXAMPLES: Final = Path(__file__).resolve().parents[1] / "examples"
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def found(example: Path, root: Path) -> list[str]:
    for layer in (EXAMPLES / "base", example):
        shutil.copytree(layer, root, dirs_exist_ok=True, symlinks=True)
    removed = root / "remove.txt"
    for name in removed.read_text("utf-8").split() if removed.exists() else ():
        (root / name).unlink()
    tree = WorkingTree(root)
    entries = [entry for folder in ("composes", "gate") for entry in tree.list(folder)]
    inspection = inspect_all(tree, entries, NOW)
    problems, advice = sorted(set(inspection.problems)), sorted(inspection.advice)
    return [*map(as_line, problems), *map(as_advice_line, advice)]


SHOWN: Final = [*sorted((EXAMPLES / "invalid").iterdir()), *sorted((EXAMPLES / "advice").iterdir())]


@pytest.mark.parametrize("example", SHOWN, ids=lambda folder: folder.name)
def test_each_problem_and_each_piece_of_advice_is_told_word_by_word(example: Path, tmp_path: Path) -> None:
    told = (example / "expected.txt").read_text("utf-8").splitlines()[:-1]
    names = " differs only in case from "  # of files, only `validate` as a whole looks for that
    assert found(example, tmp_path) == [line for line in told if names not in line or line.startswith("gate/")]


@pytest.mark.parametrize("example", sorted((EXAMPLES / "valid").iterdir()), ids=lambda folder: folder.name)
def test_nothing_is_found_where_nothing_is_wrong(example: Path, tmp_path: Path) -> None:
    assert found(example, tmp_path) == []
