"""How much GitLab may answer, how long that may take, and which host gets the token."""

from typing import Any, Final
from urllib.parse import urlsplit

import requests
import requests.adapters

from compose_repo.ports.clock import Clock
from compose_repo.ports.http.connection import ResponseInTime
from compose_repo.ports.retry import Deadline

ANSWER_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of one answer: ten rows of the longest texts that GitLab keeps, each character of them escaped."""
TIMES: Final = 10
"""How many times the seconds that a server may be silent one whole answer may take."""
_CHUNK: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}


class OutOfBounds(requests.RequestException):
    """An answer that is not taken; another try gets the same."""


class TooLarge(OutOfBounds):
    """An answer of more bytes than any that is needed."""

    def __init__(self) -> None:
        super().__init__(f"its answer is over {ANSWER_BYTES // 1024 // 1024} MiB; look at what it sends")


class TooSlow(OutOfBounds):
    """An answer that comes in little by little, without an end."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"its answer took longer than {seconds:g} s (ten times COMPOSE_REPO_TIMEOUT); try again later")


class Elsewhere(OutOfBounds):
    """An address on another host than GitLab's own; it gets no request."""

    def __init__(self, url: str) -> None:
        host = url.partition("://")[2].partition("/")[0]
        super().__init__(f"it sends us to {host!r}, which is not its own host; check COMPOSE_REPO_URL")


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Give what tells one server from another: scheme, host and port.

    Raises:
        ValueError: it is not an address.

    """
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port or _PORTS.get(parts.scheme.lower())


def is_below(url: str, home: str) -> bool:
    """Tell whether an address is on GitLab's own host, below its own path."""
    try:
        same = origin_of(url) == origin_of(home)
    except ValueError:
        return False
    within = urlsplit(url).path.startswith(f"{urlsplit(home).path.rstrip('/')}/")
    return same and within and "@" not in urlsplit(url).netloc


class BoundedAdapter(requests.adapters.HTTPAdapter):
    """Reads each answer whole, its headers too, within bounds of size and time; redirects lead through it as well."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._deadline = Deadline(0.0, clock, silence=0.0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as requests has it
        """Give what connects to a host; its answers keep the deadline of the request that is under way."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        connect = pool.ConnectionCls
        if getattr(connect, "adapter", None) is not self:

            def connect_in_time(**how: Any) -> Any:  # noqa: ANN401  # what the pool makes of it
                connection = connect(**how)
                connection.response_class = self._response
                return connection

            connect_in_time.adapter = self  # type: ignore[attr-defined]  # a function may have any
            pool.ConnectionCls = connect_in_time
        return pool

    def _response(self, *args: Any, **kwargs: Any) -> ResponseInTime:  # noqa: ANN401  # what http.client makes of it
        return ResponseInTime(*args, deadline=self._deadline, **kwargs)

    def send(  # type: ignore[override]  # of requests' parameters, those that come are named by our Session
        self,
        request: requests.PreparedRequest,
        *,
        timeout: float,
        **kwargs: Any,  # noqa: ANN401  # as above
    ) -> requests.Response:
        """Send a request and read its answer.

        Raises:
            TooLarge: it is larger than any that is needed.
            TooSlow: it has not come to its end in time.

        """
        in_all = TIMES * timeout
        self._deadline = Deadline(in_all, self._clock, silence=timeout)
        try:
            response = super().send(request, timeout=timeout, **{**kwargs, "stream": True})
            content = _content(response)
        except requests.RequestException as error:
            if self._deadline.left <= 0:
                raise TooSlow(in_all) from error
            raise
        response._content = content  # noqa: SLF001  # so requests itself keeps what it has read
        response._content_consumed = True  # noqa: SLF001  # as above
        return response


def _content(response: requests.Response) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_content(_CHUNK):
        size += len(piece)
        if size > ANSWER_BYTES:
            response.close()
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)
