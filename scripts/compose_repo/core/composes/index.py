"""What the index of a folder names, and the composes in it.

Listings by Apache's mod_autoindex, nginx's autoindex, Caddy's file_server and Python's http.server are read. Those of
buckets are `bucket`'s.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from msgspec import Struct

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.documents.strict import parse_json
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_JSON: Final = frozenset({"application/json"})
_TITLES_OF_LISTINGS: Final = ("index of", "directory listing for")
_TITLES: Final = frozenset({"title", "h1"})
_SORTED: Final = frozenset(f"C={column};O={order}" for column in "NMSD" for order in "AD")
_CADDYS: Final = re.compile(r"sort=[a-z]+&order=(?:asc|desc)(?P<limit>&limit=[0-9]+)?(?:&offset=[0-9]+)?")
_SHOWN: Final = 200


class Ignored(Struct, frozen=True, kw_only=True):
    """What stands in an index and is not taken, as it stands there (cut if it is long), and why."""

    name: str
    why: str


class Index(Struct, frozen=True, kw_only=True):
    """The sub-folders that an index names, each once, in its order, and what else it names."""

    folders: tuple[str, ...]
    ignored: tuple[Ignored, ...] = ()


class ComposeIndex(Struct, frozen=True, kw_only=True):
    """The composes that an index names, oldest first, and whatever else it names."""

    ids: tuple[ComposeId, ...]
    ignored: tuple[Ignored, ...] = ()


def compose_index(index: Index) -> ComposeIndex:
    """Take the folders that are named by a compose id."""
    ids, ignored = [], list(index.ignored)
    for name in index.folders:
        try:
            ids.append(ComposeId.parse(name))
        except ComposeIdError as error:
            ignored.append(refused(name, str(error)))
    return ComposeIndex(ids=tuple(sorted(ids)), ignored=tuple(ignored))


def read_index(document: bytes, *, url: str, content_type: str | None) -> Index:
    """Read a listing that a server has made; `url` is where it really lay, after redirects.

    A sub-folder is what a link leads to that lies in this folder and ends with a slash. Links to the page itself (in
    another order) and to the folders above it are no entries. What leads elsewhere, is a file or hides a path in its
    name is ignored. That nothing is listed is believed only of a listing: a page that calls itself "Index of" or
    "Directory listing for", can be sorted by columns, or leads to "../". It must be whole, or composes would seem to
    have vanished.

    Raises:
        InputError: it is no listing (`index-not-a-listing`), or not all of one (`index-truncated`).

    """
    kind = (content_type or _guessed(document)).partition(";")[0].strip().lower()
    if kind in _JSON:
        entries = _json_entries(document, url)
    elif kind in _HTML:
        entries = _html_entries(document, url)
    else:
        raise not_a_listing(url, f"the server sends {kind!a}, not HTML or JSON")
    folders: dict[str, None] = {}
    ignored: dict[Ignored, None] = {}
    for entry in entries:
        if isinstance(entry, Ignored):
            ignored[entry] = None
        else:
            folders[entry] = None
    return Index(folders=tuple(folders), ignored=tuple(ignored))


def refused(name: str, why: str) -> Ignored:
    """Say that an entry is not taken."""
    return Ignored(name=name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…", why=why)


def _guessed(document: bytes) -> str:
    return "application/json" if document.lstrip().startswith(b"[") else "text/html"


def _json_entries(document: bytes, url: str) -> Iterator[str | Ignored]:
    """Read nginx's `autoindex_format json`, objects with `name` and `type`, or Caddy's, with `name` and `is_dir`."""
    try:
        rows = parse_json(document)
    except ValueError as error:
        raise not_a_listing(url, f"it is not a complete JSON document: {error}") from None
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise not_a_listing(url, "its JSON is not a list of entries with name, and type or is_dir")
    for row in rows:
        is_folder = row.get("type") == "directory" or row.get("is_dir") is True
        yield named(row["name"].removesuffix("/")) if is_folder else refused(row["name"], A_FILE)


def _is_row(row: Any) -> bool:  # noqa: ANN401  # JSON holds anything
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        return False
    return isinstance(row.get("type"), str) or isinstance(row.get("is_dir"), bool)


def _html_entries(document: bytes, url: str) -> Iterator[str | Ignored]:
    page = _Page()
    try:
        # Never close it: over what is left open the parser ponders for a time that grows with its square.
        page.feed(document.decode("utf-8", "replace"))
    except AssertionError:  # what some versions of the parser say to an odd declaration
        raise not_a_listing(url, "it is not HTML") from None
    base = urlsplit(urljoin(url, "."))
    if not page.is_a_listing(base):
        raise not_a_listing(
            url, "its page is not a listing of a folder by Apache, nginx, Caddy or Python's http.server"
        )
    if not page.whole or page.is_limited(base):
        raise InputError(
            Problem(path=url, code=Code.INDEX_TRUNCATED, message="the listing is cut off", fix="try again later")
        )
    for href in page.links:
        entry = _entry(href, base)
        if entry is not None:
            yield entry


class _Page(HTMLParser):
    """Collects a page's links, and what tells whether it is a listing and whether all of it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.whole = False
        self._titled = False
        self._in_title = False

    def is_a_listing(self, base: SplitResult) -> bool:
        """Tell whether it calls itself an index, can be sorted by columns, or leads to `../`."""
        return self._titled or any(href == "../" or _is_another_order(href, base) for href in self.links)

    def is_limited(self, base: SplitResult) -> bool:
        """Tell whether it shows some of the entries only, as Caddy's does if it is told a number."""
        found = (_CADDYS.fullmatch(href.partition("?")[2]) for href in self.links if _entry(href, base) is None)
        return any(one is not None and one["limit"] is not None for one in found)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag in _TITLES
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        self.whole = self.whole or tag in {"body", "html"}

    def handle_data(self, data: str) -> None:
        self._titled = self._titled or (self._in_title and data.strip().lower().startswith(_TITLES_OF_LISTINGS))


def _is_another_order(href: str, base: SplitResult) -> bool:
    _, mark, query = href.partition("?")
    is_an_order = query in _SORTED or _CADDYS.fullmatch(query) is not None
    return bool(mark) and is_an_order and _entry(href, base) is None


def _entry(href: str, base: SplitResult) -> str | Ignored | None:
    """Say which sub-folder a link leads to; None if it leads to the page itself or to what is above it."""
    try:
        target = urlsplit(urljoin(base.geturl(), href))
    except ValueError:
        return refused(href, "it is not an address")
    here = base.path or "/"
    if (target.scheme, target.netloc) != (base.scheme, base.netloc):
        return refused(href, _ELSEWHERE)
    if here.startswith(target.path) and target.path[-1:] in {"/", ""}:
        return None
    name = target.path.removeprefix(here)
    if name == target.path or "/" in name[:-1] or target.query or target.fragment:
        return refused(href, _ELSEWHERE)
    return named(unquote(name[:-1])) if name.endswith("/") else refused(href, A_FILE)


def named(name: str) -> str | Ignored:
    """Accept a name that can be a folder's; one that hides a path is not."""
    if name in {"", ".", ".."} or "/" in name or not name.isprintable():
        return refused(name, "no folder has such a name")
    return name


A_FILE: Final = "it is a file"
_ELSEWHERE: Final = "it leads elsewhere"


def not_a_listing(url: str, message: str) -> InputError:
    """Refuse what is not a listing, or not one that can be read."""
    fix = "look at the address in a browser; it should list the folder"
    return InputError(Problem(path=url, code=Code.INDEX_NOT_A_LISTING, message=message, fix=fix))
