"""Reading over HTTP: bounded in time, size and redirects; every way it fails has a code of its own."""

import http.client
import itertools
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import IO, Any, Final

from compose_repo.core.problem import InputError, Problem, UsageError

SCHEMES: Final = frozenset({"http", "https"})

_CHUNK: Final = 1 << 18
_GONE: Final = frozenset({404, 410})
_TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_WAIT: Final = 10.0


def normal_url(url: str) -> str:
    """Give an http(s) URL in its one normal form: lower-case host, no default port, no trailing slash.

    Raises:
        UsageError: it is no such URL, or it carries a password, a query or a fragment. The message repeats no secret.

    """
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"the source is no URL: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise UsageError("the source's URL carries credentials; give it without them")
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise UsageError(f"the source is neither a directory nor an http(s) URL: {url!a}")
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("the source's URL may have no query, no fragment and only printable ASCII characters")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    segments = [segment for segment in parts.path.split("/") if segment not in {"", "."}]
    if ".." in segments:
        raise UsageError("the source's URL may not hold '..'")
    return "/".join((f"{parts.scheme}://{host}", *segments))


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How patient to be: `timeout` seconds of silence, `total` seconds for one file, and how often to try it.

    Between tries it waits `backoff` seconds, twice as long each time.
    """

    timeout: float = 30.0
    total: float = 600.0
    tries: int = 3
    backoff: float = 0.5


class _TryAgain(Exception):  # noqa: N818  # no error yet: the next try may succeed
    """A failure that may pass; `problem` is what to say if it does not."""

    def __init__(self, problem: Problem, wait: float = 0.0) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.wait = wait


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, to http(s) only and never from https back to http."""

    max_redirections = 5
    max_repeats = 2

    def http_error_302(  # the base class says so
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> Any:  # noqa: ANN401  # the base class says so
        """Follow it, or close the answer that leads astray."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError as error:
            fp.close()
            raise _failure(req.full_url, "source-redirect", "redirects to what is no URL", "ask its owner") from error
        except InputError:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(  # noqa: PLR0913, PLR0917  # the base class says so
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse what leads anywhere but to http(s)."""
        target = urllib.parse.urlsplit(newurl)
        if target.scheme not in SCHEMES or (req.type == "https" and target.scheme != "https"):
            message = f"redirects to {target.scheme}:, which is not followed"
            raise _failure(req.full_url, "source-redirect", message, "give the address that it really has")
        if target.username is not None:
            raise _failure(req.full_url, "source-redirect", "redirects to a URL with credentials", "ask its owner")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Http:
    """Reads files from web servers; knows http(s) only, proxies as the environment says."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(),
        ):
            self._opener.add_handler(handler)
        self._opener.addheaders = [("User-Agent", "compose-repo"), ("Accept", "*/*"), ("Accept-Encoding", "identity")]

    def read(self, url: str, limit: int) -> bytes | None:
        """Give a file's bytes, or None where the server has no such file.

        Raises:
            InputError: anything else went wrong; the code says what, of `source-unreachable`, `-timeout`, `-tls`,
                `-redirect`, `-status`, `-truncated` and `-too-large`.

        """
        for attempt in itertools.count(1):
            try:
                return self._read_once(url, limit)
            except _TryAgain as failure:
                if attempt >= self._limits.tries:
                    raise InputError(failure.problem) from failure
                time.sleep(min(_LONGEST_WAIT, max(failure.wait, self._limits.backoff * 2 ** (attempt - 1))))
        raise AssertionError("counting never ends")

    def _read_once(self, url: str, limit: int) -> bytes | None:
        deadline = time.monotonic() + self._limits.total
        try:
            with self._opener.open(url, timeout=self._limits.timeout) as response:
                return self._body(url, response, limit, deadline)
        except urllib.error.HTTPError as error:
            with error:
                _refuse_unless_gone(url, error)
                return None
        except urllib.error.URLError as error:
            raise _transport_failure(url, error.reason) from error
        except (OSError, http.client.HTTPException) as error:
            raise _transport_failure(url, error) from error

    def _body(self, url: str, response: http.client.HTTPResponse, limit: int, deadline: float) -> bytes:
        announced = response.length
        if announced is not None and announced > limit:
            raise _too_large(url, limit)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise _failure(url, "source-status", "the server packs the file unasked", "ask its owner")
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise _too_large(url, limit)
            if time.monotonic() > deadline:
                raise _timeout(url)
            chunks.append(chunk)
        # A body that ends early raises nothing when it is read piece by piece.
        if announced is not None and size != announced:
            message = f"the connection ended after {size} of {announced} bytes"
            raise _TryAgain(_problem(url, "source-truncated", message, "try again later"))
        return b"".join(chunks)


def _refuse_unless_gone(url: str, error: urllib.error.HTTPError) -> None:
    """Raise for every status but the one of a file that is not there."""
    if error.code in _GONE:
        return
    if error.code in _TRANSIENT:
        problem = _problem(url, "source-status", f"the server answers with HTTP {error.code}", "try again later")
        wait = error.headers.get("Retry-After", "") if error.headers else ""
        raise _TryAgain(problem, wait=float(wait) if wait.isdecimal() else 0.0)
    if error.code in {301, 302, 303, 307, 308}:
        raise _failure(url, "source-redirect", "the server redirects in a circle or too often", "ask its owner")
    raise _failure(url, "source-status", f"the server answers with HTTP {error.code}", "ask its owner")


def _transport_failure(url: str, reason: object) -> Exception:
    """Sort what urllib, http.client and the socket below them raise."""
    match reason:
        case TimeoutError():
            return _TryAgain(_timeout(url).problems[0])
        case ssl.SSLError():
            what = reason.verify_message if isinstance(reason, ssl.SSLCertVerificationError) else reason.reason
            return _failure(url, "source-tls", f"no trusted connection: {what}", "mend the server's certificate")
        case http.client.IncompleteRead():
            problem = _problem(url, "source-truncated", "the connection ended too early", "try again later")
            return _TryAgain(problem)
        case socket.gaierror():
            what = "its name does not resolve"
        case OSError() if reason.strerror:
            what = reason.strerror
        case _:
            what = type(reason).__name__ if isinstance(reason, Exception) else str(reason)
    return _TryAgain(
        _problem(url, "source-unreachable", f"the server cannot be reached: {what}", "look whether it is up")
    )


def _problem(url: str, code: str, message: str, fix: str) -> Problem:
    return Problem(path=url, code=code, message=message, fix=fix)


def _failure(url: str, code: str, message: str, fix: str) -> InputError:
    return InputError(_problem(url, code, message, fix))


def _timeout(url: str) -> InputError:
    return _failure(url, "source-timeout", "the server took too long", "try again later, or allow more with --timeout")


def _too_large(url: str, limit: int) -> InputError:
    return _failure(
        url, "source-too-large", f"the file is larger than {limit} bytes", "look whether it is what it should be"
    )
