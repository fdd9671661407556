"""The HTTP client: bounded in time, size and redirects; every way it fails has a code of its own."""

import functools
import http.client
import math
import ssl
from collections.abc import Callable, MutableMapping
from typing import Final, TypeAlias

import urllib3
from msgspec import Struct
from msgspec.structs import replace
from urllib3.exceptions import HTTPError, LocationParseError, NameResolutionError

from compose_repo.core.links import authority_of
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UnansweredError
from compose_repo.ports.clock import Clock
from compose_repo.ports.http.address import RedirectError, redirected
from compose_repo.ports.http.connection import failures, open_url
from compose_repo.ports.http.timing import Limits, Patience
from compose_repo.ports.retry import STEADY, Deadline, Retry, http_date, retry_after

_CHUNK: Final = 1 << 18
_MOST_REDIRECTS: Final = 5
_HEADERS: Final = {"User-Agent": "compose-repo", "Accept": "*/*", "Accept-Encoding": "identity"}
_STEADY: Final = 60.0
_LONGEST_TAG: Final = 1000

_OK: Final = 200
_REDIRECTING: Final = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED: Final = 304
_GONE: Final = frozenset({404, 410})
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = range(500, 600)


class Document(Struct, frozen=True, kw_only=True):
    """What a server sent for an address, and what it names this state of it by, to be asked about again.

    `url` is where it really lay. `modified` is absent where the document might have changed within that second.
    """

    url: str
    body: bytes
    content_type: str | None = None
    etag: str | None = None
    modified: str | None = None

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask for it only if it is another by now; an ETag is the surer of the two."""
        if self.etag is not None:
            return {"If-None-Match": self.etag}
        return {} if self.modified is None else {"If-Modified-Since": self.modified}


Trace: TypeAlias = Callable[[str], None]
"""Told of each request: what became of it, and how long that took."""

Cache: TypeAlias = MutableMapping[str, Document]
"""Documents by address, for one run. None for what several machines answer under one name: by dates alone, the one
that is behind says that nothing has changed."""


class _TryAgain(Exception):  # noqa: N818  # no error yet: the next try may succeed
    """A failure that may pass; `problem` is what to say if it does not, `asked` how long we are asked to wait."""

    def __init__(self, problem: Problem, asked: float = 0.0) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.asked = asked


class Http:
    """Reads documents from web servers; knows http(s) only, proxies as the environment says.

    TLS is always verified. Redirects are followed a few times, to http(s) only and never from https back to http.
    Failures that may pass (no connection, no answer in time, a body that ends early, 429, 5xx) are tried again.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Clock,
        cache: Cache | None = None,
        patience: Patience | None = None,
        trace: Trace = lambda _: None,
    ) -> None:
        self._limits = limits
        self._patience = patience
        self._cache = cache
        self._clock = clock
        self._trace = trace

    def read(self, url: str, limit: int) -> bytes | None:
        """Give a document's bytes, or None where the server has no such document; fails as `get` does."""
        document = self.get(url, limit)
        return None if document is None else document.body

    def get(self, url: str, limit: int) -> Document | None:
        """Give a document of at most `limit` bytes, or None where the server has none (404, 410).

        Raises:
            UnansweredError: the server gives no answer now.
            InputError: anything else went wrong; the code says what, of `source-unreachable`, `-timeout`, `-tls`,
                `-redirect`, `-status`, `-truncated` and `-too-large`.

        """
        patience = self._patience or Patience(math.inf, self._clock)
        server = authority_of(url)
        lost = patience.lost_with(server)
        if lost is not None:
            message = f"the server is not asked again in this run: {lost.message}"
            raise UnansweredError(replace(lost, path=url, message=message))
        steady = None if self._patience is None else STEADY
        deadline = Deadline(self._limits.total, self._clock, silence=self._limits.timeout, steady=steady)
        retry = Retry(self._limits.between_tries, self._clock, deadline)
        kept = patience.kept_for_others(server)
        while True:
            began = self._clock.monotonic()
            deadline.allow(min(self._limits.timeout, patience.left(server) - kept))
            try:
                return self._try(url, limit, deadline)
            except _TryAgain as failure:
                patience.failed(server, began, failure.problem)
                wait = retry.wait(failure.asked)
                if wait is None or wait >= patience.left(server) - kept:
                    raise UnansweredError(failure.problem) from failure
                self._clock.sleep(wait)
                patience.waited(server, wait)

    def _try(self, url: str, limit: int, deadline: Deadline) -> Document | None:
        try:
            return self._follow(url, limit, deadline)
        except (OSError, HTTPError) as error:
            raise _transport_failure(url, error) from error

    def _follow(self, url: str, limit: int, deadline: Deadline) -> Document | None:
        known = None if self._cache is None else self._cache.get(url)
        target = url
        for _ in range(_MOST_REDIRECTS + 1):
            conditions = known.conditions if known is not None and target == url else {}
            with self._ask(target, _HEADERS | conditions, deadline) as response:
                if response.status in _REDIRECTING:
                    target = _redirected(target, response)
                    continue
                if known is not None and conditions and response.status == _NOT_MODIFIED:
                    return _within(known, limit)
                if response.status in _GONE:
                    return None
                document = self._document(target, response, limit)
            if self._cache is not None and target == url:
                self._cache[url] = document
            return document
        raise _failure(url, Code.SOURCE_REDIRECT, "the server redirects in a circle or too often", "ask its owner")

    def _ask(self, url: str, headers: dict[str, str], deadline: Deadline) -> urllib3.BaseHTTPResponse:
        """Ask once, and tell of it; what stands behind a question mark may be a secret."""
        started, outcome = self._clock.monotonic(), "no answer"
        try:
            response = open_url(url, headers, deadline, self._tls if url.startswith("https:") else None)
            outcome = str(response.status)
            return response
        finally:
            took = (self._clock.monotonic() - started) * 1000
            self._trace(f"GET {url.partition('?')[0]} {outcome} ({took:.0f} ms)")

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        """The system's authorities are trusted, and names are checked; no setting changes that."""
        return ssl.create_default_context()

    def _document(self, url: str, response: urllib3.BaseHTTPResponse, limit: int) -> Document:
        self._refuse_unless_ok(url, response)
        etag = response.headers.get("ETag", "")
        return Document(
            url=url,
            body=_body(url, response, limit),
            content_type=response.headers.get("Content-Type"),
            etag=etag if 0 < len(etag) <= _LONGEST_TAG and etag.isascii() and etag.isprintable() else None,
            modified=_modified(response),
        )

    def _refuse_unless_ok(self, url: str, response: urllib3.BaseHTTPResponse) -> None:
        status = response.status
        if status == _TOO_MANY_REQUESTS or status in _SERVER_ERRORS:
            asked = retry_after(response.headers, self._clock) or 0.0
            plea = f" and asks to wait {asked:,.0f} s" if asked else ""
            message = f"the server answers with HTTP {status}{plea}"
            raise _TryAgain(_problem(url, Code.SOURCE_STATUS, message, "try again later"), asked)
        if status != _OK:
            raise _failure(url, Code.SOURCE_STATUS, f"the server answers with HTTP {status}", "ask its owner")


def _redirected(url: str, response: urllib3.BaseHTTPResponse) -> str:
    """Say where to go on; a redirect's body is never read."""
    try:
        return redirected(url, next(iter(response.headers.getlist("Location")), None))
    except RedirectError as error:
        raise _failure(url, Code.SOURCE_REDIRECT, str(error), "give the address that it really has") from error


def _within(document: Document, limit: int) -> Document:
    if len(document.body) > limit:
        raise _too_large(document.url, limit)
    return document


def _modified(response: urllib3.BaseHTTPResponse) -> str | None:
    """Give Last-Modified if it was a while ago by the server's own clock: seconds do not tell quick changes apart."""
    text = response.headers.get("Last-Modified", "")
    then, now = http_date(text), http_date(response.headers.get("Date", ""))
    return text if then is not None and now is not None and (now - then).total_seconds() >= _STEADY else None


def _body(url: str, response: urllib3.BaseHTTPResponse, limit: int) -> bytes:
    announced = response.length_remaining
    if announced is not None and announced > limit:
        raise _too_large(url, limit)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _failure(url, Code.SOURCE_STATUS, "the server compressed the file without being asked", "ask its owner")
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise _too_large(url, limit)
        chunks.append(chunk)
    # A body that ends early raises nothing when it is read piece by piece.
    if announced is not None and size < announced:
        message = f"the connection ended after {size} of {announced} bytes"
        raise _TryAgain(_problem(url, Code.SOURCE_TRUNCATED, message, "try again later"))
    return b"".join(chunks)


def _transport_failure(url: str, error: Exception) -> Exception:
    """Sort what urllib3, http.client and the socket below them raise."""
    *made_from_it, reason = failures(error)
    match reason:
        case TimeoutError():
            message, fix = "the server took too long", "try again later, or allow more with --timeout"
            return _TryAgain(_problem(url, Code.SOURCE_TIMEOUT, message, fix))
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            what = "it hangs up"
        case ssl.SSLError():
            what = reason.verify_message if isinstance(reason, ssl.SSLCertVerificationError) else reason.reason
            return _failure(url, Code.SOURCE_TLS, f"no trusted connection: {what}", "fix the server's certificate")
        case http.client.IncompleteRead():
            problem = _problem(url, Code.SOURCE_TRUNCATED, "the connection ended too early", "try again later")
            return _TryAgain(problem)
        case _ if any(isinstance(one, NameResolutionError | LocationParseError) for one in (*made_from_it, reason)):
            what = "its name does not resolve"
        case OSError() if reason.strerror:
            what = reason.strerror
        case _:
            what = type(reason).__name__
    return _TryAgain(
        _problem(url, Code.SOURCE_UNREACHABLE, f"the server cannot be reached: {what}", "check that it is up")
    )


def _problem(url: str, code: Code, message: str, fix: str) -> Problem:
    return Problem(path=url, code=code, message=message, fix=fix)


def _failure(url: str, code: Code, message: str, fix: str) -> InputError:
    return InputError(_problem(url, code, message, fix))


def _too_large(url: str, limit: int) -> InputError:
    return _failure(
        url, Code.SOURCE_TOO_LARGE, f"the file is larger than {limit} bytes", "check that it is the right file"
    )
