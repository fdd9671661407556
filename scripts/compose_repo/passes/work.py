"""What a pass works with, as one account; and how an account is connected."""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.passes.judge import Judge
from compose_repo.passes.world import World
from compose_repo.passes.writer import Writer
from compose_repo.ports.console import Console
from compose_repo.ports.environment import Environment, environment
from compose_repo.ports.git.repository import scratch
from compose_repo.ports.gitlab.forge import connect
from compose_repo.ports.gitlab.pace import Paces


class Work(Struct, frozen=True, kw_only=True):
    """Reads, judges and writes as one account.

    In a `dry_run` nothing is written. With `as_json` one document is all of the answer.
    """

    world: World
    judge: Judge
    writer: Writer
    console: Console
    paces: Paces
    dry_run: bool = False
    as_json: bool = False

    def as_opener(self, world: World) -> "Work":
        """The same work as another account does it."""
        return replace(self, world=world, judge=Judge(world, self.console.clock), writer=Writer(world, self.console))


def work_on(  # what a verb is told
    world: World, console: Console, *, paces: Paces | None = None, dry_run: bool = False, as_json: bool = False
) -> Work:
    """Give what a pass works with, from a world that nothing has been read of yet."""
    return Work(
        world=world,
        judge=Judge(world, console.clock),
        writer=Writer(world, console),
        console=console,
        paces=paces or Paces(console.clock),
        dry_run=dry_run,
        as_json=as_json,
    )


@contextmanager
def connected(  # noqa: PLR0913  # what a verb is told
    repo: Path,
    console: Console,
    *,
    now: dt.datetime | None = None,
    paces: Paces | None = None,
    dry_run: bool = False,
    as_json: bool = False,
) -> Iterator[Work]:
    """Connect the account whose token the environment holds; its connections are closed at the end.

    Whoever makes many passes gives the same `paces` to each.
    """
    settings = environment()
    clock = console.clock
    paces = paces or Paces(clock)
    with (
        closing(connect(settings, console.trace, paces, clock)) as forge,
        scratch(repo, console.trace, clock) as repository,
    ):
        world = World(forge=forge, repository=repository, token=settings.token, console=console, now=now)
        yield work_on(world, console, paces=paces, dry_run=dry_run, as_json=as_json)


@contextmanager
def opener_beside(work: Work) -> Iterator[Work | None]:
    """Connect the compose bot, which has read what another account has; None if its token is not given."""
    settings = environment()
    if not settings.opener_token:
        yield None
        return
    opener: Environment = replace(settings, token=settings.opener_token)
    with closing(connect(opener, work.console.trace, work.paces, work.console.clock)) as forge:
        yield work.as_opener(work.world.seen_by(forge, settings.opener_token, variable="COMPOSE_REPO_OPENER_TOKEN"))
