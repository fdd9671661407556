"""The project that the demo is played in, as a git repository: an unpacked source distribution is none yet."""

import os
import subprocess
from pathlib import Path
from typing import Final

_WHO: Final = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "Release Engineering"), ("EMAIL", "releng@example.org"))}  # fmt: skip


def as_repository(project: Path, scratch: Path) -> Path:
    """Give the repository of a checkout, or make one of the files of a folder that is none, but those git ignores.

    `scratch` is where one is made. The folder itself stays as it is.

    Raises:
        subprocess.CalledProcessError: git cannot read the folder or write to `scratch`.

    """
    if (project / ".git").exists():
        return project
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        ("commit", "--quiet", "-m", "Start"),
    ):
        subprocess.run(
            ["git", "-c", "core.autocrlf=false", "-c", "commit.gpgSign=false", *command],
            check=True, capture_output=True, cwd=project,
            env={**os.environ, **_WHO, "GIT_DIR": str(scratch), "GIT_WORK_TREE": str(project.resolve())},
        )  # fmt: skip
    return scratch
