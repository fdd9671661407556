"""RDO's account pushes an LFS pointer in a result's place.

Without the defence the result is kept where nobody has judged it, and can be another tomorrow.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"lfs-pointer"})
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 400\n"
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="reading/inspection.py",
        old="if is_lfs_pointer(raw):",
        new="if not raw:",
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    assert sound
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": POINTER})
