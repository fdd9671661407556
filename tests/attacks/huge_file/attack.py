"""RDO's account pushes a result of a hundred megabytes.

Without the defence the pass reads it all, into the memory of a small runner.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"file-too-large"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/limits.py",
        old="RESULT_BYTES: Final = 8 * 1024 * 1024",
        new="RESULT_BYTES: Final = 8 * 1024 * 1024 * 1024",
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": sound.rstrip() + b" " * 100_000_000})
