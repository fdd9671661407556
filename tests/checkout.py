"""The files of this project: what git holds and does not ignore, or all of an unpacked source distribution."""

import subprocess
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_LIST: Final = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")


def tracked(root: Path = ROOT) -> list[str]:
    """Name every file, from the project's folder."""
    if (root / ".git").exists():
        return _files(root, "git", *_LIST)
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(["git", "init", "--quiet", "--bare", empty], check=True)
        return _files(root, "git", f"--git-dir={empty}", f"--work-tree={root}", *_LIST)


def _files(root: Path, *command: str) -> list[str]:
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    # What is deleted and not yet committed is still listed.
    return [name for name in listed.split("\0") if name and (root / name).is_file()]
