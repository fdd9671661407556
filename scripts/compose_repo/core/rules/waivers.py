"""Which waivers bear on a compose, and which are worth a look."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.rules.policy import Policy, Waiver

EXPIRES_SOON: Final = dt.timedelta(days=14)
"""How long before its end a waiver in use is reported as soon expiring."""


class WaiverState(StrEnum):
    """Why a waiver is worth a look."""

    EXPIRED = "expired"
    EXPIRES_SOON = "expires soon"
    UNUSED = "unused"


class WaiverNotice(Struct, frozen=True, kw_only=True):
    """A waiver that names this compose and is worth a look."""

    state: WaiverState
    waiver: Waiver

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `decision/2`."""
        return {"state": str(self.state), "waiver": self.waiver.to_dict()}


def in_force(
    waivers: Iterable[Waiver], compose_id: ComposeId, now: dt.datetime
) -> Mapping[tuple[str, str], Sequence[Waiver]]:
    """Sort the waivers that hold for a compose by the test they name, the one that lasts longest first."""
    by_test: dict[tuple[str, str], list[Waiver]] = {}
    for waiver in sorted(waivers, key=longest_first):
        if waiver.holds(now) and waiver.covers_compose(str(compose_id)):
            by_test.setdefault((waiver.origin, waiver.testcase), []).append(waiver)
    return by_test


def notices(
    waivers: Iterable[Waiver],
    compose_id: ComposeId,
    policy: Policy,
    used: Collection[Waiver | None],
    now: dt.datetime,
) -> tuple[WaiverNotice, ...]:
    """Name the waivers for this compose that have expired, that will soon, and that nothing needs.

    `used` are those that answers name. A waiver for a test that is asked of other streams only is not unused: it waits
    for their composes.
    """
    lines = policy.requirements
    here = {(line.origin, name) for line in lines if line.applies_to(compose_id.stream) for name in line.names}
    elsewhere = {(line.origin, name) for line in lines for name in line.names} - here
    found = []
    for waiver in sorted(waivers, key=longest_first):
        if not waiver.covers_compose(str(compose_id)):
            continue
        if not waiver.holds(now):
            found.append(WaiverNotice(state=WaiverState.EXPIRED, waiver=waiver))
        elif waiver in used:
            if not waiver.holds(now + EXPIRES_SOON):
                found.append(WaiverNotice(state=WaiverState.EXPIRES_SOON, waiver=waiver))
        elif (waiver.origin, waiver.testcase) not in elsewhere:
            found.append(WaiverNotice(state=WaiverState.UNUSED, waiver=waiver))
    return tuple(found)


def longest_first(waiver: Waiver) -> tuple[Any, ...]:
    """The one that lasts longest first; every field counts, so that the order of the file never shows."""
    return (-waiver.expires.toordinal(), waiver.title, repr(waiver))
