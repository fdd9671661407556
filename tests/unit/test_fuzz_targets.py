"""What `make fuzz` looks for, on a few inputs: the laws hold, and the targets can be run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from targets import TARGETS


@pytest.mark.parametrize(
    ("name", "seed"), [(name, seed) for name, target in TARGETS.items() for seed in (b"", *target.seeds, *target.words)]
)
def test_each_seed_keeps_the_law_of_its_target(name: str, seed: bytes) -> None:
    TARGETS[name].law(seed)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(max_examples=settings().max_examples // 2)
def test_some_bytes_keep_the_law_of_each_target(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    pieces = st.lists(st.sampled_from([*target.words, *target.seeds]) | st.binary(max_size=8), max_size=12)
    target.law(b"".join(data.draw(pieces))[: target.longest])
