"""Mallory names herself the compose bot and her own server the mirror, on the compose's branch.

Without the defence the branch says which manifest is the right one and when its compose is published.
"""

from attacks.world import World

NAMED = frozenset({"foreign-change"})


def after_reports(world: World) -> None:
    """Push streams.toml."""
    streams = world.read("gate/streams.toml", "main").decode().replace("/mirror/", "/nowhere/")
    world.add("mallory", {"gate/streams.toml": f'{streams}[bots]\ncompose = "mallory"\ngate = "mallory"\n'})
