"""Mallory says that the merge request is not to be merged before a day in the next century.

Without the defence any Developer holds a compose up for good.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="any_time=as_it_is and merge_request.merge_after is not None,",
        new="any_time=False,",
    ),
)


def act(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.merge_after = "2126-01-01T00:00:00Z"
    line.save()


VARIANTS = {moment: {moment: act} for moment in ("after_reports", "after_approval", "before_merge")}
