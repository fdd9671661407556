"""What git holds, object by object: sizes are known before anything is read, and only plain files are."""

import datetime as dt
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import dropwhile, islice
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Final, cast

from compose_repo.core.branch.commit import PLAIN, Version
from compose_repo.core.composes.paths import COMPOSES
from compose_repo.ports.git.repository import Repository, path_text
from compose_repo.ports.tree import Entry

if TYPE_CHECKING:
    import subprocess

_COMPOSES: Final = f"{COMPOSES}/"
_BROKEN: Final = "BAD"
"""What ls-tree gives for the size of an object that is not there."""
_MISSING: Final = b"missing"
AT_ONCE: Final = 500
"""Most objects that are asked for at once: their names fit into a pipe while nobody reads from it."""
AT_ONCE_BYTES: Final = 4 * 1024 * 1024
"""Most bytes that are read ahead."""


class Blobs:
    """The contents of a repository's objects: one process answers for all of them, and sizes are known before."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._batch: subprocess.Popen[bytes] | None = None

    def sizes(self, blobs: Iterable[str]) -> dict[str, int]:
        """Give each object's size in bytes without reading it.

        Raises:
            GitError: one of them is not there.

        """
        sizes = self._look(blobs)
        for name, size in sizes.items():
            if size is None:
                raise self._repository.damaged(name)
        return {name: size for name, size in sizes.items() if size is not None}

    def missing(self, objects: Iterable[str]) -> frozenset[str]:
        """Give those of some objects that are not there."""
        return frozenset(name for name, size in self._look(objects).items() if size is None)

    def _look(self, objects: Iterable[str]) -> dict[str, int | None]:
        names = list(dict.fromkeys(objects))
        if not names:
            return {}
        rows = self._repository.run("cat-file", "--batch-check=%(objectsize)", given=_lines(names)).splitlines()
        return {name: None if row.endswith(_MISSING) else int(row) for name, row in zip(names, rows, strict=True)}

    def read(self, blob: str) -> bytes:
        """Give one object's bytes.

        Raises:
            GitError: it is not there.

        """
        return next(self.read_all([blob]))

    def read_all(self, blobs: Sequence[str]) -> Iterator[bytes]:
        """Give the bytes of some objects, in order; they are asked for at once, so there must not be too many.

        Raises:
            GitError: one of them is not there.

        """
        self.ask(blobs)
        return self.answers(blobs)

    def ask(self, blobs: Sequence[str]) -> None:
        """Ask for some objects, which `answers` gives: git looks for them meanwhile."""
        if self._batch is None:
            self._batch = self._repository.start("cat-file", "--batch")
            weakref.finalize(self, _stop, self._batch)
        asked = cast("IO[bytes]", self._batch.stdin)
        asked.write(_lines(blobs))
        asked.flush()

    def answers(self, blobs: Sequence[str]) -> Iterator[bytes]:
        """Give the bytes of the objects that were asked for first and not given yet; these very ones.

        Raises:
            GitError: one of them is not there.

        """
        answered = cast("IO[bytes]", cast("subprocess.Popen[bytes]", self._batch).stdout)
        for blob in blobs:
            header = answered.readline().split()
            if len(header) != 3:  # noqa: PLR2004  # name, type, size
                raise self._repository.damaged(blob)
            content = answered.read(int(header[2]))
            answered.read(1)
            yield content


class GitTree:
    """The tree of one commit: sizes are known before anything is read, and only plain files are."""

    def __init__(self, repository: Repository, revision: str) -> None:
        self.repository = repository
        self.commit = repository.commit(revision)
        self._files: dict[str, tuple[str, Entry]] = {}
        self._listed: set[str] = set()
        self._folders: dict[str, dict[str, str]] = {}
        self._at: dt.datetime | None = None
        self._blobs = Blobs(repository)

    @property
    def at(self) -> dt.datetime | None:
        """The date of the commit: no file of it came later. None if the date is not a possible one."""
        if self._at is None:
            self._at = self.repository.date(self.commit)
        return self._at

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; an absent folder is empty."""
        where = ["--", f"{folder.rstrip('/')}/"] if folder.strip("/") else []
        return sorted(self._list("-rzl", where), key=attrgetter("path"))

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted; an absent folder is empty."""
        return sorted(self._folders_of(folder))

    def folder_id(self, path: str) -> str | None:
        """Give what is the same for two folders with the same files, of whatever commit; None if it is not there."""
        folder, _, name = path.rpartition("/")
        return self._folders_of(folder).get(name)

    def _folders_of(self, folder: str) -> dict[str, str]:
        if folder not in self._folders:
            where = ["--", f"{folder.rstrip('/')}/"] if folder.strip("/") else []
            out = self.repository.run("ls-tree", "-dz", "--full-tree", self.commit, *where)
            rows = (row.partition(b"\t") for row in out.split(b"\0") if row)
            self._folders[folder] = {
                path_text(path).rpartition("/")[2]: about.split()[2].decode("ascii") for about, _, path in rows
            }
        return self._folders[folder]

    def entry(self, path: str) -> Entry | None:
        """Give one file, or None; its folder is listed at once, since the next question is for its neighbour."""
        folder = path.rpartition("/")[0]
        if folder not in self._listed:
            self._list("-zl", ["--", f"{folder}/"] if folder else [])
            self._listed.add(folder)
        found = self._files.get(path)
        return None if found is None else found[1]

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if there is no such regular file."""
        if path not in self._files:
            self._list("-zl", ["--", path])
        found = self._files.get(path)
        if found is None or not found[1].regular:
            return None
        return self._blobs.read(found[0])

    def _list(self, flags: str, where: Sequence[str]) -> Sequence[Entry]:
        out = self.repository.run("ls-tree", flags, "--full-tree", self.commit, *where)
        entries = []
        for line in out.split(b"\0")[:-1]:
            about, _, raw = line.partition(b"\t")
            mode, kind, name, size = about.decode("ascii").split()
            if kind == "tree":
                continue
            if size == _BROKEN:
                raise self.repository.damaged(name)
            path = path_text(raw)
            at = self.at if path.startswith(_COMPOSES) else None
            entry = Entry(path=path, size=0 if size == "-" else int(size), regular=mode == PLAIN, at=at)
            self._files[entry.path] = (name, entry)
            entries.append(entry)
        return entries


class VersionTree:
    """A tree made of the versions of files that count, wherever in the history they stand."""

    def __init__(self, blobs: Blobs, versions: Iterable[Version], sizes: Mapping[str, int]) -> None:
        self._blobs = blobs
        versions = tuple(versions)
        self._versions = dict(sorted((version.path, version.blob) for version in versions))
        self._times = {version.path: version.at for version in versions}
        self._sizes = sizes
        self._ahead: dict[str, bytes] = {}
        self._asked: list[str] = []

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; an absent folder is empty."""
        below = f"{folder.rstrip('/')}/" if folder else ""
        return [
            Entry(path=path, size=self._sizes[blob], at=self._times[path])
            for path, blob in self._versions.items()
            if path.startswith(below)
        ]

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted; an absent folder is empty."""
        below = f"{folder.rstrip('/')}/" if folder else ""
        rest = [path.removeprefix(below) for path in self._versions if path.startswith(below)]
        return sorted({path.partition("/")[0] for path in rest if "/" in path})

    def folder_id(self, path: str) -> None:
        """Return nothing: this tree has no such id."""

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if no version of it counts."""
        if path not in self._versions:
            return None
        if path not in self._ahead:
            if self._asked:
                self._take()
            if path not in self._ahead:
                self._ask(path)
                self._take()
            self._ask(next(islice(dropwhile(next(reversed(self._ahead)).__ne__, self._versions), 1, None), None))
        return self._ahead[path]

    def _ask(self, path: str | None) -> None:
        """Ask for a file and those that follow it, as many as may be asked for at once: each question costs a switch.

        The next ones are asked for while these are looked at.
        """
        paths: list[str] = []
        total = 0
        for following in () if path is None else islice(dropwhile(path.__ne__, self._versions), AT_ONCE):
            total += self._sizes[self._versions[following]]
            if paths and total > AT_ONCE_BYTES:
                break
            paths.append(following)
        self._asked = paths
        if paths:
            self._blobs.ask([self._versions[one] for one in paths])

    def _take(self) -> None:
        """Read what was asked for."""
        paths, self._asked = self._asked, []
        self._ahead = dict(zip(paths, self._blobs.answers([self._versions[one] for one in paths]), strict=True))


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("ascii")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Close its input, at which cat-file ends."""
    with process:
        pass
