"""Mallory pushes replacement refs, which make git show other objects than the ones it is asked for.

Without the defence a commit that is judged has the content of another.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="passes/world.py",
        old='[f"+{source}:{destination}"]',
        new='[f"+{source}:{destination}", "+refs/replace/*:refs/replace/*"]',
    ),
    Mutation(
        module="ports/git/repository.py",
        old=('    "GIT_NO_REPLACE_OBJECTS": "1",\n'),
        new="",
    ),
)


def after_reports(world: World) -> None:
    """Replace RDO's result, and the head, on the server; whoever fetches all refs has them too."""
    sound = world.result("rdo", "passed")
    old = world.objects.node(world.read(f"{world.results}/rdo/a1.json", world.head())).sha
    other = world.objects.node(sound.replace(b"passed", b"info")).sha
    world.objects.git("update-ref", f"refs/replace/{old}", other)
    world.push("mallory", f"{other}:refs/replace/{old}", f"{world.opened}:refs/replace/{world.head()}")
