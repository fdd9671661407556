"""RDO's own account pushes an unsigned pass, though RDO's entry asks for signatures.

Without the defence an account that is in somebody else's hands is enough, where RDO has said that it is not.
"""

from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import Mutation, World

NAMED = frozenset({"not-attributed"})


MAIN = SIGNED
DEFENCES = (
    Mutation(
        module="core/branch/attribution.py",
        old="reasons = [] if unsigned is None else [unsigned]",
        new="reasons: list[str] = []",
    ),
)


def after_reports(world: World) -> None:
    """Push a pass in RDO's name."""
    path, content = f"{world.results}/rdo/b1.json", world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {path: content})
