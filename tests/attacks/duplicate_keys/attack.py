"""RDO's account pushes a result that has its outcome twice.

Without the defence one reader takes the first, another the last: the same file passes here and fails there.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"duplicate-key"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/strict.py",
        old="catch_duplicate_keys=True",
        new="catch_duplicate_keys=False",
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    world.add(
        "rdo-ci",
        {
            f"{world.results}/rdo/b1.json": sound.replace(
                b'"outcome": "passed"', b'"outcome": "failed", "outcome": "passed"'
            )
        },
    )
