"""RDO's account reports a failure and a pass of the same cell in one file.

Without the defence which of the two counts depends on who reads the file.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"duplicate-cell"})
REFUSED = "rdo/b1.json (duplicate-cell)"
DEFENCES = (
    Mutation(
        module="core/checks.py",
        old="if len(set(cells)) == len(cells):",
        new="if cells:",
    ),
)


def after_reports(world: World) -> None:
    """Push one file with both."""
    rows = [{"testcase": "tempest.smoke", "outcome": one, "arch": "x86_64"} for one in ("failed", "passed")]
    world.report("rdo", "passed", "b1", results=rows, minutes=5)
