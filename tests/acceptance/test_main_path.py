"""open, approve and merge, as people run them: real commands and real git against a GitLab on loopback."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import gitlab
import jsonschema
import pytest

from compose_repo import cli
from compose_repo.ports.clock import Clock
from compose_repo.verbs import parsers
from local_gitlab.faults import Kind, LoggedRequest
from local_gitlab.server import LocalGitLab, Project, User
from samples import write_compose
from skipping_clock import RunningClock

ROOT = Path(__file__).resolve().parents[2]
OLDER, ID, NEWER = (f"CentOS-Stream-10-202611{day}.0" for day in (19, 20, 21))
DEVELOPER, MAINTAINER = 30, 40
POLICY = """\
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
why = "OpenStack installs."
deadline = "3d"
[[requirement]]
origin = "idm"
testcase = "freeipa.install"
why = "A server installs."
"""
ORIGINS = """\
schema = "origins/1"
[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
contact = {email = "rdo-ci@example.org", docs = "https://docs.example.org/rdo"}
[origins.idm]
name = "Identity"
users = ["idm-ci"]
contact = {email = "idm-ci@example.org"}
"""
STREAMS = """\
schema = "streams/1"
[streams.CentOS-Stream-10]
composes = "%(web)s/"
published = "%(web)s/mirror/COMPOSE_ID"
mode = "%(mode)s"
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        """Say nothing."""


def git(where: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgSign=false"]
    variables = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(["git", *identity, *arguments], cwd=where, check=True, capture_output=True, env=variables)
    return done.stdout.decode().strip()


PROGRESS: Final = re.compile(r"^.* (?:…|[0-9.]+ s)\n", re.MULTILINE)
"""What is told on stderr of anything that takes more than two seconds, as it may where the machine is busy."""


@dataclass
class World:
    folder: Path
    server: LocalGitLab
    project: Project
    opener: User
    gate: User
    rdo: User
    idm: User
    web: str
    client: gitlab.Gitlab
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    clock: Clock = field(default_factory=RunningClock)
    """What runs in this process goes by it; waits take no time."""

    def run(self, who: User, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setenv("COMPOSE_REPO_URL", self.server.url)
        self.monkeypatch.setenv("COMPOSE_REPO_PROJECT", self.project.path)
        self.monkeypatch.setenv("COMPOSE_REPO_TOKEN", who.token)
        code = cli._run([*arguments, "--repo", str(self.folder / "local.git")], parsers.load, self.clock)
        out, err = self.capsys.readouterr()
        assert who.token not in out + err
        return code, out, PROGRESS.sub("", err)

    def start(self, who: User, *arguments: str) -> "subprocess.Popen[str]":
        variables = {
            **os.environ,
            "COMPOSE_REPO_URL": self.server.url,
            "COMPOSE_REPO_PROJECT": self.project.path,
            "COMPOSE_REPO_TOKEN": who.token,
            "PYTHONPATH": str(ROOT / "scripts"),
        }
        command = [sys.executable, "-m", "compose_repo", *arguments, "--repo", str(self.folder / "local.git")]
        return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run_twice_at_once(self, who: User, *arguments: str) -> list[tuple[int, str]]:
        running = [self.start(who, *arguments) for _ in range(2)]
        outputs = [process.communicate()[0] for process in running]
        return [(process.returncode, output) for process, output in zip(running, outputs, strict=True)]

    def open(self, name: str = ID, *more: str) -> tuple[int, str, str]:
        return self.run(self.opener, "open", f"{self.web}/{name}", *more)

    def approve(self, name: str = ID, *more: str) -> tuple[int, str, str]:
        return self.run(self.gate, "approve", name, *more)

    def merge(self, name: str = ID, *more: str) -> tuple[int, str, str]:
        return self.run(self.gate, "merge", name, *more)

    def publish(self, name: str) -> None:
        (self.folder / "web" / "mirror" / "COMPOSE_ID").write_text(name)

    def report(self, name: str, origin: str, outcome: str, run: str = "1", **more: object) -> None:
        """Clone, write a result file, of which `more` may be said, and push it, as a third party does."""
        clone = self.folder / f"clone-{origin}-{run}-{name}"
        url = self.project.clone_url_for({"rdo": self.rdo, "idm": self.idm}[origin])
        git(self.folder, "clone", "--quiet", "--branch", f"compose/{name}", url, str(clone))
        digest = subprocess.run(
            ["sha256sum", f"composes/{name}/manifest.json"], cwd=clone, check=True, capture_output=True, text=True
        ).stdout.split()[0]
        testcase = {"rdo": "tempest.smoke", "idm": "freeipa.install"}[origin]
        result = {
            "schema": "results/1",
            "compose_id": name,
            "manifest_sha256": digest,
            "origin": origin,
            "run": {"id": run, "url": "https://ci.example.org/1", "finished_at": f"2026-11-20T0{run}:00:00Z"},
            "results": [{"testcase": testcase, "outcome": outcome, "arch": arch} for arch in ("aarch64", "x86_64")],
            **more,
        }
        path = clone / "composes" / name / "results" / origin / f"{run}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result))
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "result")
        git(clone, "push", "--quiet", "origin", f"HEAD:compose/{name}")

    def clone(self, who: User, name: str = ID) -> Path:
        clone = self.folder / f"clone-of-{who.username}"
        git(self.folder, "clone", "--quiet", "--branch", f"compose/{name}", self.project.clone_url_for(who), str(clone))
        return clone

    def on_main(self, path: str) -> bytes:
        return self.client.projects.get(self.project.id).files.raw(file_path=path, ref="main")

    def api(self, iid: int = 1) -> Any:  # noqa: ANN401  # python-gitlab's objects know no attributes
        return self.client.projects.get(self.project.id).mergerequests.get(iid)

    def approvers(self, iid: int = 1) -> list[str]:
        return [row["user"]["username"] for row in self.api(iid).approvals.get().approved_by]

    def notes(self, iid: int = 1) -> list[str]:
        return [note.body for note in self.api(iid).notes.list(get_all=True) if not note.system]

    def statuses(self, iid: int = 1) -> list[tuple[str, str]]:
        project = self.client.projects.get(self.project.id)
        found = project.commits.get(self.api(iid).sha).statuses.list(get_all=True, name="compose-gate", all=True)
        return [(row.status, row.description) for row in found]

    def writes(self) -> list[LoggedRequest]:
        return [entry for entry in self.server.requests.writes if "git-upload-pack" not in entry.path]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path_factory.mktemp("gitlab")) as running:
        yield running


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    server: LocalGitLab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[World]:
    web = tmp_path / "web"
    (web / "mirror").mkdir(parents=True)
    for name, version in ((OLDER, "5.2.1"), (ID, "5.2.2"), (NEWER, "5.2.3")):
        write_compose(web, name, version=version)
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(web)))
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{listener.server_port}"
    seed = tmp_path / "seed"
    (seed / "gate").mkdir(parents=True)
    (seed / "composes").mkdir()
    (seed / "composes" / "README.md").write_text("# Composes\n")
    (seed / "gate" / "policy.toml").write_text(POLICY)
    (seed / "gate" / "origins.toml").write_text(ORIGINS)
    mode = getattr(request, "param", "mirror")
    (seed / "gate" / "streams.toml").write_text(STREAMS % {"web": address, "mode": mode})
    git(seed, "init", "--quiet", "--initial-branch=main")
    git(seed, "add", "--all")
    git(seed, "commit", "--quiet", "--message", "Start")
    git(tmp_path, "init", "--quiet", "--bare", "local.git")
    owner, opener, gate, rdo, idm = map(server.create_user, ("owner", "compose-bot", "gate-bot", "rdo-ci", "idm-ci"))
    project = server.create_project(f"centos/{tmp_path.name}", owner=owner, from_repository=seed)
    for user, level in ((opener, DEVELOPER), (gate, MAINTAINER), (rdo, DEVELOPER), (idm, DEVELOPER)):
        server.add_member(project, user, access_level=level)
    server.requests.clear()
    with gitlab.Gitlab(server.url, private_token=owner.token) as client:
        yield World(tmp_path, server, project, opener, gate, rdo, idm, address, client, monkeypatch, capsys)
    server.faults.clear()
    listener.shutdown()
    listener.server_close()


def sentences(out: str) -> list[str]:
    return [line.removeprefix("→ ") for line in out.splitlines()]


@pytest.mark.smoke
def test_open_makes_branch_and_merge_request_that_say_everything(world: World) -> None:
    code, out, err = world.open()
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in sentences(out)] == ["create", "open"]
    found = world.api()
    assert (found.title, found.source_branch, found.author["username"]) == (ID, f"compose/{ID}", "compose-bot")
    assert found.labels == ["stream::CentOS-Stream-10"]
    for words in ("BaseOS", "tempest.smoke", "git clone", "manifest_sha256", "There is no older compose"):
        assert words in found.description


def test_a_dry_run_prints_the_plan_and_writes_nothing(world: World) -> None:
    code, out, _ = world.open(ID, "--dry-run", "--format", "json")
    assert code == 0
    assert [row["action"] for row in json.loads(out)["actions"]] == ["CreateCommit", "OpenMergeRequest"]
    assert world.writes() == []


def test_every_plan_in_json_keeps_to_its_schema(world: World) -> None:
    schema = json.loads((ROOT / "schemas" / "plan.schema.json").read_text())
    world.publish(ID)
    plans = [
        run("--format", "json")[1]
        for run in (
            partial(world.open, OLDER),
            partial(world.approve, OLDER),
            partial(world.open, ID),
            partial(world.approve, ID),
            partial(world.merge, ID),
            partial(world.merge, ID),
        )
    ]
    for plan in plans:
        jsonschema.validate(json.loads(plan), schema)
    assert [len(json.loads(plan)["actions"]) for plan in plans] == [2, 4, 2, 4, 7, 0]


@pytest.mark.smoke
def test_results_take_a_compose_from_pending_over_blocked_to_merged(world: World) -> None:
    world.open(OLDER)
    world.open(ID)
    world.open(NEWER)
    assert world.approve()[0] == 3
    assert world.api(2).labels == ["gate::pending", "stream::CentOS-Stream-10"]
    assert world.statuses(2) == [("pending", world.statuses(2)[0][1])]

    world.report(ID, "rdo", "failed")
    assert world.approve()[0] == 1
    assert world.statuses(2)[0][0] == "failed"
    assert world.approvers(2) == []

    world.report(ID, "rdo", "passed", run="2")
    world.report(ID, "idm", "passed")
    assert world.approve()[0] == 0
    assert world.approvers(2) == ["gate-bot"]
    assert world.statuses(2)[0][0] == "success"
    assert len(world.notes(2)) == 1

    code, _, err = world.merge()
    assert code == 3
    assert "names nothing" in err

    world.publish(ID)
    code, out, _ = world.merge()
    assert code == 0, out
    merged, superseded, newer = world.api(2), world.api(1), world.api(3)
    assert (merged.state, superseded.state, newer.state) == ("merged", "closed", "opened")
    assert "compose::published" in merged.labels
    assert "compose::superseded" in superseded.labels
    assert len(world.notes(2)) == 1
    assert "Superseded" in world.notes(1)[0]
    assert world.notes(3) == []


@pytest.mark.smoke
def test_every_second_run_plans_nothing_and_writes_nothing(world: World) -> None:
    world.open(OLDER)
    world.open(ID)
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    world.approve()
    world.server.requests.clear()
    assert "needs nothing" in world.open()[1]
    assert "needs nothing" in world.approve()[1]
    assert world.writes() == []
    world.publish(ID)
    assert world.merge()[0] == 0
    world.server.requests.clear()
    assert "needs nothing" in world.merge()[1]
    assert "needs nothing" in world.open()[1]
    assert "needs nothing" in world.approve()[1]
    assert world.writes() == []


@pytest.mark.parametrize("kind", ["429", "502", "reset", "apply-then-drop"])
def test_a_write_that_fails_once_is_done_once(world: World, kind: Kind) -> None:
    faults = world.server.faults
    faults.add(kind, method="POST", path="/repository/commits$")
    faults.add(kind, method="POST", path="/merge_requests$")
    assert world.open()[0] == 0
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    faults.add(kind, method="POST", path="/statuses/")
    faults.add(kind, method="PUT", path="/merge_requests/1$")
    faults.add(kind, method="POST", path="/notes$")
    faults.add(kind, method="POST", path="/approve$")
    assert world.approve()[0] == 0
    assert (len(world.notes()), world.approvers()) == (1, ["gate-bot"])
    assert [state for state, _ in world.statuses()] == ["success"]
    world.publish(ID)
    faults.add(kind, method="PUT", path="/notes/")
    faults.add(kind, method="PUT", path="/merge$")
    assert world.merge()[0] == 0
    assert world.api().state == "merged"
    assert len(world.notes()) == 1
    clone = world.folder / "look"
    git(world.folder, "clone", "--quiet", world.project.clone_url_for(world.rdo), str(clone))
    assert len(git(clone, "log", "--format=%H", "--", f"composes/{ID}/manifest.json").split()) == 1
    world.server.requests.clear()
    world.merge()
    assert world.writes() == []


def test_every_verb_can_run_twice_at_once_without_harm(world: World) -> None:
    opened = world.run_twice_at_once(world.opener, "open", f"{world.web}/{ID}")
    assert [code for code, _ in opened] == [0, 0], opened
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    approved = world.run_twice_at_once(world.gate, "approve", ID)
    assert [code for code, _ in approved] == [0, 0], approved
    assert world.approve()[0] == 0
    assert (len(world.notes()), world.approvers()) == (1, ["gate-bot"])
    world.publish(ID)
    merged = world.run_twice_at_once(world.gate, "merge", ID)
    assert [code for code, _ in merged] == [0, 0], merged
    assert world.api().state == "merged"
    assert len(world.notes()) == 1


def test_a_push_while_it_is_judged_makes_approve_start_over(world: World) -> None:
    world.open()
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    world.server.faults.add("slow", method="PUT", path="/merge_requests/1$", seconds=3)
    running = world.start(world.gate, "approve", ID)
    deadline = time.monotonic() + 30
    while not any("/statuses/" in entry.path for entry in world.writes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    world.report(ID, "rdo", "failed", run="2")
    output = running.communicate()[0]
    assert "the head of !1 has changed meanwhile: reading it again" in output
    assert running.returncode == 1
    assert world.approvers() == []
    assert "gate::blocked" in world.api().labels


def test_a_superseded_compose_that_is_published_after_all_is_opened_again_and_merged(world: World) -> None:
    world.open(OLDER)
    world.open(ID)
    world.publish(ID)
    world.merge(ID)
    assert world.api(1).state == "closed"
    world.publish(OLDER)
    code, out, _ = world.merge(OLDER)
    assert code == 0
    assert sentences(out)[0] == "reopen !1"
    assert world.api(1).state == "merged"
    assert "compose::superseded" not in world.api(1).labels
    assert len(world.notes(1)) == 1


def test_a_manifest_that_the_branch_changes_is_named_and_the_compose_bots_counts(world: World) -> None:
    world.open()
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    assert world.approve()[0] == 0
    clone = world.clone(world.rdo)
    before = (clone / "composes" / ID / "manifest.json").read_bytes()
    (clone / "composes" / ID / "manifest.json").write_text("{}")
    git(clone, "commit", "--quiet", "--all", "--message", "Other packages")
    git(clone, "push", "--quiet", "origin", f"HEAD:compose/{ID}")
    assert world.approve()[0] == 0
    assert world.approvers() == ["gate-bot"]
    assert "manifest-changed" in world.notes()[0]
    world.publish(ID)
    code, out, _ = world.merge()
    assert code == 0
    assert f"restore what counts on compose/{ID}" in out
    assert world.api().state == "merged"
    assert world.on_main(f"composes/{ID}/manifest.json") == before


def test_the_users_own_git_configuration_changes_nothing(world: World) -> None:
    home = world.folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[safe]\n bareRepository = explicit\n[i18n]\n commitEncoding = UTF-16\n logOutputEncoding = UTF-16\n"
        "[core]\n autocrlf = true\n[push]\n gpgSign = true\n pushOption = merge_request.create\n"
        "[commit]\n gpgSign = true\n[fetch]\n prune = true\n"
    )
    world.open()
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    clone = world.clone(world.rdo)
    (clone / "composes" / ID / "manifest.json").write_text("{}")
    git(clone, "commit", "--quiet", "--all", "--message", "Other packages")
    git(clone, "push", "--quiet", "origin", f"HEAD:compose/{ID}")
    world.monkeypatch.setenv("HOME", str(home))
    assert world.approve()[0] == 0
    world.publish(ID)
    code, out, err = world.merge()
    assert (code, err, world.api().state) == (0, "", "merged")
    assert f"restore what counts on compose/{ID}" in out


def test_a_merge_commit_that_changes_the_manifest_is_found_out(world: World) -> None:
    world.open()
    clone = world.clone(world.rdo)
    git(clone, "switch", "--quiet", "--create", "side", "origin/main")
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    git(clone, "switch", "--quiet", f"compose/{ID}")
    git(clone, "merge", "--quiet", "--no-ff", "--no-commit", "side")
    (clone / "composes" / ID / "manifest.json").write_text("{}")
    git(clone, "commit", "--quiet", "--all", "--message", "Merge")
    git(clone, "push", "--quiet", "origin", f"HEAD:compose/{ID}")
    assert world.approve()[0] == 3
    assert "manifest-changed" in world.notes()[0]
    assert "merge-commit" in world.notes()[0]


def test_merging_main_into_the_branch_is_no_harm(world: World) -> None:
    world.open(OLDER)
    world.open(ID)
    world.publish(OLDER)
    world.merge(OLDER)
    clone = world.clone(world.rdo)
    git(clone, "merge", "--quiet", "--no-edit", "origin/main")
    git(clone, "push", "--quiet", "origin", f"HEAD:compose/{ID}")
    assert world.approve()[0] == 3


def test_a_pass_needs_no_repository_beside_it(world: World) -> None:
    world.open()
    (world.folder / "local.git").rename(world.folder / "elsewhere.git")
    (world.folder / "local.git").mkdir()
    assert world.approve()[0] == 3
    assert list((world.folder / "local.git").iterdir()) == []


def test_a_fetch_that_fails_once_is_repeated(world: World) -> None:
    world.open()
    world.server.faults.add("502", path="info/refs", times=2)
    assert world.approve()[0] == 3


def test_an_approval_is_withdrawn_and_given_anew_when_the_head_moves(world: World) -> None:
    world.open()
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    world.approve()
    world.report(ID, "rdo", "passed", run="2")
    code, out, _ = world.approve()
    assert code == 0
    assert [line.split()[0] for line in sentences(out)] == ["withdraw", "set", "edit", "approve"]
    assert world.approvers() == ["gate-bot"]


def test_an_approval_is_withdrawn_when_a_result_says_no(world: World) -> None:
    world.open()
    world.report(ID, "rdo", "passed")
    world.report(ID, "idm", "passed")
    world.approve()
    world.report(ID, "rdo", "failed", run="2")
    assert world.approve()[0] == 1
    assert world.approvers() == []


def test_a_blocked_compose_that_is_published_is_merged_and_says_so(world: World) -> None:
    world.open()
    world.report(ID, "rdo", "failed")
    world.publish(ID)
    assert world.merge()[0] == 0
    assert world.api().state == "merged"
    assert {"compose::published", "gate::blocked"} <= set(world.api().labels)
    assert "Published while blocked" in world.notes()[0]


@pytest.mark.smoke
@pytest.mark.parametrize("world", ["gating"], indirect=True)
def test_a_gated_stream_refuses_to_merge_what_is_not_satisfied(world: World) -> None:
    world.open()
    world.publish(ID)
    code, _, err = world.merge()
    assert code == 2
    assert "is gated" in err
    assert world.api().state == "opened"


def test_nothing_is_merged_while_a_push_to_the_mirrors_is_under_way(world: World) -> None:
    world.open()
    world.publish(ID)
    (world.folder / "web" / "mirror" / ".sync_in_progress").touch()
    code, _, err = world.merge()
    assert code == 3
    assert "a push to the mirrors is under way" in err
    assert world.merge(ID, "--published")[0] == 0


def test_a_branch_without_a_merge_request_is_completed(world: World) -> None:
    world.server.faults.add("500", method="POST", path="/merge_requests$", times=50)
    assert world.open()[0] == 2
    world.server.faults.clear()
    code, out, _ = world.open()
    assert code == 0
    assert [line.split()[0] for line in sentences(out)] == ["open"]


def test_a_branch_with_another_manifest_is_a_named_problem(world: World) -> None:
    world.open()
    write_compose(world.folder / "web", ID, version="6")
    code, _, err = world.open()
    assert code == 1
    assert "manifest-differs" in err


def test_an_incomplete_compose_says_so_loudly(world: World) -> None:
    write_compose(world.folder / "web", ID, version="6", status="FINISHED_INCOMPLETE")
    world.open()
    assert world.api().description.splitlines()[2].startswith("> **FINISHED_INCOMPLETE**")


def test_the_description_compares_with_the_published_and_the_previous_compose(world: World) -> None:
    world.open(OLDER)
    world.publish(OLDER)
    world.merge(OLDER)
    world.open(ID)
    world.open(NEWER)
    description = world.api(3).description
    assert "What changed since the last published compose" in description
    assert "What changed since the previous compose" in description
    assert "5.2.1" in description
    assert "5.2.2" in description


def test_the_description_begins_with_the_verdict(world: World) -> None:
    world.open()
    before = world.api().description
    assert before.startswith("**Waiting for the gate.** ")
    world.approve()
    found = world.api()
    line, _, below = found.description.partition("\n")
    (note,) = (note.id for note in found.notes.list(get_all=True) if "<!-- compose-repo: gate -->" in note.body)
    assert line.startswith("**The gate is pending.** Of ")
    assert line.endswith(f" [Details](<{found.web_url}#note_{note}>) <!-- compose-repo: verdict -->")
    assert below == before.partition("\n")[2]
    assert "needs nothing" in world.approve()[1]
    assert "needs nothing" in world.open()[1]


def test_a_closed_merge_request_stays_closed(world: World) -> None:
    world.open()
    found = world.api()
    found.state_event = "close"
    found.save()
    world.server.requests.clear()
    assert "(closed) needs nothing" in world.open()[1]
    assert "(closed) needs nothing" in world.approve()[1]
    assert world.writes() == []


def test_a_project_that_was_renamed_goes_on_under_its_former_name(world: World) -> None:
    world.open()
    project = world.client.projects.get(world.project.id)
    project.path = "renamed"
    project.save()
    world.report(ID, "rdo", "passed")
    assert world.approve()[0] == 3
    world.publish(ID)
    code, _, err = world.merge()
    assert (code, err, world.api().state) == (0, "", "merged")
    assert world.open(NEWER)[0] == 0


def test_a_compose_without_a_merge_request_is_a_usage_error(world: World) -> None:
    code, _, err = world.approve()
    assert code == 2
    assert "; open it: compose-repo open" in err


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("COMPOSE_REPO_TOKEN", "wrong", "the token is not valid"),
        ("COMPOSE_REPO_PROJECT", "no/where", "it does not exist, or the token may not see it"),
        ("COMPOSE_REPO_URL", "http://127.0.0.1:9", "cannot be reached"),
        ("COMPOSE_REPO_URL", "gitlab", "should be an address such as"),
        ("COMPOSE_REPO_TOKEN", "a\nb", "is not a valid token"),
    ],
)
def test_what_is_wrong_with_the_settings_is_told_in_one_line(world: World, name: str, value: str, message: str) -> None:
    settings = {
        "COMPOSE_REPO_URL": world.server.url,
        "COMPOSE_REPO_PROJECT": world.project.path,
        "COMPOSE_REPO_TOKEN": world.gate.token,
        name: value,
    }
    for key, setting in settings.items():
        world.monkeypatch.setenv(key, setting)
    code = cli._run(["approve", ID, "--repo", str(world.folder / "local.git")], parsers.load)
    err = world.capsys.readouterr().err
    assert (code, len(err.splitlines())) == (2, 1)
    assert message in err
