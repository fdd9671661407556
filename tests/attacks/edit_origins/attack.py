"""Mallory enters herself among RDO's users on the compose's branch, and pushes a pass in RDO's name.

Without the defence the branch says who may report on it, and anybody does.
"""

from attacks.mutations import RULES_ARE_MAINS
from attacks.world import World

NAMED = frozenset({"foreign-change", "not-attributed"})
DEFENCES = (RULES_ARE_MAINS,)


def after_reports(world: World) -> None:
    """Push origins.toml first, then the result that it would let through."""
    origins = world.read("gate/origins.toml", "main").decode()
    world.add("mallory", {"gate/origins.toml": origins.replace('"rdo-ci"', '"mallory"')})
    world.report("rdo", "passed", "b1", who="mallory", minutes=5)
