"""What a job leaves behind: artifacts, and the reports that GitLab reads."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

_KEY = r"""(?P<key>'[^']*'|"[^"]*"|[^\s#'"].*?)"""
_LINE = re.compile(rf"^(?P<indent> *)(?:(?P<item>- )|{_KEY}:(?: (?P<value>.*))?$)(?P<rest>.*)$")
Kept = dict[str, tuple[str, int, str | None]]


def report_paths(expanded: str) -> dict[str, dict[str, list[str]]]:
    """Read `artifacts:reports:` of each job from gitlab-ci-local's expanded configuration.

    That file is written by one program in one style, so its indentation is read here instead of YAML at large.
    """
    found: dict[str, dict[str, list[str]]] = {}
    stack: list[tuple[int, str]] = []
    for line in expanded.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        indent = len(match["indent"])
        if match["item"]:
            _note_item(found, stack, match["rest"])
            continue
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, _plain(match["key"])))
        value = match["value"]
        keys = [key for _, key in stack]
        if len(keys) == 4 and keys[1:3] == ["artifacts", "reports"] and value:  # noqa: PLR2004  # job, two words, kind
            found.setdefault(keys[0], {})[keys[3]] = [_plain(value)]
    return found


def _note_item(found: dict[str, dict[str, list[str]]], stack: list[tuple[int, str]], text: str) -> None:
    keys = [key for _, key in stack]
    if len(keys) == 4 and keys[1:3] == ["artifacts", "reports"]:  # noqa: PLR2004  # job, two words, kind
        found.setdefault(keys[0], {}).setdefault(keys[3], []).append(_plain(text))


def _plain(text: str) -> str:
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "'\"":
        return stripped[1:-1]
    return stripped


def keep_artifacts(*, artifacts: Path, build: Path, reports: dict[str, list[str]], target: Path) -> Kept:
    """Copy a job's artifacts and reports; return them by kind, with name and size."""
    kept: Kept = {}
    trace = target / "trace.log"
    if trace.exists():
        kept["trace"] = ("job.log", trace.stat().st_size, None)
    if artifacts.is_dir() and any(artifacts.iterdir()):
        shutil.copytree(artifacts, target / "artifacts", dirs_exist_ok=True, symlinks=True)
        size = sum(path.stat().st_size for path in artifacts.rglob("*") if path.is_file() and not path.is_symlink())
        kept["archive"] = ("artifacts.zip", size, "zip")
    for kind, patterns in reports.items():
        files = [path for pattern in patterns for path in _matching(build, artifacts, pattern)]
        folder = target / "reports" / kind
        for number, path in enumerate(files):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / f"{number:03}-{path.name}")
        if files:
            kept[kind] = (f"{kind}.gz", sum(path.stat().st_size for path in files), "gzip")
    return kept


def _matching(build: Path, artifacts: Path, pattern: str) -> list[Path]:
    clean = pattern.removeprefix("./")
    if clean.startswith("/") or ".." in Path(clean).parts:
        return []
    for folder in (build, artifacts):
        found = [path for path in sorted(folder.glob(clean)) if path.is_file() and not path.is_symlink()]
        if found:
            return found
    return []
