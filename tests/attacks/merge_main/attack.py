"""Mallory merges main, in which the policy has changed, into the compose's branch and keeps main's old policy.

Without the defence merging the compose takes main's policy back to what it was.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"merge-commit"})
HONEST_TOO = True
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """RelEng pushes a policy; Mallory merges main without it."""
    policy = world.read("gate/policy.toml", "main").decode()
    change = {"gate/policy.toml": policy.replace("3d", "4d")}
    merged = world.commit(change, base=world.head("main"))
    assert world.push("releng", f"{merged}:refs/heads/main").accepted
    if world.hostile:
        ours = world.commit({}, merged)
        assert world.push("mallory", ours).accepted
