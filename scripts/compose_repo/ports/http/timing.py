"""How long to wait for a server: between tries, for its next byte, and for all of it."""

from msgspec import Struct

from compose_repo.ports import environment
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


def limits() -> Limits:
    """Return the environment's timeout; a slow transfer may take twenty times that in all."""
    seconds = environment.timeout()
    return Limits(timeout=seconds, total=20 * seconds)
