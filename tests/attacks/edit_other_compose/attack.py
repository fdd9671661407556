"""Mallory turns the published compose's results around on this compose's branch, and adds some.

Without the defence main's record of what was published is Mallory's, and later regressions are measured by it.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import OLDER, World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push an edit, an addition and a removal below the older compose."""
    folder = f"composes/{OLDER}/results"
    old = world.read(f"{folder}/rdo/a1.json", "main")
    changes = {
        f"{folder}/rdo/a1.json": old.replace(b"passed", b"failed"),
        f"{folder}/rdo/b1.json": old.replace(b"a1", b"b1"),
        f"{folder}/idm/a1.json": None,
    }
    world.add("mallory", changes)
