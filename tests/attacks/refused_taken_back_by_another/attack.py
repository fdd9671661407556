"""RDO reports a failure that is refused for its form; somebody else takes it back: IdM, or Mallory.

Without the defence any Developer makes an unwelcome report go away.
"""

from attacks.refused import BELIEVED_ONLY, NOT_JSON, OVERWRITTEN, REMOVED, Fault
from attacks.world import Start, World

STARTS = (Start.PENDING,)
DEFENCES = (BELIEVED_ONLY,)


def _variant(fault: Fault, who: str) -> dict[str, object]:
    def report(world: World, origin: str, outcome: str) -> None:
        """RDO and IdM have passed, RDO's failure comes last: that alone is what is waited for."""
        world.report(origin, outcome)
        world.report("idm")
        fault.push(world)

    return {
        "NAMED": frozenset({fault.code}),
        "report": report,
        "after_approval": lambda world: fault.take_back(world, who),
    }


VARIANTS = {
    "idm_removes_it": _variant(NOT_JSON, "idm-ci"),
    "mallory_removes_it": _variant(NOT_JSON, "mallory"),
    "mallory_restores_what_was_overwritten": _variant(OVERWRITTEN, "mallory"),
    "idm_restores_what_was_removed": _variant(REMOVED, "idm-ci"),
}
