"""The one place that reads the clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return this moment in the form GitLab's API uses: UTC with milliseconds."""
    return iso(datetime.now(tz=UTC))


def iso(moment: datetime) -> str:
    """Return a moment in the form GitLab's API uses."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
