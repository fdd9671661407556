"""The failures of RDO that are refused for their form, one for each kind of fault, and how each is taken back."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from attacks.objects import EXECUTABLE, LINK, Content, Node
from attacks.world import Mutation, World
from compose_repo.core.documents.limits import RESULT_BYTES

OWN: Final = "a1.json"
"""The file in which RDO's pass is."""
WAITING: Final = 3
"""What `approve` exits with while the gate is pending."""
FAST: Final = dt.timedelta(minutes=20)
REFUSED_HAS_FORCE: Final = Mutation(
    module="core/verdict/refusals.py",
    old="        if reports is None:\n            return finding\n",
    new="        if reports is None or reports:\n            return finding\n",
)
"""A refused report keeps the cells of its origin from passing."""
BELIEVED_ONLY: Final = Mutation(
    module="reading/line.py",
    old="if (origin, sha) not in refused and not any(pushed.is_by(sha, bot) for bot in (bots.compose, bots.gate))",
    new="if (origin, sha) not in refused or pushed",
)
"""Refused reports, and what takes them back, are by those whom the origin's attribution believes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something wrong with the form of a failure: the code by which it is told, and the file of RDO's that has it.

    `content` makes what stands there, for a run.
    """

    code: str
    name: str
    content: Callable[[World, str], Content]

    def path(self, world: World) -> str:
        """Give the whole path of the file."""
        return f"{world.results}/rdo/{self.name}"

    def push(self, world: World, who: str = "rdo-ci", **words: Any) -> str:  # noqa: ANN401  # as for `World.add`
        """Push it."""
        return world.add(who, {self.path(world): self.content(world, self.name.partition(".")[0])}, **words)

    def take_back(self, world: World, who: str = "rdo-ci") -> str:
        """Let stand there again what RDO has reported before, if anything."""
        return world.add(who, {self.path(world): world.result("rdo") if self.name == OWN else None})

    @property
    def told(self) -> str:
        """What the note says was refused."""
        return f"rdo/{self.name} ({self.code})"


def failed(world: World, run: str, **more: Any) -> bytes:  # noqa: ANN401  # a JSON value
    """Write a failure of RDO's, on every arch."""
    return world.result("rdo", "failed", run=run, **more)


def _fast(world: World, run: str) -> bytes:
    ahead = dt.datetime.now(dt.UTC) + FAST - world.arena.now
    return failed(world, run, minutes=-ahead // dt.timedelta(minutes=1))


def _twice(world: World, run: str) -> bytes:
    rows = [{"testcase": "tempest.smoke", "outcome": "failed", "arch": arch} for arch in ("aarch64", "aarch64")]
    return failed(world, run, results=rows)


def _node(mode: str, content: bytes | str, world: World) -> Node:
    return Node(mode, world.objects.node(content).sha)


NOT_JSON: Final = Fault(code="not-json", name="cut.json", content=lambda world, run: failed(world, run)[:-4])
OVERWRITTEN: Final = Fault(code="changed-result", name=OWN, content=failed)
REMOVED: Final = Fault(code="removed-file", name=OWN, content=lambda *_: None)
FAULTS: Final = {
    "clock_20_minutes_fast": Fault(code="future-time", name="fast.json", content=_fast),
    "arch_in_capitals": Fault(
        code="unknown-arch",
        name="arch.json",
        content=lambda world, run: failed(world, run, arches=("X86_64", "aarch64")),
    ),
    "unknown_field": Fault(
        code="unknown-field", name="field.json", content=lambda world, run: failed(world, run, verdict="bad")
    ),
    "not_json": NOT_JSON,
    "wrong_file_name": Fault(
        code="foreign-change", name="junit.xml", content=lambda *_: "<testsuite tests='1' failures='1'/>\n"
    ),
    "link": Fault(
        code="not-a-plain-file", name="link.json", content=lambda world, _: _node(LINK, "../../link.json", world)
    ),
    "executable": Fault(
        code="not-a-plain-file",
        name="run.json",
        content=lambda world, run: _node(EXECUTABLE, failed(world, run), world),
    ),
    "lfs_pointer": Fault(
        code="lfs-pointer",
        name="lfs.json",
        content=lambda *_: f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 400\n",
    ),
    "too_large": Fault(
        code="file-too-large",
        name="large.json",
        content=lambda world, run: failed(world, run).ljust(RESULT_BYTES + 1),
    ),
    "duplicate_cell": Fault(code="duplicate-cell", name="twice.json", content=_twice),
    "overwrites_its_pass": OVERWRITTEN,
    "removes_its_pass": REMOVED,
    "name_in_capitals": Fault(code="name-collision", name=OWN.replace("a", "A"), content=failed),
}
