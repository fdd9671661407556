"""Polling a Jenkins: what is new comes to the branch by one commit, is judged, and whatever is wrong stops nothing."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jenkins import case
from jenkins_web import JOB, JenkinsWeb, poll_of, reports_for_rdo
from memory_forge import DEVELOPER, MAIN, fail
from pass_scene import Scene, act, report
from pass_world import ID, ORIGINS, opened

from compose_repo.core.forge.action import AddFiles, CloseMergeRequest
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.verdict.decision import Verdict
from compose_repo.passes.approve import Approving
from compose_repo.passes.jenkins import MOST_READ, SECONDS_OF_ONE, Poll
from compose_repo.passes.loop import Stage

BRANCH = f"compose/{ID}"
FOLDER = f"{ID.folder}/results/rdo"
ADDS = f"add {FOLDER}/compose-test-{{}}.json to {BRANCH}"


@dataclass(kw_only=True)
class Polled:
    """A compose whose results come from a Jenkins; each run begins to poll anew."""

    scene: Scene
    web: JenkinsWeb = field(default_factory=JenkinsWeb)

    def run(self, *, opener: bool = True) -> tuple[Stage, Poll]:
        """Poll, judge and approve once, and see that what was written had been shown."""
        self.scene.forget()
        self.web.asked.clear()
        self.scene.gate.world.anew()
        poll = poll_of(self.scene, self.web, opener=opener)
        process = Approving(work=self.scene.gate, compose_id=ID, arrive=partial(poll.arriving, ID))
        stage = self.scene.carry_out(process.next_stage)
        assert self.scene.is_shown_first
        return stage, poll

    def outcomes(self) -> dict[str, list[str]]:
        """Give what stands on the branch for rdo."""
        found = self.scene.world.files(BRANCH)
        return {
            path.removeprefix(f"{FOLDER}/"): [row["outcome"] for row in json.loads(data)["results"]]
            for path, data in found.items()
            if path.startswith(FOLDER)
        }


@pytest.fixture
def polled(tmp_path: Path) -> Polled:
    world = opened(tmp_path)
    reports_for_rdo(world)
    return Polled(scene=Scene(world, tmp_path))


def codes(poll: Poll) -> list[str]:
    return [problem.code for problem in poll.problems]


def verdict_of(stage: Stage) -> Verdict:
    assert stage.judgement is not None
    return stage.judgement.decision.verdict


# --- what is new


@pytest.mark.parametrize(
    ("result", "outcome", "verdict"),
    [
        ("SUCCESS", "passed", Verdict.SATISFIED),
        ("UNSTABLE", "failed", Verdict.BLOCKED),
        ("FAILURE", "error", Verdict.PENDING),
        ("ABORTED", "error", Verdict.PENDING),
        ("NOT_BUILT", "error", Verdict.PENDING),
    ],
)
def test_what_a_build_came_to_is_written_down_then_judged(
    polled: Polled, result: str, outcome: str, verdict: Verdict
) -> None:
    polled.web.ci.build(7, None, COMPOSE=str(ID))
    cases = {"passed": [case("boots")], "failed": [case("boots", "FAILED")]}
    polled.web.ci.finish(7, result, *cases.get(outcome, []))
    stage, poll = polled.run()
    assert (polled.scene.written[0], poll.problems) == (ADDS.format(7), [])
    assert (polled.outcomes()["compose-test-7.json"][0], verdict_of(stage)) == (outcome, verdict)
    assert [write.by for write in polled.scene.writes][:2] == ["compose-bot", "gate-bot"]


def test_a_build_that_runs_says_so_until_it_is_over(polled: Polled) -> None:
    polled.web.ci.build(7, None, COMPOSE=str(ID))
    polled.run()
    assert polled.outcomes() == {"compose-test-7-running.json": ["running"]}
    polled.web.ci.finish(7, "UNSTABLE", case("boots"))
    polled.run()
    assert polled.scene.written[0] == ADDS.format(7)


def test_many_builds_come_by_one_commit(polled: Polled) -> None:
    for number in (7, 8, 9):
        polled.web.ci.build(number, "FAILURE", COMPOSE=str(ID))
    polled.run()
    assert [type(write.what) for write in polled.scene.writes].count(AddFiles) == 1
    assert sorted(polled.outcomes()) == [f"compose-test-{number}.json" for number in (7, 8, 9)]


def test_more_builds_than_are_read_at_once_come_with_the_next_run(polled: Polled) -> None:
    for number in range(1, MOST_READ + 4):
        polled.web.ci.build(number, "FAILURE", COMPOSE=str(ID))
    polled.run()
    first = len(polled.outcomes())
    polled.run()
    assert (first, len(polled.outcomes())) == (MOST_READ, MOST_READ + 3)


def test_each_configuration_of_a_matrix_is_a_job_whose_builds_have_one_number(polled: Polled) -> None:
    parts = ("ARCH=x86_64", "ARCH=x86_64,OS=b")
    rows = [f'{{job = "{JOB}/{part}", testcase = "smoke", arch = "x86_64"}}' for part in parts]
    row = f"jenkins = [{', '.join(rows)}]\n"
    polled.scene.world.push("owner", MAIN, {"gate/origins.toml": (ORIGINS + row).encode()})
    for part, status in zip(parts, ("FAILED", "PASSED"), strict=True):
        job = f"compose-test/{part}"
        polled.web.ci.build(7, None, job=job, COMPOSE=str(ID))
        polled.web.ci.finish(7, "UNSTABLE", case("boots", status), job=job)
    stage, poll = polled.run()
    assert poll.problems == []
    assert sorted(one[0] for one in polled.outcomes().values()) == ["failed", "needs_inspection"]
    assert verdict_of(stage) is Verdict.BLOCKED


def test_what_is_there_is_not_read_again_and_writes_nothing(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    polled.run()
    polled.run()
    assert (polled.scene.written, len(polled.web.asked)) == ([], 1)


def test_a_build_of_another_compose_is_none_of_it(polled: Polled) -> None:
    polled.web.ci.build(7, "SUCCESS", COMPOSE="CentOS-Stream-10-20261121.0")
    polled.run()
    assert (polled.outcomes(), len(polled.web.asked)) == ({}, 1)


def test_without_the_compose_bots_token_nothing_is_asked(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    polled.run(opener=False)
    assert (polled.outcomes(), polled.web.asked) == ({}, [])


def test_what_stays_closed_gets_nothing(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    act(polled.scene.world, "owner", CloseMergeRequest(iid=1))
    polled.run()
    assert (polled.outcomes(), polled.web.asked) == ({}, [])


# --- what GitLab refuses


def test_a_commit_that_is_refused_is_told_and_the_rest_goes_on(polled: Polled) -> None:
    head = report(polled.scene.world, "passed")
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    polled.scene.world.protect("compose/*")
    _, poll = polled.run()
    assert [(one.code, one.path, one.fix) for one in poll.problems] == [
        ("not-done", BRANCH, "the next run tries again")
    ]
    assert "You are not allowed to push into this branch" in poll.problems[0].message
    assert polled.scene.written[-1] == f"approve !1 at {head[:12]}"


def test_a_line_that_breaks_while_it_is_written_is_told_and_the_rest_goes_on(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    polled.scene.world.before(AddFiles, fail("the line broke"))
    stage, poll = polled.run()
    assert (codes(poll), verdict_of(stage), polled.scene.written[-1]) == (
        ["not-done"],
        Verdict.PENDING,
        "give !1 a new description",
    )
    polled.run()
    assert sorted(polled.outcomes()) == ["compose-test-7.json"]


def test_a_commit_whose_answer_is_lost_is_found_and_not_made_twice(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    polled.scene.world.after(AddFiles, fail("the line broke"))
    _, poll = polled.run()
    assert polled.scene.console.said[0] == "the head of !1 has changed meanwhile: reading it again"
    assert (codes(poll), sorted(polled.outcomes())) == ([], ["compose-test-7.json"])
    assert [type(write.what) for write in polled.scene.writes].count(AddFiles) == 1


def test_what_another_run_has_added_first_is_not_added_twice(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    poll = poll_of(polled.scene, polled.web)
    process = Approving(work=polled.scene.gate, compose_id=ID, arrive=partial(poll.arriving, ID))
    (same,) = process.next_stage().plan
    assert isinstance(same, AddFiles)
    world = polled.scene.world
    world.before(AddFiles, lambda: act(world, "compose-bot", same))
    _, after = polled.run()
    assert (sorted(polled.outcomes()), codes(after)) == (["compose-test-7.json"], [])


def test_who_takes_the_place_of_a_build_in_the_same_moment_does_not_silence_it(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    world = polled.scene.world
    world.before(AddFiles, lambda: world.push("rdo-ci", BRANCH, {f"{FOLDER}/compose-test-7.json": b'{"results": []}'}))
    polled.run()
    assert sorted(polled.outcomes().values()) == [[], ["error"]]


def test_another_account_than_the_compose_bots_writes_nothing_down(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    world = polled.scene.world
    world.user("someone", DEVELOPER)
    seen = polled.scene.gate.world.seen_by(
        world.as_user("someone"), world.token("someone"), variable="COMPOSE_REPO_OPENER_TOKEN"
    )
    polled.scene.opener = polled.scene.gate.as_opener(seen)
    stage, poll = polled.run()
    assert (codes(poll), polled.outcomes(), verdict_of(stage)) == (["not-done"], {}, Verdict.PENDING)
    assert "COMPOSE_REPO_OPENER_TOKEN" in poll.problems[0].message


def test_a_push_while_it_is_polled_is_judged(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    polled.scene.world.before(AddFiles, lambda: report(polled.scene.world, "passed"))
    polled.run()
    assert sorted(polled.outcomes()) == ["1.json", "compose-test-7.json"]


# --- what a Jenkins does wrong


LIST, BUILD = "/job/compose-test/api/json", "/job/compose-test/7/api/json"
NOTHING = b'{"allBuilds": [{"number": -1}, {"number": "x"}, 7, null]}'


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (LIST, b"<html>", "not-json"),
        (BUILD, b"<html>", "not-json"),
        (LIST, b'{"allBuilds": [', "not-json"),
        (LIST, b"[]", "wrong-type"),
        (LIST, NOTHING, "wrong-type"),
        (BUILD, NOTHING, "jenkins-other-build"),
        (LIST, b'{"jobs": []}', "jenkins-not-a-job"),
        (BUILD, b'{"jobs": []}', "jenkins-other-build"),
    ],
)
def test_a_jenkins_that_says_nonsense_is_told_of_and_stops_nothing(
    polled: Polled, path: str, body: bytes, code: str
) -> None:
    polled.web.pages[path] = body
    stops_nothing(polled, code)


@pytest.mark.parametrize("path", [LIST, BUILD])
@pytest.mark.parametrize("code", [Code.SOURCE_TOO_LARGE, Code.SOURCE_TRUNCATED, Code.SOURCE_UNREACHABLE])
def test_a_jenkins_that_cannot_be_read_is_told_of_and_stops_nothing(polled: Polled, path: str, code: Code) -> None:
    polled.web.failures[path] = InputError(Problem(path=path, code=code, message="it is not to be read", fix="wait"))
    stops_nothing(polled, code)


@pytest.mark.parametrize("path", [LIST, BUILD])
def test_a_jenkins_that_another_server_answers_for_is_told_of_and_stops_nothing(polled: Polled, path: str) -> None:
    polled.web.moved.add(path)
    stops_nothing(polled, "jenkins-elsewhere")


def stops_nothing(polled: Polled, code: str) -> None:
    """See that what is wrong is told, that the rest is done, and that the next run writes down what was missed."""
    head = report(polled.scene.world, "passed")
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    _, poll = polled.run()
    assert set(codes(poll)) == {code}
    assert (sorted(polled.outcomes()), polled.scene.written[-1]) == (["1.json"], f"approve !1 at {head[:12]}")
    for wrong in (polled.web.pages, polled.web.failures, polled.web.moved):
        wrong.clear()
    polled.run()
    assert sorted(polled.outcomes()) == ["1.json", "compose-test-7.json"]


def test_a_jenkins_that_is_away_is_asked_no_more_in_a_run(polled: Polled) -> None:
    for number in (7, 8, 9):
        polled.web.ci.build(number, "FAILURE", COMPOSE=str(ID))
        path = f"/job/compose-test/{number}/api/json"
        away = Problem(path=path, code=Code.SOURCE_UNREACHABLE, message="it is away", fix="wait")
        polled.web.failures[path] = InputError(away)
    polled.run()
    assert len(polled.web.asked) == 2


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda build: build.update(result="PERFECT"), "jenkins-unknown-word"),
        (lambda build: build["actions"].append({"urlName": "testReport"}), "jenkins-report-missing"),
        (lambda build: build["actions"][0]["parameters"].pop(), "jenkins-no-arch"),
        (lambda build: build["actions"][0]["parameters"][1].update(value="../x"), "jenkins-no-arch"),
        (lambda build: build["actions"][0]["parameters"][1].update(value="s390x"), "unknown-arch"),
        (lambda build: build.update(timestamp=4_000_000_000_000), "future-time"),
    ],
)
def test_a_build_that_cannot_be_used_is_told_and_the_others_are_written_down(
    polled: Polled, spoil: Callable[[Any], Any], code: str
) -> None:
    reports_for_rdo(polled.scene.world, 'arch_parameter = "ARCH"')
    spoil(polled.web.ci.build(7, "ABORTED", COMPOSE=str(ID), ARCH="x86_64"))
    polled.web.ci.build(8, "ABORTED", COMPOSE=str(ID), ARCH="x86_64")
    _, poll = polled.run()
    assert (set(codes(poll)), polled.outcomes()) == ({code}, {"compose-test-8.json": ["error"]})


def test_a_job_that_is_not_there_is_told_once(polled: Polled) -> None:
    polled.web.ci.jobs.clear()
    _, poll = polled.run()
    (problem,) = poll.problems
    assert "there is no such job, or not everybody may read it" in problem.message
    assert len(polled.scene.console.said) == 1


def test_one_bad_build_is_told_and_the_others_are_written_down(polled: Polled) -> None:
    for number in (7, 8, 9):
        polled.web.ci.build(number, "FAILURE", COMPOSE=str(ID))
    polled.web.pages["/job/compose-test/8/api/json"] = b"{"
    _, poll = polled.run()
    assert (len(poll.problems), sorted(polled.outcomes())) == (1, ["compose-test-7.json", "compose-test-9.json"])


def test_a_bad_build_is_read_once_in_a_run_however_often_it_is_judged(polled: Polled) -> None:
    polled.web.ci.build(7, "FAILURE", COMPOSE=str(ID))
    polled.web.pages["/job/compose-test/7/api/json"] = b"{"
    polled.scene.world.before("merge_request", lambda: report(polled.scene.world, "passed"))
    polled.run()
    assert polled.scene.console.said[1:] == ["the head of !1 has changed meanwhile: reading it again"]
    assert polled.web.asked == ["/job/compose-test/api/json", "/job/compose-test/7/api/json"]


def test_a_slow_jenkins_has_its_time_and_the_rest_comes_with_the_next_run(polled: Polled) -> None:
    for number in (7, 8):
        polled.web.ci.build(number, "FAILURE", COMPOSE=str(ID))
    polled.web.slow = lambda: polled.scene.clock.tick(SECONDS_OF_ONE)
    _, poll = polled.run()
    (problem,) = poll.problems
    assert (polled.outcomes(), f"{SECONDS_OF_ONE:g}" in problem.message) == ({}, True)
    polled.web.slow = lambda: None
    polled.run()
    assert len(polled.outcomes()) == 2


def test_two_jobs_of_one_origin_are_both_read(polled: Polled) -> None:
    rows = ", ".join(f'{{job = "{JOB}{name}", testcase = "smoke", arch = "x86_64"}}' for name in ("", "-two"))
    polled.scene.world.push("owner", MAIN, {"gate/origins.toml": f"{ORIGINS}jenkins = [{rows}]\n".encode()})
    for job in ("compose-test", "compose-test-two"):
        polled.web.ci.build(7, "FAILURE", job=job, COMPOSE=str(ID))
    polled.run()
    assert sorted(polled.outcomes()) == ["compose-test-7.json", "compose-test-two-7.json"]
