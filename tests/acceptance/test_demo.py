"""The demo, as a person starts it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from checkout import tracked

ROOT: Final = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("pipeline")


def play(*argv: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "compose_repo", "demo", *argv],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


def test_demo_tells_the_whole_story_with_pipelines(require_tool: Callable[[str, str], str]) -> None:
    require_tool("gitlab-ci-local", "`make test` brings it, if npm can reach its registry")
    require_tool("rsync", "gitlab-ci-local needs it; on Debian: apt-get install rsync")
    done = play("--srpms", "40")
    assert done.returncode == 0, done.stdout + done.stderr
    told = [
        "CentOS-Stream-10-20261120.0: left: it is not ready: the compose is STARTED",
        "✓ CentOS-Stream-10-20261120.0 is left until it is whole",
        "gate failed, allowed",
        "GitLab shows gate::pending",
        "GitLab shows gate::blocked",
        "validate failed",
        "GitLab shows gate::satisfied",
        "the gate bot has approved the merge request",
        "while the push is under way, nothing is merged",
        "the scheduled job has done it",
        "CentOS-Stream-10-20261119.0 is closed, not merged",
        "another pass writes nothing: nothing to do",
        "and repeats the decision offline",
        "Everything came out as told",
    ]
    assert [line for line in told if line not in done.stdout] == []
    by_hand = [f"$ compose-repo {verb}" for verb in ("open", "approve", "merge")]
    assert [line for line in by_hand if line in done.stdout] == []


def test_demo_takes_a_real_compose_and_goes_on_without_pipelines_and_without_a_clone(
    shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "composes" / "CentOS-Stream-9-20220207.0-BaseOS-x86_64"
    for name in tracked():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    done = play(str(source), "--repo", str(tmp_path), LOCAL_GITLAB_CI_LOCAL="/nonexistent")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pipelines: none will run" in done.stdout
    assert "its server has no composeinfo.json, images.json, modules.json" in done.stdout
    assert "Everything came out as told" in done.stdout


def test_the_demo_stops_where_something_is_not_as_told(tmp_path: Path) -> None:
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "extra.toml").write_text("x = 1\n")
    (tmp_path / ".gitlab-ci.yml").write_text("{}\n")
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgSign=false"]
    for argv in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "-m", "Start"]):
        subprocess.run(["git", *argv], cwd=tmp_path, check=True)
    done = play("--srpms", "12", "--repo", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("the demo stops here: the rules are well formed: `compose-repo validate gate` ended")
    assert "Everything came out as told" not in done.stdout


@pytest.mark.smoke
def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = play("--srpms", "12", "--port", str(port))
    said = f"the demo cannot listen on port {port} and the next one: Address already in use; name another with --port"
    assert (done.returncode, done.stderr) == (2, f"compose-repo demo: {said}\n")
