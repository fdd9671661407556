"""scripts/release_notes.py, as the job `release-notes` runs it."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CHANGELOG: Final = """\
# Changelog

## [Unreleased]

### Added

- More.

## [0.10.0] - 2026-12-24

### Changed

- Ten.

## [0.1.0] - 2026-11-01

- One.

## [0.0.9]

- Nine.

## [0.0.8] - 2026-10-01
"""


def write(folder: Path, tag: str, *, version: str) -> tuple[int, str, str]:
    """Run it for a tag where pyproject.toml has a version; give exit code, output and what is said aside."""
    (folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n', encoding="utf-8")
    command: list[str | Path] = [sys.executable, "-I", ROOT / "scripts" / "release_notes.py", tag, "--root", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("version", "expected"), [("0.10.0", "### Changed\n\n- Ten.\n"), ("0.1.0", "- One.\n")], ids=str
)
def test_the_notes_are_the_section_of_the_version(tmp_path: Path, version: str, expected: str) -> None:
    assert write(tmp_path, f"v{version}", version=version) == (0, expected, "")


@pytest.mark.parametrize(
    ("tag", "version", "said"),
    [
        ("v0.1.0", "0.10.0", "pyproject.toml has version 0.10.0, not 0.1.0; tag the commit that has 0.1.0"),
        ("0.1.0", "0.1.0", "'0.1.0' is not the tag of a release; name it vX.Y.Z"),
        ("v0.1.0\n", "0.1.0", "'v0.1.0\\n' is not the tag of a release; name it vX.Y.Z"),
        ("v9.9.9", "9.9.9", "CHANGELOG.md has no section [9.9.9]; write '## [9.9.9] - YYYY-MM-DD'"),
        ("v0.0.9", "0.0.9", "CHANGELOG.md: the section [0.0.9] has no date or no text; write both"),
        ("v0.0.8", "0.0.8", "CHANGELOG.md: the section [0.0.8] has no date or no text; write both"),
    ],
)
def test_a_release_that_would_be_wrong_is_refused(tmp_path: Path, tag: str, version: str, said: str) -> None:
    assert write(tmp_path, tag, version=version) == (2, "", f"release_notes: {said}\n")


def test_this_version_has_its_section() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    notes: list[str | Path] = [sys.executable, "-I", ROOT / "scripts" / "release_notes.py", f"v{version}"]
    done = subprocess.run(notes, capture_output=True, text=True, check=False)
    assert (done.returncode, "## [" in done.stdout, done.stderr) == (0, False, "")
