"""RDO's account merges its failure into a line that never had it, `-s ours`, and fast-forwards the branch to that.

Without the defence the first parents' history is clean: no commit on it removes anything.
"""

from attacks.mutations import THROWN_AWAY_COUNTS
from attacks.world import Mutation, Start, World

NAMED = frozenset({"merge-commit"})
MOVES = frozenset({"rows", "main"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="ports/git/history.py",
        old='*_LOG, "--topo-order"',
        new='*_LOG, "--first-parent", "--topo-order"',
    ),
    THROWN_AWAY_COUNTS,
)


def after_reports(world: World) -> None:
    """Push a merge with the clean line as first parent."""
    clean = world.commit(
        {f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=120)}, base=world.opened
    )
    merge = world.commit({}, world.head(), base=clean)
    assert world.push("rdo-ci", merge).accepted
