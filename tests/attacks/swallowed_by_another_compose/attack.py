"""Mallory merges the compose's branch, `-s ours`, into that of an older compose, which is published and merged.

Without the defence everything on the compose's branch is a part of main's history by then: a failure on it is no
commit since main any more, and neither is the one that opened it.
"""

from attacks.mutations import SWALLOWED_IS_READ
from attacks.world import BETWEEN, World

HONEST_TOO = True
DEFENCES = (SWALLOWED_IS_READ,)


def after_reports(world: World) -> None:
    """The compose bot opens the older one, Mallory pushes to it, the gate bot merges it when it is published."""
    world.run("compose-bot", "open", f"{world.arena.web}/{BETWEEN}")
    if world.hostile:
        branch = f"compose/{BETWEEN}"
        swallowing = world.commit({}, world.head(), base=world.head(branch))
        assert world.push("mallory", f"{swallowing}:refs/heads/{branch}").accepted
    world.arena.publish(BETWEEN)
    assert world.run("gate-bot", "merge", BETWEEN).code == 0
    world.open()
