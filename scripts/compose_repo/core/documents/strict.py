"""Strict reading of bytes that anybody may have written: JSON and TOML, or every reason why not.

A file that is read has one meaning only: UTF-8, each key once, finite numbers that every reader reads alike, text that
can be shown. The good case costs little more than `json.loads`; only a file that is refused is read again, slowly, to
say what is wrong in which line.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import jiter

from compose_repo.core.documents.limits import CONTROL, CONTROL_IN_KEY, DEPTH, INTEGER, KEYS
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, escape

_BOM: Final = b"\xef\xbb\xbf"


_STEP: Final = r"""(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DOTTED: Final = f"(?:{_STEP}){{{DEPTH + 1}}}"
"""A dotted key of more tables than may be inside one another; tomllib's time grows with the square of their number."""


def too_large(path: str, size: int, limit: int) -> Problem:
    """Say that a file has more bytes than its kind may have; nobody has to read it to know."""
    return Problem(
        path=path,
        code=Code.FILE_TOO_LARGE,
        message=f"the file has {size:,} bytes, at most {limit:,} are read",
        fix="split it into several files, or leave out what is not needed",
    )


def parse_json(data: bytes, *, repetitive: bool = False) -> Any:  # noqa: ANN401  # JSON holds anything
    """Parse JSON, of any size and with any text in it, but each key only once, and no NaN or infinity.

    Equal short texts become one object if they are keys, and in a `repetitive` document if they are values too: in
    rpms.json that saves an eighth of the memory, and the time to fill it.

    Raises:
        ValueError: it is no such JSON; the message is the parser's own.

    """
    cached: Literal["all", "keys"] = "all" if repetitive else "keys"
    return jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode=cached)


def is_plain_under_schema(data: bytes) -> bool:
    """Tell whether a closed schema bounds all that a document can hold: it has no escapes, and no `misc` to fill."""
    return b"misc" not in data and not _may_hide_texts(data)


def _may_hide_texts(data: bytes) -> bool:
    """A JSON text without a backslash has no escape, and jiter refuses raw control characters below U+0020."""
    return b"\\" in data or b"\x7f" in data or b"\xc2" in data


def read_json(data: bytes, path: str, *, walked: bool = True) -> Any:  # noqa: ANN401  # JSON holds anything
    """Read a JSON document; one that is not `walked` is for a schema to bound in depth, keys and numbers.

    Raises:
        InputError: it is not strict JSON; it carries every problem that could be found.

    """
    text = _decoded(data, path)
    try:
        value = parse_json(data)
    except ValueError as error:
        raise InputError(*_diagnosed_json(text, path, str(error))) from None
    texts = _may_hide_texts(data)
    if walked and not _is_plain(value, texts=texts):
        raise InputError(*(_diagnosed_json(text, path, None) or _diagnosed_value(text, path, value, texts=texts)))
    return value


def read_toml(data: bytes, path: str) -> dict[str, Any]:
    """Read a TOML document; its dates and times become text as JSON would have it.

    Raises:
        InputError: it is not strict TOML; it carries every problem that could be found.

    """
    import tomllib  # noqa: PLC0415  # only gate/ needs it, and it costs start-up time

    text = _decoded(data, path)
    try:
        if re.search(_DOTTED, text):
            raise RecursionError  # noqa: TRY301  # what the parser would say, but it would take hours to say it
        plain: dict[str, Any] = _without_dates(tomllib.loads(text))
    except (RecursionError, ValueError) as error:
        raise InputError(*_diagnosed_toml(text, path, error)) from None
    if not _is_plain(plain, texts=True):
        raise InputError(*_diagnosed_toml(text, path, plain))
    return plain


def _diagnosed_json(text: str, path: str, said: str | None) -> list[Problem]:
    from compose_repo.core.documents.diagnosis import json_problems  # noqa: PLC0415  # only what is refused is read again

    return json_problems(text, path, said)


def _diagnosed_value(text: str, path: str, value: Any, *, texts: bool) -> list[Problem]:  # noqa: ANN401
    """Explain the first fault of a document that is too large to be looked at piece by piece."""
    from compose_repo.core.documents.diagnosis import fault_problems  # noqa: PLC0415  # only what is refused is read again

    return fault_problems(path, text, *_first_fault(value, texts=texts))


def _diagnosed_toml(text: str, path: str, outcome: Exception | Mapping[str, Any]) -> list[Problem]:
    from compose_repo.core.documents.diagnosis import toml_problems  # noqa: PLC0415  # only what is refused is read again

    return toml_problems(text, path, outcome)


def _decoded(data: bytes, path: str) -> str:
    if data.startswith(_BOM):
        raise InputError(
            Problem(
                path=path,
                code=Code.BYTE_ORDER_MARK,
                message="the file starts with a byte order mark",
                fix="save it as UTF-8 without one",
            )
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            Problem(
                path=path,
                line=data.count(b"\n", 0, error.start) + 1,
                code=Code.NOT_UTF8,
                message=f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8",
                fix="save the file as UTF-8",
            )
        ) from None


def _first_fault(value: Any, *, texts: bool) -> tuple[str, Any, int]:  # noqa: ANN401
    """Find the first value that breaks a bound by itself: its pointer, itself, and how deep it is.

    Of what a container holds one half is looked at after the other, so that all together takes hardly longer than one
    look at the whole document.
    """
    pointer, depth = "", 1
    while isinstance(value, (dict, list)) and _breaks_no_bound(value, depth, texts=texts):
        members = list(value.values()) if isinstance(value, dict) else value
        begin, end = 0, len(members)
        while end - begin > 1:
            middle = (begin + end) // 2
            if _is_plain(members[begin:middle], texts=texts, depth=depth - 1):
                begin = middle
            else:
                end = middle
        step = list(value)[begin] if isinstance(value, dict) else begin
        pointer, value, depth = f"{pointer}/{escape(step)}", members[begin], depth + 1
    return pointer, value, depth


def _breaks_no_bound(container: dict[str, Any] | list[Any], depth: int, *, texts: bool) -> bool:
    """Tell whether a container is sound but for what it holds."""
    if depth > DEPTH or isinstance(container, list):
        return depth <= DEPTH
    return len(container) <= KEYS and not (texts and not all(map(_is_plain_key, container)))


def _is_plain(value: Any, *, texts: bool, depth: int = 0) -> bool:  # noqa: ANN401
    """Tell whether a parsed document keeps to the bounds of depth, keys and numbers, and has only text to be shown.

    `depth` is the number of containers that are around it.
    """
    looked_at = _LOOKED_AT_WITH_TEXTS if texts else _LOOKED_AT
    level: list[Any] = [[value]]
    depth -= 1
    while level:
        depth += 1
        below: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict:
                if depth > DEPTH or len(item) > KEYS or (texts and not all(map(_is_plain_key, item))):
                    return False
                below += [member for member in item.values() if type(member) in looked_at]
            elif kind is list:
                if depth > DEPTH:
                    return False
                below += [element for element in item if type(element) in looked_at]
            elif kind is str:
                if not item.isprintable() and CONTROL.search(item):
                    return False
            elif not -INTEGER <= item <= INTEGER and (kind is int or item - item != 0):
                return False
        level = below
    return True


_LOOKED_AT: Final = frozenset({dict, list, int, float})
_LOOKED_AT_WITH_TEXTS: Final = _LOOKED_AT | {str}


def _is_plain_key(key: str) -> bool:
    return CONTROL_IN_KEY.search(key) is None


def _without_dates(value: Any, depth: int = 1) -> Any:  # noqa: ANN401  # any TOML value
    """Write dates and times as text.

    Raises:
        RecursionError: too many tables are inside one another.

    """
    if depth > DEPTH + 1:
        raise RecursionError
    if isinstance(value, dict):
        return {key: _without_dates(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_dates(element, depth + 1) for element in value]
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value
