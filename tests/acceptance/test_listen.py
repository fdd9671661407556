"""`compose-repo listen` as people run it: a real RabbitMQ, real fedora-messaging, and a GitLab on loopback."""

import contextlib
import copy
import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from broker import SECONDS, Broker, Bus, wait_for
from test_main_path import ID, NEWER, ROOT, World, git, server, world

__all__ = ["server", "world"]

pytestmark = pytest.mark.xdist_group("broker")

STATUS: Final = "org.centos.prod.pungi.compose.status.change"
TEST: Final = "org.centos.prod.ci.productmd-compose.test."
BODY: Final[dict[str, Any]] = {
    "contact": {"name": "RDO CI", "team": "RDO", "email": "rdo-ci@example.org"},
    "run": {"url": "https://ci.example.org/8841/", "log": "https://ci.example.org/8841/log"},
    "artifact": {"type": "productmd-compose", "id": ID, "compose_type": "production"},
    "system": [{"architecture": "x86_64", "variant": "BaseOS"}, {"architecture": "aarch64", "variant": "BaseOS"}],
    "test": {"namespace": "tempest", "type": "smoke", "category": "functional", "result": "passed"},
    "generated_at": "2026-11-20T06:32:11Z",
    "version": "0.2.5",
}
POLICY: Final = """\
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = "tempest.smoke.functional"
why = "OpenStack installs."
"""
MAPPING: Final = 'users = ["rdo-ci"]\nbus = [{topic = "org.centos.prod.ci", ci = "RDO CI"}]'


def body(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON values
    """Give the body of a report, with some fields of `test` changed, or others of the body."""
    made = copy.deepcopy(BODY)
    for name, value in changes.items():
        (made["test"] if name in {"result", "namespace"} else made)[name] = value
    return made


@pytest.fixture(scope="module")
def broker(require_tool: Callable[[str, str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    for folder in ("/usr/lib/rabbitmq/bin", "/usr/sbin"):  # the first does not insist on being root
        if os.access(f"{folder}/rabbitmq-server", os.X_OK):
            program = f"{folder}/rabbitmq-server"
            break
    else:
        program = require_tool("rabbitmq-server", "on Debian: apt-get install rabbitmq-server")
    one = Broker(program=program, folder=tmp_path_factory.mktemp("rabbitmq"))
    try:
        one.start()
        yield one
    finally:
        one.stop()


@pytest.fixture
def bus(request: pytest.FixtureRequest, broker: Broker, tmp_path: Path) -> Iterator[Bus]:
    one = Bus(broker=broker, folder=tmp_path, arguments=getattr(request, "param", {}))
    one.declare()
    yield one
    one.delete()


@dataclass
class Place:
    """A GitLab with a bus beside it, and whoever listens."""

    world: World
    bus: Bus
    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def prepare(self) -> None:
        """Let the origin rdo be reported for by the bus, and ask for what it reports."""
        clone = self.world.folder / "prepare"
        owner = self.world.server.create_user(f"maintainer-{self.bus.name}", admin=True)
        git(self.world.folder, "clone", "--quiet", self.world.project.clone_url_for(owner), str(clone))
        origins = clone / "gate" / "origins.toml"
        origins.write_text(origins.read_text().replace('users = ["rdo-ci"]', MAPPING))
        (clone / "gate" / "policy.toml").write_text(POLICY)
        streams, web = clone / "gate" / "streams.toml", self.world.folder / "web"
        streams.write_text(streams.read_text().replace(f'{self.world.web}/"', f'file://{web}/"'))
        git(clone, "commit", "--quiet", "--all", "--message", "Listen")
        git(clone, "push", "--quiet", "origin", "HEAD:main")

    def listen(  # how, and with which settings
        self,
        *command: str,
        gate: str | None = None,
        opener: str | None = None,
        **settings: Any,  # noqa: ANN401  # TOML values
    ) -> "subprocess.Popen[bytes]":
        configuration = self.bus.configuration(**{"longest_wait": 1, "pass_every": 0, **settings})
        variables = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR", "LANG"}},
            "COMPOSE_REPO_URL": self.world.server.url,
            "COMPOSE_REPO_PROJECT": self.world.project.path,
            "COMPOSE_REPO_TOKEN": self.world.gate.token if gate is None else gate,
            "COMPOSE_REPO_OPENER_TOKEN": self.world.opener.token if opener is None else opener,
            "FEDORA_MESSAGING_CONF": str(configuration),
            "PYTHONPATH": str(ROOT / "scripts"),
        }
        given = command or ("-m", "compose_repo", "listen", "--config", str(configuration), "--verbose")
        with (self.bus.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *given], env=variables, stdout=log, stderr=log, cwd=self.world.folder
            )
        self.running.append(process)
        return process

    def log(self) -> str:
        return (self.bus.folder / "log").read_text(errors="replace")

    def said(self, words: str, times: int = 1) -> None:
        """Wait until it has been said."""
        try:
            wait_for(words, lambda: self.log().count(words) >= times)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-6000:]}") from error

    def idle(self) -> None:
        """Wait until everything that was sent has been dealt with."""
        wait_for("an empty queue", lambda: self.bus.count(self.bus.queue) == 0)

    def results(self) -> list[str]:
        """Give the names of rdo's results on the branch."""
        project = self.world.client.projects.get(self.world.project.id)
        path = f"composes/{ID}/results/rdo"
        return sorted(row["name"] for row in project.repository_tree(path, ref=f"compose/{ID}", get_all=True))

    def commits(self) -> int:
        project = self.world.client.projects.get(self.world.project.id)
        return len(project.commits.list(ref_name=f"compose/{ID}", get_all=True))

    def merge_requests(self) -> list[str]:
        project = self.world.client.projects.get(self.world.project.id)
        return [line.title for line in project.mergerequests.list(get_all=True)]

    def stop(self) -> None:
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.fixture
def place(world: World, bus: Bus) -> Iterator[Place]:  # the fixture of that name
    one = Place(world=world, bus=bus)
    one.prepare()
    world.open()
    yield one
    one.stop()


@pytest.mark.smoke
def test_a_report_becomes_a_result_the_gate_counts_and_the_verdict_is_told(place: Place) -> None:
    running = place.listen()
    for state in ("queued", "running"):
        place.bus.send(TEST + state, body())
    place.bus.send(TEST + "complete", body(generated_at="2026-11-20T07:00:00Z"))
    place.said("is satisfied")
    assert [name.rpartition("-")[0] for name in place.results()] == ["bus-complete", "bus-queued", "bus-running"]
    assert place.world.approvers() == ["gate-bot"]
    told = [json.loads(place.bus.take(place.bus.told)[1]) for _ in range(2)]
    assert [(row["old"], row["new"]) for row in told] == [(None, "pending"), ("pending", "satisfied")]
    assert {row["compose_id"] for row in told} == {ID}
    assert told[0]["url"] == place.world.api().web_url
    assert place.bus.count(place.bus.dead) == 0
    running.send_signal(signal.SIGTERM)
    assert running.wait(SECONDS) == 0
    assert place.bus.count(place.bus.told) == 0
    assert len(place.world.notes()) == 1


def test_a_message_that_comes_twice_is_one_result_and_one_change(place: Place) -> None:
    before = place.commits()
    place.world.server.faults.add("apply-then-drop", method="POST", path="/repository/commits$")
    place.listen()
    for _ in range(2):
        place.bus.send(TEST + "complete", body(), message_id="the-same")
    place.said("the-same on org.centos.prod.ci.productmd-compose.test.complete: done", times=2)
    assert len(place.results()) == 1
    assert place.commits() == before + 1
    assert json.loads(place.bus.take(place.bus.told)[1])["new"] == "satisfied"
    assert place.bus.count(place.bus.told) == 0


@pytest.mark.parametrize("bus", [{"x-queue-type": "quorum"}], indirect=True)
def test_who_is_killed_at_any_write_leaves_the_same_state_when_the_message_comes_again(place: Place) -> None:
    """The kill comes before the request is looked at, and GitLab does it all the same: nobody hears the answer."""
    place.bus.send(TEST + "complete", body(), message_id="once")
    for method, path in (
        ("POST", "/repository/commits$"),
        ("POST", "/statuses/"),
        ("POST", "/notes$"),
        ("POST", "/approve$"),
        ("PUT", "/notes/"),  # the change has been told; that it has been is about to be written down
    ):
        running = place.listen()
        place.world.server.faults.before(method, path, running.kill)
        assert running.wait(SECONDS) == -signal.SIGKILL, (method, path, place.log())
        place.world.server.faults.clear()
    place.listen()
    place.said("once on org.centos.prod.ci.productmd-compose.test.complete: done")
    assert len(place.results()) == 1
    assert (len(place.world.notes()), place.world.approvers()) == (1, ["gate-bot"])
    assert [state for state, _ in place.world.statuses()] == ["success"]
    told = [place.bus.take(place.bus.told) for _ in range(place.bus.count(place.bus.told))]
    assert len({properties.message_id for properties, _ in told}) == 1
    assert place.bus.count(place.bus.dead) == 0


@pytest.mark.parametrize("bus", [{"x-queue-type": "quorum", "x-delivery-limit": 1}], indirect=True)
def test_a_message_that_kills_whoever_handles_it_is_dead_lettered_by_a_quorum_queue(place: Place) -> None:
    place.bus.send(TEST + "complete", body(), message_id="deadly")
    for _ in range(2):
        running = place.listen()
        place.world.server.faults.before("POST", "/repository/commits$", running.kill)
        place.world.server.faults.before("GET", "/events", running.kill)
        assert running.wait(SECONDS) == -signal.SIGKILL
        place.world.server.faults.clear()
    properties, _ = place.bus.take(place.bus.dead)
    assert properties.message_id == "deadly"
    assert properties.headers["x-death"][0]["reason"] == "delivery_limit"


def test_listening_goes_on_when_the_broker_has_been_away(place: Place) -> None:
    place.listen()
    place.said("Successfully registered AMQP consumer")
    place.bus.broker.stop()
    place.bus.broker.start()
    place.bus.send(TEST + "complete", body(), message_id="afterwards")
    place.said("afterwards on org.centos.prod.ci.productmd-compose.test.complete: done")
    assert len(place.results()) == 1


def test_a_message_that_the_broker_dies_under_comes_again_and_is_one_result(place: Place) -> None:
    """What was done for it is done already when it is delivered again; nothing could be acknowledged or told."""

    def restart() -> None:
        place.bus.broker.stop()
        place.bus.broker.start()

    before = place.commits()
    place.world.server.faults.before("POST", "/repository/commits$", restart)
    place.listen()
    place.bus.send(TEST + "complete", body(), message_id="in-flight")
    place.said("in-flight on org.centos.prod.ci.productmd-compose.test.complete: done")
    wait_for("the change to be told", lambda: place.bus.count(place.bus.told) > 0)
    place.idle()
    assert (len(place.results()), place.commits()) == (1, before + 1)
    assert (len(place.world.notes()), place.world.approvers()) == (1, ["gate-bot"])
    told = [place.bus.take(place.bus.told) for _ in range(place.bus.count(place.bus.told))]
    assert {(properties.message_id, json.loads(raw)["new"]) for properties, raw in told} == {
        (told[0][0].message_id, "satisfied")
    }
    assert place.bus.count(place.bus.dead) == 0
    place.said("in-flight on org.centos.prod.ci.productmd-compose.test.complete: done", times=2)


DEEP: Final = b"[" * 100_000
POISON: Final[list[tuple[str, str, object, dict[str, Any]]]] = [
    ("not-json", "complete", b"{", {}),
    ("not-utf8", "complete", b"\xff", {}),
    ("too-deep", "complete", DEEP, {}),
    ("wrong-type", "complete", {"contact": DEEP.decode()[:50]}, {}),
    ("unreadable-message", "complete", {}, {"content_encoding": "no-such-code"}),
    ("unreadable-message", "complete", {}, {"headers": {"fedora_messaging_schema": ["a", "list"]}}),
    ("file-too-large", "complete", b" " * (1024 * 1024 + 1), {}),
    ("missing-field", "error", {}, {}),
    ("unknown-origin", "complete", {**BODY, "contact": {"name": "Somebody"}}, {}),
    ("unknown-arch", "complete", {**BODY, "system": [{"architecture": "s390x"}]}, {}),
    ("future-time", "complete", {**BODY, "generated_at": "2999-01-01T00:00:00Z"}, {}),
]


def test_what_cannot_be_used_is_dead_lettered_once_with_the_reason_told(place: Place) -> None:
    for number, (_, state, sent, properties) in enumerate(POISON):
        place.bus.send(TEST + state, sent, message_id=f"poison-{number}", **properties)
    place.bus.send(TEST + "complete", body(), message_id="good")
    running = place.listen()
    place.said("good on org.centos.prod.ci.productmd-compose.test.complete: done")
    assert running.poll() is None
    dead = [place.bus.take(place.bus.dead) for _ in POISON]
    assert [properties.message_id for properties, _ in dead] == [f"poison-{number}" for number in range(len(POISON))]
    assert {properties.headers["x-death"][0]["reason"] for properties, _ in dead} == {"rejected"}
    assert dead[0][1] == b"{"
    assert place.bus.count(place.bus.dead) == 0
    told = [json.loads(place.bus.take(place.bus.told)[1]) for _ in range(len(POISON) + 1)]
    reasons = {row["id"]: [one["code"] for one in row["problems"]] for row in told if "problems" in row}
    assert [code in reasons[f"poison-{number}"] for number, (code, *_) in enumerate(POISON)] == [True] * len(POISON)
    assert len(place.results()) == 1


def test_what_keeps_failing_is_dead_lettered_in_the_end(place: Place) -> None:
    artifact = {"type": "productmd-compose", "id": NEWER}
    place.bus.send(TEST + "complete", body(artifact=artifact), message_id="early")
    place.bus.send(TEST + "complete", body(), message_id="good")
    place.listen(tries=3, longest_wait=0)
    properties, _ = place.bus.take(place.bus.dead)
    assert properties.message_id == "early"
    place.said(f"kept-failing: tried 3 times: {NEWER} has no merge request yet")
    place.said("good on org.centos.prod.ci.productmd-compose.test.complete: done")


def test_a_result_that_somebody_has_put_there_is_not_overwritten(place: Place) -> None:
    place.listen()
    place.bus.send(TEST + "complete", body(), message_id="first")
    place.said("first on org.centos.prod.ci.productmd-compose.test.complete: done")
    (name,) = place.results()
    clone = place.world.clone(place.world.rdo)
    path = clone / "composes" / ID / "results" / "rdo" / name
    before = path.read_bytes()
    path.write_bytes(before.replace(b"passed", b"failed"))
    git(clone, "commit", "--quiet", "--all", "--message", "Other")
    git(clone, "push", "--quiet", "origin", f"HEAD:compose/{ID}")
    place.bus.send(TEST + "complete", body(), message_id="first")
    properties, _ = place.bus.take(place.bus.dead)
    assert properties.message_id == "first"
    place.said("changed-result")


def test_a_compose_that_has_finished_is_opened_and_others_are_left_alone(place: Place) -> None:
    location = f"{place.world.web}/{NEWER}/compose"
    place.bus.send(STATUS, {"compose_id": "Fedora-Rawhide-20180426.n.0", "status": "FINISHED", "location": location})
    for other in ("MYPRODUCT-2.1-RHEL-7-20161110.t.0", "Fedora-27-updates-20180412.0"):
        place.bus.send(STATUS, {"compose_id": other, "status": "FINISHED", "location": location})
    of_another = {"type": "productmd-compose", "id": "Fedora-Rawhide-20180426.n.0"}
    place.bus.send(TEST + "complete", {"artifact": of_another})
    place.bus.send(STATUS, {"compose_id": NEWER, "status": "STARTED", "location": location})
    place.bus.send("org.centos.prod.git.push", {"anything": "else"})
    place.bus.send(STATUS, {"compose_id": NEWER, "status": "FINISHED", "location": location}, message_id="finished")
    consume = "from fedora_messaging.cli import cli; cli()"
    place.listen("-c", consume, "consume", "--callback", "compose_repo.passes.listening:Listener")
    wait_for("a merge request", lambda: len(place.merge_requests()) == 2)
    place.idle()
    assert json.loads(place.bus.take(place.bus.told)[1])["compose_id"] == NEWER
    assert place.bus.count(place.bus.dead) == 0


def test_a_verdict_that_changed_without_a_message_is_told_when_listening_begins(place: Place) -> None:
    place.listen(pass_every=3600)
    told = [json.loads(place.bus.take(place.bus.told)[1]) for _ in range(3)]
    assert {(row["old"], row["new"]) for row in told} == {(None, "pending")}
    assert ID in {row["compose_id"] for row in told}
    place.idle()


def test_that_a_hold_begins_and_ends_is_told(place: Place) -> None:
    files = place.world.client.projects.get(place.world.project.id).files
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date().isoformat()
    entry = '[[hold]]\nstream = "CentOS-Stream-10"\nreason = "It eats discs."\nissue = "https://i.example.org/1"\n'
    text = f'schema = "holds/1"\n{entry}by = "jdoe"\nuntil = {until}\n'
    values = {"file_path": "gate/holds.toml", "branch": "main", "content": text, "commit_message": "Hold"}
    file = files.create(values)
    held = {"reason": "It eats discs.", "issue": "https://i.example.org/1", "by": "jdoe", "until": until}
    place.listen()
    place.bus.send(TEST + "complete", body())
    first = json.loads(place.bus.take(place.bus.told)[1])
    assert (first["old"], first["new"], first["held"]) == (None, "satisfied", held)
    file.content = 'schema = "holds/1"\n'
    file.save(branch="main", commit_message="Lift")
    place.bus.send(TEST + "complete", body(generated_at="2026-11-20T08:00:00Z"), message_id="another")
    then = json.loads(place.bus.take(place.bus.told)[1])
    assert (then["old"], then["new"], then["held"]) == ("satisfied", "satisfied", None)


def test_who_cannot_listen_says_why_in_one_line(place: Place) -> None:
    place.world.server.requests.clear()
    assert place.listen(opener="").wait(SECONDS) == 2
    assert place.listen(opener=place.world.rdo.token).wait(SECONDS) == 2
    assert place.listen(gate=place.world.rdo.token).wait(SECONDS) == 2
    assert place.listen(tires=3).wait(SECONDS) == 2
    place.bus.arguments = {"x-max-length": 7}
    assert place.listen().wait(SECONDS) == 2
    told = [line for line in place.log().splitlines() if line.startswith("compose-repo listen: ")]
    assert [re.split(r"; | \(\[", line.partition(": ")[2])[0] for line in told[:4]] == [
        "COMPOSE_REPO_OPENER_TOKEN is not set: it is the compose bot's token",
        "COMPOSE_REPO_OPENER_TOKEN belongs to rdo-ci, but compose-bot opens composes",
        "COMPOSE_REPO_TOKEN belongs to rdo-ci, but gate-bot approves and merges",
        "[consumer_config] has no setting 'tires'",
    ]
    assert "PRECONDITION_FAILED" in told[4]
    assert "guest:guest" not in place.log()
    assert "Traceback" not in place.log()
    assert place.world.writes() == []
