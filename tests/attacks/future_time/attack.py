"""RDO's account reports a pass that ends next year, so that no later failure is ever later.

Without the defence whoever lies about time has the last word.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"future-time"})
REFUSED = "rdo/b1.json (future-time)"
DEFENCES = (
    Mutation(
        module="core/checks.py",
        old="SKEW: Final = dt.timedelta(minutes=5)",
        new="SKEW: Final = dt.timedelta(days=5_000)",
    ),
)


def after_reports(world: World) -> None:
    """Push a pass from the future."""
    world.report("rdo", "passed", "b1", minutes=-60 * 24 * 300)
