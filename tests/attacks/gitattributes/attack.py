"""Mallory adds attributes files: filters, merge drivers, export-ignore and working-tree encodings for result files.

Without the defence whoever clones main has git treat files as Mallory says.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push them where git looks."""
    text = "*.json filter=lfs merge=ours -text export-ignore working-tree-encoding=UTF-7\n"
    world.add("mallory", {".gitattributes": text, f"{world.results}/.gitattributes": text})
