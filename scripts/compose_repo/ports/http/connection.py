"""Connections that keep a deadline: it holds for each byte of an answer, its headers too."""

import functools
import http.client
import io
import socket
import ssl
import urllib.request
from typing import Any

from compose_repo.ports.retry import Deadline


def open_url(
    url: str, headers: dict[str, str], deadline: Deadline, tls: ssl.SSLContext | None, *, data: bytes | None = None
) -> http.client.HTTPResponse:
    """Ask once, or post `data`, by way of the proxy that the environment names; give the answer whatever its status.

    Raises:
        OSError: there is no connection, or no answer in time.
        http.client.HTTPException: the answer is no HTTP.
        UnicodeError: the host's name can be none.

    """
    opener = urllib.request.OpenerDirector()
    opener.addheaders = []
    opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(_Plain(deadline))
    if tls is not None:
        opener.add_handler(_Tls(deadline, tls))
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310  # there are handlers for http(s) only
    response: http.client.HTTPResponse = opener.open(request, timeout=deadline.silence())
    return response


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_PlainConnection, deadline=self._deadline), req)


class _Tls(urllib.request.HTTPSHandler):
    def __init__(self, deadline: Deadline, context: ssl.SSLContext) -> None:
        super().__init__()
        self._deadline = deadline
        self._tls = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_TlsConnection, deadline=self._deadline), req, context=self._tls)


class _PlainConnection(http.client.HTTPConnection):
    def __init__(self, host: str, *, deadline: Deadline, **more: Any) -> None:  # noqa: ANN401  # as urllib calls it
        super().__init__(host, **more)
        self.response_class = functools.partial(_Response, deadline=deadline)  # type: ignore[assignment]  # made by it


class _TlsConnection(http.client.HTTPSConnection):
    def __init__(self, host: str, *, deadline: Deadline, **more: Any) -> None:  # noqa: ANN401  # as urllib calls it
        super().__init__(host, **more)
        self.response_class = functools.partial(_Response, deadline=deadline)  # type: ignore[assignment]  # made by it


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *, deadline: Deadline, method: str | None = None) -> None:
        super().__init__(sock, method=method)
        self.fp = io.BufferedReader(_PatientFile(self.fp.detach(), sock, deadline))


class _PatientFile(io.RawIOBase):
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
