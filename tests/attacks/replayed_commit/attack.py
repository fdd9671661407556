"""RDO's account tries a result on a branch of its own; Mallory pushes that very commit to the compose's.

Without the defence what RDO never meant to report counts because RDO has pushed its commit somewhere, once.
"""

from attacks.world import Mutation, World

NAMED = frozenset({"not-attributed"})
DEFENCES = (
    Mutation(
        module="reading/line.py",
        old="return [push for push in self._known[1] if push.branch == branch]",
        new="return list(self._known[1])",
    ),
)


def after_reports(world: World) -> None:
    """RDO pushes its draft elsewhere first; then Mallory pushes the same commit here."""
    draft = world.commit({f"{world.results}/rdo/b1.json": world.result("rdo", run="b1", minutes=5)})
    assert world.push("rdo-ci", f"{draft}:refs/heads/rdo-drafts").accepted
    assert world.push("mallory", draft).accepted
