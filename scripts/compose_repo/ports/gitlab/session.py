"""What goes over the line to GitLab: traced, paced, bounded, repeated where that is safe."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from compose_repo.core.links import SCHEMES
from compose_repo.ports.clock import Clock
from compose_repo.ports.gitlab.bounds import BoundedAdapter, Elsewhere, is_below
from compose_repo.ports.gitlab.pace import Pace
from compose_repo.ports.retry import Backoff, Retry, retry_after

Trace = Callable[[str], None]

TRIES: Final = 6
LONGEST_WAIT: Final = 120.0
"""Seconds that a Retry-After may ask for; GitLab's limits are counted by the minute."""
LONGEST_IN_ALL: Final = 300.0
"""Seconds in all that one account waits for failures to pass: a GitLab that takes no writes for hours is not waited for
anew at each of hundreds of steps. What a Retry-After asks for does not count."""
LONGEST_FOR_NOBODY: Final = 0.9
"""Seconds between tries up to which a host is tried that nobody answers at."""
TOO_MANY: Final = 429
BACKOFF: Final = Backoff(first=0.3125, tries=TRIES, longest_asked=LONGEST_WAIT, spread=0.4)
LONGER_UNTOLD: Final = 12
"""How much longer is waited where GitLab says 429 and not until when, as it does of notes: past a minute in all."""
TRANSIENT: Final = frozenset({500, 502, 503, 504})
BROKEN: Final = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Session(requests.Session):
    """Requests that are traced, paced, bounded in time and size, repeated where that is safe, and all to one host.

    Each try has its own turn. `home` is GitLab's address: what is not below it gets no request, and so no token.
    """

    def __init__(self, home: str, trace: Trace, clock: Clock, pace: Pace) -> None:
        super().__init__()
        self._home = home
        for scheme in SCHEMES:
            self.mount(f"{scheme}://", BoundedAdapter(clock))
        self._trace = trace
        self._clock = clock
        self._pace = pace
        self._left = LONGEST_IN_ALL
        self.date = ""
        """What the last answer says of the time."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401  # handed on as they are
        """Send; repeat when told to slow down, and reads also when the failure may pass.

        Raises:
            Elsewhere: the address is not GitLab's.

        """
        if not is_below(url, self._home):
            raise Elsewhere(url)
        reads = method.upper() == "GET"
        retry = Retry(BACKOFF, self._clock)
        while True:
            try:
                with self._pace.turn(method, urlsplit(url).path, self._waiting):
                    started = self._clock.monotonic()
                    response = super().request(method, url, *args, **kwargs)
            except BROKEN as error:
                self._told(method, url, kwargs, type(error).__name__, started)
                wait = retry.wait()
                if not reads or wait is None or _is_hopeless(error, wait) or not self.may_wait(wait):
                    raise
            else:
                self._told(method, url, kwargs, response.status_code, started)
                self.date = response.headers.get("Date", "")
                wait = self._wait_after(response, retry, reads=reads)
                if wait is None:
                    return response
            self._clock.sleep(wait)

    def _wait_after(self, response: requests.Response, retry: Retry, *, reads: bool) -> float | None:
        """Return how long to wait before a request is repeated, None if its answer is to be taken."""
        too_many = response.status_code == TOO_MANY
        if not too_many and not (reads and response.status_code in TRANSIENT):
            return None
        asked = retry_after(response.headers, self._clock)
        wait = retry.wait(asked, times=LONGER_UNTOLD if too_many and asked is None else 1)
        return wait if wait is not None and (too_many or self.may_wait(wait)) else None

    def may_wait(self, seconds: float) -> bool:
        """Take so long out of what may be waited for failures in all; tell whether it was there."""
        if self._left <= 0:
            return False
        self._left -= seconds
        return True

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Drop the token when a redirect leads to another host; requests knows only the Authorization header."""
        super().rebuild_auth(prepared_request, response)
        if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
            prepared_request.headers.pop("PRIVATE-TOKEN", None)

    def _waiting(self, seconds: float) -> None:
        self._trace(f"waits {seconds:.1f} s: GitLab takes only so many requests in a minute")

    def _told(self, method: str, url: str, options: Mapping[str, Any], outcome: object, start: float) -> None:
        query = "&".join(f"{name}={value}" for name, value in (options.get("params") or {}).items())
        took = (self._clock.monotonic() - start) * 1000
        where = f"{urlsplit(url).path}{'?' if query else ''}{query}"
        self._trace(f"{method.upper()} {where} {outcome} ({took:.0f} ms)")


def _is_hopeless(error: Exception, wait: float) -> bool:
    """Return whether a retry is useless: a certificate does not fix itself, and a host is seldom just starting."""
    return isinstance(error, requests.exceptions.SSLError) or (_never_began(error) and wait > LONGEST_FOR_NOBODY)


def _never_began(error: BaseException | None) -> bool:
    """Tell whether no connection came about at all: no such host, or nobody listens there."""
    if error is None:
        return False
    return isinstance(error, urllib3.exceptions.NewConnectionError) or _never_began(error.__context__)
