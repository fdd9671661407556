"""Mallory points the merge request at a branch of her own.

Without the defence the compose is merged into that, or not found any more.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="*_update(merge_request, title=str(compose_id), target_branch=target_branch, as_it_is=True),",
        new="*_update(merge_request, title=str(compose_id), as_it_is=True),",
    ),
)


def after_reports(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    world.as_("mallory").branches.create({"branch": "mallory", "ref": "main"})
    line.target_branch = "mallory"
    line.save()
