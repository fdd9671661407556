"""What a pass reads of the world, stream by stream: servers, mirrors, main, merge requests."""

import traceback
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId, ComposeIdError, Status
from compose_repo.core.forge.bots import Bot
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.problems.report import as_line
from compose_repo.core.rules.policy import StreamEntry
from compose_repo.core.streams.sync import Carried, Readiness, StreamView, candidates, followed, unseen
from compose_repo.passes.describe import published
from compose_repo.passes.failures import FAILURES, mistake_of, problems_of
from compose_repo.passes.manifest import same_id
from compose_repo.passes.tools import Tools
from compose_repo.passes.upkeep import find
from compose_repo.ports.compose_root import Root, reading_files, root_in
from compose_repo.ports.productmd.reading import identity
from compose_repo.reading.index import compose_ids
from compose_repo.reading.mirror import Unsettled, published_compose

T = TypeVar("T")

_MOST: Final = 4096
"""Bytes of a COMPOSE_ID that are worth reading."""


class StreamReader:
    """Reads what a stream says of itself: its server's index, the mirrors, main and the merge requests."""

    def __init__(self, tools: Tools, entry: StreamEntry) -> None:
        self.on_server: frozenset[ComposeId] | None = None
        self.carried = Carried()
        self.problems: list[Problem] = []
        self._tools = tools
        self._work = tools.work
        self._entry = entry
        self._stream = entry.stream
        self._places: dict[ComposeId, str] = {}
        self._is_whole = True

    def read(self) -> None:
        """Read the index and the mirrors; what cannot be read is a problem of the stream, and stops nothing."""
        carried = self.attempted(lambda: self._read_carried(self._entry))
        self.carried = carried or Carried(why_not="it could not be read")
        if self._tools.only is None:
            self._read_indexes(self._entry)
        elif self._tools.only not in self.view().opened | self.view().merged:
            self.on_server = followed({self._tools.only}, self._entry)
        index = self.on_server
        carry = f"the mirrors carry {self.carried.compose_id or 'nothing'}"
        named = self.carried.why_not or ("no mirrors are named" if self._entry.published is None else carry)
        listed = "" if index is None or self._tools.only else f"{len(index):,} composes on the server; "
        self._tools.tell(f"{self._stream}: {listed}{named}")

    def _read_indexes(self, entry: StreamEntry) -> None:
        """Read each index of the stream; one that cannot be read hides what the others list from nobody."""
        for address in entry.composes:
            ids = self.attempted(partial(self._read_index, entry, address))
            if ids is None:
                self._is_whole = False
                continue
            self._places = dict.fromkeys(ids, address) | self._places
            self.on_server = (self.on_server or frozenset()) | ids

    def _read_index(self, entry: StreamEntry, address: str) -> frozenset[ComposeId]:
        with self._work.console.progress(f"reading {address}"):
            return followed(compose_ids(address, self._tools.index_http.get).ids, entry)

    def _read_carried(self, entry: StreamEntry) -> Carried:
        if entry.published is None:
            return Carried()
        with self._work.console.progress(f"reading {entry.published}"):
            try:
                compose_id = published_compose(entry.published, reading_files(self._tools.http.read))
            except Unsettled as reason:
                return Carried(why_not=str(reason))
            except ComposeIdError as error:
                raise InputError(_strange(entry.published, str(error))) from error
        if compose_id is None:
            return Carried()
        if compose_id.stream != entry.stream:
            raise InputError(
                _strange(entry.published, f"the mirrors name {compose_id}, which is not a compose of {entry.stream}")
            )
        return Carried(compose_id=compose_id)

    def view(self) -> StreamView:
        """Put together what is known of the stream now."""
        opened = self._tools.ours(self._work.world.open_merge_requests())
        view = StreamView(
            entry=self._entry,
            on_server=self.on_server,
            is_whole=self._is_whole,
            merged=frozenset(one for one in published(self._work.world.main()) if one.stream == self._stream),
            opened=frozenset(one for one in opened if one.stream == self._stream),
            carried=self.carried,
        )
        return replace(view, closed=self._closed(view))

    def _closed(self, view: StreamView) -> frozenset[ComposeId]:
        """Find what is closed among what could be opened; GitLab is asked only if there is any."""
        carried = view.carried.compose_id
        closed: set[ComposeId] = set()
        if carried is not None and carried not in view.merged | view.opened and self._tools.is_wanted(carried):
            found, _, _ = find(self._work, carried, Bot.GATE)
            closed |= {carried} if found.ours is not None else set()
        if candidates(view):
            closed |= self._tools.recently_closed().keys()
        return frozenset(one for one in closed if one.stream == self._stream) - view.opened

    def readiness(self, view: StreamView) -> Readiness:
        """Look at what was never seen, oldest first, until as many are finished as may be opened."""
        readiness: dict[ComposeId, Status | tuple[Problem, ...]] = {}
        for compose_id in unseen(view) if self._tools.opener is not None else ():
            finished = [one for one in readiness.values() if one in view.entry.statuses]
            if len(finished) >= view.entry.open_at_most:
                break
            with self._work.console.progress(f"looking at {compose_id}"):
                readiness[compose_id] = self._status(compose_id)
        return readiness

    def _status(self, compose_id: ComposeId) -> Status | tuple[Problem, ...]:
        root = self.root(compose_id)
        try:
            found, status = identity(root)
            same_id(root, found, compose_id)
        except InputError as error:
            return error.problems
        return status

    def root(self, compose_id: ComposeId) -> Root:
        """Give where a compose is, or, where no index lists it, the first place that has one of its name."""
        place = self._places.get(compose_id)
        places = self._entry.composes if place is None else (place,)
        roots = [root_in(one, str(compose_id), self._tools.http.read) for one in places]
        return next((root for root in roots[:-1] if root.read("COMPOSE_ID", _MOST) is not None), roots[-1])

    def attempted(self, read: Callable[[], T]) -> T | None:
        """Try to read; report what goes wrong, even by a mistake of ours, as a problem of the stream."""
        try:
            return read()
        except FAILURES as error:
            problems = problems_of(error, self._stream)
        except Exception as error:  # noqa: BLE001  # our mistake with one stream is no other's: it is told, and goes on
            self._work.console.trace("".join(traceback.format_exception(error)))
            problems = (mistake_of(error, self._stream),)
        self.problems += problems
        for problem in problems:
            self._work.console.error(as_line(problem))
        return None


def _strange(published: str, message: str) -> Problem:
    return Problem(
        path=published,
        code=Code.PUBLISHED_UNKNOWN,
        message=message,
        fix="see what the mirrors carry; fix the address in gate/streams.toml",
    )
