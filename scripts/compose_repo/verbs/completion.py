"""Prints a shell's completion script; made once by shtab, so that a Tab never starts Python."""

import argparse
from typing import Final

from compose_repo.ports.console import Console
from compose_repo.verbs.exit_codes import OK
from compose_repo.verbs.parsers import VERBS, common_parser, load, verb_parser

EXAMPLE: Final = """
compose-repo completion bash > ~/.local/share/bash-completion/completions/compose-repo
compose-repo completion zsh > ~/.zfunc/_compose-repo
"""

_FILES: Final = frozenset({"FILE", "PATH", "OLD", "NEW", "SOURCE", "OUT", "POLICY"})
_FOLDERS: Final = frozenset({"DIR", "DIRECTORY"})
_COMPOSE_IDS: Final = {
    "bash": "_compose_repo_ids",
    "zsh": "{_values compose ${(f)$(cd composes 2>/dev/null && print -l *(N/))}}",
}
_PREAMBLE: Final = {
    "bash": '_compose_repo_ids() { compgen -W "$(cd composes 2>/dev/null && printf \'%s \' */ | tr -d /)" -- "$1"; }\n',
    "zsh": "",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which shell."""
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell to complete for")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the script."""
    import shtab  # noqa: PLC0415  # no other verb needs it

    parser = common_parser()
    verbs = parser.add_subparsers(metavar="VERB")
    for name, summary in VERBS.items():
        verbs.add_parser(name, parents=[verb_parser(name, load(name))], add_help=False, help=summary)
    for each in (parser, *verbs.choices.values()):
        _hint(each)
    console.out(shtab.complete(parser, arguments.shell, preamble=_PREAMBLE[arguments.shell]))
    return OK


def _hint(parser: argparse.ArgumentParser) -> None:
    """Let shtab know from a metavar what an argument may be."""
    import shtab  # noqa: PLC0415

    for action in parser._actions:  # noqa: SLF001  # argparse offers no public list; shtab reads the same
        metavar = action.metavar or action.dest.upper()
        if metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's own protocol
        elif metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif metavar == "COMPOSE_ID":
            action.complete = _COMPOSE_IDS  # type: ignore[attr-defined]
