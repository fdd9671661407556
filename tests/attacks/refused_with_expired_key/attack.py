"""Somebody has RDO's account and an old key of RDO's, which has expired, and pushes what is refused for its form.

Without the defence whoever has what RDO does not believe any more keeps a compose from passing.
"""

from attacks.mutations import EXPIRED_KEYS_ARE_NONE
from attacks.refused import NOT_JSON
from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import Start, World

NAMED = frozenset({"not-attributed"})
MAIN = SIGNED
STARTS = (Start.SATISFIED,)
DEFENCES = EXPIRED_KEYS_ARE_NONE


def after_reports(world: World) -> None:
    """Push it as it was signed when the key was valid."""
    NOT_JSON.push(world, key=world.arena.key("expired"), seconds=1_500_000_000)
