"""RDO reports a failure that is refused for its form, then something that says nothing of the cells that wait.

Without the defence any further report makes the failure go away: of another arch, in progress, skipped, an error.
"""

from collections.abc import Iterator

from attacks.refused import NOT_JSON, WAITING
from attacks.world import ARCHES, Mutation, Played, Start, World

STARTS = (Start.SATISFIED,)
TWIN = False
NAMED = frozenset({"not-json"})
CONCLUSIVE_ONLY = Mutation(
    module="core/verdict/refusals.py",
    old="if result.outcome in CONCLUSIVE:",
    new="if result.outcome:",
)
CELL_BY_CELL = Mutation(
    module="core/verdict/refusals.py",
    old="self._last.get((origin, testcase, cell), NEVER)",
    new="max((at for key, at in self._last.items() if key[:2] == (origin, testcase)), default=NEVER)",
)


def _verify(played: Played, errored: tuple[str, ...]) -> Iterator[str]:
    """It is pending for the cells that were not reported again, and for those alone."""
    outcome = played.outcome
    if (outcome.approve, outcome.approved_by, outcome.status) != (WAITING, (), "pending"):
        yield f"it is not pending: {outcome}"
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in outcome.rows]
    found = tuple(row[3].replace("\\", "") for row in rows if row[:2] == ["errored", "rdo"])
    if found != errored:
        yield f"{errored} should be errored, and {found} are"


def _variant(outcome: str, *arches: str, errored: tuple[str, ...], defence: Mutation) -> dict[str, object]:
    def after_approval(world: World) -> None:
        NOT_JSON.push(world)
        world.report("rdo", outcome, "c1", arches=arches, minutes=5)

    return {
        "after_approval": after_approval,
        "verify": lambda played: _verify(played, errored),
        "DEFENCES": (defence,),
    }


VARIANTS = {
    "by_another_arch": _variant("passed", "x86_64", errored=("aarch64",), defence=CELL_BY_CELL),
    "by_a_running_one": _variant("running", *ARCHES, errored=ARCHES, defence=CONCLUSIVE_ONLY),
    "by_a_skip": _variant("skipped", *ARCHES, errored=ARCHES, defence=CONCLUSIVE_ONLY),
    "by_an_error": _variant("error", *ARCHES, errored=ARCHES, defence=CONCLUSIVE_ONLY),
}
