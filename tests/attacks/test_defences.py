"""Each attack names what stops it; that all of them go red without it, `make defences` shows."""

import pytest

from attacks.defences import PACKAGE, defences, mutated, play_without
from attacks.world import names


@pytest.mark.parametrize("name", names())
def test_the_defence_is_in_the_source(name: str) -> None:
    named = defences(name)
    assert named
    for mutation in named:
        assert mutated(PACKAGE, mutation)


@pytest.mark.parametrize("name", ["edit_policy", "delete_own_failure", "others_result_plain"])
def test_the_attack_succeeds_without_its_defence(name: str) -> None:
    assert play_without(name) is not None
