"""Telling a server something, once: whether it has arrived is as much of the answer as what came of it."""

import errno
import http.client
import socket
import ssl
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from compose_repo.ports.clock import Clock
from compose_repo.ports.http.connection import open_url
from compose_repo.ports.http.timing import Limits
from compose_repo.ports.retry import Deadline

_TOLD: Final = 201
"""What Jenkins and GitLab answer when they have taken a call; another 2xx may be a page that stands in between."""
_REFUSED: Final = range(400, 500)
_NO_WAY: Final = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})
_AGENT: Final = {"User-Agent": "compose-repo", "Accept": "*/*", "Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
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
    except urllib.error.URLError as error:
        return Told(done=False if _is_no_way(error.reason) else None, said=_why(error.reason))
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return Told(done=None, said=_why(error))
    done = True if status == _TOLD else False if status in _REFUSED else None
    return Told(done=done, said=f"HTTP {status}")


def _is_no_way(reason: object) -> bool:
    """Tell whether there was no connection over which anything could have been sent."""
    if isinstance(reason, socket.gaierror | ssl.SSLCertVerificationError):
        return True
    return isinstance(reason, OSError) and reason.errno in _NO_WAY


def _why(reason: object) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return "no answer in time" if isinstance(reason, TimeoutError) else type(reason).__name__
