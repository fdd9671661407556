"""A local GitLab, honest people, a hostile one, and what a compose comes to with and without an attack.

An attack is a module `<name>/attack.py`. Its docstring says who does what, and what would happen without the defence.
It has one function for each moment at which the attacker acts (`MOMENTS`), and may have

- `NAMED`: the codes by which the people who look at the merge request, or run a verb, are told of it,
- `STARTS`: from which beginnings it is played (default: from a satisfied and from a blocked one),
- `MAIN`: files of main that differ from the usual ones,
- `MOVES`: what of the outcome honest people's later reports move too, and the attack therefore may,
- `REFUSED`: the refused report of an origin's own that it leaves behind, in the words of the note: what that origin has
  passed is errored then, a satisfied gate is pending, and nothing else moves,
- `HONEST_TOO = True`: the moments are played in the twin too, `world.hostile` says who acts,
- `TWIN = False`: there is no undisturbed twin to compare with,
- `prepare(world)`, `report(world, origin, outcome)`: what is done, by honest people, in place of the usual,
- `verify(played)`: more that must hold, told as what does not,
- `VARIANTS`: by name, what of all this each of several attacks has, which are played as `<name>/<variant>`,
- `DEFENCES`: what stops it, as mutations of the source without which the attack succeeds.
"""

import contextlib
import datetime as dt
import functools
import hashlib
import http.server
import importlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Self

import gitlab

from attacks.cleanliness import unclean
from attacks.objects import Changes, Content, Objects, Place, basic, new_key
from compose_repo import cli
from compose_repo.verbs import parsers
from local_gitlab import DEVELOPER, MAINTAINER, LocalGitLab, Project, User
from samples import write_compose
from skipping_clock import RunningClock

HERE: Final = Path(__file__).resolve().parent
OLDER, BETWEEN, ID = (f"CentOS-Stream-10-202611{day}" for day in ("19.0", "19.1", "20.0"))
TESTS: Final = {"rdo": "tempest.smoke", "idm": "freeipa.install"}
ARCHES: Final = ("aarch64", "x86_64")
MARKER: Final = "<!-- compose-repo: gate -->"
MOMENTS: Final = ("before_opening", "before_reports", "after_reports", "after_approval", "before_merge")
"""When an attacker may act; `after_approval` is followed by another pass, `before_merge` by the merge at once."""
POLICY: Final = """\
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
arches = "all"
deadline = "3d"
why = "OpenStack installs."
[[requirement]]
origin = "idm"
testcase = "freeipa.install"
arches = "all"
deadline = "3d"
why = "A server installs."
"""
ORIGINS: Final = """\
schema = "origins/1"
[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
contact = {email = "rdo-ci@example.org"}
[origins.idm]
name = "Identity"
users = ["idm-ci"]
contact = {email = "idm-ci@example.org"}
"""
STREAMS: Final = """\
schema = "streams/1"
[streams.CentOS-Stream-10]
composes = "WEB/"
published = "WEB/mirror/COMPOSE_ID"
mode = "mirror"
"""
MAIN_REF: Final = "refs/heads/main"
QUIET_GIT: Final = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
VERDICTS: Final = {0, 1, 3}
"""Exit codes of a compose that could be judged."""
MAIN: Final = {
    "README.md": "# Composes\n",
    ".gitlab-ci.yml": "validate:\n  script: [compose-repo validate]\n",
    "scripts/compose_repo/core/verdict/gate.py": "def decide(): ...\n",
    "templates/note.md.j2": "{{ verdict }}\n",
    "schemas/result.schema.json": "{}\n",
    "composes/README.md": "# Composes\n",
    "gate/policy.toml": POLICY,
    "gate/origins.toml": ORIGINS,
    "gate/waivers.toml": 'schema = "waivers/1"\n',
    "gate/streams.toml": STREAMS,
}
"""What main has before the compose, beside an older compose that is published."""


class BrokenWorldError(Exception):
    """Without any attack, a compose does not come to what honest people have reported."""


class Start(StrEnum):
    """What honest people have reported before (or after) the attacker acts."""

    SATISFIED = "satisfied"
    BLOCKED = "blocked"
    PENDING = "pending"


HONEST: Final = {
    Start.SATISFIED: {"rdo": "passed", "idm": "passed"},
    Start.BLOCKED: {"rdo": "failed", "idm": "passed"},
    Start.PENDING: {"rdo": "passed"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutation:
    """A defence taken away: in a module, named from the package's folder, a text is replaced by another."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What a verb came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pushed:
    """What a push came to."""

    accepted: bool
    said: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Everything that no attack may move."""

    approve: int
    rows: tuple[str, ...]
    """What the note's tables say of each requirement."""
    approved_by: tuple[str, ...]
    status: str
    labels: tuple[str, ...]
    title: str
    target: str
    description: str
    merge: int
    state: str
    main: Mapping[str, tuple[str, str]]
    """Every file of main afterwards: its mode and its digest, the project's own name left out."""

    def held_by(self, refused: str) -> "Outcome":
        """Give what it comes to when a refused report keeps what its origin has passed from passing."""
        decided = [_held(row, refused) for row in self.rows if row not in {HEADING, HEADING_PASSED}]
        passed = [row for row in decided if _state(row) == "passed"]
        others = sorted((row for row in decided if row not in passed), key=lambda row: STATES.index(_state(row)))
        tables = [(name, *table) for name, table in ((HEADING, others), (HEADING_PASSED, passed)) if table]
        held = replace(self, rows=tuple(row for table in tables for row in table))
        if self.approve != CODE[Start.SATISFIED]:
            return held
        labels = tuple("gate::pending" if label.startswith("gate::") else label for label in self.labels)
        return replace(
            held,
            approve=CODE[Start.PENDING],
            approved_by=(),
            status="pending",
            labels=labels,
            description=self.description.replace(" satisfied.**", " pending.**", 1),
        )

    def differences(self, other: "Outcome", but: Collection[str] = ()) -> Iterator[str]:
        """Tell where another outcome is not this one."""
        for name in self.__slots__:
            if name in but:
                continue
            mine, theirs = getattr(self, name), getattr(other, name)
            if name == "main":
                for path in sorted({*mine, *theirs}):
                    if mine.get(path) != theirs.get(path):
                        yield f"main: {path!r} should be {mine.get(path)}, is {theirs.get(path)}"
            elif mine != theirs:
                yield f"{name}: should be {mine!r}, is {theirs!r}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A compose from its opening to its merge, with what was said about it on the way."""

    world: "World"
    outcome: Outcome
    said: str
    """Every note of the gate bot and everything that the verbs said, without markup."""
    restless: str
    """What a second pass that had nothing to do has planned all the same."""


CODE: Final = {Start.SATISFIED: 0, Start.BLOCKED: 1, Start.PENDING: 3}
"""What `approve` exits with, undisturbed."""


HEADING_PASSED: Final = "| State | Origin | Test | Where | Why |"
HEADING: Final = f"{HEADING_PASSED} What next |"
STATES: Final = ("failed", "overdue", "errored", "running", "missing", "known", "waived")
"""In the order of the note; what has passed stands in a table of its own."""


def _state(row: str) -> str:
    return row.partition(" | ")[0].removeprefix("| ")


def _held(row: str, refused: str) -> str:
    """Rewrite a row of what the refused report's origin has passed: why it is errored, and how that ends."""
    state, origin, test, where, *_ = row.split(" | ")
    if (state, origin) != ("| passed", refused.partition("/")[0]):
        return row
    name = re.sub(r" \([^)]*\)", "", refused)
    way_out = f"push a report for {where}, or take {name} back"
    why = f"passed in run a1; a report of {origin} was refused: {refused}; {way_out}"
    return f"| errored | {origin} | {test} | {where} | {why} | ask {origin}-ci@example.org to run it again |"


def plain(text: str) -> str:
    """Give a text without what escapes it."""
    return text.replace("\\", "").replace("\N{WORD JOINER}", "")


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        """Say nothing."""


class Arena:
    """One server with everybody's accounts, on which any number of composes are played."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self._twins: dict[tuple[Any, ...], Played] = {}
        self._seeds: dict[tuple[tuple[str, str], ...], Path] = {}
        self._count = 0

    def __enter__(self) -> Self:
        web = self.folder / "web"
        (web / "mirror").mkdir(parents=True)
        for name, version in ((OLDER, "5.2.1"), (BETWEEN, "5.2.1"), (ID, "5.2.2")):
            write_compose(web, name, version=version)
        self.publish(OLDER)
        handler = functools.partial(_QuietHandler, directory=str(web))
        self._web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        self.web = f"http://127.0.0.1:{self._web.server_port}"
        self.gitlab = LocalGitLab.start(self.folder / "gitlab")
        names = ("releng", "compose-bot", "gate-bot", "rdo-ci", "idm-ci", "mallory", "stranger")
        self.people = {name: self.gitlab.create_user(name) for name in names}
        return self

    def __exit__(self, *_: object) -> None:
        self.gitlab.stop()
        self._web.shutdown()
        self._web.server_close()

    def publish(self, name: str) -> None:
        """Let the mirrors carry a compose."""
        (self.folder / "web" / "mirror" / "COMPOSE_ID").write_text(name)

    def world(self, main: Mapping[str, str] | None = None) -> "World":
        """Make a project with everybody in it."""
        self._count += 1
        folder = self.folder / f"world-{self._count}"
        folder.mkdir()
        project = self.gitlab.create_project(
            f"centos/composes-{self._count}",
            owner=self.people["releng"],
            from_repository=self._seed({**MAIN, **(main or {})}),
            pipeline=False,
        )
        for name, level in (("gate-bot", MAINTAINER), *((name, DEVELOPER) for name in _DEVELOPERS)):
            self.gitlab.add_member(project, self.people[name], access_level=level)
        return World(arena=self, folder=folder, project=project)

    def _seed(self, files: Mapping[str, str]) -> Path:
        key = tuple(sorted(files.items()))
        if key not in self._seeds:
            path = self.folder / f"seed-{len(self._seeds)}.git"
            objects = Objects(path, path)
            manifest = run_cli({}, "manifest", f"{self.web}/{OLDER}").out.encode()
            digest = hashlib.sha256(manifest).hexdigest()
            whole: dict[Place, Content] = {name: self._filled(text) for name, text in files.items()}
            whole[f"composes/{OLDER}/manifest.json"] = manifest
            for origin in TESTS:
                content = result(self, origin, compose_id=OLDER, manifest_sha256=digest)
                whole[f"composes/{OLDER}/results/{origin}/a1.json"] = content
            commit = objects.commit(objects.changed(None, whole), author="Release Engineering <releng@example.org>")
            objects.git("update-ref", "HEAD", commit)
            self._seeds[key] = path
        return self._seeds[key]

    def _filled(self, text: str) -> str:
        return re.sub(r"KEY\((\w+)\)", lambda found: self._public(found[1]), text.replace("WEB", self.web))

    def _public(self, name: str) -> str:
        return self.key(name).with_suffix(".pub").read_text().strip()

    def key(self, name: str) -> Path:
        """Give the file of somebody's signing key, made when it is first asked for."""
        path = self.folder / "keys" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            new_key(path)
        return path

    def twin(self, attack: ModuleType, start: Start) -> Played:
        """Play what the attack disturbs, undisturbed."""
        own = attack.__name__ if any(hasattr(attack, one) for one in ("prepare", "report", "HONEST_TOO")) else None
        key = (tuple(sorted(getattr(attack, "MAIN", {}).items())), own, start)
        if key not in self._twins:
            played = self._twins[key] = play(self, attack, start, moments=())
            if (played.outcome.approve, played.outcome.merge) != (CODE[start], 0):
                raise BrokenWorldError(played.said)
        return self._twins[key]


_DEVELOPERS: Final = ("compose-bot", "rdo-ci", "idm-ci", "mallory")


@dataclass(kw_only=True)
class World:
    """A project in which a compose is opened, reported on, judged and merged."""

    arena: Arena
    folder: Path
    project: Project
    hostile: bool = True
    said: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    """What the environment of every verb has beside what it needs; with any, verbs run in processes of their own."""

    def __post_init__(self) -> None:
        self.server = self.arena.gitlab.site.repository(
            self.arena.gitlab.site.store.get("projects", self.project.id)
        ).path
        self.objects = Objects(self.folder / "people.git", self.server)
        subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(self.folder / "bot.git")], check=True)

    # --- who and where

    branch: Final[str] = f"compose/{ID}"
    results: Final[str] = f"composes/{ID}/results"
    manifest: Final[str] = f"composes/{ID}/manifest.json"

    def user(self, name: str) -> User:
        """Give an account."""
        return self.arena.people[name]

    def as_(self, name: str) -> Any:  # noqa: ANN401  # python-gitlab's objects know no attributes
        """Give the project as somebody sees it through the API."""
        client = gitlab.Gitlab(self.arena.gitlab.url, private_token=self.user(name).token)
        return client.projects.get(self.project.id, lazy=True)

    def merge_request(self, who: str = "releng", iid: int = 1) -> Any:  # noqa: ANN401
        """Give a merge request as somebody sees it."""
        return self.as_(who).mergerequests.get(iid)

    def head(self, branch: str | None = None) -> str:
        """Give the commit of a branch as the server has it."""
        return self._git("rev-parse", f"refs/heads/{branch or self.branch}").decode().strip()

    def read(self, path: str, revision: str) -> bytes:
        """Read a file of a commit that the server has."""
        return self._git("cat-file", "blob", f"{MAIN_REF if revision == 'main' else revision}:{path}")

    def tree(self, origin: str) -> str:
        """Give the tree of an origin's folder on the branch's head."""
        return self._git("rev-parse", f"refs/heads/{self.branch}:{self.results}/{origin}").decode().strip()

    @property
    def opened(self) -> str:
        """The commit that the compose bot has opened the branch with."""
        return self._git("rev-list", "--reverse", f"{MAIN_REF}..refs/heads/{self.branch}").decode().split()[0]

    @property
    def digest(self) -> str:
        """The digest of the compose's manifest, as anybody works it out who wants to report."""
        return hashlib.sha256(self.read(self.manifest, self.opened)).hexdigest()

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        command = ["git", "--no-replace-objects", *arguments]
        return subprocess.run(command, cwd=self.server, check=True, capture_output=True, input=given).stdout

    def check_out(self, folder: Path) -> None:
        """Write the branch's files as a checkout does."""
        git = ["git", "--git-dir", str(self.server), "--work-tree", str(folder)]
        folder.mkdir()
        environment = {**os.environ, "GIT_INDEX_FILE": str(folder) + ".index"}
        subprocess.run(
            [*git, "checkout", "-f", self.branch, "--", "."], check=True, capture_output=True, env=environment
        )

    # --- what people do

    def commit(self, changes: Changes, *more: str, base: str | None = None, **words: Any) -> str:  # noqa: ANN401
        """Write a commit on the branch's head (or on `base`); `more` are further parents."""
        parent = base or self.head()
        tree = self.objects.changed(self.objects.tree_of(parent), changes)
        return self.objects.commit(tree, parent, *more, **words)

    def push(self, who: str, *refspecs: str, url: str | None = None) -> Pushed:
        """Push, as real git does it; a bare commit goes to the compose's branch."""
        targets = [spec if ":" in spec else f"{spec}:refs/heads/{self.branch}" for spec in refspecs]
        user = self.user(who)
        header = f"http.extraHeader={basic(user.username, user.token)}"
        done = subprocess.run(
            ["git", "-c", header, "push", "--quiet", url or self.project.clone_url, *targets],
            cwd=self.objects.path,
            capture_output=True,
            check=False,
            env={**os.environ, **QUIET_GIT},
        )
        return Pushed(accepted=done.returncode == 0, said=done.stderr.decode("utf-8", "replace"))

    def add(self, who: str, changes: Changes, *refspec: str, **words: Any) -> str:  # noqa: ANN401
        """Commit on the branch's head and push; the push must be taken."""
        commit = self.commit(changes, **words)
        pushed = self.push(who, *(refspec or (commit,)))
        assert pushed.accepted, pushed.said
        return commit

    def report(
        self,
        origin: str,
        outcome: str = "passed",
        run: str = "a1",
        *,
        who: str | None = None,
        **more: Any,  # noqa: ANN401  # a JSON value
    ) -> str:
        """Push a result file, by default as the origin's own account does."""
        content = self.result(origin, outcome, run=run, **more)
        return self.add(who or f"{origin}-ci", {f"{self.results}/{origin}/{run}.json": content})

    def result(self, origin: str, outcome: str = "passed", **more: Any) -> bytes:  # noqa: ANN401
        """Write a result file on this compose."""
        return result(self.arena, origin, outcome, **{"manifest_sha256": self.digest, **more})

    def check_nothing(self) -> None:
        """Let the server take objects that git's fsck refuses, as one with another configuration would."""
        self._git("config", "receive.fsckObjects", "false")

    # --- what the bots do

    def run(self, who: str, *arguments: str) -> Ran:
        """Run a verb as a bot."""
        token = self.user(who).token
        variables = {
            "COMPOSE_REPO_URL": self.arena.gitlab.url,
            "COMPOSE_REPO_PROJECT": self.project.path,
            "COMPOSE_REPO_TOKEN": token,
        }
        command = (*arguments, "--repo", str(self.folder / "bot.git"))
        ran = run_command({**self.variables, **variables}, *command) if self.variables else run_cli(variables, *command)
        assert token not in ran.out + ran.err
        self.said.append(ran.err)
        return ran

    def open(self) -> Ran:
        """Open the compose's merge request."""
        return self.run("compose-bot", "open", f"{self.arena.web}/{ID}")

    def approve(self) -> Ran:
        """Judge, and say so."""
        return self.run("gate-bot", "approve", ID)

    def set_up(self) -> Ran:
        """Bring the project to the hardened state, as Release Engineering does."""
        return self.run("releng", "setup")

    def merge(self) -> Ran:
        """Merge what the mirrors carry."""
        return self.run("gate-bot", "merge", ID)

    # --- what is to be seen

    def notes(self) -> list[str]:
        """Give what the gate bot has noted on the compose's merge requests."""
        found = []
        for line in self.as_("releng").mergerequests.list(source_branch=self.branch, state="all", get_all=True):
            notes = line.notes.list(get_all=True)
            found += [note.body for note in notes if not note.system and note.author["username"] == "gate-bot"]
        return found

    def counting(self) -> Any:  # noqa: ANN401
        """Give the merge request that the compose bot has opened."""
        lines = self.as_("releng").mergerequests.list(source_branch=self.branch, state="all", get_all=True)
        ours = [line for line in lines if line.author["username"] == "compose-bot"]
        return max(ours, key=lambda line: (line.state == "opened", line.iid), default=None)

    def files_of_main(self) -> dict[str, tuple[str, str]]:
        """Give every file of main."""
        found: dict[str, tuple[str, str]] = {}
        lines = [line.partition(b"\t") for line in self._git("ls-tree", "-rz", MAIN_REF).split(b"\0") if line]
        blobs = self._blobs([head.split()[2] for head, _, _ in lines if head.split()[1] == b"blob"])
        for head, _, path in lines:
            mode, _, sha = head.split()
            same = blobs.get(sha, sha).replace(self.project.path.encode(), b"PROJECT")
            found[path.decode("utf-8", "backslashreplace")] = (mode.decode(), hashlib.sha256(same).hexdigest()[:12])
        return found

    def _blobs(self, names: Sequence[bytes]) -> dict[bytes, bytes]:
        """Read the bytes of some files."""
        given = b"".join(name + b"\n" for name in names)
        found, left = {}, self._git("cat-file", "--batch", given=given)
        while left:
            head, _, left = left.partition(b"\n")
            sha, _, size = head.split()
            found[sha], left = left[: int(size)], left[int(size) + 1 :]
        return found


def result(  # noqa: PLR0913  # what a result file says
    arena: Arena,
    origin: str,
    outcome: str = "passed",
    *,
    manifest_sha256: str,
    run: str = "a1",
    compose_id: str = ID,
    minutes: int = 60,
    arches: Iterable[str] = ARCHES,
    **more: Any,  # noqa: ANN401  # a JSON value
) -> bytes:
    """Write a result file of a run that has ended so many minutes before the arena was made."""
    finished = (arena.now - dt.timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    data = {
        "schema": "results/1",
        "compose_id": compose_id,
        "manifest_sha256": manifest_sha256,
        "origin": origin,
        "run": {"id": run, "url": f"https://ci.example.org/{origin}/{run}", "finished_at": finished},
        "results": [{"testcase": TESTS.get(origin, "none"), "outcome": outcome, "arch": arch} for arch in arches],
        **more,
    }
    return f"{json.dumps(data, indent=1)}\n".encode()


def run_cli(variables: Mapping[str, str], *arguments: str) -> Ran:
    """Run a verb in this process: the same code as the command's, ten times as fast."""
    raw_out, raw_err = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(raw, encoding="utf-8", write_through=True) for raw in (raw_out, raw_err))
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli._run(list(arguments), parsers.load, RunningClock())
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Ran(code=code, out=raw_out.getvalue().decode(), err=raw_err.getvalue().decode())


def run_command(variables: Mapping[str, str], *arguments: str) -> Ran:
    """Run a verb in a process of its own, which alone has the variables."""
    package = str(Path(cli.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "compose_repo", *arguments],
        env={**os.environ, "PYTHONPATH": package, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def names() -> list[str]:
    """Name every attack, and each variant of those that have some."""
    folders = sorted(path.parent.name for path in HERE.glob("*/attack.py"))
    variants = {folder: getattr(load(folder), "VARIANTS", {}) for folder in folders}
    return [name for folder in folders for name in ([f"{folder}/{one}" for one in variants[folder]] or [folder])]


def load(name: str) -> ModuleType:
    """Import an attack, or make one of its variants."""
    folder, _, variant = name.partition("/")
    attack = importlib.import_module(f"attacks.{folder}.attack")
    if not variant:
        return attack
    made = ModuleType(f"{attack.__name__}/{variant}")
    vars(made).update({**vars(attack), **attack.VARIANTS[variant], "__name__": made.__name__})
    return made


def starts(attack: ModuleType) -> tuple[Start, ...]:
    """Give the beginnings from which an attack is played."""
    return getattr(attack, "STARTS", (Start.SATISFIED, Start.BLOCKED))


def failures(arena: Arena, name: str, start: Start) -> list[str]:
    """Play an attack and tell whatever it has moved, and what was not named."""
    attack = load(name)
    played = play(arena, attack, start, moments=MOMENTS)
    found: list[str] = []
    if getattr(attack, "TWIN", True):
        refused: str | None = getattr(attack, "REFUSED", None)
        twin = arena.twin(attack, start).outcome
        expected = twin if refused is None else twin.held_by(refused)
        found += expected.differences(played.outcome, getattr(attack, "MOVES", ()))
    found += [f"nobody is told of {code}" for code in getattr(attack, "NAMED", ()) if not _names(code, played.said)]
    if played.restless:
        found.append(f"a second pass is not idle: {played.restless}")
    if "internal-error" in played.said:
        found.append(f"a verb fell over: {played.said}")
    found += [what for note in played.world.notes() if "compose-repo: duplicate" not in note for what in unclean(note)]
    return [*found, *getattr(attack, "verify", _nothing_more)(played)]


def _nothing_more(_: Played) -> Iterable[str]:
    return ()


def _names(code: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text) is not None


def play(arena: Arena, attack: ModuleType, start: Start, *, moments: Sequence[str]) -> Played:
    """Open a compose, report on it, judge it twice and merge it; somebody interferes at the moments given."""
    arena.publish(OLDER)
    world = arena.world(getattr(attack, "MAIN", None))
    world.hostile = bool(moments)
    if prepare := getattr(attack, "prepare", None):
        prepare(world)

    def act(moment: str) -> bool:
        function: Callable[[World], None] | None = getattr(attack, moment, None)
        if function is None or not (moment in moments or getattr(attack, "HONEST_TOO", False)):
            return False
        function(world)
        return True

    act("before_opening")
    world.open()
    act("before_reports")
    report: Callable[[World, str, str], object] = getattr(attack, "report", World.report)
    for origin, said in HONEST[start].items():
        report(world, origin, said)
    act("after_reports")
    judged = world.approve()
    if act("after_approval"):
        judged = world.approve()
    again = world.approve()
    restless = again.out if judged.code in VERDICTS and "needs nothing" not in again.out else ""
    seen = _seen(world)
    act("before_merge")
    arena.publish(ID)
    merged = world.merge()
    after = world.counting()
    told = plain("\n".join((*world.said, *world.notes())))
    outcome = Outcome(
        approve=again.code, **seen, merge=merged.code, state=after.state if after else "", main=world.files_of_main()
    )
    return Played(world=world, outcome=outcome, said=told, restless=restless)


def _description(text: str) -> str:
    """Give a description with the verdict of its first line alone: what that counts, and its link, may differ."""
    first, _, below = text.partition("\n")
    bold = re.match(r"\*\*(The gate is \w+\.|Waiting for the gate\.)\*\* .*<!-- compose-repo: verdict -->\Z", first)
    return text if bold is None else f"{bold[0][: bold.end(1)]}**\n{below}"


def _seen(world: World) -> dict[str, Any]:
    line = world.counting()
    if line is None:
        return {"rows": (), "approved_by": (), "status": "", "labels": (), "title": "", "target": "", "description": ""}
    notes = line.notes.list(get_all=True)
    ours = [note.body for note in notes if MARKER in note.body and note.author["username"] == "gate-bot"]
    statuses = world.as_("releng").commits.get(world.head(), lazy=True).statuses.list(name="compose-gate", get_all=True)
    by_gate = [one for one in statuses if one.author["username"] == "gate-bot"]
    approvals = line.approvals.get().approved_by
    return {
        "rows": tuple(row for text in ours for row in plain(text).splitlines() if row.startswith("| ")),
        "approved_by": tuple(sorted(row["user"]["username"] for row in approvals)),
        "status": by_gate[0].status if by_gate else "",
        "labels": tuple(sorted(line.labels)),
        "title": line.title,
        "target": line.target_branch,
        "description": _description(line.description).replace(world.project.path, "PROJECT"),
    }
