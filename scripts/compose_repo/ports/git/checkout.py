"""A checkout's files as git stores them: what git converts on the way to a working tree is not what counts."""

import hashlib
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from os import stat_result
from typing import Final

from msgspec.structs import replace

from compose_repo.core.branch.commit import PLAIN, Content
from compose_repo.core.composes.layout import FOLDERS
from compose_repo.ports.git.objects import Blobs
from compose_repo.ports.git.repository import GitError, Repository, path_text
from compose_repo.ports.tree import Entry, WorkingTree

_DIGESTS: Final = {40: hashlib.sha1, 64: hashlib.sha256}
"""How git names an object, by the length of the name."""
_IN_ORDER: Final = "0"
"""The stage of a path that no merge has left undecided."""


class Checkout(WorkingTree):
    """The files of a checkout, committed or not; of a file that git calls unchanged, the bytes that git stores.

    Git converts line ends, and runs filters, on the way to a working tree and back (core.autocrlf, core.eol,
    filter.*.smudge): then the bytes that lie there have another digest than those that everybody else has. A file that
    was changed, or that git does not track, is read as it lies. `tell` hears of the first file that is converted, and
    of a repository that git does not read.
    """

    def __init__(self, repository: Repository, tell: Callable[[str], None]) -> None:
        super().__init__(repository.path)
        self._repository: Final = repository
        self._tell: Final = tell
        self._blobs: Final = Blobs(repository)
        self._told = False

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; links are listed, never followed."""
        return [self._as_stored(entry) for entry in super().list(folder)]

    def entry(self, path: str) -> Entry | None:
        """Give one file without listing its folder, or None if there is no file."""
        found = super().entry(path)
        return None if found is None else self._as_stored(found)

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes as git stores them, or None if there is no such regular file."""
        lying = super().read(path)
        stored = self._staged.get(path)
        if lying is None or stored is None or _name_of(lying, stored.blob) == stored.blob or path in self._changed:
            return lying
        content = self._blobs.read(stored.blob)
        self._say(path, by_line_ends=lying.replace(b"\r\n", b"\n") == content.replace(b"\r\n", b"\n"))
        return content

    def _as_stored(self, entry: Entry) -> Entry:
        """Take what git has for a link, or for a program, for what it is: not every file system can tell."""
        stored = self._staged.get(entry.path)
        if not entry.regular or stored is None or stored.mode == PLAIN or entry.path in self._changed:
            return entry
        return replace(entry, regular=False)

    def _is_plain(self, status: stat_result) -> bool:
        """Tell whether it is what git stores as 100644; where git does not look at who may run a file, nor do we."""
        return super()._is_plain(status) or (stat.S_ISREG(status.st_mode) and not self._modes_count)

    @cached_property
    def _staged(self) -> dict[str, Content]:
        """What git has of each file of the folders that are read."""
        return dict(_rows(self._ask("ls-files", "-sz", "--", *FOLDERS)))

    @cached_property
    def _changed(self) -> frozenset[str]:
        """The files that git calls changed."""
        rows = self._ask("ls-files", "-mz", "--", *FOLDERS).split(b"\0")
        return frozenset(path_text(path) for path in rows if path)

    @cached_property
    def _modes_count(self) -> bool:
        return self._ask("config", "--type=bool", "--default=true", "--get", "core.fileMode").strip() != b"false"

    def _ask(self, *arguments: str) -> bytes:
        """Ask git; where it does not answer, nothing is tracked."""
        try:
            return self._repository.run(*arguments)
        except GitError as error:
            if not self._told and "not a git repository" not in str(error):
                self._told = True
                self._tell(f"note: files are read as they lie here, since git does not say what it stores: {error}")
            return b""

    def _say(self, path: str, *, by_line_ends: bool) -> None:
        if not self._told:
            self._told = True
            how = "line ends (core.autocrlf or core.eol)" if by_line_ends else "content (a filter)"
            fix = "clone anew with -c core.autocrlf=false" if by_line_ends else "see: git check-attr --all -- FILE"
            self._tell(
                f"note: git converts the {how} of files of this checkout, such as {path}; "
                f"what git stores is what counts, so that is read; to have the same bytes here, {fix}"
            )


def _rows(out: bytes) -> Iterator[tuple[str, Content]]:
    """Read `mode object stage`, a tab and the path; none of a path whose merging is undecided."""
    for row in out.split(b"\0")[:-1]:
        about, _, path = row.partition(b"\t")
        mode, blob, stage = about.decode("ascii").split()
        if stage == _IN_ORDER:
            yield path_text(path), Content(mode, blob)


def _name_of(content: bytes, like: str) -> str:
    """Give git's name for some bytes, of the same kind as another name."""
    digest = _DIGESTS[len(like)](b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()
