"""The verbs, and the parser of each; a verb is imported only when it is run.

A verb is a module beside this one, named in `GROUPS`. It has

- `EXAMPLE`: command lines that its help shows,
- `add_arguments(parser)`: its own arguments, beside the common ones (`--repo`, `--verbose`, `--color`),
- `run(arguments, console)`: does the work and gives the exit code.
"""

import argparse
import importlib
from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, cast

from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.console import Color, Console, width, writing_the_answer
from compose_repo.verbs.exit_codes import EXPLAINED, OK

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "for testers": {
        "validate": "check result files, manifests and gate/*.toml",
        "convert": "turn another tool's report (Jenkins) into a result file",
    },
    "for release engineers": {
        "gate": "decide on a compose from git, offline; change nothing",
        "hold": "keep a stream or composes from going out for a while, or lift that",
        "diff": "show what changed between two manifests or compose roots",
        "manifest": "read a compose root (directory or URL) and write its manifest",
    },
    "for the bots": {
        "sync": "open, judge, merge and close every compose that is due, in one run",
        "listen": "follow the message bus: open and judge composes, store reported results, publish decisions",
        "open": "open or update a compose's merge request",
        "approve": "decide, then write approval, status, labels and the note",
        "merge": "merge a published compose, and close the ones it supersedes",
    },
    "for owners": {
        "setup": "apply the safe settings to a GitLab project, or to a pair",
        "doctor": "list what is unsafe in a GitLab project, why, and how to fix it",
    },
    "for everybody": {
        "demo": "play a whole compose's story on this machine, with a local GitLab",
        "completion": "print a completion script for bash or zsh",
    },
}
"""Every verb and what it does, by who uses it."""

VERBS: Final[Mapping[str, str]] = {name: summary for group in GROUPS.values() for name, summary in group.items()}

EXTRAS: Final = frozenset({"demo"})
"""The verbs that need more than `pip install compose-repo` brings, each the extra of its name."""


class Verb(Protocol):
    """What a module of `compose_repo.verbs` offers."""

    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's own arguments."""

    def run(self, arguments: argparse.Namespace, console: Console) -> int:
        """Do the work; give the exit code."""


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, with the word that was probably meant."""

    def refuse_unknown_options(self, words: Iterable[str]) -> None:
        """Name the first long option that does not exist: argparse would take its value for something else.

        Raises:
            UsageError: there is one.

        """
        known = self._option_string_actions
        for word in takewhile(lambda word: word != "--", words):
            name = word.partition("=")[0]
            if name.startswith("--") and " " not in name and name not in known:
                self.error(f"there is no option {name!r}{meant(name, [name for name in known if name[:2] == '--'])}")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse what is not among the choices of an option, in the same words under every Python."""
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            hint = meant(str(value), choices)
            raise argparse.ArgumentError(action, f"{value!r} is not one of {', '.join(choices)}{hint}")

    def error(self, message: str) -> NoReturn:
        """Raise what `run` turns into one line and exit code 2."""
        raise UsageError(f"{self.prog}: {message}{_and(message)}{self.prog} -h shows how")

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


def meant(word: str, known: Iterable[str]) -> str:
    """Ask whether the nearest of the known words was meant; empty if none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a wrong command line needs it

    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def load(name: str) -> Verb:
    """Import one verb.

    Raises:
        UsageError: there is no such verb.

    """
    if name not in VERBS:
        hint = meant(name, VERBS)
        raise UsageError(f"compose-repo: there is no verb {name!r}{hint}{_and(hint)}compose-repo -h lists them")
    try:
        return cast("Verb", importlib.import_module(f"compose_repo.verbs.{name}"))
    except ModuleNotFoundError as error:
        if name not in EXTRAS:
            raise
        hint = f"in a checkout, pip install -e '.[{name}]' installs it"
        raise UsageError(f"compose-repo {name}: needs {error.name}, which is not installed; {hint}") from error


def _and(before: str) -> str:
    """Separate what follows from what stands before: a question has its own mark."""
    return " " if before.endswith("?") else "; "


def verb_parser(name: str, verb: Verb) -> Parser:
    """Build the parser of one verb."""
    example = "".join(f"  {line}\n" for line in verb.EXAMPLE.strip().splitlines())
    parser = Parser(
        prog=f"compose-repo {name}",
        description=f"{VERBS[name][0].upper()}{VERBS[name][1:]}.",
        epilog=f"example:\n{example}\n{EXPLAINED}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    verb.add_arguments(parser)
    _add_common(parser, defaults=False)
    return parser


def common_parser() -> Parser:
    """Build the parser of what stands before the verb."""
    width = max(map(len, VERBS))
    verbs = "".join(
        f"{who}:\n" + "".join(f"  {name:{width}}  {summary}\n" for name, summary in group.items()) + "\n"
        for who, group in GROUPS.items()
    )
    parser = Parser(
        prog="compose-repo",
        usage="compose-repo [OPTIONS] VERB …",
        description="Every compose is a merge request; a gate approves it, or says what is missing.",
        epilog=f"{verbs}compose-repo VERB -h shows a verb's arguments and an example.\n\n{EXPLAINED}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version and exit")
    _add_common(parser, defaults=True)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, defaults: bool) -> None:
    def default(value: object) -> Any:  # noqa: ANN401  # argparse takes anything
        return value if defaults else argparse.SUPPRESS

    group = parser.add_argument_group("common options")
    group.add_argument(
        "--repo",
        type=Path,
        metavar="DIR",
        default=default(None),
        help="the repository's root (default: this folder or the nearest one above that is one)",
    )
    group.add_argument(
        "--verbose", action="store_true", default=default(value=False), help="show each request and git command"
    )
    group.add_argument(
        "--color", choices=[str(color) for color in Color], default=default("auto"), help="when to use colours"
    )
