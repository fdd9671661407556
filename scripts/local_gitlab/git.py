"""Bare git repositories: everything is done with git's plumbing, nothing is checked out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from local_gitlab.objects import Objects

T = TypeVar("T")

ZERO = "0" * 40
_FIELDS = ("%H", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")
_LOG_FORMAT = "%x00".join(_FIELDS) + "%x00"  # a commit can hold every character but this one
_FULL_SHA = re.compile(r"[0-9a-f]{40}")
_DIFF_START = re.compile(rb"^diff --git ", re.MULTILINE)

PRE_RECEIVE = """\
#!/bin/sh
# The server decides before git runs and says so here; only ancestry has to wait for the new objects.
while read -r old new ref; do
    case " $LOCAL_GITLAB_FAST_FORWARD_ONLY " in
    *" $ref "*)
        if ! git merge-base --is-ancestor "$old" "$new"; then
            echo "GitLab: You are not allowed to force push code to a protected branch on this project." >&2
            exit 1
        fi ;;
    esac
done
if [ -n "$LOCAL_GITLAB_REFUSAL" ]; then
    echo "GitLab: $LOCAL_GITLAB_REFUSAL" >&2
    exit 1
fi
"""

POST_RECEIVE = """\
#!/bin/sh
[ -z "$LOCAL_GITLAB_GREETING" ] || printf '\\n%s\\n\\n' "$LOCAL_GITLAB_GREETING" >&2
"""


class GitError(Exception):
    """Git refused; the message is what it said."""


class StaleRefError(GitError):
    """A ref moved between reading and writing it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A name and an address in a commit."""

    name: str
    email: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """A commit's own words."""

    sha: str
    parents: tuple[str, ...]
    author: Person
    authored_at: str
    committer: Person
    committed_at: str
    message: str

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeEntry:
    """One line of a tree."""

    mode: str
    kind: str
    sha: str
    size: int
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDiff:
    """One file's part of a diff; `text` starts at its first hunk."""

    old_path: str
    new_path: str
    old_mode: str
    new_mode: str
    status: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One step of a commit that is made on the server."""

    kind: str
    path: str
    previous_path: str = ""
    content: bytes | None = None
    mode: str = "100644"
    blob: str = ""


def server_environment() -> dict[str, str]:
    """Return the environment of the server's own git: whoever has started the server may have set up git otherwise."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


KNOWN_MAX: Final = 20_000


class Repository:
    """One bare repository.

    What follows from full shas alone is worked out once: it stays true until objects are thrown away.
    """

    def __init__(self, path: Path, objects: Objects) -> None:
        self.path = path
        self._objects = objects
        self._known: dict[tuple[str, ...], object] = {}

    @classmethod
    def create(cls, path: Path, objects: Objects, default_branch: str) -> Repository:
        """Make an empty repository with the server's hooks."""
        path.mkdir(parents=True)
        repository = cls(path, objects)
        repository.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}", "--template=", str(path))
        with (path / "config").open("a", encoding="utf-8") as config:
            config.write(
                "[http]\n\treceivepack = true\n"
                "[receive]\n\tfsckObjects = true\n\tdenyDeletes = false\n\tautogc = false\n"
                "\tadvertisePushOptions = true\n"
                "\thideRefs = refs/merge-requests\n\thideRefs = refs/pipelines\n\thideRefs = refs/keep-around\n"
                "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n\thideRefs = refs/keep-around\n"
                "[gc]\n\tauto = 0\n[core]\n\tlogAllRefUpdates = false\n\tfsync = none\n",
            )
        for name, text in (("pre-receive", PRE_RECEIVE), ("post-receive", POST_RECEIVE)):
            hook = path / "hooks" / name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(text, encoding="utf-8")
            hook.chmod(0o755)
        return repository

    def delete(self) -> None:
        """Remove the repository from disk."""
        self.forget()
        shutil.rmtree(self.path, ignore_errors=True)

    def forget(self) -> None:
        """Take nothing for granted any more that is known of the repository's objects."""
        self._known.clear()
        self._objects.forget(self.path)

    def _once(self, what: str, shas: Sequence[str], work: Callable[[], T]) -> T:
        """Return what follows from objects, worked out only once where every one of them is named by its full sha."""
        key = (what, *shas)
        if not all(_FULL_SHA.fullmatch(sha) for sha in shas):
            return work()
        if key not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key] = work()
        return cast("T", self._known[key])

    def run(self, *arguments: str, stdin: bytes = b"", ok: Sequence[int] = (0,)) -> bytes:
        """Run git here and return its output.

        Raises GitError when the exit status is not one of `ok`.
        """
        done = self.try_run(*arguments, stdin=stdin)
        if done.returncode not in ok:
            raise GitError(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed")
        return done.stdout

    def try_run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run git here and return whatever came of it."""
        return subprocess.run(
            ["git", "-c", "safe.directory=*", "--no-replace-objects", f"--git-dir={self.path}", *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env=server_environment(),
        )

    # --- refs

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch, tag, ref or (short) sha names."""
        if not revision or revision.startswith("-") or ".." in revision or "\x00" in revision:
            return None
        names = [f"refs/heads/{revision}", f"refs/tags/{revision}", revision]
        for name in names:
            if found := self._objects.info(self.path, f"{name}^{{commit}}"):
                return found.sha
        return None

    def branch(self, name: str) -> str | None:
        """Return the head of a branch."""
        return self.value(f"refs/heads/{name}")

    def value(self, ref: str) -> str | None:
        """Return what a ref, by its whole name, leads to."""
        found = self._objects.info(self.path, ref)
        return found.sha if found else None

    def refs(self, prefix: str) -> dict[str, str]:
        """Return the refs under a prefix, in order, without it."""
        text = self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix).decode(errors="surrogateescape")
        found = (line.split(" ", 1) for line in text.splitlines())
        return {name.removeprefix(prefix): sha for sha, name in found}

    def branches(self) -> dict[str, str]:
        """Return every branch and its head."""
        return self.refs("refs/heads/")

    def branches_with(self, revision: str) -> list[str]:
        """Return the branches that contain a commit; none when it is not here."""
        done = self.try_run("for-each-ref", f"--contains={revision}", "--format=%(refname:strip=2)", "refs/heads/")
        return done.stdout.decode(errors="surrogateescape").splitlines()

    def valid_branch_name(self, name: str) -> bool:
        """Tell whether git would accept the name for a branch."""
        return "\x00" not in name and self.try_run("check-ref-format", "--branch", name).returncode == 0

    def update_ref(self, ref: str, new: str, old: str | None = None) -> None:
        """Move a ref, if it still is where `old` says (all zeros: if it does not exist).

        Raises StaleRefError when it is not.
        """
        command = f"update {ref} {new}" if old is None else f"update {ref} {new} {old}"
        done = self.try_run("update-ref", "--stdin", stdin=command.encode() + b"\n")
        if done.returncode:
            raise StaleRefError(done.stderr.decode(errors="replace").strip())

    def delete_ref(self, ref: str) -> None:
        """Remove a ref."""
        self.run("update-ref", "-d", ref)

    def keep_around(self, *shas: str | None) -> None:
        """Keep commits for ever: with `refs/keep-around/<sha>`, which Gitaly hides from fetches and pushes."""
        wanted = dict.fromkeys(sha for sha in shas if sha and sha != ZERO)
        found = (self._objects.info(self.path, sha) for sha in wanted)
        here = [one.sha for one in found if one and one.kind == "commit"]
        new = [sha for sha in here if self.value(f"refs/keep-around/{sha}") is None]
        if new:
            lines = "".join(f"update refs/keep-around/{sha} {sha}\n" for sha in new)
            self.run("update-ref", "--stdin", stdin=lines.encode())

    def prune(self) -> None:
        """Throw away every object that no ref leads to, as GitLab's housekeeping does after some days."""
        self.run("repack", "-a", "-d", "--quiet")
        self.run("prune", "--expire=now")
        self.forget()

    # --- history

    def log(self, *arguments: str, paths: Sequence[str] = ()) -> list[Commit]:
        """Return the commits that `git log` selects."""
        tail = ["--", *paths] if paths else ["--"]
        raw = self.run("log", "--no-show-signature", f"--format={_LOG_FORMAT}", *arguments, *tail)
        fields = raw.decode(errors="replace").split("\0")
        size = len(_FIELDS)
        return [_commit(fields[first : first + size]) for first in range(0, len(fields) - 1, size)]

    def commit(self, revision: str) -> Commit | None:
        """Return one commit."""
        sha = self.resolve(revision)
        return self._once("commit", [sha], lambda: self.log("-1", sha)[0]) if sha else None

    def count(self, *arguments: str) -> int:
        """Return how many commits `git rev-list` selects."""
        return int(self.run("rev-list", "--count", *arguments, "--"))

    def merge_base(self, *revisions: str) -> str | None:
        """Return the best common ancestor."""

        def work() -> str:
            return self.run("merge-base", *revisions).decode().strip()

        try:
            return self._once("merge-base", revisions, work)
        except GitError:  # there is none, or a commit is not here: either may change
            return None

    def is_ancestor(self, old: str, new: str) -> bool:
        """Tell whether `new` contains `old`."""

        def work() -> bool:
            self.run("merge-base", "--is-ancestor", old, new)
            return True

        try:
            return self._once("is-ancestor", [old, new], work)
        except GitError:  # it is not, or a commit is not here, which may change
            return False

    def shortstat(self, base: str, head: str) -> tuple[int, int]:
        """Return the lines added and removed between two trees."""
        text = self._once("shortstat", [base, head], lambda: self.run("diff", "--shortstat", base, head)).decode()
        added = re.search(r"(\d+) insertion", text)
        removed = re.search(r"(\d+) deletion", text)
        return int(added[1]) if added else 0, int(removed[1]) if removed else 0

    def count_changed(self, base: str, head: str) -> int:
        """Return how many files differ, or some large number where that is more than git can list in 128 MiB."""

        def work() -> int:
            command = ["git", f"--git-dir={self.path}", "diff-tree", "-r", "-M", "--name-only", "-z", base, head]
            # The shell sets the limit: Python would have to copy this whole process first.
            done = subprocess.run(
                ["sh", "-c", 'ulimit -d 131072 && exec "$@"', "sh", *command],
                capture_output=True,
                check=True,
                env=server_environment(),
            )
            return done.stdout.count(b"\0")

        try:
            return self._once("count-changed", [base, head], work)
        except subprocess.CalledProcessError:
            return sys.maxsize

    def diff(self, base: str, head: str) -> list[FileDiff]:
        """Return the difference of two trees, file by file."""
        raw = self.run("diff", "--raw", "-z", "-p", "-M", "--full-index", "--no-color", "--no-ext-diff", base, head)
        names, patches = _split_raw(raw)
        remaining = iter(patches)
        found = []
        for fields, paths in names:
            patch = next(remaining, b"")
            if fields[4] == "T":  # a file that becomes a link, or the reverse, is shown as a removal and an addition
                patch += next(remaining, b"")
            found.append(_file_diff(fields, paths, patch))
        return found

    def empty_tree(self) -> str:
        """Return the id of the tree without entries, writing it first."""
        return self.run("mktree").decode().strip()

    # --- trees and blobs

    def tree(self, revision: str, path: str = "", *, recursive: bool = False) -> list[TreeEntry]:
        """Return the entries below a folder; none when there is no such folder."""
        arguments = ["ls-tree", "-z", "-l", "--full-tree"]
        if recursive:
            arguments += ["-r", "-t"]
        prefix = path.strip("/")
        done = self.try_run(*arguments, f"{revision}:{prefix}" if prefix else revision)
        if done.returncode:
            return []
        entries = [_tree_entry(line, f"{prefix}/" if prefix else "") for line in done.stdout.split(b"\0") if line]
        return [entry for entry in entries if entry.path != prefix]

    def entry(self, revision: str, path: str) -> TreeEntry | None:
        """Return one file's or folder's own line."""
        clean = path.strip("/")
        if not clean or "\x00" in clean:
            return None
        raw = self.try_run("--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", revision, clean).stdout
        found = [_tree_entry(line, "") for line in raw.split(b"\0") if line]
        return next((entry for entry in found if entry.path == clean), None)

    def blob(self, sha: str) -> bytes:
        """Return a blob's bytes."""
        found = self._objects.contents(self.path, sha)
        if found is None or found.kind != "blob":
            raise GitError(f"{sha} is not a blob")
        return found.content

    # --- writing

    def commit_changes(
        self,
        changes: Iterable[Change],
        *,
        parent: str | None,
        message: str,
        author: Person,
        committer: Person,
    ) -> str:
        """Write one commit and return its sha; no branch moves.

        Raises GitError when git finds a step impossible.
        """
        ref = f"refs/pipelines/tmp-{uuid.uuid4().hex}"
        moment = int(datetime.now(tz=UTC).timestamp())
        lines: list[bytes] = [
            b"feature done\n",
            f"commit {ref}\nmark :1\n".encode(),
            f"author {_ident(author)} {moment} +0000\ncommitter {_ident(committer)} {moment} +0000\n".encode(),
            _data(message.encode()),
        ]
        if parent:
            lines.append(f"from {parent}\n".encode())
        for change in changes:
            lines += _instructions(change)
        lines.append(f"\nget-mark :1\nreset {ref}\nfrom {ZERO}\n\ndone\n".encode())  # the ref is gone before it is made
        done = self.run("fast-import", "--quiet", "--force", "--date-format=raw-permissive", stdin=b"".join(lines))
        return done.decode().strip()

    def commit_tree(self, tree: str, parents: Sequence[str], message: str, author: Person) -> str:
        """Write one commit of a tree that exists and return its sha."""
        arguments = [argument for parent in parents for argument in ("-p", parent)]
        environment = (f"user.name={author.name}", f"user.email={author.email}")
        options = [option for setting in environment for option in ("-c", setting)]
        return self.run(*options, "commit-tree", tree, *arguments, "-F", "-", stdin=message.encode()).decode().strip()

    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """Merge two commits without touching any branch; return the tree, or None when they conflict."""

        def work() -> str | None:
            done = self.try_run("merge-tree", "--write-tree", "--allow-unrelated-histories", ours, theirs)
            if done.returncode > 1:
                raise GitError(done.stderr.decode(errors="replace"))
            return None if done.returncode else done.stdout.decode().split("\n", 1)[0].strip()

        return self._once("merge-tree", [ours, theirs], work)

    def tree_of(self, revision: str) -> str:
        """Return the id of a commit's tree."""
        found = self._objects.info(self.path, f"{revision}^{{tree}}")
        if found is None:
            raise GitError(f"{revision} has no tree")
        return found.sha

    def fetch(self, source: Path, revision: str, ref: str) -> None:
        """Copy a commit and its history from a repository on disk to a ref here.

        A folder that is no repository, such as an unpacked release, becomes one commit.
        """
        if not any((source / mark).exists() for mark in (".git", "HEAD")):
            self._import(source, ref)
            return
        sha = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", str(source), "rev-parse", "--verify", f"{revision}^{{commit}}"],
            capture_output=True,
            check=True,
            text=True,
            env=server_environment(),
        ).stdout.strip()
        self.run("-c", "fetch.fsckObjects=false", "fetch", "--quiet", "--no-tags", str(source), f"+{sha}:{ref}")

    def _import(self, folder: Path, ref: str) -> None:
        """Commit the files of a folder, but for those that its .gitignore names."""
        identity = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _IMPORTER}
        with tempfile.TemporaryDirectory() as own:
            environment = {**os.environ, **identity, "GIT_INDEX_FILE": f"{own}/index"}
            git = [
                "git",
                "-c",
                "core.autocrlf=false",
                f"--git-dir={self.path.absolute()}",
                f"--work-tree={folder.absolute()}",
            ]

            def run(*arguments: str) -> str:
                done = subprocess.run(
                    [*git, *arguments], cwd=folder, env=environment, capture_output=True, check=True, text=True
                )
                return done.stdout.strip()

            run("add", "--all", ".")
            commit = run("commit-tree", "-m", f"Import {folder.absolute().name}", run("write-tree"))
        self.run("update-ref", ref, commit)


_IMPORTER: Final = (("NAME", "Importer"), ("EMAIL", "importer@example.org"))


def _commit(fields: Sequence[str]) -> Commit:
    sha, parents, an, ae, ad, cn, ce, cd, message = fields
    return Commit(
        sha=sha.lstrip("\n"),
        parents=tuple(parents.split()),
        author=Person(name=an, email=ae),
        authored_at=_moment(ad),
        committer=Person(name=cn, email=ce),
        committed_at=_moment(cd),
        message=message,
    )


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # whoever makes a commit may date it beyond the year 9999
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="milliseconds")


def _tree_entry(line: bytes, prefix: str) -> TreeEntry:
    facts, _, path = line.decode(errors="replace").partition("\t")
    mode, kind, sha, size = facts.split()
    return TreeEntry(mode=mode, kind=kind, sha=sha, size=0 if size == "-" else int(size), path=prefix + path)


def _split_raw(raw: bytes) -> tuple[list[tuple[list[str], list[str]]], list[bytes]]:
    """Take the output of `git diff --raw -z -p` apart: its list of names, and one patch per name."""
    names: list[tuple[list[str], list[str]]] = []
    rest = raw
    while rest.startswith(b":"):
        facts, first, rest = rest.split(b"\0", 2)
        fields = facts[1:].decode().split()
        paths = [first.decode(errors="replace")]
        if fields[4][0] in "RC":
            second, rest = rest.split(b"\0", 1)
            paths.append(second.decode(errors="replace"))
        names.append((fields, paths))
    rest = rest.lstrip(b"\0")
    starts = [match.start() for match in _DIFF_START.finditer(rest)]
    patches = [rest[start:end] for start, end in zip(starts, [*starts[1:], len(rest)], strict=False)]
    return names, patches


def _file_diff(fields: list[str], paths: list[str], patch: bytes) -> FileDiff:
    body = re.search(rb"^(@@ |Binary files )", patch, re.MULTILINE)
    return FileDiff(
        old_path=paths[0],
        new_path=paths[-1],
        old_mode=fields[0],
        new_mode=fields[1],
        status=fields[4][0],
        text=patch[body.start() :].decode(errors="replace") if body else "",
    )


def _ident(person: Person) -> str:
    return f"{_clean(person.name) or 'unknown'} <{_clean(person.email)}>"


def _clean(text: str) -> str:
    return re.sub(r"[<>\n\0]", "", text).strip()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    escaped = path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def _instructions(change: Change) -> list[bytes]:
    path = _quoted(change.path)
    if change.kind == "delete":
        return [b"D " + path + b"\n"]
    steps = [b"R " + _quoted(change.previous_path) + b" " + path + b"\n"] if change.kind == "move" else []
    if change.content is not None:
        steps += [b"M " + change.mode.encode() + b" inline " + path + b"\n", _data(change.content)]
    elif change.blob:
        steps.append(b"M " + change.mode.encode() + b" " + change.blob.encode() + b" " + path + b"\n")
    return steps
