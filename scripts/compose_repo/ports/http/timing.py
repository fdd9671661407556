"""How long to wait for a server: between tries, for its next byte, and for all of it."""

import math

from msgspec import Struct

from compose_repo.core.problems.problem import Problem
from compose_repo.ports import environment
from compose_repo.ports.clock import Clock
from compose_repo.ports.retry import Backoff


class Limits(Struct, frozen=True, kw_only=True):
    """How long a server may take, in seconds.

    `timeout` is for its silence, `total` for one document with all tries and waits. There are `tries`; between them
    it waits `backoff`, each time up to twice as long, a random half of it. A server that names a time is asked no
    sooner, and not again if that is over `longest_wait` or too late for `total`.
    """

    timeout: float = 30.0
    total: float = 600.0
    tries: int = 4
    backoff: float = 0.5
    longest_wait: float = 60.0

    @property
    def between_tries(self) -> Backoff:
        """The waits between tries."""
        return Backoff(
            first=self.backoff,
            tries=self.tries,
            longest=self.longest_wait,
            longest_asked=self.longest_wait,
            spread=0.5,
        )


class Patience:
    """How much longer a run waits for each server, in seconds; whoever reads for one run shares it.

    What a server has cost by tries that failed, and by the waits between them, adds up over all its documents. One that
    has cost all of it is not asked again: a server that hangs costs a run no more, however much is to be read there.
    One document may cost a share of what is left, half of it, so that a single one that hangs in each run does not keep
    the others from ever being read. When less than a sixteenth is left, nothing is.
    """

    def __init__(self, seconds: float, clock: Clock, *, share: float = 0.5) -> None:
        self._seconds = seconds
        self._share = share
        self._clock = clock
        self._spent: dict[str, float] = {}
        self._last: dict[str, Problem] = {}

    def left(self, server: str) -> float:
        """Return the seconds that are left for a server."""
        return self._seconds - self._spent.get(server, 0.0)

    def kept_for_others(self, server: str) -> float:
        """Return the seconds that must be left for a server after its next document."""
        return 0.0 if math.isinf(self._seconds) else self.left(server) * (1 - self._share)

    def failed(self, server: str, began: float, problem: Problem) -> None:
        """Count a try that has failed."""
        self._spent[server] = self._spent.get(server, 0.0) + self._clock.monotonic() - began
        self._last[server] = problem

    def waited(self, server: str, seconds: float) -> None:
        """Count a wait."""
        self._spent[server] = self._spent.get(server, 0.0) + seconds

    def lost_with(self, server: str) -> Problem | None:
        """Give what was wrong with a server for which none is left; None while there is."""
        return self._last.get(server) if self.left(server) <= self._seconds / 16 else None


def patience(clock: Clock) -> Patience:
    """Begin a run's patience: each server may cost it as much as one silence, by the environment's timeout."""
    return Patience(environment.timeout(), clock)


def limits() -> Limits:
    """Return the environment's timeout; a slow transfer may take twenty times that in all."""
    seconds = environment.timeout()
    return Limits(timeout=seconds, total=20 * seconds)
