"""IdM's account pushes a pass in RDO's name, signed with IdM's own valid key.

Without the defence any key that is listed signs for every origin.
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
    world.add("idm-ci", {path: content}, key=world.arena.key("idm"))
