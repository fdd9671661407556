"""How long to wait for a server: between tries, for its next byte, and for all of it."""

import datetime as dt
import email.message
import email.utils
import random
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from compose_repo.ports import environment


class Limits(Struct, frozen=True, kw_only=True):
    """How patient to be with a server, in seconds.

    `timeout` is for its silence, `total` for one document with all tries and waits. There are `tries`; between them
    it waits `backoff`, each time up to twice as long, a random half of it. A server that names a time is asked no
    sooner, and not again if that is over `longest_wait` or too late for `total`.
    """

    timeout: float = 30.0
    total: float = 600.0
    tries: int = 4
    backoff: float = 0.5
    longest_wait: float = 60.0


def limits() -> Limits:
    """Give what the environment says; whoever dribbles has, in all, twenty times what silence has."""
    seconds = environment.patience()
    return Limits(timeout=seconds, total=20 * seconds)


class Pace(Struct, frozen=True, kw_only=True):
    """Time and chance: a clock that only runs forward, the time of day, a way to wait, numbers in [0, 1)."""

    clock: Callable[[], float] = time.monotonic
    time_of_day: Callable[[], dt.datetime] = environment.now
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


REAL: Final = Pace()


class Deadline:
    """The moment at which to give up on a document, and the silence allowed until then."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._timeout = limits.timeout
        self._clock = clock
        self._end = clock() + limits.total

    @property
    def left(self) -> float:
        """The seconds that are left, negative once it has passed."""
        return self._end - self._clock()

    def patience(self) -> float:
        """Say how long the server may be silent now.

        Raises:
            TimeoutError: it has had its time.

        """
        left = self.left
        if left <= 0:
            raise TimeoutError
        return min(self._timeout, left)


def wait_after(attempt: int, asked: float, limits: Limits, pace: Pace, deadline: Deadline) -> float | None:
    """Say how long to wait before the next try, or None if there is to be none."""
    grown = min(limits.longest_wait, limits.backoff * 2 ** (attempt - 1))
    wait = max(asked, grown * (1 + pace.chance()) / 2)
    return None if attempt >= limits.tries or asked > limits.longest_wait or wait >= deadline.left else wait


def retry_after(headers: email.message.Message, pace: Pace) -> float:
    """Read Retry-After, in seconds or as a date; a date is taken by the server's own clock where it shows one.

    What is neither asks for nothing.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:_DIGITS])
    then = http_date(text)
    if then is None:
        return 0.0
    return max(0.0, (then - (http_date(headers.get("Date", "")) or pace.time_of_day())).total_seconds())


_DIGITS: Final = 9


def http_date(text: str) -> dt.datetime | None:
    """Read a date of a header, None if it is none."""
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
