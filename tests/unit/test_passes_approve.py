"""Approving: what a verdict brings about, what takes an approval back, and what happens in between."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from memory_forge import MAIN, MAINTAINER, MemoryWorld, fail
from pass_scene import Scene, act, report
from pass_world import ID, opened

from compose_repo.core.forge.action import (
    Approve,
    CloseMergeRequest,
    PutNote,
    SetStatus,
    Unapprove,
    UpdateMergeRequest,
)
from compose_repo.core.forge.forge import ForgeError, StaleHead
from compose_repo.core.problems.problem import InputError
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes.approve import Approving
from compose_repo.passes.loop import ATTEMPTS, Stage

BRANCH = f"compose/{ID}"
MANIFEST = f"{ID.folder}/manifest.json"


def approve(scene: Scene) -> Stage:
    """Approve the compose once, and forget what was written before."""
    scene.forget()
    scene.gate.world.anew()
    stage = scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert scene.shown == scene.written
    return stage


def approvers(world: MemoryWorld) -> list[str]:
    """Name who has approved."""
    names = {user.id: user.username for user in world.users.values()}
    return [names[one] for one in world.lines[0].approved_by]


def verdict_of(stage: Stage) -> Verdict:
    assert stage.judgement is not None
    return stage.judgement.decision.verdict


# --- from a verdict to a plan


def test_a_pending_compose_gets_status_labels_note_and_description(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = (world.head(BRANCH) or "")[:12]
    scene = Scene(world, tmp_path)
    assert verdict_of(approve(scene)) is Verdict.PENDING
    assert scene.written == [
        f"set status compose-gate of {head} to pending: Of 1 required, 1 missing (rdo smoke on x86_64)",
        "give !1 label stream::CentOS-Stream-10, label gate::pending",
        "write a note on !1",
        "give !1 a new description",
    ]


def test_a_satisfied_compose_is_approved_after_all_else(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    scene = Scene(world, tmp_path)
    assert verdict_of(approve(scene)) is Verdict.SATISFIED
    assert scene.written == [
        f"set status compose-gate of {head[:12]} to success: All 1 required passed",
        "give !1 label stream::CentOS-Stream-10, label gate::satisfied",
        "write a note on !1",
        "give !1 a new description",
        f"approve !1 at {head[:12]}",
    ]


@pytest.mark.parametrize("outcome", ["passed", "failed", "running"])
def test_a_second_run_writes_nothing(tmp_path: Path, outcome: str) -> None:
    world = opened(tmp_path)
    report(world, outcome)
    scene = Scene(world, tmp_path)
    verdict = verdict_of(approve(scene))
    stage = approve(scene)
    assert (stage.plan, scene.written) == ((), [])
    assert stage.idle == f"!1 (opened) needs nothing: the gate is {verdict}"


def test_a_failure_takes_the_approval_back_before_all_else(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    approve(scene)
    head = report(world, "failed", "2")
    assert verdict_of(approve(scene)) is Verdict.BLOCKED
    assert scene.written == [
        "withdraw approval of !1: the gate is blocked",
        f"set status compose-gate of {head[:12]} to failed: Of 1 required, 1 failed (rdo smoke on x86_64)",
        "give !1 label gate::blocked, no label gate::satisfied",
        "edit the note on !1",
        "give !1 a new description",
    ]
    assert approvers(world) == []


def test_a_head_that_moves_is_approved_anew(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    approve(scene)
    head = report(world, "passed", "2")
    approve(scene)
    assert scene.written[0] == f"withdraw approval of !1: it was given for a head other than {head[:12]}"
    assert scene.written[-1] == f"approve !1 at {head[:12]}"


def test_a_head_that_was_pushed_away_and_back_is_approved_anew(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    head = report(world, "passed", "2")
    scene = Scene(world, tmp_path)
    approve(scene)
    world.push("rdo-ci", BRANCH, {"x.txt": b"x\n"})
    world.move("rdo-ci", {BRANCH: head})
    approve(scene)
    assert scene.written[0] == "withdraw approval of !1: the branch was pushed to since"
    assert (scene.written[-1], approvers(world)) == (f"approve !1 at {head[:12]}", ["gate-bot"])


def test_an_approval_that_gitlab_has_reset_is_given_again(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    scene = Scene(world, tmp_path)
    approve(scene)
    world.lines[0].approved_by.clear()
    world.tell(world.lines[0], world.user("owner"), "reset approvals from gate-bot by pushing to the branch")
    approve(scene)
    assert scene.written == [f"approve !1 at {head[:12]}"]


def test_an_approval_that_was_reset_without_a_word_is_given_again(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    scene = Scene(world, tmp_path)
    approve(scene)
    world.lines[0].approved_by.clear()
    approve(scene)
    assert (scene.written, approvers(world)) == ([f"approve !1 at {head[:12]}"], ["gate-bot"])


def test_another_accounts_approval_is_none_of_ours(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.user("jdoe", MAINTAINER)
    head = report(world, "failed")
    act(world, "jdoe", Approve(iid=1, sha=head))
    scene = Scene(world, tmp_path)
    approve(scene)
    assert (any("withdraw" in sentence for sentence in scene.written), approvers(world)) == (False, ["jdoe"])


def test_a_label_that_somebody_took_away_comes_back_alone(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    approve(scene)
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, add_labels=("gate::blocked",), remove_labels=("gate::satisfied",)))
    approve(scene)
    assert scene.written == ["give !1 label gate::satisfied, no label gate::blocked"]


def test_a_second_note_of_ours_is_deleted(tmp_path: Path) -> None:
    world = opened(tmp_path)
    scene = Scene(world, tmp_path)
    approve(scene)
    first = world.lines[0].notes[0]
    act(world, "gate-bot", PutNote(iid=1, marker="x", body=first.body))
    second = world.lines[0].notes[1]
    approve(scene)
    assert scene.written == [f"delete the second note {second.id} on !1"]
    assert world.lines[0].notes == [first]


@pytest.mark.parametrize("gone", [True, False, None])
def test_whether_it_has_gone_from_its_server_is_told_by_a_label(tmp_path: Path, gone: bool | None) -> None:  # noqa: FBT001  # what is known
    scene = Scene(opened(tmp_path), tmp_path)
    scene.carry_out(Approving(work=scene.gate, compose_id=ID, vanished=lambda _: gone).next_stage)
    assert ("compose::vanished" in scene.world.lines[0].labels) is (gone is True)


# --- what cannot be judged


def spoil_the_policy(world: MemoryWorld) -> str:
    world.push("owner", MAIN, {"gate/policy.toml": b"schema = 1\n"})
    return "wrong-value"


def spoil_the_origins(world: MemoryWorld) -> str:
    world.push("owner", MAIN, {"gate/origins.toml": b"= 1\n"})
    return "not-toml"


def spoil_the_bots(world: MemoryWorld) -> str:
    world.push("owner", MAIN, {"gate/streams.toml": b"= 1\n"})
    return "not-toml"


@pytest.mark.parametrize("spoil", [spoil_the_policy, spoil_the_origins, spoil_the_bots])
def test_what_cannot_be_judged_loses_our_approval_and_says_why(
    tmp_path: Path, spoil: Callable[[MemoryWorld], str]
) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    approve(scene)
    code = spoil(world)
    with pytest.raises(InputError) as caught:
        approve(scene)
    assert [problem.code for problem in caught.value.problems][:1] == [code]
    assert scene.written == [f"withdraw approval of !1: it cannot be judged: {code}"]
    assert approvers(world) == []


def test_where_nothing_was_approved_nothing_is_withdrawn(tmp_path: Path) -> None:
    world = opened(tmp_path)
    spoil_the_policy(world)
    scene = Scene(world, tmp_path)
    with pytest.raises(InputError):
        approve(scene)
    assert scene.written == []


def test_rules_that_are_whole_again_approve_again(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    before = world.files(MAIN)["gate/policy.toml"]
    scene = Scene(world, tmp_path)
    approve(scene)
    spoil_the_policy(world)
    with pytest.raises(InputError):
        approve(scene)
    world.push("owner", MAIN, {"gate/policy.toml": before})
    approve(scene)
    assert (scene.written[-1], approvers(world)) == (f"approve !1 at {head[:12]}", ["gate-bot"])


# --- what happens in between


def pushes(world: MemoryWorld) -> str:
    report(world, "failed", "2")
    return "head"


def closes(world: MemoryWorld) -> str:
    act(world, "rdo-ci", CloseMergeRequest(iid=1))
    return "state"


def retargets(world: MemoryWorld) -> str:
    world.push("owner", "elsewhere", {"a.txt": b"a\n"})
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, target_branch="elsewhere"))
    return "target"


def makes_a_draft(world: MemoryWorld) -> str:
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, title=f"Draft: {ID}"))
    return "title"


@dataclass(frozen=True, kw_only=True, slots=True)
class Between:
    """A moment between judging and approving: right before the nth call of a kind."""

    call: str
    nth: int = 1


MOMENTS = {
    "judged": Between(call="approved_by"),
    "shown": Between(call="merge_request"),
    "about to approve": Between(call="merge_request", nth=2),
}


@pytest.mark.parametrize("happens", [pushes, closes, retargets, makes_a_draft])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_what_changes_between_judging_and_approving_is_judged_anew(
    tmp_path: Path, happens: Callable[[MemoryWorld], str], moment: Between
) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    scene = Scene(world, tmp_path)
    what: list[str] = []
    approved_then: list[list[str]] = []

    def happen() -> None:
        what.append(happens(world))
        approved_then.append(approvers(world))

    world.before(moment.call, happen, nth=moment.nth)
    stage = scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert scene.console.said == [f"the {what[0]} of !1 has changed meanwhile: reading it again"]
    assert approved_then == [[]]
    if happens is pushes:
        assert (verdict_of(stage), approvers(world)) == (Verdict.BLOCKED, [])
    else:
        assert (scene.written[-1], approvers(world)) == (f"approve !1 at {head[:12]}", ["gate-bot"])
        assert (world.lines[0].is_open, world.lines[0].title, world.lines[0].target_branch) == (True, str(ID), MAIN)


def test_a_push_in_the_moment_of_approving_is_refused_by_gitlab_and_judged_anew(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    scene = Scene(world, tmp_path)
    world.before(Approve, lambda: pushes(world))
    stage = scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert scene.console.said == [f"could not approve !1 at {head[:12]}: its head moved meanwhile: reading it again"]
    assert (verdict_of(stage), approvers(world)) == (Verdict.BLOCKED, [])


def test_a_closing_in_the_moment_of_approving_is_read_and_undone(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    world.before(Approve, lambda: closes(world))
    scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert scene.console.said == ["the state of !1 has changed meanwhile: reading it again"]
    assert approvers(world) == ["gate-bot"]


def test_who_pushes_each_time_gets_nothing_approved(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)

    def push_again(run: int) -> None:
        report(world, "passed", str(run))
        world.before("merge_request", lambda: push_again(run + 1))

    world.before("merge_request", lambda: push_again(2))
    with pytest.raises(
        StaleHead, match=rf"the head of !1 has changed meanwhile, for the {ATTEMPTS}th time in this run"
    ):
        scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert (scene.written, approvers(world)) == ([], [])


def test_another_run_that_has_approved_first_is_no_harm(tmp_path: Path) -> None:
    world = opened(tmp_path)
    head = report(world, "passed")
    scene = Scene(world, tmp_path)
    world.before(Approve, lambda: act(world, "gate-bot", Approve(iid=1, sha=head)))
    approve(scene)
    assert (approvers(world), scene.console.said) == (["gate-bot"], [])


@pytest.mark.parametrize("action", [SetStatus, UpdateMergeRequest, PutNote, Approve])
def test_a_run_that_dies_after_any_write_is_completed_by_the_next(
    tmp_path: Path, action: type[SetStatus | UpdateMergeRequest | PutNote | Approve]
) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    world.after(action, fail("the line broke"))
    with pytest.raises(ForgeError, match="the line broke"):
        scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    approve(scene)
    approve(scene)
    assert (scene.written, approvers(world), len(world.lines[0].notes)) == ([], ["gate-bot"], 1)


def test_a_withdrawal_that_fails_leaves_nothing_that_says_satisfied_anew(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    approve(scene)
    report(world, "failed", "2")
    world.before(Unapprove, fail("HTTP 500"))
    with pytest.raises(ForgeError, match="HTTP 500"):
        approve(scene)
    assert scene.written == []
    approve(scene)
    assert approvers(world) == []
