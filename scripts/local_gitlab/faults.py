"""Faults on request, so that tests see how a client bears them; and a log of what was asked."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["429", "500", "502", "503", "reset", "apply-then-drop", "slow", "act"]


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
    """What happens to the next requests whose method and path match."""

    kind: Kind
    method: str = ""
    path: str = ""
    times: int = 1
    retry_after: int = 0
    seconds: float = 0.0
    act: Callable[[], object] = lambda: None


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
        retry_after: int = 0,
        seconds: float = 0.0,
    ) -> None:
        """Plan a fault for the next `times` requests whose path the regular expression `path` finds.

        `reset` closes the connection without an answer, before anything is done; `apply-then-drop` does
        everything and then closes it; `slow` waits `seconds` and answers.
        """
        fault = Fault(kind=kind, method=method, path=path, times=times, retry_after=retry_after, seconds=seconds)
        with self._guard:
            self._planned.append(fault)

    def before(self, method: str, path: str, act: Callable[[], object]) -> None:
        """Let somebody act right before the next request that matches is looked at: what a race can come to."""
        with self._guard:
            self._planned.append(Fault(kind="act", method=method, path=path, act=act))

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._guard:
            self._planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, and use it up."""
        with self._guard:
            for fault in self._planned:
                if fault.method not in {"", method} or not re.search(fault.path, path):
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._planned.remove(fault)
                return fault
        return None
