"""Faults on request, so that tests see how a client bears them; and a log of what was asked."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal[
    "401", "403", "429", "500", "502", "503",
    "reset", "apply-then-drop", "apply-then-hang", "truncated", "slow",
    "act", "act-then-drop", "apply-then-act",
]  # fmt: skip
WRITES: Final = "POST|PUT|PATCH|DELETE"
"""The methods of requests that could change anything."""
NO_FETCH: Final = "^(?!.*/git-upload-pack)"
"""Finds every path but that of a fetch, which git asks for by POST."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedRequest:
    """One request that was answered."""

    method: str
    route: str
    path: str
    user: str
    status: int
    milliseconds: float

    @property
    def writes(self) -> bool:
        """Whether the request could change anything."""
        return self.method not in {"GET", "HEAD", "OPTIONS"}


@dataclass
class RequestLog:
    """Every request since the start or the last `clear`."""

    _entries: list[LoggedRequest] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _under_way: int = 0

    def begin(self) -> None:
        """Count a request that has come."""
        with self._guard:
            self._under_way += 1

    def end(self) -> None:
        """Count a request that is done with, answered or not."""
        with self._guard:
            self._under_way -= 1

    @property
    def under_way(self) -> int:
        """How many requests are being worked on."""
        with self._guard:
            return self._under_way

    def add(self, entry: LoggedRequest) -> None:
        """Remember a request."""
        with self._guard:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget everything."""
        with self._guard:
            self._entries.clear()

    @property
    def entries(self) -> list[LoggedRequest]:
        """The requests, oldest first."""
        with self._guard:
            return list(self._entries)

    @property
    def writes(self) -> list[LoggedRequest]:
        """The requests that could change something."""
        return [entry for entry in self.entries if entry.writes]

    def count(self, method: str = "", route: str = "") -> int:
        """Return how many requests there were, of a method and a route if given."""
        return sum((not method or e.method == method) and (not route or e.route == route) for e in self.entries)


@dataclass(kw_only=True, slots=True)
class Fault:
    """What happens to the next requests whose method and path match, after `skip` of them have passed unharmed."""

    kind: Kind
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    retry_after: int = 0
    seconds: float = 0.0
    act: Callable[[], object] = lambda: None
    when: Callable[[str, str], bool] = lambda _method, _path: True


@dataclass
class Faults:
    """The faults that are still to come."""

    _planned: list[Fault] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        kind: Kind,
        *,
        method: str = "",
        path: str = "",
        times: int = 1,
        skip: int = 0,
        retry_after: int = 0,
        seconds: float = 0.0,
        when: Callable[[str, str], bool] = lambda _method, _path: True,
    ) -> None:
        """Plan a fault for `times` requests whose path the regular expression `path` finds, after `skip` others.

        `method` is one or several, with | between them. `reset` closes the connection without an answer, before
        anything is done; `apply-then-drop` does everything and then closes it; `apply-then-hang` does everything and
        answers `seconds` later; `truncated` does everything and breaks off in the middle of the answer; `slow` waits
        `seconds`, does everything and answers. `when` is asked of each request that matches so far.
        """
        self._plan(
            Fault(
                kind=kind,
                method=method,
                path=path,
                times=times,
                skip=skip,
                retry_after=retry_after,
                seconds=seconds,
                when=when,
            )
        )

    def before(self, method: str, path: str, act: Callable[[], object], *, skip: int = 0, drop: bool = False) -> None:
        """Let somebody act right before the next request that matches is looked at: what a race can come to.

        With `drop` it is not looked at any more: the connection is closed.
        """
        self._plan(Fault(kind="act-then-drop" if drop else "act", method=method, path=path, act=act, skip=skip))

    def after(self, method: str, path: str, act: Callable[[], object], *, skip: int = 0) -> None:
        """Let somebody act right after the next request that matches was done, before it is answered: it never is."""
        self._plan(Fault(kind="apply-then-act", method=method, path=path, act=act, skip=skip))

    def _plan(self, fault: Fault) -> None:
        with self._guard:
            self._planned.append(fault)

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._guard:
            self._planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, and use it up."""
        with self._guard:
            for fault in self._planned:
                if (fault.method and method not in fault.method.split("|")) or not re.search(fault.path, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if not fault.when(method, path):
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._planned.remove(fault)
                return fault
        return None
