"""Mallory asks GitLab to squash the commits when it merges them.

Without the defence main gets one commit by the gate bot, which hides who has pushed or signed which result.
"""

from collections.abc import Iterator

from attacks.world import Mutation, Played, World

DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="keep_commits=as_it_is and merge_request.squash,",
        new="keep_commits=False,",
    ),
)


def act(world: World) -> None:
    """Do it through the API."""
    line = world.merge_request("mallory")
    line.squash = True
    line.save()


def verify(played: Played) -> Iterator[str]:
    """What is merged is the branch's own head."""
    head = played.world.counting().sha
    merged = played.world.as_("releng").commits.get(played.world.head("main")).parent_ids
    if head not in merged:
        yield f"main's parents are {merged}, and not the branch's head {head}"


VARIANTS = {moment: {moment: act} for moment in ("after_approval", "before_merge")}
