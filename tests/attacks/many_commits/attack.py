"""Mallory pushes nine hundred commits, each with a file of a very long name that does not belong there.

Without the defence the note outgrows what GitLab takes, and nothing is said any more.
"""

from attacks.world import Mutation, Start, World

NAMED = frozenset({"foreign-change"})
STARTS = (Start.BLOCKED,)
DEFENCES = (
    Mutation(
        module="words/decision_note.py",
        old="LONGEST: Final = 900_000",
        new="LONGEST: Final = 900_000_000",
    ),
)


def after_reports(world: World) -> None:
    """Push them in one go."""
    head = world.head()
    folder = "/".join(("trash" * 40,) * 6)
    for number in range(900):
        head = world.commit({f"{folder}/{number}": f"{number}"}, base=head)
    assert world.push("mallory", head).accepted
