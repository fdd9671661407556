"""Mallory has found an old key of RDO's, which has expired, and dates her commit back to when it was valid.

Without the defence a key's end is what the committer's clock says.
"""

from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import Mutation, World

NAMED = frozenset({"not-attributed"})


MAIN = SIGNED
DEFENCES = (
    Mutation(
        module="core/signing.py",
        old="day >= line.valid_before",
        new="day is None",
    ),
    Mutation(
        module="core/signing.py",
        old=("    if line.valid_before is not None:\n        options"),
        new=("    if not line:\n        options"),
    ),
)


def after_reports(world: World) -> None:
    """Push a pass in RDO's name."""
    path, content = f"{world.results}/rdo/b1.json", world.result("rdo", run="b1", minutes=5)
    world.add("mallory", {path: content}, key=world.arena.key("expired"), seconds=1_500_000_000)
