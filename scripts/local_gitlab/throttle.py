"""GitLab's limits of how much an account may ask in a minute; off until a test turns them on."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SPAN = 60.0


@dataclass(kw_only=True)
class Throttle:
    """So many requests of the API, and so many new notes, of an account in any minute; None means no limit."""

    requests: int | None = None
    notes: int | None = None
    clock: Callable[[], float] = time.monotonic
    _taken: defaultdict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def request(self, username: str) -> int | None:
        """Count a request; when it is one too many, return after how many seconds there is room again."""
        return self._over("requests", username, self.requests)

    def note(self, username: str) -> int | None:
        """Count a new note."""
        return self._over("notes", username, self.notes)

    def _over(self, kind: str, username: str, most: int | None) -> int | None:
        if most is None:
            return None
        with self._guard:
            now, taken = self.clock(), self._taken[kind, username]
            while taken and taken[0] <= now - SPAN:
                taken.popleft()
            if len(taken) >= most:
                return math.ceil(taken[0] + SPAN - now)
            taken.append(now)
        return None
