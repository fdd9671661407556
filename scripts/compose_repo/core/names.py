"""The names of the field: each kind of name is a type of its own, and all obey one grammar."""

import re
from typing import Final, NewType, TypeAlias

Arch = NewType("Arch", str)
"""A tree's architecture as productmd writes it: `x86_64`, `aarch64`, …"""
Origin = NewType("Origin", str)
"""Who reports, e.g. `rdo` (a KCIDB word)."""
RunId = NewType("RunId", str)
"""One run of an origin's tests; the stem of its result file's name."""
Scenario = NewType("Scenario", str)
Sha = NewType("Sha", str)
"""A git commit, 40 (or 64) lower-case hex digits."""
Sha256 = NewType("Sha256", str)
"""A SHA-256 digest, 64 lower-case hex digits."""
Stream = NewType("Stream", str)
"""Release short name and version: `CentOS-Stream-10`."""
Testcase = NewType("Testcase", str)
Variant = NewType("Variant", str)

Cell: TypeAlias = tuple[Scenario | None, Arch | None, Variant | None]
"""None where a report names no value, or where a requirement asks for no particular one."""

NAME_LENGTH: Final = 128
"""Most characters of a name that stands in a path."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What no line of ours has: control characters, and marks that change the direction of writing."""
_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def is_name(text: str) -> bool:
    """Tell whether a text may stand in a path: ASCII, no leading dot or dash, at most `NAME_LENGTH` characters."""
    return len(text) <= NAME_LENGTH and _NAME.fullmatch(text) is not None


def is_line(text: str, most: int) -> bool:
    """Tell whether a text is one line of so many characters at most, without any that steers a terminal."""
    return 0 < len(text) <= most and _UNSEEN.search(text) is None


def as_line(text: str | None, most: int) -> str | None:
    """Give a foreign text as one line of at most so many characters; None if nothing of it is left.

    White space becomes single spaces, and what is no part of a line is marked. A text that is a line already stays.
    """
    if text is None or is_line(text, most):
        return text
    line = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return (line if len(line) <= most else f"{line[: most - 1]}…") or None


def is_sha(text: str) -> bool:
    """Tell whether a text is the whole name of a git object, of SHA-1 or SHA-256, in lower-case hex."""
    return _SHA.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """Tell whether a text is a SHA-256 digest in lower-case hex."""
    return _SHA256.fullmatch(text) is not None


def user_key(username: str) -> str:
    """Give the form in which GitLab compares user names: they do not differ in case alone.

    That is `lower`, as in GitLab's database. `casefold` would take more names for one: "groß" for "gross".
    """
    return username.lower()


def is_same_user(one: str, other: str) -> bool:
    """Tell whether two user names are those of one account."""
    return user_key(one) == user_key(other)
