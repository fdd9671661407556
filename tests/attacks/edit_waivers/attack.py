"""Mallory waives RDO's test on the compose's branch.

Without the defence its failure is waived by somebody who may not waive, here or in main after the merge.
"""

from attacks.mutations import RULES_ARE_MAINS
from attacks.world import World

NAMED = frozenset({"foreign-change"})


WAIVER = """\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "tempest.smoke"
reason = "I say so."
issue = "https://evil.example/1"
by = "mallory"
expires = 2099-12-31
"""
DEFENCES = (RULES_ARE_MAINS,)


def after_reports(world: World) -> None:
    """Push a waiver."""
    world.add("mallory", {"gate/waivers.toml": WAIVER})
