"""Follows the message bus, as fedora-messaging's configuration says."""

import argparse
import logging
import sys
from pathlib import Path
from typing import Final

from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.console import Console
from compose_repo.verbs.exit_codes import OK

EXAMPLE: Final = """
compose-repo listen --config /etc/fedora-messaging/compose-repo.toml
fedora-messaging --conf compose-repo.toml consume --callback compose_repo.passes.listening:Listener
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the configuration is."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="fedora-messaging's configuration (default: FEDORA_MESSAGING_CONF, or the system's)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Listen until a signal comes."""
    try:
        from compose_repo.passes.listening import Listener  # noqa: PLC0415  # needs the extra `bus`; the help does not
        from compose_repo.ports.bus.consumer import consume  # noqa: PLC0415
        from compose_repo.ports.bus.settings import load  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            f"needs {error.name}, which is not installed; "
            "pip install 'compose-repo[bus] @ git+https://gitlab.com/CentOS/compose-repo.git' installs it"
        ) from error
    load(arguments.config)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO if arguments.verbose else logging.ERROR, format="%(name)s: %(message)s"
    )
    listener = Listener(console, arguments.repo)
    listener.require_accounts()
    console.info("listening, until a signal comes")
    consume(listener.callback)
    return OK
