"""Mallory edits RDO's result and puts it back at once, so that the tip looks as if nothing had happened.

Without the defence either the edit counts or what was fixed is held against the branch for ever.
"""

from attacks.mutations import FIRST_VERSION_COUNTS
from attacks.world import World

NAMED = frozenset({"changed-result"})
DEFENCES = (FIRST_VERSION_COUNTS,)


def after_reports(world: World) -> None:
    """Push both in one go."""
    path = f"{world.results}/rdo/a1.json"
    old = world.read(path, world.head())
    edited = world.commit({path: old.replace(b"x86_64", b"aarch64")})
    world.add("mallory", {path: old}, base=edited)
