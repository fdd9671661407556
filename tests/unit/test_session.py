import argparse

import pytest

from compose_repo.core.forge.forge import StaleHead
from compose_repo.passes import session
from compose_repo.ports.console import Console


class Attempts:
    """Finds the head moved so many times."""

    def __init__(self, moved: int) -> None:
        self.moved = moved
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        if self.made <= self.moved:
            raise StaleHead("the head of !1 is moving")
        return 0


def test_a_pass_starts_over_when_somebody_has_pushed_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    attempts = Attempts(moved=2)
    assert session.until_unmoved(attempts, Console()) == 0
    assert attempts.made == 3
    assert capsys.readouterr().err.splitlines() == ["the head of !1 is moving: starting over"] * 2


def test_a_pass_gives_up_when_they_push_faster_than_we_judge() -> None:
    attempts = Attempts(moved=99)
    with pytest.raises(StaleHead):
        session.until_unmoved(attempts, Console())
    assert attempts.made == session.ATTEMPTS


@pytest.mark.parametrize("text", ["2026-11-20T06:32:11Z", "2026-11-20T07:32:11+01:00"])
def test_a_time_may_be_given_with_any_offset(text: str) -> None:
    parser = argparse.ArgumentParser()
    session.add_arguments(parser)
    assert parser.parse_args(["--now", text]).now.timestamp() == 1795156331
