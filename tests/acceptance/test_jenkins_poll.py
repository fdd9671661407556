"""A Jenkins that is polled: what it has built stands on the composes' branches, and nothing that it does wrong does."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jenkins import START, Answer, Jenkins, case, jenkins, send, send_json
from sync_world import ROOT, SyncWorld, sync_world
from test_main_path import ORIGINS, git

from local_gitlab.faults import Kind
from local_gitlab.server import LocalGitLab
from skipping_clock import RunningClock

SCHEMA = json.loads((ROOT / "schemas" / "sync.schema.json").read_text())
A, B = (f"CentOS-Stream-10-202611{day}.0" for day in (20, 21))
JOB = "compose-test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path_factory.mktemp("gitlab")) as running:
        yield running


@pytest.fixture
def ci() -> Iterator[Jenkins]:
    with jenkins() as made:
        yield made


@pytest.fixture
def world(
    server: LocalGitLab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: Jenkins,
) -> Iterator[SyncWorld]:
    with sync_world(server, tmp_path, monkeypatch, capsys) as made:
        map_to(made, ci)
        made.compose(A)
        made.compose(B)
        assert made.sync()[0] == 1  # there is no job yet
        ci.jobs[JOB] = {}
        assert made.sync()[0] == 0
        ci.asked.clear()
        made.server.requests.clear()
        yield made


def map_to(world: SyncWorld, ci: Jenkins, more: str = 'arch_parameter = "ARCH"', job: str = JOB) -> None:
    """Let the job report for rdo."""
    configure_jobs(world, [f'{{job = "{ci.address(job)}", testcase = "tempest.smoke", {more}}}'])


def configure_jobs(world: SyncWorld, rows: list[str]) -> None:
    row = f"jenkins = [{', '.join(rows)}]\n"
    file = world.client.projects.get(world.project.id).files.get("gate/origins.toml", ref="main")
    file.content = ORIGINS.replace("[origins.idm]", f"{row}[origins.idm]")
    file.save(branch="main", commit_message="Map")


def files(world: SyncWorld, name: str = A) -> dict[str, dict[str, Any]]:
    """Give what stands on a compose's branch for rdo."""
    project = world.client.projects.get(world.project.id)
    folder = f"composes/{name}/results/rdo"
    try:
        rows = project.repository_tree(path=folder, ref=f"compose/{name}", get_all=True)
    except Exception:  # noqa: BLE001  # there is no folder
        return {}
    return {
        row["name"]: json.loads(project.files.raw(file_path=row["path"], ref=f"compose/{name}"))
        for row in rows
        if row["name"].endswith(".json")
    }


def outcomes(world: SyncWorld, name: str = A) -> dict[str, list[str]]:
    return {file: [row["outcome"] for row in data["results"]] for file, data in files(world, name).items()}


def problems(world: SyncWorld) -> list[tuple[str, str]]:
    report = world.report_of()
    jsonschema.validate(report, SCHEMA)
    return [(problem["code"], problem["path"].removeprefix("http://127.0.0.1:")) for problem in report["problems"]]


def commits(world: SyncWorld, name: str = A) -> list[Any]:
    return world.client.projects.get(world.project.id).commits.list(ref_name=f"compose/{name}", get_all=True)


def test_a_build_is_running_and_then_what_its_tests_came_to(world: SyncWorld, ci: Jenkins) -> None:
    ci.build(7, None, COMPOSE=A, ARCH="x86_64")
    assert world.sync()[0] == 0
    assert outcomes(world) == {"compose-test-7-running.json": ["running"]}
    ci.finish(7, "UNSTABLE", case("boots"), case("stops", "FAILED"))
    code, out, _ = world.sync()
    assert (code, f"add composes/{A}/results/rdo/compose-test-7.json" in out) == (0, True)
    found = files(world)["compose-test-7.json"]
    assert [(row["testcase"], row["outcome"], row["arch"]) for row in found["results"]] == [
        ("tempest.smoke", "failed", "x86_64"),
        ("guest.boots", "passed", "x86_64"),
        ("guest.stops", "failed", "x86_64"),
    ]
    assert found["run"]["url"] == f"{ci.address()}/7/"
    said = {"job": ci.address(), "number": 7, "timestamp": START + 7000}
    assert found["misc"] == {"jenkins_result": "UNSTABLE", "jenkins": said}
    assert "gate::blocked" in world.api(world.iid(A)).labels
    assert files(world, B) == {}


@pytest.mark.smoke
def test_builds_of_every_arch_satisfy_a_compose_by_one_commit(world: SyncWorld, ci: Jenkins) -> None:
    for number, arch in enumerate(("aarch64", "x86_64"), start=1):
        ci.build(number, "SUCCESS", COMPOSE=f"https://composes.example.org/{A}/compose", ARCH=arch)
        ci.finish(number, "SUCCESS", case("boots"))
    world.report(A, "idm", "passed")
    before = len(commits(world))
    assert world.sync()[0] == 0
    assert len(commits(world)) == before + 1
    newest = commits(world)[0]
    assert newest.message == "Report 2 builds for rdo\n\nFrom Jenkins, on behalf of rdo.\n"
    assert newest.author_name == "compose-bot"
    assert world.approvers(world.iid(A)) == ["gate-bot"]


@pytest.mark.parametrize("result", ["ABORTED", "NOT_BUILT", "SUCCESS"])
def test_what_was_not_carried_out_is_an_error_and_no_failure(world: SyncWorld, ci: Jenkins, result: str) -> None:
    ci.build(7, result, COMPOSE=A, ARCH="x86_64")
    assert world.sync()[0] == 0
    assert outcomes(world) == {"compose-test-7.json": ["error"]}
    assert "gate::pending" in world.api(world.iid(A)).labels


def test_what_is_there_is_not_read_again_and_costs_gitlab_nothing(world: SyncWorld, ci: Jenkins) -> None:
    world.server.requests.clear()
    world.sync()
    idle = Counter(entry.route for entry in world.server.requests.entries)
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    ci.build(8, None, COMPOSE=A, ARCH="x86_64")
    ci.build(9, "SUCCESS", COMPOSE="CentOS-Stream-10-20261101.0", ARCH="x86_64")
    world.sync()
    ci.asked.clear()
    world.server.requests.clear()
    code, out, _ = world.sync()
    assert (code, out.splitlines()[-1]) == (0, "2 unchanged, 2 pending")
    assert world.writes() == []
    assert Counter(entry.route for entry in world.server.requests.entries) == idle
    assert ci.asked == ["/job/compose-test/api/json"]


def test_a_dry_run_says_what_would_be_added_and_adds_nothing(world: SyncWorld, ci: Jenkins) -> None:
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    code, out, _ = world.sync("--dry-run")
    assert (code, "add composes/" in out) == (0, True)
    assert world.writes() == []


def test_without_the_compose_bots_token_nothing_is_polled_and_it_is_said(world: SyncWorld, ci: Jenkins) -> None:
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    code, _, err = world.sync(opener=False)
    assert (code, "no Jenkins is polled" in err) == (0, True)
    assert ci.asked == []


def test_another_account_that_gitlab_names_late_writes_nothing_down_and_the_rest_goes_on(
    world: SyncWorld, ci: Jenkins
) -> None:
    """Whose token it is cannot be asked when the run begins; before anything is written it is asked again."""
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    world.report(B, "idm", "failed")
    world.opener, opener = world.rdo, world.opener
    world.server.faults.add("401", method="GET", path="/user$", skip=1)
    found = problems(world)
    world.opener = opener
    assert found == [("not-done", f"compose/{A}")]
    assert files(world) == {}
    assert "gate::blocked" in world.api(world.iid(B)).labels


def test_two_passes_at_once_write_a_build_down_once(world: SyncWorld, ci: Jenkins) -> None:
    world.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", world.opener.token)
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    before = len(commits(world))
    both = world.run_twice_at_once(world.gate, "sync")
    assert [code for code, _ in both] == [0, 0], both
    assert len(commits(world)) == before + 1
    assert outcomes(world) == {"compose-test-7.json": ["error"]}


def test_a_display_name_names_the_compose_where_no_parameter_does(world: SyncWorld, ci: Jenkins) -> None:
    map_to(world, ci, 'arch = "x86_64"')
    ci.build(7, "ABORTED")["displayName"] = f"#7 {A}"
    ci.build(8, "ABORTED")["description"] = f"as {A}"
    world.sync()
    assert outcomes(world) == {"compose-test-7.json": ["error"]}


def test_a_build_that_names_two_composes_counts_for_neither_unless_one_parameter_is_chosen(
    world: SyncWorld, ci: Jenkins
) -> None:
    ci.build(7, "ABORTED", COMPOSE=A, FROM=B, ARCH="x86_64")
    ((code, path),) = problems(world)
    assert (code, path.endswith("/job/compose-test/7/")) == ("jenkins-compose-unclear", True)
    assert files(world) == files(world, B) == {}
    map_to(world, ci, 'arch_parameter = "ARCH", compose_parameter = "COMPOSE"')
    assert problems(world) == []
    assert (outcomes(world), files(world, B)) == ({"compose-test-7.json": ["error"]}, {})


def test_a_job_that_counts_anew_reports_all_the_same(world: SyncWorld, ci: Jenkins) -> None:
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    world.sync()
    ci.build(7, "FAILURE", COMPOSE=A, ARCH="x86_64")["timestamp"] += 3_600_000
    assert world.sync()[0] == 0
    assert sorted(data["misc"]["jenkins_result"] for data in files(world).values()) == ["ABORTED", "FAILURE"]
    world.server.requests.clear()
    assert world.sync()[0] == 0
    assert world.writes() == []


def test_whoever_stands_in_the_place_of_a_build_does_not_silence_it(world: SyncWorld, ci: Jenkins) -> None:
    ci.build(7, "UNSTABLE", COMPOSE=A, ARCH="x86_64")
    ci.finish(7, "UNSTABLE", case("stops", "FAILED"))
    git(world.folder, "clone", "--quiet", "--branch", f"compose/{A}", world.project.clone_url_for(world.idm), "idm")
    clone = world.folder / "idm"
    place = clone / "composes" / A / "results" / "rdo" / "compose-test-7.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"misc": {"jenkins": {"job": ci.address(), "number": 7, "timestamp": START + 7000}}}))
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Squat")
    git(clone, "push", "--quiet")
    assert world.sync()[0] == 0
    assert "gate::blocked" in world.api(world.iid(A)).labels
    assert len(files(world)) == 2
    world.server.requests.clear()
    assert world.sync()[0] == 0
    assert world.writes() == []


@pytest.mark.parametrize("said", [{"job": []}, {"number": {}}])
def test_whatever_a_result_calls_a_build_it_is_judged(world: SyncWorld, ci: Jenkins, said: dict[str, object]) -> None:
    for origin in ("rdo", "idm"):
        world.report(A, origin, "passed", run="5")
    assert world.sync()[0] == 0
    assert world.approvers(world.iid(A)) == ["gate-bot"]
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    named = {"job": ci.address(), "number": 7, "timestamp": START + 7000, **said}
    world.report(A, "rdo", "failed", run="6", misc={"jenkins": named})
    assert world.sync()[0] == 0
    assert world.approvers(world.iid(A)) == []
    assert "gate::blocked" in world.api(world.iid(A)).labels
    assert sorted(files(world)) == ["5.json", "6.json", "compose-test-7.json"]


def html(handler: Any) -> None:  # noqa: ANN401  # a handler
    send(handler, 200, b"<html>Please log in</html>", Content_Type="text/html")


def huge(handler: Any) -> None:  # noqa: ANN401  # a handler
    handler.send_response(200)
    handler.send_header("Content-Length", str(10 * 1024**3))
    handler.end_headers()


def cut(handler: Any) -> None:  # noqa: ANN401  # a handler
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"allBuilds": [')


def gone(handler: Any) -> None:  # noqa: ANN401  # a handler
    handler.close_connection = True


def moved(handler: Any) -> None:  # noqa: ANN401  # a handler
    host = handler.headers["Host"].replace("127.0.0.1", "localhost")
    send(handler, 302, b"", Location=f"http://{host}/other/api/json")


def nothing(handler: Any) -> None:  # noqa: ANN401  # a handler
    send_json(handler, {"allBuilds": [{"number": -1}, {"number": "x"}, 7, None]})


def no_list(handler: Any) -> None:  # noqa: ANN401  # a handler
    send_json(handler, {"jobs": []})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (html, "not-json"),
        (huge, "source-too-large"),
        (cut, "source-truncated"),
        (gone, "source-unreachable"),
        (moved, "jenkins-elsewhere"),
        (nothing, "wrong-type"),
        (no_list, "jenkins-not-a-job"),
    ],
)
@pytest.mark.parametrize("where", ["list", "build"])
def test_a_jenkins_that_lies_or_is_away_is_told_and_stops_nothing(
    world: SyncWorld, ci: Jenkins, answer: Answer, code: str, where: str
) -> None:
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    ci.jobs["other"] = {}
    ci.wrong["/other/"] = lambda handler: send_json(handler, {"allBuilds": []})
    ci.wrong["/compose-test/7/" if where == "build" else "/compose-test/api"] = answer
    world.report(A, "idm", "failed")
    found = {code for code, _ in problems(world)}
    expected = {"jenkins-not-a-job": "jenkins-other-build", "wrong-type": "jenkins-other-build"}.get(code, code)
    assert found == {expected if where == "build" else code}
    assert files(world) == {}
    assert "gate::blocked" in world.api(world.iid(A)).labels
    ci.wrong.clear()
    assert world.sync()[0] == 0
    assert outcomes(world) == {"compose-test-7.json": ["error"]}


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
def test_one_bad_build_is_told_and_the_others_are_written_down(
    world: SyncWorld, ci: Jenkins, spoil: Callable[[Any], Any], code: str
) -> None:
    spoil(ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64"))
    ci.build(8, "ABORTED", COMPOSE=A, ARCH="x86_64")
    assert {found for found, _ in problems(world)} == {code}
    assert outcomes(world) == {"compose-test-8.json": ["error"]}


def test_a_job_in_a_folder_with_a_strange_name_has_a_safe_one_here(world: SyncWorld, ci: Jenkins) -> None:
    map_to(world, ci, 'arch = "x86_64"', job="team/a%20b%2F..%2Fc")
    ci.jobs["team/a b/../c"] = ci.jobs[JOB]
    ci.build(7, "ABORTED", COMPOSE=A)
    assert world.sync()[0] == 0
    (name,) = files(world)
    assert name.startswith("team.a-b")


class PacedClock(RunningClock):
    """A clock that a test turns."""

    def __init__(self, passed: Callable[[], float], luck: float) -> None:
        super().__init__()
        self._passed = passed
        self._luck = luck

    def monotonic(self) -> float:
        return self._passed() + self.skipped

    def chance(self) -> float:
        return self._luck


def paced(world: SyncWorld, passed: Callable[[], float] = lambda: 0.0, chance: float = 0.0) -> None:
    """Let the world go by another clock, and by what chance says."""
    world.clock = PacedClock(passed, chance)


def slowed(world: SyncWorld, *servers: Jenkins) -> None:
    """Let a clock go on by nine seconds with each answer, which is just in time for that answer."""
    asked = [len(one.asked) for one in servers]
    paced(world, lambda: 9.0 * sum(len(one.asked) - start for one, start in zip(servers, asked, strict=True)))


def test_a_slow_jenkins_has_its_time_and_the_rest_comes_with_the_next_pass(world: SyncWorld, ci: Jenkins) -> None:
    for number in range(1, 14):
        ci.build(number, "ABORTED", COMPOSE=A, ARCH="x86_64")
    world.report(B, "idm", "failed")
    slowed(world, ci)
    assert problems(world) == [("jenkins-slow", ci.url.removeprefix("http://127.0.0.1:"))]
    assert set(files(world)) == {f"compose-test-{number}.json" for number in range(1, 12)}
    assert "gate::blocked" in world.api(world.iid(B)).labels
    slowed(world, ci)
    assert world.sync()[0] == 0
    assert len(files(world)) == 13


@pytest.mark.parametrize("seconds", [300, 100])
def test_a_slow_jenkins_takes_no_time_of_another_unless_all_have_had_theirs(
    world: SyncWorld, ci: Jenkins, seconds: int
) -> None:
    world.monkeypatch.setattr("compose_repo.passes.jenkins.SECONDS", seconds)
    with jenkins() as other:
        rows = [f'{{job = "{one.address()}", testcase = "tempest.smoke", arch = "x86_64"}}' for one in (ci, other)]
        configure_jobs(world, rows)
        for number in range(1, 14):
            ci.build(number, "ABORTED", COMPOSE=A)
        other.build(99, "ABORTED", COMPOSE=A)
        slowed(world, ci, other)
        found = problems(world)
        assert {code for code, _ in found} == {"jenkins-slow"}
        assert len(found) == (1 if seconds == 300 else 2)
        assert ("compose-test-99.json" in files(world)) == (seconds == 300)
        for _ in range(2):
            slowed(world, ci, other)
            world.sync()
        assert len(files(world)) == 14


@pytest.mark.parametrize("where", ["/compose-test/api", "/compose-test/7/"])
def test_a_jenkins_that_is_not_itself_is_asked_no_more_in_a_pass(world: SyncWorld, ci: Jenkins, where: str) -> None:
    paced(world)
    for number in (7, 8, 9):
        ci.build(number, "ABORTED", COMPOSE=A, ARCH="x86_64")
    ci.wrong[where] = lambda handler: send(handler, 503, b"")
    assert {code for code, _ in problems(world)} == {"source-status"}
    assert set(ci.asked) <= {"/job/compose-test/api/json", "/job/compose-test/7/api/json"}
    assert files(world) == {}
    ci.wrong.clear()
    assert world.sync()[0] == 0
    assert len(files(world)) == 3


def test_a_build_that_jenkins_never_gives_does_not_hide_the_others_for_good(world: SyncWorld, ci: Jenkins) -> None:
    for number in (7, 8, 9):
        ci.build(number, "ABORTED", COMPOSE=A, ARCH="x86_64")
    ci.wrong["/compose-test/7/"] = lambda handler: send(handler, 500, b"")
    paced(world, chance=0.4)
    assert {code for code, _ in problems(world)} == {"source-status"}
    assert sorted(files(world)) == ["compose-test-8.json", "compose-test-9.json"]


def test_builds_that_cannot_be_used_do_not_hide_newer_ones(world: SyncWorld, ci: Jenkins) -> None:
    paced(world)
    for number in range(1, 56):
        ci.build(number, "ABORTED", COMPOSE=A, ARCH="s390x" if number <= 51 else "x86_64")
    assert {code for code, _ in problems(world)} == {"unknown-arch"}
    assert set(files(world)) == {f"compose-test-{number}.json" for number in range(52, 56)}


def test_two_hundred_builds_are_looked_at_and_fifty_read_in_a_pass(world: SyncWorld, ci: Jenkins) -> None:
    paced(world)
    for number in range(1, 301):
        ci.build(number, "ABORTED", COMPOSE=A, ARCH="x86_64")
    assert world.sync()[0] == 0
    assert set(files(world)) == {f"compose-test-{number}.json" for number in range(101, 151)}
    assert len(ci.asked) == 51


@pytest.mark.parametrize("kind", ["500", "reset", "apply-then-drop"])
def test_an_answer_that_is_lost_writes_a_build_down_once(world: SyncWorld, ci: Jenkins, kind: Kind) -> None:
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    before = len(commits(world))
    world.server.faults.add(kind, method="POST", path="/repository/commits$")
    assert world.sync()[0] == 0
    assert len(commits(world)) == before + 1
    assert outcomes(world) == {"compose-test-7.json": ["error"]}


@pytest.mark.parametrize("applied", [False, True])
def test_killed_as_it_writes_a_build_down_the_next_pass_leaves_one_file(
    world: SyncWorld, ci: Jenkins, *, applied: bool
) -> None:
    world.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", world.opener.token)
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    before = len(commits(world))

    def die() -> None:
        process.kill()
        process.wait()
        if not applied:
            raise ConnectionAbortedError

    world.server.faults.before("POST", "/repository/commits$", die)
    process = world.start(world.gate, "sync")
    process.communicate()
    assert process.returncode == -9
    world.server.faults.clear()
    assert world.sync()[0] == 0
    assert len(commits(world)) == before + 1
    assert outcomes(world) == {"compose-test-7.json": ["error"]}


def test_whoever_is_the_origin_may_report_a_build_by_hand_as_well(world: SyncWorld, ci: Jenkins) -> None:
    ci.build(7, "ABORTED", COMPOSE=A, ARCH="x86_64")
    world.report(A, "rdo", "failed", run="1")
    assert world.sync()[0] == 0
    assert sorted(files(world)) == ["1.json", "compose-test-7.json"]
