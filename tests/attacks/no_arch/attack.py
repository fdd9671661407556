"""RDO's account reports a pass for arches that the compose does not have, and for a look-alike of one.

Without the defence a cell that nobody asked for stands in for one that is missing.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"unknown-arch"})
REFUSED = "rdo/b1.json (unknown-arch)"
DEFENCES = (
    Mutation(
        module="core/checks.py",
        old="        if arch not in arches:",
        new="        if not arches:",
    ),
)


def after_reports(world: World) -> None:
    """Push a pass for everything but what is asked for."""
    world.report("rdo", "passed", "b1", arches=("s390x", "X86_64"), minutes=5)
