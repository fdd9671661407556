"""Rules that age: what time makes of `gate/*.toml` is advice, and only what a change brings with it is a problem.

Advice never makes a rule unreadable and never changes an exit code. Each law looks at all files together, is stated in
its docstring, and yields rows without lines; lines are looked up only for what is reported.
"""

import datetime as dt
import json
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

from msgspec import Struct

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem, escape, shown
from compose_repo.core.rules.holds import LONGEST, HoldEntry
from compose_repo.core.rules.policy import BLOCKING, Waiver

POLICY: Final = "gate/policy.toml"
WAIVERS: Final = "gate/waivers.toml"
HOLDS: Final = "gate/holds.toml"
ORIGINS: Final = "gate/origins.toml"

Row: TypeAlias = Mapping[str, Any]
"""One entry of a file, as TOML has it; it satisfies its schema."""


class Rules(Struct, frozen=True, kw_only=True):
    """The entries of `gate/*.toml`, side by side; None where they are not known, and then nothing is said of them."""

    requirements: Sequence[Row] | None = None
    waivers: Sequence[Row] | None = None
    holds: Sequence[Row] | None = None
    origins: Mapping[str, Row] | None = None
    streams: Collection[str] | None = None


Law: TypeAlias = Callable[[Rules, dt.datetime], Iterator[Problem]]


def waivers_are_in_force(rules: Rules, now: dt.datetime) -> Iterator[Problem]:
    """A waiver has not expired: after its last day, UTC, it covers nothing."""
    for index, row in enumerate(rules.waivers or ()):
        waiver = _waiver(row)
        if waiver is not None and not waiver.holds(now):
            yield Problem(
                path=WAIVERS,
                pointer=f"/waiver/{index}/expires",
                code=Code.WAIVER_EXPIRED,
                message=f"the waiver for {shown(f'{waiver.origin} {waiver.testcase}')} expired on {waiver.expires}",
                fix="remove it, or renew it in a merge request, with a reason",
            )


def patterns_match_something(rules: Rules, _now: dt.datetime) -> Iterator[Problem]:
    """Each pattern of a waiver or hold can match a compose id of some stream that gate/streams.toml lists."""
    if rules.streams is None:
        return
    followed = _Followed(rules.streams)
    entries = [(WAIVERS, f"/waiver/{index}", row) for index, row in enumerate(rules.waivers or ())]
    entries += [(HOLDS, f"/hold/{index}", row) for index, row in enumerate(rules.holds or ())]
    for path, pointer, row in entries:
        for position, pattern in enumerate(row.get("composes", ())):
            if not followed.can_match(pattern):
                yield Problem(
                    path=path,
                    pointer=f"{pointer}/composes/{position}",
                    code=Code.PATTERN_MATCHES_NOTHING,
                    message=f"{shown(pattern)} cannot match a compose of a stream in gate/streams.toml",
                    fix=f"correct the pattern ({followed.example}), or add the stream there",
                )


def required_origins_have_docs(rules: Rules, _now: dt.datetime) -> Iterator[Problem]:
    """The contact of an origin that a blocking requirement waits for has docs."""
    for index, row in _blocking(rules.requirements):
        origin = (rules.origins or {}).get(row["origin"])
        if origin is not None and not _has_docs(origin):
            yield Problem(
                path=POLICY,
                pointer=f"/requirement/{index}/origin",
                code=Code.NO_DOCS,
                message=f"the requirement blocks, but the contact of {shown(row['origin'])} has no docs",
                fix="add docs to the contact in gate/origins.toml: the address of a page about its tests",
            )


def blocking_requirements_say_why(rules: Rules, _now: dt.datetime) -> Iterator[Problem]:
    """A requirement that blocks says why."""
    for index, row in _blocking(rules.requirements):
        if "why" not in row:
            yield Problem(
                path=POLICY,
                pointer=f"/requirement/{index}",
                code=Code.NO_WHY,
                message=f"the requirement for {shown(row['testcase'])} blocks, but does not say why",
                fix="add why, in one line: what it protects",
            )


def _blocking(requirements: Sequence[Row] | None) -> Iterator[tuple[int, Row]]:
    for index, row in enumerate(requirements or ()):
        if row.get("mode", BLOCKING) == BLOCKING:
            yield index, row


def holds_are_in_force(rules: Rules, now: dt.datetime) -> Iterator[Problem]:
    """A hold has force: its last day has not passed, UTC, and is at most 14 days ahead."""
    for index, hold in _holds(rules):
        if hold.is_over(now):
            yield Problem(
                path=HOLDS,
                pointer=f"/hold/{index}/until",
                code=Code.HOLD_EXPIRED,
                message=f"the hold on {shown(hold.title)} ended on {hold.until}",
                fix="remove it, or give it a new last day in a merge request",
            )
        elif hold.is_too_long(now):
            yield Problem(
                path=HOLDS,
                pointer=f"/hold/{index}/until",
                code=Code.HOLD_TOO_LONG,
                message=f"{shown(hold.title)} is held until {hold.until}, more than {LONGEST} days ahead: "
                f"the hold has no force before {hold.first_day}",
                fix=f"let it end within {LONGEST} days; it can be renewed then",
            )


def holds_name_what_is_there(rules: Rules, _now: dt.datetime) -> Iterator[Problem]:
    """A hold's stream is one of gate/streams.toml, and what it excepts is what it would hold."""
    for index, hold in _holds(rules):
        if hold.stream is not None and rules.streams is not None and hold.stream not in rules.streams:
            yield Problem(
                path=HOLDS,
                pointer=f"/hold/{index}/stream",
                code=Code.HOLD_MATCHES_NOTHING,
                message=f"{shown(hold.stream)} is not a stream of gate/streams.toml",
                fix=f"name one that is there ({', '.join(sorted(rules.streams)) or 'none is listed'}), or add it",
            )
        for position, text in enumerate(hold.exceptions):
            if _is_elsewhere(hold, text):
                yield Problem(
                    path=HOLDS,
                    pointer=f"/hold/{index}/except/{position}",
                    code=Code.HOLD_MATCHES_NOTHING,
                    message=f"{shown(text)} is not held anyway",
                    fix="correct the id, or remove it",
                )


def holds_last_longer(rules: Rules, now: dt.datetime) -> Iterator[Problem]:
    """A hold in force lasts for another day."""
    for index, hold in _holds(rules):
        if hold.ends_soon(now):
            yield Problem(
                path=HOLDS,
                pointer=f"/hold/{index}/until",
                code=Code.HOLD_ENDS_SOON,
                message=f"the hold on {shown(hold.title)} ends with {hold.until}; then its composes may go out",
                fix="check whether the cause is gone; otherwise give it a new last day in a merge request",
            )


ADVICE: Final[tuple[Law, ...]] = (
    waivers_are_in_force,
    patterns_match_something,
    required_origins_have_docs,
    blocking_requirements_say_why,
    holds_are_in_force,
    holds_name_what_is_there,
)
"""Every law about rules that age."""
NOTICES: Final[tuple[Law, ...]] = (holds_last_longer,)
"""What is good to know of rules that are right: it is advice of what a change brings, too."""


def docs_are_kept(rules: Rules, base: Rules) -> Iterator[Problem]:
    """A change takes no docs away from an origin that a blocking requirement waits for."""
    required = {row["origin"] for _, row in _blocking(rules.requirements)}
    for name, origin in (rules.origins or {}).items():
        before = (base.origins or {}).get(name)
        if name in required and before is not None and _has_docs(before) and not _has_docs(origin):
            yield Problem(
                path=ORIGINS,
                pointer=f"/origins/{escape(name)}/contact",
                code=Code.NO_DOCS,
                message=f"the contact of {shown(name)} had docs and no longer has, but requirements wait for it",
                fix="give the address of a page about its tests",
            )


def advise(rules: Rules, now: dt.datetime, base: Rules | None = None) -> tuple[list[Problem], list[Problem]]:
    """Give the problems of the entries that a change from `base` has brought, and the advice on all others.

    An entry that is equal to one of the base's, wherever that stands, is not the change's. Without a base there is no
    change.
    """
    found = [row for law in ADVICE for row in law(rules, now)]
    notices = [row for law in NOTICES for row in law(rules, now)]
    if base is None:
        return [], [*found, *notices]
    brought = (
        _brought("waiver", rules.waivers, base.waivers)
        | _brought("requirement", rules.requirements, base.requirements)
        | _brought("hold", rules.holds, base.holds)
    )
    problems = [row for row in found if _entry(row) in brought]
    others = [row for row in found if _entry(row) not in brought]
    return [*problems, *docs_are_kept(rules, base)], [*others, *notices]


def _brought(table: str, rows: Sequence[Row] | None, before: Sequence[Row] | None) -> frozenset[str]:
    """Point at the entries that the base does not have. Where its entries are not known, nothing is the change's."""
    if before is None:
        return frozenset()
    known = set(map(_value, before))
    return frozenset(f"/{table}/{index}" for index, row in enumerate(rows or ()) if _value(row) not in known)


def _entry(row: Problem) -> str:
    """Point at the entry that a row is about: the table and the number."""
    return "/".join(row.pointer.split("/")[:3])


def _value(row: Row) -> str:
    """Write an entry so that equal ones are written alike, in whatever order their fields stand."""
    return json.dumps(row, sort_keys=True)


def _waiver(row: Row) -> Waiver | None:
    """Read a waiver; None if its last day is not in the calendar, which is a problem of its own."""
    try:
        return Waiver.from_dict(row)
    except ValueError:
        return None


def _holds(rules: Rules) -> Iterator[tuple[int, HoldEntry]]:
    """Read the holds, with their numbers; one whose last day is not in the calendar has a problem of its own."""
    for index, row in enumerate(rules.holds or ()):
        try:
            yield index, HoldEntry.from_dict(row)
        except ValueError:
            continue


def _is_elsewhere(hold: HoldEntry, text: str) -> bool:
    """Tell whether a compose is not held anyway; an id whose day is not in the calendar has a problem of its own."""
    try:
        return not hold.names(ComposeId.parse(text))
    except ComposeIdError:
        return False


def _has_docs(origin: Row) -> bool:
    return "docs" in origin["contact"]


class _Followed:
    """The streams that are followed, and what their compose ids begin with."""

    def __init__(self, streams: Collection[str]) -> None:
        self._streams: Final = frozenset(streams)
        self._beginnings: Final = sorted(f"{stream}-" for stream in streams)

    @property
    def example(self) -> str:
        """What patterns may begin with, in a few words."""
        shown_first = [f"{beginning}*" for beginning in islice(self._beginnings, _EXAMPLES)]
        more = ["…"] if len(self._beginnings) > _EXAMPLES else []
        return ", ".join([*shown_first, *more]) or "no stream is listed"

    def can_match(self, pattern: str) -> bool:
        """Tell whether a pattern may match some id. It is only denied where it is certain.

        A pattern without wildcards matches nothing but itself, so it must be an id. Of every other one, what stands
        before the first wildcard must agree with the beginning of some stream's ids.
        """
        literal = pattern[: next((at for at, character in enumerate(pattern) if character in _WILD), len(pattern))]
        if literal == pattern:
            return self._is_id(pattern)
        return self._some_begins_with(literal) or self._begins_with_some(literal)

    def _is_id(self, text: str) -> bool:
        try:
            return ComposeId.parse(text).stream in self._streams
        except ComposeIdError:
            return False

    def _some_begins_with(self, literal: str) -> bool:
        at = bisect_left(self._beginnings, literal)
        return at < len(self._beginnings) and self._beginnings[at].startswith(literal)

    def _begins_with_some(self, literal: str) -> bool:
        """Look up each part that ends before a dash: there may be many streams, but an id is short."""
        return any(literal[:at] in self._streams for at, character in enumerate(literal) if character == "-")


_WILD: Final = frozenset("*?[")
_EXAMPLES: Final = 5
