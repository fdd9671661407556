"""Mallory makes the compose's branch before the compose bot does, with a manifest of her own and RDO's pass.

Without the defence the bot opens a merge request for a compose that Mallory has made up.
"""

from collections.abc import Iterator

from attacks.mutations import BRANCH_IS_OURS
from attacks.world import ID, OLDER, Played, Start, World

NAMED = frozenset({"foreign-branch"})
TWIN = False
STARTS = (Start.BLOCKED,)
DEFENCES = (BRANCH_IS_OURS,)


def before_opening(world: World) -> None:
    """Push the branch."""
    manifest = world.read(f"composes/{OLDER}/manifest.json", "main").replace(OLDER.encode(), ID.encode())
    first = world.commit({world.manifest: manifest.replace(b"20261119", b"20261120")}, base=world.head("main"))
    assert world.push("mallory", first).accepted


def verify(played: Played) -> Iterator[str]:
    """Nothing is approved, and nothing comes to main."""
    if played.outcome.approved_by:
        yield f"approved by {played.outcome.approved_by}"
    if any(ID in path for path in played.outcome.main):
        yield "the compose is merged"
