"""Pushes are asked for once for all branches, and again where somebody has seen that something is missing."""

import datetime as dt
from collections.abc import Sequence

from msgspec.structs import replace
from test_merge_requests import line

from compose_repo.core.forge.forge import Push, User
from compose_repo.core.names import Sha
from compose_repo.reading.line import PushLog, since_of

DAY = dt.date(2026, 11, 20)
AT = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def push(branch: str) -> Push:
    return Push(user=User(id=1, username="rdo-ci"), branch=branch, before=None, after=Sha("a" * 40), at=AT)


class Reads:
    """Remembers since when was asked."""

    def __init__(self) -> None:
        self.asked: list[dt.date] = []

    def __call__(self, since: dt.date) -> Sequence[Push]:
        self.asked.append(since)
        return [push("a"), push("b"), push("a")]


def test_branches_share_one_reading() -> None:
    reads = Reads()
    log = PushLog(reads)
    assert log.of("a", DAY) == [push("a")] * 2
    assert log.of("b", DAY) == [push("b")]
    assert log.of("c", DAY) == []
    assert reads.asked == [DAY]


def test_a_branch_that_is_asked_for_again_is_read_again_and_the_others_with_it() -> None:
    reads = Reads()
    log = PushLog(reads)
    for branch in ("a", "b", "a", "b"):
        log.of(branch, DAY)
    assert reads.asked == [DAY] * 2


def test_what_lies_further_back_is_read_anew() -> None:
    reads = Reads()
    log = PushLog(reads)
    before = DAY - dt.timedelta(days=3)
    log.of("a", DAY)
    log.of("b", before)
    assert reads.asked == [DAY, before]


def test_as_far_back_as_expected_is_read_at_once_but_not_before_it_is_known() -> None:
    reads = Reads()
    log = PushLog(reads)
    before = DAY - dt.timedelta(days=3)
    log.expect(before)
    log.of("a", DAY)
    log.of("b", before)
    log.expect(None)
    log.of("b", DAY)
    assert reads.asked == [before, DAY]


def test_the_oldest_compose_says_how_far_back() -> None:
    younger = line(1)
    older = replace(line(2, compose_id="CentOS-Stream-10-20261101.0"), created_at=AT)
    other = replace(line(3), source_branch="fix-something")
    assert since_of([younger, older, other]) == dt.date(2026, 10, 30)
    assert since_of([other]) is None
