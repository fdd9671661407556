"""RDO has passed, and reports a failure that is refused for its form; the mirrors carry the compose all the same.

Without the defence what cannot be read is nothing: the compose is approved, and the failure was never there.
"""

from collections.abc import Iterator

from attacks.refused import FAULTS, MOVES, REFUSED_HAS_FORCE, WAITING, Fault, plain  # noqa: F401  # MOVES is read
from attacks.world import Played, Start

STARTS = (Start.SATISFIED,)
DEFENCES = (REFUSED_HAS_FORCE,)


def _verify(fault: Fault, played: Played) -> Iterator[str]:
    """It is pending and says why, it is merged as what counts, and from then on the note names the file."""
    outcome, world = played.outcome, played.world
    if (outcome.approve, outcome.approved_by, outcome.status) != (WAITING, (), "pending"):
        yield f"it is not pending: {outcome}"
    yield from fault.untold("the note before", "\n".join(outcome.rows))
    (note,) = world.notes()
    if "Published while pending" not in plain(note):
        yield "the note does not say what was published"
    yield from fault.untold("the note afterwards", note)
    world.approve()
    if world.notes() != [note]:
        yield "the note is forgotten once it is merged"


def _variant(fault: Fault) -> dict[str, object]:
    return {
        "NAMED": frozenset({fault.code}),
        "after_approval": fault.push,
        "verify": lambda played: _verify(fault, played),
    }


VARIANTS = {name: _variant(fault) for name, fault in FAULTS.items()}
