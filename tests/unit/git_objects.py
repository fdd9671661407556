"""git's own objects, made and read in Python: commits have their real names, and no git is run.

They are kept in memory, and in the folder of a bare repository too where one is given: real git reads from there what
was made here, and what it pushes there is read here.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from compose_repo.core.names import Sha

_FOLDER: Final = b"40000"
_CONFIG: Final = """\
[core]
\trepositoryformatversion = 0
\tbare = true
[gc]
\tauto = 0
[receive]
\tadvertisePushOptions = true
\tdenyNonFastForwards = false
[transfer]
\tunpackLimit = 1000000
[uploadpack]
\tallowAnySHA1InWant = true
"""
"""Objects stay loose, since that is what is read here; a commit may be asked for by its name, as on GitLab."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """A file in a tree, by the name of its bytes."""

    sha: Sha
    mode: bytes = b"100644"


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """A commit with all of its files."""

    sha: Sha
    parents: tuple[Sha, ...]
    files: Mapping[str, Blob]
    message: str

    @property
    def title(self) -> str:
        """The first line of its message."""
        return self.message.split("\n", 1)[0]


def make_bare(folder: Path, *, borrow: Path | None = None) -> None:
    """Make an empty bare repository; it takes objects that it has not from the one to `borrow` from."""
    for name in ("objects/info", "refs/heads", "refs/tags"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "config").write_text(_CONFIG)
    if borrow is not None:
        (folder / "objects/info/alternates").write_text(f"{(borrow / 'objects').resolve()}\n")


@dataclass(kw_only=True)
class Objects:
    """Every object that was ever made; `folder` is a bare repository's, or None where none is needed."""

    folder: Path | None = None
    _known: dict[Sha, tuple[bytes, bytes]] = field(default_factory=dict)
    _commits: dict[Sha, Commit] = field(default_factory=dict)
    _trees: dict[Sha, dict[str, Blob]] = field(default_factory=dict)

    def blob(self, content: bytes) -> Blob:
        """Keep the bytes of a file."""
        return Blob(sha=self._put(b"blob", content))

    def content(self, blob: Blob) -> bytes:
        """Give the bytes of a file."""
        return self._get(blob.sha)[1]

    def make(self, files: Mapping[str, Blob], *, parents: tuple[Sha, ...], message: str, by: str, at: int) -> Sha:
        """Make a commit of these files and no others, by an account at a time in seconds."""
        who = f"{by} <{by}@noreply.invalid> {at} +0000"
        head = [f"tree {self._tree(files)}", *(f"parent {sha}" for sha in parents), f"author {who}", f"committer {who}"]
        return self._put(b"commit", ("\n".join(head) + f"\n\n{message}").encode())

    def commit(self, sha: Sha) -> Commit | None:
        """Read a commit; None if there is none of this name."""
        if sha not in self._commits:
            if not self._is_there(sha) or self._get(sha)[0] != b"commit":
                return None
            self._commits[sha] = self._read_commit(sha)
        return self._commits[sha]

    def _read_commit(self, sha: Sha) -> Commit:
        head, _, message = self._get(sha)[1].decode("utf-8", "surrogateescape").partition("\n\n")
        rows = [line.split(" ", 1) for line in head.split("\n") if " " in line]
        tree = next(Sha(value) for name, value in rows if name == "tree")
        parents = tuple(Sha(value) for name, value in rows if name == "parent")
        return Commit(sha=sha, parents=parents, files=self._files(tree), message=message)

    def history(self, sha: Sha) -> dict[Sha, Commit]:
        """Give a commit and all that came before it, newest first."""
        found: dict[Sha, Commit] = {}
        waiting = [sha]
        while waiting:
            name = waiting.pop(0)
            commit = None if name in found else self.commit(name)
            if commit is not None:
                found[name] = commit
                waiting.extend(commit.parents)
        return found

    def came_before(self, old: Sha, new: Sha) -> bool:
        """Tell whether a commit is another one, or came before it."""
        return old in self.history(new)

    def base(self, one: Sha, other: Sha) -> Sha | None:
        """Give a newest commit that two have in common."""
        shared = [sha for sha in self.history(one) if sha in self.history(other)]
        return next(
            (sha for sha in shared if not any(sha != more and self.came_before(sha, more) for more in shared)), None
        )

    def merged(self, ours: Sha, theirs: Sha) -> dict[str, Blob] | None:
        """Give the files that two commits come to together; None where both have changed the same one."""
        base = self.base(ours, theirs)
        before = {} if base is None else self._of(base)
        mine, others = self._of(ours), self._of(theirs)
        result: dict[str, Blob] = {}
        for path in before.keys() | mine.keys() | others.keys():
            was, one, other = before.get(path), mine.get(path), others.get(path)
            if one != other and was not in {one, other}:
                return None
            chosen = other if one == was else one
            if chosen is not None:
                result[path] = chosen
        return result

    def _of(self, sha: Sha) -> Mapping[str, Blob]:
        commit = self.commit(sha)
        if commit is None:
            raise LookupError(sha)
        return commit.files

    def _files(self, tree: Sha, prefix: str = "") -> dict[str, Blob]:
        if tree not in self._trees:
            self._trees[tree] = dict(self._rows(tree))
        return {f"{prefix}{path}": blob for path, blob in self._trees[tree].items()}

    def _rows(self, tree: Sha) -> Iterator[tuple[str, Blob]]:
        raw = self._get(tree)[1]
        while raw:
            head, _, rest = raw.partition(b"\0")
            sha, raw = Sha(rest[:20].hex()), rest[20:]
            mode, _, name = head.partition(b" ")
            path = name.decode("utf-8", "surrogateescape")
            if mode == _FOLDER:
                yield from self._files(sha, f"{path}/").items()
            else:
                yield path, Blob(sha=sha, mode=mode)

    def _tree(self, files: Mapping[str, Blob]) -> Sha:
        here = {path: blob for path, blob in files.items() if "/" not in path}
        below: dict[str, dict[str, Blob]] = {}
        for path, blob in files.items():
            folder, slash, rest = path.partition("/")
            if slash:
                below.setdefault(folder, {})[rest] = blob
        rows = [(name, name, blob.mode, blob.sha) for name, blob in here.items()]
        rows += [(f"{name}/", name, _FOLDER, self._tree(inner)) for name, inner in below.items()]
        encoded = sorted(
            (_bytes(key), mode + b" " + _bytes(name) + b"\0" + bytes.fromhex(sha)) for key, name, mode, sha in rows
        )
        return self._put(b"tree", b"".join(row for _, row in encoded))

    def _put(self, kind: bytes, body: bytes) -> Sha:
        whole = kind + b" %d\0" % len(body) + body
        sha = Sha(hashlib.sha1(whole).hexdigest())  # noqa: S324  # it is git that names objects so
        if sha not in self._known:
            self._known[sha] = (kind, body)
            path = self._path(sha)
            if path is not None and not path.exists():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(zlib.compress(whole, 1))
        return sha

    def _get(self, sha: Sha) -> tuple[bytes, bytes]:
        path = self._path(sha)
        if sha not in self._known and path is not None:
            head, _, body = zlib.decompress(path.read_bytes()).partition(b"\0")
            self._known[sha] = (head.partition(b" ")[0], body)
        return self._known[sha]

    def _is_there(self, sha: Sha) -> bool:
        path = self._path(sha)
        return sha in self._known or (path is not None and path.exists())

    def _path(self, sha: Sha) -> Path | None:
        return None if self.folder is None else self.folder / "objects" / sha[:2] / sha[2:]

    def point(self, ref: str, sha: Sha | None) -> None:
        """Let a ref of the repository on disk name a commit, or be gone; in memory there are none."""
        if self.folder is None:
            return
        path = self.folder / ref
        if sha is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{sha}\n")

    def refs(self, below: str) -> dict[str, Sha]:
        """Give the refs of the repository on disk below a folder, by their names without it."""
        if self.folder is None:
            return {}
        folder = self.folder / below
        paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {path.relative_to(folder).as_posix(): Sha(path.read_text().strip()) for path in paths}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
