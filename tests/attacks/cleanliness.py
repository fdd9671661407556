"""What GitLab would act on in a text of ours: nothing that somebody else has written may be among it."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from markdown_it import MarkdownIt

_RENDERER: Final = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_OURS: Final = frozenset(
    "p h3 table thead tbody tr th td a ul li strong code details summary blockquote em".split()  # noqa: SIM905  # tags
)
_ACTS: Final = re.compile(r"(?<!\w)@\w|[a-z][a-z0-9+.-]*://|:[\w+-]+:|[\[{][+-]", re.IGNORECASE | re.ASCII)
_REFERENCE: Final = re.compile(r"(?<![\\\w])[#!~$%&]\w")
_LINK: Final = re.compile(r'<a href="([^"]*)"[^>]*>(?:.*?)</a> \(([^)]*)\)')
_HREF: Final = re.compile(r'<a href="([^"]*)"')
_QUICK: Final = re.compile(r"^\s*/[a-z_]+", re.MULTILINE)
_INVISIBLE: Final = re.compile(
    "[\u200b\u200c\u200d\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def unclean(markdown: str) -> Iterator[str]:
    """Tell whatever a note holds that GitLab would act on, or that is not seen as it is."""
    text = re.sub(r"<!-- compose-repo: [a-z]+ -->", "", markdown)
    html = _RENDERER.render(text)
    yield from (f"<{tag}> in a note" for tag in sorted(set(re.findall(r"<([a-z]\w*)", html)) - _OURS))
    if "<!--" in html:
        yield "a comment in a note"
    hosts = dict(_LINK.findall(html))
    for address in _HREF.findall(html):
        host = re.match(r"https?://([^/?#]+)", unescape(address))
        if host is None or hosts.get(address) != host[1]:
            yield f"a link to {address} without its host"
    seen = unescape(re.sub(r"<code>.*?</code>|<[^>]*>", "", html, flags=re.DOTALL))
    yield from (f"{found[0]!r} in a note" for found in _ACTS.finditer(seen))
    plain = re.sub(r"`[^`]*`|\]\(<[^>]*>\)|&#\d+;", "", text)
    yield from (f"{found[0]!r} in a note" for found in _REFERENCE.finditer(plain))
    yield from (f"a quick action in a note: {found[0]!r}" for found in _QUICK.finditer(text))
    yield from (f"{found[0]!a} in a note" for found in _INVISIBLE.finditer(text))
