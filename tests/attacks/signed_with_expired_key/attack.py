"""Mallory has found an old key of RDO's, which has expired, and dates her commit back to when it was valid.

Without the defence a key's end is what the committer's clock says.
"""

from attacks.mutations import EXPIRED_KEYS_ARE_NONE
from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import World

NAMED = frozenset({"not-attributed"})
MAIN = SIGNED
DEFENCES = EXPIRED_KEYS_ARE_NONE


def after_reports(world: World) -> None:
    """Push a pass in RDO's name."""
    path, content = f"{world.results}/rdo/b1.json", world.result("rdo", run="b1", minutes=5)
    world.add("mallory", {path: content}, key=world.arena.key("expired"), seconds=1_500_000_000)
