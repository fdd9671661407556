"""What the mirrors carry. One name stands for several machines, which are pushed to by hand and one after the other."""

from collections.abc import Callable
from typing import Final, TypeAlias

from compose_repo.core.escape import terminal

Read: TypeAlias = Callable[[str, int], bytes | None]
"""Gives a file's bytes, at most so many, or None where the server has no such file."""

SYNC_MARKER: Final = ".sync_in_progress"
_MOST: Final = 4096
NOTHING: Final = "nothing"


class Unsettled(Exception):  # noqa: N818  # nobody is at fault: it is waited for
    """What the mirrors carry cannot be told now; the message says why."""


def published_name(url: str, read: Read) -> str | None:
    """Give what COMPOSE_ID on the mirrors says, None if it is not there or empty.

    Only two reads that agree are believed, with no push under way before or after them.

    Raises:
        Unsettled: a push is under way, or the mirrors do not agree.

    """
    marker = f"{url.rpartition('/')[0]}/{SYNC_MARKER}"
    if read(marker, _MOST) is not None:
        raise Unsettled(f"a push to the mirrors is under way ({marker})")
    first, second = _named(read(url, _MOST)), _named(read(url, _MOST))
    if first != second:
        raise Unsettled(f"the mirrors do not agree yet: {url} names {first or NOTHING} and {second or NOTHING}")
    if read(marker, _MOST) is not None:
        raise Unsettled(f"a push to the mirrors is under way ({marker})")
    return first


def why_not_published(compose_id: str, url: str, read: Read) -> str | None:
    """Say why a compose does not count as published, or give None if it does."""
    try:
        name = published_name(url, read)
    except Unsettled as reason:
        return str(reason)
    return None if name == compose_id else f"{url} names {name or NOTHING}"


def _named(content: bytes | None) -> str | None:
    return None if content is None else terminal(content.decode("utf-8", "replace")) or None
