"""The only module that reads the clock, sleeps and asks chance.

The command line makes one clock and hands it to everything that waits. Tests hand in one whose sleeps take no time.
"""

import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import datetime as dt


class Signal(Protocol):
    """What may end a sleep early; `threading.Event` is one."""

    def wait(self, timeout: float) -> object:
        """Return as soon as the signal is given, or when the time is over."""


class Clock:
    """Time and chance, as the machine has them."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow; what they count from means nothing."""
        return time.monotonic()

    def now(self) -> "dt.datetime":
        """Return the time of day, in UTC."""
        import datetime as dt  # noqa: PLC0415  # the start of the command line needs none

        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float, until: Signal | None = None) -> None:
        """Wait so long, or until a signal is given."""
        if until is None:
            time.sleep(seconds)
        else:
            until.wait(seconds)

    def chance(self) -> float:
        """Return a random number in [0, 1); it keeps no secret."""
        import random  # noqa: PLC0415  # only what waits needs it, and it is slow to import

        return random.random()  # noqa: S311  # no secret


REAL: Final = Clock()
"""The machine's own clock, where nothing else is handed in."""
