"""RDO's account pushes a number of four thousand digits.

Without the defence reading it takes minutes, or each reader reads another number.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"integer-too-large"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/limits.py",
        old="INTEGER: Final = 2**53 - 1",
        new="INTEGER: Final = 10**4200",
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    world.add(
        "rdo-ci",
        {
            f"{world.results}/rdo/b1.json": sound.replace(
                b'"results"', b'"misc": {"x": ' + b"9" * 4_000 + b'}, "results"'
            )
        },
    )
