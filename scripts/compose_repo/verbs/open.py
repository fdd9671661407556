"""Opens a compose's merge request, or brings it up to date."""

import argparse
from typing import Final

from compose_repo.passes.manifest import make_manifest
from compose_repo.passes.open import Opening
from compose_repo.ports.console import Console
from compose_repo.verbs.arguments import add_plan_arguments, connected
from compose_repo.verbs.exit_codes import OK
from compose_repo.verbs.manifest import add_source_arguments
from compose_repo.verbs.plans import carry_out_and_print

EXAMPLE: Final = """
compose-repo open https://composes.stream.centos.org/stream-10/production/CentOS-Stream-10-20261120.0/
compose-repo open /mnt/composes/CentOS-Stream-10-20261120.0 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which compose."""
    add_source_arguments(parser)
    add_plan_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read the compose, print the plan, apply it."""
    with connected(arguments, console) as work:
        with console.progress(f"reading {arguments.source}"):
            manifest = make_manifest(
                arguments.source, location=arguments.location, timeout=arguments.timeout, console=console
            ).manifest
        carry_out_and_print(work, manifest.compose_id, Opening(work=work, manifest=manifest).next_stage)
    return OK
