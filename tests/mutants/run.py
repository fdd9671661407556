"""Changes the gate, the policy and the checks a little, many times over, and sees that a test notices each time.

    python tests/mutants/run.py [PATTERN…]

mutmut does the work, on a copy laid out as it wants it: packages under src/. It runs the unit tests that stand beside
each other in TESTS; a pattern such as `*gate*` limits what is mutated. A survivor that no test can tell from the
original stands in accepted.toml with the reason. The exit code is 1 if any other survives, or if one stands there
that does not survive any more.
"""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
STAGE: Final = ROOT / "mutants"
MUTATED: Final = (
    "rules/advice",
    "verdict/attempts",
    "verdict/baseline",
    "checks",
    "verdict/decision",
    "documents/entries",
    "verdict/finding",
    "verdict/gate",
    "rules/holds",
    "rules/policy",
    "verdict/refusals",
    "verdict/summary",
    "branch/touch",
    "verdict/unasked",
    "verdict/unmatched",
    "rules/waivers",
)
TESTS: Final = (
    "test_advice.py",
    "test_baseline.py",
    "test_entries.py",
    "test_gate_answers.py",
    "test_gate_decision.py",
    "test_holds.py",
    "test_policy_model.py",
    "test_policy_files.py",
    "test_checks.py",
    "test_check_examples.py",
    "test_check_messages.py",
    "test_history.py",
    "test_refusals.py",
    "test_unasked.py",
    "test_unmatched.py",
)
UNNOTICED: Final = frozenset({"survived", "no tests", "suspicious", "skipped"})
SETTINGS: Final = """\
[tool.pytest.ini_options]
pythonpath = ["src", "tests/unit"]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
filterwarnings = ["ignore"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = {only_mutate}
also_copy = ["schemas"]
pytest_add_cli_args = ["--deselect=tests/unit/test_checks.py::test_every_check_is_listed_once"]
pytest_add_cli_args_test_selection = ["tests/unit"]
"""

DRAWING: Final = """\
from hypothesis import HealthCheck, settings

settings.register_profile("mutants", deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
settings.load_profile("mutants")
"""
"""The conftest.py there: neither the speed of the machine nor chance decides whether a mutant is noticed."""


def main(patterns: Sequence[str]) -> int:
    """Mutate, then hold what survives against accepted.toml."""
    lay_out()
    subprocess.run([sys.executable, "-m", "mutmut", "run", *patterns], cwd=STAGE, check=True)
    survivors = dict(survived())
    accepted = accepted_changes()
    unexplained = [name for name, change in survivors.items() if change not in accepted]
    for name in unexplained:
        sys.stdout.write(f"\nNo test notices {name}:\n{survivors[name]}\n")
    stale = [] if patterns else [change for change in accepted if change not in survivors.values()]
    for change in stale:
        sys.stdout.write(f"\nNo mutant that survives is this one; take it out of accepted.toml:\n{change}\n")
    sys.stdout.write(f"\n{len(survivors)} survived, {len(unexplained)} of them unexplained\n")
    return 1 if unexplained or stale else 0


def lay_out() -> None:
    """Copy what is needed to where mutmut works."""
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(ROOT / "scripts" / "compose_repo", STAGE / "src" / "compose_repo")
    shutil.copytree(ROOT / "schemas", STAGE / "schemas")
    shutil.copytree(ROOT / "tests" / "examples", STAGE / "tests" / "examples", symlinks=True)
    shutil.rmtree(STAGE / "tests" / "examples" / "invalid" / "not-a-plain-file")  # mutmut copies what links lead to
    (STAGE / "tests" / "unit").mkdir(parents=True)
    for path in (ROOT / "tests" / "unit").glob("*.py"):
        if path.name in TESTS or not path.name.startswith("test_"):
            shutil.copy2(path, STAGE / "tests" / "unit")
    (STAGE / "tests" / "unit" / "conftest.py").write_text(DRAWING, encoding="utf-8")
    only_mutate = [f"src/compose_repo/core/{name}.py" for name in MUTATED]
    (STAGE / "pyproject.toml").write_text(SETTINGS.format(only_mutate=only_mutate), encoding="utf-8")


def survived() -> list[tuple[str, str]]:
    """Give the name and the change of each mutant that no test noticed."""
    listing = mutmut("results")
    rows = [line.strip().split(": ") for line in listing.splitlines() if ": " in line]
    return [(name, changed_lines(mutmut("show", name))) for name, status in rows if status in UNNOTICED]


def changed_lines(diff: str) -> str:
    """Give the lines taken out and put in, which stay the same when other code moves."""
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    return "\n".join(line[0] + " " + line[1:].strip() for line in lines)


def mutmut(*arguments: str) -> str:
    """Ask mutmut for something that it has found out."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=STAGE, check=True, capture_output=True, text=True).stdout


def accepted_changes() -> dict[str, str]:
    """Give the reason of each change that no test can notice."""
    entries = tomllib.loads((Path(__file__).parent / "accepted.toml").read_text(encoding="utf-8"))
    return {entry["change"].strip(): entry["why"] for entry in entries.get("mutant", [])}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
