"""Mallory names herself the compose bot and her own server the mirror, on the compose's branch.

Without the defence the branch says which manifest is the right one and when its compose is published.
"""

from attacks.mutations import RULES_ARE_MAINS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (RULES_ARE_MAINS,)


def after_reports(world: World) -> None:
    """Push streams.toml."""
    streams = world.read("gate/streams.toml", "main").decode().replace("/mirror/", "/nowhere/")
    world.add("mallory", {"gate/streams.toml": f'{streams}[bots]\ncompose = "mallory"\ngate = "mallory"\n'})
