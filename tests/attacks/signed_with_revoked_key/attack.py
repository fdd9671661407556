"""Mallory has stolen a key of RDO's, which RDO has had revoked.

Without the defence a stolen key signs for ever.
"""

from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import Mutation, World

NAMED = frozenset({"not-attributed"})


MAIN = SIGNED
DEFENCES = (
    Mutation(
        module="core/branch/signing.py",
        old="if any(line.revoked for line in listed):",
        new="if not listed:",
    ),
    Mutation(
        module="core/branch/signing.py",
        old="and key not in revoked and",
        new="and",
    ),
)


def after_reports(world: World) -> None:
    """Push a pass in RDO's name."""
    path, content = f"{world.results}/rdo/b1.json", world.result("rdo", run="b1", minutes=5)
    world.add("mallory", {path: content}, key=world.arena.key("revoked"))
