"""RDO's account pushes last week's pass, byte for byte, to this compose.

Without the defence a pass is a pass, of whatever compose.
"""

from attacks.world import OLDER, Mutation, World

NAMED = frozenset({"compose-mismatch"})
REFUSED = "rdo/b1.json (compose-mismatch, manifest-mismatch)"
DEFENCES = (
    Mutation(
        module="core/checks.py",
        old='if case.data["compose_id"] != case.place.compose_id:',
        new='if not case.data["compose_id"]:',
    ),
)


def after_reports(world: World) -> None:
    """Copy the file of the published compose."""
    old = world.read(f"composes/{OLDER}/results/rdo/a1.json", "main")
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": old.replace(b'"a1"', b'"b1"')})
