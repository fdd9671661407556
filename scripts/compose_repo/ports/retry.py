"""Trying again: how long to wait after each failure, and when to give up.

Everything that retries goes by a `Backoff`, which says how its waits grow. A `Retry` counts the failures of one thing
by it. A `Deadline` bounds the tries and waits together.
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compose_repo.ports.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """How the waits between tries grow, in seconds.

    The first is `first`, each next one twice as long, none longer than `longest`. Chance shortens each by up to the
    share `spread`, so that several who fail at once do not all come back at once. There are at most `tries`. A server
    that asks for more than `longest_asked` is not tried again.
    """

    first: float
    tries: float = math.inf
    longest: float = math.inf
    longest_asked: float = math.inf
    spread: float = 0.0

    def after(self, failures: int, clock: Clock) -> float:
        """Return the wait after so many failures in a row."""
        grown = min(self.longest, self.first * 2.0 ** min(failures - 1, _DOUBLINGS))
        return grown * (1 - self.spread * (1 - clock.chance())) if self.spread else grown


_DOUBLINGS: Final = 1000
"""More would be too many for a float."""


STEADY: Final = 65_536
"""So many bytes of a document are no drops."""


class Deadline:
    """The moment at which to give up, and the silence that is allowed until then.

    Where `steady` is given, fewer bytes than that are as good as silence: what comes in drops is not waited for.
    """

    def __init__(self, seconds: float, clock: Clock, *, silence: float = math.inf, steady: int | None = None) -> None:
        self._clock = clock
        self._steady = steady
        self._end = clock.monotonic() + seconds
        self.allow(silence)

    @property
    def left(self) -> float:
        """The seconds that are left, negative once it has passed."""
        return self._end - self._clock.monotonic()

    def silence(self) -> float:
        """Return how many seconds the other side may be silent now.

        Raises:
            TimeoutError: nothing is left.

        """
        now = self._clock.monotonic()
        since = now if self._steady is None else self._since
        left = min(since + self._silence - now, self.left)
        if left <= 0:
            raise TimeoutError
        return left

    def allow(self, silence: float) -> None:
        """Allow so much silence, from now on: another try begins."""
        self._silence = silence
        self._begin()

    def came(self, size: int) -> None:
        """Count bytes that have come."""
        self._came += size
        if self._steady is not None and self._came >= self._steady:
            self._begin()

    def _begin(self) -> None:
        self._came = 0
        self._since = self._clock.monotonic()


class Retry:
    """The tries of one thing: counts its failures, and says how long to wait after each."""

    def __init__(self, backoff: Backoff, clock: Clock, deadline: Deadline | None = None) -> None:
        self._backoff = backoff
        self._clock = clock
        self._deadline = deadline
        self._failures = 0

    def wait(self, asked: float | None = None, *, times: float = 1.0) -> float | None:
        """Count one more failure; return how long to wait before the next try, or None if there is to be none.

        `asked` is what the server asks for: it is not tried sooner. `times` makes the wait longer where the server is
        known to need that.
        """
        self._failures += 1
        if self._failures >= self._backoff.tries or (asked or 0.0) > self._backoff.longest_asked:
            return None
        wait = max(asked or 0.0, times * self._backoff.after(self._failures, self._clock))
        return None if self._deadline is not None and wait >= self._deadline.left else wait

    def again(self, asked: float | None = None) -> bool:
        """Count one more failure and wait; return False, at once, if there is to be no other try."""
        wait = self.wait(asked)
        if wait is None:
            return False
        self._clock.sleep(wait)
        return True


def retry_after(headers: "Mapping[str, str]", clock: Clock) -> float | None:
    """Read Retry-After, in seconds or as a date; a date is measured by the server's own clock where it shows one.

    Return None where it is absent, or neither.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:_DIGITS])
    then = http_date(text)
    if then is None:
        return None
    return max(0.0, (then - (http_date(headers.get("Date", "")) or clock.now())).total_seconds())


_DIGITS: Final = 9


def http_date(text: str) -> dt.datetime | None:
    """Read a date of a header, None if it is not one."""
    import email.utils  # noqa: PLC0415  # offline verbs run git, which may be retried, and read no header

    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
