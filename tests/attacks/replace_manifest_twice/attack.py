"""Mallory takes the manifest away and brings it back in a commit dated in the past.

Without the defence deadlines run from Mallory's commit: whoever has not reported yet is overdue, and blocks.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"manifest-changed"})
STARTS = (Start.PENDING,)
DEFENCES = (
    Mutation(
        module="reading/line.py",
        old="opened_at=line.opening.at,",
        new="opened_at=min(commit.date for commit in commits"
        " if commit.date and any(change.path == line.manifest.path for change in commit.changes)),",
    ),
)


def after_reports(world: World) -> None:
    """Push the removal, then the same bytes again, as if that had been done long ago."""
    manifest = world.read(world.manifest, world.head())
    world.add("mallory", {world.manifest: None}, seconds=1_500_000_000)
    world.add("mallory", {world.manifest: manifest}, seconds=1_500_000_001)
