"""RDO's account pushes an escape sequence of terminals in a note.

Without the defence whoever reads the answer in a terminal sees what the attacker paints.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"control-character"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/limits.py",
        old='CONTROL: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]")',
        new='CONTROL: Final = re.compile("(?!)")',
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    world.add(
        "rdo-ci", {f"{world.results}/rdo/b1.json": sound.replace(b'"arch"', b'"note": "\\u001b[2J\\u0000", "arch"')}
    )
