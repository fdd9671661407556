"""`validate`: checks result files, manifests and gate/*.toml against their schemas and every check."""

import argparse
import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from compose_repo.core.composes import paths
from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.composes.layout import FOLDERS, Kind, collisions, is_ours, place_of, removed
from compose_repo.core.problems.problem import Problem, UsageError
from compose_repo.core.problems.report import Report, as_code_quality, as_json, as_junit, as_text
from compose_repo.ports.console import Console
from compose_repo.ports.tree import Entry, Tree, WorkingTree
from compose_repo.reading.checkout import files_of
from compose_repo.reading.inspection import Inspector, inspect_all, inspect_gate, inspect_origins, origin_names
from compose_repo.verbs.arguments import moment, write_report

if TYPE_CHECKING:
    import datetime as dt

    from compose_repo.ports.git.objects import GitTree
    from compose_repo.ports.git.repository import Repository

EXAMPLE: Final = """\
compose-repo validate
compose-repo validate composes/CentOS-Stream-10-20261120.0/results/rdo/8841.json
compose-repo validate --base origin/main --junit validate.xml --code-quality validate.json
compose-repo validate --base origin/main --branch compose/CentOS-Stream-10-20261120.0
"""

_OK: Final = 0
_PROBLEMS: Final = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is to be validated and which reports are to be written."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files or folders, from here or from the root (default: everything)",
    )
    parser.add_argument(
        "--base", metavar="REV", help="validate only what has changed since the fork from REV, by the origins of REV"
    )
    parser.add_argument(
        "--rev", metavar="REV", help="with --base: validate the files of this commit, not those checked out"
    )
    parser.add_argument(
        "--branch",
        metavar="NAME",
        help="with --base: the branch's name; for compose/ID, also check what each commit of the branch changes",
    )
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="how to print the answer (default: text)"
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report to FILE")
    parser.add_argument("--code-quality", type=Path, metavar="FILE", help="write a GitLab Code Quality report to FILE")
    parser.add_argument("--now", type=moment, metavar="TIME", help="use this time as now, RFC 3339 (default: now)")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Validate, write the reports, answer."""
    root: Path = arguments.repo
    if not root.is_dir():
        raise UsageError(f"{root} is not a directory; name the repository's root with --repo")
    if arguments.base is not None and arguments.paths:
        raise UsageError("name paths or --base, not both")
    if arguments.base is None and (arguments.rev is not None or arguments.branch is not None):
        raise UsageError("--rev and --branch need --base, the commit whose rules count")
    with _collector_at_rest():
        report = _validate(arguments, console) if arguments.base is None else _validate_change(arguments, console)
    if arguments.junit is not None:
        write_report(arguments.junit, as_junit(report))
    if arguments.code_quality is not None:
        write_report(arguments.code_quality, f"{as_code_quality(report)}\n".encode())
    console.out(as_json(report) if arguments.format == "json" else as_text(report))
    return _PROBLEMS if report.problems else _OK


def _validate(arguments: argparse.Namespace, console: Console) -> Report:
    """Check the files that are checked out, all of them or those that are named, against one another."""
    tree = files_of(arguments.repo, console)
    entries = _named(tree, arguments) if arguments.paths else _everything(tree, arguments.repo)
    with _progress(console, entries):
        found = inspect_all(tree, entries, arguments.now or console.clock.now())
    problems = {*found.problems, *_collisions(tree, entries)}
    return Report(checked=sorted(found.checked), problems=sorted(problems), advice=sorted(found.advice))


def _validate_change(arguments: argparse.Namespace, console: Console) -> Report:
    """Check what has changed since the fork from a base; the base's rules count.

    What has aged in gate/ is a problem in entries that the base does not have.
    """
    from compose_repo.ports.git.objects import GitTree  # noqa: PLC0415  # git is run only for --base
    from compose_repo.ports.git.repository import Repository  # noqa: PLC0415

    repository = Repository(arguments.repo, console.trace, console.clock)
    rules = GitTree(repository, arguments.base)
    tree = files_of(arguments.repo, console) if arguments.rev is None else GitTree(repository, arguments.rev)
    entries, gone = _changed(repository, tree, arguments)
    when, base = arguments.now or console.clock.now(), None
    if any(entry.path.startswith("gate/") for entry in entries):
        base = GitTree(repository, repository.fork(arguments.base, arguments.rev or "HEAD"))
    with _progress(console, entries):
        found = inspect_all(tree, entries, when, rules=rules, base=base)
    problems, advice = [*found.problems, *_collisions(tree, entries)], found.advice
    problems += [removed(path) for path in gone if _is_kept(path)]
    if base is None and any(path.startswith("gate/") for path in gone):
        gate = inspect_gate(tree, when)  # no entry of what is left has changed
        problems, advice = [*problems, *gate.problems], [*gate.advice]
    told = _of_commits(repository, tree, rules, arguments, when)
    known = {(problem.path, problem.code) for problem in told}
    problems = [*told, *(problem for problem in problems if (problem.path, problem.code) not in known)]
    return Report(checked=sorted(found.checked), problems=sorted(set(problems)), advice=sorted(advice))


def _of_commits(
    repository: "Repository", tree: Tree, rules: Tree, arguments: argparse.Namespace, now: "dt.datetime"
) -> list[Problem]:
    """Hold each commit of a compose's branch to what such a branch may do; every other branch may do anything."""
    from compose_repo.reading.line import commit_problems  # noqa: PLC0415  # only commits need it

    branch: str = arguments.branch or ""
    if not branch.startswith(paths.BRANCH_PREFIX):
        return []
    try:
        compose_id = ComposeId.of_branch(branch)
    except ComposeIdError as error:
        raise UsageError(f"the branch {branch} is named like a compose's branch, but: {error}") from error
    return commit_problems(
        repository,
        compose_id,
        base=arguments.base,
        head=arguments.rev or "HEAD",
        inspector=Inspector(tree, now, origins=origin_names(inspect_origins(rules, now))),
    )


def _progress(console: Console, entries: Sequence[Entry]) -> AbstractContextManager[object]:
    """Show that something is being done, where that takes a while."""
    return console.progress(f"validating {len(entries):,} files") if len(entries) > _MANY else nullcontext()


def _everything(tree: WorkingTree, root: Path) -> list[Entry]:
    in_their_place = [entry for folder in FOLDERS if (entry := tree.entry(folder)) is not None]
    if not in_their_place and not set(FOLDERS) & set(tree.folders("")):
        raise UsageError(f"{root} has neither {paths.COMPOSES}/ nor gate/; name the repository's root with --repo")
    return [*in_their_place, *(entry for folder in FOLDERS for entry in tree.list(folder))]


def _named(tree: WorkingTree, arguments: argparse.Namespace) -> list[Entry]:
    """Find what the command line names; a folder stands for every file in it that validate reads.

    Raises:
        UsageError: a path does not exist, or is not a file that validate reads.

    """
    found: dict[str, Entry] = {}
    root, here = os.path.realpath(arguments.repo), os.getcwd()  # noqa: PTH109  # hot
    for name in arguments.paths:
        full = _full(name, here, root)
        if full != root and not full.startswith(f"{root.rstrip('/')}/"):
            raise UsageError(f"{name} is not in {arguments.repo}; --repo names another repository")
        path = full[len(root) :].lstrip("/")
        entry = tree.entry(path) if path else None
        if entry is not None and not is_ours(path):
            raise UsageError(f"{name} is not a file that validate reads: {_PLACES}")
        inside = [entry] if entry is not None else [one for one in tree.list(path) if is_ours(one.path)]
        if entry is None and not os.path.isdir(full):  # noqa: PTH112
            raise UsageError(f"{name} does not exist (paths are relative to {arguments.repo})")
        found.update((one.path, one) for one in inside)
    return list(found.values())


def _full(name: str, here: str, root: str) -> str:
    """Make a path absolute: inside the root, one that exists from the current directory is meant as shells mean it."""
    if os.path.isabs(name):  # noqa: PTH117  # hot
        return os.path.normpath(name)
    if here != root and here.startswith(f"{root.rstrip('/')}/"):
        near = os.path.normpath(f"{here}/{name}")
        if os.path.lexists(near):
            return near
    return os.path.normpath(f"{root}/{name}")


def _changed(
    repository: "Repository", tree: "WorkingTree | GitTree", arguments: argparse.Namespace
) -> tuple[list[Entry], list[str]]:
    """Find what a revision has changed since it left the base, and what it has removed.

    Each file is measured against the date of the commit that changed it last.
    """
    from compose_repo.ports.git.history import commits_since, dates_of  # noqa: PLC0415  # only commits need it

    head = arguments.rev or "HEAD"
    paths = [path for path in repository.changed_paths(arguments.base, head) if is_ours(path)]
    dates = dates_of(commits_since(repository, arguments.base, [head])) if paths else {}
    entries, gone = [], []
    for path in paths:
        entry = tree.entry(path)
        if entry is None:
            gone.append(path)
        else:
            entries.append(replace(entry, at=dates.get(path, entry.at)))
    return entries, gone


def _is_kept(path: str) -> bool:
    place = place_of(path)
    return place is not None and place.kind in {Kind.RESULT, Kind.MANIFEST}


def _collisions(tree: Tree, entries: Sequence[Entry]) -> list[Problem]:
    """Look for names that differ only in case beside result files; only those that are asked for are told."""
    asked = {entry.path for entry in entries}
    folders = {path.rpartition("/")[0] for path in asked if path.count("/") == _RESULT_DEPTH}
    names = (entry.path for folder in sorted(folders) for entry in tree.list(folder))
    return [problem for problem in collisions(names) if problem.path in asked]


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the cyclic garbage collector from looking through a million values that are all in use."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_PLACES: Final = f"{paths.result_of('ID', 'ORIGIN', 'RUN')}, {paths.manifest_of('ID')} or gate/"
_MANY: Final = 2000
_RESULT_DEPTH: Final = 4
