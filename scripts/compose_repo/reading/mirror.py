"""What the mirrors carry. One name stands for several machines, which are pushed to by hand and one after the other."""

from collections.abc import Callable
from typing import Final, TypeAlias

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.escape import terminal

Read: TypeAlias = Callable[[str, int], bytes | None]
"""Gives a file's bytes, at most so many, or None where the server has no such file."""

SYNC_MARKER: Final = ".sync_in_progress"
_MOST: Final = 4096
NOTHING: Final = "nothing"


class Unsettled(Exception):  # noqa: N818  # nobody is at fault: it is waited for
    """What the mirrors carry cannot be told now; the message says why."""


def published_compose(url: str, read: Read) -> ComposeId | None:
    """Give the compose that COMPOSE_ID on the mirrors names, None if the file is not there or empty.

    Only two reads that agree are believed, with no push under way before or after them.

    Raises:
        Unsettled: a push is under way, or the mirrors do not agree.
        ComposeIdError: what they agree on is not a compose id.

    """
    marker = f"{url.rpartition('/')[0]}/{SYNC_MARKER}"
    if read(marker, _MOST) is not None:
        raise Unsettled(f"a push to the mirrors is under way ({marker})")
    first, second = _content(read(url, _MOST)), _content(read(url, _MOST))
    if first != second:
        raise Unsettled(f"the mirrors do not agree yet: {url} names {_shown(first)} and {_shown(second)}")
    if read(marker, _MOST) is not None:
        raise Unsettled(f"a push to the mirrors is under way ({marker})")
    return ComposeId.of_file(first) if first else None


def why_not_published(compose_id: ComposeId, url: str, read: Read) -> str | None:
    """Say why a compose does not count as published, or give None if it does."""
    try:
        found = published_compose(url, read)
    except Unsettled as reason:
        return str(reason)
    except ComposeIdError as reason:
        return f"{url} does not name a compose: {reason}"
    return None if found == compose_id else f"{url} names {found or NOTHING}"


def _content(data: bytes | None) -> bytes:
    """Give what is compared: machines that differ in white space at the end alone say the same."""
    return b"" if data is None else data.rstrip()


def _shown(content: bytes) -> str:
    return terminal(content.decode("utf-8", "replace")) or NOTHING
