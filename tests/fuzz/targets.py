"""What is fuzzed: each target takes any bytes and raises where a law is broken. None needs atheris."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import reading


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One thing to fuzz: inputs are at most `longest` bytes; `seeds` and `words` show where to start."""

    law: Callable[[bytes], None]
    longest: int
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()


TARGETS: Final[dict[str, Target]] = {
    "json": Target(law=reading.read_any_json, longest=256, seeds=reading.JSON_SEEDS, words=reading.JSON_WORDS),
    "toml": Target(law=reading.read_any_toml, longest=256, seeds=reading.TOML_SEEDS, words=reading.TOML_WORDS),
}
