"""Mallory pushes a plain file where RDO's folder will be; RDO's account replaces it by its folder.

Without the defence RDO cannot report, or its report is refused for removing what stood there.
"""

from attacks.mutations import FOREIGN_IS_NAMED
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (FOREIGN_IS_NAMED,)


def before_reports(world: World) -> None:
    """Push a file at results/rdo."""
    world.add("mallory", {f"{world.results}/rdo": "mine\n"})
