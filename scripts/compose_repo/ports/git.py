"""The only module that runs git. Nothing is checked out and nothing from a branch is run: commits are read as data."""

import base64
import datetime as dt
import re
import subprocess
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import IO, Final, TypeAlias, cast

from compose_repo.core.names import Sha
from compose_repo.core.problem import UsageError
from compose_repo.ports.environment import child_variables
from compose_repo.ports.tree import Entry

Trace: TypeAlias = Callable[[str], None]
"""Told of each command, and how long it took."""

TIMEOUT: Final = 60.0
"""Seconds that a local command may take."""
NETWORK_TIMEOUT: Final = 600.0
"""Seconds that a fetch may take."""
REGULAR: Final = "100644"
"""The mode of a plain file; links, executables and submodules have others."""

_BROKEN: Final = "BAD"
"""What ls-tree gives for the size of an object that is not there."""
_WAITS: Final = (0.5, 1.0, 2.0)
"""Seconds to wait after each failed fetch but the last."""
_PASSES: Final = re.compile(
    r"returned error: (?:429|5\d\d)|cannot lock ref|early EOF|hung up|Connection reset|Empty reply|timed out|RPC failed"
)
"""What git says of failures that may be gone soon; a run beside ours may hold the lock of a ref."""

_SETTINGS: Final = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.quotePath=false",
    "-c", "color.ui=false",
    "-c", "log.showSignature=false",
    "-c", "log.follow=false",
    "-c", "core.filesRefLockTimeout=5000",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip
_VARIABLES: Final = {
    "LC_ALL": "C",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
}


class GitError(UsageError):
    """A git command that failed; the message says which and why."""


def _silent(_line: str) -> None:
    """Tell nobody."""


class Repository:
    """A git repository, bare or not, read through plumbing that the user's configuration does not bend."""

    def __init__(self, path: Path, trace: Trace = _silent) -> None:
        self.path = path
        self.trace = trace

    def run(self, *arguments: str, timeout: float = TIMEOUT, variables: Mapping[str, str] | None = None) -> bytes:
        """Run one command and give its output.

        Raises:
            GitError: git is not there, took too long, or failed.

        """
        shown = "git " + " ".join(arguments)
        started = time.monotonic()
        try:
            done = subprocess.run(
                self._command(arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
                env=child_variables(**_VARIABLES, **(variables or {})),
            )
        except FileNotFoundError as error:
            raise GitError("git is not installed, or not on the PATH; install it") from error
        except subprocess.TimeoutExpired as error:
            raise GitError(f"`{shown}` took longer than {timeout:g} seconds in {self.path}; try again") from error
        finally:
            self.trace(f"{shown} ({(time.monotonic() - started) * 1000:.0f} ms)")
        if done.returncode != 0:
            said = _last_line(done.stderr) or f"exit code {done.returncode}"
            raise GitError(f"`{shown}` failed in {self.path}: {said}")
        return done.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command that answers questions on its standard input."""
        self.trace("git " + " ".join(arguments))
        return subprocess.Popen(
            self._command(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_variables(**_VARIABLES),
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return ["git", "--no-pager", "-C", str(self.path), *_SETTINGS, *arguments]

    def commit(self, revision: str) -> Sha:
        """Resolve a revision to its commit.

        Raises:
            GitError: there is no such commit.

        """
        found = self.find(revision)
        if found is None:
            raise GitError(f"{self.path} has no commit {revision!r}; fetch it, or name one that is there")
        return found

    def find(self, revision: str) -> Sha | None:
        """Resolve a revision to its commit, or give None if there is no such commit.

        Raises:
            GitError: this is no git repository.

        """
        try:
            out = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitError:
            self.run("rev-parse", "--git-dir")
            return None
        return Sha(out.decode("ascii").strip())

    def fetch(self, url: str, refspecs: Sequence[str], *, token: str | None = None) -> None:
        """Fetch objects and the refs named; nothing else of the repository changes.

        The token travels in the environment: no other user of the machine sees it, and it is in no URL or message. It
        is not sent on to another host, since redirects are not followed.

        Raises:
            GitError: the server cannot be reached or refuses, or a ref is not there.

        """
        command = (
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force",
            "--end-of-options", url, *refspecs,
        )  # fmt: skip
        variables = {} if token is None else _authorization(token)
        for wait in _WAITS:
            try:
                self.run(*command, timeout=NETWORK_TIMEOUT, variables=variables)
            except GitError as error:
                if not _PASSES.search(str(error)):
                    raise
                time.sleep(wait)
            else:
                return
        self.run(*command, timeout=NETWORK_TIMEOUT, variables=variables)

    def commit_time(self, path: str, revision: str) -> dt.datetime | None:
        """Give the time of the latest commit that added a path.

        None if its history does not reach that far back, and if the commit's time is none that there can be: whoever
        makes a commit writes what they like.
        """
        head = self.commit(revision)
        out = self.run(
            "log", "-1", "--no-color", "--no-renames", "--diff-filter=A", "--format=%ct %P", head, "--", path
        ).decode("ascii")
        if not out.strip():
            return None
        seconds, _, parents = out.partition(" ")
        if not parents.strip() and self.run("rev-parse", "--is-shallow-repository").strip() == b"true":
            return None
        try:
            return dt.datetime.fromtimestamp(int(seconds), dt.UTC)
        except (OSError, OverflowError, ValueError):
            return None

    def commits_touching(self, path: str, base: str, revision: str) -> list[Sha]:
        """Give the commits that a revision has and a base has not, and that change a path; merges are left out."""
        span = [self.commit(revision), f"^{self.commit(base)}"]
        out = self.run("rev-list", "--full-history", "--no-merges", *span, "--", path)
        return [Sha(line) for line in out.decode("ascii").split()]

    def changed_paths(self, base: str, revision: str = "HEAD") -> list[str]:
        """Give the paths that a revision has changed, added or removed since it left a base, sorted."""
        head = self.commit(revision)
        try:
            fork = self.run("merge-base", self.commit(base), head).decode("ascii").strip()
        except GitError as error:
            message = f"{self.path} has no commit that {revision} and {base} come from; fetch more of their history"
            raise GitError(message) from error
        out = self.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id", fork, head)
        return sorted(_text(path) for path in out.split(b"\0") if path)


class GitTree:
    """The tree of one commit: sizes are known before anything is read, and only plain files are."""

    def __init__(self, repository: Repository, revision: str) -> None:
        self.repository = repository
        self.commit = repository.commit(revision)
        self._files: dict[str, tuple[str, Entry]] = {}
        self._batch: subprocess.Popen[bytes] | None = None

    def list(self, folder: str) -> Sequence[Entry]:
        """Give every file below a folder, sorted by path; an absent folder is empty."""
        where = ["--", f"{folder.rstrip('/')}/"] if folder.strip("/") else []
        return sorted(self._list("-rzl", where), key=attrgetter("path"))

    def folders(self, folder: str) -> Sequence[str]:
        """Give the names of a folder's own sub-folders, sorted; an absent folder is empty."""
        where = ["--", f"{folder.rstrip('/')}/"] if folder.strip("/") else []
        out = self.repository.run("ls-tree", "-dz", "--name-only", "--full-tree", self.commit, *where)
        return sorted(_text(path).rpartition("/")[2] for path in out.split(b"\0") if path)

    def read(self, path: str) -> bytes | None:
        """Give a file's bytes, or None if there is no such regular file."""
        if path not in self._files:
            self._list("-zl", ["--", path])
        found = self._files.get(path)
        if found is None or not found[1].regular:
            return None
        return self._blob(found[0])

    def _list(self, flags: str, where: Sequence[str]) -> Sequence[Entry]:
        out = self.repository.run("ls-tree", flags, "--full-tree", self.commit, *where)
        entries = []
        for line in out.split(b"\0")[:-1]:
            about, _, raw = line.partition(b"\t")
            mode, kind, name, size = about.decode("ascii").split()
            if kind == "tree":
                continue
            if size == _BROKEN:
                raise _damaged(self.repository.path, name)
            entry = Entry(path=_text(raw), size=0 if size == "-" else int(size), regular=mode == REGULAR)
            self._files[entry.path] = (name, entry)
            entries.append(entry)
        return entries

    def _blob(self, name: str) -> bytes:
        if self._batch is None:
            self._batch = self.repository.start("cat-file", "--batch")
            weakref.finalize(self, _stop, self._batch)
        asked, answered = cast("IO[bytes]", self._batch.stdin), cast("IO[bytes]", self._batch.stdout)
        asked.write(f"{name}\n".encode("ascii"))
        asked.flush()
        header = answered.readline().split()
        if len(header) != 3:  # noqa: PLR2004  # name, type, size
            raise _damaged(self.repository.path, name)
        content = answered.read(int(header[2]))
        answered.read(1)
        return content


def _damaged(path: Path, name: str) -> GitError:
    return GitError(f"git has no object {name} in {path}; the repository is damaged or partial")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Close its input, at which cat-file ends."""
    with process:
        pass


def _authorization(token: str) -> dict[str, str]:
    basic = base64.b64encode(f"oauth2:{token}".encode()).decode("ascii")
    return {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
        "GIT_CONFIG_KEY_1": "http.followRedirects",
        "GIT_CONFIG_VALUE_1": "false",
        "GIT_CONFIG_KEY_2": "credential.helper",
        "GIT_CONFIG_VALUE_2": "",
    }


def _last_line(raw: bytes) -> str:
    lines = raw.decode("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    fatal = [line for line in said if line.startswith(("fatal:", "error:"))]
    return (fatal or said or [""])[-1]


def _text(path: bytes) -> str:
    """Decode a path; bytes that are no UTF-8 become lone surrogates, so that checks can refuse them by name."""
    return path.decode("utf-8", "surrogateescape")
