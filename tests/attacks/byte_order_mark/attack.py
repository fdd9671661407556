"""RDO's account pushes a result that begins with a byte order mark, and one in UTF-16.

Without the defence one tool reads the file, and another does not.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"byte-order-mark", "not-utf8"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/strict.py",
        old="if data.startswith(_BOM):",
        new="if not data:",
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    world.add(
        "rdo-ci",
        {
            f"{world.results}/rdo/b1.json": b"\xef\xbb\xbf" + sound,
            f"{world.results}/rdo/b2.json": sound.decode().encode("utf-16"),
        },
    )
