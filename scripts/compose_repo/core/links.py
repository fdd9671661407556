r"""Links: which addresses we take from others, which we ask, and which we show.

The schemas hold `LINKS`, `JOB` and `READ_JOB` as their patterns, between `^` and `$`. What they take still has
to have a host that can be reached: `WITH_HOST`. What is shown as a link has a stricter host: `shown_link`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

SCHEMES: Final = frozenset({"http", "https"})
HTTP: Final = "https?://"
"""How an address begins that is asked over the network, as a regular expression."""
LOCATIONS: Final = ("http://", "https://", "file:///")
"""How the address of a compose may begin."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The hosts that are this very machine."""

_AFTER_HOST: Final = r"(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?"
_SEGMENTS: Final = r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*"
_SEGMENT: Final = r"[A-Za-z0-9._~!$&'()*+,;=:@%-]+"
_ANY_HOST: Final = rf"{HTTP}[A-Za-z0-9._:\[\]-]+"
_HOST: Final = rf"{HTTP}(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
_LINK: Final = f"{_ANY_HOST}{_AFTER_HOST}"

LINKS: Final[Mapping[str, str]] = {
    "Link": _LINK,
    "Source address": rf"(?:{_LINK}|file:///[A-Za-z0-9._~:/@!$&'()*+,;=%-]*)",
}
"""The form of links by the title that the schemas give it; what does not have it is a `bad-link`."""
JOB: Final = f"{_ANY_HOST}{_SEGMENTS}/job/{_SEGMENT}(?:/job/{_SEGMENT})*/?"
"""The form of the address of a Jenkins job; `Job address` in the schemas."""
_PART: Final = r"/(?:default|[A-Za-z0-9._~!&'()*+,;:@%-]*(?:[=$]|%3D|%24)[A-Za-z0-9._~!$&'()*+,;=:@%-]*)"
READ_JOB: Final = f"{JOB.removesuffix('/?')}(?:{_PART})?/?"
"""The form of the address of a Jenkins job that is read; `Read job address` in the schemas.

Its end may be a configuration of a matrix, `/ARCH=x86_64` or `/default`, or a Maven module, `/org.example$core`.
"""

WITH_HOST: Final = re.compile(rf"{_HOST}(?=[/?#]|\Z)|file:///")
"""Matches the beginning of what has the form of a link, if it has a host, a port that can be, and no credentials."""


def is_link(text: str) -> bool:
    """Return whether a text of any form is an http or https link with a host."""
    return _whole().fullmatch(text) is not None


@cache
def _whole() -> re.Pattern[str]:
    return re.compile(f"{_HOST}{_AFTER_HOST}")


@cache
def shown_link() -> re.Pattern[str]:
    """A URL whose host is nothing but what it looks like: no user name, no backslash, no letter but of ASCII."""
    return re.compile(
        rf"""
        {HTTP}
        (?P<host>
          (?: [a-z0-9_] (?: [a-z0-9_-]{{0,61}} [a-z0-9_] )? \. )*
          [a-z0-9_] (?: [a-z0-9_-]{{0,61}} [a-z0-9_] )? \.?
        )
        (?P<port> :
          (?: 6553[0-5] | 655[0-2][0-9] | 65[0-4][0-9]{{2}} | 6[0-4][0-9]{{3}} | [1-5][0-9]{{4}} | [1-9][0-9]{{0,3}} )
        )?
        (?: [/?\#] .* )?
        """,
        re.VERBOSE | re.ASCII | re.IGNORECASE,
    )


def is_loopback(authority: str) -> bool:
    """Return whether a host, with or without a port, is this very machine."""
    return _loopback().fullmatch(authority) is not None


@cache
def _loopback() -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(map(re.escape, sorted(LOOPBACK)))})(?::[0-9]{{1,5}})?")


@cache
def _address() -> re.Pattern[str]:
    return re.compile(r"(https?)://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)", re.IGNORECASE)


def is_plain_http(url: str) -> bool:
    """Tell whether an address is reached unencrypted, over a network."""
    found = _address().match(url)
    return found is not None and found[1].lower() == "http" and found[2].lower() not in LOOPBACK


def host_in(url: str) -> str | None:
    """Give the host of any address, without credentials, port and path; None where it has none."""
    found = _address().match(url)
    return None if found is None else found[2]


def without_views(path: str) -> str:
    """Give the path of a Jenkins's page without what it has in a browser beside it: the views that one came by."""
    return _views().sub("", path)


@cache
def _views() -> re.Pattern[str]:
    return re.compile("/view/[^/]+(?=/)")


def authority_of(url: str) -> str:
    """Give the host and the port of an address, as they are compared: two that differ in case alone are one."""
    from urllib.parse import urlsplit  # noqa: PLC0415  # only what is asked is compared

    return urlsplit(url).netloc.lower()
