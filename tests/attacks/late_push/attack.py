"""Mallory pushes in the moment between the last approval and the merge.

Without the defence what was never judged is merged.
"""

from attacks.mutations import MERGES_ONLY_WHAT_COUNTS
from attacks.world import World

NAMED = frozenset({"foreign-change"})
DEFENCES = (MERGES_ONLY_WHAT_COUNTS,)


def before_merge(world: World) -> None:
    """Push an edited CI file, a policy, and RDO's result the other way round."""
    old = world.read(f"{world.results}/rdo/a1.json", world.head())
    changes: dict[str, str | bytes] = {
        ".gitlab-ci.yml": "gate:\n  script: [exit 0]\n",
        "gate/policy.toml": 'schema = "policy/1"\n',
        f"{world.results}/rdo/a1.json": old.replace(b"passed", b"info").replace(b"failed", b"passed"),
    }
    world.add("mallory", changes)
