"""RDO's account pushes NaN and infinity as numbers.

Without the defence sums and orders come out as whoever wrote them likes, or the pass falls over.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"not-finite"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/strict.py",
        old="allow_inf_nan=False",
        new="allow_inf_nan=True",
    ),
    Mutation(
        module="core/documents/strict.py",
        old="(kind is int or item - item != 0)",
        new="kind is int",
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    content = sound.replace(b'"results"', b'"misc": {"x": NaN, "y": Infinity}, "results"')
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": content})
