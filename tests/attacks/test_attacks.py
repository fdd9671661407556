"""Each attack leaves verdict, approval and merge as they are without it, and is told of by its code."""

from typing import Any, Final

import pytest

from attacks.world import Arena, Start, failures, load, names, starts

SMOKE: Final = {
    ("edit_policy", Start.BLOCKED),
    ("others_result_plain", Start.BLOCKED),
    ("reset_to_main", Start.SATISFIED),
}
"""Somebody lets themselves pass, speaks for another, takes everything away."""


def played(name: str, start: Start) -> Any:  # noqa: ANN401  # pytest keeps the type to itself
    return pytest.param(name, start, marks=[pytest.mark.smoke] if (name, start) in SMOKE else [])


@pytest.mark.parametrize(("name", "start"), [played(name, start) for name in names() for start in starts(load(name))])
def test_the_attack_moves_nothing_and_is_named(arena: Arena, name: str, start: Start) -> None:
    assert failures(arena, name, start) == []
