"""Addresses: the one form of those that people give, and where a redirect may lead."""

import urllib.parse
from typing import Final

from compose_repo.core.links import SCHEMES
from compose_repo.core.problems.problem import UsageError

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


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


class RedirectError(ValueError):
    """A redirect that is not followed; the message says why."""


def redirected(url: str, location: str | None) -> str:
    """Say where a redirect leads: to http(s) only, never from https back to http, never with credentials.

    Raises:
        RedirectError: it leads elsewhere.

    """
    if location is None:
        raise RedirectError("redirects, but does not say where to")
    try:
        # Header bytes are read as Latin-1; what a URL may not have is escaped byte by byte.
        location = urllib.parse.quote(location, encoding="iso-8859-1", safe=_PRINTABLE)
        target = urllib.parse.urlsplit(urllib.parse.urljoin(url, location))
        target.port  # noqa: B018  # raises if it is none
    except ValueError as error:
        raise RedirectError("redirects to what is no URL") from error
    if target.scheme not in SCHEMES or not target.hostname or (url.startswith("https:") and target.scheme != "https"):
        raise RedirectError(f"redirects to {target.scheme}:, which is not followed")
    if target.username is not None:
        raise RedirectError("redirects to a URL with credentials")
    return urllib.parse.urlunsplit(target._replace(fragment=""))


_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))
