"""JSON that other tools write, for readers that look at a few fields of it: what the others hold never matters.

Tools write what strict JSON has not: NaN, half of a character where a text was cut, a key twice. A reader that refuses
such a document loses what it reports, a failure perhaps, because of a field that nobody reads.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final

_DIGITS: Final = 100
"""More would be no number that anybody reads, and take long to read."""
_HALF: Final = re.compile("[\ud800-\udfff]")


def parse_foreign_json(data: bytes) -> Any:  # noqa: ANN401  # JSON holds anything
    """Parse JSON as it is sent: what is not UTF-8 becomes U+FFFD, what is no number NaN or infinity.

    A key that stands several times in an object with different values has a tuple of them, which nothing else has.

    Raises:
        ValueError: it is not JSON, or nested too deep to be read.

    """
    try:
        return json.loads(
            data.decode("utf-8-sig", "replace"), strict=False, parse_int=_number, object_pairs_hook=_without_choice
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def whole_characters(text: str) -> str:
    """Give a text with U+FFFD in the place of each half of a character."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else math.nan


def _without_choice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its keys and values, without choosing one of the values of a key."""
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    values: dict[str, list[Any]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {key: one[0] if all(value == one[0] for value in one) else tuple(one) for key, one in values.items()}
