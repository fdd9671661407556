"""Whoever can set git's variables around the pass points them at repositories and programs of their own.

Without the defence git reads another repository, or runs what it is told to.
"""

from collections.abc import Iterator

from attacks.world import Mutation, Played, World

DEFENCES = (
    Mutation(
        module="ports/environment.py",
        old='if not name.startswith("GIT_") or',
        new="if name or",
    ),
)


def prepare(world: World) -> None:
    """Honest passes know nothing of it."""
    world.variables.clear()


def after_reports(world: World) -> None:
    """Set them for every verb from now on."""
    evil = world.folder / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {world.folder}/ran\n")
    evil.chmod(0o755)
    world.variables.update(
        GIT_DIR=str(world.folder / "nowhere.git"),
        GIT_OBJECT_DIRECTORY=str(world.folder / "nowhere"),
        GIT_CONFIG_COUNT="2",
        GIT_CONFIG_KEY_0="core.fsmonitor",
        GIT_CONFIG_VALUE_0=str(evil),
        GIT_CONFIG_KEY_1="core.sshCommand",
        GIT_CONFIG_VALUE_1=str(evil),
        GIT_EXTERNAL_DIFF=str(evil),
        GIT_EXEC_PATH=str(world.folder),
        GIT_TRACE=str(world.folder / "trace"),
        GIT_REPLACE_REF_BASE="refs/heads/",
        GIT_PAGER=str(evil),
        GIT_ASKPASS=str(evil),
    )


def verify(played: Played) -> Iterator[str]:
    """Nothing was run or written."""
    for name in ("ran", "trace"):
        if (played.world.folder / name).exists():
            yield f"git has made {name}"
