"""How fast requests follow one another, so that GitLab need not refuse any.

gitlab.com takes 2,000 requests of an account in a minute and 60 new notes. Past the first it says when to come back,
past the second it does not. An edit of a note is counted with the new ones, though GitLab is more lenient there.

What other processes do with the same account is not known here; where that makes too many, GitLab's 429 is obeyed
(`passes/work.py`).
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from compose_repo.ports.clock import Clock

SPAN: Final = 60.0
"""Seconds over which GitLab counts."""
MOST_REQUESTS: Final = 1_500
MOST_NOTES: Final = 45
_NOTE: Final = re.compile(r"/notes(?:/\d+)?\Z")


class Window:
    """Lets at most so many things happen within any minute.

    A thing counts from its end on: whatever time requests and answers take on their way, nowhere between the two ends
    of the line are there more of them in a minute.
    """

    def __init__(self, most: int) -> None:
        self._ends: deque[float] = deque(maxlen=most)

    def wait(self, now: float) -> float:
        """Give how many seconds the next one has to wait; 0 or less if it need not."""
        full = len(self._ends) == self._ends.maxlen
        return self._ends[0] + SPAN - now if full else 0.0

    def count(self, now: float) -> None:
        """Take note that one is over."""
        self._ends.append(now)


class Pace:
    """Gives each request of one account its turn; for one thread at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._requests = Window(MOST_REQUESTS)
        self._notes = Window(MOST_NOTES)

    @contextmanager
    def turn(self, method: str, path: str, told: Callable[[float], None]) -> Iterator[None]:
        """Wait until a request may be sent, say so first, and count the request, however it ends."""
        windows = [self._requests, self._notes] if _writes_a_note(method, path) else [self._requests]
        wait = max(window.wait(self._clock.monotonic()) for window in windows)
        if wait > 0:
            told(wait)
            self._clock.sleep(wait)
        try:
            yield
        finally:
            for window in windows:
                window.count(self._clock.monotonic())


class Paces:
    """The paces of the accounts that a process acts as, each kept from one pass to the next."""

    def __init__(self, clock: Clock, make: Callable[[Clock], Pace] = Pace) -> None:
        self._clock = clock
        self._make = make
        self._of: dict[str, Pace] = {}

    def of(self, token: str) -> Pace:
        """Give the pace of the account that a token stands for."""
        return self._of.setdefault(token, self._make(self._clock))


def _writes_a_note(method: str, path: str) -> bool:
    return method.upper() != "GET" and _NOTE.search(path) is not None
