"""RDO's account pushes a pass of this compose as it was before it was made again: the id is right, the digest is not.

Without the defence a compose that changes under its id keeps what was said of the other.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"manifest-mismatch"})
REFUSED = "rdo/b1.json (manifest-mismatch)"
DEFENCES = (
    Mutation(
        module="core/checks.py",
        old='if digest is not None and case.data["manifest_sha256"] != digest:',
        new="if digest is None:",
    ),
)


def after_reports(world: World) -> None:
    """Push a pass bound to another manifest."""
    world.report("rdo", "passed", "b1", minutes=5, manifest_sha256="0" * 64)
