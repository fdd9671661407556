"""What the listing of a bucket names: the answer of S3, and of what speaks like it, about the keys below a prefix.

A bucket has no folders: what stands between the prefix and the next slash of a key is taken for one. The answer has at
most a thousand keys, so folders are asked for by `listing_url`, which groups them, page by page.
"""

from typing import Final
from urllib.parse import quote, urlsplit
from xml.parsers import expat

from msgspec import Struct

from compose_repo.core.composes.index import A_FILE, Ignored, Index, named, not_a_listing, refused

_ROOT: Final = "ListBucketResult"
_DOCTYPE: Final = "a bucket's listing has no document type"


class Bucket(Struct, frozen=True, kw_only=True):
    """A page of a bucket's listing; `is_whole` if nothing comes after it, `token` is what to ask for else."""

    index: Index
    is_whole: bool
    token: str | None = None


def is_bucket(document: bytes) -> bool:
    """Tell whether a document looks like a bucket's listing."""
    return f"<{_ROOT}".encode() in document[:1000]


def listing_url(url: str, prefix: str, token: str | None = None) -> str:
    """Give the address that lists the folders below a prefix of the bucket at a URL that ends in a slash."""
    after = "" if token is None else f"&continuation-token={quote(token, safe='')}"
    return f"{url}?list-type=2&delimiter=%2F&prefix={quote(prefix, safe='')}{after}"


def places_of(url: str) -> tuple[tuple[str, str], ...]:
    """Give the buckets in which a folder could be: that of its server, and that which the path begins with."""
    parts = urlsplit(url)
    server, names = f"{parts.scheme}://{parts.netloc}/", parts.path.strip("/").split("/")
    return tuple(
        ("/".join((server.rstrip("/"), *names[:count], "")), "/".join((*names[count:], "")))
        for count in (0, 1)
        if names[count:] and names != [""]
    )


def read_bucket(document: bytes, *, url: str) -> Bucket:
    """Read a page of a bucket's listing.

    Raises:
        InputError: it is none (`index-not-a-listing`).

    """
    page = _Page()
    try:
        page.read(document)
    except (expat.ExpatError, ValueError) as error:
        raise not_a_listing(url, f"it is not a complete listing of a bucket: {error}") from None
    folders: dict[str, None] = {}
    ignored: dict[Ignored, None] = {}
    for key in page.keys:
        name, slash, _ = key.removeprefix(page.prefix).partition("/")
        entry = named(name) if slash else refused(name, A_FILE)
        if isinstance(entry, Ignored):
            ignored[entry] = None
        else:
            folders[entry] = None
    ignored.pop(refused("", A_FILE), None)  # the folder itself, where somebody has made one of no content
    return Bucket(
        index=Index(folders=tuple(folders), ignored=tuple(ignored)), is_whole=not page.is_truncated, token=page.token
    )


class _Page:
    """Collects what a page says, by the names of its elements."""

    def __init__(self) -> None:
        self.prefix = ""
        self.keys: list[str] = []
        self.is_truncated = False
        self.token: str | None = None
        self._path: list[str] = []
        self._text: list[str] = []

    def read(self, document: bytes) -> None:
        """Read all of it.

        Raises:
            ExpatError: it is not XML, or not all of it.
            ValueError: it is another document, or has a document type, by which entities could be declared.

        """
        parser = expat.ParserCreate(encoding="utf-8")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.Parse(document, True)  # noqa: FBT003  # expat's own way to say that this is all

    def _refuse(self, *_: object) -> None:
        raise ValueError(_DOCTYPE)

    def _begin(self, name: str, _: dict[str, str]) -> None:
        if not self._path and name != _ROOT:
            raise ValueError(f"its root is {name[:100]!a}")
        self._path.append(name)
        self._text.clear()

    def _end(self, name: str) -> None:
        above = self._path[1:-1]
        self._path.pop()
        self._take(name, above, "".join(self._text))
        self._text.clear()

    def _take(self, name: str, above: list[str], text: str) -> None:
        match above, name:
            case ([], "Prefix"):
                self.prefix = text
            case (["CommonPrefixes"], "Prefix") | (["Contents"], "Key"):
                self.keys.append(text)
            case ([], "IsTruncated"):
                self.is_truncated = text.strip().lower() != "false"
            case ([], "NextContinuationToken"):
                self.token = text
