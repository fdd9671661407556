"""A pass that is killed at any of its writes, and run again: what is left is what an undisturbed pass leaves."""

import pytest
from fault_world import WORLDS, Worlds, differences, kept, worlds

__all__ = ["kept", "worlds"]


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", WORLDS)
def test_killed_at_each_write_and_run_again_a_pass_leaves_what_it_should(
    worlds: Worlds, name: str, *, applied: bool
) -> None:
    world = worlds(name)
    wrong: list[str] = []
    for number, write in enumerate(world.writes_of_a_pass()):
        world.again()
        assert world.killed_at(number, applied=applied).code == -9
        outcome = world.run()
        found = differences(world.state(), world.wanted)
        if outcome.code != 0 or found:
            wrong += [f"killed at {number}, {write}: {outcome.code} {outcome.err}", *found]
    assert not wrong, "\n".join(wrong)
