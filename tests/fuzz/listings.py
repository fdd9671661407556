"""The index of a folder on a compose server: any page names folders that are its own, or is told to be no index."""

from typing import Final

from draw import Draw

from compose_repo.core.composes.index import compose_index, read_index
from compose_repo.core.problems.problem import InputError
from compose_repo.core.problems.report import as_line

URL: Final = "https://composes.example.org/stream-10/production/"
PIECES: Final = (
    *(
        "<html>",
        "</html>",
        "<body>",
        "<title>Index of /</title>",
        "<h1>Index of /</h1>",
        "<pre>",
        "</pre>",
        "<table>",
        "<hr>",
    ),
    *(
        '<a href="',
        '">',
        "</a>",
        "../",
        "/",
        "?C=N;O=D",
        "CentOS-Stream-10-20261120.0/",
        "%2e%2e/",
        "%2F",
        "//[",
        "http://",
        "\\",
    ),
    *(
        "https://evil.example/",
        URL,
        "&amp;",
        "&#47;",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!",
        "<?",
        "#",
        ";",
        ":",
        "javascript:",
    ),
    *(
        "[",
        "]",
        '{"name": "a", "type": "directory"}',
        ",",
        "null",
        "\u202e",
        "\0",
        "\ud800",
        "%ff",
        "%00",
        "%",
        "latest-1/",
        "a",
    ),
)
WORDS: Final = tuple(piece.encode("utf-8", "surrogatepass") for piece in PIECES)
SEEDS: Final = (
    b'\x01<html><title>Index of /a</title><body><a href="../">../</a><a href="CentOS-Stream-10-20261120.0/">x</body>',
    b'\x02[{"name": "CentOS-Stream-10-20261120.0", "type": "directory"}, {"name": "a", "type": "file"}]',
    b'\x01<html><title>Index of /</title><a href="//[x/">x</a></html>',
)


def read_any_listing(data: bytes) -> None:
    """Read a page; the folders that it names are single names, and what it says of the rest can be shown."""
    draw = Draw(data)
    content_type = draw.choice([None, "text/html", "application/json", "text/html; charset=x"])
    document = draw.rest()
    try:
        index = read_index(document, url=URL, content_type=content_type)
    except InputError as error:
        for problem in error.problems:
            assert as_line(problem).isprintable()
        return
    for name in index.folders:
        assert name
        assert "/" not in name
        assert name not in {".", ".."}
    assert len(set(index.folders)) == len(index.folders)
    composes = compose_index(index)
    assert list(composes.ids) == sorted(composes.ids)
    assert {compose_id.text for compose_id in composes.ids} <= set(index.folders)
