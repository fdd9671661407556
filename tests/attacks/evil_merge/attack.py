"""RDO's account pushes a merge of main whose tree leaves its failure out.

Without the defence a merge, which most tools pass over, removes what its parents have.
"""

from attacks.mutations import COMMITS_NOT_THE_TIP
from attacks.world import World

NAMED = frozenset({"merge-commit", "removed-file"})
DEFENCES = (COMMITS_NOT_THE_TIP,)


def after_reports(world: World) -> None:
    """Push a commit with two parents and neither's tree."""
    merge = world.commit({f"{world.results}/rdo/a1.json": None}, world.head("main"))
    assert world.push("rdo-ci", merge).accepted
