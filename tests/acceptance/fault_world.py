"""Worlds in which one pass of `sync` does everything it can do, to be disturbed; and what is left in the end."""

import difflib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import gitlab
import pytest
from sync_world import ROOT, ListingHandler, SyncWorld, sync_world
from test_main_path import git

from local_gitlab.faults import NO_FETCH, WRITES, LoggedRequest
from local_gitlab.server import LocalGitLab

SHA: Final = re.compile(r"\b[0-9a-f]{7,40}\b")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC|\+00:00)?")


def compose(day: int) -> str:
    """Name the compose of a day."""
    return f"CentOS-Stream-10-202611{day}.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a pass has ended."""

    code: int
    out: str
    err: str


@dataclass
class Spoils:
    """What a compose server and mirror does to its answers: `how` is asked for each, None where all is well.

    Bytes are sent as they are.
    """

    how: Callable[[str], str | bytes | None] = lambda _path: None
    seen: list[str] = field(default_factory=list)
    silence: float = 0.6


class SpoilingHandler(ListingHandler):
    """A compose server that answers wrongly where it is told to."""

    spoils: ClassVar[Spoils]

    def do_GET(self) -> None:  # noqa: N802  # the base class names it
        """Answer, or spoil the answer."""
        kind = self.spoils.how(self.path)
        self.spoils.seen.append(self.path)
        match kind:
            case bytes():
                self.wfile.write(kind)
                self.close_connection = True
            case "endless":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                with suppress(OSError):  # the client goes away
                    while True:
                        self.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            case "dribble":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                with suppress(OSError):
                    while True:
                        self.wfile.write(b" ")
                        time.sleep(0.02)
            case "429" | "500" | "502":
                self.send_response(int(kind))
                self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "reset" | "apply-then-drop":
                self.connection.shutdown(socket.SHUT_RDWR)
            case "apply-then-hang":
                time.sleep(self.spoils.silence)
            case "truncated":
                whole, self.wfile = self.wfile, io.BytesIO()
                super().do_GET()
                said, self.wfile = self.wfile.getvalue(), whole
                head, _, body = said.partition(b"\r\n\r\n")
                self.wfile.write(head + b"\r\n\r\n" + body[: len(body) // 2])
                self.close_connection = True
            case _:
                super().do_GET()


@dataclass
class FaultWorld:
    """A world that is always the same again: GitLab and the compose server are put back before each case."""

    sync: SyncWorld
    kept: Path
    spoils: Spoils
    wanted: dict[str, Any] = field(default_factory=dict)
    asked: list[LoggedRequest] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    _number: int = 0

    @classmethod
    def prepared(
        cls, sync: SyncWorld, prepare: Callable[[SyncWorld], None], kept: Path, spoils: Spoils
    ) -> "FaultWorld":
        """Prepare a world, keep it, and see what an undisturbed pass asks and leaves behind."""
        prepare(sync)
        world = cls(sync, kept, spoils)
        sync.server.take_snapshot(kept / "gitlab")
        shutil.copytree(sync.folder / "web", kept / "web")
        world.again()
        passes(sync)
        world.asked, world.read = sync.server.requests.entries, list(spoils.seen)
        world.wanted = world.state()
        sync.server.requests.clear()
        passes(sync)
        assert world.writes() == [], "a second pass has found something to do"
        return world

    def again(self) -> None:
        """Put everything back."""
        self.spoils.how = lambda _path: None
        self.spoils.seen.clear()
        self.sync.server.bring_back(self.kept / "gitlab")
        for name in ("stream-10", "mirror"):
            shutil.rmtree(self.sync.folder / "web" / name)
            shutil.copytree(self.kept / "web" / name, self.sync.folder / "web" / name)

    def undisturbed(self) -> None:
        """Let everything answer rightly from now on."""
        self.spoils.how = lambda _path: None
        self.sync.server.faults.clear()

    def run(self, *arguments: str) -> Outcome:
        """Run a pass in this process."""
        code, out, err = self.sync.sync(*arguments)
        return Outcome(code=code, out=out, err=err)

    def start(
        self, *arguments: str, program: Sequence[str] = ("-m", "compose_repo"), **variables: str
    ) -> "subprocess.Popen[str]":
        """Run a pass in a process group of its own."""
        self._number += 1
        scratch = self.sync.folder / f"scratch-{self._number}"
        scratch.mkdir()
        world = self.sync
        given = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_REPO_")},
            "COMPOSE_REPO_URL": world.server.url,
            "COMPOSE_REPO_PROJECT": world.project.path,
            "COMPOSE_REPO_TOKEN": world.gate.token,
            "COMPOSE_REPO_OPENER_TOKEN": world.opener.token,
            "PYTHONPATH": str(ROOT / "scripts"),
            "TMPDIR": str(scratch),
            **variables,
        }
        command = [sys.executable, *program, "sync", *arguments, "--repo", str(world.folder / "local.git")]
        return subprocess.Popen(
            command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def end(self, process: "subprocess.Popen[str]") -> Outcome:
        """Wait for a pass."""
        out, err = process.communicate(timeout=120)
        shutil.rmtree(self.sync.folder / f"scratch-{self._number}", ignore_errors=True)
        return Outcome(code=process.returncode, out=out, err=err)

    def killed_at(self, number: int, *, applied: bool) -> Outcome:
        """Run a pass that the server kills at a write, which it has done already or never does."""
        running: list[subprocess.Popen[str]] = []

        def kill() -> None:
            os.killpg(running[0].pid, signal.SIGKILL)
            running[0].wait()

        faults = self.sync.server.faults
        if applied:
            faults.after(WRITES, NO_FETCH, kill, skip=number)
        else:
            faults.before(WRITES, NO_FETCH, kill, skip=number, drop=True)
        running.append(self.start())
        return self.end(running[0])

    def writes(self) -> list[LoggedRequest]:
        """Give the writes since the world was put back."""
        return self.sync.writes()

    def writes_of_a_pass(self) -> list[str]:
        """Name the writes of an undisturbed pass."""
        is_write = [entry for entry in self.asked if entry.writes and re.search(NO_FETCH, entry.path)]
        return [name_of(entry) for entry in is_write]

    # --- what is left

    def state(self) -> dict[str, Any]:
        """Give everything that matters of what is left, in a form in which two runs of the same are equal."""
        self.sync.server._quiet()
        return _State(self.sync).whole()


def name_of(entry: LoggedRequest) -> str:
    """Name a request for whoever reads that a test has failed."""
    _, _, tail = entry.path.partition("?")[0].partition(".git/" if ".git/" in entry.path else "/projects/")
    return f"{entry.method} {tail or entry.path}"


class _State:
    """Reads what a server holds, past its API, so that nothing is hidden; times are left out, commits named by what
    is in them."""

    def __init__(self, world: SyncWorld) -> None:
        self._store = world.server.site.store
        self._project = world.project.id
        self._git = world.server.site.directory / "repositories" / f"{world.project.id}.git"
        self._names = self._commits()
        self._users = {row["id"]: row["username"] for row in self._store.all("SELECT * FROM users")}
        self._iids = {row["id"]: row["iid"] for row in self._store.all("SELECT * FROM merge_requests")}

    def whole(self) -> dict[str, Any]:
        return {
            "refs": self._refs(),
            "merge requests": self._merge_requests(),
            "labels": self._labels(),
            "label events": self._label_events(),
            "notes": self._notes(),
            "approvals": self._approvals(),
            "statuses": self._statuses(),
            "events": self._events(),
        }

    def _commits(self) -> dict[str, str]:
        """Name each commit by its tree, message, author and parents."""
        out = git(self._git, "log", "--all", "--topo-order", "--reverse", "--format=%H%x00%T%x00%P%x00%an%x00%B%x01")
        names: dict[str, str] = {}
        for row in out.split("\x01")[:-1]:
            sha, tree, parents, author, message = row.lstrip("\n").split("\0")
            above = [names[parent] for parent in parents.split()]
            said = self._without_shas(message.strip(), names).splitlines()[0]
            names[sha] = f"<{tree[:10]} {author}: {said} ({', '.join(sorted(one[1:11] for one in above))})>"
        return names

    def _without_shas(self, text: str, names: dict[str, str] | None = None) -> str:
        known = self._names if names is None else names

        def name(found: re.Match[str]) -> str:
            return next((known[sha] for sha in known if sha.startswith(found[0])), found[0])

        return TIME.sub("<time>", SHA.sub(name, text))

    def _rows(self, sql: str) -> list[Any]:
        return self._store.all(sql, self._project)

    def _refs(self) -> dict[str, str]:
        out = git(self._git, "for-each-ref", "--format=%(refname) %(objectname)")
        rows = (line.split() for line in out.splitlines())
        return {ref: self._names[sha] for ref, sha in rows if not ref.startswith("refs/keep-around/")}

    def _merge_requests(self) -> dict[int, Any]:
        return {
            row["iid"]: {
                **{name: row[name] for name in ("title", "state", "source_branch", "target_branch", "merge_error")},
                "description": self._without_shas(row["description"] or ""),
                "author": self._users[row["author_id"]],
                "merged by": self._users.get(row["merge_user_id"]),
                "closed by": self._users.get(row["closed_by_id"]),
                "head": self._names[row["head_sha"]],
                "merge commit": self._names.get(row["merge_commit_sha"]),
            }
            for row in self._rows("SELECT * FROM merge_requests WHERE project_id = ? ORDER BY iid")
        }

    def _labels(self) -> list[tuple[int, str]]:
        rows = self._rows(
            "SELECT m.iid, l.name FROM merge_request_labels j JOIN merge_requests m ON m.id = j.merge_request_id "
            "JOIN labels l ON l.id = j.label_id WHERE m.project_id = ?"
        )
        return sorted((row["iid"], row["name"]) for row in rows)

    def _label_events(self) -> list[tuple[int, str, str, str]]:
        rows = self._rows(
            "SELECT m.iid, e.user_id, l.name, e.action FROM label_events e JOIN merge_requests m "
            "ON m.id = e.merge_request_id JOIN labels l ON l.id = e.label_id WHERE m.project_id = ? ORDER BY e.id"
        )
        return sorted((row["iid"], self._users[row["user_id"]], row["name"], row["action"]) for row in rows)

    def _notes(self) -> dict[int, list[tuple[str, bool, str]]]:
        """Give every note, but for what GitLab tells of descriptions: who was killed may write one again."""
        found: dict[int, list[tuple[str, bool, str]]] = {}
        for row in self._rows("SELECT * FROM notes WHERE project_id = ? ORDER BY id"):
            line = (self._users[row["author_id"]], bool(row["system"]), self._without_shas(row["body"]))
            if not (row["system"] and row["body"] == DESCRIBED):
                found.setdefault(self._iids[row["merge_request_id"]], []).append(line)
        return {iid: sorted(lines) for iid, lines in found.items()}

    def _approvals(self) -> list[tuple[int, str, str | None]]:
        rows = self._rows(
            "SELECT m.iid, a.user_id, a.sha FROM approvals a JOIN merge_requests m ON m.id = a.merge_request_id "
            "WHERE m.project_id = ?"
        )
        return sorted((row["iid"], self._users[row["user_id"]], self._names.get(row["sha"], "")) for row in rows)

    def _statuses(self) -> list[tuple[str, ...]]:
        rows = self._rows("SELECT * FROM jobs WHERE project_id = ? AND kind != 'build' ORDER BY id")
        return sorted(
            (
                self._names[row["sha"]],
                *(row[name] for name in ("ref", "name", "status", "description")),
                self._users[row["user_id"]],
            )
            for row in rows
        )

    def _events(self) -> list[tuple[str, ...]]:
        found = []
        for row in self._rows("SELECT * FROM events WHERE project_id = ?"):
            push = json.loads(row["push_data"] or "{}")
            ends = [push.get("commit_from"), push.get("commit_to")]
            pushed = [self._names.get(str(end), str(end)) for end in ends]
            what = (row["action_name"], str(row["target_type"]), str(row["target_iid"]), str(push.get("ref")))
            found.append((self._users[row["author_id"]], *what, *pushed))
        return sorted(found)


# --- worlds


def passed(world: SyncWorld, name: str, run: str = "1") -> None:
    """Let both origins report that all is well."""
    world.report(name, "rdo", "passed", run=run)
    world.report(name, "idm", "passed", run=run)


def forge(world: SyncWorld, name: str) -> None:
    """Push what no origin may push: merging has to restore the branch first."""
    clone = world.clone(world.rdo, name)
    (clone / "gate" / "policy.toml").write_text('schema = "policy/1"\n')
    (clone / "composes" / name / "results" / "idm").mkdir(parents=True, exist_ok=True)
    (clone / "composes" / name / "results" / "idm" / "9.json").write_text("{}")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Fix it")
    git(clone, "push", "--quiet", "origin", f"HEAD:compose/{name}")
    shutil.rmtree(clone)


def publishing(world: SyncWorld) -> None:
    """15 is overtaken, and has a note; 16 is published, on a branch that has to be restored; 17 was never seen."""
    for day in (15, 16):
        world.compose(compose(day), version=f"5.2.{day}")
    passes(world)
    world.report(compose(16), "rdo", "passed")
    forge(world, compose(16))
    world.publish(compose(16))
    world.compose(compose(17), version="5.2.17")


def judging(world: SyncWorld) -> None:
    """15 is satisfied now, 16 was and is blocked now, 17 still waits, 18 has vanished, 19 is not finished."""
    for day in range(15, 19):
        world.compose(compose(day), version=f"5.2.{day}")
    passes(world)
    passed(world, compose(16))
    passes(world)
    passed(world, compose(15))
    world.report(compose(16), "rdo", "failed", run="2")
    world.report(compose(17), "rdo", "running")
    shutil.rmtree(world.server_folder / compose(18))
    world.compose(compose(19), status="STARTED")


def upkeep(world: SyncWorld) -> None:
    """Developers have closed 15, retargeted and renamed 16, made a duplicate of 17 and deleted the branch of 18."""
    for day in range(15, 19):
        world.compose(compose(day), version=f"5.2.{day}")
    passes(world)
    with gitlab.Gitlab(world.server.url, private_token=world.rdo.token) as client:
        project = client.projects.get(world.project.id)
        project.branches.create({"branch": "elsewhere", "ref": "main"})
        project.mergerequests.update(world.iid(compose(15)), {"state_event": "close"})
        values = {"target_branch": "elsewhere", "title": "Draft: Mine"}
        project.mergerequests.update(world.iid(compose(16)), values)
        branch = f"compose/{compose(17)}"
        project.mergerequests.create({"source_branch": branch, "target_branch": "elsewhere", "title": compose(17)})
        project.branches.delete(f"compose/{compose(18)}")


def gated(world: SyncWorld) -> None:
    """Merging leads to publishing: 15 and 17, on a branch that has to be restored, are satisfied, 16 is blocked."""
    for day in range(15, 18):
        world.compose(compose(day), version=f"5.2.{day}")
    passes(world)
    passed(world, compose(15))
    world.report(compose(16), "rdo", "failed")
    passed(world, compose(17))
    forge(world, compose(17))


def passes(world: SyncWorld) -> None:
    """Run a pass that has to go well."""
    code, out, err = world.sync()
    assert code == 0, out + err


def opening(world: SyncWorld) -> None:
    """Two were never seen."""
    for day in (15, 16):
        world.compose(compose(day), version=f"5.2.{day}")


WORLDS: Final = {
    "publishing": (publishing, ""),
    "judging": (judging, ""),
    "upkeep": (upkeep, ""),
    "gated": (gated, 'mode = "gating"'),
}
MORE: Final = {"opening": (opening, "")}
"""How each is prepared, and what its stream's configuration says besides."""


DESCRIBED: Final = "changed the description"


def differences(found: Any, wanted: Any, where: str = "") -> list[str]:  # noqa: ANN401  # JSON values
    """Say where two states differ, in lines that a person can read."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted({*found, *wanted}, key=str)
        return [line for key in keys for line in differences(found.get(key), wanted.get(key), f"{where}/{key}")]
    if isinstance(found, list) and isinstance(wanted, list):
        more, less = list(found), list(wanted)
        for one in wanted:
            with suppress(ValueError):
                more.remove(one)
        for one in found:
            with suppress(ValueError):
                less.remove(one)
        if len(more) == len(less) == 1 and all(isinstance(one[-1], str) for one in more + less):
            return list(difflib.unified_diff(less[0][-1].splitlines(), more[0][-1].splitlines(), where, where, n=1))
        return [f"{where}: too much: {one}" for one in more] + [f"{where}: missing: {one}" for one in less]
    return [] if found == wanted else [f"{where}: {found!r} where {wanted!r} should be"]


# --- fixtures

Worlds = Callable[[str], FaultWorld]


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[ExitStack, dict[str, FaultWorld]]]:
    """Keep what was prepared for other tests of a module."""
    with ExitStack() as stack:
        yield stack, {}


@pytest.fixture
def worlds(
    kept: tuple[ExitStack, dict[str, FaultWorld]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Worlds:
    """Give a way from a world's name to that world, with a GitLab and a compose server of its own."""
    stack, made = kept

    def world(name: str) -> FaultWorld:
        if name not in made:
            prepare, more = {**WORLDS, **MORE}[name]
            folder = tmp_path_factory.mktemp(name)
            server = stack.enter_context(LocalGitLab.start(folder / "server"))
            places = folder / "world"
            spoils = Spoils()
            handler = type("Handler", (SpoilingHandler,), {"spoils": spoils})
            sync = stack.enter_context(sync_world(server, places, monkeypatch, capsys, more=more, handler=handler))
            made[name] = FaultWorld.prepared(sync, prepare, folder / "kept", spoils)
        made[name].sync.monkeypatch, made[name].sync.capsys = monkeypatch, capsys
        return made[name]

    return world
