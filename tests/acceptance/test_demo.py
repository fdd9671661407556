"""The demo, as a person starts it."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

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
        "!1: no fault is found",
        "!1 is merged",
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


def test_demo_takes_a_real_compose_and_goes_on_without_pipelines(shared_data: Path) -> None:
    source = shared_data / "composes" / "CentOS-Stream-9-20220207.0-BaseOS-x86_64"
    done = play(str(source), LOCAL_GITLAB_CI_LOCAL="/nonexistent")
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
    assert "the demo stops here: the rules are well formed: `compose-repo validate gate` ended" in done.stderr
    assert "Everything came out as told" not in done.stdout


def test_what_is_kept_can_be_tried_and_nothing_is_silent_for_long() -> None:
    """The three lines that it prints do what it says; a terminal shows something at least every few seconds."""
    controller, terminal = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    playing = subprocess.Popen(
        [sys.executable, "-m", "compose_repo", "demo", "--keep", "--srpms", "12"],
        cwd=ROOT, env={**variables, "TERM": "xterm", "LOCAL_GITLAB_CI_LOCAL": "/nonexistent"},
        stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    try:
        said, longest = _listen(controller, until="Ctrl-C ends it")
        assert longest < SILENCE
        tries = re.findall(r"^ +(\(\. \S+; .*\))\r?$", said, re.MULTILINE)
        asked, reported, judged = (
            subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False) for line in tries
        )
        assert (asked.returncode, "CentOS-Stream-10-20261121.0" in asked.stdout) == (3, True), asked
        assert reported.returncode == 0, reported
        assert "1 brought up to date, 1 pending" in judged.stdout, judged
        accounts = re.findall(r"^ +([a-z]+(?:-[a-z]+)?) +(?!http)\S{20,}\r?$", said, re.MULTILINE)
        assert accounts == ["releng", "compose-bot", "gate-bot", "rdo-ci", "idm-ci"]
        playing.send_signal(signal.SIGINT)
        assert playing.wait(60) == 0
    finally:
        playing.kill()
        playing.wait()
        os.close(controller)


SILENCE: Final = 10.0
"""Seconds: a spinner turns after two, but this machine may be busy."""


def _listen(controller: int, *, until: str) -> tuple[str, float]:
    """Give what is said until some words come, and the longest silence before."""
    said, longest, last = "", 0.0, time.monotonic()
    while until not in said:
        ready, _, _ = select.select([controller], [], [], 120)
        assert ready, said
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        try:
            said += os.read(controller, 65536).decode("utf-8", "replace")
        except OSError as ended:  # Linux says EIO once the other side is closed
            raise AssertionError(said) from ended
    return said, longest


@pytest.mark.smoke
def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = play("--srpms", "12", "--port", str(port))
    said = f"the demo cannot listen on port {port} and the next one: Address already in use; name another with --port"
    assert (done.returncode, done.stderr) == (2, f"compose-repo demo: {said}\n")
