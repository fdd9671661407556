"""Mallory pushes RDO's pass together with four other branches: GitLab keeps one event for all, without commits.

Without the defence a push that no event tells of is taken for an honest one.
"""

from attacks.mutations import PUSHED_BY_SOMEBODY
from attacks.world import World

NAMED = frozenset({"not-attributed"})
DEFENCES = (PUSHED_BY_SOMEBODY,)


def after_reports(world: World) -> None:
    """Push five refs at once, then something harmless, so that the branch's head is known."""
    draft = world.commit({f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=5)})
    branches = [f"refs/heads/mallory-{number}" for number in range(4)]
    assert world.push("mallory", *(f"{world.opened}:{branch}" for branch in branches)).accepted
    assert world.push("mallory", draft, *(f"{draft}:{branch}" for branch in branches)).accepted
    world.add("mallory", {})
