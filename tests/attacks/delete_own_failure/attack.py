"""RDO's account deletes the result that it has pushed, and pushes a pass of its own day.

Without the defence a failure lasts until somebody removes it.
"""

from attacks.mutations import REMOVED_COUNTS
from attacks.world import World

NAMED = frozenset({"removed-file"})
REFUSED = "rdo/a1.json (removed-file)"
DEFENCES = (REMOVED_COUNTS,)


def after_reports(world: World) -> None:
    """Push the removal."""
    world.add("rdo-ci", {f"{world.results}/rdo/a1.json": None})
