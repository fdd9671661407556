"""How many examples the laws are tried on: as the profile of `tests/conftest.py` says, and nowhere else."""

import re
from pathlib import Path

from hypothesis import settings

TESTS = Path(__file__).resolve().parents[1]


def test_no_law_fixes_a_number_of_examples_that_the_weekly_job_could_not_raise() -> None:
    fixed = [
        f"{path.name}: {line.strip()}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"max_examples=\d+\b(?! \* settings)", line)
    ]
    assert fixed == []


def test_the_weekly_job_draws_fifty_times_as_many_examples_fresh_even_in_ci() -> None:
    many, usual = settings.get_profile("many"), settings.get_profile("any machine")
    assert many.max_examples == 50 * usual.max_examples
    assert (many.derandomize, many.print_blob) == (False, True)
