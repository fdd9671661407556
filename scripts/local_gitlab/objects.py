"""Questions about refs and objects, answered by one git process for each repository: one for each question costs more.

What git answers is never older than the repository: it looks for refs and objects anew each time. Only what has been
thrown away, or replaced as a whole, it may still hold open: whoever does that calls `forget`.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from local_gitlab.git import server_environment

if TYPE_CHECKING:
    from pathlib import Path

AT_ONCE: Final = 8
"""How many processes stay; the one that was asked least lately makes room."""
_FOUND: Final = re.compile(rb"([0-9a-f]{40}) (\w+) (\d+)\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """An object; its content only where that was asked for."""

    sha: str
    kind: str
    size: int
    content: bytes = b""


class _Reader:
    """One `git cat-file`. It ends when this process does, however that ends: nobody can ask it any more."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [
                "git",
                "-c",
                "safe.directory=*",
                "--no-replace-objects",
                f"--git-dir={path}",
                "cat-file",
                "--batch-command",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=server_environment(),
        )

    def ask(self, question: bytes) -> Found | None:
        """Ask.

        Raises BrokenPipeError when git has ended.
        """
        source, answers = self._process.stdin, self._process.stdout
        if source is None or answers is None:
            raise BrokenPipeError
        source.write(question)
        source.flush()
        line = answers.readline()
        if not line:
            raise BrokenPipeError
        found = _FOUND.fullmatch(line)
        if found is None:
            return None
        size = int(found[3])
        content = answers.read(size + 1)[:-1] if question.startswith(b"contents ") else b""
        return Found(sha=found[1].decode(), kind=found[2].decode(), size=size, content=content)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@dataclass(kw_only=True)
class Objects:
    """The processes that answer."""

    _readers: OrderedDict[Path, _Reader] = field(default_factory=OrderedDict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def info(self, path: Path, name: str) -> Found | None:
        """Return what a name stands for in the repository at a path, without its content."""
        return self._ask(path, "info", name)

    def contents(self, path: Path, name: str) -> Found | None:
        """Return what a name stands for in the repository at a path, with its content."""
        return self._ask(path, "contents", name)

    def forget(self, path: Path) -> None:
        """End the process of one repository."""
        with self._guard:
            self._drop(path)

    def close(self) -> None:
        """End every process; another question starts one again."""
        with self._guard:
            for path in list(self._readers):
                self._drop(path)

    def _ask(self, path: Path, question: str, name: str) -> Found | None:
        if not name or "\n" in name or "\x00" in name:
            return None
        line = f"{question} {name}\n".encode(errors="surrogateescape")
        with self._guard:
            for _ in range(2):  # a process that somebody has ended is started again
                try:
                    return self._reader(path).ask(line)
                except BrokenPipeError:
                    self._drop(path)
        return None

    def _reader(self, path: Path) -> _Reader:
        if path not in self._readers:
            if len(self._readers) >= AT_ONCE:
                self._drop(next(iter(self._readers)))
            self._readers[path] = _Reader(path)
        self._readers.move_to_end(path)
        return self._readers[path]

    def _drop(self, path: Path) -> None:
        reader = self._readers.pop(path, None)
        if reader is not None:
            reader.close()
