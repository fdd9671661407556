"""RDO's account pushes half a character, escaped.

Without the defence the note cannot be written, and nothing is said any more.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"lone-surrogate"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/strict.py",
        old="return jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode=cached)",
        new=("import json\n\n    return json.loads(data) if cached else jiter"),
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": sound.replace(b'"arch"', b'"note": "\\ud800", "arch"')})
