"""Mallory makes the compose's branch before the compose bot does, with the right manifest, which anybody can make.

Without the defence a branch that somebody else has begun is judged like one of ours; it is refused until it is ours.
"""

from collections.abc import Iterator

from attacks.mutations import BRANCH_IS_OURS
from attacks.world import ID, Mutation, Played, World, run_cli

NAMED = frozenset({"foreign-branch"})
TWIN = False
DEFENCES = (
    BRANCH_IS_OURS,
    Mutation(
        module="core/branch/history.py",
        old="pushed.is_by(commit.sha, bots.compose) and any(",
        new="any(",
    ),
)


def before_opening(world: World) -> None:
    """Push the branch as the bot would."""
    manifest = run_cli({}, "manifest", f"{world.arena.web}/{ID}").out
    first = world.commit({world.manifest: manifest, f"{world.results}/README.md": "x\n"}, base=world.head("main"))
    assert world.push("mallory", first).accepted


def verify(played: Played) -> Iterator[str]:
    """Nothing is approved, and nothing comes to main."""
    if played.outcome.approved_by:
        yield f"approved by {played.outcome.approved_by}"
    if any(ID in path for path in played.outcome.main):
        yield "the compose is merged"
