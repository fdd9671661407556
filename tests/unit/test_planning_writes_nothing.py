"""Planning writes nothing, what a plan shows is what is written, and a dry run writes nothing: for every process.

Each situation is one in which a process has something to do. What `setup` plans is looked at in
tests/acceptance/test_dry_run.py.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import pytest
from jenkins_web import JenkinsWeb, poll_of, reports_for_rdo
from memory_forge import MAIN, MemoryWorld
from pass_scene import Scene, Web, act, record, report
from pass_world import ID, ORIGINS, STREAMS, add_compose, empty, opened, outrun, read_manifest_of

from compose_repo.core.bus.event import Message, TestReported, TestState
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import (
    Approve,
    CloseMergeRequest,
    OpenMergeRequest,
    UpdateMergeRequest,
)
from compose_repo.core.names import Arch, Origin, Testcase
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import Outcome
from compose_repo.core.rules.hook import CommandHook
from compose_repo.core.streams.sync import Do, Step, Why
from compose_repo.core.streams.sync_report import Outcome as Reached
from compose_repo.core.streams.sync_report import Row
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes.approve import Approving
from compose_repo.passes.listening import _Accounts, _telling, _Writing
from compose_repo.passes.loop import Stage
from compose_repo.passes.merge import Merging
from compose_repo.passes.open import Opening
from compose_repo.passes.promote import Promoting, retraction
from compose_repo.passes.sync import sync
from compose_repo.passes.tools import Tools
from compose_repo.passes.work import Work
from sample_composes.sample import SampleSpec
from samples import write_sample

OLDER, NEWER, NEWEST = (ComposeId.parse(f"CentOS-Stream-10-202611{day}.0") for day in (18, 22, 23))
GATING: Final = STREAMS.replace('"mirror"', '"gating"')
HOOK: Final = 'promote = {command = ["/bin/sh", "-c", "exit 0"]}\n'


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A process that has something to do; `work` is that of the account which it acts as."""

    scene: Scene
    next_stage: Callable[[], Stage]
    work: Work


class Situation(Protocol):
    """Makes a situation in a folder."""

    def __call__(self, folder: Path, *, dry_run: bool = False) -> Begun:
        """Make it."""
        ...


Process: TypeAlias = tuple[Callable[[], Stage], Work]


def nothing(_: MemoryWorld) -> None:
    """Let nothing happen."""


def situation(
    begin: Callable[[Scene], Process],
    before: Callable[[MemoryWorld], None] = nothing,
    *,
    streams: str = STREAMS,
    world: Callable[..., MemoryWorld] = opened,
) -> Situation:
    """Make a situation of what has happened `before`, and of the process that begins then."""

    def make(folder: Path, *, dry_run: bool = False) -> Begun:
        made = world(folder, streams=streams)
        before(made)
        scene = Scene(made, folder, dry_run=dry_run)
        next_stage, work = begin(scene)
        return Begun(scene=scene, next_stage=next_stage, work=work)

    return make


# --- what begins


def opening(scene: Scene) -> Process:
    return Opening(work=scene.opener, manifest=read_manifest_of()).next_stage, scene.opener


def approving(scene: Scene) -> Process:
    return Approving(work=scene.gate, compose_id=ID).next_stage, scene.gate


def merging(scene: Scene) -> Process:
    return Merging(work=scene.gate, compose_id=ID).next_stage, scene.gate


def promoting(scene: Scene) -> Process:
    scene.gate.world.look()
    hook = CommandHook(command=("/bin/sh", "-c", "exit 0"))
    return Promoting(work=scene.gate, compose_id=ID, hook=hook).next_stage, scene.gate


def retracting(scene: Scene) -> Process:
    record(scene, "1/claim", "1/called")
    scene.gate.world.look()
    return lambda: retraction(scene.gate, ID, Verdict.BLOCKED), scene.gate


def arriving(scene: Scene) -> Process:
    web = JenkinsWeb()
    web.ci.build(7, "SUCCESS", COMPOSE=str(ID))
    poll = poll_of(scene, web)
    process = Approving(work=scene.gate, compose_id=ID, arrive=partial(poll.arriving, ID))
    return process.next_stage, scene.gate


def listening(scene: Scene) -> Process:
    reported = TestReported(
        compose_id=ID,
        ci="RDO CI",
        state=TestState.COMPLETE,
        at=dt.datetime(2026, 11, 20, 5, tzinfo=dt.UTC),
        testcase=Testcase("smoke"),
        outcome=Outcome.PASSED,
        systems=((Arch("x86_64"), None),),
        url="https://ci.example.org/1",
    )
    writing = _Writing(
        message=Message(topic="org.centos", body=None, id="m1"),
        report=reported,
        origin=Origin("rdo"),
        accounts=_Accounts(gate=scene.gate, opener=scene.opener),
    )
    return writing.next_stage, scene.gate


def announcing(scene: Scene) -> Process:
    """Have a verdict that the bus has not been told of."""
    scene.carry_out(Approving(work=scene.beside("gate-bot"), compose_id=ID).next_stage)
    scene.forget()
    merge_request = scene.world.as_user("gate-bot").merge_request(1)
    step = Step(do=Do.JUDGE, compose_id=ID, why=Why.IS_OPEN)
    row = Row(step=step, outcome=Reached.CHANGED, merge_request=merge_request, verdict=Verdict.PENDING)
    return partial(_telling, scene.gate, row, merge_request, Verdict.PENDING), scene.gate


# --- what has happened before


def passed(world: MemoryWorld) -> None:
    report(world, "passed")


def older_is_open(world: MemoryWorld) -> None:
    add_compose(world, OLDER)


def renamed(world: MemoryWorld) -> None:
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, title="Something else"))


def passed_and_renamed(world: MemoryWorld) -> None:
    passed(world)
    renamed(world)


def retargeted(world: MemoryWorld) -> None:
    world.push("owner", "elsewhere", {"a.txt": b"a\n"})
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, target_branch="elsewhere"))


def closed(world: MemoryWorld) -> None:
    act(world, "rdo-ci", CloseMergeRequest(iid=1))


def branch_deleted(world: MemoryWorld) -> None:
    world.delete_branch("rdo-ci", ID.branch)


def duplicated(world: MemoryWorld) -> None:
    world.push("owner", "elsewhere", {"a.txt": b"a\n"})
    mine = OpenMergeRequest(source_branch=ID.branch, target_branch="elsewhere", title="Mine", description="", labels=())
    act(world, "rdo-ci", mine)


def closed_beside_a_duplicate(world: MemoryWorld) -> None:
    closed(world)
    mine = OpenMergeRequest(source_branch=ID.branch, target_branch=MAIN, title="Mine", description="", labels=())
    act(world, "rdo-ci", mine)


def approved_and_unreadable(world: MemoryWorld) -> None:
    head = report(world, "passed")
    act(world, "gate-bot", Approve(iid=1, sha=head))
    world.push("owner", MAIN, {"gate/policy.toml": b"schema = 1\n"})


def passed_beside_what_does_not_count(world: MemoryWorld) -> None:
    passed(world)
    world.push("rdo-ci", ID.branch, {"hello.txt": b"hello\n"})


def gated_beside_what_does_not_count(world: MemoryWorld) -> None:
    passed_beside_what_does_not_count(world)
    world.pipelines_must_succeed = True


def mapped_to_the_bus(world: MemoryWorld) -> None:
    row = 'bus = [{topic = "org.centos", ci = "RDO CI"}]\n'
    world.push("owner", MAIN, {"gate/origins.toml": (ORIGINS + row).encode()})


SITUATIONS: Final[dict[str, Situation]] = {
    "open": situation(opening, world=empty),
    "open brings up to date": situation(opening, renamed),
    "open closes a duplicate": situation(opening, world=outrun),
    "approve a pending one": situation(approving),
    "approve a satisfied one": situation(approving, passed),
    "renamed": situation(approving, renamed),
    "retargeted": situation(approving, retargeted),
    "closed": situation(approving, closed),
    "branch deleted": situation(approving, branch_deleted),
    "duplicate": situation(approving, duplicated),
    "closed beside a duplicate": situation(approving, closed_beside_a_duplicate),
    "rules cannot be read": situation(approving, approved_and_unreadable),
    "merge": situation(merging, passed),
    "merge and supersede": situation(merging, older_is_open),
    "merge what was renamed": situation(merging, renamed),
    "merge what was closed": situation(merging, closed),
    "merge restores": situation(merging, passed_beside_what_does_not_count),
    "gated merge": situation(merging, passed, streams=GATING),
    "gated merge restores": situation(merging, gated_beside_what_does_not_count, streams=GATING),
    "promote": situation(promoting, passed),
    "promote what was renamed": situation(promoting, passed_and_renamed),
    "retract": situation(retracting),
    "jenkins": situation(arriving, reports_for_rdo),
    "bus": situation(listening, mapped_to_the_bus),
}

ANNOUNCED: Final = situation(announcing)
"""A change that is told to the bus: this is a broker's matter, and is not carried out here."""

each_situation = pytest.mark.parametrize("make", SITUATIONS.values(), ids=SITUATIONS.keys())


@each_situation
def test_what_comes_next_is_planned_and_nothing_is_written(make: Situation, tmp_path: Path) -> None:
    begun = make(tmp_path)
    stage = begun.next_stage()
    assert (len(stage.plan) > 0, begun.scene.writes) == (True, [])


@each_situation
def test_what_is_written_is_what_was_shown_before(make: Situation, tmp_path: Path) -> None:
    begun = make(tmp_path)
    with suppress(InputError):
        begun.scene.carry_out(begun.next_stage, begun.work)
    assert begun.scene.written
    assert begun.scene.written == begun.scene.shown
    assert begun.scene.is_shown_first


@each_situation
def test_a_dry_run_shows_a_plan_and_writes_nothing(make: Situation, tmp_path: Path) -> None:
    begun = make(tmp_path, dry_run=True)
    with suppress(InputError):
        begun.scene.carry_out(begun.next_stage, begun.work)
    assert (begun.scene.shown != [], begun.scene.writes) == (True, [])


def test_what_the_bus_is_told_is_planned_and_nothing_is_written(tmp_path: Path) -> None:
    begun = ANNOUNCED(tmp_path)
    sentences = [action.sentence for action in begun.next_stage().plan]
    assert sentences == [f"tell the bus that {ID} is pending", "edit the note on !1"]
    assert begun.scene.writes == []


# --- a whole pass


def pages(folder: Path) -> dict[str, bytes]:
    """Give a compose server that lists one new compose, and mirrors that carry one that is open."""
    root = write_sample(folder, SampleSpec.create(str(NEWEST), srpms=12))
    listing = f'<html><head><title>Index of /</title></head><body><a href="{NEWEST}/">x</a></body></html>'
    server = "https://composes.example.org"
    return {
        f"{server}/": listing.encode(),
        "https://mirror.example.org/COMPOSE_ID": str(ID).encode(),
        **{f"{server}/{NEWEST}/{file.relative_to(root)}": file.read_bytes() for file in root.rglob("*.*")},
        **{f"{server}/{NEWEST}/{name}": (root / name).read_bytes() for name in ("COMPOSE_ID", "STATUS")},
    }


def whole(folder: Path, *, dry_run: bool, streams: str = STREAMS + HOOK) -> tuple[Scene, Tools]:
    """Let there be one compose to publish, one that it overtakes, one to promote, one to retract, one to open."""
    world = opened(folder, streams=streams)
    reports_for_rdo(world)
    older_is_open(world)
    add_compose(world, NEWER)
    respin = ComposeId.parse("CentOS-Stream-10-20261122.1")
    add_compose(world, respin)
    report(world, "passed", compose_id=NEWER)
    report(world, "failed", compose_id=respin)
    scene = Scene(world, folder, dry_run=dry_run)
    record(scene, "1/claim", "1/called", compose_id=respin)
    web = Web(pages(folder / "composes"))
    tools = Tools(work=scene.gate, opener=scene.opener, http=web, index_http=web)
    ci = JenkinsWeb()
    ci.ci.build(7, "FAILURE", COMPOSE=str(respin))
    tools.poll.http = ci
    return scene, tools


STEPS: Final = {
    "merges": "merge !1 at",
    "closes what is overtaken": "close !2",
    "opens": f"open merge request '{NEWEST}'",
    "judges": "approve !3 at",
    "writes down what a Jenkins built": f"to compose/{NEWER.text[:-1]}1",
    "claims a promotion": f"create tag promotion/{NEWER}/1/claim",
    "records an end": "/1/ended",
}
"""What a whole pass does, by a part of the sentence that shows it."""


def test_a_whole_pass_writes_what_it_has_shown_before(tmp_path: Path) -> None:
    scene, tools = whole(tmp_path, dry_run=False)
    said = sync(tools)
    assert not said.failed, scene.console.said
    assert [name for name, part in STEPS.items() if not any(part in sentence for sentence in scene.written)] == []
    assert scene.written == scene.shown
    assert scene.is_shown_first
    assert scene.console.hooks == [f"call the command /bin/sh for promotion/{NEWER}/1"]


def test_the_dry_run_of_a_whole_pass_shows_every_step_and_writes_nothing(tmp_path: Path) -> None:
    scene, tools = whole(tmp_path, dry_run=True)
    sync(tools)
    assert [name for name, part in STEPS.items() if not any(part in sentence for sentence in scene.shown)] == []
    assert scene.writes == []


def test_a_stream_on_a_disk_is_followed_and_one_that_cannot_be_read_ends_no_pass(tmp_path: Path) -> None:
    folder = tmp_path / "composes"
    (folder / "mirror").mkdir(parents=True)
    write_sample(folder, SampleSpec.create(str(NEWEST), srpms=12))
    (folder / "mirror" / "COMPOSE_ID").write_text(str(ID))
    streams = STREAMS.replace("https://composes.example.org/", folder.as_uri()).replace(
        "https://mirror.example.org", (folder / "mirror").as_uri()
    )
    broken = streams.partition("\n")[2].replace("Stream-10", "Stream-9").replace("COMPOSE_ID", "%00")
    broken = broken.replace(f'"{folder.as_uri()}"', f'["{folder.as_uri()}/%00", "{folder.as_uri()}/%00/x"]')
    world = opened(tmp_path, streams=streams + broken)
    scene = Scene(world, tmp_path)
    web = Web({})
    tools = Tools(work=scene.gate, opener=scene.opener, http=web, index_http=web)
    said = sync(tools)
    assert any(sentence.startswith("merge !1") for sentence in scene.written)
    assert any(str(NEWEST) in sentence for sentence in scene.written)
    assert {(str(one.stream), problem.code) for one in said.streams for problem in one.problems} == {
        ("CentOS-Stream-9", "source-unreadable")
    }


def test_a_gated_stream_without_mirrors_opens_and_merges(tmp_path: Path) -> None:
    world = opened(tmp_path, streams="\n".join(line for line in GATING.splitlines() if "published" not in line))
    report(world, "passed")
    scene = Scene(world, tmp_path)
    web = Web(pages(tmp_path / "composes"))
    said = sync(Tools(work=scene.gate, opener=scene.opener, http=web, index_http=web))
    assert not said.failed, scene.console.said
    assert any(sentence.startswith("merge !1") for sentence in scene.written)
    assert "CentOS-Stream-10: 1 composes on the server; no mirrors are named" in scene.console.said


def test_a_pass_that_cannot_read_the_rules_withdraws_what_it_has_shown(tmp_path: Path) -> None:
    world = opened(tmp_path)
    approved_and_unreadable(world)
    scene = Scene(world, tmp_path)
    web = Web({})
    with pytest.raises(InputError):
        sync(Tools(work=scene.gate, opener=scene.opener, http=web, index_http=web))
    assert scene.written == ["withdraw approval of !1: it cannot be judged: wrong-value"]
    assert scene.written == scene.shown
    assert scene.is_shown_first
