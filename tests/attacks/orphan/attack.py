"""Mallory force-pushes a commit without parents that holds a whole repository of her own.

Without the defence a history that has nothing to do with main's is judged, or merged.
"""

from attacks.mutations import SWALLOWED_IS_READ, THROWN_AWAY_COUNTS
from attacks.world import World

NAMED = frozenset({"history-rewritten"})
DEFENCES = (THROWN_AWAY_COUNTS, SWALLOWED_IS_READ)


def after_reports(world: World) -> None:
    """Push a root commit with the same files and another policy."""
    tree = world.objects.changed(world.objects.tree_of(world.head()), {"gate/policy.toml": 'schema = "policy/1"\n'})
    root = world.objects.commit(tree)
    assert world.push("mallory", f"+{root}:refs/heads/{world.branch}").accepted
