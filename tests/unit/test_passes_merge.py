"""Merging: what the mirrors carry, what is restored before it, what it overtakes, and what happens in between."""

from collections.abc import Callable
from pathlib import Path

import pytest
from memory_forge import DEVELOPER, MAIN, MemoryWorld, Sent, fail
from pass_scene import Scene, act, report
from pass_world import ID, STREAMS, add_compose, opened

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import CloseMergeRequest, Merge, PutNote, StartPipeline, UpdateMergeRequest
from compose_repo.core.forge.forge import ForgeError, MergeRequestState, StaleHead
from compose_repo.core.plan.plan import MARKER, SUPERSEDED_MARKER
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.passes.approve import Approving
from compose_repo.passes.loop import Stage
from compose_repo.passes.merge import Merging, NotPublished, PipelineDue
from compose_repo.passes.writer import UNTIL_HEAD_SHOWS

OLDER, OLDEST, NEWER = (ComposeId.parse(f"CentOS-Stream-10-202611{day}.0") for day in (18, 17, 22))
OTHER_STREAM = ComposeId.parse("CentOS-Stream-9-20261101.0")
BRANCH = f"compose/{ID}"
GATING = STREAMS.replace('"mirror"', '"gating"')
WAITS = int(UNTIL_HEAD_SHOWS.tries) - 1
"""How often GitLab is waited for, a second each time."""
LABELS = "give !1 label stream::CentOS-Stream-10, label gate::{}, label compose::published"


def merge(scene: Scene) -> Stage:
    """Merge the compose once, and see that what was shown was written."""
    scene.forget()
    scene.gate.world.anew()
    stage = scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)
    assert scene.shown == scene.written
    return stage


def state(world: MemoryWorld, iid: int = 1) -> MergeRequestState:
    return world.lines[iid - 1].state


def head(world: MemoryWorld) -> str:
    return (world.head(BRANCH) or "")[:12]


def results(world: MemoryWorld, branch: str = MAIN) -> list[str]:
    """Name what main has of the compose."""
    return sorted(path.removeprefix(f"{ID.folder}/") for path in world.files(branch) if path.startswith(ID.folder))


def restoring_parents(world: MemoryWorld) -> list[str]:
    """Name what the branch's last commit stands on: its head before, and main where it merges that."""
    sha = world.head(BRANCH)
    assert sha is not None
    return [parent[:12] for parent in world.commit(sha).parents]


# --- what is merged


@pytest.mark.parametrize(
    ("outcome", "verdict"), [("passed", "satisfied"), ("failed", "blocked"), ("running", "pending"), (None, "pending")]
)
def test_where_merging_follows_publishing_it_is_merged_whatever_the_gate_says(
    tmp_path: Path, outcome: str | None, verdict: str
) -> None:
    world = opened(tmp_path)
    if outcome is not None:
        report(world, outcome)
    scene = Scene(world, tmp_path)
    merge(scene)
    assert scene.written == [
        LABELS.format(verdict),
        "write a note on !1",
        "give !1 a new description",
        f"merge !1 at {head(world)}",
    ]
    assert (state(world), "manifest.json" in results(world)) == (MergeRequestState.MERGED, True)


def test_a_second_run_needs_nothing(tmp_path: Path) -> None:
    world = opened(tmp_path)
    scene = Scene(world, tmp_path)
    merge(scene)
    stage = merge(scene)
    where = "https://gitlab.example/centos/compose-repo/-/merge_requests/1"
    assert (scene.written, stage.idle) == ([], f"!1 of {ID} (merged) needs nothing: {where}")


def test_what_is_not_published_is_not_merged(tmp_path: Path) -> None:
    scene = Scene(opened(tmp_path), tmp_path)
    merging = Merging(work=scene.gate, compose_id=ID, why_not=lambda _: "the mirrors name nothing")
    with pytest.raises(NotPublished, match=r"^the mirrors name nothing$"):
        scene.carry_out(merging.next_stage)
    assert scene.written == []


def test_a_stream_that_nobody_has_listed_is_told(tmp_path: Path) -> None:
    world = opened(tmp_path, streams=STREAMS.replace("streams.CentOS-Stream-10", "streams.CentOS-Stream-9"))
    scene = Scene(world, tmp_path)
    with pytest.raises(UsageError) as caught:
        merge(scene)
    assert str(caught.value) == (
        "gate/streams.toml does not say where CentOS-Stream-10 is published; add [streams.CentOS-Stream-10]"
    )


# --- what does not count


def test_what_does_not_count_is_taken_off_the_branch_before_it_is_merged(tmp_path: Path) -> None:
    world = opened(tmp_path)
    report(world, "passed")
    world.push("rdo-ci", BRANCH, {"hello.txt": b"hello\n"})
    before = head(world)
    scene = Scene(world, tmp_path)
    main = world.head(MAIN)
    stage = scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)
    commit = head(world)
    assert [action.sentence for action in stage.plan][3:] == [
        f"restore what counts on {BRANCH}: {commit} on top of {before}",
        f"merge !1 at {commit}",
    ]
    assert restoring_parents(world) == [before, (main or "")[:12]]
    assert ("hello.txt" in world.files(MAIN), results(world)) == (False, ["manifest.json", "results/rdo/1.json"])


def test_a_conflict_with_main_is_gone_with_what_does_not_count(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.push("rdo-ci", BRANCH, {"README.md": b"mine\n"})
    world.push("owner", MAIN, {"README.md": b"ours\n"})
    merge(Scene(world, tmp_path))
    assert (world.files(MAIN)["README.md"], state(world)) == (b"ours\n", MergeRequestState.MERGED)


def test_a_push_before_our_restoring_commit_is_judged_anew(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.push("rdo-ci", BRANCH, {"hello.txt": b"hello\n"})
    scene = Scene(world, tmp_path)
    world.before(Sent, lambda: report(world, "passed"))
    scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)
    assert scene.console.said == [f"{BRANCH} has moved on: reading it again"]
    assert results(world) == ["manifest.json", "results/rdo/1.json"]


def hide_the_push(world: MemoryWorld, times: int) -> None:
    """Let GitLab see a push of ours as the head only after it has been asked so many times."""
    line, old = world.lines[0], world.lines[0].head

    def hide() -> None:
        new, line.head = line.head, old
        world.after("merge_request", lambda: setattr(line, "head", new), nth=times)

    world.after(Sent, hide)


@pytest.mark.parametrize("times", [1, 5, WAITS])
def test_a_gitlab_that_is_slow_to_see_our_push_is_waited_for(tmp_path: Path, times: int) -> None:
    world = opened(tmp_path)
    world.push("rdo-ci", BRANCH, {"hello.txt": b"hello\n"})
    scene = Scene(world, tmp_path)
    hide_the_push(world, times)
    merge(scene)
    assert (state(world), scene.clock.slept) == (MergeRequestState.MERGED, [1.0] * times)


def test_a_gitlab_that_never_sees_our_push_is_told_of_and_merges_nothing(tmp_path: Path) -> None:
    world = opened(tmp_path)
    world.push("rdo-ci", BRANCH, {"hello.txt": b"hello\n"})
    scene = Scene(world, tmp_path)
    hide_the_push(world, 10_000)
    with pytest.raises(StaleHead, match=r"run again$"):
        merge(scene)
    assert scene.console.said[0] == f"GitLab does not yet see {head(world)} as the head of !1: reading it again"
    assert (state(world), scene.clock.slept[:WAITS]) == (MergeRequestState.OPENED, [1.0] * WAITS)


# --- where merging leads to publishing


@pytest.mark.parametrize(
    ("outcome", "verdict", "why"),
    [
        ("failed", "blocked", "Of 1 required, 1 failed (rdo smoke on x86_64)"),
        (None, "pending", "Of 1 required, 1 missing (rdo smoke on x86_64)"),
    ],
)
def test_a_gated_stream_merges_nothing_that_is_not_satisfied(
    tmp_path: Path, outcome: str | None, verdict: str, why: str
) -> None:
    world = opened(tmp_path, streams=GATING)
    if outcome is not None:
        report(world, outcome)
    scene = Scene(world, tmp_path)
    with pytest.raises(UsageError) as caught:
        merge(scene)
    assert str(caught.value) == (
        f"{ID} is {verdict} and CentOS-Stream-10 is gated: {why}; fix it, or waive it in gate/waivers.toml"
    )
    assert scene.written == []


def test_a_gated_stream_merges_what_is_satisfied(tmp_path: Path) -> None:
    world = opened(tmp_path, streams=GATING)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    merge(scene)
    labels = LABELS.format("satisfied").replace("published", "approved")
    assert scene.written == [
        labels,
        "write a note on !1",
        "give !1 a new description",
        f"merge !1 at {head(world)}",
    ]


def test_what_is_gated_is_called_approved_for_publishing_and_not_published(tmp_path: Path) -> None:
    world = opened(tmp_path, streams=GATING)
    add_compose(world, OLDER)
    report(world, "passed")
    scene = Scene(world, tmp_path)
    merge(scene)
    told = [note.body for line in world.lines for note in line.notes]
    merged = world.commit(world.heads[1, MAIN]).title
    assert merged == f"{ID} is approved for publishing"
    assert [("**Approved for publishing.**" in text, "approved for publishing; this" in text) for text in told] == [
        (True, False),
        (False, True),
    ]
    assert not any("ublished" in text for text in told)


def test_a_label_that_says_approved_of_what_is_not_merged_is_taken_off(tmp_path: Path) -> None:
    world = opened(tmp_path, streams=GATING)
    scene = Scene(world, tmp_path)
    act(world, "rdo-ci", UpdateMergeRequest(iid=1, add_labels=("compose::approved",)))
    scene.carry_out(Approving(work=scene.gate, compose_id=ID).next_stage)
    assert "compose::approved" not in world.lines[0].labels


def test_a_refused_report_that_bears_on_an_answer_stops_a_gated_merge(tmp_path: Path) -> None:
    world = opened(tmp_path, streams=GATING)
    world.push("owner", MAIN, {"gate/waivers.toml": WAIVER})
    path = f"{ID.folder}/results/rdo/2.json"
    world.push("rdo-ci", BRANCH, {path: b"{"})
    scene = Scene(world, tmp_path)
    with pytest.raises(InputError) as caught:
        merge(scene)
    (problem,) = caught.value.problems
    assert (problem.code, problem.path, scene.written) == ("refused-report", path, [])


WAIVER = b"""\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "smoke"
reason = "Known."
issue = "https://issues.example.org/1"
by = "jdoe"
expires = 2026-12-01
"""


@pytest.mark.parametrize("pipeline", ["running", "pending", "created"])
def test_a_pipeline_that_is_not_over_is_waited_for(tmp_path: Path, pipeline: str) -> None:
    world = opened(tmp_path, streams=GATING)
    world.pipelines_must_succeed = True
    report(world, "passed")
    world.set_pipeline(1, pipeline)
    scene = Scene(world, tmp_path)
    with pytest.raises(PipelineDue, match=r"^the pipeline of !1 is not over$"):
        merge(scene)
    assert scene.written == []


def gated(tmp_path: Path) -> MemoryWorld:
    """A satisfied compose whose pipeline has succeeded, where GitLab merges nothing before that."""
    world = opened(tmp_path, streams=GATING)
    world.user("mallory", DEVELOPER)
    world.pipelines_must_succeed = True
    report(world, "passed")
    return world


def meddle(world: MemoryWorld, state: str, name: str = "lint") -> None:
    """Let mallory set a status in the pipeline of the head."""
    sha = world.lines[0].head
    assert sha is not None
    world.set_status(world.user("mallory"), sha, "refs/merge-requests/1/head", name=name, state=state)


@pytest.mark.parametrize("state_", ["failed", "running", "pending"])
def test_a_status_by_somebody_else_is_overcome_by_another_pipeline(tmp_path: Path, state_: str) -> None:
    world = gated(tmp_path)
    meddle(world, state_)
    scene = Scene(world, tmp_path)
    merge(scene)
    started = f"start a new pipeline for !1 at {head(world)}: the status 'lint' by mallory is {state_}"
    assert (scene.written[0], scene.written[-1]) == (started, f"merge !1 at {head(world)}")


def test_another_pipeline_is_waited_for_like_the_first(tmp_path: Path) -> None:
    world = gated(tmp_path)
    meddle(world, "failed")
    world.new_pipelines = "running"
    scene = Scene(world, tmp_path)
    for written in (1, 0):
        with pytest.raises(PipelineDue):
            merge(scene)
        assert len(scene.written) == written


def test_a_second_pipeline_that_is_held_too_is_a_failure_that_names_who_holds_it(tmp_path: Path) -> None:
    world = gated(tmp_path)
    meddle(world, "failed")

    def meddle_again() -> None:
        for number in range(5):
            meddle(world, "running", f"job {number}")

    world.after(StartPipeline, meddle_again)
    scene = Scene(world, tmp_path)
    with pytest.raises(InputError) as caught:
        merge(scene)
    (problem,) = caught.value.problems
    assert (problem.code, len(scene.written)) == ("pipeline-held", 1)
    assert problem.message == (
        "it is satisfied, but the status 'job 0' by mallory is running, the status 'job 1' by mallory is running, "
        "the status 'job 2' by mallory is running, 2 more in its pipeline, and was in the one before that"
    )
    assert state(world) is MergeRequestState.OPENED


@pytest.mark.parametrize(
    ("pipeline", "why"), [("canceled", "job 'validate' is canceled"), ("skipped", "no job was run")]
)
def test_a_pipeline_that_somebody_else_has_ended_is_started_again(tmp_path: Path, pipeline: str, why: str) -> None:
    world = gated(tmp_path)
    world.set_pipeline(1, pipeline)
    scene = Scene(world, tmp_path)
    merge(scene)
    assert scene.written[0] == f"start a new pipeline for !1 at {head(world)}: {why}"


def test_what_our_own_push_has_started_is_not_counted(tmp_path: Path) -> None:
    world = gated(tmp_path)
    world.push("rdo-ci", BRANCH, {"hello.txt": b"hello\n"})
    world.after(Sent, lambda: meddle(world, "failed"))
    scene = Scene(world, tmp_path)
    merge(scene)
    assert [sentence.split()[0] for sentence in scene.written[:2]] == ["restore", "start"]
    assert state(world) is MergeRequestState.MERGED


def test_a_job_that_has_failed_is_told_before_anything_is_written(tmp_path: Path) -> None:
    world = gated(tmp_path)
    world.set_pipeline(1, "failed")
    meddle(world, "running")
    scene = Scene(world, tmp_path)
    with pytest.raises(InputError) as caught:
        merge(scene)
    assert ([problem.code for problem in caught.value.problems], scene.written) == (["pipeline-failed"], [])


def test_what_fails_the_pipeline_is_restored_first_in_a_stage_of_its_own(tmp_path: Path) -> None:
    world = opened(tmp_path, streams=GATING)
    world.pipelines_must_succeed = True
    report(world, "passed")
    world.push("rdo-ci", BRANCH, {"hello.txt": b"hello\n"})
    world.set_pipeline(1, "failed")
    before = head(world)
    scene = Scene(world, tmp_path)
    world.after(Sent, lambda: world.set_pipeline(1, "running"))
    merging = Merging(work=scene.gate, compose_id=ID)
    with pytest.raises(PipelineDue):
        scene.carry_out(merging.next_stage)
    assert scene.written == [f"restore what counts on {BRANCH}: {head(world)}"]
    assert restoring_parents(world) == [before]
    world.set_pipeline(1, "success")
    merge(scene)
    assert (scene.written[-1], state(world)) == (f"merge !1 at {head(world)}", MergeRequestState.MERGED)


# --- what it overtakes


def test_older_ones_of_its_stream_are_told_then_closed(tmp_path: Path) -> None:
    world = opened(tmp_path)
    for one in (OLDEST, OLDER, NEWER, OTHER_STREAM):
        add_compose(world, one)
    scene = Scene(world, tmp_path)
    merge(scene)
    assert scene.written[4:] == [
        "give !2 label compose::superseded",
        "write a note on !2",
        "give !3 label compose::superseded",
        "write a note on !3",
        "close !2",
        "close !3",
    ]
    assert [line.is_open for line in world.lines] == [False, False, False, True, True]


def test_what_was_said_so_far_is_kept_below_the_word_that_it_is_overtaken(tmp_path: Path) -> None:
    world = opened(tmp_path)
    add_compose(world, OLDER)
    scene = Scene(world, tmp_path)
    scene.carry_out(Approving(work=scene.gate, compose_id=OLDER).next_stage)
    before = world.lines[1].notes[0].body
    merge(scene)
    (note,) = world.lines[1].notes
    assert note.body.startswith(SUPERSEDED_MARKER)
    assert (note.body.endswith(before), "edit the note on !2" in scene.written) == (True, True)


@pytest.mark.parametrize("done", ["retargeted", "another's"])
def test_what_is_none_of_ours_to_close_is_left(tmp_path: Path, done: str) -> None:
    world = opened(tmp_path)
    add_compose(world, OLDER)
    if done == "retargeted":
        world.push("owner", "elsewhere", {"a.txt": b"a\n"})
        act(world, "rdo-ci", UpdateMergeRequest(iid=2, target_branch="elsewhere"))
    else:
        world.lines[1].author = world.user("rdo-ci")
    scene = Scene(world, tmp_path)
    merge(scene)
    assert not any("!2" in sentence for sentence in scene.written)


def kill() -> None:
    """End a run as somebody does who is at its terminal."""
    raise KeyboardInterrupt


def test_what_was_merged_without_closing_the_older_is_completed_by_the_next_run(tmp_path: Path) -> None:
    world = opened(tmp_path)
    add_compose(world, OLDER)
    scene = Scene(world, tmp_path)
    world.after(Merge, kill)
    with pytest.raises(KeyboardInterrupt):
        merge(scene)
    merge(scene)
    assert scene.written == ["give !2 label compose::superseded", "write a note on !2", "close !2"]


def test_a_merge_whose_answer_is_lost_is_found_out_and_goes_on(tmp_path: Path) -> None:
    world = opened(tmp_path)
    add_compose(world, OLDER)
    scene = Scene(world, tmp_path)
    world.after(Merge, fail("the line broke"))
    scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)
    assert scene.console.said == ["the state of !1 has changed meanwhile: reading it again"]
    assert (state(world), state(world, 2)) == (MergeRequestState.MERGED, MergeRequestState.CLOSED)


def another_says_so(world: MemoryWorld) -> None:
    act(world, "gate-bot", PutNote(iid=2, marker=MARKER, body=f"{SUPERSEDED_MARKER}\nwords\n\n{MARKER}"))


def another_says_so_and_closes(world: MemoryWorld) -> None:
    another_says_so(world)
    act(world, "gate-bot", CloseMergeRequest(iid=2))


@pytest.mark.parametrize("other", [another_says_so, another_says_so_and_closes])
def test_where_another_run_says_so_too_one_note_is_left(tmp_path: Path, other: Callable[[MemoryWorld], None]) -> None:
    world = opened(tmp_path)
    add_compose(world, OLDER)
    scene = Scene(world, tmp_path)
    world.after(PutNote, lambda: other(world), nth=2)
    merge(scene)
    assert (len(world.lines[1].notes), state(world, 2)) == (1, MergeRequestState.CLOSED)
    assert sum(sentence.startswith("delete the second note") for sentence in scene.written) == 1


# --- what happens in between


def pushes(world: MemoryWorld) -> str:
    report(world, "failed")
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


@pytest.mark.parametrize("happens", [pushes, closes, retargets, makes_a_draft])
@pytest.mark.parametrize("nth", [2, 3], ids=["shown", "about to merge"])
def test_what_changes_between_judging_and_merging_never_merges_anything_else(
    tmp_path: Path, happens: Callable[[MemoryWorld], str], nth: int
) -> None:
    world = opened(tmp_path)
    scene = Scene(world, tmp_path)
    what: list[str] = []
    world.before("merge_request", lambda: what.append(happens(world)), nth=nth)
    scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)
    assert scene.console.said == [f"the {what[0]} of !1 has changed meanwhile: reading it again"]
    assert (state(world), world.lines[0].target_branch) == (MergeRequestState.MERGED, MAIN)
    assert ("results/rdo/1.json" in results(world)) is (happens is pushes)
    assert sum(sentence.startswith("merge !1") for sentence in scene.written) == 1


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (pushes, "could not merge !1 at {}: its head moved meanwhile: reading it again"),
        (closes, "the state of !1 has changed meanwhile: reading it again"),
        (makes_a_draft, "the title of !1 has changed meanwhile: reading it again"),
    ],
)
def test_what_gitlab_refuses_to_merge_because_of_somebody_is_judged_again(
    tmp_path: Path, happens: Callable[[MemoryWorld], str], said: str
) -> None:
    world = opened(tmp_path)
    judged = head(world)
    scene = Scene(world, tmp_path)
    world.before(Merge, lambda: happens(world))
    scene.carry_out(Merging(work=scene.gate, compose_id=ID).next_stage)
    assert (scene.console.said, state(world)) == ([said.format(judged)], MergeRequestState.MERGED)


def test_what_another_run_has_merged_first_is_no_harm(tmp_path: Path) -> None:
    world = opened(tmp_path)
    sha = world.head(BRANCH)
    assert sha is not None
    scene = Scene(world, tmp_path)
    world.before(Merge, lambda: act(world, "gate-bot", Merge(iid=1, sha=sha, message="x")))
    merge(scene)
    assert (state(world), scene.console.said) == (MergeRequestState.MERGED, [])


def test_what_gitlab_refuses_for_good_is_told(tmp_path: Path) -> None:
    world = opened(tmp_path)
    scene = Scene(world, tmp_path)
    world.before(Merge, fail("HTTP 403"))
    with pytest.raises(ForgeError, match="HTTP 403"):
        merge(scene)
    assert state(world) is MergeRequestState.OPENED
