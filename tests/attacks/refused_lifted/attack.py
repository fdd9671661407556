"""RDO's account pushes what is refused for its form, and makes it good again; then it is as if it had never been there.

Without the defence whoever makes one mistake waits for ever, and takes to waivers.
"""

from collections.abc import Iterator

from attacks.refused import FAULTS, NOT_JSON, WAITING
from attacks.world import ARCHES, Mutation, Played, Start, World, plain

STARTS = (Start.SATISFIED,)


def _by_reports(world: World) -> None:
    """Report again, on one arch after the other."""
    NOT_JSON.push(world)
    for arch in ARCHES:
        assert world.approve().code == WAITING
        world.report("rdo", "passed", arch, arches=(arch,))


def _verify_reports(played: Played) -> Iterator[str]:
    """All is approved and merged; what was refused is named, and stays on the branch."""
    outcome, world = played.outcome, played.world
    if (outcome.approve, outcome.approved_by, outcome.merge, outcome.state) != (0, ("gate-bot",), 0, "merged"):
        yield f"it is not as if it had never been there: {outcome}"
    folder = f"{world.results}/rdo/"
    merged = [path.removeprefix(folder) for path in outcome.main if path.startswith(folder)]
    if merged != ["a1.json", "aarch64.json", "x86_64.json"]:
        yield f"main should have what counts of RDO's, and has {merged}"


def _by_taking_back(world: World) -> None:
    """Take back each kind of fault: remove what was new, restore what was changed or removed."""
    for fault in FAULTS.values():
        fault.push(world)
    assert world.approve().code == WAITING
    for fault in FAULTS.values():
        fault.take_back(world)


def _by_taking_back_what_was_corrected(world: World) -> None:
    """Correct the refused file in its place, which does not count either; then take it back."""
    NOT_JSON.push(world)
    world.add("rdo-ci", {NOT_JSON.path(world): world.result("rdo", run="cut")})
    assert world.approve().code == WAITING
    NOT_JSON.take_back(world)


def _verify_nothing_is_told(played: Played) -> Iterator[str]:
    """Nothing is left in the note, and in its count."""
    (note,) = played.world.notes()
    if "refused" in plain(note).lower():
        yield f"what was taken back is still told: {note}"


VARIANTS = {
    "by_reports": {
        "TWIN": False,
        "after_approval": _by_reports,
        "verify": _verify_reports,
        "DEFENCES": (
            Mutation(module="core/verdict/refusals.py", old="first = bisect_left(", new="first = 0 * bisect_left("),
        ),
    },
    "by_taking_back": {
        "after_approval": _by_taking_back,
        "verify": _verify_nothing_is_told,
        "DEFENCES": (
            Mutation(
                module="core/branch/touch.py",
                old="if not is_same(touch.after, Content(PLAIN, blobs[path]) if path in blobs else touch.first)",
                new="if path not in blobs or not is_same(touch.after, Content(PLAIN, blobs[path]))",
            ),
        ),
    },
    "by_taking_back_what_was_corrected": {
        "after_approval": _by_taking_back_what_was_corrected,
        "verify": _verify_nothing_is_told,
        "DEFENCES": (Mutation(module="core/branch/history.py", old=" and problem.path not in back)", new=")"),),
    },
}
