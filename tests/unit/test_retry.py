"""Trying again: the waits grow within their bounds, and whoever must give up does so at once."""

import math
import threading

import pytest

from compose_repo.ports.clock import Clock
from compose_repo.ports.retry import STEADY, Backoff, Deadline, Retry, http_date, retry_after
from skipping_clock import NOW, RunningClock, SkippingClock


def waits(retry: Retry, most: int = 9) -> list[float | None]:
    return [retry.wait() for _ in range(most)]


def test_each_wait_is_twice_as_long_as_the_one_before_up_to_the_longest() -> None:
    retry = Retry(Backoff(first=1.0, longest=5.0), SkippingClock())
    assert waits(retry, 5) == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_however_often_it_fails_the_wait_can_be_reckoned() -> None:
    assert Backoff(first=1.0, longest=300.0).after(10**6, SkippingClock()) == 300.0


def test_there_is_one_wait_less_than_there_are_tries() -> None:
    assert waits(Retry(Backoff(first=1.0, tries=3), SkippingClock()), 4) == [1.0, 2.0, None, None]


@pytest.mark.parametrize(("chance", "first"), [(0.0, 0.6), (0.5, 0.8), (1.0, 1.0)])
def test_chance_shortens_a_wait_by_its_share_at_most(chance: float, first: float) -> None:
    assert Retry(Backoff(first=1.0, spread=0.4), SkippingClock(chance=chance)).wait() == pytest.approx(first)


def test_a_server_is_not_tried_sooner_than_it_asks() -> None:
    retry = Retry(Backoff(first=1.0), SkippingClock())
    assert [retry.wait(7.0), retry.wait(0.0), retry.wait(3.0)] == [7.0, 2.0, 4.0]


def test_a_server_that_asks_for_too_much_is_not_tried_again() -> None:
    backoff = Backoff(first=1.0, longest_asked=30.0)
    assert (Retry(backoff, SkippingClock()).wait(30.0), Retry(backoff, SkippingClock()).wait(31.0)) == (30.0, None)


def test_a_wait_can_be_made_longer_where_that_is_known_to_be_needed() -> None:
    assert Retry(Backoff(first=1.0), SkippingClock()).wait(times=12) == 12.0


@pytest.mark.parametrize(("seconds", "slept"), [(7.0, [1.0, 2.0]), (7.1, [1.0, 2.0, 4.0])])
def test_a_wait_that_reaches_the_deadline_is_not_begun(seconds: float, slept: list[float]) -> None:
    clock = SkippingClock()
    retry = Retry(Backoff(first=1.0), clock, Deadline(seconds, clock))
    assert [retry.again() for _ in slept] == [True] * len(slept)
    assert not retry.again()
    assert clock.slept == slept


def test_a_deadline_allows_a_silence_until_it_comes_near_and_none_after_it() -> None:
    clock = SkippingClock()
    deadline = Deadline(10.0, clock, silence=4.0)
    allowed = [deadline.silence()]
    clock.tick(7.0)
    deadline.came(1)
    allowed.append(deadline.silence())
    clock.tick(3.0)
    assert (allowed, deadline.left) == ([4.0, 3.0], 0.0)
    with pytest.raises(TimeoutError):
        deadline.silence()


def test_what_comes_in_drops_is_as_good_as_silence_until_another_try_begins() -> None:
    clock = SkippingClock()
    deadline = Deadline(100.0, clock, silence=4.0, steady=STEADY)
    clock.tick(3.0)
    deadline.came(STEADY)
    for _ in range(3):
        clock.tick(1.0)
        deadline.came(STEADY // 4)
    assert deadline.silence() == 1.0
    clock.tick(1.0)
    with pytest.raises(TimeoutError):
        deadline.silence()
    deadline.allow(2.0)
    assert deadline.silence() == 2.0
    clock.tick(2.0)
    with pytest.raises(TimeoutError):
        deadline.silence()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "9" * 400}, 999_999_999.0),
        ({"Retry-After": "Fri, 20 Nov 2026 12:00:09 GMT"}, 9.0),
        ({"Retry-After": "Fri, 20 Nov 2026 11:00:09 GMT", "Date": "Fri, 20 Nov 2026 11:00:00 GMT"}, 9.0),
        ({"Retry-After": "Fri, 20 Nov 2026 11:59:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_what_a_server_asks_for_is_read_in_seconds_and_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, SkippingClock()) == seconds


def test_a_date_without_a_zone_is_taken_for_utc() -> None:
    assert http_date("Fri, 20 Nov 2026 12:00:00 -0000") == NOW


def test_the_machines_clock_grows_and_its_chance_is_a_share() -> None:
    clock = Clock()
    before, today = clock.monotonic(), clock.now()
    clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.009
    assert (today.utcoffset() or NOW.utcoffset()) == NOW.utcoffset()
    assert 0 <= clock.chance() < 1


def test_a_signal_ends_a_sleep() -> None:
    signal, clock = threading.Event(), Clock()
    signal.set()
    before = clock.monotonic()
    clock.sleep(60.0, signal)
    assert clock.monotonic() - before < 30


def test_a_running_clock_skips_what_is_slept_and_runs_on() -> None:
    clock, real = RunningClock(), Clock()
    before, began, today = clock.monotonic(), real.monotonic(), clock.now()
    clock.sleep(1000.0)
    assert 1000 <= clock.monotonic() - before < 1030
    assert (clock.now() - today).total_seconds() >= 1000
    assert real.monotonic() - began < 30
    assert math.isfinite(clock.chance())
