"""The real .gitlab-ci.yml, run by gitlab-ci-local on merge requests: which jobs run, how they end, what they report."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from sync_world import SyncWorld, sync_world

from compose_repo.core.manifests.manifest import Manifest
from compose_repo.ports.compose_root import compose_root
from compose_repo.ports.productmd.reading import read_compose
from local_gitlab import CiRunner
from local_gitlab.server import LocalGitLab, User
from own_files import own_files
from sample_composes.sample import SampleSpec
from samples import write_sample

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

ROOT: Final = Path(__file__).resolve().parents[2]
CI_FILE: Final = ".gitlab-ci.yml"
PINNED: Final = ".pinned-ci.yml"
COMMAND: Final = """\
#!{python} -I
import os, sys
sys.path.insert(0, os.path.join(os.getcwd(), "scripts"))
from compose_repo.__main__ import main
main()
"""
COMPOSE_ID: Final = "CentOS-Stream-10-20261120.0"
POLICY: Final = """\
schema = "policy/1"

[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
arches = ["x86_64", "aarch64"]
why = "OpenStack starts guests."
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """What came of one: each job's state in gitlab-ci-local's words, its log, and its artifacts."""

    states: dict[str, str]
    log: str
    artifacts: Path

    def words(self, job: str) -> list[str]:
        """Give what a job has said, without gitlab-ci-local's own lines, and without the commits' own names."""
        lines = re.findall(rf"^{job} +> ?(.*)$", self.log, re.MULTILINE)
        return [re.sub(r"\b[0-9a-f]{12}\b", "<commit>", line) for line in lines]


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A copy of this repository with a compose's branch checked out."""

    path: Path
    manifest: bytes
    runner: str
    environment: Path
    """Stands in for what scripts/in-venv would install: the code is that of the checkout it is called in."""

    def ci(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run gitlab-ci-local, which keeps its state in the checkout and its home."""
        return subprocess.run(
            [self.runner, "--home", str(self.path.parent), *options],
            cwd=self.path, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "NO_COLOR": "1", "SHLVL": "2"},  # with less, bash reads the person's ~/.bashrc
        )  # fmt: skip

    def jobs(self, *options: str) -> set[str]:
        """Name the jobs that a pipeline would have."""
        return {line.partition(";")[0] for line in self.ci("--list-csv", *options).stdout.splitlines()[1:]}

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=rdo-ci", "-c", "user.email=rdo-ci@example.org", *arguments],
            cwd=self.path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def write(self, name: str, content: str | bytes) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, message: str) -> None:
        self.git("add", "--all", "--force", ":!.gitlab-ci-local", f":!{PINNED}")
        self.git("commit", "--quiet", "--message", message)

    def change(self, name: str) -> None:
        """Commit a change to one file on main; what stood there before is what `rules:changes` compares with."""
        self.git("checkout", "--quiet", "main")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.write(name, "\n")
        self.commit(f"Change {name}")

    def push(self, file: dict[str, Any]) -> None:
        """Commit a result file as an origin would."""
        self.write(f"composes/{COMPOSE_ID}/results/rdo/{file['run']['id']}.json", json.dumps(file, indent=2))
        self.commit(f"rdo: run {file['run']['id']}")

    def results(self, **outcomes: str) -> dict[str, Any]:
        """Give a sound result file."""
        return {
            "schema": "results/1",
            "compose_id": COMPOSE_ID,
            "manifest_sha256": hashlib.sha256(self.manifest).hexdigest(),
            "origin": "rdo",
            "run": {"id": "8841", "url": "https://ci.example.org/8841", "finished_at": "2026-11-20T06:32:11Z"},
            "results": [
                {"testcase": "tempest.smoke", "outcome": outcome, "arch": arch} for arch, outcome in outcomes.items()
            ],
        }

    def pipeline(self, branch: str = f"compose/{COMPOSE_ID}") -> Pipeline:
        """Run the merge request's pipeline: the CI file is that of main, as ci_config_path pins it."""
        self.git("push", "--quiet", "origin", "refs/heads/main:refs/heads/main")
        (self.path / PINNED).write_text(self.git("show", f"refs/heads/main:{CI_FILE}"), encoding="utf-8")
        variables = {
            "CI_MERGE_REQUEST_IID": "1",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.git("merge-base", "refs/heads/main", "HEAD"),
            "COMPOSE_REPO_VENV": str(self.environment),
        }
        options = [word for name, value in variables.items() for word in ("--variable", f"{name}={value}")]
        done = self.ci(
            "--file", PINNED, "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", *options
        )  # fmt: skip
        log = done.stdout + done.stderr
        # The exit code says nothing: gitlab-ci-local takes every failure of a job with `allow_failure` as allowed.
        states = {job: state for state, job in re.findall(r"^ (PASS|WARN|FAIL) +(\S+)", log, re.MULTILINE)}
        return Pipeline(states=states, log=log, artifacts=self.path / ".gitlab-ci-local" / "artifacts" / "validate")


@pytest.fixture(scope="module")
def sample_manifest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    spec = SampleSpec.create(COMPOSE_ID, srpms=12)
    folder = write_sample(tmp_path_factory.mktemp("compose"), spec)
    return Manifest.from_compose(read_compose(compose_root(str(folder), timeout=1), location=None)).to_bytes()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, sample_manifest: bytes) -> Path:
    """Give a copy of this repository with a compose's branch checked out, and the project it was cloned from."""
    folder = tmp_path_factory.mktemp("template")
    repository = Repository(path=folder / "checkout", manifest=sample_manifest, runner="", environment=folder)
    for name in own_files():
        repository.write(name, (ROOT / name).read_bytes())
        shutil.copymode(ROOT / name, repository.path / name)
    repository.write("gate/policy.toml", POLICY)
    repository.write("gate/waivers.toml", 'schema = "waivers/1"\n')
    repository.git("init", "--quiet", "--initial-branch", "main")
    (repository.path / ".git" / "info" / "exclude").write_text(f"{PINNED}\n", encoding="utf-8")
    repository.commit("Start")
    repository.git("checkout", "--quiet", "-b", f"compose/{COMPOSE_ID}")
    repository.write(f"composes/{COMPOSE_ID}/manifest.json", sample_manifest)
    repository.commit(f"Add {COMPOSE_ID}")
    repository.git("init", "--quiet", "--bare", "../origin.git")
    command = folder / "environment" / "bin" / "compose-repo"
    command.parent.mkdir(parents=True)
    command.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def runner(require_tool: Callable[[str, str], str]) -> str:
    require_tool("rsync", "gitlab-ci-local needs it; on Debian: apt-get install rsync")
    return require_tool("gitlab-ci-local", "`make test` brings it, if npm can reach its registry")


def copy_of(template: Path, target: Path, manifest: bytes, runner: str) -> Repository:
    folder = Path(shutil.copytree(template, target, symlinks=True))
    repository = Repository(
        path=folder / "checkout", manifest=manifest, runner=runner, environment=folder / "environment"
    )
    repository.git("remote", "add", "origin", str(folder / "origin.git"))
    return repository


@pytest.fixture
def repository(tmp_path: Path, template: Path, sample_manifest: bytes, runner: str) -> Repository:
    return copy_of(template, tmp_path / "world", sample_manifest, runner)


def test_ci_file_is_valid_for_gitlab() -> None:
    checker = Path(sys.prefix) / "bin" / "check-jsonschema"
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.gitlab-ci", ROOT / ".gitlab-ci.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.smoke
def test_good_results_pass_both_jobs(repository: Repository) -> None:
    repository.push(repository.results(x86_64="passed", aarch64="passed"))
    pipeline = repository.pipeline()
    assert pipeline.states == {"validate": "PASS", "gate": "PASS"}, pipeline.log
    assert json.loads((pipeline.artifacts / "validate.json").read_bytes()) == []
    assert "SATISFIED if the pushers are who they say: 1 result file, " in pipeline.log


@pytest.mark.smoke
def test_failed_results_are_valid_and_fail_the_gate(repository: Repository) -> None:
    repository.push(repository.results(x86_64="passed", aarch64="failed"))
    pipeline = repository.pipeline()
    assert pipeline.states == {"validate": "PASS", "gate": "FAIL"}, pipeline.log
    assert "BLOCKED" in pipeline.log
    report = ET.parse(pipeline.artifacts.parent / "gate" / "gate.xml").getroot()  # noqa: S314  # our own file
    failed = [case.get("name") for case in report.iter("testcase") if case.find("failure") is not None]
    assert failed == ["rdo tempest.smoke on aarch64"]


def test_missing_results_are_allowed_to_fail_the_gate_and_read_as_pending(repository: Repository) -> None:
    repository.push(repository.results(x86_64="passed"))
    pipeline = repository.pipeline()
    assert pipeline.states == {"validate": "PASS", "gate": "WARN"}, pipeline.log
    assert "PENDING" in pipeline.log


def test_a_broken_file_fails_validation_and_is_reported_on_its_line(repository: Repository) -> None:
    broken = {**repository.results(x86_64="passed", aarch64="passed"), "origin": "idm"}
    repository.push(broken)
    pipeline = repository.pipeline()
    assert pipeline.states["validate"] == "FAIL", pipeline.log
    path = f"composes/{COMPOSE_ID}/results/rdo/8841.json"
    [problem] = json.loads((pipeline.artifacts / "validate.json").read_bytes())
    assert (problem["check_name"], problem["location"]["path"]) == ("origin-mismatch", path)
    assert problem["location"]["lines"]["begin"] == 5
    report = ET.parse(pipeline.artifacts / "validate.xml").getroot()  # noqa: S314  # our own file
    assert [case.get("name") for case in report.iter("testcase") if case.find("failure") is not None] == [path]


def test_a_broken_file_counts_for_nothing_at_the_gate(repository: Repository) -> None:
    repository.push({**repository.results(x86_64="passed", aarch64="passed"), "origin": "idm"})
    pipeline = repository.pipeline()
    assert pipeline.states["gate"] == "WARN", pipeline.log


LIAR: Final = "#!/bin/sh\necho SATISFIED\n"
PYTHON_LIAR: Final = "import os\nprint('SATISFIED', flush=True)\nos._exit(0)\n"
CI_LIAR: Final = "validate: {script: [echo SATISFIED]}\ngate: {script: [echo SATISFIED]}\n"
HOSTILE: Final = {
    "the CI file": {CI_FILE: CI_LIAR},
    "the script that sets up": {"scripts/in-venv": LIAR},
    "the program": {"scripts/compose_repo/cli.py": PYTHON_LIAR, "scripts/compose_repo/__main__.py": PYTHON_LIAR},
    "modules that Python may find": {"sitecustomize.py": PYTHON_LIAR, "jiter.py": PYTHON_LIAR, "pip.py": PYTHON_LIAR},
    "an environment of its own": {".venv/bin/compose-repo": LIAR, ".venv/bin/python": LIAR, ".cache/pip/x": "x"},
    "what is required": {"requirements/run.txt": "evil==1\n", "pyproject.toml": '[project]\nname = "evil"\n'},
    "the policy": {"gate/policy.toml": POLICY.replace("failed", "").replace("tempest.smoke", "nothing")},
    "the acceptance of failures": {"gate/policy.toml": POLICY + 'accept = ["passed", "failed"]\n'},
    "a waiver": {
        "gate/waivers.toml": 'schema = "waivers/1"\n[[waiver]]\norigin = "rdo"\ntestcase = "tempest.smoke"\n'
        'reason = "r"\nissue = "https://i.example.org/1"\nby = "rdo-ci"\nexpires = 2999-01-01\n'
    },
    "the schemas": {"schemas/result.schema.json": "true", "schemas/policy.schema.json": "true"},
    "git's attributes": {".gitattributes": "* filter=lfs diff=evil export-ignore\n", ".gitmodules": "[submodule]\n"},
}
"""What a branch may bring beside its results, each of which would have its own way."""


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, template: Path, sample_manifest: bytes, runner: str) -> Pipeline:
    """Give the pipeline of results that fail, where nothing else has been touched."""
    repository = copy_of(template, tmp_path_factory.mktemp("honest") / "world", sample_manifest, runner)
    repository.push(repository.results(x86_64="passed", aarch64="failed"))
    return repository.pipeline()


@pytest.mark.parametrize("files", HOSTILE.values(), ids=HOSTILE)
def test_what_a_branch_brings_beside_its_results_moves_no_word(
    repository: Repository, honest: Pipeline, files: dict[str, str]
) -> None:
    repository.push(repository.results(x86_64="passed", aarch64="failed"))
    for name, content in files.items():
        repository.write(name, content)
        (repository.path / name).chmod(0o755)
    repository.commit("Have it our way")
    pipeline = repository.pipeline()
    assert pipeline.states == {"validate": "FAIL", "gate": "FAIL"}, pipeline.log
    summary = "Of 2 required, 1 failed (rdo tempest.smoke on aarch64)"  # it goes on with how many files were refused
    assert [line for line in honest.words("gate") if line not in pipeline.words("gate")] == [f"{summary}."]
    assert any(line.startswith(summary) for line in pipeline.words("gate"))
    assert "SATISFIED" not in pipeline.log
    told = {problem["location"]["path"] for problem in json.loads((pipeline.artifacts / "validate.json").read_bytes())}
    assert told >= set(files)


def test_a_tag_or_branch_that_is_named_like_main_is_not_taken_for_it(repository: Repository, honest: Pipeline) -> None:
    repository.push(repository.results(x86_64="passed", aarch64="failed"))
    repository.git("checkout", "--quiet", "-b", "evil")
    repository.write("gate/policy.toml", "no TOML")
    repository.commit("Have it our way")
    for name in ("tags/main", "tags/origin/main", "tags/FETCH_HEAD", "tags/refs/compose-repo/main"):
        repository.git("update-ref", f"refs/{name}", "evil")
        repository.git("push", "--quiet", "origin", f"evil:refs/{name}")
    repository.git("checkout", "--quiet", f"compose/{COMPOSE_ID}")
    said = [line for line in repository.pipeline().words("gate") if not line.startswith("warning: refname ")]
    assert said == honest.words("gate")


AS_JSON: Final = "import json, sys; from ruamel.yaml import YAML; print(json.dumps(YAML(typ='safe').load(sys.stdin)))"


def parsed(file: Path) -> dict[str, Any]:
    written = file.read_text(encoding="utf-8")
    read = subprocess.run([sys.executable, "-c", AS_JSON], input=written, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(read.stdout)
    return found


def test_jobs_that_run_our_command_use_nothing_that_an_earlier_job_has_left() -> None:
    jobs = parsed(ROOT / CI_FILE)
    assert [name for name, job in jobs.items() if "compose-repo " in str(job) and job["extends"] != ".trusted"] == []
    assert (jobs[".trusted"]["cache"], jobs[".trusted"]["variables"]["GIT_STRATEGY"]) == ([], "clone")


OTHER: Final = (
    "--variable", "CI_MERGE_REQUEST_IID=1", "--variable", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=fix-something",
)  # fmt: skip


PARTS: Final = {"unit", "examples", "acceptance", "attacks", "pipeline"}
"""Of `make test`: each is `make test-PART`."""
MAIN_REPORT: Final = {"code-quality"}
"""With which merge requests are compared: each pipeline of a push to main has it."""
PROJECT_JOBS: Final = {
    "lint",
    *(f"test: [{part}]" for part in PARTS),
    *(f"check: [{version}]" for version in ("3.12", "3.13", "3.14")),
}
"""What tests the project itself."""


def test_the_parts_are_all_folders_that_hold_tests() -> None:
    assert {path.parent.name for path in (ROOT / "tests").rglob("test_*.py")} == PARTS - {"examples"}


@pytest.mark.parametrize(
    "target", sorted([*(f"test-{part}" for part in PARTS), "check", "lint", "fuzz", "properties", "mutants"])
)
def test_make_knows_what_ci_runs(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_oldest_python_runs_everything_and_the_others_the_checks() -> None:
    jobs = parsed(ROOT / CI_FILE)
    oldest, *others = (f"3.{minor}" for minor in range(11, 15))
    assert jobs["test"]["image"] == f"python:{oldest}"
    assert (jobs["check"]["image"], jobs["check"]["parallel"]["matrix"]) == ("python:$PYTHON", [{"PYTHON": others}])
    promised = [line for line in (ROOT / "pyproject.toml").read_text().splitlines() if "requires-python" in line]
    assert promised == [f'requires-python = ">={oldest}"']


def test_other_merge_requests_are_tested_and_not_gated(repository: Repository) -> None:
    repository.change("README.md")
    assert repository.jobs(*OTHER) == {"validate", *PROJECT_JOBS}


def test_merge_request_on_the_gate_files_is_validated_only(repository: Repository) -> None:
    repository.change("gate/waivers.toml")
    assert repository.jobs(*OTHER) == {"validate"}


@pytest.mark.smoke
def test_main_is_tested(repository: Repository) -> None:
    repository.change("scripts/compose_repo/cli.py")
    assert repository.jobs() == PROJECT_JOBS | MAIN_REPORT


def test_main_is_not_tested_anew_for_a_compose(repository: Repository) -> None:
    repository.change(f"composes/{COMPOSE_ID}/results/rdo/1.json")
    assert repository.jobs() == MAIN_REPORT


def test_what_a_merge_request_is_compared_with_is_a_report_without_findings(repository: Repository) -> None:
    repository.change("README.md")
    done = repository.ci("code-quality", "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source")
    assert done.returncode == 0, done.stdout + done.stderr
    report = parsed(ROOT / CI_FILE)["code-quality"]["artifacts"]["reports"]["codequality"]
    written = repository.path / ".gitlab-ci-local" / "artifacts" / "code-quality" / report
    assert json.loads(written.read_bytes()) == []


SCHEDULED: Final = ("--ignore-predefined-vars", "CI_PIPELINE_SOURCE", "--variable", "CI_PIPELINE_SOURCE=schedule")


def test_a_schedule_on_main_runs_the_pass_and_nothing_else(repository: Repository) -> None:
    repository.change("scripts/compose_repo/cli.py")
    assert repository.jobs(*SCHEDULED) == {"sync"}


def test_a_weekly_schedule_on_main_runs_what_takes_too_long_and_no_pass(repository: Repository) -> None:
    repository.change("scripts/compose_repo/cli.py")
    weekly = {f"weekly: [{target}]" for target in ("fuzz", "properties", "defences", "mutants")}
    assert repository.jobs(*SCHEDULED, "--variable", "WEEKLY=true") == weekly


def test_a_variable_alone_makes_no_pipeline_a_weekly_one(repository: Repository) -> None:
    repository.change("scripts/compose_repo/cli.py")
    web = ("--ignore-predefined-vars", "CI_PIPELINE_SOURCE", "--variable", "CI_PIPELINE_SOURCE=web")
    assert "sync" in repository.jobs(*web, "--variable", "WEEKLY=true")


def test_a_weekly_schedule_on_another_branch_runs_nothing(repository: Repository) -> None:
    assert repository.jobs(*SCHEDULED, "--variable", "WEEKLY=true") == set()


def test_a_schedule_on_another_branch_runs_nothing(repository: Repository) -> None:
    assert repository.jobs(*SCHEDULED) == set()


def test_the_scheduled_job_opens_and_judges_and_reports(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.git("push", "--quiet", "origin", "refs/heads/main:refs/heads/main")
    folder = tmp_path / "scheduled"
    folder.mkdir()
    with (
        LocalGitLab.start(tmp_path / "gitlab") as server,
        sync_world(server, folder, monkeypatch, capsys) as world,
    ):
        world.compose(COMPOSE_ID)
        variables = {
            "COMPOSE_REPO_URL": server.url,
            "COMPOSE_REPO_PROJECT": world.project.path,
            "COMPOSE_REPO_TOKEN": world.gate.token,
            "COMPOSE_REPO_OPENER_TOKEN": world.opener.token,
            "COMPOSE_REPO_VENV": str(repository.environment),
        }
        options = [word for name, value in variables.items() for word in ("--variable", f"{name}={value}")]
        done = repository.ci(
            "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", *SCHEDULED, *options
        )
        log = done.stdout + done.stderr
        states = dict(re.findall(r"^ (PASS|WARN|FAIL) +(\S+)", log, re.MULTILINE))
        assert states == {"PASS": "sync"}, log
        assert "1 opened, 1 brought up to date, 1 pending" in log
        assert world.opener.token not in log
        assert world.states() == {COMPOSE_ID.rpartition("-")[2]: "opened"}
    report = json.loads((repository.path / ".gitlab-ci-local" / "artifacts" / "sync" / "sync.json").read_bytes())
    assert [row["step"] for row in report["streams"][0]["composes"]] == ["open", "judge"]


# --- releases of the template


TEMPLATE: Final = "CentOS/compose-repo"
GIVEN: Final = (
    "CI_PROJECT_PATH", "CI_PIPELINE_SOURCE", "CI_COMMIT_TAG", "CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME",
    "CI_DEFAULT_BRANCH",
)  # fmt: skip
"""What gitlab-ci-local would otherwise take from the checkout, a branch for a tag too."""
COMPOSE_BRANCH: Final = f"compose/{COMPOSE_ID}"
RELEASE_JOBS: Final = {"release-notes", "release"}


def on(project: str, template: str | None = None, **variables: str) -> dict[str, str]:
    """Give the variables of a pipeline of a project, which has the variable TEMPLATE_PROJECT or has it not."""
    variables = {"CI_PROJECT_PATH": project, "CI_PIPELINE_SOURCE": "push", "CI_DEFAULT_BRANCH": "main", **variables}
    return variables if template is None else {"TEMPLATE_PROJECT": template, **variables}


def on_merge_request(branch: str) -> dict[str, str]:
    more = {"CI_MERGE_REQUEST_IID": "1", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch}
    return on(TEMPLATE, TEMPLATE, CI_PIPELINE_SOURCE="merge_request_event", **more)


def as_options(variables: dict[str, str]) -> tuple[str, ...]:
    given = (word for name, value in variables.items() for word in ("--variable", f"{name}={value}"))
    unset = (word for name in GIVEN if name not in variables for word in ("--unset-variable", name))
    return ("--ignore-predefined-vars", ",".join(GIVEN), *given, *unset)


def jobs_of_a_pipeline(repository: Repository, variables: dict[str, str]) -> set[str] | None:
    """Name the jobs of a pipeline; None if `workflow:` wants none.

    gitlab-ci-local does not look at `workflow:`, so its rules are put to it as those of a job.
    """
    repository.change("scripts/compose_repo/cli.py")
    config = parsed(ROOT / CI_FILE)
    config["workflow-wants-it"] = {"stage": ".pre", "script": ["true"], "rules": config.pop("workflow")["rules"]}
    (repository.path / "rules.json").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML, too
    done = repository.ci("--file", "rules.json", "--list-csv", *as_options(variables))
    assert done.returncode == 0, done.stderr
    listed = {line.partition(";")[0] for line in done.stdout.splitlines()[1:]}
    return listed - {"workflow-wants-it"} if "workflow-wants-it" in listed else None


NO_RELEASE: Final = {
    "a tag of an instance": (on("rdo/composes", CI_COMMIT_TAG="v0.2.0"), None),
    "a tag of an instance that has the variable": (on("rdo/composes", TEMPLATE, CI_COMMIT_TAG="v0.2.0"), None),
    "a tag of a project with an empty variable": (on(TEMPLATE, "", CI_COMMIT_TAG="v0.2.0"), None),
    "a tag that is no release": (on(TEMPLATE, TEMPLATE, CI_COMMIT_TAG="v0.2.0-rc1"), None),
    "a promotion": (on(TEMPLATE, TEMPLATE, CI_COMMIT_TAG=f"promotion/{COMPOSE_ID}/1/claimed"), None),
    "a branch that is named like a release": (on(TEMPLATE, TEMPLATE, CI_COMMIT_BRANCH="v0.2.0"), None),
    "main": (on(TEMPLATE, TEMPLATE, CI_COMMIT_BRANCH="main"), PROJECT_JOBS | MAIN_REPORT),
    "main of an instance": (on("rdo/composes", CI_COMMIT_BRANCH="main"), PROJECT_JOBS | MAIN_REPORT),
    "a schedule": (on(TEMPLATE, TEMPLATE, CI_COMMIT_BRANCH="main", CI_PIPELINE_SOURCE="schedule"), {"sync"}),
    "a merge request": (on_merge_request("v0.2.0"), {"validate", *PROJECT_JOBS}),
    "a compose's branch": (on_merge_request(COMPOSE_BRANCH), {"validate", "gate"}),
}
"""Where no release is made, and the jobs that run there; None: no pipeline at all."""


def test_a_releases_tag_makes_a_release_in_the_templates_own_project(repository: Repository) -> None:
    jobs = jobs_of_a_pipeline(repository, on(TEMPLATE, TEMPLATE, CI_COMMIT_TAG="v0.2.0"))
    assert jobs == {*PROJECT_JOBS, *RELEASE_JOBS}


@pytest.mark.parametrize(("variables", "expected"), NO_RELEASE.values(), ids=NO_RELEASE)
def test_nothing_else_makes_a_release(
    repository: Repository, variables: dict[str, str], expected: set[str] | None
) -> None:
    assert jobs_of_a_pipeline(repository, variables) == expected


def test_the_jobs_of_a_release_ask_by_themselves_whose_tag_it_is(repository: Repository) -> None:
    repository.change("scripts/compose_repo/cli.py")
    assert repository.jobs(*as_options(on("rdo/composes", TEMPLATE, CI_COMMIT_TAG="v0.2.0"))) == PROJECT_JOBS


def test_a_release_waits_for_every_test_and_uses_no_secret_of_ours() -> None:
    jobs = parsed(ROOT / CI_FILE)
    assert jobs["stages"].index("release") > jobs["stages"].index(jobs[".project"]["stage"])
    assert "needs" not in jobs["release"]
    assert "TOKEN" not in json.dumps([jobs[name] for name in (".release", *RELEASE_JOBS)])


def test_the_notes_of_a_release_are_its_section_of_the_changelog(repository: Repository) -> None:
    repository.change("docs/a.md")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    options = as_options(on(TEMPLATE, TEMPLATE, CI_COMMIT_TAG=f"v{version}"))
    done = repository.ci(
        "release-notes", "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", *options
    )
    written = repository.path / ".gitlab-ci-local" / "artifacts" / "release-notes" / "release-notes.md"
    assert done.returncode == 0, done.stdout + done.stderr
    command: list[str | Path] = [sys.executable, "-I", ROOT / "scripts" / "release_notes.py", f"v{version}"]
    expected = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert written.read_text(encoding="utf-8") == expected


# --- pushes that a webhook tells of at once


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """A GitLab that runs the real CI file for a project whose composes stand on a web server, with its people."""

    server: LocalGitLab
    world: SyncWorld

    def variable(self, key: str, value: str) -> None:
        """Give main's pipelines a variable of the job's environment, as people do."""
        project = self.world.client.projects.get(self.world.project.id)
        scope = {"environment_scope": "gate", "protected": True, "masked": True}
        project.variables.create({"key": key, "value": value, **scope})

    def pipelines(self, source: str) -> list[Any]:
        assert self.server.wait_for_pipelines(180)
        project = self.world.client.projects.get(self.world.project.id)
        return list(project.pipelines.list(get_all=True, source=source, sort="asc"))

    def logs(self, source: str) -> list[str]:
        """Give what the job sync has said in each pipeline that was so started."""
        project, found = self.world.client.projects.get(self.world.project.id), []
        for pipeline in self.pipelines(source):
            jobs = {job.name: job.id for job in pipeline.jobs.list(get_all=True)}
            assert set(jobs) == {"sync"}, pipeline.status
            found.append(project.jobs.get(jobs["sync"]).trace().decode())
        return found

    def bot_notes(self, name: str) -> list[str]:
        project = self.world.client.projects.get(self.world.project.id)
        notes = project.mergerequests.get(self.world.iid(name)).notes.list(get_all=True)
        return [note.body for note in notes if not note.system and note.author["username"] == "gate-bot"]

    def updated(self, name: str) -> str:
        project = self.world.client.projects.get(self.world.project.id)
        return str(project.mergerequests.get(self.world.iid(name)).updated_at)

    def approvers(self, name: str) -> list[str]:
        project = self.world.client.projects.get(self.world.project.id)
        approved = project.mergerequests.get(self.world.iid(name)).approvals.get().approved_by
        return [one["user"]["username"] for one in approved]


OTHER_COMPOSE: Final = "CentOS-Stream-10-20261121.0"


@pytest.fixture
def live(
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Live]:
    """Give two composes that are open and judged, in a project that setup has made, without its webhook yet."""
    ci = CiRunner.find({"COMPOSE_REPO_VENV": str(repository.environment)}, timeout=120)
    assert ci is not None
    folder = tmp_path / "live"
    folder.mkdir()
    repository.git("checkout", "--quiet", "main")
    with (
        LocalGitLab.start(tmp_path / "gitlab", ci=ci) as server,
        sync_world(server, folder, monkeypatch, capsys) as world,
    ):
        made = Live(server=server, world=world)
        server.push(world.project, with_code(repository, folder / "seed"), by=server.create_user("root", admin=True))
        server.site.paid = False
        for key, user in (("COMPOSE_REPO_TOKEN", world.gate), ("COMPOSE_REPO_OPENER_TOKEN", world.opener)):
            made.variable(key, user.token)
        made.variable("COMPOSE_REPO_URL", server.url)
        code, _, err = world.run(User(id=0, username="owner", token=world.client.private_token or ""), "setup")
        assert code == 0, err
        for name in (COMPOSE_ID, OTHER_COMPOSE):
            world.compose(name)
        assert world.sync()[0] == 0
        assert server.wait_for_pipelines(300)
        yield made


def with_code(repository: Repository, seed: Path) -> Path:
    """Commit this repository's code to the project's files: what its pipelines run is what they check out.

    Without a pipeline for that commit, which would run all of these tests.
    """
    for path in repository.path.iterdir():
        if path.is_dir() and path.name not in {".git", "gate", "composes"}:
            shutil.copytree(path, seed / path.name, symlinks=True)
        elif path.is_file():
            shutil.copy2(path, seed)
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    message = "Add the code [skip ci]"
    for command in (("add", "--all", "--force"), (*identity, "commit", "--quiet", "--message", message)):
        subprocess.run(["git", *command], cwd=seed, check=True, capture_output=True)
    return seed


def test_a_pushed_result_is_judged_at_once_by_the_webhooks_pipeline_and_nothing_else_is(live: Live) -> None:
    code, out, err = live.world.run(live.world.gate, "setup")
    assert (code, "create the webhook" in out) == (0, True), err
    notes, before = live.bot_notes(OTHER_COMPOSE), live.updated(OTHER_COMPOSE)
    for origin in ("rdo", "idm"):
        live.world.report(COMPOSE_ID, origin, "passed")
        assert live.server.wait_for_pipelines(180)
    logs = live.logs("trigger")
    assert live.approvers(COMPOSE_ID) == ["gate-bot"], logs
    assert "satisfied" in live.bot_notes(COMPOSE_ID)[0].lower()
    assert len(logs) == 2
    assert all(f"hint: {COMPOSE_ID} has changed" in log and OTHER_COMPOSE not in log for log in logs)
    assert [one.status for one in live.pipelines("trigger")] == ["success", "success"]
    assert (live.bot_notes(OTHER_COMPOSE), live.updated(OTHER_COMPOSE)) == (notes, before)
    assert not any(live.world.gate.token in log or "glptt-" in log for log in logs)


def test_without_webhook_a_pushed_result_is_judged_by_the_schedules_pipeline(live: Live) -> None:
    for origin in ("rdo", "idm"):
        live.world.report(COMPOSE_ID, origin, "passed")
    assert live.pipelines("trigger") == []
    assert live.approvers(COMPOSE_ID) == []
    project = live.world.client.projects.get(live.world.project.id)
    [schedule] = project.pipelineschedules.list(get_all=True)
    live.world.client.http_post(f"/projects/{project.id}/pipeline_schedules/{schedule.id}/play")
    [log] = live.logs("schedule")
    assert "hint: " not in log
    assert live.approvers(COMPOSE_ID) == ["gate-bot"]
    assert "satisfied" in live.bot_notes(COMPOSE_ID)[0].lower()


def test_the_job_sync_runs_alone_to_its_end_where_the_tokens_are() -> None:
    job = parsed(ROOT / CI_FILE)["sync"]
    assert (job["resource_group"], job["interruptible"], job["environment"]["name"]) == ("sync", False, "gate")
