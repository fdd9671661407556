"""While a new policy is merged to main, Mallory merges the policy's branch into the compose's, `-s ours`.

Without the defence git finds two bases for the merge, and in one of them the new policy is old already: merging the
compose takes main's policy back to what it was, though no commit of the branch and no difference shows it.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"merge-commit"})
HONEST_TOO = True
DEFENCES = (
    Mutation(
        module="ports/git/history.py",
        old="forks[0] if len(forks) == 1",
        new="forks[0] if forks",
    ),
)


def after_reports(world: World) -> None:
    """RelEng merges a policy by a merge commit; Mallory merges its branch and keeps the old tree."""
    policy = world.read("gate/policy.toml", "main").decode()
    change = {"gate/policy.toml": policy.replace("3d", "4d")}
    fork = world.head("main")
    asked = world.commit(change, base=fork)
    assert world.push("releng", f"{asked}:refs/heads/policy").accepted
    merged = world.commit(change, asked, base=fork)
    assert world.push("releng", f"{merged}:refs/heads/main").accepted
    if world.hostile:
        ours = world.commit({}, asked)
        assert world.push("mallory", ours).accepted
