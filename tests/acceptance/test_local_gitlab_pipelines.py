"""The local GitLab's pipelines, run by gitlab-ci-local, and its pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from gitlab_world import BRANCH, World, build_world, commit

from local_gitlab import CiRunner
from local_gitlab.ci_reports import report_paths

CONFIG = """\
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
stages: [check, decide]
variables:
  GIT_DEPTH: "0"
validate:
  stage: check
  rules: [{if: $CI_MERGE_REQUEST_IID}]
  script:
    - echo '<testsuite><testcase name="good"/><testcase name="bad"><failure/></testcase></testsuite>' > j.xml
    - 'echo "[{\\"description\\": \\"<b>odd</b>\\", \\"severity\\": \\"major\\",
      \\"location\\": {\\"path\\": \\"f.json\\", \\"lines\\": {\\"begin\\": 3}}}]" > q.json'
    - 'echo "shallow: $(git rev-parse --is-shallow-repository)"'
    - echo "from $CI_MERGE_REQUEST_DIFF_BASE_SHA to $CI_COMMIT_SHA in !$CI_MERGE_REQUEST_IID; $GREETING"
  artifacts: {when: always, paths: [j.xml], reports: {junit: j.xml, codequality: [q.json]}}
gate:
  stage: decide
  rules: [{if: $CI_MERGE_REQUEST_IID}]
  allow_failure: {exit_codes: [3]}
  script: [exit 3]
test:
  stage: check
  rules: [{if: $CI_COMMIT_BRANCH}]
  script: ['echo "[]" > main.json']
  artifacts: {paths: [main.json], reports: {codequality: main.json}}
"""


@pytest.fixture(scope="module")
def runner() -> CiRunner:
    found = CiRunner.find({"GREETING": "hello"}, timeout=60)
    if found is None:
        pytest.skip("gitlab-ci-local is not installed; `make setup` installs it")
    return found


@pytest.fixture(scope="module")
def ran(runner: CiRunner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = build_world(tmp_path_factory.mktemp("ran"), ci=runner, files={".gitlab-ci.yml": CONFIG})
    merge_request = world.open()
    merge_request.description = "| a |\n|---|\n| <script>alert(1)</script> |\n\n[x](javascript:alert(1))"
    merge_request.labels = ["gate::pending"]
    merge_request.save()
    assert world.server.wait_for_pipelines(90)
    yield world
    world.server.stop()


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[World]:
    world = build_world(tmp_path)
    yield world
    world.server.stop()


def test_workflow_decides_which_pipelines_there_are(ran: World) -> None:
    found = {(one.source, one.ref, one.status) for one in ran.as_user(ran.gate).pipelines.list(get_all=True)}
    assert found == {("merge_request_event", "refs/merge-requests/1/head", "success"), ("push", "main", "success")}


def test_allowed_exit_code_fails_the_job_and_not_the_pipeline(ran: World) -> None:
    project = ran.as_user(ran.gate)
    pipeline = project.pipelines.get(project.mergerequests.get(1).head_pipeline["id"])
    jobs = {job.name: (job.status, job.allow_failure) for job in pipeline.jobs.list()}
    assert jobs == {"validate": ("success", False), "gate": ("failed", True)}
    assert pipeline.detailed_status["group"] == "success-with-warnings"


def test_jobs_know_their_merge_request_and_what_the_runner_gives_them(ran: World) -> None:
    project = ran.as_user(ran.gate)
    merge_request = project.mergerequests.get(1)
    job = next(job for job in project.jobs.list() if job.name == "validate")
    trace = project.jobs.get(job.id).trace().decode()
    assert f"from {merge_request.diff_refs['base_sha']} to {merge_request.sha} in !1; hello" in trace
    assert b"testcase" in project.jobs.get(job.id).artifact("j.xml")


def test_a_pipeline_that_wants_the_whole_history_has_it(ran: World) -> None:
    project = ran.as_user(ran.gate)
    job = next(job for job in project.jobs.list() if job.name == "validate")
    assert "shallow: false" in project.jobs.get(job.id).trace().decode()


def test_reports_are_read(ran: World) -> None:
    project = ran.as_user(ran.gate)
    report = project.pipelines.get(project.mergerequests.get(1).head_pipeline["id"]).test_report.get()
    assert (report.total_count, report.failed_count) == (2, 1)


def test_page_of_a_merge_request_shows_everything_and_runs_nothing(ran: World) -> None:
    page = requests.get(f"{ran.project.url}/-/merge_requests/1", timeout=20).text
    assert BRANCH in page
    assert "<b>gate</b><i>pending</i>" in page
    assert "passed with warnings" in page
    assert "1 failed, 1 passed" in page
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize("page", ["", "/-/merge_requests?state=all", "/-/pipelines", "/-/pipelines/1", "/-/tree/main"])
def test_pages_are_there(ran: World, page: str) -> None:
    assert requests.get(f"{ran.project.url}{page}", timeout=20).status_code == 200


def test_pages_of_nothing_are_not_found(ran: World) -> None:
    assert requests.get(f"{ran.project.url}/-/merge_requests/99", timeout=20).status_code == 404


def test_configuration_may_live_where_the_branch_cannot_change_it(ran: World) -> None:
    project = ran.as_user(ran.gate)
    project.ci_config_path = ".gitlab-ci.yml@centos/compose-repo:main"
    project.save()
    commit(project, BRANCH, ".gitlab-ci.yml", "evil: {script: [echo evil]}", action="update")
    assert ran.server.wait_for_pipelines(60)
    pipeline = project.pipelines.get(project.mergerequests.get(1).head_pipeline["id"])
    assert {job.name for job in pipeline.jobs.list()} == {"validate", "gate"}


SECRETS = """\
job:
  script: ['echo "job: $EVERYWHERE $SCOPED $GUARDED"']
deploy:
  environment: production
  script: ['echo "deploy: $EVERYWHERE $SCOPED $GUARDED"']
"""


@pytest.fixture(scope="module")
def traces(runner: CiRunner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], str]]:
    """Return the logs of jobs with secrets, by branch and name."""
    world = build_world(tmp_path_factory.mktemp("secrets"), ci=runner, files={".gitlab-ci.yml": SECRETS})
    project = world.as_user(world.gate)
    project.variables.create({"key": "EVERYWHERE", "value": "general"})
    project.variables.create({"key": "SCOPED", "value": "narrow", "environment_scope": "production"})
    project.variables.create({"key": "SCOPED", "value": "wide"})
    project.variables.create({"key": "GUARDED", "value": "guarded", "protected": True})
    stolen = "EVERYWHERE: stolen\nSCOPED: stolen\nGUARDED: stolen\n"
    commit(project, "main", ".gitlab-ci-local-variables.yml", stolen)
    world.server.wait_for_pipelines(60)
    project.branches.create({"branch": "mine", "ref": "main"})
    assert world.server.wait_for_pipelines(90)
    jobs = project.jobs.list(get_all=True)
    yield {(job.ref, job.name): project.jobs.get(job.id).trace().decode() for job in reversed(jobs)}
    world.server.stop()


def test_a_variable_of_an_environment_reaches_its_jobs_only(traces: dict[tuple[str, str], str]) -> None:
    assert "job: general wide guarded" in traces["main", "job"]
    assert "deploy: general narrow guarded" in traces["main", "deploy"]


def test_a_protected_variable_stays_with_protected_branches(traces: dict[tuple[str, str], str]) -> None:
    assert "guarded" not in traces["mine", "job"] + traces["mine", "deploy"]
    assert "deploy: general narrow" in traces["mine", "deploy"]


def test_a_branch_brings_no_variables_of_its_own_to_the_runner(traces: dict[tuple[str, str], str]) -> None:
    assert "stolen" not in "".join(traces.values())


def test_without_a_runner_the_pipeline_is_skipped_and_says_why(idle: World) -> None:
    idle.open()
    assert idle.server.wait_for_pipelines(20)
    project = idle.as_user(idle.gate)
    pipeline = project.mergerequests.get(1).head_pipeline
    assert pipeline["status"] == "skipped"
    page = requests.get(f"{idle.project.url}/-/merge_requests/1", timeout=20).text
    assert "The pipeline was skipped: " in page


def test_commit_may_ask_for_no_pipeline(idle: World) -> None:
    project = idle.as_user(idle.gate)
    step = {"action": "create", "file_path": "x", "content": "y"}
    project.commits.create({"branch": "main", "commit_message": "Write x [skip ci]", "actions": [step]})
    assert project.pipelines.list()[0].status == "skipped"


def test_report_paths_are_read_from_the_expanded_configuration() -> None:
    text = (
        "stages:\n  - a\n'job: [1]':\n  script:\n    - 'x: y'\n  artifacts:\n    paths:\n      - p\n"
        "    reports:\n      junit: a.xml\n      codequality:\n        - b.json\n        - 'c d.json'\n"
    )
    assert report_paths(text) == {"job: [1]": {"junit": ["a.xml"], "codequality": ["b.json", "c d.json"]}}
