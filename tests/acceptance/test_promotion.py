"""The hook of a stream: called once when a compose turns satisfied, whoever is killed and however often it is tried."""

import base64
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jenkins import Jenkins, jenkins, send
from sync_world import ROOT, STREAMS, SyncWorld, sync_world
from test_main_path import git

from compose_repo.core.forge.action import Promote
from compose_repo.core.names import Sha
from compose_repo.core.rules.hook import CommandHook, JenkinsHook
from compose_repo.ports.promoting import call
from local_gitlab.faults import Kind
from local_gitlab.server import LocalGitLab
from skipping_clock import RunningClock

SYNC = json.loads((ROOT / "schemas" / "sync.schema.json").read_text())
A, B = (f"CentOS-Stream-10-202611{day}.0" for day in (20, 21))
SECRETS = {
    "COMPOSE_REPO_PROMOTE_JENKINS_USER": "releng",
    "COMPOSE_REPO_PROMOTE_JENKINS_TOKEN": "jenkins-secret",
    "COMPOSE_REPO_PROMOTE_TRIGGER_TOKEN": "trigger-secret",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path_factory.mktemp("gitlab")) as running:
        yield running


@pytest.fixture
def ci() -> Iterator[Jenkins]:
    with jenkins() as made:
        yield made


@pytest.fixture
def world(  # noqa: PLR0913, PLR0917  # the fixtures that it is made of
    request: pytest.FixtureRequest,
    server: LocalGitLab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: Jenkins,
) -> Iterator[SyncWorld]:
    with sync_world(server, tmp_path, monkeypatch, capsys) as made:
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)
        configure(made, getattr(request, "param", f'jenkins = {{job = "{ci.address("publish")}"}}'))
        made.compose(A)
        made.sync()
        yield made


def configure(world: SyncWorld, promote: str, mode: str = "mirror") -> None:
    more = f'mode = "{mode}"\npromote = {{{promote}}}' if promote else f'mode = "{mode}"'
    world.configure(STREAMS.format(web=world.web, more=more))


def passed(world: SyncWorld, name: str = A, run: str = "1") -> None:
    world.report(name, "rdo", "passed", run=run)
    world.report(name, "idm", "passed", run=run)


def tags(world: SyncWorld) -> list[str]:
    """Give the records of the compose, without what they all begin with."""
    out = git(world.folder, "ls-remote", "--refs", world.project.clone_url_for(world.gate), "refs/tags/*")
    return sorted(line.partition(f"refs/tags/promotion/{A}/")[2] for line in out.splitlines())


def record(world: SyncWorld, name: str) -> dict[str, Any]:
    url = world.project.clone_url_for(world.gate)
    git(world.folder / "local.git", "fetch", "--quiet", "--force", url, f"refs/tags/promotion/{A}/{name}:refs/x/tag")
    text = git(world.folder / "local.git", "cat-file", "tag", "refs/x/tag")
    found: dict[str, Any] = json.loads(text.partition("\n\n")[2])
    return found


def rows(world: SyncWorld) -> list[tuple[str, str]]:
    return [(step, outcome) for _, step, _, outcome in world.rows() if step not in {"judge", "open"}]


def codes(world: SyncWorld) -> list[str]:
    report = world.report_of()
    jsonschema.validate(report, SYNC)
    found = [*report["problems"], *(p for s in report["streams"] for row in s["composes"] for p in row["problems"])]
    return [problem["code"] for problem in found]


@pytest.mark.smoke
def test_a_jenkins_job_is_built_once_when_a_compose_turns_satisfied(world: SyncWorld, ci: Jenkins) -> None:
    assert (ci.posted, tags(world)) == ([], [])
    passed(world)
    code, out, err = world.sync()
    assert code == 0, err
    ((path, form, headers),) = ci.posted
    assert path == "/job/publish/buildWithParameters"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"releng:jenkins-secret").decode()
    told = {name: value for name, (value,) in form.items()}
    line = world.api()
    assert told == {
        "COMPOSE_REPO_COMPOSE_ID": A,
        "COMPOSE_REPO_VERDICT": "satisfied",
        "COMPOSE_REPO_SUMMARY": told["COMPOSE_REPO_SUMMARY"],
        "COMPOSE_REPO_MANIFEST_SHA256": told["COMPOSE_REPO_MANIFEST_SHA256"],
        "COMPOSE_REPO_POLICY_SHA256": told["COMPOSE_REPO_POLICY_SHA256"],
        "COMPOSE_REPO_HEAD": line.sha,
        "COMPOSE_REPO_MERGE_REQUEST": line.web_url,
        "COMPOSE_REPO_PROMOTION": f"promotion/{A}/1",
    }
    assert f"→ create tag promotion/{A}/1/claim" in out
    assert tags(world) == ["1/called", "1/claim"]
    assert (record(world, "1/claim")["head"], record(world, "1/called")["said"]) == (line.sha, "HTTP 201")
    assert "secret" not in out + err + json.dumps(record(world, "1/claim"))
    world.server.requests.clear()
    assert (world.rows(), world.writes()) == ([("20261120.0", "judge", "is-open", "unchanged")], [])
    assert len(ci.posted) == 1


def test_a_pass_with_a_hook_in_which_nothing_is_new_asks_gitlab_for_no_more(world: SyncWorld, ci: Jenkins) -> None:
    passed(world)
    world.sync()
    counts = []
    for promote in (f'jenkins = {{job = "{ci.address("publish")}"}}', ""):
        configure(world, promote)
        world.sync()
        world.server.requests.clear()
        world.sync()
        counts.append(len(world.server.requests.entries))
    assert counts[0] == counts[1]


def test_another_result_calls_nobody_and_turning_again_calls_again(world: SyncWorld, ci: Jenkins) -> None:
    passed(world)
    world.sync()
    passed(world, run="2")
    assert rows(world) == []
    world.report(A, "rdo", "failed", run="3")
    assert rows(world) == [("retract", "changed")]
    assert rows(world) == []
    world.report(A, "rdo", "passed", run="4")
    assert rows(world) == [("promote", "changed")]
    assert tags(world) == ["1/called", "1/claim", "1/ended", "2/called", "2/claim"]
    assert [form["COMPOSE_REPO_PROMOTION"] for _, form, _ in ci.posted] == [
        [f"promotion/{A}/1"],
        [f"promotion/{A}/2"],
    ]


@pytest.mark.parametrize("world", [""], indirect=True)
def test_without_a_hook_nothing_is_recorded(world: SyncWorld) -> None:
    passed(world)
    world.sync()
    assert tags(world) == []


def test_a_dry_run_says_whom_it_would_call_and_calls_nobody(world: SyncWorld, ci: Jenkins) -> None:
    passed(world)
    code, out, _ = world.sync("--dry-run")
    assert (code, f"→ call the Jenkins job {ci.address('publish')} for promotion/{A}/1" in out) == (0, True)
    assert (ci.posted, tags(world)) == ([], [])


def test_a_pipeline_is_triggered_with_variables(world: SyncWorld, ci: Jenkins) -> None:
    configure(world, f'gitlab = {{url = "{ci.url}", project = "centos/publish", ref = "main"}}')
    passed(world)
    assert world.sync()[0] == 0
    ((path, form, _),) = ci.posted
    assert path == "/api/v4/projects/centos%2Fpublish/trigger/pipeline"
    assert (form["token"], form["ref"]) == (["trigger-secret"], ["main"])
    assert form["variables[COMPOSE_REPO_COMPOSE_ID]"] == [A]


def test_a_command_is_told_by_its_input_and_by_variables_and_knows_no_secret(world: SyncWorld) -> None:
    said = world.folder / "said"
    script = (
        "import json,os,sys; json.dump([json.load(sys.stdin), dict(os.environ), sys.argv[1:]], open(sys.argv[1], 'w'))"
    )
    configure(world, f"command = {json.dumps([sys.executable, '-c', script, str(said), '$HOME; `id`'])}")
    world.monkeypatch.setenv("CI_JOB_TOKEN", "job-secret")
    passed(world)
    assert world.sync()[0] == 0
    document, variables, arguments = json.loads(said.read_text())
    assert (document["compose_id"], document["verdict"]) == (A, "satisfied")
    assert variables["COMPOSE_REPO_COMPOSE_ID"] == A
    assert arguments == [str(said), "$HOME; `id`"]
    every = said.read_text()
    for secret in ("secret", world.gate.token, world.opener.token):
        assert secret not in every
    assert tags(world) == ["1/called", "1/claim"]


@pytest.mark.parametrize("missing", SECRETS)
def test_where_a_secret_is_missing_nothing_is_claimed(world: SyncWorld, ci: Jenkins, missing: str) -> None:
    if "TRIGGER" in missing:
        configure(world, f'gitlab = {{url = "{ci.url}", project = "centos/publish", ref = "main"}}')
    world.monkeypatch.delenv(missing)
    passed(world)
    code, _, err = world.sync()
    assert (code, missing in err, tags(world)) == (1, True, [])
    world.monkeypatch.setenv(missing, "x")
    assert rows(world) == [("promote", "changed")]


def test_a_hook_that_is_not_to_be_reached_is_called_again_a_few_times(world: SyncWorld, ci: Jenkins) -> None:
    ci.post = lambda handler: send(handler, 403, b"secret")
    passed(world)
    for number in range(1, 6):
        code, _, err = world.sync()
        assert (code, "HTTP 403" in err, len(ci.posted)) == (1, True, number)
    code, out, err = world.sync()
    assert (code, "5 times" in out, "secret" in out + err, len(ci.posted)) == (1, True, False, 5)
    assert tags(world) == [f"{number}/{what}" for number in range(1, 6) for what in ("claim", "failed")]
    git(
        world.folder / "seed",
        "push",
        "--quiet",
        world.project.clone_url_for(world.gate),
        f"HEAD:refs/tags/promotion/{A}/5/ended",
    )
    ci.post = None
    assert rows(world) == [("promote", "changed")]
    assert tags(world)[-2:] == ["6/called", "6/claim"]


def test_a_server_that_is_not_there_was_surely_not_called(world: SyncWorld) -> None:
    configure(world, 'jenkins = {job = "http://127.0.0.1:9/job/publish"}')
    passed(world)
    assert codes(world) == ["promotion-failed"]
    assert tags(world) == ["1/claim", "1/failed"]


@pytest.mark.parametrize("status", [200, 302, 500, None])
def test_where_nobody_knows_whether_it_was_called_nobody_calls_again(
    world: SyncWorld, ci: Jenkins, status: int | None
) -> None:
    ci.post = lambda handler: None if status is None else send(handler, status, b"", Location="/elsewhere")
    passed(world)
    assert codes(world) == ["promotion-unknown"]
    assert codes(world) == ["promotion-unknown"]
    assert (len(ci.posted), tags(world)) == (1, ["1/claim"])
    ci.post = None
    git(
        world.folder / "seed",
        "push",
        "--quiet",
        world.project.clone_url_for(world.gate),
        f":refs/tags/promotion/{A}/1/claim",
    )
    assert codes(world) == []
    assert (len(ci.posted), tags(world)) == (2, ["1/called", "1/claim"])


@pytest.mark.parametrize(
    ("script", "code", "left"),
    [
        ("raise SystemExit(0)", [], ["1/called", "1/claim"]),
        ("raise SystemExit(75)", ["promotion-failed"], ["1/claim", "1/failed"]),
        ("raise SystemExit(1)", ["promotion-unknown"], ["1/claim"]),
        ("import os; os.kill(os.getpid(), 9)", ["promotion-unknown"], ["1/claim"]),
    ],
)
def test_a_command_says_by_its_exit_code_what_came_of_it(
    world: SyncWorld, script: str, code: list[str], left: list[str]
) -> None:
    configure(world, f"command = {json.dumps([sys.executable, '-c', script])}")
    passed(world)
    assert (codes(world), tags(world)) == (code, left)


def test_a_command_that_is_not_on_this_machine_is_left_to_another(world: SyncWorld) -> None:
    configure(world, 'command = ["/nowhere/publish"]')
    passed(world)
    for _ in range(2):
        assert (codes(world), tags(world)) == (["not-done"], [])


def test_what_is_closed_between_its_judging_and_its_promotion_is_not_promoted(world: SyncWorld, ci: Jenkins) -> None:
    passed(world)
    project = world.client.projects.get(world.project.id)

    def withdraw() -> None:
        line = project.mergerequests.get(world.iid(A))
        line.state_event = "close"
        line.save()

    faults = world.server.faults
    faults.before("POST", "/approve$", lambda: faults.before("GET", r"/merge_requests/\d+$", withdraw))
    assert rows(world) == [("promote", "unchanged")]
    assert (tags(world), len(ci.posted)) == ([], 0)
    assert world.states() == {"20261120.0": "closed"}


def test_what_nobody_knows_stays_to_be_looked_at_whatever_becomes_of_the_verdict(world: SyncWorld, ci: Jenkins) -> None:
    ci.post = lambda handler: send(handler, 500, b"")
    passed(world)
    assert codes(world) == ["promotion-unknown"]
    world.report(A, "rdo", "failed", run="2")
    assert codes(world) == ["promotion-unknown"]
    world.report(A, "rdo", "passed", run="3")
    assert codes(world) == ["promotion-unknown"]
    assert (len(ci.posted), tags(world)) == (1, ["1/claim"])


def test_two_passes_at_once_call_once(world: SyncWorld, ci: Jenkins) -> None:
    world.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", world.opener.token)
    passed(world)
    both = world.run_twice_at_once(world.gate, "sync")
    assert {code for code, _ in both} <= {0, 1}, both
    assert (len(ci.posted), tags(world)) == (1, ["1/called", "1/claim"])
    assert codes(world) == []


def test_where_the_gate_leads_what_is_promoted_is_merged(world: SyncWorld, ci: Jenkins) -> None:
    configure(world, f'jenkins = {{job = "{ci.address("publish")}"}}', mode="gating")
    ci.post = lambda handler: send(handler, 503, b"")
    passed(world)
    assert rows(world) == [("promote", "failed")]
    assert rows(world) == [("leave", "failed")]
    assert world.states() == {"20261120.0": "opened"}
    git(
        world.folder / "seed",
        "push",
        "--quiet",
        world.project.clone_url_for(world.gate),
        f"HEAD:refs/tags/promotion/{A}/1/called",
    )
    assert rows(world) == [("merge", "changed")]
    assert len(ci.posted) == 1


WAIVED = """\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "tempest.smoke"
reason = "Looked into by hand."
issue = "https://issues.example.org/1"
by = "owner"
expires = 2100-01-01
"""


def test_where_the_gate_leads_nothing_is_promoted_while_a_refused_report_stands(world: SyncWorld, ci: Jenkins) -> None:
    configure(world, f'jenkins = {{job = "{ci.address("publish")}"}}', mode="gating")
    passed(world)
    world.push_broken(world.rdo, A)
    values = {"file_path": "gate/waivers.toml", "branch": "main", "content": WAIVED, "commit_message": "Waive"}
    world.client.projects.get(world.project.id).files.create(values)
    assert codes(world) == ["refused-report"]
    assert (ci.posted, tags(world), world.states()) == ([], [], {"20261120.0": "opened"})
    world.report(A, "rdo", "passed", run="2")
    assert rows(world) == [("promote", "changed"), ("merge", "changed")]


def test_where_the_gate_leads_it_is_promoted_and_merged_in_one_pass(world: SyncWorld, ci: Jenkins) -> None:
    configure(world, f'jenkins = {{job = "{ci.address("publish")}"}}', mode="gating")
    passed(world)
    assert rows(world) == [("promote", "changed"), ("merge", "changed")]
    assert (len(ci.posted), world.states()) == (1, {"20261120.0": "merged"})


class Killed:
    """A pass in a process of its own, which is killed at some point."""

    def __init__(self, world: SyncWorld) -> None:
        self._world = world
        self._process: subprocess.Popen[str] | None = None
        world.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", world.opener.token)

    def now(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def run(self) -> int:
        """Run it, and give how it ended."""
        self._process = self._world.start(self._world.gate, "sync")
        self._process.communicate()
        return self._process.returncode


@pytest.mark.parametrize(
    ("push", "applied", "calls", "problem", "left"),
    [
        (1, False, 1, [], ["1/called", "1/claim"]),
        (1, True, 0, ["promotion-unknown"], ["1/claim"]),
        (2, False, 1, ["promotion-unknown"], ["1/claim"]),
        (2, True, 1, [], ["1/called", "1/claim"]),
    ],
)
def test_killed_at_each_push_it_never_calls_twice(  # noqa: PLR0913  # what comes of each
    world: SyncWorld,
    ci: Jenkins,
    push: int,
    *,
    applied: bool,
    calls: int,
    problem: list[str],
    left: list[str],
) -> None:
    passed(world)
    killed = Killed(world)

    def die() -> None:
        killed.now()
        if not applied:
            raise ConnectionAbortedError

    for _ in range(push - 1):
        world.server.faults.before("POST", "git-receive-pack$", lambda: None)
    world.server.faults.before("POST", "git-receive-pack$", die)
    assert killed.run() == -9
    world.server.faults.clear()
    assert codes(world) == problem
    assert codes(world) == problem
    assert (len(ci.posted), tags(world)) == (calls, left)


def test_killed_while_it_calls_it_never_calls_again(world: SyncWorld, ci: Jenkins) -> None:
    passed(world)
    killed = Killed(world)
    ci.post = lambda _: killed.now()
    assert killed.run() == -9
    ci.post = None
    assert codes(world) == ["promotion-unknown"]
    assert (len(ci.posted), tags(world)) == (1, ["1/claim"])


def test_killed_while_a_command_runs_it_never_runs_it_again(world: SyncWorld) -> None:
    said = world.folder / "said"
    script = "import os,sys; print('called', file=open(sys.argv[1], 'a')); os.kill(os.getppid(), 9)"
    configure(world, f"command = {json.dumps([sys.executable, '-c', script, str(said)])}")
    passed(world)
    assert Killed(world).run() == -9
    assert codes(world) == ["promotion-unknown"]
    assert (said.read_text(), tags(world)) == ("called\n", ["1/claim"])


@pytest.mark.parametrize("push", [1, 2])
@pytest.mark.parametrize("kind", ["500", "reset", "apply-then-drop"])
def test_a_push_whose_answer_is_lost_changes_nothing(world: SyncWorld, ci: Jenkins, push: int, kind: Kind) -> None:
    passed(world)
    for _ in range(push - 1):
        world.server.faults.before("POST", "git-receive-pack$", lambda: None)
    world.server.faults.add(kind, method="POST", path="git-receive-pack$")
    assert world.sync()[0] == 0
    assert (len(ci.posted), tags(world)) == (1, ["1/called", "1/claim"])


def test_records_are_for_maintainers_once_the_project_is_set_up(world: SyncWorld) -> None:
    owner = world.server.create_user(f"owner-of-{world.folder.name}", admin=True)
    url = world.project.clone_url_for(world.rdo)
    ref = f"refs/tags/promotion/{A}/1/claim"
    _, out, _ = world.run(owner, "doctor")
    assert "promotion-tags-unprotected" in out
    _, out, _ = world.run(owner, "setup")
    assert "protect tags promotion/*: create Maintainers" in out
    _, out, _ = world.run(owner, "doctor")
    assert "promotion-tags" not in out
    with pytest.raises(subprocess.CalledProcessError) as caught:
        git(world.folder / "seed", "push", url, f"HEAD:{ref}")
    assert b"not allowed to create this tag as it is protected" in caught.value.stderr
    passed(world)
    assert world.sync()[0] == 0
    for refspec, words in ((f":{ref}", b"only delete protected tags using"), (f"+HEAD:{ref}", b"cannot be updated")):
        with pytest.raises(subprocess.CalledProcessError) as caught:
            git(world.folder / "seed", "push", world.project.clone_url_for(world.gate), refspec)
        assert words in caught.value.stderr
    project = world.client.projects.get(world.project.id)
    project.tags.delete(f"promotion/{A}/1/claim")
    assert tags(world) == ["1/called"]


def test_a_tag_rule_that_lets_developers_in_is_taken_away(world: SyncWorld) -> None:
    owner = world.server.create_user(f"owner-of-{world.folder.name}", admin=True)
    project = world.client.projects.get(world.project.id)
    project.protectedtags.create({"name": "promotion/*", "create_access_level": 30})
    project.protectedtags.create({"name": "*", "create_access_level": 30})
    _, out, _ = world.run(owner, "doctor")
    assert out.count("Developers may create tags") == 2
    world.run(owner, "setup")
    rules = {
        rule.name: rule.create_access_levels[0]["access_level"] for rule in project.protectedtags.list(get_all=True)
    }
    assert rules == {"promotion/*": 40}


def test_a_command_that_takes_too_long_is_ended_and_nobody_knows(tmp_path: Path) -> None:
    script = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    hook = CommandHook(command=(sys.executable, "-c", script, str(tmp_path / "said")))
    told = call(Promote(call="promotion/x/1", hook=hook, target=Sha("0" * 40), told=()), RunningClock(), seconds=2)
    assert (told.done, told.said) == (None, "it was ended after 2 seconds")


@pytest.mark.parametrize("trusted", [False, True])
def test_a_server_that_nobody_vouches_for_is_told_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require_tool: Callable[[str, str], str], *, trusted: bool
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    openssl, key, certificate = require_tool("openssl", "the system's package openssl has it"), *_files(tmp_path)
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *request, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with jenkins(context) as ci:
        hook = JenkinsHook(job=ci.address("publish"))
        told = call(Promote(call="promotion/x/1", hook=hook, target=Sha("0" * 40), told=()), RunningClock())
        assert (told.done, len(ci.posted)) == (trusted, int(trusted))


def _files(folder: Path) -> tuple[str, str]:
    return str(folder / "key.pem"), str(folder / "certificate.pem")
