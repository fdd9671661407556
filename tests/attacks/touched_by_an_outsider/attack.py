"""Mallory edits RDO's result, removes it, links it and puts it back, and is judged in between.

Without the defence what anybody does to a file of RDO's is a refused report of RDO's: any Developer keeps a compose
from passing.
"""

from attacks.objects import LINK, Node
from attacks.refused import BELIEVED_ONLY
from attacks.world import CODE, Start, World

STARTS = (Start.SATISFIED,)
NAMED = frozenset({"changed-result", "removed-file", "not-a-plain-file"})
DEFENCES = (BELIEVED_ONLY,)


def after_approval(world: World) -> None:
    """Push each of them alone."""
    path = f"{world.results}/rdo/a1.json"
    link = Node(LINK, world.objects.node("../idm/a1.json").sha)
    for content in (world.result("rdo", "failed"), None, link, world.result("rdo")):
        world.add("mallory", {path: content})
        assert world.approve().code == CODE[Start.SATISFIED]
