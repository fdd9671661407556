"""Mallory pushes RDO's pass along with other branches, which leaves no event; RDO's own push goes on top of it.

Without the defence the first push that GitLab tells of is taken for the one that brought the pass: RDO's.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"not-attributed"})
DEFENCES = (
    Mutation(
        module="core/branch/attribution.py",
        old=("        _take(push.before, parents, seen)\n"),
        new="",
    ),
)


def before_reports(world: World) -> None:
    """Push five refs at once, before anybody reports."""
    draft = world.commit({f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=5)})
    branches = [f"refs/heads/mallory-{number}" for number in range(4)]
    assert world.push("mallory", *(f"{world.opened}:{branch}" for branch in branches)).accepted
    assert world.push("mallory", draft, *(f"{draft}:{branch}" for branch in branches)).accepted
