"""Times as other programs write them: the spellings of UTC that are not in RFC 3339, and mean it all the same."""

import datetime as dt
import re
from typing import Final

_IN_UTC: Final = re.compile(r"(?P<time>.*?[0-9])(?:[+-]00:?00Z| ?UTC| [+-]00:?00)")
"""`+00:00Z` is what comes of adding a Z to Python's own spelling; `2026-11-20 04:00:00 UTC` is Ruby's."""


def read_moment(text: str) -> dt.datetime:
    """Read a time; without an offset it has no time zone.

    Raises:
        ValueError: it is not a time.

    """
    utc = _IN_UTC.fullmatch(text)
    return dt.datetime.fromisoformat(text if utc is None else f"{utc['time']}Z")
