"""RDO's account pushes an empty file, and `null`.

Without the defence the pass falls over, and nothing can be judged any more.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"not-json", "wrong-type"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="core/documents/strict.py",
        old=(
            "    except ValueError as error:\n"
            "        raise InputError(*_diagnosed_json(text, path, str(error))) from None\n"
            "    texts = "
        ),
        new=("    except ValueError:\n        value = {}\n    texts = "),
    ),
)


def after_reports(world: World) -> None:
    """Push it as a result of RDO's own."""
    sound = world.result("rdo", run="b1", minutes=5)
    assert sound
    world.add("rdo-ci", {f"{world.results}/rdo/b1.json": b"", f"{world.results}/rdo/b2.json": b"null"})
