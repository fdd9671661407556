"""The local GitLab, started alone as a person starts it: what it says, what it runs, and what it leaves behind."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from test_local_gitlab_descriptions import ABSENT, GONE, MISTAKEN

from local_gitlab.leftovers import descendants

pytestmark = pytest.mark.xdist_group("pipeline")

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "scripts" / "local_gitlab" / "README.md").read_text(encoding="utf-8")
BLOCKS: Final = dict(re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
READY: Final = "Ctrl-C stops it."
LONG_JOB: Final = "job:\n  script:\n    - sleep 61\n"
JOB: Final = "sleep\x0061\x00"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A local GitLab that runs, what it has printed, and where it keeps what is temporary."""

    process: "subprocess.Popen[str]"
    said: str
    temporary: Path

    @property
    def url(self) -> str:
        return str(re.findall(r"http://127\.0\.0\.1:\d+", self.said)[0])

    @property
    def exports(self) -> str:
        return "\n".join(line for line in self.said.splitlines() if line.startswith("  export "))

    def get(self, path: str, token: str = "") -> Any:  # noqa: ANN401  # any JSON
        headers = {"PRIVATE-TOKEN": token} if token else {}
        answer = requests.get(f"{self.url}/api/v4{path}", headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def left(self) -> list[str]:
        return sorted(path.name for path in self.temporary.iterdir() if path.name.startswith("local-gitlab-"))


@contextlib.contextmanager
def running(command: list[str], folder: Path, *, until: str = READY) -> Iterator[Running]:
    """Start a command and read what it prints up to a line; at the end whatever still runs is killed."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(temporary), "COMPOSE_REPO_VENV": sys.prefix}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = ""
    with process:
        try:
            for line in process.stdout or ():
                said += line
                if line.startswith(until):
                    break
            else:
                raise AssertionError(said)
            yield Running(process=process, said=said, temporary=temporary)
        finally:
            for pid in [process.pid, *descendants(process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def alone(*arguments: str) -> list[str]:
    return [sys.executable, "-I", "-m", "local_gitlab", *arguments]


def make(*arguments: str) -> list[str]:
    return ["make", "--no-print-directory", "gitlab", f"GITLAB_ARGS={shlex.join(arguments)}"]


def command_lines(pids: list[int]) -> list[str]:
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace"))
    return found


def came_about(condition: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def are_gone(pids: list[int]) -> bool:
    """Tell whether none of these runs; a zombie, whom nobody has asked for, has no command line."""
    return not any(command_lines(pids))


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A seed with a project whose first pipeline has a job that takes a minute."""
    source = tmp_path / "source"
    source.mkdir()
    (source / ".gitlab-ci.yml").write_text(LONG_JOB)
    for argv in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "Start"],
    ):
        subprocess.run(["git", *argv], cwd=source, check=True)
    users = [{"username": "root", "admin": True}]
    projects = [{"path": "group/project", "owner": "root", "from": str(source)}]
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"users": users, "projects": projects}))
    return file


@pytest.fixture
def tools(require_tool: Callable[[str, str], str]) -> None:
    require_tool("gitlab-ci-local", "`make test` brings it, if npm can reach its registry")
    require_tool("rsync", "gitlab-ci-local needs it; on Debian: apt-get install rsync")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(make(), tmp_path_factory.mktemp("alone")) as found:
        yield found


def test_each_user_that_is_printed_has_the_role_and_the_token(started: Running) -> None:
    printed = re.findall(r"^  ([\w-]+) +(Owner|Maintainer|Developer) +(\S+)  ", started.said, re.MULTILINE)
    levels = {"Owner": 50, "Maintainer": 40, "Developer": 30}
    members = {row["username"]: row["access_level"] for row in started.get("/projects/1/members/all", printed[0][2])}
    assert {name: levels[role] for name, role, _ in printed} == members
    assert [started.get("/user", token)["username"] for _, _, token in printed] == [name for name, _, _ in printed]
    assert set(re.findall(r"^\| `([\w-]+)` \|", README, re.MULTILINE)) == set(members)


def test_the_project_is_set_up_as_compose_repo_setup_leaves_it(started: Running) -> None:
    token = re.findall(r"Owner +(\S+)", started.said)[0]
    assert started.get("/projects/1", token)["ci_config_path"] == ".gitlab-ci.yml@centos-stream/compose-repo:main"
    assert "main" in {row["name"] for row in started.get("/projects/1/protected_branches", token)}


def test_the_commands_that_are_printed_work(started: Running, tmp_path: Path) -> None:
    commands = started.said.partition("Then try:\n")[2].partition("\n\n")[0]
    script = "\n".join(["set -eu", f"cd {shlex.quote(str(ROOT))}", started.exports, commands])
    script = script.replace("git clone", f"cd {shlex.quote(str(tmp_path))}\ngit clone --quiet")
    script = script.replace("--dry-run", "--dry-run || test $? = 3")  # it is pending
    script = script.replace("compose-repo doctor", "compose-repo doctor || test $? = 1")  # no schedule runs here
    nowhere = {**os.environ, "https_proxy": "http://127.0.0.1:9"}  # compose servers are not asked
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=120, env=nowhere)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 unsafe" in done.stdout
    assert "set status compose-gate" in done.stdout
    assert (tmp_path / "compose-repo" / ".gitlab-ci.yml").is_file()


@pytest.mark.usefixtures("tools")
def test_nothing_runs_but_validate_and_gate_of_the_merge_request(started: Running) -> None:
    def pipelines() -> list[tuple[str, str]]:
        return [(row["source"], row["status"]) for row in started.get("/projects/1/pipelines")]

    assert came_about(lambda: pipelines() == [("merge_request_event", "success")], 120), pipelines()
    token = re.findall(r"gate-bot +Maintainer +(\S+)", started.said)[0]
    [pipeline] = started.get("/projects/1/pipelines")
    jobs = started.get(f"/projects/1/pipelines/{pipeline['id']}/jobs", token)
    assert {job["name"] for job in jobs} == {"validate", "gate"}
    assert "The project's own jobs, test and lint, do not run for what is here now" in started.said


def test_readmes_commands_start_it(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plain, chosen = BLOCKS["sh"].splitlines()
    assert shlex.split(plain) == ["make", "gitlab"]  # the fixture `started` runs it
    command = chosen.replace("8929", str(port)).replace("../gitlab-data", str(tmp_path / "data"))
    with running(shlex.split(command), tmp_path) as found:
        assert found.url == f"http://127.0.0.1:{port}"
        assert (tmp_path / "data" / "gitlab.sqlite3").is_file()


def test_readmes_example_for_tests_works() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKS["python"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_readme_names_what_the_comparison_with_gitlab_leaves_out() -> None:
    rows = dict(re.findall(r"^\| `([A-Z]+)`: [^|]+\| (.*) \|$", README, re.MULTILINE))
    named = {name: set(re.findall(r"`([\w.]+)`", fields)) for name, fields in rows.items()}
    assert named == {"ABSENT": ABSENT, "GONE": GONE, "MISTAKEN": MISTAKEN}


def test_readme_names_every_module() -> None:
    table = README.partition("## Its modules")[2]
    files = {path.stem for path in (ROOT / "scripts" / "local_gitlab").glob("*.py")} - {"__init__"}
    assert set(re.findall(r"`(\w+)/?`", table)) - {"compose_repo"} == files | {"api"}


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGKILL], ids=lambda number: number.name)
def test_no_process_and_no_folder_is_left_when_it_ends(number: signal.Signals, seed: Path, tmp_path: Path) -> None:
    with running(alone("--seed", str(seed)), tmp_path, until="root ") as found:
        pid = found.process.pid
        assert came_about(lambda: JOB in command_lines(descendants(pid)))
        started = descendants(pid)
        assert found.left() != []
        os.kill(pid, number)
        assert found.process.wait(20) == (-number if number is signal.SIGKILL else 0)
        assert came_about(lambda: are_gone(started)), command_lines(started)
        assert came_about(lambda: found.left() == []), found.left()


@pytest.mark.usefixtures("tools")
def test_no_process_and_no_folder_is_left_when_what_has_started_it_is_killed(seed: Path, tmp_path: Path) -> None:
    with running(make("--seed", str(seed)), tmp_path, until="root ") as found:
        pid = found.process.pid
        assert came_about(lambda: JOB in command_lines(descendants(pid)))
        started = descendants(pid)
        os.kill(pid, signal.SIGKILL)
        found.process.wait(20)
        assert came_about(lambda: are_gone(started)), command_lines(started)
        assert came_about(lambda: found.left() == []), found.left()


def refused(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(alone(*arguments), capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = refused("--port", str(port), "--data", str(tmp_path / "data"))
    expected = f"local_gitlab: port {port} cannot be used: Address already in use; choose another --port\n"
    assert (code, said) == (2, expected)


def test_data_is_kept_and_used_by_one_at_a_time(tmp_path: Path) -> None:
    seed, data = tmp_path / "seed.json", tmp_path / "data"
    seed.write_text(json.dumps({"users": [{"username": "root"}], "projects": [{"path": "a/b", "owner": "root"}]}))
    arguments = ("--seed", str(seed), "--data", str(data))
    with running(alone(*arguments), tmp_path, until="root ") as found:
        created = found.get("/projects/a%2Fb")["created_at"]
        assert refused(*arguments) == (
            2, f"local_gitlab: '{data}' is in use by another local GitLab; choose another --data\n",
        )  # fmt: skip
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(20) == 0
    with running(alone(*arguments), tmp_path, until="root ") as again:
        assert again.get("/projects/a%2Fb")["created_at"] == created
        assert again.left() == []
