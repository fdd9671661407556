"""The only module that runs ssh-keygen: whether a commit's signature is good, and its key may speak for the origin.

git's own verification takes the committer's date, which anybody writes as they like, for the moment at which a key must
be valid. Here it is the moment of the push, which GitLab has seen.
"""

import datetime as dt
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, TypeAlias

from compose_repo.core.branch.signing import NAMESPACE, SignatureError, Signed, allowed_signers, key_refusal, take_apart
from compose_repo.core.names import Origin, Sha
from compose_repo.core.problems.problem import UsageError
from compose_repo.core.rules.policy import OriginEntry
from compose_repo.ports.clock import REAL, Clock
from compose_repo.ports.environment import child_variables

Trace: TypeAlias = Callable[[str], None]
"""Told of each command, and how long it took."""

TIMEOUT: Final = 20.0
"""Seconds that one verification may take; a thousandth of it is usual."""
PROGRAM: Final = "ssh-keygen"

_REFUSED: Final = 255
"""ssh-keygen's exit code for a signature that is not good, and for much else."""
_INAPT: Final = ("Invalid option", 'Invalid "verify-time"', "Unable to open", "Unsupported operation", "usage:")
"""How its complaints begin that are not about the signature."""


def _silent(_line: str) -> None:
    """Tell nobody."""


class Signatures:
    """Verifies the commits of one pass, each at most once for an origin.

    Use it as a context manager: it keeps the allowed keys and the signature in question in a folder of its own.
    """

    def __init__(
        self, trace: Trace = _silent, clock: Clock = REAL, program: str = PROGRAM, timeout: float = TIMEOUT
    ) -> None:
        self._trace = trace
        self._clock = clock
        self._program = program
        self._timeout = timeout
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._allowed: dict[Origin, Path] = {}
        self._known: dict[tuple[Sha, Origin], str | None] = {}

    def __enter__(self) -> Self:
        """Begin a pass."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the folder away."""
        self.close()

    def close(self) -> None:
        """Take the folder away, if there is one."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
            self._allowed.clear()

    def refusal(self, sha: Sha, commit: bytes, entry: OriginEntry, at: dt.datetime) -> str | None:
        """Say what is wrong with a commit's signature in an origin's name, or give None if it is good.

        `commit` is the commit object as git has it, `at` the moment of the push that brought it. Asked again about the
        same commit and origin, the answer is the same: a commit is brought once.

        Raises:
            UsageError: ssh-keygen is not there, too old, or does not answer.

        """
        asked = sha, entry.origin
        if asked not in self._known:
            self._known[asked] = self._look(commit, entry, at)
        return self._known[asked]

    def _look(self, commit: bytes, entry: OriginEntry, at: dt.datetime) -> str | None:
        """Ask ssh-keygen only where everything else is in order."""
        try:
            signed = take_apart(commit)
        except SignatureError as error:
            return str(error)
        refused = key_refusal(entry, signed.key, at)
        if refused is not None:
            return refused
        if self._verify(signed, entry, at):
            return None
        return "its signature does not fit the commit: one of the two was changed, or the signature is another commit's"

    def _verify(self, signed: Signed, entry: OriginEntry, at: dt.datetime) -> bool:
        allowed = self._allowed_of(entry)
        signature = allowed.with_name("signature")
        signature.write_bytes(signed.signature)
        arguments = [
            "-Y", "verify",
            "-n", NAMESPACE,
            "-I", entry.origin,
            "-f", str(allowed),
            "-s", str(signature),
            "-O", f"verify-time={at.astimezone(dt.UTC):%Y%m%d%H%M%S}",
        ]  # fmt: skip
        done = self._run(arguments, signed.payload)
        if done.returncode == 0:
            return True
        said = done.stderr.decode("utf-8", "replace")
        lines = [line for line in said.splitlines() if line.strip()]
        if done.returncode != _REFUSED or any(line.startswith(_INAPT) for line in lines):
            why = lines[0] if lines else f"exit code {done.returncode}"
            raise UsageError(f"{self._program} cannot verify signatures ({why}); install OpenSSH 8.8 or later")
        return False

    def _allowed_of(self, entry: OriginEntry) -> Path:
        """Give the file of an origin's keys; the first time it is written. Its name says nothing that is not ours."""
        if entry.origin not in self._allowed:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="compose-repo-")
            path = Path(self._folder.name, f"allowed-{len(self._allowed)}")
            path.write_text(allowed_signers(entry), encoding="ascii")
            self._allowed[entry.origin] = path
        return self._allowed[entry.origin]

    def _run(self, arguments: list[str], payload: bytes) -> "subprocess.CompletedProcess[bytes]":
        started = self._clock.monotonic()
        try:
            return subprocess.run(
                [self._program, *arguments],
                input=payload,
                capture_output=True,
                timeout=self._timeout,
                check=False,
                env=child_variables(LC_ALL="C", TZ="UTC"),
            )
        except FileNotFoundError as error:
            raise UsageError(
                f"{self._program} is not installed, but gate/origins.toml asks for signatures; install OpenSSH's "
                "client (package openssh-clients or openssh-client)"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{self._program} took longer than {self._timeout:g} seconds; try again") from error
        finally:
            self._trace(f"{self._program} -Y verify ({(self._clock.monotonic() - started) * 1000:.0f} ms)")
