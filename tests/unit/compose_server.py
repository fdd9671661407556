"""A web server on loopback that shows a folder, and fails where it is told to."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(kw_only=True)
class Answer:
    """What to answer in place of the file: sent as it is, after `delay` seconds, cut off after `cut` bytes."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None


class ComposeServer(ThreadingHTTPServer):
    """Serves `root`; `answers` maps a path to what is answered there, one after the other, the last one for good."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.answers: dict[str, list[Answer]] = {}
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        """Its address, without a trailing slash."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: ComposeServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.seen.append(path)
        prepared = self.server.answers.get(path)
        answer = (prepared.pop(0) if len(prepared) > 1 else prepared[0]) if prepared else Answer()
        file = self.server.root / path.lstrip("/")
        body = answer.body
        if body is None:
            if file.is_dir():
                body = b"<html><body>Index of files</body></html>"
            elif file.is_file():
                body = file.read_bytes()
            else:
                answer, body = Answer(status=404), b"<html>not found</html>"
        time.sleep(answer.delay)
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
def serving(root: Path) -> Iterator[ComposeServer]:
    """Serve a folder while the block runs."""
    server = ComposeServer(root)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
