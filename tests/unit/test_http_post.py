"""Telling a server something once: it is known whether that was done, was surely not done, or nobody knows."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from compose_repo.ports.http import Limits
from compose_repo.ports.http.post import Told, post_form
from skipping_clock import SkippingClock

LIMITS = Limits(timeout=0.3, total=5.0, tries=1)
SECRET = "s3cret"  # noqa: S105


class Receiver(http.server.ThreadingHTTPServer):
    """Takes forms; answers with `status`, or with the bytes in its place."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status: int | bytes = 201
        self.clock: SkippingClock | None = None
        self.got: list[tuple[str, str, bytes]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients that go away are part of the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Authorization"], body))
        if isinstance(self.server.status, bytes):
            for byte in self.server.status:
                self.wfile.write(bytes([byte]))
                if self.server.clock is not None:
                    self.server.clock.tick()
            return
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def post(port: int, clock: SkippingClock | None = None) -> Told:
    fields, headers = {"name": "a b"}, {"Authorization": SECRET}
    return post_form(f"http://127.0.0.1:{port}/job?x=1", fields, headers, LIMITS, clock or SkippingClock())


@pytest.mark.parametrize(
    ("status", "done"), [(201, True), (200, None), (302, None), (400, False), (404, False), (429, False), (503, None)]
)
def test_what_is_answered_tells_whether_it_was_done(receiver: Receiver, status: int, *, done: bool | None) -> None:
    receiver.status = status
    assert post(receiver.server_port) == Told(done=done, said=f"HTTP {status}")
    assert receiver.got == [("/job?x=1", SECRET, b"name=a+b")]


@contextmanager
def answering(how: Callable[[socket.socket], None]) -> Iterator[int]:
    """Take one connection and do something with it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = b""
                while not asked.endswith(b"name=a+b"):  # what is left unread would make an end a reset
                    asked += connection.recv(65536)
                how(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_where_the_connection_ends_without_an_answer_nobody_knows() -> None:
    with answering(lambda _: None) as port:
        assert post(port) == Told(done=None, said="RemoteDisconnected")


def test_where_no_answer_comes_in_time_nobody_knows() -> None:
    done = threading.Event()

    def wait(_: socket.socket) -> None:
        done.wait(5)

    with answering(wait) as port:
        assert post(port) == Told(done=None, said="no answer in time")
        done.set()


def test_an_answer_that_drips_is_bounded_in_time(receiver: Receiver) -> None:
    receiver.status, receiver.clock = b"HTTP/1.1 201 " + b"O" * 500, SkippingClock()
    assert post(receiver.server_port, receiver.clock) == Told(done=None, said="no answer in time")


def test_where_nobody_listens_it_was_surely_not_done() -> None:
    assert post(9) == Told(done=False, said="Connection refused")


@pytest.mark.parametrize("host", ["hook.invalid", "a..b"])
def test_where_there_is_no_such_host_it_was_surely_not_done(host: str) -> None:
    told = post_form(f"http://{host}/job", {}, {"Authorization": SECRET}, LIMITS, SkippingClock())
    assert (told.done, SECRET in told.said) == (False, False)


def test_where_the_proxy_is_not_there_it_was_surely_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    told = post_form("http://hook.invalid/job", {}, {}, LIMITS, SkippingClock())
    assert told == Told(done=False, said="Connection refused")
