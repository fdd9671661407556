"""Mallory pushes a pass in RDO's name, author and committer RDO's.

Without the defence whoever knows RDO's address reports for it.
"""

from attacks.mutations import ONLY_LISTED_PUSHERS
from attacks.world import World

NAMED = frozenset({"not-attributed"})
DEFENCES = (ONLY_LISTED_PUSHERS,)


def after_reports(world: World) -> None:
    """Push a commit that claims to be RDO's."""
    name = "RDO CI <rdo-ci@example.org>"
    content = world.result("rdo", run="b1", minutes=5)
    world.add("mallory", {f"{world.results}/rdo/b1.json": content}, author=name, committer=name, message="rdo b1")
