"""Each attack leaves verdict, approval and merge as they are without it, and is told of by its code."""

import pytest

from attacks.world import Arena, Start, failures, load, names, starts


@pytest.mark.parametrize(("name", "start"), [(name, start) for name in names() for start in starts(load(name))])
def test_the_attack_moves_nothing_and_is_named(arena: Arena, name: str, start: Start) -> None:
    assert failures(arena, name, start) == []
