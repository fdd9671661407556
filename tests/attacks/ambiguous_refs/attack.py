"""Mallory pushes tags and branches that have the names of others: a tag `main`, a tag of the compose's branch.

Without the defence a name is looked up where Mallory has put something, and the rules or the results are hers.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="passes/world.py",
        old='self._fetch(f"refs/heads/{self.project.default_branch}", MAIN_REF)',
        new="self._fetch(self.project.default_branch, MAIN_REF)",
    ),
)


def after_reports(world: World) -> None:
    """Push them."""
    evil = world.commit({"gate/policy.toml": 'schema = "policy/1"\n', world.results: None})
    names = (
        "tags/main",
        f"tags/{world.branch}",
        "heads/refs/heads/main",
        "heads/HEAD",
        "tags/HEAD",
        "heads/origin/main",
    )
    for name in names:
        world.push("mallory", f"{evil}:refs/{name}")
