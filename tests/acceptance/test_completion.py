"""The completion script, asked in a real bash what it would complete."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

COMPOSE_ID: Final = "CentOS-Stream-10-20261120.0"
ASK: Final = """
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMPREPLY=()
function=$(complete -p compose-repo | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" compose-repo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "compose-repo"
    command = [sys.executable, "-m", "compose_repo", "completion", "bash"]
    path.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    return path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param(["va"], ["validate"], marks=pytest.mark.smoke),
        (["gate", "--format", ""], ["text", "json"]),
        (["gate", "Cent"], [COMPOSE_ID]),
        (["--verbose", "ga"], ["gate"]),
        (["--color", "al"], ["always"]),
        (["validate", "com"], ["composes"]),
        (["completion", ""], ["bash", "zsh"]),
    ],
)
def test_bash_is_offered(words: Sequence[str], offered: Sequence[str], script: Path, tmp_path: Path) -> None:
    (tmp_path / "composes" / COMPOSE_ID).mkdir(parents=True)
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", script, "compose-repo", *words],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (offered, "")


def test_zsh_gets_a_script_of_its_own() -> None:
    command = [sys.executable, "-m", "compose_repo", "completion", "zsh"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("#compdef compose-repo")
