"""Two doors to the program: a process of its own, as people start it, and this process, which is ten times as fast.

A test that is about the process (exit codes, streams, environment, what gets imported) takes `start`, all others `run`.
"""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from compose_repo import cli
from compose_repo.verbs import parsers

SCRIPTS: Final = Path(cli.__file__).resolve().parents[1]
Done = subprocess.CompletedProcess[str]


def start(
    *arguments: str | Path, cwd: Path | None = None, variables: Mapping[str, str] | None = None, timeout: float = 120
) -> Done:
    """Run a verb in a process of its own, which alone has the variables."""
    return subprocess.run(
        [sys.executable, "-m", "compose_repo", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS), **(variables or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=timeout,
    )


def run(*arguments: str | Path, cwd: Path | None = None, variables: Mapping[str, str] | None = None) -> Done:
    """Run a verb in this process, with everything that `main` does before and after it but the end of the process."""
    raw_out, raw_err = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True) for raw in (raw_out, raw_err))
    before = dict(os.environ)
    os.environ.update(variables or {})
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            contextlib.chdir(cwd) if cwd else contextlib.nullcontext(),
        ):
            code = cli._run([*map(str, arguments)], parsers.load)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Done(arguments, code, raw_out.getvalue().decode(), raw_err.getvalue().decode())
