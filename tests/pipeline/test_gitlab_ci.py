"""The real .gitlab-ci.yml, run by gitlab-ci-local on merge requests: which jobs run, how they end, what they report."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest

from compose_repo.core.manifest import Manifest
from compose_repo.ports.compose_root import compose_root
from compose_repo.ports.productmd.reading import read_compose
from compose_repo.sample import SampleSpec, write_compose

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("pipeline")]

ROOT: Final = Path(__file__).resolve().parents[2]
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A copy of this repository with a compose's branch checked out."""

    path: Path
    manifest: bytes
    runner: str

    def ci(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run gitlab-ci-local, which keeps its state in the checkout and its home."""
        return subprocess.run(
            [self.runner, "--home", str(self.path.parent), *options],
            cwd=self.path, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "NO_COLOR": "1"},
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

    def change(self, name: str) -> None:
        """Commit a change to one file on main; what stood there before is what `rules:changes` compares with."""
        self.git("checkout", "--quiet", "main")
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n", encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {name}")

    def push(self, file: dict[str, Any]) -> None:
        """Commit a result file as an origin would."""
        path = self.path / "composes" / COMPOSE_ID / "results" / "rdo" / f"{file['run']['id']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(file, indent=2), encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"rdo: run {file['run']['id']}")

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
        """Run the merge request's pipeline."""
        variables = {
            "CI_MERGE_REQUEST_IID": "1",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.git("merge-base", "main", "HEAD"),
            "COMPOSE_REPO_VENV": sys.prefix,
        }
        options = [word for name, value in variables.items() for word in ("--variable", f"{name}={value}")]
        done = self.ci("--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", *options)
        log = done.stdout + done.stderr
        # The exit code says nothing: gitlab-ci-local takes every failure of a job with `allow_failure` as allowed.
        states = {job: state for state, job in re.findall(r"^ (PASS|WARN|FAIL) +(\S+)", log, re.MULTILINE)}
        return Pipeline(states=states, log=log, artifacts=self.path / ".gitlab-ci-local" / "artifacts" / "validate")


@pytest.fixture(scope="module")
def sample_manifest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    spec = SampleSpec.create(COMPOSE_ID, srpms=12)
    folder = write_compose(tmp_path_factory.mktemp("compose"), spec)
    return Manifest.from_compose(read_compose(compose_root(str(folder), timeout=1), location=None)).to_bytes()


@pytest.fixture
def repository(tmp_path: Path, sample_manifest: bytes, require_tool: Callable[[str, str], str]) -> Repository:
    runner = require_tool("gitlab-ci-local", "`make test` brings it, if npm can reach its registry")
    require_tool("rsync", "gitlab-ci-local needs it; on Debian: apt-get install rsync")
    repository = Repository(path=tmp_path / "checkout", manifest=sample_manifest, runner=runner)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # what is deleted and not yet committed is still listed
            target = repository.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    (repository.path / "gate" / "policy.toml").write_text(POLICY, encoding="utf-8")
    (repository.path / "gate" / "waivers.toml").write_text('schema = "waivers/1"\n', encoding="utf-8")
    repository.git("init", "--quiet", "--initial-branch", "main")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Start")
    repository.git("checkout", "--quiet", "-b", f"compose/{COMPOSE_ID}")
    folder = repository.path / "composes" / COMPOSE_ID
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(sample_manifest)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", f"Add {COMPOSE_ID}")
    return repository


def test_ci_file_is_valid_for_gitlab() -> None:
    checker = Path(sys.prefix) / "bin" / "check-jsonschema"
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.gitlab-ci", ROOT / ".gitlab-ci.yml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_good_results_pass_both_jobs(repository: Repository) -> None:
    repository.push(repository.results(x86_64="passed", aarch64="passed"))
    pipeline = repository.pipeline()
    assert pipeline.states == {"validate": "PASS", "gate": "PASS"}, pipeline.log
    assert json.loads((pipeline.artifacts / "validate.json").read_bytes()) == []
    assert "SATISFIED" in pipeline.log


def test_failed_results_are_valid_and_fail_the_gate(repository: Repository) -> None:
    repository.push(repository.results(x86_64="passed", aarch64="failed"))
    pipeline = repository.pipeline()
    assert pipeline.states == {"validate": "PASS", "gate": "FAIL"}, pipeline.log
    assert "BLOCKED" in pipeline.log


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


OTHER: Final = (
    "--variable", "CI_MERGE_REQUEST_IID=1", "--variable", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=mend-something",
)  # fmt: skip


def test_other_merge_requests_are_tested_and_not_gated(repository: Repository) -> None:
    repository.change("README.md")
    assert repository.jobs(*OTHER) == {"validate", "test", "lint"}


def test_merge_request_on_the_gate_files_is_validated_only(repository: Repository) -> None:
    repository.change("gate/waivers.toml")
    assert repository.jobs(*OTHER) == {"validate"}


def test_main_is_tested(repository: Repository) -> None:
    repository.change("scripts/compose_repo/cli.py")
    assert repository.jobs() == {"test", "lint"}


def test_main_is_not_tested_anew_for_a_compose(repository: Repository) -> None:
    repository.change(f"composes/{COMPOSE_ID}/results/rdo/1.json")
    assert repository.jobs() == set()
