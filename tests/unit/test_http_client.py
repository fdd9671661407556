"""The HTTP client and servers that fail in every way: it ends, it says why, it never takes wrong for right."""

import base64
import gzip
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from compose_server import Answer, ComposeServer, serving

from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.ports.http import Document, Http, Limits, Patience
from compose_repo.ports.retry import STEADY
from skipping_clock import RunningClock, SkippingClock

LIMITS: Final = Limits(timeout=5.0, total=100.0, tries=4, backoff=1.0, longest_wait=30.0)
LIMIT: Final = 1000


@pytest.fixture
def time() -> SkippingClock:
    return SkippingClock()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ComposeServer]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def http(time: SkippingClock) -> Http:
    return Http(LIMITS, clock=time)


def failure(http: Http, server: ComposeServer, *answers: Answer) -> str:
    server.answers["/file"] = list(answers)
    with pytest.raises(InputError) as caught:
        http.get(f"{server.url}/file", LIMIT)
    [problem] = caught.value.problems
    return problem.code


def body(http: Http, server: ComposeServer, *answers: Answer) -> bytes | None:
    server.answers["/file"] = list(answers)
    return http.read(f"{server.url}/file", LIMIT)


OK: Final = Answer(body=b"now")


class TestRetries:
    @pytest.mark.parametrize(
        "failing",
        [
            Answer(raw=b"", reset=True),
            Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Le", reset=True),
            Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", reset=True),
            Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
            Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"),
            Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
            Answer(raw=b"SSH-2.0-OpenSSH\r\n"),
            Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
            Answer(status=429, body=b""),
            Answer(status=500, body=b""),
            Answer(status=502, body=b""),
            Answer(status=599, body=b""),
        ],
    )
    def test_what_may_pass_is_tried_again(self, http: Http, server: ComposeServer, failing: Answer) -> None:
        assert body(http, server, failing, failing, OK) == b"now"

    @pytest.mark.parametrize("status", [400, 401, 403, 405, 408, 418, 451, 204, 206, 304])
    def test_any_other_status_is_final(self, http: Http, server: ComposeServer, status: int) -> None:
        assert failure(http, server, Answer(status=status, body=b"")) == "source-status"
        assert server.seen == ["/file"]

    def test_the_waits_grow_and_are_spread_by_chance(
        self, http: Http, server: ComposeServer, time: SkippingClock
    ) -> None:
        failure(http, server, Answer(status=503, body=b""))
        assert time.slept == [1.0, 2.0, 4.0]
        time.slept.clear()
        time.luck = 0.0
        failure(http, server, Answer(status=503, body=b""))
        assert time.slept == [0.5, 1.0, 2.0]

    def test_the_longest_wait_bounds_them(self, server: ComposeServer, time: SkippingClock) -> None:
        failure(Http(Limits(tries=4, backoff=1.0, longest_wait=1.5), clock=time), server, Answer(status=500, body=b""))
        assert time.slept == [1.0, 1.5, 1.5]

    def test_tries_and_waits_together_end_in_time(self, server: ComposeServer, time: SkippingClock) -> None:
        limits = Limits(total=10.0, tries=99, backoff=1.0)
        assert failure(Http(limits, clock=time), server, Answer(status=503, body=b"")) == "source-status"
        assert time.slept == [1.0, 2.0, 4.0]


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({"Retry-After": "7"}, 7.0),
            ({"Retry-After": " 30 "}, 30.0),
            ({"Retry-After": "Fri, 20 Nov 2026 12:00:09 GMT"}, 9.0),
            ({"Retry-After": "Fri, 20 Nov 2026 11:00:09 GMT", "Date": "Fri, 20 Nov 2026 11:00:00 GMT"}, 9.0),
            ({"Retry-After": "Fri, 20 Nov 2026 11:59:00 GMT"}, 1.0),
            ({"Retry-After": "0"}, 1.0),
            ({"Retry-After": "-5"}, 1.0),
            ({"Retry-After": "soon"}, 1.0),
            ({"Retry-After": "Mon, 99 Abc 99999999999 00:00:00 +9999"}, 1.0),
            ({"Retry-After": "²"}, 1.0),
            ({}, 1.0),
        ],
    )
    def test_is_honoured_in_seconds_and_as_a_date(
        self, http: Http, server: ComposeServer, time: SkippingClock, headers: dict[str, str], wait: float
    ) -> None:
        raw = "HTTP/1.1 429 Too Many\r\n" + "".join(f"{name}: {text}\r\n" for name, text in headers.items()) + "\r\n"
        assert body(http, server, Answer(raw=raw.encode("latin-1")), OK) == b"now"
        assert time.slept == [wait]

    @pytest.mark.parametrize("value", ["31", "9" * 400, "Fri, 20 Nov 2026 13:00:00 GMT"])
    def test_beyond_the_bound_ends_it_at_once(
        self, http: Http, server: ComposeServer, time: SkippingClock, value: str
    ) -> None:
        assert failure(http, server, Answer(raw=f"HTTP/1.1 503 x\r\nRetry-After: {value}\r\n\r\n".encode()))
        assert (server.seen, time.slept) == (["/file"], [])

    def test_is_told(self, http: Http, server: ComposeServer) -> None:
        server.answers["/file"] = [Answer(status=429, body=b"", headers={"Retry-After": "3600"})]
        with pytest.raises(InputError, match="answers with HTTP 429 and asks to wait 3,600 s"):
            http.get(f"{server.url}/file", LIMIT)


class TestDeadline:
    """The clock ticks once for each byte that is sent: an answer of more than `total` bytes takes too long."""

    @pytest.mark.parametrize(
        "raw",
        [
            b"HTTP/1.1 200 " + b"O" * 500,
            b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 500,
            b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
            b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500,
            b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500,
        ],
    )
    def test_covers_each_byte_of_an_answer(
        self, http: Http, server: ComposeServer, time: SkippingClock, raw: bytes
    ) -> None:
        assert failure(http, server, Answer(raw=raw, drip=time.tick)) == "source-timeout"
        assert server.seen == ["/file"]

    def test_an_answer_that_drips_in_time_is_read(self, http: Http, server: ComposeServer, time: SkippingClock) -> None:
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnow"
        assert body(http, server, Answer(raw=raw, drip=time.tick)) == b"now"

    def test_silence_is_tried_again(self, server: ComposeServer, time: SkippingClock) -> None:
        http = Http(Limits(timeout=0.1, tries=2), clock=time)
        assert body(http, server, Answer(raw=b"", delay=0.5), OK) == b"now"


NO_ANSWER: Final = Problem(path="x", code=Code.SOURCE_TIMEOUT, message="the server took too long", fix="wait")


def dripping_at(time: SkippingClock) -> Answer:
    """Make an answer of which a byte comes at each tick."""
    return Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500, drip=time.tick)


class TestPatience:
    """What a server may cost a run, however much is read there."""

    @pytest.fixture
    def patient(self, time: SkippingClock) -> Http:
        return Http(LIMITS, clock=time, patience=Patience(LIMITS.timeout, time))

    def test_a_server_that_drips_costs_one_time_limit_and_is_asked_no_more(
        self, patient: Http, server: ComposeServer, time: SkippingClock
    ) -> None:
        dripping = dripping_at(time)
        assert {failure(patient, server, dripping) for _ in range(10)} == {"source-timeout"}
        server.seen.clear()
        codes = [failure(patient, server, OK) for _ in range(50)]
        assert (set(codes), server.seen) == ({"source-timeout"}, [])

    def test_one_document_that_hangs_leaves_time_for_the_others(self, server: ComposeServer) -> None:
        clock = RunningClock()
        http = Http(Limits(timeout=1.0), clock=clock, patience=Patience(1.0, clock))
        assert failure(http, server, Answer(raw=b"", delay=2.0)) == "source-timeout"
        assert body(http, server, OK) == b"now"

    def test_each_document_may_cost_half_of_what_is_left_until_next_to_nothing_is(self, time: SkippingClock) -> None:
        patience, spent = Patience(32.0, time), []
        while patience.lost_with("server") is None:
            began, spend = time.passed, patience.left("server") - patience.kept_for_others("server")
            time.tick(spend)
            patience.failed("server", began, NO_ANSWER)
            spent.append(spend)
        assert spent == [16.0, 8.0, 4.0, 2.0]
        assert patience.lost_with("server") is NO_ANSWER

    def test_what_it_is_not_asked_for_says_so(self, patient: Http, server: ComposeServer, time: SkippingClock) -> None:
        for _ in range(10):
            failure(patient, server, dripping_at(time))
        message = r"/other: the server is not asked again in this run: the server took too long \(source-timeout\)"
        with pytest.raises(InputError, match=message):
            patient.get(f"{server.url}/other", LIMIT)

    def test_waits_between_tries_are_counted_too(
        self, patient: Http, server: ComposeServer, time: SkippingClock
    ) -> None:
        codes = [failure(patient, server, Answer(status=503, body=b"")) for _ in range(20)]
        assert set(codes) == {"source-status"}
        assert time.passed <= LIMITS.timeout

    def test_a_wait_that_is_asked_for_is_not_waited_beyond_it(
        self, patient: Http, server: ComposeServer, time: SkippingClock
    ) -> None:
        busy = Answer(status=503, body=b"", headers={"Retry-After": "20"})
        assert [failure(patient, server, busy) for _ in range(20)] == ["source-status"] * 20
        assert time.passed <= LIMITS.timeout

    def test_what_passes_soon_is_read(self, patient: Http, server: ComposeServer) -> None:
        assert body(patient, server, Answer(status=503, body=b""), OK) == b"now"

    def test_another_server_has_its_own(
        self, patient: Http, server: ComposeServer, time: SkippingClock, tmp_path: Path
    ) -> None:
        for _ in range(10):
            failure(patient, server, dripping_at(time))
        with serving(tmp_path) as other:
            assert body(patient, other, OK) == b"now"

    def test_a_large_document_is_read(self, patient: Http, server: ComposeServer) -> None:
        large = b"x" * (5 * STEADY)
        server.answers["/file"] = [Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n" + large)]
        assert patient.read(f"{server.url}/file", len(large)) == large


class TestSizes:
    def test_a_body_that_never_ends_is_too_large(self, http: Http, server: ComposeServer) -> None:
        endless = Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n", repeated=b"x" * 65536)
        assert failure(http, server, endless) == "source-too-large"

    def test_headers_that_never_end_are_no_answer(self, http: Http, server: ComposeServer) -> None:
        endless = Answer(raw=b"HTTP/1.1 200 OK\r\n", repeated=b"X-Header: " + b"x" * 1000 + b"\r\n")
        assert failure(http, server, endless) == "source-unreachable"

    def test_a_redirect_with_a_body_that_never_ends_is_followed_unread(self, http: Http, server: ComposeServer) -> None:
        server.answers["/b"] = [OK]
        endless = Answer(raw=b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n", repeated=b"x" * 65536)
        assert body(http, server, endless) == b"now"

    def test_nothing_packed_is_asked_for_or_unpacked(self, http: Http, server: ComposeServer) -> None:
        bomb = gzip.compress(bytes(1 << 20))[:LIMIT]
        assert failure(http, server, Answer(body=bomb, headers={"Content-Encoding": "gzip"})) == "source-status"
        assert server.headers[0]["Accept-Encoding"] == "identity"

    @pytest.mark.parametrize("announced", ["-1", "many", "3", "1e3"])
    def test_an_odd_announcement_of_the_size_harms_nobody(
        self, http: Http, server: ComposeServer, announced: str
    ) -> None:
        assert body(http, server, Answer(body=b"now", headers={"Content-Length": announced})) == b"now"

    def test_two_sizes_that_differ_are_no_answer(self, http: Http, server: ComposeServer) -> None:
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"
        assert failure(http, server, Answer(raw=raw)) == "source-unreachable"

    def test_the_size_of_a_chunk_is_bounded(self, http: Http, server: ComposeServer) -> None:
        endless = Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", repeated=b"1" * 65536)
        assert failure(http, server, endless) in {"source-unreachable", "source-truncated"}

    def test_a_size_announced_too_large_is_a_truncated_body(self, http: Http, server: ComposeServer) -> None:
        assert failure(http, server, Answer(body=b"now", headers={"Content-Length": "4"})) == "source-truncated"


class TestRedirects:
    def test_a_few_are_followed(self, http: Http, server: ComposeServer) -> None:
        for number in range(5):
            server.answers[f"/{number}"] = [
                Answer(status=(301, 302, 303, 307, 308)[number], body=b"", headers={"Location": f"{number + 1}#here"})
            ]
        server.answers["/5"] = [OK]
        found = http.get(f"{server.url}/0", LIMIT)
        assert found is not None
        assert (found.body, found.url) == (b"now", f"{server.url}/5")

    def test_each_request_is_told_without_what_may_be_secret(self, time: SkippingClock, server: ComposeServer) -> None:
        told: list[str] = []
        server.answers["/a"] = [Answer(status=302, body=b"", headers={"Location": "/b?token=x"})]
        server.answers["/b"] = [Answer(status=503, body=b""), OK]
        http = Http(Limits(), clock=time, trace=told.append)
        http.read(f"{server.url}/a", 100)
        assert [line.partition(" (")[0].replace(server.url, "") for line in told] == [
            "GET /a 302",
            "GET /b 503",
            "GET /a 302",
            "GET /b 200",
        ]

    def test_what_cannot_be_reached_is_told_too(self, time: SkippingClock) -> None:
        told: list[str] = []
        with pytest.raises(InputError):
            Http(Limits(tries=1), clock=time, trace=told.append).read("http://127.0.0.1:1/a", 100)
        assert [line.partition(" (")[0] for line in told] == ["GET http://127.0.0.1:1/a no answer"]

    def test_a_circle_is_left(self, http: Http, server: ComposeServer) -> None:
        server.answers["/b"] = [Answer(status=302, body=b"", headers={"Location": "/file"})]
        assert failure(http, server, Answer(status=302, body=b"", headers={"Location": "/b"})) == "source-redirect"
        assert len(server.seen) == 6

    @pytest.mark.parametrize("target", ["http://x:y/", "https://", "//u@127.0.0.1/", "data:,x", "http://[::1"])
    def test_one_that_leads_nowhere_is_refused(self, http: Http, server: ComposeServer, target: str) -> None:
        assert failure(http, server, Answer(status=301, body=b"", headers={"Location": target})) == "source-redirect"

    def test_one_to_a_host_that_cannot_be_is_unreachable(self, http: Http, server: ComposeServer) -> None:
        server.answers["/file"] = [Answer(status=301, body=b"", headers={"Location": "http://a..b/"})]
        with pytest.raises(InputError, match=r"its name does not resolve \(source-unreachable\)"):
            http.get(f"{server.url}/file", LIMIT)

    def test_the_first_of_two_places_counts(self, http: Http, server: ComposeServer) -> None:
        server.answers["/b"] = [OK]
        assert body(http, server, Answer(raw=b"HTTP/1.1 302 Found\r\nLocation: /b\r\nLocation: /c\r\n\r\n")) == b"now"

    def test_odd_characters_are_escaped(self, http: Http, server: ComposeServer) -> None:
        server.answers["/a%20%FC"] = [OK]
        raw = b"HTTP/1.1 302 Found\r\nLocation: /a \xfc\r\n\r\n"
        assert body(http, server, Answer(raw=raw)) == b"now"

    def test_one_that_leads_to_a_failure_names_where_it_happened(self, http: Http, server: ComposeServer) -> None:
        server.answers["/a"] = [Answer(status=302, body=b"", headers={"Location": "/b"})]
        server.answers["/b"] = [Answer(status=403, body=b"")]
        with pytest.raises(InputError) as caught:
            http.get(f"{server.url}/a", LIMIT)
        assert caught.value.problems[0].path == f"{server.url}/b"


DATE: Final = "Fri, 20 Nov 2026 12:00:00 GMT"
LONG_AGO: Final = "Thu, 19 Nov 2026 12:00:00 GMT"
JUST_NOW: Final = "Fri, 20 Nov 2026 11:59:30 GMT"


def raw(status: int = 200, content: bytes = b"old", **headers: str) -> Answer:
    """Answer with these headers and no other, `Last_Modified` standing for Last-Modified."""
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
    return Answer(raw=f"HTTP/1.1 {status} x\r\n{lines}\r\n".encode() + content)


class TestCache:
    @pytest.fixture
    def cache(self) -> dict[str, Document]:
        return {}

    @pytest.fixture
    def http(self, time: SkippingClock, cache: dict[str, Document]) -> Http:
        return Http(LIMITS, cache=cache, clock=time)

    @pytest.mark.parametrize(
        ("first", "asked"),
        [
            (raw(ETag='"a"'), {"If-None-Match": '"a"'}),
            (raw(ETag='W/"a"', Last_Modified=LONG_AGO, Date=DATE), {"If-None-Match": 'W/"a"'}),
            (raw(Last_Modified=LONG_AGO, Date=DATE), {"If-Modified-Since": LONG_AGO}),
            (raw(Last_Modified=JUST_NOW, Date=DATE), {}),
            (raw(Last_Modified=LONG_AGO), {}),
            (raw(Last_Modified="yesterday", Date=DATE), {}),
            (raw(ETag='"\xe9"'), {}),
            (raw(ETag="x" * 1001), {}),
            (raw(), {}),
        ],
    )
    def test_what_is_known_is_asked_for_on_condition(
        self, http: Http, server: ComposeServer, first: Answer, asked: dict[str, str]
    ) -> None:
        assert body(http, server, first) == b"old"
        assert body(http, server, raw(content=b"new")) == b"new"
        sent = server.headers[1]
        assert {name: sent[name] for name in ("If-None-Match", "If-Modified-Since") if name in sent} == asked

    def test_what_has_not_changed_is_not_sent_again(self, http: Http, server: ComposeServer) -> None:
        server.answers["/file"] = [raw(ETag='"a"', Content_Type="text/html"), raw(304, b"")]
        first = http.get(f"{server.url}/file", LIMIT)
        assert http.get(f"{server.url}/file", LIMIT) is first

    def test_what_has_changed_takes_its_place(
        self, http: Http, server: ComposeServer, cache: dict[str, Document]
    ) -> None:
        assert body(http, server, raw(ETag='"a"')) == b"old"
        assert body(http, server, raw(ETag='"b"', content=b"new")) == b"new"
        assert [document.etag for document in cache.values()] == ['"b"']

    def test_what_is_known_is_bounded_too(self, http: Http, server: ComposeServer) -> None:
        body(http, server, raw(ETag='"a"'))
        server.answers["/file"] = [raw(304, b"")]
        with pytest.raises(InputError, match="larger than 2 bytes"):
            http.get(f"{server.url}/file", 2)

    def test_unchanged_without_having_been_asked_is_no_answer(self, http: Http, server: ComposeServer) -> None:
        body(http, server, raw())
        assert failure(http, server, raw(304, b"")) == "source-status"

    def test_what_lies_elsewhere_is_asked_for_anew(
        self, http: Http, server: ComposeServer, cache: dict[str, Document]
    ) -> None:
        server.answers["/b"] = [raw(ETag='"b"', content=b"b")]
        body(http, server, raw(ETag='"a"'))
        assert body(http, server, Answer(status=302, body=b"", headers={"Location": "/b"})) == b"b"
        assert "If-None-Match" not in server.headers[2]
        assert [document.body for document in cache.values()] == [b"old"]

    def test_without_one_nothing_is_asked_on_condition(self, server: ComposeServer) -> None:
        http = Http(LIMITS, clock=SkippingClock())
        body(http, server, raw(ETag='"a"'))
        body(http, server, raw(ETag='"a"'))
        assert "If-None-Match" not in server.headers[1]


class TestProxies:
    @pytest.fixture(autouse=True)
    def _proxy(self, server: ComposeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        for scheme in ("http", "https"):
            monkeypatch.setenv(f"{scheme}_proxy", server.url)
        monkeypatch.delenv("no_proxy", raising=False)

    def test_are_those_of_the_environment(self, http: Http, server: ComposeServer) -> None:
        server.answers["http://composes.invalid/file"] = [OK]
        assert http.read("http://composes.invalid/file", LIMIT) == b"now"

    def test_that_let_nothing_through_leave_a_server_unreachable(self, http: Http) -> None:
        with pytest.raises(InputError, match="source-unreachable"):
            http.read("https://composes.invalid/file", LIMIT)

    def test_are_passed_by_for_the_hosts_that_the_environment_names(
        self, http: Http, server: ComposeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert body(http, server, OK) == b"now"

    @pytest.mark.parametrize("scheme", ["http://", ""])
    def test_are_told_the_account_that_the_environment_gives_for_them(
        self, http: Http, server: ComposeServer, monkeypatch: pytest.MonkeyPatch, scheme: str
    ) -> None:
        address = server.url.removeprefix("http://")
        monkeypatch.setenv("http_proxy", f"{scheme}us%40er:pass%3Aword@{address}")
        server.answers["http://composes.invalid/file"] = [OK]
        assert http.read("http://composes.invalid/file", LIMIT) == b"now"
        sent = server.headers[0]["Proxy-Authorization"].removeprefix("Basic ")
        assert base64.b64decode(sent) == b"us@er:pass:word"

    def test_that_speak_no_http_leave_a_server_unreachable(
        self, http: Http, server: ComposeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", server.url.replace("http:", "socks5:"))
        with pytest.raises(InputError, match=r"cannot be reached: ProxySchemeUnknown \(source-unreachable\)"):
            http.read("http://composes.invalid/file", LIMIT)
        assert server.seen == []

    def test_are_bounded_by_the_deadline_too(self, http: Http, server: ComposeServer, time: SkippingClock) -> None:
        server.answers["composes.invalid:443"] = [Answer(raw=b"HTTP/1.1 200 " + b"O" * 500, drip=time.tick)]
        with pytest.raises(InputError, match="source-timeout"):
            http.read("https://composes.invalid/file", LIMIT)
        assert server.seen == ["composes.invalid:443"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str, str], str]) -> Path:
    """Give a file with a key and a certificate that signs itself, for 127.0.0.1."""
    openssl = require_tool("openssl", "the system's package openssl has it")
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *request, *names, "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


class TestTls:
    @pytest.fixture
    def server(self, tmp_path: Path, certificate: Path) -> Iterator[ComposeServer]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with serving(tmp_path, context) as server:
            yield server

    @pytest.fixture
    def _trusted(self, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, http: Http, server: ComposeServer) -> None:
        assert failure(http, server, OK) == "source-tls"
        assert server.seen == []

    @pytest.mark.usefixtures("_trusted")
    def test_a_certificate_for_another_name_is_refused(self, http: Http, server: ComposeServer) -> None:
        with pytest.raises(InputError, match="no trusted connection"):
            http.get(f"{server.url.replace('127.0.0.1', 'localhost')}/file", LIMIT)

    def test_no_default_of_the_process_turns_it_off(
        self, http: Http, server: ComposeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ssl, "_create_default_https_context", ssl._create_unverified_context)
        monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
        assert failure(http, server, OK) == "source-tls"

    @pytest.mark.usefixtures("_trusted")
    def test_a_trusted_server_is_read(self, http: Http, server: ComposeServer) -> None:
        assert body(http, server, OK) == b"now"

    @pytest.mark.usefixtures("_trusted")
    def test_the_deadline_covers_it_too(self, http: Http, server: ComposeServer, time: SkippingClock) -> None:
        dripping = Answer(raw=b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 500, drip=time.tick)
        assert failure(http, server, dripping) == "source-timeout"

    @pytest.mark.usefixtures("_trusted")
    def test_a_connection_that_is_torn_down_is_tried_again(self, http: Http, server: ComposeServer) -> None:
        assert body(http, server, Answer(raw=b"HTTP/1.1 200 OK\r\n", reset=True), OK) == b"now"

    @pytest.mark.usefixtures("_trusted")
    def test_a_redirect_back_to_plain_http_is_refused(self, http: Http, server: ComposeServer, tmp_path: Path) -> None:
        with serving(tmp_path) as plain:
            there = Answer(status=302, body=b"", headers={"Location": f"{plain.url}/file"})
            assert failure(http, server, there) == "source-redirect"
            assert plain.seen == []

    @pytest.mark.usefixtures("_trusted")
    def test_a_redirect_up_to_it_is_followed(self, http: Http, server: ComposeServer, tmp_path: Path) -> None:
        server.answers["/file"] = [OK]
        with serving(tmp_path) as plain:
            plain.answers["/file"] = [Answer(status=301, body=b"", headers={"Location": f"{server.url}/file"})]
            assert http.read(f"{plain.url}/file", LIMIT) == b"now"
