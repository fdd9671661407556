"""Holds at work: nothing held is promoted; where merging leads to publishing, it is neither approved nor merged."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from memory_forge import MAIN, MemoryWorld, Sent
from pass_scene import Scene, records, report
from pass_world import ID, STREAMS, opened

from compose_repo.core.forge.action import Merge
from compose_repo.core.forge.forge import MergeRequestState
from compose_repo.core.problems.problem import InputError
from compose_repo.core.rules.hook import CommandHook
from compose_repo.passes.approve import Approving
from compose_repo.passes.loop import Stage
from compose_repo.passes.merge import Held, Merging
from compose_repo.passes.promote import Promoting

GATING: Final = STREAMS.replace('"mirror"', '"gating"')
HOLD: Final = b"""\
schema = "holds/1"
[[hold]]
stream = "CentOS-Stream-10"
reason = "The kernel eats discs."
issue = "https://issues.example.org/1"
by = "jdoe"
until = 2026-11-25
"""
NO_HOLD: Final = b'schema = "holds/1"\n'
TOLD: Final = "held until the end of 2026-11-25 (UTC) by jdoe: The kernel eats discs. (https://issues.example.org/1)"


def rule(world: MemoryWorld, text: bytes) -> None:
    world.push("owner", MAIN, {"gate/holds.toml": text})


def begun(folder: Path, *, streams: str = GATING, outcome: str = "passed", held: bool = True) -> Scene:
    """Let there be a compose that is judged, and a hold on it."""
    world = opened(folder, streams=streams)
    report(world, outcome)
    if held:
        rule(world, HOLD)
    return Scene(world, folder)


def approve(scene: Scene) -> Stage:
    scene.forget()
    scene.gate.world.anew()
    return scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)


def merge(scene: Scene) -> Stage:
    scene.forget()
    scene.gate.world.anew()
    return scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)


def promote(scene: Scene) -> Stage:
    scene.forget()
    scene.gate.world.look()
    hook = CommandHook(command=("/bin/sh", "-c", f"cat >> {scene.folder / 'calls'}"))
    promoting = Promoting(work=scene.gate, compose_id=ID, hook=hook)
    return scene.carry_out(promoting.next_stage, anew=scene.gate.world.look)


def called(scene: Scene) -> bool:
    return (scene.folder / "calls").exists()


def is_approved(scene: Scene) -> bool:
    return bool(scene.world.lines[0].approved_by)


def head(scene: Scene) -> str:
    return (scene.world.head(f"compose/{ID}") or "")[:12]


# --- approving


def test_where_merging_leads_to_publishing_what_is_held_is_not_approved(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    stage = approve(scene)
    said = "held until 2026-11-25: The kernel eats discs.; All 1 required passed"
    assert scene.written == [
        f"set status compose-gate of {head(scene)} to pending: {said}",
        "give !1 label stream::CentOS-Stream-10, label gate::satisfied, label hold::active",
        "write a note on !1",
        "give !1 a new description",
    ]
    assert (is_approved(scene), stage.idle) == (
        False,
        f"!1 (opened) needs nothing: the gate is satisfied, and it is {TOLD}",
    )
    approve(scene)
    assert scene.written == []


def test_a_hold_that_comes_takes_the_approval_back_before_all_else(tmp_path: Path) -> None:
    scene = begun(tmp_path, held=False)
    approve(scene)
    rule(scene.world, HOLD)
    approve(scene)
    assert [sentence.partition(":")[0] for sentence in scene.written] == [
        "withdraw approval of !1",
        f"set status compose-gate of {head(scene)} to pending",
        "give !1 label hold",
        "edit the note on !1",
        "give !1 a new description",
    ]
    assert scene.written[0].endswith(": it is held until 2026-11-25")


@pytest.mark.parametrize("streams", [STREAMS, GATING], ids=["mirror", "gating"])
@pytest.mark.parametrize("outcome", ["passed", "failed", "running"])
def test_what_a_hold_leaves_when_it_is_lifted_is_what_there_was_without_it(
    tmp_path: Path, streams: str, outcome: str
) -> None:
    free, held = (
        begun(tmp_path / name, streams=streams, outcome=outcome, held=name == "held") for name in ("a", "held")
    )
    approve(free)
    approve(held)
    assert shows(held) != shows(free)
    rule(held.world, NO_HOLD)
    approve(held)
    assert shows(held) == shows(free)
    approve(held)
    assert held.written == []


def shows(scene: Scene) -> tuple[object, ...]:
    """Give what people see of the merge request, but for the words of a pending status, which GitLab keeps."""
    line, forge = scene.world.lines[0], scene.world.as_user("gate-bot")
    sha = scene.world.head(f"compose/{ID}")
    assert sha is not None
    [status, *_] = forge.statuses(sha, "compose-gate")
    notes = [note.body.partition("Judged: ")[0] for note in forge.notes(1)]
    return sorted(line.labels), status.state, sorted(line.approved_by), notes


@pytest.mark.parametrize("was_approved", [False, True])
def test_where_the_mirrors_lead_what_is_held_stays_approved(tmp_path: Path, *, was_approved: bool) -> None:
    scene = begun(tmp_path, streams=STREAMS, held=not was_approved)
    approve(scene)
    rule(scene.world, HOLD)
    for _ in range(2):
        approve(scene)
        assert not any("approv" in sentence for sentence in scene.written)
        assert is_approved(scene)
    assert (scene.written, "hold::active" in scene.world.lines[0].labels) == ([], True)


def test_where_the_mirrors_lead_lifting_a_hold_leaves_the_approval_alone(tmp_path: Path) -> None:
    scene = begun(tmp_path, streams=STREAMS)
    approve(scene)
    rule(scene.world, NO_HOLD)
    approve(scene)
    assert [sentence.partition(":")[0] for sentence in scene.written] == [
        f"set status compose-gate of {head(scene)} to success",
        "give !1 no label hold",
        "edit the note on !1",
        "give !1 a new description",
    ]


def test_under_a_hold_a_new_head_is_approved_anew_where_the_mirrors_lead(tmp_path: Path) -> None:
    scene = begun(tmp_path, streams=STREAMS)
    approve(scene)
    report(scene.world, "passed", "2")
    approve(scene)
    first, *_, last = scene.written
    assert first == f"withdraw approval of !1: it was given for a head other than {head(scene)}"
    assert last == f"approve !1 at {head(scene)}"


def test_under_a_hold_a_head_that_was_away_is_approved_anew_once(tmp_path: Path) -> None:
    scene = begun(tmp_path, streams=STREAMS)
    approve(scene)
    there = scene.world.head(f"compose/{ID}")
    report(scene.world, "passed", "2")
    assert there is not None
    scene.world.move("rdo-ci", {f"compose/{ID}": there})
    approve(scene)
    approve(scene)
    assert (scene.written, is_approved(scene)) == ([], True)


# --- merging


def test_where_merging_leads_to_publishing_what_is_held_is_not_merged(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    with pytest.raises(Held) as caught:
        merge(scene)
    assert (str(caught.value), scene.written) == (TOLD, [])


def test_what_is_published_under_a_hold_is_merged_labelled_and_named(tmp_path: Path) -> None:
    scene = begun(tmp_path, streams=STREAMS)
    merge(scene)
    assert scene.written == [
        "give !1 label stream::CentOS-Stream-10, label gate::satisfied, label hold::active, label compose::published",
        "write a note on !1",
        "give !1 a new description",
        f"merge !1 at {head(scene)}",
    ]
    [note] = scene.world.as_user("gate-bot").notes(1)
    assert note.body.replace("\N{WORD JOINER}", "").splitlines()[1] == (
        "> **Published while held** until the end of 2026-11-25 (UTC) by jdoe: The kernel eats discs. "
        "[issue](<https://issues.example.org/1>) (issues.example.org)"
    )


def test_a_label_of_a_hold_that_is_over_is_taken_away_before_it_is_merged(tmp_path: Path) -> None:
    scene = begun(tmp_path, streams=STREAMS)
    approve(scene)
    rule(scene.world, NO_HOLD)
    merge(scene)
    assert scene.written[0] == "give !1 label compose::published, no label hold::active"


@pytest.mark.parametrize("when", ["judged", "about to be merged"])
def test_a_hold_that_comes_right_before_the_merge_still_stops_it(tmp_path: Path, when: str) -> None:
    scene = begun(tmp_path, held=False)
    scene.world.before("merge_request", lambda: rule(scene.world, HOLD), nth=2 if when == "judged" else 3)
    with pytest.raises(Held):
        merge(scene)
    assert not any(isinstance(write.what, Merge) for write in scene.writes)
    assert scene.world.lines[0].state is MergeRequestState.OPENED
    assert "the rules on main have changed meanwhile: reading it again" in scene.console.said


def test_what_else_comes_to_main_stops_no_merge(tmp_path: Path) -> None:
    scene = begun(tmp_path, held=False)
    scene.world.before("merge_request", lambda: scene.world.push("owner", MAIN, {"x.txt": b"x"}), nth=2)
    merge(scene)
    assert scene.world.lines[0].state is MergeRequestState.MERGED
    assert scene.console.said == []


# --- promoting


@pytest.mark.parametrize("streams", [STREAMS, GATING], ids=["mirror", "gating"])
def test_what_is_held_is_not_promoted_in_any_mode_until_it_is_lifted(tmp_path: Path, streams: str) -> None:
    scene = begun(tmp_path, streams=streams)
    stage = promote(scene)
    assert (stage.idle, scene.written, called(scene)) == (f"{ID} is {TOLD}", [], False)
    rule(scene.world, NO_HOLD)
    promote(scene)
    assert (records(scene), called(scene)) == (["1/called", "1/claim"], True)


def test_a_hold_that_comes_between_judging_and_claiming_stops_the_call(tmp_path: Path) -> None:
    scene = begun(tmp_path, held=False)
    scene.world.before("merge_request", lambda: rule(scene.world, HOLD))
    promote(scene)
    assert (scene.written, records(scene), called(scene)) == ([], [], False)


def break_the_rules(world: MemoryWorld) -> None:
    rule(world, b"no TOML")


@pytest.mark.parametrize("happens", [lambda world: rule(world, HOLD), break_the_rules], ids=["hold", "unreadable"])
def test_a_hold_that_comes_between_the_claim_and_the_call_stops_it_and_says_so(
    tmp_path: Path, happens: Callable[[MemoryWorld], None]
) -> None:
    scene = begun(tmp_path, held=False)
    scene.world.after(Sent, lambda: happens(scene.world))
    with pytest.raises(InputError, match="it was not called: the rules on main have changed meanwhile"):
        promote(scene)
    assert (records(scene), called(scene)) == (["1/claim", "1/failed"], False)
    rule(scene.world, NO_HOLD)
    promote(scene)
    assert (records(scene), called(scene)) == (["1/claim", "1/failed", "2/called", "2/claim"], True)


def test_holds_that_cannot_be_read_withdraw_the_approval(tmp_path: Path) -> None:
    scene = begun(tmp_path, held=False)
    approve(scene)
    broken = HOLD.replace(b'reason = "The kernel eats discs."\n', b"")
    rule(scene.world, broken)
    with pytest.raises(InputError) as caught:
        approve(scene)
    assert [problem.code for problem in caught.value.problems] == ["missing-field"]
    assert (scene.written, is_approved(scene)) == (
        ["withdraw approval of !1: it cannot be judged: missing-field"],
        False,
    )
