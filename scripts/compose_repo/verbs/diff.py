"""`diff`: shows what changed between two composes; exits 0 whether or not anything changed."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.composes.paths import MANIFEST
from compose_repo.core.escape import json_text, terminal
from compose_repo.core.manifests.change_report import ChangeReport, Section, change_report
from compose_repo.core.manifests.changes import compare
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.console import Console, Paint
from compose_repo.reading.loading import read_manifest_file
from compose_repo.verbs.exit_codes import OK

EXAMPLE: Final = """
compose-repo diff CentOS-Stream-10-20261119.0 CentOS-Stream-10-20261120.0
compose-repo diff old/manifest.json https://composes.stream.centos.org/stream-10/production/CentOS-Stream-10-20261120.0
compose-repo diff --format markdown --all OLD NEW > changes.md
"""
MOST: Final = 25
"""How many rows of each kind are shown without --all."""
TIMEOUT: Final = 30.0
"""How many seconds a server may be silent."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two composes and the form of the answer."""
    parser.description = f"{parser.description} The exit code is 0, whether or not anything changed."
    source = "a manifest, a compose root (directory or URL), or the id of a compose, open or merged, in this clone"
    parser.add_argument("old", metavar="OLD", help=source)
    parser.add_argument("new", metavar="NEW", help="the same, for the newer compose")
    parser.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="how to print the answer (default: text)"
    )
    parser.add_argument(
        "--all", action="store_true", help=f"show every row, not only the first {MOST} of each kind; json always does"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare, then print."""
    old = _manifest(arguments.old, arguments.repo, console)
    new = _manifest(arguments.new, arguments.repo, console)
    changes = compare(old, new)
    if arguments.format == "json":
        console.out(json_text(changes.to_dict()))
        return OK
    report = change_report(changes, most=None if arguments.all else MOST)
    if arguments.format == "markdown":
        from compose_repo.ports.templates import render  # noqa: PLC0415  # jinja2 is not needed otherwise

        console.out(render("changes.md.j2", report=report).rstrip())
    else:
        console.out("\n".join(_text(report, console)))
    return OK


def _manifest(source: str, repo: Path, console: Console) -> Manifest:
    """Read one side: what exists as a path is that path, what looks like a URL is one, the rest is a compose id."""
    path = Path(source)
    if "://" in source:
        return _root(source, console)
    if path.is_dir():
        manifest = path / MANIFEST
        return read_manifest_file(manifest) if manifest.is_file() else _root(source, console)
    if path.exists():
        return read_manifest_file(path)
    try:
        compose_id = ComposeId.parse(source)
    except ComposeIdError as error:
        raise UsageError(f"{source!r} is not a file, directory, URL or compose id: {error}") from error
    manifest = repo / compose_id.manifest_path
    return read_manifest_file(manifest) if manifest.is_file() else _of_clone(compose_id, repo, console)


def _of_clone(compose_id: ComposeId, repo: Path, console: Console) -> Manifest:
    """Read the manifest of a compose that is not among the files here: of one that is open, of one that main has."""
    from compose_repo.ports.git.refs import is_repository  # noqa: PLC0415  # two manifests need no git
    from compose_repo.ports.git.repository import Repository  # noqa: PLC0415  # as above
    from compose_repo.reading.clone import opened_manifest  # noqa: PLC0415  # as above

    repository = Repository(repo, console.trace, console.clock)
    if not is_repository(repository):
        manifest = repo / compose_id.manifest_path
        raise UsageError(f"{compose_id} is not a file or directory here, and {manifest} does not exist")
    with console.progress(f"reading {compose_id.folder}"):
        return opened_manifest(repository, compose_id, tell=console.info)


def _root(source: str, console: Console) -> Manifest:
    from compose_repo.passes.manifest import make_manifest  # noqa: PLC0415  # two manifests need no productmd

    with console.progress(f"reading {source}"):
        return make_manifest(source, location=None, timeout=TIMEOUT, console=console).manifest


def _text(report: ChangeReport, console: Console) -> Iterator[str]:
    """Write the report as Fedora's compose reports look; what comes from outside shows no control characters."""
    changes = report.changes
    yield f"OLD: {changes.old} ({changes.old_status or 'status not known'})"
    yield f"NEW: {changes.new} ({changes.new_status or 'status not known'})"
    yield from (console.paint(Paint.WAITING, f"WARNING: {terminal(warning)}") for warning in changes.warnings)
    yield ""
    yield console.paint(Paint.STRONG, "===== SUMMARY =====")
    if changes.not_known:
        yield report.headline
        return
    yield from (f"{count:>9,} {label}" for count, label in (*report.counts, report.unchanged))
    for section in report.sections:
        yield ""
        yield from _section(section, console)


def _section(section: Section, console: Console) -> Iterator[str]:
    heading = f"===== {section.title.upper()} ({section.count:,}) ====="
    yield console.paint(Paint.BAD if section.alarming else Paint.STRONG, heading)
    yield from (f"{console.paint(Paint.STRONG, terminal(row.name))} {terminal(row.text)}" for row in section.rows)
    if section.more:
        yield console.paint(Paint.FAINT, f"and {section.more:,} more; --all shows them")
