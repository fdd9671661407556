"""A world in memory in which a pass has something to do: rules on main, and one compose whose merge request is open.

world = opened(tmp_path)
session = Session(
    forge=world.as_user("gate-bot"), repository=world.repository(tmp_path / "scratch.git"),
    token=world.token("gate-bot"), console=Console(),
)
plan = ...
assert world.writes == []
"""

from pathlib import Path
from typing import Final

import gate_world
from memory_forge import DEVELOPER, MAIN, MAINTAINER, MemoryWorld
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import OpenMergeRequest
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Sha256

ID: Final = gate_world.COMPOSE
POLICY: Final = """\
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = "smoke"
why = "It boots."
"""
ORIGINS: Final = """\
schema = "origins/1"
[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
contact = {email = "rdo-ci@example.org"}
"""
STREAMS: Final = """\
schema = "streams/1"
[streams.CentOS-Stream-10]
composes = "https://composes.example.org/"
published = "https://mirror.example.org/COMPOSE_ID"
mode = "mirror"
"""
METADATA: Final = ("composeinfo.json", "images.json", "modules.json", "rpms.json")


def read_manifest_of(compose_id: ComposeId = ID) -> Manifest:
    """Give a manifest that passes every check, as it is read from a compose."""
    metadata = dict.fromkeys(METADATA, Sha256("a" * 64))
    return replace(gate_world.manifest(), compose_id=compose_id, metadata=metadata)


def manifest_of(compose_id: ComposeId = ID) -> bytes:
    """Give a manifest that passes every check."""
    return read_manifest_of(compose_id).to_bytes()


def empty(folder: Path, *, policy: str = POLICY, streams: str = STREAMS) -> MemoryWorld:
    """Make a world on disk with rules and the usual people, and no compose."""
    rules = {"policy": policy, "origins": ORIGINS, "streams": streams}
    files = {f"gate/{name}.toml": text.encode() for name, text in rules.items()}
    world = MemoryWorld(git=folder / "gitlab.git", files=files)
    for name, level in (("compose-bot", DEVELOPER), ("gate-bot", MAINTAINER), ("rdo-ci", DEVELOPER)):
        world.user(name, level)
    return world


def outrun(folder: Path, *, policy: str = POLICY, streams: str = STREAMS) -> MemoryWorld:
    """Make a world in which somebody else, !1, was faster than the compose bot: it has but pushed its branch."""
    world = empty(folder, policy=policy, streams=streams)
    world.push("compose-bot", ID.branch, {f"{ID.folder}/manifest.json": manifest_of()})
    world.as_user("rdo-ci").apply(
        OpenMergeRequest(source_branch=ID.branch, target_branch=MAIN, title="Mine", description="", labels=())
    )
    world.writes.clear()
    world.calls.clear()
    return world


def add_compose(world: MemoryWorld, compose_id: ComposeId = ID) -> int:
    """Open a compose as the compose bot does; give its merge request's number. Nothing of it is among the writes."""
    world.push("compose-bot", compose_id.branch, {f"{compose_id.folder}/manifest.json": manifest_of(compose_id)})
    action = OpenMergeRequest(
        source_branch=compose_id.branch, target_branch=MAIN, title=str(compose_id), description="", labels=()
    )
    world.as_user("compose-bot").apply(action)
    world.writes.clear()
    world.calls.clear()
    return world.lines[-1].iid


def opened(folder: Path, *, policy: str = POLICY, streams: str = STREAMS) -> MemoryWorld:
    """Make a world with one open compose, whose merge request is !1."""
    world = empty(folder, policy=policy, streams=streams)
    add_compose(world)
    return world
