"""Mallory merges the merge request herself, and pushes to main.

Without the protection of main, which `setup` sees to, that is all it takes.
"""

import pytest
from gitlab.exceptions import GitlabError

from attacks.world import World


def after_approval(world: World) -> None:
    """Try both; the server refuses."""
    before = world.head("main")
    with pytest.raises(GitlabError):
        world.merge_request("mallory").merge()
    evil = world.commit({"gate/policy.toml": 'schema = "policy/1"\n'}, base=before)
    assert not world.push("mallory", f"{evil}:refs/heads/main").accepted
    assert world.head("main") == before
