"""RDO's account pushes a result in which a hundred thousand arrays are nested.

Without the defence the reader runs out of stack, and nothing can be judged any more.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"too-deep"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/limits.py",
        old="DEPTH: Final = 32",
        new="DEPTH: Final = 1_000_000",
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    world.add(
        "rdo-ci",
        {
            f"{world.results}/rdo/b1.json": sound.replace(
                b'"results"', b'"misc": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b'}, "results"'
            )
        },
    )
