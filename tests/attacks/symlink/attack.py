"""RDO's account pushes a symbolic link in a result's place, to a file of main that would be read with the bot's rights.

Without the defence the bot reads whatever the link names.
"""

from attacks.mutations import PLAIN_FILES_ONLY
from attacks.objects import LINK, Node
from attacks.world import Start, World

NAMED = frozenset({"not-a-plain-file"})
STARTS = (Start.BLOCKED,)
DEFENCES = (PLAIN_FILES_ONLY,)


def after_reports(world: World) -> None:
    """Push it."""
    world.add(
        "rdo-ci", {f"{world.results}/rdo/b1.json": Node(LINK, world.objects.node("../../../../gate/policy.toml").sha)}
    )
