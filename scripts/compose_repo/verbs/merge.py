"""Merges a published compose, and closes what it supersedes."""

import argparse
from typing import Final

from compose_repo.cli import OK, PENDING
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.rules.policy import StreamEntry
from compose_repo.passes import session
from compose_repo.passes.merge import NotPublished, PipelineDue, merge
from compose_repo.ports.console import Console
from compose_repo.ports.http import Http, limits
from compose_repo.reading.mirror import why_not_published

EXAMPLE: Final = """
compose-repo merge CentOS-Stream-10-20261120.0 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which compose."""
    parser.add_argument("compose_id", metavar="COMPOSE_ID", type=session.compose_id, help="the compose to merge")
    parser.add_argument(
        "--published", action="store_true", help="you vouch that it is on the mirrors: do not look there"
    )
    session.add_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Make sure that it is published, judge, print the plan, apply it."""
    with session.start(arguments, console) as work:
        return session.until_unmoved(lambda: _attempt(work, arguments.compose_id, vouched=arguments.published), console)


def _attempt(work: session.Session, compose_id: ComposeId, *, vouched: bool) -> int:
    work.anew()
    try:
        prepared = merge(work, compose_id, lambda stream: None if vouched else _why_not(work, compose_id, stream))
    except NotPublished as reason:
        work.console.error(f"{compose_id} is not published: {reason}")
        return PENDING
    except PipelineDue as reason:
        work.console.error(f"{compose_id} is not merged yet: {reason}")
        return PENDING
    work.show(prepared)
    work.carry_out(prepared)
    return OK


def _why_not(work: session.Session, compose_id: ComposeId, stream: StreamEntry) -> str | None:
    with work.console.progress(f"reading {stream.published}"):
        return why_not_published(str(compose_id), stream.published, Http(limits()).read)
