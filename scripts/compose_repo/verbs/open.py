"""Opens a compose's merge request, or brings it up to date."""

import argparse
from typing import Final

from compose_repo.cli import OK
from compose_repo.passes import session
from compose_repo.passes.manifest import make_manifest
from compose_repo.passes.open import prepare_open
from compose_repo.ports.console import Console
from compose_repo.verbs.manifest import add_source_arguments

EXAMPLE: Final = """
compose-repo open https://composes.stream.centos.org/stream-10/production/CentOS-Stream-10-20261120.0/
compose-repo open /mnt/composes/CentOS-Stream-10-20261120.0 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which compose."""
    add_source_arguments(parser)
    session.add_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read the compose, print the plan, apply it."""
    with session.start(arguments, console) as work:
        with console.progress(f"reading {arguments.source}"):
            manifest = make_manifest(
                arguments.source, location=arguments.location, timeout=arguments.timeout, console=console
            )
        prepared = prepare_open(work, manifest)
        work.show(prepared)
        work.carry_out(prepared)
    return OK
