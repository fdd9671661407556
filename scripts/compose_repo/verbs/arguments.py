"""Arguments that several verbs share."""

import argparse
from typing import TYPE_CHECKING, Final

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.problems.problem import UsageError

if TYPE_CHECKING:
    import datetime as dt
    from contextlib import AbstractContextManager
    from pathlib import Path

    from compose_repo.passes.survey import Surveyor
    from compose_repo.passes.work import Work
    from compose_repo.ports.console import Console

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2999


def moment(text: str) -> "dt.datetime":
    """Read a time from the command line; only the years 1970 to 2999 are accepted."""
    from compose_repo.core.documents.moment import read_moment  # noqa: PLC0415  # only --now and --at need it

    try:
        found = read_moment(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time with an offset, as in 2026-11-20T06:32:11Z")
    return found


def write_report(file: "Path", content: bytes) -> None:
    """Write a report to the file that the command line names.

    Raises:
        UsageError: it cannot be written.

    """
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def compose_id(text: str) -> ComposeId:
    """Read a compose id from the command line."""
    try:
        return ComposeId.parse(text)
    except ComposeIdError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of every verb that writes to GitLab."""
    parser.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the plan (default: text)"
    )
    parser.add_argument("--now", type=moment, metavar="TIME", help="judge as of this time, RFC 3339 (default: now)")


def connected(arguments: argparse.Namespace, console: "Console") -> "AbstractContextManager[Work]":
    """Connect to GitLab, as the arguments of `add_plan_arguments` say."""
    from compose_repo.passes.work import connected as connect  # noqa: PLC0415  # slow to import, and not for -h

    return connect(
        arguments.repo,
        console,
        now=arguments.now,
        dry_run=arguments.dry_run,
        as_json=arguments.format == "json",
    )


def add_survey_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of both `setup` and `doctor`."""
    parser.add_argument(
        "--gate-project",
        metavar="PATH",
        help="the second project of a pair: it holds the gate's token, and the project with the composes no secret",
    )
    parser.add_argument(
        "--no-webhook", action="store_true", help="do without the webhook: only the schedule sees pushes"
    )
    parser.add_argument("--now", type=moment, metavar="TIME", help="judge as of this time, RFC 3339 (default: now)")


def surveying(verb: str, arguments: argparse.Namespace, console: "Console") -> "AbstractContextManager[Surveyor]":
    """Connect to GitLab, as the arguments of `add_survey_arguments` say."""
    from compose_repo.passes.survey import surveying as survey  # noqa: PLC0415  # slow to import, and not for -h

    return survey(
        verb,
        arguments.repo,
        console,
        now=arguments.now,
        gate_project=arguments.gate_project,
        webhook=not arguments.no_webhook,
    )
