"""Git objects of any kind, written byte by byte: git's own commands would refuse half of what an attacker needs."""

import base64
import hashlib
import subprocess
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

FILE: Final = "100644"
EXECUTABLE: Final = "100755"
LINK: Final = "120000"
SUBMODULE: Final = "160000"
FOLDER: Final = "40000"
HOSTILE_AUTHOR: Final = "@all ![](https://evil.example) |`/merge <gate-bot@example.org>"
HOSTILE_MESSAGE: Final = (
    "Merge branch 'main'\n\n/approve\n/merge\n@all ~gate::satisfied Closes #1\x1e\x1fcommit " + "0" * 40
)
"""What nobody may believe, read or repeat: every commit in the attacks says it, those of honest people too."""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of a tree: a mode and the object it names."""

    mode: str
    sha: str


Content: TypeAlias = "bytes | str | Node | None"
"""What stands at a path: a plain file's bytes, any other node, or nothing any more."""
Place: TypeAlias = "str | tuple[bytes, ...]"
"""A path, or the names that lead to it where one of them is no name that a path could be made of."""
Changes: TypeAlias = "Mapping[Any, Content]"
"""What is to stand where; each key is a `Place` (a mapping's keys are invariant, hence `Any`)."""


class Objects:
    """A bare repository whose objects are written without git, beside another's which it borrows."""

    def __init__(self, path: Path, borrowed: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(path)], check=True)
        (path / "objects" / "info").mkdir(exist_ok=True)
        (path / "objects" / "info" / "alternates").write_text(f"{borrowed / 'objects'}\n")
        self._trees: dict[str, dict[bytes, Node]] = {}
        self._commits: dict[str, str] = {}

    def git(self, *arguments: str) -> bytes:
        """Ask git something about an object, ours or borrowed."""
        return subprocess.run(["git", *arguments], cwd=self.path, check=True, capture_output=True).stdout

    def write(self, kind: str, content: bytes) -> str:
        """Write one object."""
        whole = b"%s %d\0%s" % (kind.encode(), len(content), content)
        sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        target = self.path / "objects" / sha[:2] / sha[2:]
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(zlib.compress(whole, 1))
        return sha

    def tree(self, nodes: Mapping[bytes, Node]) -> str:
        """Write a tree of any names."""
        lines = sorted(nodes.items(), key=lambda line: line[0] + (b"/" if line[1].mode == FOLDER else b""))
        sha = self.write(
            "tree", b"".join(b"%s %s\0%s" % (n.mode.encode(), name, bytes.fromhex(n.sha)) for name, n in lines)
        )
        self._trees[sha] = dict(nodes)
        return sha

    def nodes(self, tree: str) -> dict[bytes, Node]:
        """Read a tree."""
        if tree not in self._trees:
            raw, found = self.git("cat-file", "tree", tree), {}
            while raw:
                head, _, rest = raw.partition(b"\0")
                mode, _, name = head.partition(b" ")
                found[name] = Node(mode.decode(), rest[:20].hex())
                raw = rest[20:]
            self._trees[tree] = found
        return dict(self._trees[tree])

    def tree_of(self, commit: str) -> str:
        """Give a commit's tree."""
        if commit not in self._commits:
            self._commits[commit] = self.git("rev-parse", f"{commit}^{{tree}}").decode().strip()
        return self._commits[commit]

    def changed(self, tree: str | None, changes: Changes) -> str:
        """Write a tree anew with some paths changed; None begins with nothing."""
        nodes = {} if tree is None else self.nodes(tree)
        below: dict[bytes, dict[Place, Content]] = {}
        for place, content in changes.items():
            name, *rest = tuple(place.encode().split(b"/")) if isinstance(place, str) else place
            if rest:
                below.setdefault(name, {})[tuple(rest)] = content
            elif content is None:
                nodes.pop(name, None)
            else:
                nodes[name] = self.node(content)
        for name, inside in below.items():
            there = nodes.get(name)
            sha = self.changed(there.sha if there is not None and there.mode == FOLDER else None, inside)
            nodes[name] = Node(FOLDER, sha)
            if not self._trees[sha]:
                del nodes[name]
        return self.tree(nodes)

    def node(self, content: "bytes | str | Node") -> Node:
        """Give what stands for a content in a tree."""
        if isinstance(content, Node):
            return content
        return Node(FILE, self.write("blob", content.encode() if isinstance(content, str) else content))

    def commit(  # noqa: PLR0913  # what a commit consists of
        self,
        tree: str,
        *parents: str,
        author: str = HOSTILE_AUTHOR,
        committer: str | None = None,
        seconds: int = 1_790_000_000,
        message: str = HOSTILE_MESSAGE,
        key: Path | None = None,
        namespace: str = "git",
        signature: str = "",
    ) -> str:
        """Write a commit; with a key, sign it as `git commit -S` does with gpg.format=ssh."""
        head = "".join(f"{line}\n" for line in (f"tree {tree}", *(f"parent {parent}" for parent in parents)))
        head += f"author {author} {seconds} +0000\ncommitter {committer or author} {seconds} +0000\n"
        if key is not None:
            signature = ssh_signature(f"{head}\n{message}\n".encode(), key, namespace)
        field = "".join(
            f"{'gpgsig ' if not number else ' '}{line}\n" for number, line in enumerate(signature.split("\n"))
        )
        sha = self.write("commit", f"{head}{field if signature else ''}\n{message}\n".encode())
        self._commits[sha] = tree
        return sha


def ssh_signature(payload: bytes, key: Path, namespace: str) -> str:
    """Sign as git does."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "payload"
        file.write_bytes(payload)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key), str(file)],
            check=True,
            capture_output=True,
        )
        return file.with_suffix(".sig").read_text().strip()


def new_key(path: Path) -> None:
    """Make a key for signing, and its public half beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)], check=True)


def basic(username: str, token: str) -> str:
    """Give the header with which git says who it is."""
    return f"Authorization: Basic {base64.b64encode(f'{username}:{token}'.encode()).decode()}"
