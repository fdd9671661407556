"""What is fuzzed: each target takes any bytes and raises where a law is broken. None needs atheris."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import escaping
import lines
import listings
import reading
import reporting
import signatures


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
    "escape": Target(law=escaping.escape_any_text, longest=64, seeds=escaping.SEEDS),
    "signature": Target(law=signatures.split_any_commit, longest=96, seeds=signatures.SEEDS),
    "line": Target(law=lines.judge_any_line, longest=96, seeds=lines.SEEDS),
    "index": Target(law=listings.read_any_listing, longest=256, seeds=listings.SEEDS, words=listings.WORDS),
    "report": Target(law=reporting.report_any_file, longest=96, seeds=reporting.SEEDS),
}
