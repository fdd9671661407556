"""IdM's account pushes into its own folder a file that says it is RDO's, and into RDO's one that says it is IdM's.

Without the defence the folder and the file may name two origins, and a failure is booked to the one that suits.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"origin-mismatch", "not-attributed"})
REFUSED = "idm/b1.json (origin-mismatch)"
DEFENCES = (
    Mutation(
        module="core/checks.py",
        old='if case.data["origin"] != case.place.origin:',
        new='if not case.data["origin"]:',
    ),
)


def after_reports(world: World) -> None:
    """Push both."""
    world.add("idm-ci", {f"{world.results}/idm/b1.json": world.result("rdo", run="b1", minutes=5)})
    world.add("idm-ci", {f"{world.results}/rdo/b1.json": world.result("idm", run="b1", minutes=5)})
