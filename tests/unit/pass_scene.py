"""A scene for tests of passes: two bots at work on a world in memory, and what they have said beside what they wrote.

scene = Scene(pass_world.opened(folder), folder)
report(scene.world, "passed")
scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
assert scene.shown == scene.written
"""

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from memory_forge import MemoryWorld, Sent, Write
from pass_world import ID, manifest_of

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import ForgeAction
from compose_repo.core.names import Sha
from compose_repo.passes.loop import Stage, carry_out, show_actions
from compose_repo.passes.work import Work, work_on
from compose_repo.passes.world import World
from compose_repo.ports.console import Console
from compose_repo.ports.git.tags import create_tag
from compose_repo.ports.http import Document, Http, Limits
from skipping_clock import SkippingClock

ARROW: Final = "→ "
ON_TOP: Final = " on top of "


class RecordingConsole(Console):
    """Remembers what was said: `shown` are the sentences of plans, `hooks` those of them that call a hook."""

    def __init__(self, clock: SkippingClock) -> None:
        super().__init__(clock=clock)
        self.shown: list[str] = []
        self.hooks: list[str] = []
        self.said: list[str] = []

    def out(self, text: str) -> None:
        """Remember a line."""
        self._hear(text)

    def info(self, text: str) -> None:
        """Remember a line."""
        self._hear(text)

    def error(self, text: str) -> None:
        """Remember a line."""
        self._hear(text)

    def _hear(self, text: str) -> None:
        if not text.startswith(ARROW):
            self.said.append(text)
            return
        sentence = text.removeprefix(ARROW)
        (self.hooks if sentence.startswith("call ") else self.shown).append(sentence.partition(ON_TOP)[0])


class _Writes(list[Write]):
    """What was written; `ahead` says of each how many sentences had been shown by then."""

    def __init__(self, console: RecordingConsole) -> None:
        super().__init__()
        self.ahead: list[int] = []
        self._console = console

    def append(self, write: Write) -> None:
        """Remember one more."""
        self.ahead.append(len(self._console.shown))
        super().append(write)


class Web(Http):
    """A web server in memory: gives the pages that it has, and nothing else."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        super().__init__(Limits(), clock=SkippingClock())
        self.pages = pages

    def get(self, url: str, limit: int) -> Document | None:
        """Give a page."""
        body = self.pages.get(url)
        assert body is None or len(body) <= limit
        return None if body is None else Document(url=url, body=body, content_type="text/html")


class Scene:
    """Two bots at work on a world; `gate` judges and merges, `opener` opens and adds files.

    Only what is written from now on is remembered.
    """

    def __init__(self, world: MemoryWorld, folder: Path, *, dry_run: bool = False) -> None:
        self.world = world
        self.folder = folder
        self.clock = SkippingClock(now=world.now)
        self.console = RecordingConsole(self.clock)
        self.writes = _Writes(self.console)
        world.writes = self.writes
        self.gate = self.beside("gate-bot", dry_run=dry_run)
        seen = self.gate.world.seen_by(world.as_user("compose-bot"), world.token("compose-bot"), variable="OPENER")
        self.opener = self.gate.as_opener(seen)

    def beside(self, by: str, *, dry_run: bool = False) -> Work:
        """Begin a run of an account, which has read nothing yet."""
        number = len([*self.folder.glob("scratch-*.git")])
        world = World(
            forge=self.world.as_user(by),
            repository=self.world.repository(self.folder / f"scratch-{number}.git"),
            token=self.world.token(by),
            console=self.console,
        )
        return work_on(world, self.console, dry_run=dry_run)

    def carry_out(
        self, next_stage: Callable[[], Stage], work: Work | None = None, *, anew: Callable[[], None] | None = None
    ) -> Stage:
        """Carry a process out, and see that no stage writes anything while it is planned."""
        work = work or self.gate

        def planned() -> Stage:
            before = len(self.world.writes)
            try:
                return next_stage()
            finally:
                assert len(self.world.writes) == before, "something was written while it was planned"

        return carry_out(work, planned, partial(show_actions, work), anew=anew)

    def forget(self) -> None:
        """Forget what was shown, said and written so far."""
        for heard in (self.console.shown, self.console.hooks, self.console.said, self.writes.ahead, self.writes):
            heard.clear()

    @property
    def shown(self) -> list[str]:
        """The sentences of plans that were shown, but those that call a hook."""
        return self.console.shown

    @property
    def written(self) -> list[str]:
        """What was written or tried, in the sentences of plans."""
        return [sentence_of(write.what) for write in self.writes]

    @property
    def is_shown_first(self) -> bool:
        """Whether each thing was shown before it was written, in that order."""
        shown = iter(self.shown)
        in_order = all(sentence in shown for sentence in self.written)
        return in_order and all(ahead > place for place, ahead in enumerate(self.writes.ahead))


def sentence_of(what: ForgeAction | Sent) -> str:
    """Give the sentence by which a plan shows what was written, without what a push stands on."""
    if not isinstance(what, Sent):
        return what.sentence
    if what.is_tag:
        return f"create tag {what.ref.removeprefix('refs/tags/')}"
    return f"restore what counts on {what.ref.removeprefix('refs/heads/')}: {what.commit[:12]}"


def act(world: MemoryWorld, who: str, *actions: ForgeAction) -> None:
    """Let somebody do something on GitLab's pages: it is not among what passes have written."""
    writes, world.writes = world.writes, []
    for action in actions:
        world.as_user(who).apply(action)
    world.writes = writes


def report(
    world: MemoryWorld, outcome: str, run: str = "1", *, compose_id: ComposeId = ID, by: str = "rdo-ci", **more: object
) -> Sha:
    """Push a result file of rdo's; give the branch's new head."""
    when = "started_at" if outcome == "running" else "finished_at"
    file = {
        "schema": "results/1",
        "compose_id": str(compose_id),
        "manifest_sha256": sha256(manifest_of(compose_id)).hexdigest(),
        "origin": "rdo",
        "run": {"id": run, "url": "https://ci.example.org/1", when: f"2026-11-20T0{run}:00:00Z"},
        "results": [{"testcase": "smoke", "outcome": outcome, "arch": "x86_64"}],
        **more,
    }
    path = f"{compose_id.folder}/results/rdo/{run}.json"
    return world.push(by, compose_id.branch, {path: json.dumps(file).encode()})


def record(scene: Scene, *names: str, by: str = "gate-bot", compose_id: ComposeId = ID) -> None:
    """Make records of a promotion: `1/claim`, say; they are not among what passes have written."""
    work, writes = scene.beside(by), scene.world.writes
    scene.world.writes = []
    for name in names:
        main = work.world.main().commit
        create_tag(
            work.world.repository,
            work.world.project.clone_url,
            tag=f"promotion/{compose_id}/{name}",
            target=main,
            message=f"{by} {name}\n",
            author=by,
            at=0,
            token=scene.world.token(by),
        )
    scene.world.writes = writes


def records(scene: Scene, compose_id: ComposeId = ID) -> list[str]:
    """Give the records of a compose's promotion."""
    repository, begin = scene.beside("gate-bot").world.repository, f"refs/tags/promotion/{compose_id}/"
    found = repository.remote_refs(scene.gate.world.project.clone_url, (), below=[begin])
    return sorted(ref.removeprefix(begin) for ref in found)
