"""Promoting: a claim, one call, and the record of what came of it, whoever runs beside it or is killed."""

import json
from pathlib import Path

import pytest
from jenkins import jenkins, send
from memory_forge import MAIN, Sent
from pass_scene import Scene, act, record, records, report
from pass_world import ID, STREAMS, opened

from compose_repo.core.forge.action import CloseMergeRequest, Merge, UpdateMergeRequest
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.core.rules.hook import CommandHook, Hook, JenkinsHook
from compose_repo.core.streams.promotion import MOST_TRIES
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes.loop import Stage
from compose_repo.passes.promote import Promoting, retraction
from compose_repo.ports.git.repository import GitError

BRANCH = f"compose/{ID}"
CLAIM, CALLED, FAILED, ENDED = (
    f"create tag promotion/{ID}/1/{name}" for name in ("claim", "called", "failed", "ended")
)
GATING = STREAMS.replace('"mirror"', '"gating"')


def command(folder: Path, code: int = 0) -> CommandHook:
    """Give a hook that writes down each call, and ends with an exit code."""
    return CommandHook(command=("/bin/sh", "-c", f"cat >> {folder / 'calls'}; exit {code}"))


def calls(folder: Path) -> list[dict[str, str]]:
    """Give what the hook was told, call by call."""
    file = folder / "calls"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def begun(folder: Path, *, outcome: str = "passed", streams: str = STREAMS) -> Scene:
    """Let there be a compose that is judged."""
    world = opened(folder, streams=streams)
    report(world, outcome)
    return Scene(world, folder)


def promote(scene: Scene, hook: Hook | None = None) -> Stage:
    """Look at everything as a pass does, then promote; what was written had been shown."""
    scene.forget()
    scene.gate.world.look()
    hook = hook or command(scene.folder)
    promoting = Promoting(work=scene.gate, compose_id=ID, hook=hook)
    try:
        return scene.carry_out(promoting.next_stage, anew=scene.gate.world.look)
    finally:
        assert scene.is_shown_first


# --- what is called


def test_what_is_satisfied_is_claimed_called_and_recorded(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    promote(scene)
    assert (scene.written, records(scene)) == ([CLAIM, CALLED], ["1/called", "1/claim"])
    assert scene.console.hooks == [f"call the command /bin/sh for promotion/{ID}/1"]
    (told,) = calls(tmp_path)
    assert (told["compose_id"], told["verdict"], told["head"]) == (str(ID), "satisfied", scene.world.head(BRANCH))


def test_a_second_run_calls_nobody(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    promote(scene)
    stage = promote(scene)
    assert (stage.idle, scene.written) == (f"{ID} is not to be promoted", [])
    assert len(calls(tmp_path)) == 1


@pytest.mark.parametrize("outcome", ["failed", "running", "error"])
def test_what_is_not_satisfied_is_not_promoted(tmp_path: Path, outcome: str) -> None:
    scene = begun(tmp_path, outcome=outcome)
    promote(scene)
    assert (scene.written, calls(tmp_path)) == ([], [])


def test_what_turns_satisfied_again_is_called_again_under_the_next_number(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    record(scene, "1/claim", "1/called", "1/ended")
    promote(scene)
    assert scene.written == [f"create tag promotion/{ID}/2/claim", f"create tag promotion/{ID}/2/called"]
    assert [told["promotion"] for told in calls(tmp_path)] == [f"promotion/{ID}/2"]


def test_the_claim_stands_on_main(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    promote(scene)
    scene.gate.world.repository.fetch(
        scene.gate.world.project.clone_url, [f"+refs/tags/promotion/{ID}/1/claim:refs/x"], token=None
    )
    assert scene.gate.world.repository.commit("refs/x^{commit}") == scene.world.head(MAIN)


def test_a_renamed_one_is_brought_back_before_it_is_claimed(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    act(scene.world, "rdo-ci", UpdateMergeRequest(iid=1, title=f"Draft: {ID}"))
    promote(scene)
    assert scene.written == [f"give !1 title '{ID}'", CLAIM, CALLED]


# --- what is not called


def test_what_a_maintainer_has_closed_is_not_promoted(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    act(scene.world, "owner", CloseMergeRequest(iid=1))
    assert (promote(scene).plan, calls(tmp_path)) == ((), [])


def test_what_was_merged_is_not_promoted(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    head = scene.world.head(BRANCH)
    assert head is not None
    act(scene.world, "owner", Merge(iid=1, sha=head, message="x"))
    assert (promote(scene).plan, calls(tmp_path)) == ((), [])


def test_a_refused_report_stops_the_promotion_of_a_gated_stream(tmp_path: Path) -> None:
    waiver = (
        'schema = "waivers/1"\n[[waiver]]\norigin = "rdo"\ntestcase = "smoke"\nreason = "Known."\n'
        'issue = "https://issues.example.org/1"\nby = "jdoe"\nexpires = 2026-12-01\n'
    )
    world = opened(tmp_path, streams=GATING)
    world.push("owner", MAIN, {"gate/waivers.toml": waiver.encode()})
    world.push("rdo-ci", BRANCH, {f"{ID.folder}/results/rdo/2.json": b"{"})
    scene = Scene(world, tmp_path)
    with pytest.raises(InputError) as caught:
        promote(scene)
    assert ([one.code for one in caught.value.problems], scene.written) == (["refused-report"], [])


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_missing_secret_claims_nothing_but_a_dry_run_needs_none(tmp_path: Path, dry_run: bool) -> None:  # noqa: FBT001  # what is asked
    world = opened(tmp_path)
    report(world, "passed")
    scene = Scene(world, tmp_path, dry_run=dry_run)
    scene.gate.world.look()
    hook = JenkinsHook(job="https://ci.example.org/job/publish")
    promoting = Promoting(work=scene.gate, compose_id=ID, hook=hook)
    if dry_run:
        scene.carry_out(promoting.next_stage)
        assert scene.shown == [CLAIM]
    else:
        with pytest.raises(UsageError, match="COMPOSE_REPO_PROMOTE_JENKINS_USER"):
            scene.carry_out(promoting.next_stage)
    assert (scene.written, records(scene)) == ([], [])


def test_a_program_that_is_not_here_claims_nothing(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    with pytest.raises(UsageError, match="/nowhere/promote"):
        promote(scene, CommandHook(command=("/nowhere/promote",)))
    assert (scene.written, records(scene)) == ([], [])


# --- what came of it


def test_a_call_that_was_refused_is_recorded_and_called_again_by_the_next_run(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    with pytest.raises(InputError) as caught:
        promote(scene, command(tmp_path, 75))
    (problem,) = caught.value.problems
    assert (problem.code, problem.path, scene.written) == ("promotion-failed", f"promotion/{ID}/1", [CLAIM, FAILED])
    promote(scene)
    assert records(scene) == ["1/claim", "1/failed", "2/called", "2/claim"]


def test_a_hook_that_refuses_each_time_is_called_a_few_times(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    record(scene, *(f"{number}/{name}" for number in range(1, MOST_TRIES + 1) for name in ("claim", "failed")))
    promote(scene)
    assert (scene.written, calls(tmp_path)) == ([], [])


@pytest.mark.parametrize("code", [1, 2, 126])
def test_where_nobody_knows_what_came_of_it_nothing_is_recorded_and_nobody_calls_again(
    tmp_path: Path, code: int
) -> None:
    scene = begun(tmp_path)
    with pytest.raises(InputError) as caught:
        promote(scene, command(tmp_path, code))
    (problem,) = caught.value.problems
    assert (problem.code, scene.written, records(scene)) == ("promotion-unknown", [CLAIM], ["1/claim"])
    assert problem.message == f"it is not known whether the command /bin/sh was called: exit code {code}"
    promote(scene)
    assert (scene.written, len(calls(tmp_path))) == ([], 1)


@pytest.mark.parametrize(
    ("status", "code", "recorded"),
    [
        (201, None, ["1/called", "1/claim"]),
        (403, "promotion-failed", ["1/claim", "1/failed"]),
        (404, "promotion-failed", ["1/claim", "1/failed"]),
        (500, "promotion-unknown", ["1/claim"]),
        (200, "promotion-unknown", ["1/claim"]),
    ],
)
def test_a_jenkins_says_by_its_status_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, code: str | None, recorded: list[str]
) -> None:
    for name in ("USER", "TOKEN"):
        monkeypatch.setenv(f"COMPOSE_REPO_PROMOTE_JENKINS_{name}", "x")
    scene = begun(tmp_path)
    codes: list[str] = []
    with jenkins() as server:
        server.post = lambda handler: send(handler, status, b"")
        try:
            promote(scene, JenkinsHook(job=server.address("publish")))
        except InputError as error:
            codes = [problem.code for problem in error.problems]
        posted = len(server.posted)
    assert (codes, records(scene), posted) == ([] if code is None else [code], recorded, 1)


# --- what happens in between


def test_a_claim_that_another_run_has_taken_is_left_to_it(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    scene.world.before(Sent, lambda: record(scene, "1/claim"))
    stage = promote(scene)
    taken = f"somebody else has made the tag promotion/{ID}/1/claim: reading it again"
    assert (scene.console.said, stage.idle) == ([taken], f"{ID} is not to be promoted")
    assert (calls(tmp_path), records(scene)) == ([], ["1/claim"])


def test_a_claim_whose_answer_is_lost_is_ours(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    scene.world.after(Sent, lose)
    promote(scene)
    assert (records(scene), len(calls(tmp_path))) == (["1/called", "1/claim"], 1)


def lose() -> None:
    """Let a line break."""
    raise GitError("`git push` failed: the line broke")


def test_a_claim_that_cannot_be_pushed_calls_nobody(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    scene.world.before(Sent, lose)
    with pytest.raises(GitError, match="the line broke"):
        promote(scene)
    assert (calls(tmp_path), records(scene)) == ([], [])


@pytest.mark.parametrize("who", ["owner", "rdo-ci"])
def test_what_is_closed_between_judging_and_claiming_is_looked_at_again(tmp_path: Path, who: str) -> None:
    scene = begun(tmp_path)
    scene.world.before("merge_request", lambda: act(scene.world, who, CloseMergeRequest(iid=1)))
    promote(scene)
    called = len(calls(tmp_path))
    assert scene.console.said == ["the state of !1 has changed meanwhile: reading it again"]
    assert (scene.written, called) == (([], 0) if who == "owner" else (["reopen !1", CLAIM, CALLED], 1))


def test_a_failure_that_is_pushed_between_judging_and_claiming_is_not_promoted(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    scene.world.before("merge_request", lambda: report(scene.world, "failed", "2"))
    promote(scene)
    assert (scene.written, calls(tmp_path)) == ([], [])


def kill() -> None:
    """End a run as somebody does who is at its terminal."""
    raise KeyboardInterrupt


def test_killed_right_before_its_claim_it_is_called_by_the_next_run(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    scene.world.before(Sent, kill)
    with pytest.raises(KeyboardInterrupt):
        promote(scene)
    promote(scene)
    assert (records(scene), len(calls(tmp_path))) == (["1/called", "1/claim"], 1)


@pytest.mark.parametrize(("nth", "called"), [(1, 0), (2, 1)], ids=["claimed", "called"])
def test_killed_after_its_claim_it_is_never_called_again(tmp_path: Path, nth: int, called: int) -> None:
    scene = begun(tmp_path)
    moment = scene.world.after if nth == 1 else scene.world.before
    moment(Sent, kill, nth=nth)
    with pytest.raises(KeyboardInterrupt):
        promote(scene)
    promote(scene)
    assert (records(scene), len(calls(tmp_path)), scene.written) == (["1/claim"], called, [])


# --- satisfied no more


def retract(scene: Scene, verdict: Verdict) -> Stage:
    scene.gate.world.look()
    return scene.carry_out(lambda: retraction(scene.gate, ID, verdict), anew=scene.gate.world.look)


@pytest.mark.parametrize(
    ("there", "verdict", "written"),
    [
        (("1/claim", "1/called"), Verdict.BLOCKED, [ENDED]),
        (("1/claim", "1/called"), Verdict.PENDING, [ENDED]),
        (("1/claim", "1/called"), Verdict.SATISFIED, []),
        (("1/claim", "1/called", "1/ended"), Verdict.BLOCKED, []),
        (("1/claim",), Verdict.BLOCKED, []),
        (("1/claim", "1/failed"), Verdict.BLOCKED, []),
        ((), Verdict.BLOCKED, []),
    ],
)
def test_what_was_promoted_and_is_satisfied_no_more_has_ended(
    tmp_path: Path, there: tuple[str, ...], verdict: Verdict, written: list[str]
) -> None:
    scene = begun(tmp_path)
    record(scene, *there)
    retract(scene, verdict)
    assert (scene.written, scene.shown) == (written, written)


def test_an_end_that_another_run_has_recorded_is_left(tmp_path: Path) -> None:
    scene = begun(tmp_path)
    record(scene, "1/claim", "1/called")
    scene.world.before(Sent, lambda: record(scene, "1/ended", by="owner"))
    stage = retract(scene, Verdict.BLOCKED)
    assert (records(scene), stage.plan) == (["1/called", "1/claim", "1/ended"], ())
