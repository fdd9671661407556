"""Indexes of composes: what is listed is found, and what is no listing is never taken for an empty one."""

import contextlib
import functools
import http.server
import itertools
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from compose_server import Answer, ComposeServer, serving
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.composes.bucket import read_bucket
from compose_repo.core.composes.index import ComposeIndex, Ignored, Index, compose_index, read_index
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.ports.http import Document, Http, Limits
from compose_repo.reading.index import compose_ids
from skipping_clock import SkippingClock

LISTINGS: Final = Path(__file__).parent / "listings"
"""What Apache 2.4.71 and nginx 1.22.1 answer for one folder of odd names."""
URL: Final = "https://composes.example.org/production/"
HTML: Final = "text/html;charset=ISO-8859-1"
IDS: Final = ["CentOS-Stream-10-20261119.0", "CentOS-Stream-10-20261120.0", "CentOS-Stream-10-20261120.1"]


def listing(*links: str, end: str = "</pre><hr></body>\n</html>") -> bytes:
    """Give a page as nginx makes it."""
    rows = "".join(f'<a href="{link}">{link}</a>      24-Nov-2026 02:52   -\n' for link in links)
    return f"<html>\n<head><title>Index of /x/</title></head><body><h1>Index of /x/</h1><hr><pre>{rows}{end}".encode()


def read(document: bytes, content_type: str | None = HTML, url: str = URL) -> Index:
    return read_index(document, url=url, content_type=content_type)


def code(document: bytes, content_type: str | None = HTML) -> str:
    with pytest.raises(InputError) as caught:
        read(document, content_type)
    [problem] = caught.value.problems
    assert problem.path == URL
    return problem.code


def ids(index: ComposeIndex) -> list[str]:
    return [str(compose_id) for compose_id in index.ids]


class TestRealListings:
    @pytest.fixture(params=sorted(LISTINGS.iterdir()), ids=lambda file: file.name)
    def index(self, request: pytest.FixtureRequest) -> Index:
        file: Path = request.param
        return read(file.read_bytes(), "application/json" if file.suffix == ".json" else HTML)

    def test_name_the_composes(self, index: Index) -> None:
        assert ids(compose_index(index)) == IDS

    def test_name_every_other_folder_as_it_is_on_the_disk(self, index: Index) -> None:
        others = {
            "a" + 100 * "x",
            "co:lon",
            "latest-CentOS-Stream",
            "odd name & <b>",
            "per%2Fcent",
            "qu?ery#x",
            "ümlaut",
        }
        assert set(index.folders) - {".hidden"} == {*others, *IDS, 'quo"te'}

    def test_tell_files_apart(self, index: Index) -> None:
        a_file = "it is a file"
        assert set(index.ignored) == {
            Ignored(name="CentOS-Stream-10-20261121.0", why=a_file),
            Ignored(name="readme.txt", why=a_file),
        }


def caddys(*links: str, limit: str = "") -> bytes:
    """Give a page as Caddy makes it, shortened."""
    orders = "".join(
        f'<a href="?sort={column}&order={order}{limit}">x</a>'
        for column, order in (("namedirfirst", "desc"), ("name", "asc"), ("size", "asc"), ("time", "asc"))
    )
    rows = "".join(f'<tr><td><a href="{link}"><svg></svg>{link}</a></td></tr>' for link in links)
    crumbs = '<h1><a href="/">x</a>/<a href="/production/">production</a></h1>'
    return f"<!DOCTYPE html><html><title>production</title><body>{crumbs}{orders}{rows}</body></html>".encode()


def bucket(*, prefix: str = "", folders: Sequence[str] = (), keys: Sequence[str] = (), more: str | None = None) -> str:
    """Give a page as S3 makes it."""
    token = "" if more is None else f"<NextContinuationToken>{more}</NextContinuationToken>"
    contents = "".join(f"<Contents><Key>{escape(key)}</Key><Owner><ID>x</ID></Owner></Contents>" for key in keys)
    groups = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>b</Name><Prefix>{prefix}</Prefix><MaxKeys>1000</MaxKeys>"
        f"<IsTruncated>{str(more is not None).lower()}</IsTruncated>{contents}{groups}{token}</ListBucketResult>"
    )


def documents(pages: Mapping[str, str]) -> Callable[[str, int], Document | None]:
    """Give a web that has nothing but these pages."""
    return lambda url, _: Document(url=url, body=pages[url].encode()) if url in pages else None


def xml(page: str) -> Answer:
    return Answer(body=page.encode(), headers={"Content-Type": "application/xml"})


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Python's own server, which says nothing of what it was asked for."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as it is called there
        """Say nothing."""


class TestOtherServers:
    def test_caddys_page_is_a_listing(self) -> None:
        index = read(caddys("..", "./x%20y/", "./f", f"./{IDS[0]}/"))
        assert (index.folders, [entry.name for entry in index.ignored]) == (("x y", IDS[0]), ["./f"])

    def test_caddys_page_that_shows_some_entries_is_truncated(self) -> None:
        assert code(caddys("./x/", limit="&limit=1")) == "index-truncated"

    def test_caddys_json_is_a_listing(self) -> None:
        rows = [{"name": "x/", "url": "./x/", "is_dir": True}, {"name": "f", "is_dir": False}]
        index = read(json.dumps(rows).encode(), "application/json")
        assert (index.folders, [entry.name for entry in index.ignored]) == (("x",), ["f"])

    def test_a_bucket_names_what_stands_before_the_next_slash(self) -> None:
        page = read_bucket(
            bucket(prefix="p/", folders=["p/a/"], keys=["p/", "p/b/c", "p/b/d", "p/f"]).encode(), url=URL
        )
        assert (page.index.folders, [entry.name for entry in page.index.ignored]) == (("b", "a"), ["f"])

    def test_a_name_in_a_bucket_that_hides_a_path_is_ignored(self) -> None:
        page = read_bucket(bucket(keys=["/x", "../x", "a&b/c"]).encode(), url=URL)
        assert (page.index.folders, [entry.name for entry in page.index.ignored]) == (("a&b",), ["", ".."])

    @pytest.mark.parametrize(
        "document",
        [
            b"<ListBucketResult",
            b"<ListBucketResult><Key>",
            b"<Error/>",
            b"<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>",
            b"<ListBucketResult>\xff</ListBucketResult>",
        ],
    )
    def test_what_is_no_buckets_listing_is_refused(self, document: bytes) -> None:
        with pytest.raises(InputError, match="index-not-a-listing"):
            read_bucket(document, url=URL)


class TestWhatIsNoListing:
    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"\xff\xfe\x00",
            b"<html><body><h1>503 Service Unavailable</h1></body></html>",
            b"<html><title>Log in</title><body><a href='CentOS-Stream-10-20261119.0/'>x</a></body></html>",
            b"<html><body>Index of composes <a href='?C=X;O=D'>x</a><a href='?page=2'>2</a></body></html>",
            b"<html><title>Composes</title>Index of /x</body></html>",
            b"<html><title>The Index of /</title><body><a href='/elsewhere/?C=N;O=D'></a></body></html>",
            b"<![x<html><title>Index of</title></body>",
        ],
    )
    @pytest.mark.parametrize("content_type", [HTML, None, "application/xhtml+xml", "TEXT/HTML"])
    def test_a_page_of_another_kind(self, document: bytes, content_type: str | None) -> None:
        assert code(document, content_type) == "index-not-a-listing"

    @pytest.mark.parametrize(
        "document",
        [b"[", b"{}", b"null", b'[{"name": "x"}]', b'[{"name": 1, "type": "directory"}]', b'["x"]', b'[{"type": "x"}]'],
    )
    def test_json_of_another_shape(self, document: bytes) -> None:
        assert code(document, "application/json") == "index-not-a-listing"

    @pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "image/png", "\x1b[2J"])
    def test_another_type_of_content(self, content_type: str) -> None:
        assert code(listing("x/"), content_type) == "index-not-a-listing"

    @pytest.mark.parametrize("file", sorted(LISTINGS.glob("*.html")), ids=lambda file: file.name)
    def test_a_listing_that_ends_anywhere_is_truncated(self, file: Path) -> None:
        whole = file.read_bytes()
        codes = {code(whole[:end]) for end in range(whole.index(b"</h1>") + 5, whole.index(b"</body"), 7)}
        assert codes == {"index-truncated"}

    def test_json_that_ends_anywhere_is_no_listing(self) -> None:
        whole = (LISTINGS / "nginx.json").read_bytes()
        assert {code(whole[:end], "application/json") for end in range(len(whole.rstrip()))} == {"index-not-a-listing"}


class TestWhatIsAListing:
    @pytest.mark.parametrize(
        "page",
        [
            b"<title>Index of /x</title></body>",
            b"<TITLE>\n  INDEX OF /x</TITLE></BODY>",
            b"<h1>Index of /x</h1></html>",
            b"<a href='?C=M;O=A'>Last modified</a></body>",
            b"<a href='?C=M&#59;O=A'>Last modified</a></body>",
            b"<a href='../'>../</a></body>",
        ],
    )
    def test_may_be_empty(self, page: bytes) -> None:
        assert read(page) == Index(folders=())

    def test_may_be_an_empty_list_in_json(self) -> None:
        assert read(b" \n[]", None) == Index(folders=())

    def test_may_lie_where_a_redirect_leads(self) -> None:
        assert read(listing("x/"), url="https://composes.example.org/a/index.html?x").folders == ("x",)

    def test_may_be_the_whole_server(self) -> None:
        assert read(
            listing("x/", "/y/", "https://composes.example.org"), url="https://composes.example.org/"
        ).folders == (
            "x",
            "y",
        )


class TestHostileLinks:
    @pytest.mark.parametrize(
        "link",
        [
            "x/",
            "./x/",
            "/production/x/",
            "https://composes.example.org/production/x/",
            "//composes.example.org/production/x/",
            "a/../x/",
            "%78/",
        ],
    )
    def test_every_way_to_write_a_sub_folder_is_understood(self, link: str) -> None:
        assert read(listing(link)) == Index(folders=("x",))

    @pytest.mark.parametrize(
        ("link", "why"),
        [
            ("https://evil.example.org/production/x/", "it leads elsewhere"),
            ("http://composes.example.org/production/x/", "it leads elsewhere"),
            ("https://composes.example.org:8443/production/x/", "it leads elsewhere"),
            ("https://user@composes.example.org/production/x/", "it leads elsewhere"),
            ("//evil.example.org/x/", "it leads elsewhere"),
            ("/development/x/", "it leads elsewhere"),
            ("../development/x/", "it leads elsewhere"),
            ("/productionx/", "it leads elsewhere"),
            ("/prod", "it leads elsewhere"),
            ("x/y/", "it leads elsewhere"),
            ("x/?y", "it leads elsewhere"),
            ("x/#y", "it leads elsewhere"),
            ("javascript:alert(1)/", "it leads elsewhere"),
            ("mailto:x@example.org", "it leads elsewhere"),
            ("http://[x/", "it is not an address"),
            ("x", "it is a file"),
            ("CentOS-Stream-10-20261119.0", "it is a file"),
        ],
    )
    def test_what_is_no_sub_folder_is_ignored_and_told(self, link: str, why: str) -> None:
        assert read(listing(link)) == Index(folders=(), ignored=(Ignored(name=link, why=why),))

    @pytest.mark.parametrize("name", ["..", ".", "../x", "x/y", "x\x00", "x\n", "\x1b[2J", "\u202e"])
    @pytest.mark.parametrize("kind", ["html", "json"])
    def test_a_name_that_hides_a_path_is_ignored_and_told(self, name: str, kind: str) -> None:
        escaped = "".join(f"%{byte:02x}" for byte in name.encode())
        rows = json.dumps([{"name": name, "type": "directory"}]).encode()
        index = read(listing(f"{escaped}/")) if kind == "html" else read(rows, "application/json")
        assert index == Index(folders=(), ignored=(Ignored(name=name, why="no folder has such a name"),))

    @pytest.mark.parametrize(
        "link", ["?C=M;O=D", "?C=N;O=A&amp;F=0", "../", "/", "", "#top", ".", "./", "https://composes.example.org/"]
    )
    def test_the_page_itself_and_what_is_above_it_are_no_entries(self, link: str) -> None:
        assert read(listing(link)) == Index(folders=())

    def test_each_is_named_once(self) -> None:
        index = read(listing("x/", "./x/", "/production/x/", "y", "y"))
        assert index == Index(folders=("x",), ignored=(Ignored(name="y", why="it is a file"),))

    def test_links_in_comments_scripts_and_texts_are_none(self) -> None:
        links = '<!-- <a href="a/"> --><script>"<a href=b/>"</script>&lt;a href="c/"&gt;<a name="e/"><a href>'
        assert read(listing(end=f"{links}</body>")) == Index(folders=())

    def test_a_long_name_is_cut_where_it_is_told(self) -> None:
        [ignored] = read(listing("x" * 100_000)).ignored
        assert ignored.name == "x" * 200 + "…"

    @pytest.mark.parametrize("end", [">", "'>", "-->", ""])
    @pytest.mark.parametrize(
        "noise",
        ["<a ", "<a\n", "<a href='", '<a a="', "<a/", "<a =", "<!--", "<!", "<?", "</", "<", "<script>", "<title>"],
    )
    def test_half_open_markup_is_read_before_anybody_grows_old(self, noise: str, end: str) -> None:
        document = listing("x/", end=noise * (100_000 // len(noise)) + end)
        assert code(document) == "index-truncated"

    def test_3000_entries_cost_twice_what_1500_cost(self) -> None:
        assert steps(3000) < 2.1 * steps(1500)


def steps(entries: int) -> int:
    """Count the calls that reading so many entries takes."""
    page = listing(
        *(f"CentOS-Stream-10-{20000101 + day}.{respin}/" for day in range(28) for respin in range(entries // 28))
    )
    count = 0

    def tick(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(tick)
    try:
        compose_index(read(page))
    finally:
        sys.setprofile(None)
    return count


@given(st.binary(max_size=300), st.sampled_from([HTML, None, "application/json"]))
def test_whatever_a_server_sends_is_a_listing_or_a_problem(noise: bytes, content_type: str | None) -> None:
    with contextlib.suppress(InputError):  # any other exception fails
        assert all("/" not in name and name.isprintable() for name in read(noise, content_type).folders)


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1), unique=True))
def test_nginx_json_names_what_it_lists(names: list[str]) -> None:
    document = json.dumps([{"name": name, "type": "directory", "mtime": ""} for name in names]).encode()
    assert read(document, "application/json").folders == tuple(name for name in names if name not in {".", ".."})


def test_composes_are_sorted_by_age_and_the_rest_is_told() -> None:
    index = compose_index(Index(folders=("x", *reversed(IDS)), ignored=(Ignored(name="y", why="it is a file"),)))
    assert ids(index) == IDS
    assert [entry.name for entry in index.ignored] == ["y", "x"]
    assert index.ignored[1].why == "'x' is not <short>-<version>-<YYYYMMDD>[.<type>].<respin>"


class TestComposeIds:
    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[ComposeServer]:
        with serving(tmp_path) as server:
            yield server

    @pytest.fixture
    def get(self) -> Callable[[str, int], Document | None]:
        return Http(Limits(tries=1), clock=SkippingClock()).get

    @pytest.mark.parametrize("file", sorted(LISTINGS.iterdir()), ids=lambda file: file.name)
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_of_a_server_are_found(
        self, server: ComposeServer, get: Callable[[str, int], Document | None], file: Path, slash: str
    ) -> None:
        kind = "application/json" if file.suffix == ".json" else HTML
        server.answers["/production/"] = [Answer(body=file.read_bytes(), headers={"Content-Type": kind})]
        assert ids(compose_ids(f"{server.url}/production{slash}", get)) == IDS

    def test_of_pythons_own_server_are_found(self, tmp_path: Path, get: Callable[[str, int], Document | None]) -> None:
        for name in (*IDS[:2], "odd name & <b>"):
            (tmp_path / name).mkdir()
        (tmp_path / IDS[2]).symlink_to(tmp_path / IDS[1])
        (tmp_path / "CentOS-Stream-10-20261121.0").write_bytes(b"")
        handler = functools.partial(Quiet, directory=str(tmp_path))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            index = compose_ids(f"http://127.0.0.1:{server.server_port}", get)
            server.shutdown()
        assert ids(index) == IDS
        assert [entry.name for entry in index.ignored] == ["CentOS-Stream-10-20261121.0", "odd name & <b>"]

    def test_of_a_whole_bucket_are_found(
        self, server: ComposeServer, get: Callable[[str, int], Document | None]
    ) -> None:
        keys = [f"{one}/{name}" for one in IDS for name in ("COMPOSE_ID", "STATUS")]
        server.answers["/"] = [xml(bucket(keys=keys, more=None))]
        assert ids(compose_ids(server.url, get)) == IDS

    @pytest.mark.parametrize(("path", "prefix"), [("", ""), ("production/", "production/"), ("bucket/x/y/", "x/y/")])
    def test_of_a_folder_of_a_bucket_are_found_page_by_page(self, path: str, prefix: str) -> None:
        server = "https://s3.example.org/"
        root = f"{server}bucket/" if path.startswith("bucket") else server
        asked = f"{root}?list-type=2&delimiter=%2F&prefix={quote(prefix, safe='')}"
        first, second = ([f"{prefix}{one}/" for one in part] for part in (IDS[:2], [IDS[2], "x"]))
        pages = {
            server: bucket(keys=["a/b"] * 1000, more="t"),
            asked: bucket(prefix=prefix, folders=first, keys=[prefix], more="a/b+c="),
            f"{asked}&continuation-token=a%2Fb%2Bc%3D": bucket(prefix=prefix, folders=second),
        }
        index = compose_ids(f"{server}{path}", documents(pages))
        assert ids(index) == IDS
        assert [entry.name for entry in index.ignored] == ["x"]

    @pytest.mark.parametrize("more", ["same", None])
    def test_of_a_bucket_that_never_ends_are_not_all(self, more: str | None) -> None:
        page = bucket(folders=[f"{IDS[0]}/"], more=more).replace("false", "true")
        asked = f"{URL}?list-type=2&delimiter=%2F&prefix="
        with pytest.raises(InputError, match="index-truncated"):
            compose_ids(URL, documents(dict.fromkeys((URL, asked, f"{asked}&continuation-token=same"), page)))

    def test_of_a_bucket_whose_page_goes_are_not_all(self) -> None:
        pages = dict.fromkeys((URL, f"{URL}?list-type=2&delimiter=%2F&prefix="), bucket(more="next"))
        with pytest.raises(InputError, match="index-not-found"):
            compose_ids(URL, documents(pages))

    def test_of_a_bucket_with_too_many_are_not_all(self) -> None:
        tokens = itertools.count()
        with pytest.raises(InputError, match="index-truncated"):
            compose_ids(URL, lambda url, _: Document(url=url, body=bucket(more=f"t{next(tokens)}").encode()))

    @pytest.mark.parametrize("failing", [True, False])
    def test_a_bucket_without_the_folder_is_told(self, *, failing: bool) -> None:
        def get(url: str, _: int) -> Document | None:
            if "?" not in url:
                return None
            if failing:
                raise InputError
            return Document(url=url, body=bucket().encode())

        with pytest.raises(InputError, match="index-not-found"):
            compose_ids(URL, get)

    def test_links_are_read_from_where_a_redirect_leads(
        self, server: ComposeServer, get: Callable[[str, int], Document | None]
    ) -> None:
        server.answers["/a/"] = [Answer(status=302, body=b"", headers={"Location": "/b/"})]
        server.answers["/b/"] = [Answer(body=listing(f"/b/{IDS[0]}/", f"/a/{IDS[1]}/"))]
        assert ids(compose_ids(f"{server.url}/a", get)) == IDS[:1]

    def test_an_error_page_with_200_is_no_empty_folder(
        self, server: ComposeServer, get: Callable[[str, int], Document | None]
    ) -> None:
        server.answers["/a/"] = [Answer(body=b"<html><body><h1>Down for maintenance</h1></body></html>")]
        with pytest.raises(InputError, match="index-not-a-listing"):
            compose_ids(f"{server.url}/a", get)

    def test_a_server_without_the_folder_is_told(
        self, server: ComposeServer, get: Callable[[str, int], Document | None]
    ) -> None:
        with pytest.raises(InputError, match=r"/nowhere/: there is no such folder \(index-not-found\)"):
            compose_ids(f"{server.url}/nowhere", get)

    @pytest.mark.parametrize("scheme", ["", "file://"])
    def test_of_a_folder_on_a_disk_are_found(self, tmp_path: Path, scheme: str) -> None:
        folder = tmp_path / "odd name"
        for name in (*IDS[:2], "other"):
            (folder / name).mkdir(parents=True)
        (folder / IDS[2]).symlink_to(folder / IDS[1])
        (folder / "CentOS-Stream-10-20261121.0").write_bytes(b"")
        source = f"{scheme}{str(folder).replace(' ', '%20') if scheme else folder}"
        index = compose_ids(source, nobody)
        assert ids(index) == IDS
        assert [(entry.name, entry.why[:12]) for entry in index.ignored] == [
            ("CentOS-Stream-10-20261121.0", "it is a file"),
            ("other", "'other' is n"),
        ]

    @pytest.mark.parametrize("name", ["nowhere", "file"])
    def test_a_disk_without_the_folder_is_told(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(InputError, match="index-not-found"):
            compose_ids(str(tmp_path / name), nobody)

    def test_a_folder_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(InputError, match="source-unreadable"):
            compose_ids(str(tmp_path / "loop"), nobody)

    @pytest.mark.parametrize("source", ["ftp://example.org/x/", "https://u:p@example.org/x/", "https://"])
    def test_a_bad_address_is_refused(self, source: str) -> None:
        with pytest.raises(UsageError):
            compose_ids(source, nobody)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_folder_without_permission_is_unreadable(self, tmp_path: Path) -> None:
        tmp_path.chmod(0)
        with pytest.raises(InputError, match="source-unreadable"):
            compose_ids(str(tmp_path), nobody)


def nobody(url: str, _limit: int) -> Document | None:
    pytest.fail(f"asks for {url}")
