"""Times that other programs write: UTC by any of its names, and nothing that says two things at once."""

import datetime as dt

import pytest

from compose_repo.core.documents.moment import read_moment

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00+00:00",
        "2026-11-20T12:00:00+00:00Z",
        "2026-11-20T12:00:00.000000+00:00Z",
        "2026-11-20T12:00:00+0000Z",
        "2026-11-20 12:00:00 UTC",
        "2026-11-20T12:00:00UTC",
        "2026-11-20 12:00:00 +0000",
        "2026-11-20 12:00:00 -0000",
        "2026-11-20T13:00:00+01:00",
    ],
)
def test_a_time_in_utc_is_the_same_however_it_is_spelled(text: str) -> None:
    assert read_moment(text) == NOON
    assert read_moment(text).tzinfo is not None


def test_a_time_without_an_offset_has_none() -> None:
    assert read_moment("2026-11-20T12:00:00").tzinfo is None


@pytest.mark.parametrize(
    "text", ["2026-11-20T12:00:00+01:00Z", "2026-11-20T12:00:00Z UTC", "noon UTC", "UTC", "", "2026-11-20T12:00:00 CET"]
)
def test_what_is_not_a_time_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Ii]nvalid|isoformat"):
        read_moment(text)
