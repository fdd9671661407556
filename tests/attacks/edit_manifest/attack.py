"""Mallory edits the manifest on the branch, and reports in RDO's name on what it says then.

Without the defence another compose is judged and recorded than the one that was made.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"manifest-changed"})
DEFENCES = (
    Mutation(
        module="core/branch/history.py",
        old="return None if after == Content(PLAIN, opened.blob) else self._not_as_opened(commit.sha, change)",
        new=("self._opening[path] = Version(path=path, blob=after.blob, commit=commit.sha)\n            return None"),
    ),
)


def after_reports(world: World) -> None:
    """Push another manifest."""
    manifest = world.read(world.manifest, world.head())
    world.add("mallory", {world.manifest: manifest.replace(b"5.2.2", b"5.2.9")})
