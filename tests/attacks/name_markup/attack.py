"""RDO's account pushes file names made of Markdown, a mention and a quick action.

Without the defence the note that names the files does what the names say.
"""

from attacks.mutations import TEXT_IS_ESCAPED
from attacks.world import Start, World

NAMED = frozenset({"bad-name"})
STARTS = (Start.BLOCKED,)
NAMES = (
    "@all <img src=x> ![](https:evil.example) [x](https:evil.example) ~x !1 #1 | `",
    "](javascript:alert(1)) @all",
    "<!-- compose-repo: gate -->",
    "``` @all",
)
DEFENCES = (TEXT_IS_ESCAPED,)


def after_reports(world: World) -> None:
    """Push a pass under each."""
    content = world.result("rdo", run="b1", minutes=5)
    world.add("rdo-ci", {f"{world.results}/rdo/{name}.json": content for name in NAMES})
