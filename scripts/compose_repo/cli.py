"""The command line: finds the verb, imports only what that verb needs, turns every outcome into an exit code.

A verb is a module of `compose_repo.verbs` named in `VERBS`. It has

- `EXAMPLE`: command lines that its help shows,
- `add_arguments(parser)`: its own arguments, beside the common ones (`--repo`, `--verbose`, `--color`),
- `run(arguments, console)`: does the work and gives the exit code.
"""

import argparse
import gc
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, cast

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
    width,
    writing_the_answer,
)

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

OK: Final = 0
PROBLEMS: Final = 1
USAGE: Final = 2
PENDING: Final = 3
INTERRUPTED: Final = 130
"""What a shell shows for a command that Ctrl-C ended."""
PIPE_CLOSED: Final = 141
"""What a shell shows for a command whose reader went away."""

VERBS: Final = {
    "manifest": "read a compose root (directory or URL), write its manifest",
    "diff": "show what changed between two manifests or compose roots",
    "open": "open a compose's merge request, or bring it up to date",
    "convert": "turn another tool's report (Jenkins) into a result file",
    "validate": "check result files, manifests and gate/*.toml",
    "gate": "decide on a compose from git, offline; change nothing",
    "approve": "decide, then write approval, status, labels and the note",
    "merge": "merge a published compose, close what it supersedes",
    "sync": "do in one pass whatever is due: open, judge, merge, close",
    "listen": "follow the message bus: look at composes, write down what it reports, tell of decisions",
    "setup": "bring a GitLab project, or a pair, to the hardened state",
    "doctor": "say what about a GitLab project is unsafe, why, and how to fix it",
    "demo": "tell the whole story on this machine, against a local GitLab",
    "completion": "print a completion script for bash or zsh",
}
"""Every verb, in the order in which a compose meets them."""

EXTRAS: Final = frozenset({"demo"})
"""The verbs that need more than `pip install compose-repo` brings, each the extra of its name."""

EXIT_CODES: Final = """\
exit codes:
  0  done, or the gate is satisfied
  1  problems found, or the gate is blocked
  2  usage or configuration error, told in one line on stderr
  3  the gate is pending
"""


class Verb(Protocol):
    """What a module of `compose_repo.verbs` offers."""

    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's own arguments."""

    def run(self, arguments: argparse.Namespace, console: Console) -> int:
        """Do the work; give the exit code."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command line."""

    def error(self, message: str) -> NoReturn:
        """Raise what `run` turns into one line and exit code 2."""
        raise UsageError(f"{self.prog}: {message}; {self.prog} -h shows how")

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Show the help; unlike argparse, do not hide that it cannot be written."""
        if file is not None:
            super().print_help(file)
            return
        with writing_the_answer() as stdout:
            stdout.write(self.format_help())


class _Help(argparse.RawDescriptionHelpFormatter):
    """Asks the terminal itself how wide it is: argparse would import shutil for that, even if no help is shown."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=width() - 2)


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that takes longer than all of the start."""

    def __call__(self, *_: object, **__: object) -> NoReturn:
        from compose_repo.ports.resources import version  # noqa: PLC0415

        with writing_the_answer() as stdout:
            stdout.write(f"compose-repo {version() or '(run from its source, not installed)'}\n")
        raise SystemExit(OK)


def load(name: str) -> Verb:
    """Import one verb.

    Raises:
        UsageError: there is no such verb.

    """
    if name not in VERBS:
        from difflib import get_close_matches  # noqa: PLC0415

        close = get_close_matches(name, VERBS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise UsageError(f"compose-repo: there is no verb {name!r}; {hint}compose-repo -h lists them")
    try:
        return cast("Verb", importlib.import_module(f"compose_repo.verbs.{name}"))
    except ModuleNotFoundError as error:
        if name not in EXTRAS:
            raise
        hint = f"pip install 'compose-repo[{name}]' brings it"
        raise UsageError(f"compose-repo {name}: needs {error.name}, which is not installed; {hint}") from error


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
        arguments = parser.parse_args(rest, common)
    except SystemExit as done:  # argparse has shown a help
        return OK if done.code is None else int(done.code)
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
    found = vars(parser.parse_args(argv))
    name, rest = found.pop("verb"), found.pop("rest")
    if name is None:
        raise UsageError("compose-repo: say a verb; compose-repo -h lists them")
    return name, argparse.Namespace(**found), rest


def verb_parser(name: str, verb: Verb) -> argparse.ArgumentParser:
    """Build the parser of one verb."""
    example = "".join(f"  {line}\n" for line in verb.EXAMPLE.strip().splitlines())
    parser = Parser(
        prog=f"compose-repo {name}",
        description=f"{VERBS[name][0].upper()}{VERBS[name][1:]}.",
        epilog=f"example:\n{example}\n{EXIT_CODES}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    verb.add_arguments(parser)
    _add_common(parser, defaults=False)
    return parser


def common_parser() -> argparse.ArgumentParser:
    """Build the parser of what stands before the verb."""
    width = max(map(len, VERBS))
    verbs = "".join(f"  {name:{width}}  {summary}\n" for name, summary in VERBS.items())
    parser = Parser(
        prog="compose-repo",
        usage="compose-repo [OPTIONS] VERB …",
        description="Every compose is a merge request; a gate sums its results into the approval.",
        epilog=f"verbs, in the order in which a compose meets them:\n{verbs}\n"
        f"compose-repo VERB -h shows a verb's arguments and an example.\n\n{EXIT_CODES}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    _add_common(parser, defaults=True)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, defaults: bool) -> None:
    def default(value: object) -> Any:  # noqa: ANN401  # argparse takes anything
        return value if defaults else argparse.SUPPRESS

    group = parser.add_argument_group("common options")
    group.add_argument(
        "--repo", type=Path, metavar="DIR", default=default(Path()), help="the repository's root (default: here)"
    )
    group.add_argument(
        "--verbose", action="store_true", default=default(value=False), help="show each request and git command"
    )
    group.add_argument(
        "--color", choices=[str(color) for color in Color], default=default("auto"), help="when to use colours"
    )


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
    """Say what is wrong in one line, whatever the names in it are made of."""
    from compose_repo.core.escape import terminal  # noqa: PLC0415  # nothing else needs it

    Console().error(terminal(line))


def _tell_unexpected(error: Exception, *, verbose: bool) -> None:
    """Sum up in one line what nobody expected; the traceback is for those who ask for it."""
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
        "this is our mistake: please report it with what the same command says under --verbose"
    )
