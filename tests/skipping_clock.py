"""Clocks for tests: what somebody would sleep takes no time."""

import datetime as dt
import time

from compose_repo.ports.clock import Clock, Signal

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
MOMENT = 0.002
"""Seconds for which a running clock really sleeps: the servers of a test run in threads beside it."""


class SkippingClock(Clock):
    """Passes only when somebody sleeps, or when `tick` says so; `slept` lists the sleeps. Chance is what it is set to.

    The time of day stands still.
    """

    def __init__(self, *, chance: float = 1.0, now: dt.datetime = NOW) -> None:
        self.passed = 0.0
        self.slept: list[float] = []
        self.luck = chance
        self._now = now

    def monotonic(self) -> float:
        """Return what has passed so far."""
        return self.passed

    def now(self) -> dt.datetime:
        """Return the time of day that was given."""
        return self._now

    def sleep(self, seconds: float, until: Signal | None = None) -> None:  # noqa: ARG002  # nobody gives it here
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.passed += seconds

    def chance(self) -> float:
        """Return what chance was set to."""
        return self.luck

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass."""
        self.passed += seconds


class RunningClock(Clock):
    """Runs as the machine's clock does, but skips what somebody would sleep: for whole verbs and real servers."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        """Return what has passed, the sleeps included."""
        return super().monotonic() + self.skipped

    def now(self) -> dt.datetime:
        """Return the time of day, as if the sleeps had been slept."""
        return super().now() + dt.timedelta(seconds=self.skipped)

    def sleep(self, seconds: float, until: Signal | None = None) -> None:  # noqa: ARG002  # nobody gives it here
        """Sleep for a moment only."""
        time.sleep(min(seconds, MOMENT))
        self.skipped += seconds
