"""Connections by urllib3 that keep a deadline: it holds for each byte of an answer, its headers too."""

import functools
import http.client
import io
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import urllib3

from compose_repo.ports.retry import Deadline

_OPTIONS: Final[dict[str, Any]] = {
    "redirect": False,
    "retries": False,
    "preload_content": False,
    "decode_content": False,
    "enforce_content_length": False,
}
"""What urllib3 would do by itself, and we do by rules of our own."""


def open_url(
    url: str, headers: dict[str, str], deadline: Deadline, tls: ssl.SSLContext | None, *, data: bytes | None = None
) -> urllib3.BaseHTTPResponse:
    """Ask once, or post `data`, by way of the proxy that the environment names; return the answer whatever its status.

    Raises:
        OSError: there was no time left to ask.
        urllib3.exceptions.HTTPError: there is no connection, no answer in time, or it is not HTTP; `failures` says why.

    """
    manager = _manager(url, tls)
    # The pool that is made here is the one that `urlopen` finds below.
    pool = manager.connection_from_url(url)
    connect = pool.ConnectionCls

    def connect_in_time(**how: Any) -> Any:  # noqa: ANN401  # what the pool says of it, and what it would make of that
        connection: Any = connect(**how)
        connection.response_class = functools.partial(ResponseInTime, deadline=deadline)
        return connection

    pool.ConnectionCls = connect_in_time  # type: ignore[assignment]  # it is only called
    method = "GET" if data is None else "POST"
    told = {**headers, "Connection": "close"}
    return manager.urlopen(method, url, headers=told, body=data, timeout=deadline.silence(), **_OPTIONS)


def failures(error: BaseException) -> Iterator[BaseException]:
    """Yield a failure, and those that it was made from, down to the first of them."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or next((one for one in found.args if isinstance(one, BaseException)), None)


def _manager(url: str, tls: ssl.SSLContext | None) -> urllib3.PoolManager:
    """Return what connects to a URL's server, or to the proxy that the environment names for it."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.netloc):
        return urllib3.PoolManager(ssl_context=tls)
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    account = urlsplit(proxy)
    known = f"{unquote(account.username or '')}:{unquote(account.password or '')}" if account.password else None
    return urllib3.ProxyManager(proxy, proxy_headers=urllib3.make_headers(proxy_basic_auth=known), ssl_context=tls)


class ResponseInTime(http.client.HTTPResponse):
    """An answer of which each byte, its headers too, comes before a deadline."""

    def __init__(self, sock: socket.socket, *, deadline: Deadline, method: str | None = None) -> None:
        super().__init__(sock, method=method)
        self.fp = io.BufferedReader(_FileInTime(self.fp.detach(), sock, deadline))


class _FileInTime(io.RawIOBase):
    """A connection's bytes; each read waits no longer than the deadline allows."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401  # anything that can be written into
        self._sock.settimeout(self._deadline.silence())
        size = self._raw.readinto(buffer)
        self._deadline.silence()  # what comes too late is no answer, however much has come at once
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
