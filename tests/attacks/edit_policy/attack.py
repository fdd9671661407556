"""Mallory takes every requirement but one that never fails out of the policy, on the compose's branch.

Without the defence the compose is judged by the branch's own policy, or main by Mallory's after the merge.
"""

from attacks.mutations import RULES_ARE_MAINS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (RULES_ARE_MAINS,)


def after_reports(world: World) -> None:
    """Push a policy that asks for nothing that has failed."""
    policy = world.read("gate/policy.toml", "main").decode()
    world.add("mallory", {"gate/policy.toml": policy.replace("tempest.smoke", "freeipa.install").replace("rdo", "idm")})
