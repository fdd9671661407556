"""The template never changes a file below gate/ or composes/ again, so that newer versions merge without a conflict.

kept.sha256 has the digests. A new file, which has to be optional, is added to it; no line of it is ever changed:

    sha256sum $(git ls-files gate composes) > tests/unit/kept.sha256
"""

import hashlib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
LINES: Final = [line.split("  ", 1) for line in Path(__file__).with_name("kept.sha256").read_text("utf-8").splitlines()]
KEPT: Final = {path: digest for digest, path in LINES}
PROMISE: Final = (
    "the template promises its instances (docs/releasing.md) never to change a file below gate/ or composes/, "
    "since each instance has its own; undo the change, or explain the field in docs/policy.md"
)

pytestmark = pytest.mark.skipif((ROOT / "INSTANCE.md").exists(), reason="in an instance these files are its own")


@pytest.mark.parametrize("path", KEPT)
def test_a_file_that_belongs_to_instances_is_what_it_was(path: str) -> None:
    assert (ROOT / path).is_file(), f"{path} is gone: {PROMISE}"
    assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == KEPT[path], f"{path} has changed: {PROMISE}"


def test_every_file_below_gate_and_composes_is_kept() -> None:
    here = {str(file.relative_to(ROOT)) for top in ("gate", "composes") for file in (ROOT / top).rglob("*.*")}
    assert here - KEPT.keys() == set(), "a new file is optional for instances; then add it to tests/unit/kept.sha256"
    assert {Path(path).parts[0] for path in KEPT} <= {"gate", "composes"}
    assert len(KEPT) >= 4
