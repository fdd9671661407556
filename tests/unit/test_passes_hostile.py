"""What somebody does so that another compose is not opened, one stays open, or an approval from before stands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from memory_forge import MAIN, MemoryWorld, fail
from msgspec.structs import replace
from pass_scene import Scene, Web, act, report
from pass_world import ID, add_compose, manifest_of, opened, read_manifest_of

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Unapprove, UpdateMergeRequest
from compose_repo.core.forge.forge import MergeRequestState
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.streams.sync import Do, Step, Why
from compose_repo.core.streams.sync_report import Outcome, Row
from compose_repo.passes.approve import Approving, withdraw_all
from compose_repo.passes.merge import Merging
from compose_repo.passes.open import Opening
from compose_repo.passes.stream import StreamPass
from compose_repo.passes.tools import Tools
from compose_repo.reading.loading import read_manifest_file
from compose_repo.verbs.plans import carry_out_and_print

OLDER, NEXT = (ComposeId.parse(f"CentOS-Stream-10-202611{day}.0") for day in (18, 22))
BROKEN = Problem(path="gate/policy.toml", code=Code.NOT_TOML, message="it is none", fix="fix it")
IMAGE = {
    "variant": "BaseOS",
    "arch": "x86_64",
    "path": "a.iso",
    "type": "boot",
    "format": "iso",
    "subvariant": "",
    "size": 2.0,
    "sha256": None,
}


def with_a_fraction() -> bytes:
    """Give a manifest whose size of an image satisfies the schema, and is no integer for Python."""
    return json.dumps({**json.loads(manifest_of()), "images": [IMAGE]}).encode()


def test_a_manifest_that_somebody_spoils_keeps_no_later_compose_from_being_opened(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.push("rdo-ci", ID.branch, {ID.manifest_path: with_a_fraction()})
    scene = Scene(world, tmp_path)
    scene.carry_out(Opening(work=scene.opener, manifest=read_manifest_of(NEXT)).next_stage, scene.opener)
    assert scene.written[-1] == f"open merge request '{NEXT}' from {NEXT.branch} to {MAIN}"


def test_such_a_manifest_is_told_of_wherever_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_bytes(with_a_fraction())
    with pytest.raises(InputError) as caught:
        read_manifest_file(file)
    assert [problem.code for problem in caught.value.problems] == [Code.NOT_CANONICAL]


def test_who_takes_the_label_off_each_time_keeps_no_superseded_compose_open(tmp_path: Path) -> None:
    world = opened(tmp_path)
    iid = add_compose(world, OLDER)
    scene = Scene(world, tmp_path)

    def anew() -> None:
        scene.gate.world.anew()
        act(world, "rdo-ci", UpdateMergeRequest(iid=iid, remove_labels=("compose::superseded",)))

    scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage, anew=anew)
    assert scene.written[-2:] == [f"give !{iid} label compose::superseded", f"close !{iid}"]
    assert world.lines[iid - 1].state is MergeRequestState.CLOSED


# --- approvals from before


def approved(folder: Path) -> Scene:
    """Let there be a compose that is approved."""
    world = opened(folder)
    report(world, "passed")
    scene = Scene(world, folder)
    scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    scene.gate.world.anew()
    scene.forget()
    return scene


def rename(world: MemoryWorld) -> None:
    """Give the merge request another title, and again after each write of it."""
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, title="Mine"))
    world.after(UpdateMergeRequest, lambda: rename(world))


def push(world: MemoryWorld, run: int = 2) -> None:
    """Push a result, and again whenever somebody looks."""
    report(world, "failed", str(run))
    world.before("merge_request", lambda: push(world, run + 1))


@pytest.mark.parametrize("press", [rename, push])
def test_who_changes_things_faster_than_they_are_read_keeps_no_approval(
    tmp_path: Path, press: Callable[[MemoryWorld], None]
) -> None:
    scene = approved(tmp_path)
    press(scene.world)
    row = judged(scene)
    assert (row.outcome, row.verdict, [one.code for one in row.problems]) == (Outcome.FAILED, None, ["head-moving"])
    assert scene.written[-1] == "withdraw approval of !1: it cannot be judged: head-moving"
    assert scene.world.lines[0].approved_by == []


def judged(scene: Scene) -> Row:
    web = Web({})
    tools = Tools(work=scene.gate, opener=None, http=web, index_http=web)
    tools.look()
    one = StreamPass(tools, ID.stream, None)
    one._do(Step(do=Do.JUDGE, compose_id=ID, why=Why.IS_OPEN))
    (row,) = one.report().rows
    return row


def test_an_approval_that_cannot_be_withdrawn_keeps_no_other(tmp_path: Path) -> None:
    scene = approved(tmp_path)
    add_compose(scene.world, NEXT)
    report(scene.world, "passed", compose_id=NEXT)
    scene.carry_out(Approving(work=scene.gate, compose_id=NEXT).next_stage)
    scene.world.before(Unapprove, fail("GitLab says no"))
    withdraw_all(scene.gate, InputError(BROKEN))
    assert sorted(len(line.approved_by) for line in scene.world.lines) == [0, 1]
    assert any("GitLab says no" in line for line in scene.console.said)


# --- what is told beside a document


def spoil(world: MemoryWorld) -> None:
    world.push("owner", MAIN, {"gate/policy.toml": b"schema = 1\n"})


def test_what_was_written_before_problems_is_said_beside_the_document(tmp_path: Path) -> None:
    scene = approved(tmp_path)
    act(scene.world, "rdo-ci", UpdateMergeRequest(iid=1, title="Mine"))
    scene.world.after(UpdateMergeRequest, lambda: spoil(scene.world))
    work = replace(scene.beside("gate-bot"), as_json=True)
    with pytest.raises(InputError):
        carry_out_and_print(work, ID, Approving(work=work, compose_id=ID).next_stage)
    assert (scene.written, scene.shown) == (
        scene.shown,
        [
            f"give !1 title '{ID}'",
            "withdraw approval of !1: it cannot be judged: wrong-value",
        ],
    )
