"""One pass over every stream: publishes what the mirrors carry, opens what is new, judges what is open."""

from collections.abc import Iterator

from compose_repo.core.names import Stream
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.problems.report import as_line
from compose_repo.core.streams.sync_report import SyncReport
from compose_repo.passes.approve import withdraw_all
from compose_repo.passes.failures import FAILURES, problems_of
from compose_repo.passes.stream import StreamPass
from compose_repo.passes.tools import Tools


def sync(tools: Tools) -> SyncReport:
    """Plan and apply, stream by stream; what fails is reported and stops nothing else.

    First every stream is published and opened, then, on what is there after that, all that is open is judged: so what
    is overtaken is not judged any more, and what was opened just now is judged at once. Only then each Jenkins is read,
    and what it brought is judged again; last, what is satisfied is promoted, or merged where it is asked for. Where
    GitLab cannot be read any
    more between the two, what was done before is reported all the same.

    Raises:
        InputError: the rules on main have problems; no approval of ours stands any more.
        UsageError: GitLab or main cannot be read, so nothing can be done.

    """
    streams: dict[Stream, StreamPass] = {}
    _look(tools, streams)
    for one in list(streams.values()):
        one.publish_and_open()
    _say_what_is_not_polled(tools)
    problems: tuple[Problem, ...] = ()
    try:
        if any(one.has_written for one in streams.values()):
            _look(tools, streams)
    except FAILURES as error:
        problems = problems_of(error, "sync")
        for problem in problems:
            tools.work.console.error(as_line(problem))
    else:
        for one in streams.values():
            one.judge()
        for one in streams.values():
            one.poll()
        for one in streams.values():
            one.promote_and_gate()
    return SyncReport(
        streams=tuple(streams[name].report() for name in sorted(streams)),
        dry_run=tools.work.dry_run,
        only=tools.only,
        problems=(*problems, *tools.poll.problems),
    )


def _say_what_is_not_polled(tools: Tools) -> None:
    if tools.opener is None and any(entry.jenkins for entry in tools.work.world.gate_files().origins.values()):
        tools.work.console.info("COMPOSE_REPO_OPENER_TOKEN is not set: no Jenkins is polled")


def _look(tools: Tools, streams: dict[Stream, StreamPass]) -> None:
    """Read what is in GitLab and on main, and add what streams there are."""
    tools.look()
    try:
        entries = tools.work.world.gate_files().streams
    except InputError as error:
        withdraw_all(tools.work, error)
        raise
    for name in _names(tools, list(entries)):
        streams.setdefault(name, StreamPass(tools, name, entries.get(name)))


def _names(tools: Tools, listed: list[Stream]) -> Iterator[Stream]:
    """Name the streams that gate/streams.toml lists, and those of what is open besides; with `only`, its own alone."""
    found = {*listed, *(compose_id.stream for compose_id in tools.ours(tools.work.world.open_merge_requests()))}
    for name in sorted(found):
        if tools.only is None or name == tools.only.stream:
            yield name
