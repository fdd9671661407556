"""What brings a compose's merge request back, whatever somebody has done to it, and what nobody brings back."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from memory_forge import DEVELOPER, MAIN, MAINTAINER, MemoryWorld, fail
from msgspec.structs import replace
from pass_scene import Scene, act, report
from pass_world import ID, STREAMS, empty, manifest_of, opened, outrun, read_manifest_of

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import (
    CloseMergeRequest,
    Merge,
    OpenMergeRequest,
    PutNote,
    ReopenMergeRequest,
    UpdateMergeRequest,
)
from compose_repo.core.forge.forge import ForgeError, MergeRequestState
from compose_repo.core.manifests.manifest import Manifest, Unreadable
from compose_repo.core.plan.plan import DUPLICATE_MARKER
from compose_repo.core.problems.problem import UsageError
from compose_repo.passes.approve import Approving
from compose_repo.passes.merge import Merging
from compose_repo.passes.open import Opening

NEWER = ComposeId.parse("CentOS-Stream-10-20261122.0")
BRANCH = f"compose/{ID}"


def approved(scene: Scene) -> Scene:
    """Approve the compose, and give the scene again."""
    scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    return scene


def merged(scene: Scene) -> Scene:
    """Merge the compose, and give the scene again."""
    scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)
    return scene


def publish(world: MemoryWorld, compose_id: ComposeId) -> None:
    """Let a compose be on main."""
    world.push("owner", MAIN, {f"{compose_id.folder}/manifest.json": manifest_of(compose_id)})


def elsewhere(world: MemoryWorld, by: str = "rdo-ci", target: str = "elsewhere") -> int:
    """Open another merge request from the compose's branch; give its number."""
    if target != MAIN:
        world.push("owner", target, {"a.txt": b"a\n"})
    words = OpenMergeRequest(source_branch=BRANCH, target_branch=target, title="Mine", description="", labels=())
    act(world, by, words)
    return world.lines[-1].iid


def note_on(world: MemoryWorld, iid: int, by: str) -> None:
    """Say why a merge request is closed, as another run of an account."""
    act(world, by, PutNote(iid=iid, marker=DUPLICATE_MARKER, body=f"{DUPLICATE_MARKER}\nwords"))


def retarget(world: MemoryWorld) -> None:
    world.push("owner", "elsewhere", {"a.txt": b"a\n"})
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, target_branch="elsewhere"))


def rename(world: MemoryWorld, title: str) -> None:
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, title=title))


# --- what is brought back


@pytest.mark.parametrize("title", [f"Draft: {ID}", f"[Draft] {ID}", f"(draft) {ID}", "Something else"])
def test_a_title_that_somebody_changed_is_the_compose_id_again(tmp_path: Path, title: str) -> None:
    world = opened(tmp_path)
    rename(world, title)
    scene = approved(Scene(world, tmp_path))
    assert scene.written[0] == f"give !1 title '{ID}'"
    assert world.lines[0].title == str(ID)


def test_a_target_that_somebody_changed_is_main_again(tmp_path: Path) -> None:
    world = opened(tmp_path)
    retarget(world)
    assert approved(Scene(world, tmp_path)).written[0] == "give !1 target branch main"


FAR: Final = dt.datetime(2126, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("process", [approved, merged])
def test_a_date_before_which_it_is_not_merged_is_taken_away(tmp_path: Path, process: Callable[[Scene], Scene]) -> None:
    world = opened(tmp_path)
    world.lines[0].merge_after = FAR
    scene = process(Scene(world, tmp_path))
    assert scene.written[0] == "give !1 no date before which it is not merged"
    assert world.lines[0].is_open is (process is approved)


@pytest.mark.parametrize("process", [approved, merged])
def test_that_its_commits_are_squashed_is_ended(tmp_path: Path, process: Callable[[Scene], Scene]) -> None:
    world = opened(tmp_path)
    world.lines[0].squash = True
    scene = process(Scene(world, tmp_path))
    assert scene.written[0] == "give !1 no squashing of its commits"
    assert not world.lines[0].squash


@pytest.mark.parametrize("process", [approved, merged])
def test_locks_are_taken_off_what_they_bar_its_own_files_first(
    tmp_path: Path, process: Callable[[Scene], Scene]
) -> None:
    world = opened(tmp_path)
    for path in ("elsewhere.json", f"{ID.folder}/manifest.json"):
        world.lock_file("rdo-ci", path)
    scene = process(Scene(world, tmp_path))
    assert scene.written[:2] == [
        f"take the lock of rdo-ci off {ID.folder}/manifest.json",
        "take the lock of rdo-ci off elsewhere.json",
    ]
    assert world.locks == []


def test_a_lock_that_bars_nothing_is_nobodys_business(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.lock_file("rdo-ci", "elsewhere.json")
    merged(Scene(world, tmp_path))
    assert (len(world.locks), world.lines[0].state) == (1, MergeRequestState.MERGED)


def test_what_was_retargeted_is_merged_into_main(tmp_path: Path) -> None:
    world = opened(tmp_path)
    retarget(world)
    merged(Scene(world, tmp_path))
    assert (world.lines[0].state, world.lines[0].target_branch) == (MergeRequestState.MERGED, MAIN)
    assert f"{ID.folder}/manifest.json" in world.files(MAIN)


def test_whatever_was_done_at_once_is_undone_at_once(tmp_path: Path) -> None:
    world = opened(tmp_path)
    retarget(world)
    rename(world, "x")
    act(world, "rdo-ci", CloseMergeRequest(iid=1))
    scene = Scene(world, tmp_path)
    stage = Approving(work=scene.gate, compose_id=ID).next_stage()
    assert [action.sentence for action in stage.plan] == [f"give !1 title '{ID}', target branch main", "reopen !1"]


@pytest.mark.parametrize("level", [DEVELOPER, None])
def test_what_is_no_maintainers_closing_is_opened_again(tmp_path: Path, level: int | None) -> None:
    world = opened(tmp_path)
    act(world, "rdo-ci", CloseMergeRequest(iid=1))
    if level is None:
        world.levels[1, world.user("rdo-ci").id] = 0  # the account is none of the project's any more
    scene = approved(Scene(world, tmp_path))
    assert scene.written[0] == "reopen !1"


def test_a_branch_that_was_deleted_comes_back_with_its_results(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    world.delete_branch("rdo-ci", BRANCH)
    scene = approved(Scene(world, tmp_path))
    assert scene.written[:2] == [f"create branch {BRANCH} again at {head[:12]}", "reopen !1"]
    assert (world.head(BRANCH), scene.written[-1]) == (head, f"approve !1 at {head[:12]}")


def test_a_branch_and_a_head_that_are_both_gone_are_for_an_owner(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.delete_branch("rdo-ci", BRANCH)
    world.lines[0].head = None
    with pytest.raises(
        UsageError, match=r"of !1 is gone, and its last commit is not known; an Owner deletes the merge"
    ):
        approved(Scene(world, tmp_path))


# --- what stays closed


@pytest.mark.parametrize(
    ("by", "level", "why"),
    [
        ("jdoe", MAINTAINER, "jdoe, a Maintainer, closed it"),
        ("gate-bot", MAINTAINER, "gate-bot, one of the two bots, closed it"),
        ("compose-bot", DEVELOPER, "compose-bot, one of the two bots, closed it"),
    ],
)
def test_what_release_engineering_has_closed_stays_closed(tmp_path: Path, by: str, level: int, why: str) -> None:
    world = opened(tmp_path)
    world.user(by, level)
    act(world, by, CloseMergeRequest(iid=1))
    scene = Scene(world, tmp_path)
    stage = scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert stage.idle == f"!1 (closed) needs nothing: the gate is pending; it stays closed: {why}"
    assert scene.written == []


def test_a_branch_that_a_maintainer_has_deleted_stays_away(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.delete_branch("owner", BRANCH)
    assert approved(Scene(world, tmp_path)).written == []


def test_what_a_newer_compose_has_overtaken_stays_closed_whoever_closes_it(tmp_path: Path) -> None:
    world = opened(tmp_path)
    act(world, "rdo-ci", CloseMergeRequest(iid=1))
    publish(world, NEWER)
    scene = Scene(world, tmp_path)
    stage = scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert stage.idle.endswith(f"it stays closed: {NEWER}, which is newer, was merged since")
    assert scene.written == []


def test_what_stays_closed_is_opened_and_merged_once_the_mirrors_carry_it(tmp_path: Path) -> None:
    world = opened(tmp_path)
    act(world, "owner", CloseMergeRequest(iid=1))
    scene = merged(Scene(world, tmp_path))
    assert (scene.written[0], world.lines[0].state) == ("reopen !1", MergeRequestState.MERGED)


def test_what_stays_closed_is_not_published_by_merging(tmp_path: Path) -> None:
    world = opened(tmp_path, streams=STREAMS.replace('"mirror"', '"gating"'))
    report(world, "passed")
    act(world, "owner", CloseMergeRequest(iid=1))
    scene = Scene(world, tmp_path)
    why = f"!1 of {ID} stays closed: owner, a Maintainer, closed it; to publish it, a Maintainer opens it again"
    with pytest.raises(UsageError) as caught:
        merged(scene)
    assert (str(caught.value), scene.written) == (why, [])


# --- what stands beside it


def test_a_duplicate_is_told_why_and_closed_then_ours_is_opened_again(tmp_path: Path) -> None:
    world = opened(tmp_path)
    act(world, "rdo-ci", CloseMergeRequest(iid=1))
    elsewhere(world, target=MAIN)
    scene = approved(Scene(world, tmp_path))
    assert scene.written[:3] == ["write a note on !2", "close !2", "reopen !1"]
    assert "!1" in world.lines[1].notes[0].body


def test_the_compose_bots_own_to_another_branch_is_a_duplicate(tmp_path: Path) -> None:
    world = opened(tmp_path)
    elsewhere(world, by="compose-bot")
    assert approved(Scene(world, tmp_path)).written[:2] == ["write a note on !2", "close !2"]


def test_a_duplicate_that_was_told_and_opened_again_is_closed_without_another_word(tmp_path: Path) -> None:
    world = opened(tmp_path)
    elsewhere(world)
    approved(Scene(world, tmp_path))
    act(world, "rdo-ci", ReopenMergeRequest(iid=2))
    assert approved(Scene(world, tmp_path)).written == ["close !2"]


def test_what_only_bears_the_name_is_named_and_left_alone(tmp_path: Path) -> None:
    world = opened(tmp_path)
    fork = world.fork("mallory")
    world.push("mallory", BRANCH, {"x.json": b"{}"}, project=fork)
    world.open_from_fork("mallory", fork, BRANCH, title="x")
    world.push("rdo-ci", "mine", {"y.json": b"{}"})
    act(
        world,
        "rdo-ci",
        OpenMergeRequest(source_branch="mine", target_branch=MAIN, title=f"{ID}", description="", labels=()),
    )
    scene = approved(Scene(world, tmp_path))
    assert scene.console.said == [
        "!2 by mallory, from a fork, is left alone: only its name fits",
        "!3 by rdo-ci, from another branch, is left alone: only its name fits",
    ]
    assert not any("!2" in sentence or "!3" in sentence for sentence in scene.written)


def test_without_one_of_the_compose_bots_nothing_is_judged(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.lines[0].author = world.user("rdo-ci")
    with pytest.raises(UsageError) as caught:
        approved(Scene(world, tmp_path))
    assert str(caught.value) == (
        f"{ID} has no merge request of compose-bot's in centos/compose-repo (!1 by rdo-ci: never judged); "
        "open it: compose-repo open"
    )


def test_without_any_it_is_said_what_to_do(tmp_path: Path) -> None:
    scene = Scene(opened(tmp_path), tmp_path)
    with pytest.raises(UsageError) as caught:
        scene.carry_out(Approving(work=scene.gate, compose_id=NEWER).next_stage)
    assert str(caught.value) == (
        f"{NEWER} has no merge request of compose-bot's in centos/compose-repo; open it: compose-repo open"
    )


def test_one_that_was_merged_elsewhere_is_told_of(tmp_path: Path) -> None:
    world = opened(tmp_path)
    retarget(world)
    head = world.lines[0].head
    assert head is not None
    act(world, "owner", Merge(iid=1, sha=head, message="x"))
    with pytest.raises(UsageError) as caught:
        approved(Scene(world, tmp_path))
    assert str(caught.value) == (
        f"!1 of {ID} was merged into elsewhere, not into main as it is; open it: compose-repo open"
    )


def test_another_account_than_the_gate_bots_plans_nothing(tmp_path: Path) -> None:
    scene = Scene(opened(tmp_path), tmp_path)
    with pytest.raises(UsageError, match="gate-bot"):
        scene.carry_out(Approving(work=scene.opener, compose_id=ID).next_stage)
    assert scene.written == []


# --- a run that was killed before its merge request was open


UNREADABLE = replace(
    read_manifest_of(),
    variants={},
    images=(),
    packages=(),
    unreadable=Unreadable(code="metadata-truncated", message="rpms.json: the file ends too early"),
)


@pytest.mark.parametrize(
    ("there", "read_now"),
    [(UNREADABLE, read_manifest_of()), (read_manifest_of(), UNREADABLE), (UNREADABLE, UNREADABLE)],
)
def test_what_a_killed_run_has_recorded_of_a_published_compose_stands(
    tmp_path: Path, there: Manifest, read_now: Manifest
) -> None:
    world = empty(tmp_path)
    world.push("compose-bot", ID.branch, {f"{ID.folder}/manifest.json": there.to_bytes()})
    scene = Scene(world, tmp_path)
    scene.carry_out(Opening(work=scene.opener, manifest=read_now).next_stage, scene.opener)
    assert [line.title for line in world.as_user("gate-bot").merge_requests(source_branch=ID.branch)] == [str(ID)]
    assert scene.opener.world.forge.read_file(ID.manifest_path, ID.branch) == there.to_bytes()


# --- two runs side by side


def carry_out(scene: Scene, what: str) -> None:
    """Carry a process out as the bot that it is for."""
    match what:
        case "open":
            scene.carry_out(Opening(work=scene.opener, manifest=read_manifest_of()).next_stage, scene.opener)
        case "merge":
            merged(scene)
        case _:
            approved(scene)


def two_at_once(
    folder: Path, what: str, after_our_note: Callable[[MemoryWorld, int, str], None]
) -> tuple[Scene, int, list[str]]:
    """Let another run of the same account do something right after we have said why the duplicate is closed.

    Gives the number of the duplicate, and what we have written below it, without numbers.
    """
    world = outrun(folder) if what == "open" else opened(folder)
    iid, by = (1, "compose-bot") if what == "open" else (elsewhere(world), "gate-bot")
    scene = Scene(world, folder)
    world.after(PutNote, lambda: after_our_note(world, iid, by))
    carry_out(scene, what)
    written = [re.sub(" note [0-9]+", " note", sentence) for sentence in scene.written]
    return scene, iid, [sentence for sentence in written if f"!{iid}" in sentence]


def says_it_too(world: MemoryWorld, iid: int, by: str) -> None:
    note_on(world, iid, by)


def closes(world: MemoryWorld, iid: int, by: str) -> None:
    act(world, by, CloseMergeRequest(iid=iid))


def says_it_too_and_closes(world: MemoryWorld, iid: int, by: str) -> None:
    note_on(world, iid, by)
    closes(world, iid, by)


each_verb = pytest.mark.parametrize("what", ["open", "approve", "merge"])


@each_verb
def test_what_another_run_has_said_too_is_deleted_before_closing(tmp_path: Path, what: str) -> None:
    scene, iid, written = two_at_once(tmp_path, what, says_it_too)
    assert written == [f"write a note on !{iid}", f"delete the second note on !{iid}", f"close !{iid}"]
    assert (len(scene.world.lines[iid - 1].notes), scene.shown) == (1, scene.written)


@each_verb
def test_where_another_run_has_closed_first_our_second_note_is_deleted(tmp_path: Path, what: str) -> None:
    scene, iid, written = two_at_once(tmp_path, what, says_it_too_and_closes)
    assert written == [f"write a note on !{iid}", f"delete the second note on !{iid}"]
    assert (len(scene.world.lines[iid - 1].notes), scene.shown) == (1, scene.written)


@each_verb
def test_where_another_run_closes_what_we_alone_have_told_nothing_is_deleted(tmp_path: Path, what: str) -> None:
    scene, iid, written = two_at_once(tmp_path, what, closes)
    assert (written, len(scene.world.lines[iid - 1].notes)) == ([f"write a note on !{iid}"], 1)


def test_where_another_run_has_opened_it_again_it_is_not_opened_twice(tmp_path: Path) -> None:
    world = opened(tmp_path)
    act(world, "rdo-ci", CloseMergeRequest(iid=1))
    scene = Scene(world, tmp_path)
    world.before(ReopenMergeRequest, lambda: act(world, "gate-bot", ReopenMergeRequest(iid=1)))
    approved(scene)
    assert (world.lines[0].state, scene.written.count("reopen !1")) == (MergeRequestState.OPENED, 1)


def test_what_changes_between_looking_and_bringing_back_is_read_again(tmp_path: Path) -> None:
    world = opened(tmp_path)
    rename(world, "Something else")
    scene = Scene(world, tmp_path)
    world.before("merge_request", lambda: act(world, "rdo-ci", CloseMergeRequest(iid=1)))
    approved(scene)
    assert scene.console.said == ["the state of !1 has changed meanwhile: reading it again"]
    assert scene.written[:2] == [f"give !1 title '{ID}'", "reopen !1"]


def test_a_note_that_gitlab_refuses_leaves_the_duplicate_open(tmp_path: Path) -> None:
    world = opened(tmp_path)
    elsewhere(world)
    scene = Scene(world, tmp_path)
    world.before(PutNote, fail("it is full"))
    with pytest.raises(ForgeError, match="it is full"):
        approved(scene)
    assert world.lines[1].is_open
