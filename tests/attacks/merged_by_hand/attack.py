"""Mallory merges the merge request herself, and pushes to main, which somebody has left unprotected until `setup` ran.

Without the protection that `setup` makes, that is all it takes.
"""

import contextlib

from gitlab.exceptions import GitlabError

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/hardening/branches.py",
        old="return (*opening, *main, *composes)",
        new="return (*opening, *composes)",
    ),
)


def prepare(world: World) -> None:
    """Main is not protected; RelEng runs setup."""
    world.as_("releng").protectedbranches.delete("main")
    world.set_up()


def after_approval(world: World) -> None:
    """Try both; the server refuses."""
    with contextlib.suppress(GitlabError):
        world.merge_request("mallory").merge()
    evil = world.commit({"gate/policy.toml": 'schema = "policy/1"\n'}, base=world.head("main"))
    world.push("mallory", f"{evil}:refs/heads/main")
