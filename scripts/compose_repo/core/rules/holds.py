"""Holds: which composes must not go out for now. A hold is beside the verdict and never changes it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.documents.entries import EntryFile, Row
from compose_repo.core.names import Stream

LONGEST: Final = 14
"""How many days ahead a hold may end; one that ends later has no force yet."""
ENDS_SOON: Final = dt.timedelta(days=1)
"""How long before its end a hold is reported as ending soon."""


class HoldEntry(Struct, frozen=True, kw_only=True):
    """A hold as `gate/holds.toml` has it: either on a stream or on composes, until the end of the day `until`, UTC.

    `exceptions` are the ids of composes that it does not hold.
    """

    reason: str
    issue: str
    by: str
    until: dt.date
    stream: Stream | None = None
    composes: tuple[str, ...] | None = None
    exceptions: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How reports name it: what it holds, in words."""
        return ", ".join(self.composes or ()) if self.stream is None else self.stream

    @property
    def first_day(self) -> dt.date:
        """The first day on which its end is near enough for it to have force."""
        return self.until - dt.timedelta(days=min(LONGEST, self.until.toordinal() - 1))

    def is_over(self, now: dt.datetime) -> bool:
        """Tell whether its last day has passed, UTC."""
        return _day(now) > self.until

    def is_too_long(self, now: dt.datetime) -> bool:
        """Tell whether its end is too far ahead."""
        return _day(now) < self.first_day

    def is_in_force(self, now: dt.datetime) -> bool:
        """Tell whether it holds anything now."""
        return not self.is_over(now) and not self.is_too_long(now)

    def ends_soon(self, now: dt.datetime) -> bool:
        """Tell whether it is in force, and no longer is a day later."""
        return self.is_in_force(now) and self.is_over(now + ENDS_SOON)

    def names(self, compose_id: ComposeId) -> bool:
        """Tell whether a compose is of its stream or matches a pattern of its, exceptions aside."""
        if self.stream is not None:
            return compose_id.stream == self.stream
        return any(fnmatchcase(compose_id.text, pattern) for pattern in self.composes or ())

    def bears_on(self, compose_id: ComposeId, now: dt.datetime) -> bool:
        """Tell whether it holds a compose now."""
        return self.is_in_force(now) and self.names(compose_id) and compose_id.text not in self.exceptions

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "HoldEntry":
        """Read one `[[hold]]`; the data must satisfy the holds schema, its date as text.

        Raises:
            ValueError: `until` has the shape of a date and is none.

        """
        composes = data.get("composes")
        return cls(
            reason=data["reason"],
            issue=data["issue"],
            by=data["by"],
            until=dt.date.fromisoformat(data["until"]),
            stream=data.get("stream"),
            composes=None if composes is None else tuple(composes),
            exceptions=tuple(data.get("except", ())),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the `[[hold]]` as JSON has it, its date as text; what is absent is left out."""
        return {
            **({} if self.stream is None else {"stream": self.stream}),
            **({} if self.composes is None else {"composes": list(self.composes)}),
            **({"except": list(self.exceptions)} if self.exceptions else {}),
            "reason": self.reason,
            "issue": self.issue,
            "by": self.by,
            "until": self.until.isoformat(),
        }


FILE: Final = EntryFile(
    path="gate/holds.toml",
    schema="holds/1",
    table="hold",
    head="Composes that must not go out for now. docs/policy.md explains every field.",
)
"""Where holds are kept."""


def row_of(hold: HoldEntry) -> Row:
    """Give an entry as TOML has it: its last day is a date."""
    return {**hold.to_dict(), "until": hold.until}


def is_stream(text: str) -> bool:
    """Tell whether a text is formed as the name of a stream; a compose id or a pattern is not."""
    try:
        return ComposeId.parse(f"{text}-20000101.0").stream == text
    except ComposeIdError:
        return False


def entries_on(rows: Iterable[Mapping[str, Any]], words: Sequence[str]) -> list[int]:
    """Find the entries that hold just a stream, or just these patterns, in whatever order."""
    return [
        index for index, row in enumerate(rows) if sorted(row.get("composes", [row.get("stream")])) == sorted(words)
    ]


def holds_from_dict(data: Mapping[str, Any]) -> tuple[HoldEntry, ...]:
    """Read `gate/holds.toml`; the data must satisfy the holds schema."""
    return tuple(map(HoldEntry.from_dict, data.get("hold", ())))


def hold_on(holds: Iterable[HoldEntry], compose_id: ComposeId, now: dt.datetime) -> HoldEntry | None:
    """Choose the hold that a decision names: of those that hold a compose now, the one that lasts longest.

    Where several end on one day, every field decides, so that the order of the file never shows.
    """
    return max((hold for hold in holds if hold.bears_on(compose_id, now)), key=_order, default=None)


def _order(hold: HoldEntry) -> tuple[dt.date, str]:
    return (hold.until, repr(hold))


def _day(now: dt.datetime) -> dt.date:
    return now.astimezone(dt.UTC).date()
