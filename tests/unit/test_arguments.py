import argparse

import pytest

from compose_repo.verbs.arguments import add_plan_arguments


@pytest.mark.parametrize("text", ["2026-11-20T06:32:11Z", "2026-11-20T07:32:11+01:00"])
def test_a_time_may_be_given_with_any_offset(text: str) -> None:
    parser = argparse.ArgumentParser()
    add_plan_arguments(parser)
    assert parser.parse_args(["--now", text]).now.timestamp() == 1795156331
