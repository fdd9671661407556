"""RDO's account pushes a tree whose names lead out of its folder: `results/rdo/../../../../gate/policy.toml`.

Without the defence a path that is put together from names points wherever the attacker likes.
"""

from attacks.mutations import FOREIGN_IS_NAMED
from attacks.world import Start, World

NAMED = frozenset({"foreign-change"})
STARTS = (Start.BLOCKED,)
DEFENCES = (FOREIGN_IS_NAMED,)


def after_reports(world: World) -> None:
    """Push a pass in such a place."""
    content = world.result("rdo", run="b1", minutes=5)
    world.check_nothing()
    world.add(
        "rdo-ci",
        {(*world.results.encode().split(b"/"), b"rdo", b"..", b"..", b"..", b"..", b"gate", b"policy.toml"): content},
    )
