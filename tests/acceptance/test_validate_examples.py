"""Every example folder is a test: what is valid passes, what is not is told exactly as written down."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

import door
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.laws import AGEING, GATE, MANIFESTS, PLACES, READING, RESULTS, SCHEMAS

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLES: Final = ROOT / "tests" / "examples"
NOW: Final = "2026-11-21T00:00:00Z"
WITHOUT_EXAMPLE: Final = {
    "file-too-large": "eight megabytes are made by a test",
    "removed-file": "needs two commits",
    "schema": "the two validators agree",
}


def folders(kind: str) -> list[Path]:
    return sorted((EXAMPLES / kind).iterdir())


def overlaid(example: Path, root: Path) -> Path:
    for layer in (EXAMPLES / "base", example):
        shutil.copytree(layer, root, dirs_exist_ok=True, symlinks=True)
    removed = root / "remove.txt"
    for name in removed.read_text().split() if removed.exists() else ():
        (root / name).unlink()
    return root


def validate(root: Path, *arguments: str) -> door.Done:
    return door.run("validate", "--repo", root, "--now", NOW, *arguments)


@pytest.mark.parametrize("example", folders("invalid"), ids=lambda folder: folder.name)
def test_what_is_invalid_is_told_exactly(example: Path, tmp_path: Path) -> None:
    done = validate(overlaid(example, tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (1, (example / "expected.txt").read_text("utf-8"), "")


def commit(root: Path, message: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    for command in (("add", "--all"), (*who, "commit", "-qm", message)):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize("example", folders("advice"), ids=lambda folder: folder.name)
def test_what_has_aged_is_advice(example: Path, tmp_path: Path) -> None:
    done = validate(overlaid(example, tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, (example / "expected.txt").read_text("utf-8"), "")


@pytest.mark.parametrize("example", folders("advice"), ids=lambda folder: folder.name)
def test_what_a_change_brings_aged_is_a_problem(example: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(EXAMPLES / "base", tmp_path / "repo"))
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    commit(root, "base")
    subprocess.run(["git", "checkout", "-q", "-b", "change"], cwd=root, check=True)
    commit(overlaid(example, root), "change")
    done = validate(root, "--base", "main")
    assert (done.returncode, done.stdout, done.stderr) == (1, (example / "as-a-change.txt").read_text("utf-8"), "")


@pytest.mark.parametrize("example", [EXAMPLES / "base", *folders("valid")], ids=lambda folder: folder.name)
def test_what_is_valid_passes(example: Path, tmp_path: Path) -> None:
    done = validate(overlaid(example, tmp_path))
    assert (done.returncode, done.stderr, done.stdout.endswith("checked, no problem\n")) == (0, "", True)


@pytest.mark.parametrize("example", folders("invalid") + folders("advice"), ids=lambda folder: folder.name)
def test_an_example_shows_the_code_it_is_named_by(example: Path) -> None:
    assert f": {example.name}: " in (example / "expected.txt").read_text("utf-8")


def test_every_code_of_validate_has_an_example() -> None:
    codes = {**READING, **SCHEMAS, **PLACES, **RESULTS, **MANIFESTS, **GATE}
    assert set(codes) - {folder.name for folder in folders("invalid")} == set(WITHOUT_EXAMPLE)
    a_change_may = {Code.ANSWERS_NO_REQUIREMENT, Code.HOLD_ENDS_SOON}
    assert set(AGEING) - a_change_may == {folder.name for folder in folders("advice")}
