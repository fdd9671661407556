"""What git holds, object by object: sizes are known before anything is read, and only plain files are."""

import weakref
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Final, cast

from compose_repo.core.history import PLAIN, Version
from compose_repo.ports.git.repository import Repository, damaged, path_text
from compose_repo.ports.tree import Entry

if TYPE_CHECKING:
    import subprocess

_BROKEN: Final = "BAD"
"""What ls-tree gives for the size of an object that is not there."""
_MISSING: Final = b"missing"


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
        names = list(dict.fromkeys(blobs))
        if not names:
            return {}
        asked = "".join(f"{name}\n" for name in names).encode("ascii")
        rows = self._repository.run("cat-file", "--batch-check=%(objectname) %(objectsize)", given=asked).splitlines()
        sizes = {}
        for name, row in zip(names, rows, strict=True):
            size = row.split()[1]
            if size == _MISSING:
                raise damaged(self._repository.path, name)
            sizes[name] = int(size)
        return sizes

    def read(self, blob: str) -> bytes:
        """Give one object's bytes.

        Raises:
            GitError: it is not there.

        """
        if self._batch is None:
            self._batch = self._repository.start("cat-file", "--batch")
            weakref.finalize(self, _stop, self._batch)
        asked, answered = cast("IO[bytes]", self._batch.stdin), cast("IO[bytes]", self._batch.stdout)
        asked.write(f"{blob}\n".encode("ascii"))
        asked.flush()
        header = answered.readline().split()
        if len(header) != 3:  # noqa: PLR2004  # name, type, size
            raise damaged(self._repository.path, blob)
        content = answered.read(int(header[2]))
        answered.read(1)
        return content


class GitTree:
    """The tree of one commit: sizes are known before anything is read, and only plain files are."""

    def __init__(self, repository: Repository, revision: str) -> None:
        self.repository = repository
        self.commit = repository.commit(revision)
        self._files: dict[str, tuple[str, Entry]] = {}
        self._listed: set[str] = set()
        self._blobs = Blobs(repository)

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; an absent folder is empty."""
        where = ["--", f"{folder.rstrip('/')}/"] if folder.strip("/") else []
        return sorted(self._list("-rzl", where), key=attrgetter("path"))

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted; an absent folder is empty."""
        where = ["--", f"{folder.rstrip('/')}/"] if folder.strip("/") else []
        out = self.repository.run("ls-tree", "-dz", "--name-only", "--full-tree", self.commit, *where)
        return sorted(path_text(path).rpartition("/")[2] for path in out.split(b"\0") if path)

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
                raise damaged(self.repository.path, name)
            entry = Entry(path=path_text(raw), size=0 if size == "-" else int(size), regular=mode == PLAIN)
            self._files[entry.path] = (name, entry)
            entries.append(entry)
        return entries


class VersionTree:
    """A tree made of the versions of files that count, wherever in the history they stand."""

    def __init__(self, blobs: Blobs, versions: Iterable[Version], sizes: Mapping[str, int]) -> None:
        self._blobs = blobs
        self._versions = {version.path: version.blob for version in versions}
        self._sizes = sizes

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; an absent folder is empty."""
        below = f"{folder}/" if folder else ""
        return [
            Entry(path=path, size=self._sizes[blob])
            for path, blob in sorted(self._versions.items())
            if path.startswith(below)
        ]

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted; an absent folder is empty."""
        below = f"{folder}/" if folder else ""
        rest = [path.removeprefix(below) for path in self._versions if path.startswith(below)]
        return sorted({path.partition("/")[0] for path in rest if "/" in path})

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if no version of it counts."""
        blob = self._versions.get(path)
        return None if blob is None else self._blobs.read(blob)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Close its input, at which cat-file ends."""
    with process:
        pass
