"""RDO's account pushes a report that is refused for its form together with four other branches: no event names it.

Without the defence a push that GitLab names nobody for keeps a compose from passing: Mallory's would, too.
"""

from attacks.mutations import PUSHED_BY_SOMEBODY
from attacks.refused import NOT_JSON
from attacks.world import Start, World

NAMED = frozenset({"not-attributed"})
STARTS = (Start.SATISFIED,)
DEFENCES = (PUSHED_BY_SOMEBODY,)


def after_reports(world: World) -> None:
    """Push five refs at once, then something harmless, so that the branch's head is known."""
    draft = world.commit({NOT_JSON.path(world): NOT_JSON.content(world, "cut")})
    branches = [f"refs/heads/rdo-{number}" for number in range(4)]
    assert world.push("rdo-ci", *(f"{world.opened}:{branch}" for branch in branches)).accepted
    assert world.push("rdo-ci", draft, *(f"{draft}:{branch}" for branch in branches)).accepted
    world.add("rdo-ci", {})
