"""COMPOSE_REPO_TIMEOUT says after how many seconds of silence a server counts as gone."""

import pytest

from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.environment import environment, timeout


def test_thirty_seconds_where_nothing_is_said() -> None:
    assert timeout({}) == timeout({"COMPOSE_REPO_TIMEOUT": ""}) == 30.0


def test_what_is_said_counts_and_is_part_of_the_environment() -> None:
    assert environment({"COMPOSE_REPO_TIMEOUT": "2.5"}).timeout == 2.5


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon", "3601", "1e9"])
def test_what_is_no_number_of_seconds_is_a_usage_error_that_names_the_variable(text: str) -> None:
    with pytest.raises(UsageError, match=f"COMPOSE_REPO_TIMEOUT is '{text}'; it should be a number of seconds"):
        timeout({"COMPOSE_REPO_TIMEOUT": text})
