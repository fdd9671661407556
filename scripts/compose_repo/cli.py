"""The command line: finds the verb, imports only what that verb needs, turns every outcome into an exit code."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from compose_repo.console import Console
from compose_repo.core.problem import InputError, UsageError

OK: Final = 0
PROBLEMS: Final = 1
USAGE: Final = 2
PENDING: Final = 3

VERBS: Final = {
    "manifest": "compose root (directory or URL) to manifest JSON",
    "diff": "what changed between two manifests or compose roots",
    "validate": "check result files, manifests and gate/*.toml",
    "gate": "decide on a compose from the tree; changes nothing",
    "open": "open a compose's merge request, or bring it up to date",
    "approve": "decide, then write approval, status, labels and the note",
    "merge": "merge a published compose, close what it supersedes",
    "demo": "the whole story on this machine against the local GitLab",
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit with its code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run one verb and give its exit code."""
    parser = argparse.ArgumentParser(prog="compose-repo")
    parser.add_argument("verb", choices=VERBS)
    arguments = parser.parse_args(argv[:1])
    verb = importlib.import_module(f"compose_repo.verbs.{arguments.verb}")
    verb_parser = argparse.ArgumentParser(prog=f"compose-repo {arguments.verb}")
    verb.add_arguments(verb_parser)
    console = Console()
    try:
        code: int = verb.run(verb_parser.parse_args(argv[1:]), console)
    except InputError as error:
        for problem in error.problems:
            console.error(f"{problem.path}:{problem.line}: {problem.code}: {problem.message}; {problem.fix}")
        return PROBLEMS
    except UsageError as error:
        console.error(f"compose-repo {arguments.verb}: {error}")
        return USAGE
    return code
