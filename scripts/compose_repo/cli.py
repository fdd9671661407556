"""The command line: finds the verb, imports only what that verb needs, turns every outcome into an exit code."""

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.ports.clock import REAL, Clock
from compose_repo.ports.console import (
    Color,
    Console,
    OutputClosedError,
    OutputError,
    abandon_output,
    flush_the_answer,
    leave,
    use_any_locale,
)
from compose_repo.ports.environment import root_above
from compose_repo.verbs.exit_codes import INTERRUPTED, OK, PIPE_CLOSED, PROBLEMS, USAGE
from compose_repo.verbs.parsers import Verb, common_parser, load, verb_parser


def main(argv: Sequence[str] | None = None, load: Callable[[str], Verb] = load, clock: Clock = REAL) -> NoReturn:
    """Run one verb and exit with its code; nothing that happens ends in a traceback."""
    try:
        use_any_locale()
        code = _run(sys.argv[1:] if argv is None else argv, load, clock)
    except KeyboardInterrupt:
        code = INTERRUPTED
    leave(code)


def _run(argv: Sequence[str], load: Callable[[str], Verb], clock: Clock = REAL) -> int:
    try:
        code = _dispatch(argv, load, clock)
        flush_the_answer()
    except OutputClosedError:
        abandon_output()
        return PIPE_CLOSED
    except OutputError as error:
        abandon_output()
        Console().error(f"compose-repo: {error}")
        return USAGE
    except UsageError as error:
        _tell(str(error))
        return USAGE
    except Exception as error:  # noqa: BLE001  # the last resort: a person sees one line, never a traceback
        _tell_unexpected(error, verbose="--verbose" in argv)
        return USAGE
    return code


def _dispatch(argv: Sequence[str], load: Callable[[str], Verb], clock: Clock) -> int:
    try:
        name, common, rest = _split(argv)
        verb = load(name)
        parser = verb_parser(name, verb)
        parser.refuse_unknown_options(rest)
        arguments = parser.parse_args(rest, common)
    except SystemExit as done:  # argparse has shown a help
        return OK if done.code is None else int(done.code)
    if arguments.repo is None:
        arguments.repo = root_above(Path.cwd())
    console = Console(verbose=arguments.verbose, color=Color(arguments.color), clock=clock)
    # From here on there may be garbage; all that was imported so far stays, and need not be looked at again.
    gc.freeze()
    gc.enable()
    try:
        return verb.run(arguments, console)
    except InputError as error:
        _show(error, console, as_json=getattr(arguments, "format", "text") == "json")
        return PROBLEMS
    except UsageError as error:
        raise UsageError(f"{parser.prog}: {error}") from error


def _split(argv: Sequence[str]) -> tuple[str, argparse.Namespace, Sequence[str]]:
    """Find the verb; the common options count before it as well as after it."""
    parser = common_parser()
    parser.add_argument("verb", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.refuse_unknown_options(takewhile(lambda word: word.startswith("-"), argv))
    found = vars(parser.parse_args(argv))
    name, rest = found.pop("verb"), found.pop("rest")
    if name is None:
        raise UsageError("compose-repo: no verb was given; compose-repo -h lists them")
    return name, argparse.Namespace(**found), rest


def _show(error: InputError, console: Console, *, as_json: bool) -> None:
    from compose_repo.core.problems.report import Report, as_line  # noqa: PLC0415  # a verb that succeeds needs none of it
    from compose_repo.core.problems.report import as_json as written  # noqa: PLC0415

    problems = sorted(error.problems)
    if as_json:
        console.out(written(Report(checked=sorted({problem.path for problem in problems}), problems=problems)))
        return
    for problem in problems:
        console.error(as_line(problem))


def _tell(line: str) -> None:
    """Print a problem in one line, whatever characters its names hold."""
    from compose_repo.core.escape import terminal  # noqa: PLC0415  # nothing else needs it

    Console().error(terminal(line))


def _tell_unexpected(error: Exception, *, verbose: bool) -> None:
    """Sum up an unexpected error in one line; --verbose adds the traceback."""
    import traceback  # noqa: PLC0415

    console = Console()
    if verbose:
        console.error("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        _tell(f"compose-repo: {where}{error.strerror}")
        return
    last = traceback.extract_tb(error.__traceback__)[-1]
    _tell(
        f"compose-repo: internal-error: {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}); "
        "this is a bug: please report it with the output of the same command with --verbose"
    )
