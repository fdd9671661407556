"""Trees of files: the working tree here, a commit's tree behind the git port. Paths are relative to the root."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Entry:
    """One file of a tree. `size` in bytes; `regular` is False for links, executables and whatever else is no plain file."""

    path: str
    size: int
    regular: bool = True


class Tree(Protocol):
    """Read access to a tree of files; nothing is followed, checked out or run."""

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; an absent folder is empty."""
        ...

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if there is no such regular file."""
        ...


class WorkingTree:
    """The files below a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; links are listed, never followed."""
        raise NotImplementedError

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if there is no such regular file."""
        raise NotImplementedError
