"""What the mirrors carry. One name stands for several machines, which are pushed to by hand and one after the other."""

from collections.abc import Callable
from typing import Final, TypeAlias

from compose_repo.core.escape import terminal

Read: TypeAlias = Callable[[str, int], bytes | None]
"""Gives a file's bytes, at most so many, or None where the server has no such file."""

SYNC_MARKER: Final = ".sync_in_progress"
_MOST: Final = 4096


def why_not_published(compose_id: str, url: str, read: Read) -> str | None:
    """Say why a compose does not count as published, or give None if it does.

    Only two reads that agree are believed, with no push under way before or after them.
    """
    marker = f"{url.rpartition('/')[0]}/{SYNC_MARKER}"
    if read(marker, _MOST) is not None:
        return f"a push to the mirrors is under way ({marker})"
    first, second = _named(read(url, _MOST)), _named(read(url, _MOST))
    if first != second:
        return f"the mirrors do not agree yet: {url} names {first} and {second}"
    if read(marker, _MOST) is not None:
        return f"a push to the mirrors is under way ({marker})"
    return None if first == compose_id else f"{url} names {first}"


def _named(content: bytes | None) -> str:
    return "nothing" if content is None else terminal(content.decode("utf-8", "replace")) or "nothing"
