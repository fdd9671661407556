"""Trees of files: the working tree here, a commit's tree behind the git port. Paths are relative to the root."""

import datetime as dt
import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct


class Entry(Struct, frozen=True, kw_only=True):
    """One file of a tree. `size` in bytes; `regular` is False for what is not a plain file, such as links.

    `at` is when the file was pushed or committed, None where nobody knows: it may be there since a moment ago.
    """

    path: str
    size: int
    regular: bool = True
    at: dt.datetime | None = None


class Tree(Protocol):
    """Read access to a tree of files; nothing is followed, checked out or run."""

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted; nothing is looked into, an absent folder is empty."""
        ...

    def folder_id(self, path: str) -> str | None:
        """Give what is the same for two folders with the same files; None where nobody knows without reading them."""
        ...

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; an absent folder is empty."""
        ...

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if there is no such regular file."""
        ...


class GivenTree:
    """A few files that somebody has in hand, by their paths."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files: Final = dict(sorted(files.items()))

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted."""
        rests = (path.removeprefix(f"{folder}/") for path in self._files if path.startswith(f"{folder}/"))
        return sorted({rest.partition("/")[0] for rest in rests if "/" in rest})

    def folder_id(self, path: str) -> None:
        """Return nothing: this tree has no such id."""

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; "" is the root."""
        return [
            Entry(path=path, size=len(raw))
            for path, raw in self._files.items()
            if not folder or path.startswith(f"{folder}/")
        ]

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if it is not among them."""
        return self._files.get(path)


class WorkingTree:
    """The files below a directory; no link is followed, `.git` is not part of it."""

    def __init__(self, root: Path) -> None:
        self._root: Final = str(root)
        self._folders: Final = {"": True}

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted; a link to a folder does not count."""
        if not self._is_folder(folder):
            return ()
        with os.scandir(f"{self._root}/{folder}") as children:
            return sorted(
                child.name for child in children if child.is_dir(follow_symlinks=False) and child.name != ".git"
            )

    def folder_id(self, path: str) -> None:
        """Return nothing: this tree has no such id."""

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; links are listed, never followed."""
        return sorted(self._files(folder), key=_by_path) if self._is_folder(folder) else ()

    def entry(self, path: str) -> Entry | None:
        """Give one file without listing its folder, or None if there is no file."""
        if not self._is_folder(path.rpartition("/")[0]):
            return None
        try:
            status = os.lstat(f"{self._root}/{path}")
        except OSError as error:
            if error.errno in _NO_SUCH_FILE:
                return None
            raise
        if stat.S_ISDIR(status.st_mode):
            return None
        return Entry(path=path, size=status.st_size, regular=self._is_plain(status))

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if there is no such regular file."""
        if not self._is_folder(path.rpartition("/")[0]):
            return None
        try:
            # Opening a pipe would wait for its writer without O_NONBLOCK.
            descriptor = os.open(f"{self._root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in _NO_SUCH_FILE:
                return None
            raise
        try:
            status = os.fstat(descriptor)
            if not self._is_plain(status):
                return None
            return _read(descriptor, status.st_size)
        finally:
            os.close(descriptor)

    def _is_plain(self, status: os.stat_result) -> bool:
        """Tell whether it is what git stores as 100644: a plain file that nobody may execute."""
        return stat.S_ISREG(status.st_mode) and not status.st_mode & stat.S_IXUSR

    def _files(self, folder: str) -> Iterator[Entry]:
        folders = [folder]
        while folders:
            within = folders.pop()
            prefix = f"{within}/" if within else ""
            with os.scandir(f"{self._root}/{within}") as children:
                for child in children:
                    path = prefix + child.name
                    if not child.is_dir(follow_symlinks=False):
                        status = child.stat(follow_symlinks=False)
                        yield Entry(path=path, size=status.st_size, regular=self._is_plain(status))
                    elif path != ".git":
                        folders.append(path)

    def _is_folder(self, path: str) -> bool:
        """Tell whether a path is a folder reached through folders only, never through a link or `..`."""
        unknown = []
        while path not in self._folders:
            unknown.append(path)
            path = path.rpartition("/")[0]
        is_folder = self._folders[path]
        for within in reversed(unknown):
            is_folder = is_folder and within.rpartition("/")[2] not in {"", ".", ".."} and self._is_own_folder(within)
            self._folders[within] = is_folder
        return is_folder

    def _is_own_folder(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(f"{self._root}/{path}").st_mode)
        except OSError as error:
            if error.errno in _NO_SUCH_FILE:
                return False
            raise


_NO_SUCH_FILE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG})


_by_path: Final = attrgetter("path")


def _read(descriptor: int, size: int) -> bytes:
    """Read a file that had so many bytes a moment ago, or as many as are left of it."""
    data = os.read(descriptor, size)
    while len(data) < size and (part := os.read(descriptor, size - len(data))):
        data += part
    return data
