"""`compose-repo gate` as people run it: a process, a tree of files, an exit code."""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

import door
from compose_repo.core.composes.compose import ComposeId, Status
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Arch, Variant

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = "CentOS-Stream-10-20261120.0"
OLDER = "CentOS-Stream-10-20261115.0"
BRANCH = f"compose/{COMPOSE}"
RESULTS = f"composes/{COMPOSE}/results"
NOON = "2026-11-23T12:00:00Z"
POLICY = """\
schema = "policy/1"

[[requirement]]
origin = "t_functional"
testcase = "compose.smoke"
why = "Boots."

[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
arches = ["x86_64"]
why = "Starts guests."
"""
ORIGINS = """\
schema = "origins/1"

[origins.t_functional]
name = "Functional tests"
users = ["t-functional-ci"]
contact = {email = "t-functional@example.org", docs = "https://docs.example.org/t"}

[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
contact = {email = "rdo-ci@example.org", url = "https://chat.example.org/rdo", docs = "https://docs.example.org/rdo"}
"""
WAIVERS = """\
schema = "waivers/1"

[[waiver]]
origin = "rdo"
testcase = "tempest.smoke"
reason = "Known kernel bug."
issue = "https://issues.example.org/1234"
by = "jdoe"
expires = 2026-11-25
"""


def manifest(compose_id: str) -> bytes:
    return Manifest(
        compose_id=ComposeId.parse(compose_id),
        status=Status.FINISHED,
        label=None,
        release_name=None,
        location=f"https://composes.example.org/{compose_id}",
        variants={Variant("BaseOS"): (Arch("aarch64"), Arch("x86_64"))},
        metadata={"composeinfo.json": None, "images.json": None, "modules.json": None, "rpms.json": None},
        images=(),
        packages=(),
    ).to_bytes()


class World:
    """A repository in a directory, and a way to run the command on it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def rules(self, policy: str = POLICY) -> None:
        self.write("gate/policy.toml", policy)
        self.write("gate/origins.toml", ORIGINS)

    def compose(self) -> None:
        self.write(f"composes/{COMPOSE}/manifest.json", manifest(COMPOSE))

    def write(self, path: str, content: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def report(self, origin: str, run_id: str, *results: dict[str, Any], compose_id: str = COMPOSE) -> None:
        content = {
            "schema": "results/1",
            "compose_id": compose_id,
            "manifest_sha256": hashlib.sha256(manifest(compose_id)).hexdigest(),
            "origin": origin,
            "run": {
                "id": run_id,
                "url": f"https://ci.example.org/{run_id}",
                "finished_at": "2026-11-20T06:32:11Z",
            },
            "results": list(results),
        }
        self.write(f"composes/{compose_id}/results/{origin}/{run_id}.json", json.dumps(content))

    def smoke(self, *outcomes: str) -> None:
        arches = ("aarch64", "x86_64")
        self.report(
            "t_functional",
            "17",
            *(
                {"testcase": "compose.smoke", "outcome": outcome, "arch": arch}
                for arch, outcome in zip(arches, outcomes, strict=False)
            ),
        )

    def tempest(self, outcome: str, run_id: str = "8841", compose_id: str = COMPOSE) -> None:
        row = {"testcase": "tempest.smoke", "outcome": outcome, "arch": "x86_64"}
        self.report("rdo", run_id, row, compose_id=compose_id)

    def git(self, *arguments: str, when: str = "2026-11-21T00:00:00Z") -> str:
        who = {f"GIT_{role}_{field}": "x" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")}
        times = {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": when}
        nowhere = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        command = ["git", "-C", str(self.root), *arguments]
        environment = {**os.environ, **who, **times, **nowhere}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def commit(self, when: str = "2026-11-21T00:00:00Z") -> str:
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x", when=when)
        return self.git("rev-parse", "HEAD").strip()

    def branch(self, name: str = BRANCH) -> None:
        self.git("checkout", "--quiet", "-b", name)

    def clone(self, *options: str) -> "World":
        """Give a clone; the project's default branch is main, whatever was checked out last."""
        self.git("symbolic-ref", "HEAD", "refs/heads/main")
        there = World(self.root.with_name("clone"))
        self.git("clone", "--quiet", *options, self.root.as_uri(), str(there.root))
        return there

    def head(self, revision: str = "HEAD") -> str:
        return self.git("rev-parse", "--short=12", revision).strip()

    def gate(
        self,
        *arguments: str,
        compose_id: str = COMPOSE,
        now: str | None = NOON,
        through: Callable[..., door.Done] = door.run,
    ) -> door.Done:
        at = [] if now is None else ["--now", now]
        words = ["gate", compose_id, "--repo", str(self.root), *at, *arguments]
        return through(*words, variables={"NO_COLOR": "1"})

    def at(self, moment: str, *arguments: str) -> door.Done:
        return self.gate("--at", moment, *arguments, now=None)

    def decision(self, *arguments: str, now: str | None = NOON) -> Any:  # noqa: ANN401  # what JSON holds
        return json.loads(self.gate("--format", "json", *arguments, now=now).stdout)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a folder of files, which is not a git repository yet."""
    world = World(tmp_path / "files")
    world.rules()
    world.compose()
    return world


@pytest.fixture
def project(tmp_path: Path) -> World:
    """Give a project with rules on main and a compose on its branch, which is checked out."""
    project = World(tmp_path / "project")
    project.rules()
    project.commit("2026-11-20T00:00:00Z")
    project.branch()
    project.compose()
    project.commit("2026-11-20T06:00:00Z")
    return project


def test_it_decides_where_nothing_that_needs_a_network_can_be_imported(project: World) -> None:
    heavy = ["gitlab", "http.client", "productmd", "requests", "urllib.request", "urllib3"]
    code = f"import sys; sys.modules.update(dict.fromkeys({heavy})); from compose_repo.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "gate", COMPOSE, "--repo", str(project.root), "--now", NOON],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "missing" in done.stdout) == (3, True), done.stderr


def blocked(world: World) -> None:
    world.smoke("passed")
    world.tempest("failed")


def pending(world: World) -> None:
    world.smoke("passed")
    world.tempest("passed")


def satisfied(world: World) -> None:
    world.smoke("passed", "passed")
    world.tempest("passed")


@pytest.mark.smoke
@pytest.mark.parametrize(("build", "code"), [(satisfied, 0), (blocked, 1), (pending, 3)])
def test_the_exit_code_says_the_verdict(world: World, build: Callable[[World], None], code: int) -> None:
    build(world)
    assert world.gate(through=door.start).returncode == code


def test_blocked_reads_so(world: World) -> None:
    blocked(world)
    world.write(f"composes/{COMPOSE}/results/t_functional/18.json", "{")
    world.write("gate/waivers.toml", WAIVERS.replace('"rdo"', '"t_functional"').replace("tempest", "boot"))
    assert world.gate().stdout == (
        """\
BLOCKED if the pushers are who they say: 2 result files, whose pushers only GitLab knows
CentOS-Stream-10-20261120.0: from the files of this folder, which is not a git repository
Of 3 required, 1 failed (rdo tempest.smoke on x86_64), 1 missing; 1 result file refused.

STATE    ORIGIN        TEST           WHERE   WHY
failed   rdo           tempest.smoke  x86_64
         https://ci.example.org/8841
missing  t_functional  compose.smoke  x86_64  nothing reported; 1 file of t_functional refused

1 passed: t_functional 1 (--all lists them)

Refused files:
  composes/CentOS-Stream-10-20261120.0/results/t_functional/18.json:1: not-json: the file is not
    JSON: EOF while parsing an object (column 1); write it with a JSON library, or fix the place by
    hand

Waivers worth a look:
  unused: t_functional boot.smoke (until 2026-11-25, by jdoe, https://issues.example.org/1234)

Whom to ask:
  rdo (RDO): rdo-ci@example.org, https://chat.example.org/rdo, https://docs.example.org/rdo
  t_functional (Functional tests): t-functional@example.org, https://docs.example.org/t
"""
    )


def test_pending_reads_so(world: World) -> None:
    world.smoke("error", "running")
    world.tempest("failed")
    world.tempest("failed", "8842")
    world.write("gate/waivers.toml", WAIVERS)
    assert world.gate().stdout == (
        """\
PENDING if the pushers are who they say: 3 result files, whose pushers only GitLab knows
CentOS-Stream-10-20261120.0: from the files of this folder, which is not a git repository
Of 3 required, 1 errored (t_functional compose.smoke on aarch64), 1 running (t_functional
compose.smoke on x86_64), 1 waived.

STATE    ORIGIN        TEST           WHERE    WHY
errored  t_functional  compose.smoke  aarch64  infrastructure error: no reason given
         https://ci.example.org/17
running  t_functional  compose.smoke  x86_64   running
         https://ci.example.org/17
waived   rdo           tempest.smoke  x86_64   failed; waived: Known kernel bug.; 2 attempts; until
                                               2026-11-25, https://issues.example.org/1234
         https://ci.example.org/8842

Waivers worth a look:
  expires soon: rdo tempest.smoke (until 2026-11-25, by jdoe, https://issues.example.org/1234)

Whom to ask:
  t_functional (Functional tests): t-functional@example.org, https://docs.example.org/t
"""
    )


def test_satisfied_reads_so(world: World) -> None:
    satisfied(world)
    assert world.gate().stdout == (
        """\
SATISFIED if the pushers are who they say: 2 result files, whose pushers only GitLab knows
CentOS-Stream-10-20261120.0: from the files of this folder, which is not a git repository
All 3 required passed.

3 passed: rdo 1, t_functional 2 (--all lists them)
"""
    )


def test_all_lists_what_passed(world: World) -> None:
    satisfied(world)
    assert world.gate("--all").stdout == (
        """\
SATISFIED if the pushers are who they say: 2 result files, whose pushers only GitLab knows
CentOS-Stream-10-20261120.0: from the files of this folder, which is not a git repository
All 3 required passed.

STATE   ORIGIN        TEST           WHERE    WHY
passed  rdo           tempest.smoke  x86_64
passed  t_functional  compose.smoke  aarch64
passed  t_functional  compose.smoke  x86_64
"""
    )


def test_no_line_is_wider_than_a_terminal_but_a_single_word(world: World) -> None:
    long = "a.very/long:" * 20
    world.write("gate/policy.toml", POLICY.replace("tempest.smoke", long))
    world.report("rdo", "1", {"testcase": long, "outcome": "error", "arch": "x86_64", "error_reason": "why " * 100})
    assert [line for line in world.gate().stdout.splitlines() if len(line) > 100 and " " in line.strip()] == []


def test_colours_are_for_those_who_want_them(world: World) -> None:
    blocked(world)
    text = world.gate("--color", "always").stdout
    assert text.startswith("\x1b[31mBLOCKED\x1b[0m if ")
    assert "\n\x1b[31mfailed\x1b[0m   rdo " in text
    assert "\n\x1b[33mmissing\x1b[0m  t_functional " in text


def test_a_result_that_nearly_answers_a_requirement_is_named(world: World) -> None:
    world.report("rdo", "8841", {"testcase": "tempest.smok", "outcome": "failed", "arch": "x86_64"})
    hint = "tempest.smok on x86_64; did you mean tempest.smoke?"
    assert f"\nResults that answer no requirement:\n  rdo: {hint}\n" in world.gate().stdout
    assert world.decision()["unmatched"] == [{"origin": "rdo", "named": [hint], "others": 0}]


@pytest.mark.parametrize(("build", "code"), [(satisfied, 0), (blocked, 1), (pending, 3)])
def test_junit_has_one_case_for_each_required_cell(world: World, build: Callable[[World], None], code: int) -> None:
    build(world)
    file = world.root / "gate.xml"
    assert world.gate("--junit", str(file)).returncode == code
    [suite] = ET.parse(file).getroot()  # noqa: S314  # our own file
    answers = world.decision()["answers"]
    assert suite.get("name") == "as reported, pushers not checked"
    assert (len(list(suite.iter("testcase"))), suite.get("failures")) == (len(answers), str(int(code == 1)))


def test_a_junit_report_that_cannot_be_written_is_a_mistake_of_the_command_line(world: World) -> None:
    done = world.gate("--junit", str(world.root / "nowhere" / "gate.xml"))
    assert (done.returncode, done.stderr.count("cannot write")) == (2, 1)


def test_the_json_is_that_of_the_schema(world: World) -> None:
    blocked(world)
    world.write(f"composes/{COMPOSE}/results/rdo/9.json", "{")
    world.write("gate/waivers.toml", WAIVERS)
    schema = json.loads((ROOT / "schemas/decision.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(world.decision())


def test_the_json_is_the_same_in_every_process(world: World) -> None:
    blocked(world)
    answers = set()
    for seed in ("0", "1", "2"):
        words = ("gate", COMPOSE, "--repo", world.root, "--format", "json", "--now", NOON)
        answers.add(door.start(*words, variables={"PYTHONHASHSEED": seed}).stdout)
    assert len(answers) == 1


def test_now_decides_whether_a_waiver_holds(world: World) -> None:
    world.smoke("passed", "passed")
    world.tempest("failed")
    world.write("gate/waivers.toml", WAIVERS)
    codes = [world.gate(now=moment).returncode for moment in ("2026-11-25T23:59:59Z", "2026-11-26T00:00:00Z")]
    assert codes == [0, 1]


def test_now_may_be_in_any_time_zone(world: World) -> None:
    world.smoke("passed", "passed")
    world.tempest("failed")
    world.write("gate/waivers.toml", WAIVERS)
    assert world.gate(now="2026-11-26T00:30:00+01:00").returncode == 0


@pytest.mark.parametrize(
    ("moment", "code"), [("2026-11-23T00:00:00Z", 3), ("2026-11-23T00:00:01Z", 1)], ids=["at", "after"]
)
def test_a_deadline_runs_from_the_commit_that_added_the_manifest(world: World, moment: str, code: int) -> None:
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'deadline = "48h"\nwhy = "Starts'))
    world.commit("2026-11-21T00:00:00Z")
    world.smoke("passed", "passed")
    world.commit("2026-11-22T00:00:00Z")
    assert world.gate(now=moment).returncode == code


def test_no_deadline_runs_before_the_manifest_is_committed(world: World) -> None:
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'deadline = "48h"\nwhy = "Starts'))
    (world.root / f"composes/{COMPOSE}/manifest.json").unlink()
    world.commit()
    world.compose()
    assert world.gate("--working-tree", now="2027-01-01T00:00:00Z").returncode == 3


def test_no_deadline_runs_outside_a_checkout(world: World) -> None:
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'deadline = "48h"\nwhy = "Starts'))
    reasons = [answer["reason"] for answer in world.decision(now="2027-01-01T00:00:00Z")["answers"]]
    assert reasons == [
        "nothing reported; when the merge request was opened is not known, so no deadline runs",
        "nothing reported",
        "nothing reported",
    ]


def test_a_commit_that_is_taken_for_main_is_judged_by_its_own_files(world: World) -> None:
    first = world.commit()
    satisfied(world)
    second = world.commit()
    (world.root / "gate/policy.toml").unlink()
    assert [world.gate("--base", revision).returncode for revision in (first, second)] == [3, 0]


@pytest.fixture
def main(world: World) -> str:
    """Give the commit of main that a compose's branch has left; the branch has the manifest already."""
    opened = world.root / "composes" / COMPOSE / "manifest.json"
    opened.unlink()
    commit = world.commit()
    world.write(f"composes/{COMPOSE}/manifest.json", manifest(COMPOSE))
    world.commit()
    return commit


def test_rules_of_the_base_count_and_not_those_beside_the_results(world: World, main: str) -> None:
    blocked(world)
    world.write("gate/policy.toml", POLICY.partition("[[requirement]]")[0])
    world.write("gate/waivers.toml", "no TOML")
    found = world.decision("--rev", world.commit(), "--base", main)
    assert (found["verdict"], found["policy_sha256"]) == ("blocked", hashlib.sha256(POLICY.encode()).hexdigest())


def test_what_a_branch_says_of_origins_counts_for_nothing(world: World, main: str) -> None:
    satisfied(world)
    world.write("gate/origins.toml", ORIGINS.replace("[origins.", "[origins.x_"))
    assert world.gate("--rev", world.commit(), "--base", main).returncode == 0


def test_what_a_branch_calls_published_is_no_baseline(world: World) -> None:
    (world.root / "composes" / COMPOSE / "manifest.json").unlink()
    world.rules(POLICY.replace('why = "Starts', 'baseline = "published"\nwhy = "Starts'))
    main = world.commit()
    world.branch()
    world.compose()
    world.smoke("passed", "passed")
    world.tempest("failed")
    world.write(f"composes/{OLDER}/manifest.json", manifest(OLDER))
    world.tempest("failed", compose_id=OLDER)
    branch = world.commit()
    looks: Sequence[list[str]] = ([], ["--rev", branch], ["--rev", branch, "--base", main], ["--working-tree"])
    assert [world.gate(*look).returncode for look in looks] == [1, 1, 1, 0]


def test_the_first_version_of_a_result_counts_against_a_base(world: World, main: str) -> None:
    blocked(world)
    world.commit()
    satisfied(world)
    found = world.decision("--rev", world.commit(), "--base", main)
    assert (found["verdict"], {problem["code"] for problem in found["refused"]}) == ("blocked", {"changed-result"})


def test_a_manifest_that_is_taken_away_still_counts_against_a_base(world: World, main: str) -> None:
    satisfied(world)
    (world.root / "composes" / COMPOSE / "manifest.json").unlink()
    found = world.decision("--rev", world.commit(), "--base", main)
    assert (found["verdict"], [one["code"] for one in found["refused"]]) == ("satisfied", ["manifest-changed"])


def test_of_a_compose_that_the_base_has_what_the_base_has_counts(world: World) -> None:
    satisfied(world)
    main = world.commit()
    world.tempest("failed")
    assert world.gate("--rev", world.commit(), "--base", main).returncode == 0


def test_rules_that_cannot_be_read_are_those_of_the_base(world: World, main: str) -> None:
    (world.root / "gate/policy.toml").unlink()
    broken = world.commit()
    world.write("gate/policy.toml", POLICY)
    sound = world.commit()
    assert [world.gate("--rev", sound, "--base", base).returncode for base in (main, broken)] == [3, 2]


DEADLINE = POLICY.replace('why = "Starts', 'deadline = "48h"\nwhy = "Starts')
RUNS_FROM = "deadlines run from 2026-11-20 06:00 UTC, the date of the commit that opened the compose"


@pytest.fixture
def hurried(project: World) -> World:
    """Give a project in which a deadline runs since 2026-11-20 06:00; the branch is checked out."""
    project.git("checkout", "--quiet", "main")
    project.rules(DEADLINE)
    project.commit("2026-11-20T12:00:00Z")
    project.git("checkout", "--quiet", BRANCH)
    return project


@pytest.mark.parametrize("look", [[], ["--rev", "HEAD", "--base", "main"]], ids=["found", "named"])
def test_a_deadline_on_a_branch_runs_from_the_commit_that_opened_the_compose(hurried: World, look: list[str]) -> None:
    looks = [hurried.gate(*look, now=f"2026-11-22T06:00:0{second}Z") for second in (0, 1)]
    assert [(done.returncode, RUNS_FROM in done.stdout) for done in looks] == [(3, True), (1, True)]


def test_whoever_adds_the_manifest_anew_gains_no_time(hurried: World) -> None:
    (hurried.root / f"composes/{COMPOSE}/manifest.json").unlink()
    hurried.commit("2026-11-21T00:00:00Z")
    hurried.compose()
    hurried.commit("2026-11-21T12:00:00Z")
    assert hurried.gate(now="2026-11-22T06:00:01Z").returncode == 1


def test_a_deadline_on_main_says_its_clock_too(hurried: World) -> None:
    hurried.git("checkout", "--quiet", "main")
    hurried.git("merge", "--quiet", "--no-ff", "--message", "x", BRANCH, when="2026-11-21T12:00:00Z")
    hurried.git("checkout", "--quiet", "--detach", "main~1")
    assert RUNS_FROM in hurried.gate().stdout


def test_without_a_deadline_no_clock_is_said(project: World) -> None:
    assert "deadlines" not in project.gate().stdout


def test_a_published_compose_is_what_a_baseline_compares_with(world: World) -> None:
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'baseline = "published"\nwhy = "Starts'))
    world.smoke("passed", "passed")
    world.tempest("failed")
    world.write(f"composes/{OLDER}/manifest.json", manifest(OLDER))
    world.tempest("failed", compose_id=OLDER)
    assert world.decision()["answers"][0]["reason"] == f"failing since {OLDER}"


def test_a_compose_on_its_branch_reads_so(project: World) -> None:
    satisfied(project)
    project.commit()
    there = project.clone()
    done = there.gate()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"""\
SATISFIED if the pushers are who they say: 2 result files, whose pushers only GitLab knows
CentOS-Stream-10-20261120.0: on origin/compose/CentOS-Stream-10-20261120.0 ({project.head(BRANCH)}), by the
rules of origin/main ({project.head("main")})
All 3 required passed.

3 passed: rdo 1, t_functional 2 (--all lists them)
"""
    )


def test_a_merged_compose_reads_so(project: World) -> None:
    satisfied(project)
    project.commit()
    project.git("checkout", "--quiet", "main")
    project.git("merge", "--quiet", "--no-ff", "--message", "x", BRANCH)
    project.git("checkout", "--quiet", BRANCH)
    project.tempest("failed", "8842")
    project.commit()
    done = project.clone().gate()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"""\
SATISFIED
CentOS-Stream-10-20261120.0: as merged on origin/main ({project.head("main")})
All 3 required passed.

3 passed: rdo 1, t_functional 2 (--all lists them)
"""
    )


def test_what_was_asked_for_and_not_looked_at_is_said(project: World) -> None:
    project.git("checkout", "--quiet", "main")
    project.git("merge", "--quiet", "--no-ff", "--message", "x", BRANCH)
    said = f"note: the local branch main ({project.head()}) already has the compose, so --rev is ignored\n"
    assert project.gate("--rev", BRANCH).stderr == said


def test_json_is_the_decision_alone_and_the_words_go_aside(project: World) -> None:
    satisfied(project)
    project.commit()
    done = project.gate("--format", "json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "satisfied")
    assert done.stderr.startswith(
        "SATISFIED if the pushers are who they say: 2 result files, whose pushers only GitLab knows\n"
        "CentOS-Stream-10-20261120.0: on the local branch compose/"
    )


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda project: project.tempest("failed"), "BLOCKED if the pushers are who they say: 1 result file, "),
        (lambda project: project.write(f"{RESULTS}/rdo/9.json", "{"), "PENDING if the pushers are who they say: 1 "),
        (lambda project: project.write(f"{RESULTS}/nobody/9.json", "{"), "PENDING\n"),
        (lambda project: project.write(f"{RESULTS}/README.md", "x"), "PENDING\n"),
    ],
    ids=["a result that counts", "a refused one with force", "a refused one without", "no result"],
)
def test_the_words_are_there_where_it_matters_who_has_pushed(
    project: World, build: Callable[[World], None], said: str
) -> None:
    build(project)
    project.commit()
    assert project.gate().stdout.startswith(said)


def test_every_commit_of_the_branch_is_judged(project: World) -> None:
    blocked(project)
    project.commit()
    satisfied(project)
    project.commit()
    found = project.decision()
    assert (found["verdict"], {problem["code"] for problem in found["refused"]}) == ("blocked", {"changed-result"})


def test_the_rules_of_main_count_by_themselves(project: World) -> None:
    blocked(project)
    project.write("gate/policy.toml", POLICY.partition("[[requirement]]")[0])
    project.commit()
    found = project.decision()
    assert (found["verdict"], found["policy_sha256"]) == ("blocked", hashlib.sha256(POLICY.encode()).hexdigest())


def test_what_the_remote_has_comes_before_what_was_not_pushed(project: World) -> None:
    project.tempest("failed")
    project.commit()
    there = project.clone()
    there.git("checkout", "--quiet", "--track", f"origin/{BRANCH}")
    there.smoke("passed", "passed")
    there.commit()
    done = there.gate()
    assert (done.returncode, f"on origin/{BRANCH} ({project.head(BRANCH)})" in done.stdout) == (1, True)
    assert done.stderr == (
        f"note: the local branch {BRANCH} has 1 commit that origin/{BRANCH} has not; "
        f"--rev refs/heads/{BRANCH} judges it\n"
    )
    verdicts = [there.decision(*look)["summary"] for look in ([], ["--rev", f"refs/heads/{BRANCH}"])]
    assert [", 2 missing" in verdict for verdict in verdicts] == [True, False]


def test_an_old_local_branch_is_nothing_to_speak_of(project: World) -> None:
    there = project.clone()
    there.git("checkout", "--quiet", "--track", f"origin/{BRANCH}")
    satisfied(project)
    project.git("checkout", "--quiet", BRANCH)
    project.commit()
    there.git("fetch", "--quiet")
    done = there.gate()
    assert (done.returncode, done.stderr) == (0, "")


def test_a_local_branch_is_judged_where_the_remote_has_none(project: World) -> None:
    there = project.clone()
    there.git("checkout", "--quiet", "--track", f"origin/{BRANCH}")
    there.git("update-ref", "-d", f"refs/remotes/origin/{BRANCH}")
    satisfied(there)
    there.commit()
    done = there.gate()
    assert (done.returncode, f"on the local branch {BRANCH} (" in done.stdout) == (0, True)


def test_main_is_what_the_remote_calls_so(project: World) -> None:
    project.git("branch", "--move", "main", "trunk")
    project.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    there = World(project.root.with_name("clone"))
    project.git("clone", "--quiet", str(project.root), str(there.root))
    assert f"by the\nrules of origin/trunk ({project.head('trunk')})" in there.gate().stdout


def evil(project: World) -> str:
    """Make a commit on nobody's branch in which the compose is merged, passes and has rules of its own."""
    project.git("checkout", "--quiet", "--detach", BRANCH)
    satisfied(project)
    project.write("gate/policy.toml", POLICY.partition('[[requirement]]\norigin = "rdo"')[0])
    return project.commit()


LOOK_ALIKES = (
    f"refs/tags/origin/{BRANCH}",
    f"refs/tags/{BRANCH}",
    f"refs/tags/refs/remotes/origin/{BRANCH}",
    f"refs/heads/origin/{BRANCH}",
    f"refs/heads/refs/remotes/origin/{BRANCH}",
    f"refs/remotes/origin/{BRANCH}/x",
    f"refs/remotes/origin/refs/heads/{BRANCH}",
    "refs/tags/main",
    "refs/tags/origin/main",
    "refs/tags/refs/remotes/origin/main",
    "refs/tags/refs/remotes/origin/HEAD",
    "refs/heads/origin/main",
    "refs/heads/refs/remotes/origin/main",
    "refs/heads/refs/remotes/origin/HEAD",
)


@pytest.mark.parametrize("instead", [(), (BRANCH, "main")], ids=["beside", "instead"])
def test_a_name_that_looks_like_another_is_not_taken_for_it(project: World, instead: Sequence[str]) -> None:
    """Not beside the right one, nor in its place, where the clone has its own branches alone."""
    there = project.clone()
    if instead:
        there.git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD")
    for branch in instead:
        there.git("update-ref", f"refs/heads/{branch}", f"refs/remotes/origin/{branch}")
        there.git("update-ref", "-d", f"refs/remotes/origin/{branch}")
    names = [name for name in LOOK_ALIKES if instead or not name.endswith("/x")]  # git has no folder beside a file
    theirs = evil(project)
    project.git("push", "--quiet", str(there.root), *(f"{theirs}:{name}" for name in names))
    assert there.gate().returncode == 3


def test_a_branch_that_is_named_head_is_not_the_default_branch(project: World) -> None:
    """A clone that `git clone` has not made, such as a runner's, has it where git notes which branch is the default."""
    there = World(project.root.with_name("clone"))
    there.root.mkdir()
    there.git("init", "--quiet", "--initial-branch", "main")
    there.git("remote", "add", "origin", str(project.root))
    theirs = evil(project)
    project.git("update-ref", "refs/heads/HEAD", theirs)
    there.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    assert there.head("refs/remotes/origin/HEAD") == theirs[:12]
    assert there.gate().returncode == 3


def test_what_is_nowhere_is_said_with_where_it_was_looked_for(project: World) -> None:
    there = project.clone()
    done = there.gate(compose_id=OLDER)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"compose-repo gate: {OLDER} was not found: there is no refs/remotes/origin/compose/{OLDER}, no "
        f"refs/heads/compose/{OLDER}, and no composes/{OLDER}/manifest.json on origin/main ({project.head('main')}); "
        "run: git fetch origin\n"
    )


def test_a_branch_that_opens_nothing_is_said(project: World) -> None:
    project.git("branch", f"compose/{OLDER}", "main")
    done = project.gate(compose_id=OLDER)
    head = project.head("main")
    assert done.stderr == (
        f"compose-repo gate: the local branch compose/{OLDER} ({head}) has no commit since the local branch main "
        f"({head}) that adds composes/{OLDER}/manifest.json; run: git fetch origin\n"
    )


def test_a_clone_of_the_branch_alone_is_told_how_to_get_main(project: World) -> None:
    there = project.clone("--single-branch", "--branch", BRANCH)
    done = there.gate()
    said = (
        "compose-repo gate: this clone has no main: there is no refs/remotes/origin/HEAD, refs/remotes/origin/main or "
        "refs/heads/main; run: git fetch origin +refs/heads/main:refs/remotes/origin/main; or add --working-tree: that "
        "uses the files of this checkout\n"
    )
    assert (done.returncode, done.stderr) == (2, said)
    there.git("fetch", "--quiet", "origin", "+refs/heads/main:refs/remotes/origin/main")
    assert there.gate().returncode == 3


def test_half_a_history_is_no_history(project: World) -> None:
    there = project.clone("--depth", "1", "--no-single-branch")
    done = there.gate()
    assert (done.returncode, done.stderr.count("\n"), "git fetch --unshallow" in done.stderr) == (2, 1, True)


def test_a_partial_clone_is_told_how_to_become_a_whole_one(project: World) -> None:
    project.git("config", "uploadpack.allowFilter", "true")
    there = project.clone("--no-checkout", "--filter=tree:0")
    done = there.gate()
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert " is a partial clone, " in done.stderr
    there.git("fetch", "--quiet", "--refetch", "--no-filter", "origin")
    assert there.gate().returncode == 3


def test_a_result_that_is_not_committed_is_judged_where_it_lies(project: World) -> None:
    satisfied(project)
    done = project.gate("--working-tree")
    assert (done.returncode, project.gate().returncode) == (0, 3)
    assert done.stdout.startswith(
        "SATISFIED if the pushers are who they say: 2 result files, whose pushers only GitLab knows\n"
        "CentOS-Stream-10-20261120.0: from the files of this checkout, committed or not\n"
    )


def test_rules_that_are_not_committed_judge_a_compose_on_its_branch(project: World) -> None:
    blocked(project)
    project.commit()
    project.git("checkout", "--quiet", "main")
    project.rules(POLICY.replace("tempest.smoke", "tempest.full"))
    done = project.gate("--working-tree")
    assert (done.returncode, project.gate().returncode) == (3, 1)
    judged = f"on the local branch {BRANCH} ({project.head(BRANCH)}), by the rules of this checkout"
    assert judged in " ".join(done.stdout.split())


def test_rules_that_are_not_committed_judge_a_compose_on_main(project: World) -> None:
    blocked(project)
    project.commit()
    project.git("checkout", "--quiet", "main")
    project.git("merge", "--quiet", "--no-ff", "--message", "x", BRANCH)
    project.git("checkout", "--quiet", "--detach", "main~1")
    project.rules(POLICY.replace("tempest.smoke", "tempest.full"))
    done = project.gate("--working-tree")
    assert (done.returncode, project.gate().returncode) == (3, 1)
    judged = f"as merged on the local branch main ({project.head('main')}), by the rules of this checkout Of"
    assert judged in " ".join(done.stdout.split())


def test_the_files_here_may_be_judged_by_the_rules_of_a_commit(project: World) -> None:
    satisfied(project)
    project.rules("no TOML")
    looks = (["--working-tree"], ["--working-tree", "--base", "main"])
    assert [project.gate(*look).returncode for look in looks] == [2, 0]


def test_a_copy_of_the_files_that_has_not_got_the_compose_says_where_it_looked(world: World) -> None:
    assert world.gate(compose_id=OLDER).stderr == (
        f"compose-repo gate: {world.root} is not a git repository and has no composes/{OLDER}/manifest.json; "
        "run this in a clone of the project, or name one with --repo\n"
    )


@pytest.mark.parametrize("option", ["--rev", "--base"])
def test_a_copy_of_the_files_has_no_commits(world: World, option: str) -> None:
    done = world.gate(option, "HEAD")
    assert (done.returncode, done.stdout, "not a git repository" in done.stderr) == (2, "", True)


@pytest.fixture
def past(project: World) -> World:
    """Give a clone of a project in which much has happened, all of it by the hour.

    06:00 opened; 08:00 t_functional passes; 10:00 rdo fails; 12:00 main waives that; 14:00 rdo passes; 16:00 merged.
    """
    project.smoke("passed", "passed")
    project.commit("2026-11-20T08:00:00Z")
    project.tempest("failed")
    project.commit("2026-11-20T10:00:00Z")
    project.git("checkout", "--quiet", "main")
    project.write("gate/waivers.toml", WAIVERS)
    project.commit("2026-11-20T12:00:00Z")
    project.git("checkout", "--quiet", BRANCH)
    project.tempest("passed", "8842")
    project.commit("2026-11-20T14:00:00Z")
    return project.clone()


OPENED_AT = "the commit that opened it is of 2026-11-20T06:00:00Z at the earliest"


def hour(of: int) -> str:
    return f"2026-11-20T{of:02}:00:00Z"


def merge(there: World) -> None:
    """Merge the branch at 16:00, and forget it, as GitLab does."""
    there.git("checkout", "--quiet", "-B", "main", "origin/main")
    there.git("merge", "--quiet", "--no-ff", "--message", "x", f"origin/{BRANCH}", when=hour(16))
    there.git("update-ref", "refs/remotes/origin/main", "HEAD")
    there.git("update-ref", "-d", f"refs/remotes/origin/{BRANCH}")


@pytest.mark.parametrize("build", [lambda _: None, merge], ids=["open", "merged since"])
def test_a_time_in_the_past_shows_what_was_pushed_and_ruled_by_then(
    past: World, build: Callable[[World], None]
) -> None:
    build(past)
    codes = {of: past.at(hour(of)).returncode for of in (6, 7, 9, 10, 11, 12, 15)}
    assert codes == {6: 3, 7: 3, 9: 3, 10: 1, 11: 1, 12: 0, 15: 0}


def test_a_time_in_the_past_reads_so(past: World) -> None:
    heads = past.head(f"origin/{BRANCH}~2"), past.head("origin/main~1")
    assert past.at(hour(9)).stdout.startswith(
        f"""\
PENDING if the pushers are who they say: 1 result file, whose pushers only GitLab knows
CentOS-Stream-10-20261120.0: on origin/compose/CentOS-Stream-10-20261120.0 ({heads[0]}), by the
rules of origin/main ({heads[1]})
what was there by 2026-11-20 09:00 UTC, as of commit dates; they are claims
Of 3 required, 1 missing (rdo tempest.smoke on x86_64).
"""
    )


def test_a_compose_that_was_merged_by_then_is_judged_on_main(past: World) -> None:
    merge(past)
    done = past.at(hour(16))
    assert (done.returncode, done.stdout.splitlines()[:3]) == (
        0,
        [
            "SATISFIED",
            f"CentOS-Stream-10-20261120.0: as merged on origin/main ({past.head()})",
            "what was there by 2026-11-20 16:00 UTC, as of commit dates; they are claims",
        ],
    )


def test_a_waiver_that_ends_later_is_in_force_at_its_time(past: World) -> None:
    looks = [past.at(hour(13)), past.at("2026-11-26T00:00:00Z", "--rev", f"origin/{BRANCH}~1")]
    assert [done.returncode for done in looks] == [0, 1]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (hour(5), f"{COMPOSE} was not opened by {hour(5)}, as of commit dates: {OPENED_AT}; give a later --at"),
        ("2026-11-19T23:59:59Z", "origin/main has no commit of 2026-11-19T23:59:59Z or before; give a later --at"),
    ],
    ids=["before the compose", "before main"],
)  # fmt: skip
@pytest.mark.parametrize("build", [lambda _: None, merge], ids=["open", "merged since"])
def test_a_time_before_it_was_opened_is_said(
    past: World, moment: str, said: str, build: Callable[[World], None]
) -> None:
    build(past)
    done = past.at(moment)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"compose-repo gate: {said}\n")


def test_a_commit_cannot_have_been_there_before_those_below_it(project: World) -> None:
    project.smoke("passed", "passed")
    project.commit(hour(12))
    project.tempest("passed")
    project.commit(hour(7))
    assert [project.at(hour(of)).returncode for of in (11, 12)] == [3, 0]
    assert project.at(hour(11)).stdout.startswith("PENDING\n")


def test_a_compose_that_nobody_knows_is_not_known_in_the_past(past: World) -> None:
    assert "was not found: " in past.gate("--at", hour(13), compose_id=OLDER, now=None).stderr


def test_lines_that_were_merged_later_are_judged_together(project: World) -> None:
    fork = project.head()
    project.smoke("passed", "passed")
    one = project.commit(hour(7))
    project.git("checkout", "--quiet", fork)
    project.tempest("passed")
    two = project.commit(hour(8))
    project.git("checkout", "--quiet", BRANCH)
    project.git("merge", "--quiet", "--no-ff", "--message", "x", two, when=hour(12))
    done = project.at(hour(9))
    assert done.stdout.startswith("SATISFIED if the pushers are who they say: 2 result files, ")
    assert {sha[:12] in done.stdout for sha in (one, two)} == {True}


def test_a_branch_that_was_there_before_the_compose_was_opened_is_not_enough(project: World) -> None:
    project.git("checkout", "--quiet", "-B", BRANCH, "main")
    project.git("commit", "--quiet", "--allow-empty", "--message", "x", when=hour(2))
    project.compose()
    project.commit(hour(6))
    done = project.at(hour(4))
    assert (done.returncode, OPENED_AT in done.stderr) == (2, True)


def test_half_a_history_has_no_past(hurried: World) -> None:
    done = hurried.clone("--depth", "1", "--no-single-branch").at(hour(9))
    assert (done.returncode, "git fetch --unshallow" in done.stderr) == (2, True)


def test_a_branch_names_its_compose(world: World) -> None:
    satisfied(world)
    assert world.gate(compose_id=f"compose/{COMPOSE}").returncode == 0


def test_a_stream_without_requirement_is_blocked(world: World) -> None:
    world.write("gate/policy.toml", POLICY.replace("why", 'streams = ["CentOS-Stream-9"]\nwhy'))
    done = world.gate()
    assert done.returncode == 1
    assert "No requirement applies to CentOS-Stream-10, so nothing can be satisfied." in done.stdout


def unknown_compose(world: World) -> None:
    (world.root / f"composes/{COMPOSE}/manifest.json").unlink()


def bad_policy(world: World) -> None:
    world.write("gate/policy.toml", 'schema = "policy/1"\n[[requirement]]\n')


def no_policy(world: World) -> None:
    (world.root / "gate/policy.toml").unlink()


@pytest.mark.parametrize("spoil", [unknown_compose, bad_policy, no_policy])
def test_what_cannot_be_decided_is_one_line_and_no_verdict(world: World, spoil: Callable[[World], None]) -> None:
    satisfied(world)
    spoil(world)
    done = world.gate()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("compose-repo gate: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--now", "yesterday"],
        ["--now", "2026-11-23T12:00:00"],
        ["--at", NOON],
        ["--rev", "nowhere"],
        ["--base", "nowhere"],
        ["--working-tree", "--rev", "HEAD"],
        ["--format", "yaml"],
    ],
)
def test_a_wrong_option_is_one_line(world: World, arguments: list[str]) -> None:
    world.commit()
    done = world.gate(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_the_files_here_have_no_past(project: World) -> None:
    done = project.at(NOON, "--working-tree")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "compose-repo gate: --at reads commits, --working-tree reads the files of the checkout; leave one out\n",
    )


def test_a_wrong_compose_id_is_one_line(world: World) -> None:
    done = world.gate(compose_id="../../evil20240501.0x")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_broken_manifest_is_a_problem_and_no_verdict(world: World) -> None:
    satisfied(world)
    world.write(f"composes/{COMPOSE}/manifest.json", "{}")
    done = world.gate()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"composes/{COMPOSE}/manifest.json:1: " in done.stderr


def test_without_now_the_clock_decides(world: World) -> None:
    satisfied(world)
    world.write("gate/waivers.toml", WAIVERS.replace("2026-11-25", f"{dt.date(2020, 1, 1)}"))
    done = world.gate(now=None, through=door.start)
    assert "  expired: rdo tempest.smoke " in done.stdout
