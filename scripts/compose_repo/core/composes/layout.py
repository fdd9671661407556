"""Which files belong where in the repository, and what a path says of a file."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from compose_repo.core.composes import paths
from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.names import NAME_LENGTH, is_name
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem


class Kind(StrEnum):
    """What a file holds; the value is the name of its schema."""

    RESULT = "result"
    MANIFEST = "manifest"
    POLICY = "policy"
    ORIGINS = "origins"
    WAIVERS = "waivers"
    HOLDS = "holds"
    STREAMS = "streams"


GATE_FILES: Final = {
    "gate/policy.toml": Kind.POLICY,
    "gate/origins.toml": Kind.ORIGINS,
    "gate/waivers.toml": Kind.WAIVERS,
    "gate/holds.toml": Kind.HOLDS,
    "gate/streams.toml": Kind.STREAMS,
}


CACHED: Final = 8192
"""How many paths are remembered: each is read several times in a pass."""
FOLDERS: Final = (paths.COMPOSES, "gate")
"""The folders that hold data."""
_BELOW: Final = tuple(f"{folder}/" for folder in FOLDERS)


class Place(Struct, frozen=True, kw_only=True):
    """A file's place: its kind, and for a file of a compose the names that its path carries."""

    path: str
    kind: Kind
    compose_id: str = ""
    origin: str = ""
    run_id: str = ""


@lru_cache(maxsize=CACHED)
def place_of(path: str) -> Place | None:
    """Read a path; None if no file that we check belongs there."""
    match path.split("/"):
        case [paths.COMPOSES, compose_id, paths.MANIFEST]:
            return Place(path=path, kind=Kind.MANIFEST, compose_id=compose_id)
        case [paths.COMPOSES, compose_id, paths.RESULTS, origin, name] if name.endswith(paths.RESULT_SUFFIX):
            run_id = name.removesuffix(paths.RESULT_SUFFIX)
            return Place(path=path, kind=Kind.RESULT, compose_id=compose_id, origin=origin, run_id=run_id)
        case ["gate", _] if path in GATE_FILES:
            return Place(path=path, kind=GATE_FILES[path])
    return None


def is_ours(path: str) -> bool:
    """Tell whether a path lies in one of the folders that hold data, or stands in the place of one."""
    return path.startswith(_BELOW) or path in FOLDERS


def is_readme(path: str) -> bool:
    """Tell whether a file in one of our folders is there for people to read."""
    return path.rpartition("/")[2] == paths.README


@lru_cache(maxsize=CACHED)
def name_problems(place: Place) -> tuple[Problem, ...]:
    """The names in a path are ASCII and safe, and the compose's folder is named by a compose id."""
    return tuple(_name_problems(place))


def _name_problems(place: Place) -> Iterator[Problem]:
    if place.compose_id and (error := _id_error(place.compose_id)) is not None:
        yield Problem(
            path=place.path,
            code=Code.BAD_COMPOSE_ID,
            message=f"the folder's name is not a compose id: {error}",
            fix="name the folder by the compose's id, as its COMPOSE_ID file has it",
        )
    if place.kind is not Kind.RESULT:
        return
    for what, name in (("folder", place.origin), ("file", place.run_id)):
        if not is_name(name):
            yield Problem(
                path=place.path,
                code=Code.BAD_NAME,
                message=f"the {what}'s name {name!a} is not safe in a path",
                fix=f"use ASCII letters, digits, '.', '_' and '-', a letter or digit first, at most {NAME_LENGTH}",
            )


@lru_cache
def _id_error(compose_id: str) -> str | None:
    try:
        ComposeId.parse(compose_id)
    except ComposeIdError as error:
        return str(error)
    return None


def collisions(paths: Iterable[str]) -> Iterator[Problem]:
    """No two files of a folder differ only in case: some file systems hold only one of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        groups.setdefault((folder, name.casefold()), []).append(path)
    for group in groups.values():
        for path in group if len(group) > 1 else ():
            others = ", ".join(ascii(other.rpartition("/")[2]) for other in sorted(group) if other != path)
            yield Problem(
                path=path,
                code=Code.NAME_COLLISION,
                message=f"the file's name differs only in case from {others}",
                fix="give each run an id that is unique without regard to case",
            )


def stray(path: str) -> Problem:
    """Say that nothing in the repository reads a file where it lies."""
    return Problem(
        path=path,
        code=Code.STRAY_FILE,
        message="no file of this name belongs here",
        fix=f"results belong at {paths.result_of('<compose_id>', '<origin>', '<run_id>')}; "
        f"remove what is neither that, a {paths.MANIFEST}, one of gate/*.toml nor a {paths.README}",
    )


def not_plain(path: str) -> Problem:
    """Say that a file is a link, executable or no file at all."""
    return Problem(
        path=path,
        code=Code.NOT_A_PLAIN_FILE,
        message="this is a link, an executable or something else that is not a plain file",
        fix="replace it with a plain file with mode 100644",
    )


def is_lfs_pointer(raw: bytes) -> bool:
    """Tell whether a file only says where Git LFS keeps what should be in it."""
    return raw.startswith(b"version https://git-lfs.github.com/spec/")


def lfs_pointer(path: str) -> Problem:
    """Say that a file holds nothing but a pointer."""
    return Problem(
        path=path,
        code=Code.LFS_POINTER,
        message="this is a Git LFS pointer, not the file itself",
        fix="take it out of .gitattributes with `git lfs untrack`, and push the file itself",
    )


def absent(path: str) -> Problem:
    """Say that a file that has to be there is not."""
    page = "docs/policy.md" if path in GATE_FILES else f"{paths.COMPOSES}/{paths.README}"
    return Problem(
        path=path, code=Code.MISSING_FILE, message="the file is missing", fix=f"add it; {page} says what it holds"
    )


def removed(path: str) -> Problem:
    """Say that a change takes away a file that is written once and kept."""
    return Problem(
        path=path,
        code=Code.REMOVED_FILE,
        message="the file has been removed, but results and manifests are kept",
        fix="restore it; report a rerun in a new file",
    )
