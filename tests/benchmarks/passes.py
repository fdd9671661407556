"""What a pass of `sync` costs GitLab and whoever waits for it, and how long a message takes to the merge request."""

import argparse
import contextlib
import datetime as dt
import io
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from broker import SECONDS, Broker, Bus, wait_for

from benchmarks.figure import Figure
from compose_demo import gate_files
from compose_demo.stage import Stage, stage
from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.passes.sync import sync
from compose_repo.passes.tools import Tools
from compose_repo.passes.work import connected, opener_beside
from compose_repo.ports.clock import Clock
from compose_repo.ports.compose_root import compose_root
from compose_repo.ports.console import Console
from compose_repo.ports.gitlab.pace import SPAN, Pace, Paces
from compose_repo.ports.http import Document, Http, Limits, Patience
from compose_repo.ports.productmd.reading import read_compose
from sample_composes.sample import SampleSpec, write_compose
from skipping_clock import RunningClock

ROOT: Final = Path(__file__).resolve().parents[2]
COMPOSES: Final = [f"CentOS-Stream-10-{dt.date(2026, 5, 1) + dt.timedelta(days=day):%Y%m%d}.0" for day in range(200)]
IDLE: Final = 30
HANGS: Final = 3.0
"""For how many seconds a server may be silent where it hangs."""
UNSEEN: Final = 5
AT_ONCE: Final = 100
"""How many merge requests a pass may open at most."""
MESSAGES: Final = 21
TOPIC: Final = "org.centos.prod.ci.productmd-compose.test.complete"
POLICY: Final = """\
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = "tempest.smoke.functional"
arches = ["x86_64"]
why = "{why}"
"""
MORE: Final = '[[requirement]]\norigin = "idm"\ntestcase = "ipa.install"\nwhy = "It installs."\n'


class Recorded(Pace):
    """A pace that writes down when each request was over, by skipped time, and whether it wrote a note."""

    def __init__(self, skipping: Clock) -> None:
        super().__init__(skipping)
        self._skipping = skipping
        self.requests: list[float] = []
        self.notes: list[float] = []

    @contextmanager
    def turn(self, method: str, path: str, told: Callable[[float], None]) -> Iterator[None]:
        with super().turn(method, path, told):
            yield
        self.requests.append(self._skipping.monotonic())
        if method.upper() != "GET" and "/notes" in path:
            self.notes.append(self._skipping.monotonic())


def bench_passes(folder: Path) -> list[Figure]:
    """Count what an idle pass asks, time it after 10 and 1,000 merged composes, and pace one in which all changes."""
    skipping = RunningClock()
    with (
        stage(folder / "few", repository=ROOT, ci=None, port=0) as few,
        stage(folder / "many", repository=ROOT, ci=None, port=0) as many,
    ):
        for playing, merged in ((few, 10), (many, 1_000)):
            _set_rules(playing, POLICY.format(why="It must."), merged=merged)
            _open(playing, COMPOSES[:IDLE], skipping)
        figures = [_idle(many), *_growth(few, many), _hanging(few, skipping)]
        throttle = few.gitlab.throttle
        throttle.notes, throttle.requests, throttle.clock = 60, 2_000, skipping.monotonic
        few.gitlab.requests.clear()
        for begin in range(IDLE, len(COMPOSES), AT_ONCE):
            _open(few, COMPOSES[begin : begin + AT_ONCE], skipping)
        _set_rules(few, POLICY.format(why="It must.") + MORE, merged=0)
        return [*figures, *_changes(few, skipping)]


def _idle(playing: Stage) -> Figure:
    """Count what a pass asks for in which nothing has changed."""
    playing.gitlab.requests.clear()
    said = _pass(playing)
    entries = [entry for entry in playing.gitlab.requests.entries if ".git/" not in entry.path]
    git = len(playing.gitlab.requests.entries) - len(entries)
    writes = sum(entry.writes for entry in entries)
    if f"{IDLE} unchanged" not in said or writes:
        raise SystemExit(f"the pass was not idle, {writes} writes:\n{said}")
    routes = Counter(f"{entry.method} {entry.route}" for entry in entries)
    return Figure(
        what=f"requests of a pass over {IDLE} in which nothing changed",
        value=len(entries),
        limit=2 + 2 * IDLE,
        unit="",
        detail=f"{writes} writes; beside these {git} of git",
        more=tuple(f"{count:>4} {route}" for route, count in routes.most_common()),
    )


def _growth(few: Stage, many: Stage) -> list[Figure]:
    """Time whole passes in turn, so that a busy machine slows both alike."""
    spent: dict[str, list[float]] = {"few": [], "many": []}
    asked: dict[str, int] = {}
    for round_ in range(12):
        for name, playing in (("few", few), ("many", many)):
            playing.gitlab.requests.clear()
            begun = time.perf_counter()
            _pass(playing)
            taken = time.perf_counter() - begun
            asked[name] = len(playing.gitlab.requests.entries)
            if round_:
                spent[name].append(taken)
    ours, base = statistics.median(spent["many"]), statistics.median(spent["few"])
    what = "pass after 1,000 merged composes / after 10"
    return [
        Figure(
            what=f"{what}: time", value=ours / base, limit=1.2, detail=f"{ours * 1000:.0f} ms, {base * 1000:.0f} ms"
        ),
        Figure(
            what=f"{what}: requests",
            value=asked["many"] / asked["few"],
            limit=1.2,
            detail=f"{asked['many']}, {asked['few']}, git's among them",
        ),
    ]


def _hanging(playing: Stage, skipping: RunningClock) -> Figure:
    """Let the compose server hang, with composes that nobody has seen, and see how much longer a pass takes."""
    begun = skipping.monotonic()
    _in_process(playing, skipping)
    usual = skipping.monotonic() - begun
    unseen = [
        write_compose(playing.server.composes, SampleSpec.create(compose_id, srpms=12))
        for compose_id in COMPOSES[IDLE : IDLE + UNSEEN]
    ]
    begun = skipping.monotonic()
    _in_process(playing, skipping, hanging=True)
    longer = skipping.monotonic() - begun - usual
    for folder in unseen:
        shutil.rmtree(folder)
    return Figure(
        what="a pass with a hanging server: how much longer",
        value=longer / HANGS,
        limit=1.1,
        detail=f"{longer:.1f} s, in time limits of {HANGS:g} s; a tenth is for the machine",
    )


def _changes(playing: Stage, skipping: RunningClock) -> list[Figure]:
    """Let a pass write on every merge request."""
    begun, skipped = time.monotonic(), skipping.skipped
    paces = _in_process(playing, skipping)
    worked, waited = time.monotonic() - begun, skipping.skipped - skipped
    notes = sum(len(pace.notes) for pace in paces)
    refused = sum(entry.status == 429 for entry in playing.gitlab.requests.entries)
    if notes != len(COMPOSES):
        raise SystemExit(f"{notes} notes were written, not {len(COMPOSES)}")
    simulated = f"worked {worked:.0f} s, would have waited {waited:.0f} s: the clock skips the waits"
    what = f"pass over {len(COMPOSES)} that all changed"
    return [
        Figure(
            what=f"{what}: most requests in a minute",
            value=max(_most_in_a_minute(pace.requests) for pace in paces),
            limit=2_000,
            unit="/min",
            detail=f"{sum(len(pace.requests) for pace in paces)} in all; {simulated}",
        ),
        Figure(
            what=f"{what}: most notes in a minute",
            value=max(_most_in_a_minute(pace.notes) for pace in paces),
            limit=60,
            unit="/min",
            detail=f"{notes} in all",
        ),
        Figure(
            what="refused (429) in it and in the opening of 170",
            value=refused,
            limit=0,
            unit="",
            detail="by a GitLab that takes 2,000 requests and 60 new notes a minute",
        ),
    ]


def _most_in_a_minute(moments: list[float]) -> int:
    """Count those in the fullest minute."""
    most, begin = 0, 0
    for end, moment in enumerate(moments):
        while moments[begin] <= moment - SPAN:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def bench_message(folder: Path) -> list[Figure]:
    """Take the time from a message on the bus to the note that it has changed; `listen` is a process of its own."""
    programs = [f"{where}/rabbitmq-server" for where in ("/usr/lib/rabbitmq/bin", "/usr/sbin")]
    program = next((one for one in programs if os.access(one, os.X_OK)), None)
    if program is None:
        sys.stdout.write("message to updated merge request: not measured, for rabbitmq-server is missing\n")
        return []
    (folder / "broker").mkdir()
    broker = Broker(program=program, folder=folder / "broker")
    try:
        broker.start()
        with stage(folder / "stage", repository=ROOT, ci=None, port=0) as playing:
            _set_rules(playing, POLICY.format(why="It must."), merged=10)
            _open(playing, COMPOSES[:1], RunningClock())
            bus = Bus(broker=broker, folder=folder)
            bus.declare()
            with _listening(playing, bus):
                taken = [_message(playing, bus, number) for number in range(MESSAGES)][1:]
    finally:
        broker.stop()
    detail = f"{min(taken):.2f} to {max(taken):.2f} s, {len(taken)} messages one after the other"
    return [
        Figure(what="message to updated merge request: median", value=statistics.median(taken), unit="s", detail=detail)
    ]


@contextmanager
def _listening(playing: Stage, bus: Bus) -> Iterator[None]:
    configuration = bus.configuration(pass_every=0)
    environment = playing.scheduled.environment() | {
        "PYTHONPATH": str(ROOT / "scripts"),
        "FEDORA_MESSAGING_CONF": str(configuration),
    }
    command = [sys.executable, "-m", "compose_repo", "listen", "--config", str(configuration)]
    with (bus.folder / "listen.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=playing.scheduled.folder)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


def _message(playing: Stage, bus: Bus, number: int) -> float:
    """Report what turns the verdict over, and wait until the gate's note says it."""
    passed = number % 2 == 0
    body = {
        "contact": {"name": "RDO CI", "team": "RDO", "email": "rdo-ci@example.org"},
        "run": {"url": f"https://ci.example.org/{number}/", "log": f"https://ci.example.org/{number}/log"},
        "artifact": {"type": "productmd-compose", "id": COMPOSES[0], "compose_type": "production"},
        "system": [{"architecture": "x86_64", "variant": "BaseOS"}],
        "test": {
            "namespace": "tempest",
            "type": "smoke",
            "category": "functional",
            "result": "passed" if passed else "failed",
        },
        "generated_at": f"2026-11-20T{number:02}:00:00Z",
        "version": "0.2.5",
    }
    word = "satisfied" if passed else "blocked"
    begun = time.perf_counter()
    bus.send(TOPIC, body)
    wait_for(f"a note that says {word}", lambda: word in _note(playing))
    return time.perf_counter() - begun


def _note(playing: Stage) -> str:
    """Give the first line of the gate's note that people see."""
    address = f"{playing.gitlab.url}/api/v4/projects/{playing.project_id}/merge_requests/1/notes?sort=asc"
    request = urllib.request.Request(address, headers={"PRIVATE-TOKEN": playing.releng.token})  # noqa: S310  # loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        notes = [row["body"] for row in json.loads(answer.read()) if not row["system"]]
    lines = notes[0].splitlines() if notes else []
    return next((line.lower() for line in lines if line.startswith("#")), "")


def _set_rules(playing: Stage, policy: str, *, merged: int) -> None:
    """Write the rules, and so many merged composes, to main."""
    folder = playing.releng.folder
    stream = ComposeId.parse(COMPOSES[0]).stream
    mapping = 'users = ["rdo-ci"]\nbus = [{topic = "org.centos.prod.ci", ci = "RDO CI"}]'
    streams = gate_files.streams(stream, playing.server.url).replace("\n[bots]", f"open_at_most = {AT_ONCE}\n\n[bots]")
    for name, text in {
        "origins": gate_files.ORIGINS.replace('users = ["rdo-ci"]', mapping),
        "policy": policy,
        "waivers": gate_files.NO_WAIVERS,
        "streams": streams,
    }.items():
        (folder / "gate" / f"{name}.toml").write_text(text, encoding="utf-8")
    manifest = _manifest(playing) if merged else {}
    for number in range(merged):
        day = dt.date(2023, 1, 1) + dt.timedelta(days=number)
        compose_id = f"CentOS-Stream-10-{day:%Y%m%d}.0"
        target = folder / "composes" / compose_id
        target.mkdir(parents=True)
        compose = manifest["compose"] | {"id": compose_id, "date": str(day)}
        (target / "manifest.json").write_bytes(Manifest.from_dict(manifest | {"compose": compose}).to_bytes())
    for argv in (["add", "--all"], ["commit", "-qm", "Set the rules"], ["push", "-q", "origin", "HEAD:main"]):
        done = playing.releng.git(*argv)
        if done.code:
            raise SystemExit(done.err)


def _manifest(playing: Stage) -> dict[str, Any]:
    root = write_compose(playing.server.workshop, SampleSpec.create("CentOS-Stream-10-20230101.0", srpms=12))
    return Manifest.from_compose(read_compose(compose_root(str(root), timeout=1), location=None)).to_dict()


def _open(playing: Stage, composes: list[str], skipping: RunningClock) -> None:
    """Let composes appear and a pass open them all."""
    for compose_id in composes:
        write_compose(playing.server.composes, SampleSpec.create(compose_id, srpms=12))
    _in_process(playing, skipping)


def _pass(playing: Stage) -> str:
    """Run a pass as the schedule does, in a process of its own, and give what it says."""
    done = playing.scheduled.compose_repo("sync")
    if done.code:
        raise SystemExit(f"the pass ended with {done.code}:\n{done.out}{done.err}")
    return done.out


class Hanging(Http):
    """Reads lists and mirrors as ever, and composes from a server that takes connections and says nothing."""

    def __init__(self, silent: str, limits: Limits, *, clock: Clock, patience: Patience) -> None:
        super().__init__(limits, clock=clock, patience=patience)
        self._silent = silent

    def get(self, url: str, limit: int) -> Document | None:
        """Ask the silent server for every compose that is listed."""
        path = urllib.parse.urlsplit(url).path
        return super().get(f"{self._silent}{path}" if "/CentOS-Stream-" in path else url, limit)


@contextmanager
def _silence() -> Iterator[str]:
    """Give the address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _in_process(playing: Stage, skipping: RunningClock, *, hanging: bool = False) -> list[Recorded]:
    """Run a pass whose pace goes by skipped time; give the paces of its accounts.

    Where composes are `hanging`, what cannot be read is no mistake.
    """
    made: list[Recorded] = []

    def make(clock: Clock) -> Pace:
        made.append(Recorded(clock))
        return made[-1]

    arguments = argparse.Namespace(repo=playing.scheduled.folder, now=None, format="json")
    before = dict(os.environ)
    os.environ |= playing.scheduled.environment()
    try:
        with (
            contextlib.redirect_stderr(io.StringIO()) as said,
            connected(arguments.repo, Console(clock=skipping), now=arguments.now, paces=Paces(skipping, make)) as work,
            opener_beside(work) as opener,
            contextlib.ExitStack() as stack,
        ):
            silent = stack.enter_context(_silence())
            patient = Patience(HANGS, skipping)
            limits = Limits(timeout=HANGS, total=20 * HANGS)
            usual = Http(limits, clock=skipping)
            http = Hanging(silent, limits, clock=skipping, patience=patient) if hanging else usual
            report = sync(Tools(work=work, opener=opener, http=http, index_http=http))
    finally:
        os.environ.clear()
        os.environ.update(before)
    if report.failed and not hanging:
        raise SystemExit(f"the pass has failed: {report.summary}\n{said.getvalue()}")
    return made
