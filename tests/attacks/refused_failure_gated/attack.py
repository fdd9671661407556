"""RDO has passed, and reports a failure that is refused for its form, where merging leads to publishing.

Without the defence the failure is taken off the branch, "to bring it back to what counts", and the compose is merged
and published: at once, or as soon as the cells that it keeps from passing are waived.
"""

from collections.abc import Callable, Iterator

from attacks.refused import FAULTS, NOT_JSON, WAITING, Fault
from attacks.world import ID, STREAMS, Mutation, Played, Start, World

STARTS = (Start.SATISFIED,)
TWIN = False
DEFENCES = (
    Mutation(
        module="passes/merge.py",
        old="            see_that_no_refused_report_is_lost(judgement)\n",
        new="",
    ),
)
MAIN = {"gate/streams.toml": STREAMS.replace('mode = "mirror"', 'mode = "gating"')}
WAIVED = """\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "tempest.smoke"
reason = "Looked into by hand."
issue = "https://issues.example.org/1"
by = "releng"
expires = 2100-01-01
"""
GATED, REFUSED = 2, 1
"""What `merge` exits with while the gate is not satisfied, and where somebody has to do something first."""


def before_merge(world: World) -> None:
    """Try to publish it as it is; then Release Engineering waives the cells that wait."""
    assert world.run("gate-bot", "merge", ID, "--published").code == GATED
    waived = world.commit({"gate/waivers.toml": WAIVED}, base=world.head("main"))
    pushed = world.push("releng", f"{waived}:refs/heads/main")
    assert pushed.accepted, pushed.said
    assert world.approve().code == 0


def _verify(fault: Fault, head: str, lift: Callable[[World], object], played: Played) -> Iterator[str]:
    """Nothing is restored or merged until RDO has lifted it; then it is merged."""
    outcome, world = played.outcome, played.world
    if (outcome.approve, outcome.approved_by) != (WAITING, ()):
        yield f"it is not pending: {outcome}"
    if fault.told not in "\n".join(outcome.rows):
        yield f"the note does not name {fault.told}: {outcome.rows}"
    if (outcome.merge, outcome.state, world.head()) != (REFUSED, "opened", head):
        yield f"it is restored or merged: {outcome.merge}, {outcome.state}, {world.head()}"
        return
    if fault.path(world) not in world.said[-1]:
        yield f"nobody is told what has to be taken back: {world.said[-1]}"
    lift(world)
    if (world.merge().code, world.counting().state) != (0, "merged"):
        yield f"it is not merged once it is lifted: {world.said[-1]}"


def _variant(fault: Fault) -> dict[str, object]:
    heads: list[str] = []
    return {
        "after_approval": lambda world: heads.append(fault.push(world)),
        "verify": lambda played: _verify(fault, heads[-1], fault.take_back, played),
    }


def _taken_off(fault: Fault, who: str) -> dict[str, object]:
    """Somebody else does what the gate bot must not, so that RDO can only report again."""
    heads: list[str] = []

    def last(world: World) -> None:
        before_merge(world)
        heads.append(fault.take_back(world, who))

    return {
        "after_approval": fault.push,
        "before_merge": last,
        "verify": lambda played: _verify(fault, heads[-1], lambda world: world.report("rdo", "passed", "c1"), played),
        "DEFENCES": (
            Mutation(
                module="passes/refused.py",
                old="    if not decision.bears_on:\n",
                new="    if not decision.bears_on.keys() & judgement.brings.keys():\n",
            ),
        ),
    }


VARIANTS = {
    **{name: _variant(fault) for name, fault in FAULTS.items()},
    "taken_off_by_mallory": _taken_off(NOT_JSON, "mallory"),
}
