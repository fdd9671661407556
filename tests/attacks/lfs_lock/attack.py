"""Mallory locks the manifest with Git LFS, which a project that is not set up yet has switched on.

Without the defence any Developer holds a compose up for good.
"""

import requests

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="        *(Unlock(lock_id=lock.id, path=lock.path, owner=lock.owner) for lock in locks),\n",
        new="",
    ),
)


def act(world: World) -> None:
    """Do it as git lfs does."""
    mallory = world.user("mallory")
    answer = requests.post(
        f"{world.project.clone_url}/info/lfs/locks",
        json={"path": world.manifest},
        auth=(mallory.username, mallory.token),
        timeout=10,
    )
    assert answer.ok, answer.text


VARIANTS = {moment: {moment: act} for moment in ("after_approval", "before_merge")}
