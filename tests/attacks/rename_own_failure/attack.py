"""RDO's account moves its result to a name under which it cannot count.

Without the defence a rename takes a failure away while the file is still to be seen.
"""

from attacks.mutations import REMOVED_COUNTS
from attacks.world import World

NAMED = frozenset({"removed-file"})
REFUSED = "rdo/z9.json (run-mismatch) and 1 more"
DEFENCES = (REMOVED_COUNTS,)


def after_reports(world: World) -> None:
    """Push the renaming."""
    path = f"{world.results}/rdo/a1.json"
    old = world.read(path, world.head())
    world.add("rdo-ci", {path: None, f"{world.results}/rdo/z9.json": old})
