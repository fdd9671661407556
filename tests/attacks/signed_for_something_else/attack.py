"""Mallory has a file that RDO has signed for another purpose, in ssh-keygen's namespace `file`.

Without the defence whatever RDO signs, a release or a mail, can be made to speak for a commit.
"""

from attacks.mutations import SIGNATURE_IS_VERIFIED
from attacks.signing import SIGNED, report  # noqa: F401  # the honest reports
from attacks.world import Mutation, World

NAMED = frozenset({"not-attributed"})


MAIN = SIGNED
DEFENCES = (
    Mutation(
        module="core/branch/signing.py",
        old='if namespace != NAMESPACE.encode("ascii"):',
        new="if not namespace:",
    ),
    SIGNATURE_IS_VERIFIED,
)


def after_reports(world: World) -> None:
    """Push a pass in RDO's name."""
    path, content = f"{world.results}/rdo/b1.json", world.result("rdo", run="b1", minutes=5)
    world.add("mallory", {path: content}, key=world.arena.key("rdo"), namespace="file")
