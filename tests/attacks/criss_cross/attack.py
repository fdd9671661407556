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
        old='forks[0].decode("ascii")) if len(forks) == 1',
        new='forks[0].decode("ascii")) if forks',
    ),
)


def before_opening(world: World) -> None:
    """Somebody has begun a policy's branch before main's newest commit."""
    policy = world.read("gate/policy.toml", "main").decode()
    older = world.head("main")
    newer = world.commit({"README.md": "# Newer\n"}, base=older)
    asked = world.commit({"gate/policy.toml": policy.replace("3d", "4d")}, base=older, seconds=1_780_000_000)
    assert world.push("releng", f"{asked}:refs/heads/policy", f"{newer}:refs/heads/main").accepted


def after_reports(world: World) -> None:
    """RelEng merges the policy; Mallory merges its branch and keeps the old tree."""
    asked = world.head("policy")
    policy = world.read("gate/policy.toml", asked)
    merged = world.commit({"gate/policy.toml": policy}, asked, base=world.head("main"))
    assert world.push("releng", f"{merged}:refs/heads/main").accepted
    if world.hostile:
        ours = world.commit({}, asked)
        assert world.push("mallory", ours).accepted
