"""RDO's account replaces its failure by a force push: the same file in a commit that says it is from 1970.

Without the defence the version whose committer's date is the earlier one is the first, and a date is what anybody
writes.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"changed-result", "history-rewritten"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/branch/history.py",
        old="return sorted(commits, key=lambda commit: order.get(pushed.of.get(commit.sha), len(pushed.pushes)))",
        new="return sorted(commits, key=lambda commit: -order.get(pushed.of.get(commit.sha), 0))",
    ),
)


def after_reports(world: World) -> None:
    """Push a pass of the same name beside the failure, dated long before it."""
    content = world.result("rdo", "passed")
    early = world.commit({f"{world.results}/rdo/a1.json": content}, base=world.opened, seconds=1)
    assert world.push("rdo-ci", f"+{early}:refs/heads/{world.branch}").accepted
    world.add("mallory", {}, seconds=4_070_908_800)
    world.add("mallory", {}, seconds=99_999_999_999_999)
