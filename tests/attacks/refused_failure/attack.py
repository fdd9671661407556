"""RDO has passed, and reports a failure that is refused for its form; the mirrors carry the compose all the same.

Without the defence what cannot be read is nothing: the compose is approved, and the failure was never there.
"""

from collections.abc import Iterator

from attacks.refused import FAULTS, REFUSED_HAS_FORCE, Fault
from attacks.world import Played, Start, plain

STARTS = (Start.SATISFIED,)
DEFENCES = (REFUSED_HAS_FORCE,)


def _verify(fault: Fault, played: Played) -> Iterator[str]:
    """From its publication on, also when it is looked at again, the note says that it was pending, and why."""
    (note,) = played.world.notes()
    words = ("Published while pending", f"a report of rdo was refused: {fault.told}", f"{fault.path(played.world)}:")
    yield from (f"the note does not say {word!r}: {note}" for word in words if word not in plain(note))
    played.world.approve()
    if played.world.notes() != [note]:
        yield "the note is forgotten once it is merged"


def _variant(fault: Fault) -> dict[str, object]:
    return {
        "NAMED": frozenset({fault.code}),
        "REFUSED": fault.told,
        "after_approval": fault.push,
        "verify": lambda played: _verify(fault, played),
    }


VARIANTS = {name: _variant(fault) for name, fault in FAULTS.items()}
