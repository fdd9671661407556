"""Mallory brings RDO's pass in by a merge commit: no commit with one parent adds it.

Without the defence whoever reads only plain commits never asks who pushed the file, and the tree has it.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"merge-commit", "not-attributed"})
DEFENCES = (
    Mutation(
        module="ports/git/history.py",
        old='"--diff-merges=combined"',
        new='"--diff-merges=off"',
    ),
)


def after_reports(world: World) -> None:
    """Push a merge whose tree has one file more than both parents."""
    content = world.result("rdo", run="b1", minutes=5)
    merge = world.commit({f"{world.results}/rdo/b1.json": content}, world.head("main"))
    assert world.push("mallory", merge).accepted
