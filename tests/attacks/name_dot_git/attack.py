"""RDO's account pushes a `.git` folder with a hook, and one in capitals.

Without the defence a checkout runs what the branch brings.
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
        {
            (*world.results.encode().split(b"/"), b"rdo", b".git", b"hooks", b"post-checkout"): content,
            (*world.results.encode().split(b"/"), b"rdo", b".GIT", b"config"): content,
        },
    )
