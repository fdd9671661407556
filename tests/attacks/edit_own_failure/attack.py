"""RDO's account, in somebody else's hands or ashamed of a failure, edits the result that it has pushed.

Without the defence what was reported can be unsaid, and nobody sees that there was a failure.
"""

from attacks.mutations import FIRST_VERSION_COUNTS
from attacks.world import World

NAMED = frozenset({"changed-result"})
REFUSED = "rdo/a1.json (changed-result)"
DEFENCES = (FIRST_VERSION_COUNTS,)


def after_reports(world: World) -> None:
    """Turn the result around, in place."""
    path = f"{world.results}/rdo/a1.json"
    old = world.read(path, world.head())
    words = (b"passed", b"failed") if b"passed" in old else (b"failed", b"passed")
    world.add("rdo-ci", {path: old.replace(*words)})
