"""`compose-repo listen` as people run it: a real RabbitMQ, real fedora-messaging, and a GitLab on loopback."""

import contextlib
import copy
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from broker import SECONDS, Broker, Bus, wait_for
from test_main_path import ID, ROOT, World, git, server, world

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
        git(clone, "commit", "--quiet", "--all", "--message", "Listen")
        git(clone, "push", "--quiet", "origin", "HEAD:main")

    def listen(self, *command: str, **settings: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401  # TOML values
        configuration = self.bus.configuration(**{"longest_wait": 1, **settings})
        variables = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR", "LANG"}},
            "COMPOSE_REPO_URL": self.world.server.url,
            "COMPOSE_REPO_PROJECT": self.world.project.path,
            "COMPOSE_REPO_TOKEN": self.world.gate.token,
            "COMPOSE_REPO_OPENER_TOKEN": self.world.opener.token,
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
