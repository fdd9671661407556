"""A web server on loopback that shows a folder, and fails where it is told to."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import email.message


@dataclass(kw_only=True)
class Answer:
    """What to answer in place of the file: sent as it is, after `delay` seconds, cut off after `cut` bytes.

    `raw` is sent in place of status, headers and body; of what is sent, `repeated` again and again until the client
    goes away. `drip` is called after each byte, which is then sent alone. With `reset` the connection is torn down.
    """

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    raw: bytes | None = None
    repeated: bytes = b""
    drip: Callable[[], None] | None = None
    reset: bool = False


class ComposeServer(ThreadingHTTPServer):
    """Serves `root`; `answers` maps a path to what is answered there, one after the other, the last one for good."""

    daemon_threads = True

    def __init__(self, root: Path, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.answers: dict[str, list[Answer]] = {}
        self.seen: list[str] = []
        self.headers: list[email.message.Message] = []
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """Its address, without a trailing slash."""
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: ComposeServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.seen.append(path)
        self.server.headers.append(self.headers)
        prepared = self.server.answers.get(path)
        answer = (prepared.pop(0) if len(prepared) > 1 else prepared[0]) if prepared else Answer()
        file = self.server.root / path.lstrip("/")
        body = answer.body
        if body is None and answer.raw is None:
            if file.is_dir():
                body = b"<html><body>Index of files</body></html>"
            elif file.is_file():
                body = file.read_bytes()
            else:
                answer, body = Answer(status=404), b"<html>not found</html>"
        time.sleep(answer.delay)
        with contextlib.suppress(OSError):  # a client that has had enough goes away
            self._send(answer, body or b"")
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    do_CONNECT = do_GET  # noqa: N815  # as a proxy it answers for itself

    def _send(self, answer: Answer, body: bytes) -> None:
        if answer.raw is None:
            self._send_response(answer, body)
        elif answer.drip is None:
            self.wfile.write(answer.raw)
        else:
            for byte in answer.raw:
                self.wfile.write(bytes([byte]))
                answer.drip()
        while answer.repeated:
            self.wfile.write(answer.repeated)

    def _send_response(self, answer: Answer, body: bytes) -> None:
        self.send_response(answer.status)
        if "Content-Length" not in answer.headers and "Transfer-Encoding" not in answer.headers:
            self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: answer.cut])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(root: Path, tls: ssl.SSLContext | None = None) -> Iterator[ComposeServer]:
    """Serve a folder while the block runs."""
    server = ComposeServer(root, tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
