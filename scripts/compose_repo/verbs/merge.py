"""Merges a published compose, and closes what it supersedes."""

import argparse
from functools import partial
from typing import Final

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.rules.policy import StreamEntry
from compose_repo.passes.merge import Held, Merging, NotPublished, PipelineDue
from compose_repo.passes.work import Work
from compose_repo.ports.compose_root import reading_files
from compose_repo.ports.console import Console
from compose_repo.ports.http import Http, limits
from compose_repo.reading.mirror import why_not_published
from compose_repo.verbs.arguments import add_plan_arguments, compose_id, connected
from compose_repo.verbs.exit_codes import OK, PENDING
from compose_repo.verbs.plans import carry_out_and_print

EXAMPLE: Final = """
compose-repo merge CentOS-Stream-10-20261120.0 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which compose."""
    parser.add_argument("compose_id", metavar="COMPOSE_ID", type=compose_id, help="the compose to merge")
    parser.add_argument(
        "--published", action="store_true", help="do not look at the mirrors: you know that it is published"
    )
    add_plan_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Make sure that it is published, judge, print the plan, apply it."""
    with connected(arguments, console) as work:
        name: ComposeId = arguments.compose_id
        why_not = _vouched if arguments.published else partial(_why_not, work, name)
        try:
            carry_out_and_print(work, name, Merging(work=work, compose_id=name, why_not=why_not).next_stage)
        except NotPublished as reason:
            console.error(f"{name} is not published: {reason}")
            return PENDING
        except (Held, PipelineDue) as reason:
            console.error(f"{name} is not merged yet: {reason}")
            return PENDING
    return OK


def _vouched(_: StreamEntry) -> None:
    """Believe the user that it is published."""


def _why_not(work: Work, compose_id: ComposeId, stream: StreamEntry) -> str | None:
    if stream.published is None:
        return "gate/streams.toml names no mirrors that carry it; if you know that it is, say --published"
    read = reading_files(Http(limits(), clock=work.console.clock, trace=work.console.trace).read)
    with work.console.progress(f"reading {stream.published}"):
        return why_not_published(compose_id, stream.published, read)
