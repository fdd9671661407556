"""Telling a server something, once: whether it has arrived is as much of the answer as what came of it."""

import errno
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct
from urllib3.exceptions import HTTPError, LocationValueError, NameResolutionError, NewConnectionError

from compose_repo.ports.clock import Clock
from compose_repo.ports.http.connection import failures, open_url
from compose_repo.ports.http.timing import Limits
from compose_repo.ports.retry import Deadline

_TOLD: Final = 201
"""What Jenkins and GitLab answer when they have taken a call; another 2xx may be a page that stands in between."""
_REFUSED: Final = range(400, 500)
_NO_WAY: Final = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})
_AGENT: Final = {"User-Agent": "compose-repo", "Accept": "*/*", "Content-Type": "application/x-www-form-urlencoded"}


class Told(Struct, frozen=True, kw_only=True):
    """What came of telling: done (True), surely not done (False), or nobody knows (None); and why, without secrets."""

    done: bool | None
    said: str


def post_form(url: str, fields: Mapping[str, str], headers: Mapping[str, str], limits: Limits, clock: Clock) -> Told:
    """Send a form, one time, and follow no redirect: it could lead to somebody else, and the secret with it.

    Neither the address nor anything that the server says is repeated: it may hold what it was sent.
    """
    deadline = Deadline(limits.total, clock, silence=limits.timeout)
    tls = ssl.create_default_context() if url.startswith("https:") else None
    data = urlencode(fields).encode("ascii")
    try:
        with open_url(url, {**_AGENT, **headers}, deadline, tls, data=data) as response:
            status = response.status
    except (OSError, HTTPError) as error:
        return Told(done=False if _is_no_way(error) else None, said=_why(error))
    done = True if status == _TOLD else False if status in _REFUSED else None
    return Told(done=done, said=f"HTTP {status}")


def _is_no_way(error: Exception) -> bool:
    """Tell whether there was no connection over which anything could have been sent."""
    *_, reason = chain = tuple(failures(error))
    if isinstance(reason, ssl.SSLCertVerificationError):
        return True
    if any(isinstance(one, NameResolutionError | LocationValueError) for one in chain):
        return True
    never_began = any(isinstance(one, NewConnectionError) for one in chain)
    return never_began and isinstance(reason, OSError) and reason.errno in _NO_WAY


def _why(error: Exception) -> str:
    *_, reason = failures(error)
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return "no answer in time" if isinstance(reason, TimeoutError) else type(reason).__name__
