from collections.abc import Callable

import pytest

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.reading.mirror import why_not_published

URL = "https://mirror.example/10-stream/COMPOSE_ID"
MARKER = "https://mirror.example/10-stream/.sync_in_progress"
ID = "CentOS-Stream-10-20261120.0"


def mirrors(names: list[bytes | None], markers: list[bytes | None]) -> Callable[[str, int], bytes | None]:
    answers = {URL: names, MARKER: markers}

    def read(url: str, _limit: int) -> bytes | None:
        return answers[url].pop(0)

    return read


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \t\n", "\n\n"])
def test_two_agreeing_reads_with_no_push_under_way_are_believed(end: str) -> None:
    read = mirrors([ID.encode(), f"{ID}{end}".encode()], [None, None])
    assert why_not_published(ComposeId.parse(ID), URL, read) is None


@pytest.mark.parametrize(
    ("names", "markers", "why"),
    [
        ([], [b""], f"a push to the mirrors is under way ({MARKER})"),
        ([ID.encode(), ID.encode()], [None, b""], f"a push to the mirrors is under way ({MARKER})"),
        ([ID.encode(), b"x"], [None, None], f"the mirrors do not agree yet: {URL} names {ID} and x"),
        ([f"{ID[:-1]}1".encode()] * 2, [None, None], f"{URL} names {ID[:-1]}1"),
        (
            [b"x", b"x"],
            [None, None],
            f"{URL} does not name a compose: 'x' is not <short>-<version>-<YYYYMMDD>[.<type>].<respin>",
        ),
        (
            [b"\xef\xbb\xbf" + ID.encode()] * 2,
            [None, None],
            f"{URL} does not name a compose: it begins with a byte order mark, which belongs to no compose id",
        ),
        ([None, None], [None, None], f"{URL} names nothing"),
        ([b" \n", b""], [None, None], f"{URL} names nothing"),
        ([b"\x1b[2J\xff"] * 2, [None, None], f"{URL} does not name a compose: it is not ASCII"),
        (
            [b"\x1b[2J\xff", ID.encode()],
            [None, None],
            f"the mirrors do not agree yet: {URL} names \ufffd[2J\ufffd and {ID}",
        ),
    ],
)
def test_anything_else_is_told(names: list[bytes | None], markers: list[bytes | None], why: str) -> None:
    assert why_not_published(ComposeId.parse(ID), URL, mirrors(names, markers)) == why
