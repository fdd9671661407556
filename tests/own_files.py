"""The files that this project consists of, in a checkout as in an unpacked release."""

import subprocess
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_LIST: Final = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")


def own_files() -> list[str]:
    """Give what git would track: all that .gitignore does not name, and that has not been deleted."""
    if (ROOT / ".git").exists():
        return _listed("git", *_LIST)
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(["git", "init", "--quiet", "--bare", empty], check=True)
        return _listed("git", f"--git-dir={empty}", f"--work-tree={ROOT}", *_LIST)


def _listed(*command: str) -> list[str]:
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in said.split("\0") if name and (ROOT / name).is_file()]
