"""Mallory tries to force-push and to delete a branch that is protected as `setup` protects it.

Without the protection the server takes both; what then holds is shown by force_push_after_approval.
"""

from collections.abc import Iterator

from attacks.world import Mutation, Played, World

DEFENCES = (
    Mutation(
        module="core/hardening/branches.py",
        old="composes = _plan_rule(seen, COMPOSES, DEVELOPER) if seen.composes else ()",
        new="composes = ()",
    ),
)


def prepare(world: World) -> None:
    """RelEng runs setup."""
    world.set_up()


def after_approval(world: World) -> None:
    """Try both."""
    world.push("mallory", f"+{world.opened}:refs/heads/{world.branch}")
    world.push("mallory", f":refs/heads/{world.branch}")


def verify(played: Played) -> Iterator[str]:
    """Nothing has happened, so there is nothing to tell."""
    if "history-rewritten" in played.said:
        yield "the server has taken a force push"
