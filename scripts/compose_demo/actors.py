"""Those who act in the demo: each runs real commands, in a process of its own, with its own token."""

import base64
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 600
"""How long one command of the demo may take before the demo gives it up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What a command came to."""

    argv: Sequence[str]
    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401  # a JSON value
        """Read what it printed as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Somebody with an account on the GitLab and a folder of their own."""

    username: str
    name: str
    token: str = field(repr=False)
    folder: Path
    gitlab: str
    project: str
    more: dict[str, str] = field(default_factory=dict, repr=False)
    """Further variables that the actor's commands see."""
    busy: Callable[[str], AbstractContextManager[object]] = nullcontext
    """Told of each command while it runs."""

    def compose_repo(self, *argv: str) -> Ran:
        """Run `compose-repo` in the actor's folder."""
        command = [sys.executable, "-m", "compose_repo", *argv]
        package = str(Path(__file__).resolve().parents[2])
        return self._run(command, {"PYTHONPATH": package}, shown=["compose-repo", *argv])

    def git(self, *argv: str, cwd: Path | None = None) -> Ran:
        """Run git as the actor; the token travels in a header, not in an address that a log would show."""
        return self._run(["git", *argv], {}, cwd=cwd)

    def _run(
        self,
        argv: Sequence[str],
        variables: dict[str, str],
        *,
        cwd: Path | None = None,
        shown: Sequence[str] | None = None,
    ) -> Ran:
        with self.busy(f"{self.username} $ {' '.join(shown or argv)}"):
            done = subprocess.run(
                argv,
                cwd=cwd or self.folder,
                env=self.environment() | variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        return Ran(argv=shown or argv, code=done.returncode, out=done.stdout, err=done.stderr)

    def environment(self) -> dict[str, str]:
        """What a person's shell has, without what would make this one somebody else."""
        others = ("CI_", "COMPOSE_REPO_", "GIT_", "GITLAB_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        kept.pop("CI", None)
        identity = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in self._identity()}
        return (
            kept
            | identity
            | {
                "COMPOSE_REPO_URL": self.gitlab,
                "COMPOSE_REPO_PROJECT": self.project,
                "COMPOSE_REPO_TOKEN": self.token,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {_basic(self.username, self.token)}",
                "HOME": str(self.folder),
            }
            | self.more
        )

    def shell(self) -> str:
        """Give what makes a person's shell this actor's, in its folder: lines to be read by `sh`."""
        ours = ("COMPOSE_REPO_", "GIT_")
        variables = {name: value for name, value in self.environment().items() if name.startswith(ours)}
        path = f'PATH={shlex.quote(str(Path(sys.prefix) / "bin"))}:"$PATH"'
        exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
        return "\n".join([*exports, f"export {path}", f"cd {shlex.quote(str(self.folder))}", ""])

    def _identity(self) -> Sequence[tuple[str, str]]:
        return (("NAME", self.name), ("EMAIL", f"{self.username}@example.org"))


def _basic(username: str, token: str) -> str:
    return base64.b64encode(f"{username}:{token}".encode()).decode("ascii")
