"""Mallory signs a pass in RDO's name with a key of her own, under RDO's name.

Without the defence a good signature of anybody counts.
"""

from attacks.mutations import LISTED_KEYS_ONLY, SIGNATURE_IS_VERIFIED
from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import World

NAMED = frozenset({"not-attributed"})


MAIN = SIGNED
DEFENCES = (LISTED_KEYS_ONLY, SIGNATURE_IS_VERIFIED)


def after_reports(world: World) -> None:
    """Push a pass in RDO's name."""
    path, content = f"{world.results}/rdo/b1.json", world.result("rdo", run="b1", minutes=5)
    world.add("mallory", {path: content}, key=world.arena.key("mallory"), author="RDO CI <rdo-ci@example.org>")
