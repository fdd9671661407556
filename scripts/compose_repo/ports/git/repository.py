"""The only package that runs git. Nothing is checked out and nothing from a branch is run: commits are read as data."""

import base64
import datetime as dt
import math
import os
import re
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, TypeAlias, cast
from urllib.parse import urlsplit

from compose_repo.core.names import Sha
from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.clock import REAL, Clock
from compose_repo.ports.environment import child_variables, timeout
from compose_repo.ports.retry import Backoff, Retry

Trace: TypeAlias = Callable[[str], None]
"""Told of each command, and how long it took."""

TIMEOUT: Final = 60.0
"""Seconds that a local command may take."""
MEMORY: Final = 256 * 1024 * 1024
"""Most bytes that a command whose output is bounded may gather before it says anything."""
NETWORK_TIMEOUT: Final = 600.0
"""Seconds that a fetch may take; it may be silent for much less."""
_OUT_OF_MEMORY: Final = re.compile("out of memory|memory exhausted|cannot allocate", re.IGNORECASE)
_BACKOFF: Final = Backoff(first=0.5, tries=4)
"""How a command is repeated that talks to a server."""
_STAYS: Final = re.compile(
    r"returned error: (?:3|4(?!29))|Authentication failed|could not read (?:Username|Password)|not found|not our ref"
    r"|couldn't find remote ref|rejected\]|SSL|certificate|redirect|took longer than|not installed|No space left"
    r"|File too large|not a git repository"
)
"""What git says of failures that another try does not fix. For the others, such as a line that broke, it has too many
words to list: they differ by the moment and by git's version."""

_ABSENT: Final = re.compile(
    "promisor|lazy fetch|missing|unable to read|unable to parse|could not get object|bad object"
)
"""What git says where an object is not there."""
_PROMISED: Final = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
_PARTIAL: Final = (
    "{path} is a partial clone, and an object that is needed is not in it; nothing is fetched on the way, so run: "
    "git fetch --refetch --no-filter origin (git 2.36 or later; or clone it again without --filter)"
)

_LISTED: Final = re.compile(rb"(?P<sha>[0-9a-f]{40}|[0-9a-f]{64})\t(?P<name>.+)")
"""A line of ls-remote."""

_SETTINGS: Final = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.quotePath=false",
    "-c", "color.ui=false",
    "-c", "log.showSignature=false",
    "-c", "log.follow=false",
    "-c", "core.filesRefLockTimeout=5000",
    "-c", "safe.bareRepository=all",
    "-c", "i18n.commitEncoding=UTF-8",
    "-c", "i18n.logOutputEncoding=UTF-8",
    "-c", "push.gpgSign=false",
    "-c", "push.pushOption=",
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


class PartialCloneError(GitError):
    """A clone was made without all objects (`--filter`), and one that is needed is not there."""


def moment(seconds: str | int) -> dt.datetime | None:
    """Read a commit's time; one that no calendar has is not known: a commit's date is whatever its author wrote."""
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.UTC)
    except (OSError, OverflowError, ValueError):
        return None


def _bound_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def _silent(_line: str) -> None:
    """Tell nobody."""


class Repository:
    """A git repository, bare or not, read through plumbing that the user's configuration does not bend."""

    def __init__(self, path: Path, trace: Trace = _silent, clock: Clock = REAL) -> None:
        self.path = path
        self.trace = trace
        self._clock = clock
        self._seen: set[str] = set()

    def run(
        self,
        *arguments: str,
        given: bytes = b"",
        timeout: float = TIMEOUT,
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run one command, with what is `given` to it as its input, and give its output.

        Raises:
            GitError: git is not there, took too long, or failed.

        """
        shown = "git " + " ".join(arguments)
        started = self._clock.monotonic()
        try:
            done = subprocess.run(
                self._command(arguments),
                input=given,
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
            self.trace(f"{shown} ({(self._clock.monotonic() - started) * 1000:.0f} ms)")
        if done.returncode != 0:
            raise self._failure(shown, _last_line(done.stderr) or f"exit code {done.returncode}")
        return done.stdout

    def _failure(self, shown: str, why: str) -> GitError:
        """Say what has failed; git itself names no way out of a clone from which objects are missing."""
        if _ABSENT.search(why) and self.is_partial():
            return PartialCloneError(_PARTIAL.format(path=self.path))
        return GitError(f"`{shown}` failed in {self.path}: {why}")

    def damaged(self, name: str) -> GitError:
        """Say that an object is missing."""
        if self.is_partial():
            return PartialCloneError(_PARTIAL.format(path=self.path))
        return GitError(f"git has no object {name} in {self.path}; the repository is damaged: clone it anew")

    def is_partial(self) -> bool:
        """Tell whether this is a partial clone: git fetches the objects that it left out only when it is asked to."""
        done = subprocess.run(
            self._command(["config", "--name-only", "--get-regexp", _PROMISED]),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            env=child_variables(**_VARIABLES),
        )
        return bool(done.stdout.strip())

    def run_at_most(self, most: int, *arguments: str) -> bytes | None:
        """Run one command and give its output, or None where that has more bytes than `most` or git needs more memory.

        A folder may hold another many times over, and that one a third: then a handful of objects are more paths than
        anybody can list, and git gathers them all before it says the first.

        Raises:
            GitError: git has failed.

        """
        self.trace("git " + " ".join(arguments))
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                self._command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                env=child_variables(**_VARIABLES),
                preexec_fn=_bound_memory,  # noqa: PLW1509  # it calls nothing that could hold a lock
            )
            with process:
                out = cast("IO[bytes]", process.stdout).read(most + 1)
                if len(out) > most:
                    process.kill()
                    return None
            if process.returncode == 0:
                return out
            said.seek(0)
            why = _last_line(said.read())
        if _OUT_OF_MEMORY.search(why):
            return None
        raise self._failure(f"git {' '.join(arguments)}", why or f"exit code {process.returncode}")

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
        found = Sha(revision) if revision in self._seen else self.find(revision)
        if found is None:
            raise GitError(f"{self.path} has no commit {revision!r}; fetch it, or name one that exists")
        self._seen.add(found)
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
        self._travel(
            url, token, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force",
            "--end-of-options", url, *refspecs,
        )  # fmt: skip

    def remote_refs(
        self, url: str, names: Sequence[str], *, below: Sequence[str] = (), token: str | None = None
    ) -> dict[str, Sha]:
        """Give those of some refs that the server has, and their objects, and every ref `below` some beginnings.

        The token travels as in `fetch`.

        Raises:
            GitError: the server cannot be reached or refuses.

        """
        patterns = [f"{beginning}*" for beginning in below]
        out = self._travel(url, token, "ls-remote", "--quiet", "--end-of-options", url, *names, *patterns)
        rows = filter(None, map(_LISTED.fullmatch, out.split(b"\n")))  # a server may send any name
        found = {path_text(row["name"]): Sha(row["sha"].decode("ascii")) for row in rows}
        wanted = {name for name in found if name.startswith(tuple(below)) and not name.endswith("^{}")}
        return {name: found[name] for name in found if name in wanted.union(names)}  # names are patterns to git

    def send(self, url: str, refspec: str, *, token: str | None = None, options: Sequence[str] = ()) -> None:
        """Push one ref, never by force; the token travels as in `fetch`. `options` are GitLab's push options.

        Raises:
            GitError: the server cannot be reached or refuses.

        """
        self._travel(
            url,
            token,
            "push",
            "--quiet",
            "--no-verify",
            "--no-recurse-submodules",
            "--no-follow-tags",
            *(f"--push-option={option}" for option in options),
            url,
            refspec,
        )

    def _travel(self, url: str, token: str | None, *command: str) -> bytes:
        """Run a command that talks to a server and give its output; what fails for a moment is tried again."""
        silence = f"{max(1, math.ceil(timeout()))}"
        told = {"http.lowSpeedLimit": "1", "http.lowSpeedTime": silence}
        variables = _configuration(told if token is None else {**told, **_authorization(url, token)})
        retry = Retry(_BACKOFF, self._clock)
        while True:
            try:
                return self.run(*command, timeout=NETWORK_TIMEOUT, variables=variables)
            except GitError as error:
                if _STAYS.search(str(error).rpartition("` ")[2]) or not retry.again():
                    raise

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
        return moment(seconds)

    def date(self, commit: Sha) -> dt.datetime | None:
        """Give the date that a commit's committer has written into it; None if it is not a possible date."""
        return moment(self.run("log", "-1", "--no-color", "--format=%ct", commit, "--").decode("ascii"))

    def commits_touching(self, path: str, base: str, revision: str) -> list[Sha]:
        """Give the commits that a revision has and a base has not, and that change a path; merges are left out."""
        span = [self.commit(revision), f"^{self.commit(base)}"]
        out = self.run("rev-list", "--full-history", "--no-merges", *span, "--", path)
        return [Sha(line) for line in out.decode("ascii").split()]

    def changed_paths(self, base: str, revision: str = "HEAD") -> list[str]:
        """Give the paths that a revision has changed, added or removed since it left a base, sorted."""
        fork, head = self.fork(base, revision), self.commit(revision)
        out = self.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id", fork, head)
        return sorted(path_text(path) for path in out.split(b"\0") if path)

    def fork(self, base: str, revision: str) -> Sha:
        """Give the commit at which a revision has left a base.

        Raises:
            GitError: they have none in common.

        """
        head = self.commit(revision)
        try:
            return Sha(self.run("merge-base", self.commit(base), head).decode("ascii").strip())
        except GitError as error:
            message = f"{self.path} has no commit that {revision} and {base} come from; fetch more of their history"
            raise GitError(message) from error


@contextmanager
def scratch(beside: Path, trace: Trace = _silent, clock: Clock = REAL) -> Iterator[Repository]:
    """Give a bare repository for one pass. What a checkout beside it has already need not be fetched again.

    Nothing in it is anybody's: no ref, hook, setting or working tree of the checkout is looked at or touched.
    """
    with tempfile.TemporaryDirectory(prefix="compose-repo-", ignore_cleanup_errors=True) as folder:
        repository = Repository(Path(folder), trace, clock)
        repository.run("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
        objects = _objects(Repository(beside, trace, clock))
        if objects is not None:
            Path(folder, "objects/info").mkdir(parents=True, exist_ok=True)
            Path(folder, "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
        yield repository


def _objects(repository: Repository) -> Path | None:
    """Give the folder of a repository's objects; None if there is none, or a part of them is missing."""
    try:
        shallow = repository.run("rev-parse", "--is-shallow-repository").strip() == b"true"
        folder = repository.run("rev-parse", "--path-format=absolute", "--git-path", "objects")
    except GitError:
        return None
    return None if shallow or repository.is_partial() or b"\n" in folder.strip() else Path(os.fsdecode(folder.strip()))


def _authorization(url: str, token: str) -> dict[str, str]:
    """Give the token to the host of an address alone, wherever else the user's configuration leads git."""
    basic = base64.b64encode(f"oauth2:{token}".encode()).decode("ascii")
    parts = urlsplit(url)
    return {
        f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Basic {basic}",
        "http.followRedirects": "false",
        "credential.helper": "",
    }


def _configuration(settings: Mapping[str, str]) -> dict[str, str]:
    """Give settings to git through the environment: nobody else on the machine sees them."""
    return {
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())},
    }


def _last_line(raw: bytes) -> str:
    lines = raw.decode("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    fatal = [line for line in said if line.startswith(("fatal:", "error:"))]
    rejected = [line for line in said if "rejected]" in line]
    return (rejected or fatal or said or [""])[-1]


def path_text(path: bytes) -> str:
    """Decode a path; bytes that are no UTF-8 become lone surrogates, so that checks can refuse them by name."""
    return path.decode("utf-8", "surrogateescape")
