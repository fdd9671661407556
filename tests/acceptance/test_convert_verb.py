"""`compose-repo convert` as people and jobs run it."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import door

ROOT: Final = Path(__file__).resolve().parents[2]
COMPOSE_ID: Final = "CentOS-Stream-10-20261120.0"
NOW: Final = "2026-11-21T00:00:00Z"
BUILD: Final[dict[str, Any]] = {
    "actions": [{"urlName": "testReport", "failCount": 1, "skipCount": 0, "totalCount": 2}],
    "building": False,
    "duration": 8531250,
    "number": 8841,
    "result": "UNSTABLE",
    "timestamp": 1795147800000,
    "url": "https://jenkins.example.org/job/smoke/8841/",
}
REPORT: Final = {
    "failCount": 1,
    "passCount": 1,
    "skipCount": 0,
    "suites": [
        {
            "cases": [
                {"className": "guest", "name": "boots", "status": "PASSED", "duration": 1.5},
                {"className": "guest", "name": "stops", "status": "FAILED", "errorDetails": "it did not"},
            ]
        }
    ],
}
WHO: Final = ["--origin", "rdo", "--arch", "x86_64"]
Done = door.Done
Run = Callable[..., Done]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = Path(shutil.copytree(ROOT / "tests" / "examples" / "base", tmp_path / "repo"))
    (repo / "build.json").write_text(json.dumps(BUILD))
    (repo / "report.json").write_text(json.dumps(REPORT))
    return repo


@pytest.fixture
def run(repo: Path) -> Run:
    def compose_repo(*arguments: str | Path, through: Run = door.run) -> Done:
        return through(*arguments, cwd=repo)

    return compose_repo


@pytest.fixture
def convert(run: Run) -> Run:
    def convert(*arguments: str | Path, through: Run = door.run) -> Done:
        return run("convert", "--from", "jenkins", "--now", NOW, *arguments, through=through)

    return convert


@pytest.mark.smoke
def test_a_build_becomes_a_file_that_validate_accepts(repo: Path, run: Run, convert: Run) -> None:
    target = f"composes/{COMPOSE_ID}/results/rdo/smoke-8841.json"
    done = convert("report.json", "build.json", "--compose", COMPOSE_ID, *WHO, "-o", target, through=door.start)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"3 results; the file belongs at {target}\n")
    assert [row["outcome"] for row in json.loads((repo / target).read_bytes())["results"]] == [
        "failed",
        "passed",
        "failed",
    ]
    assert run("validate", target, "--now", NOW).returncode == 0


@pytest.mark.parametrize("which", ["--compose", "--manifest"])
def test_in_a_checkout_that_git_converts_the_digest_is_that_of_git(
    repo: Path, run: Run, convert: Run, which: str
) -> None:
    manifest = f"composes/{COMPOSE_ID}/manifest.json"
    stored = hashlib.sha256((repo / manifest).read_bytes()).hexdigest()
    for arguments in (["init", "-q"], ["add", "."], ["config", "core.autocrlf", "true"]):
        subprocess.run(["git", *arguments], cwd=repo, check=True, capture_output=True)
    (repo / manifest).unlink()
    subprocess.run(["git", "checkout", "-q", "--", manifest], cwd=repo, check=True)
    assert b"\r\n" in (repo / manifest).read_bytes()
    target = f"composes/{COMPOSE_ID}/results/rdo/smoke-8841.json"
    chosen = {"--compose": COMPOSE_ID, "--manifest": manifest}[which]
    done = convert("report.json", "build.json", which, chosen, *WHO, "-o", target)
    assert "git converts the line ends" in done.stderr
    assert json.loads((repo / target).read_bytes())["manifest_sha256"] == stored
    assert run("validate", "--now", NOW, target).returncode == 0


def test_a_copy_of_a_manifest_with_other_line_ends_has_the_digest_of_the_manifest(
    repo: Path, convert: Run, tmp_path: Path
) -> None:
    raw = (repo / "composes" / COMPOSE_ID / "manifest.json").read_bytes()
    (tmp_path / "copy.json").write_bytes(raw.replace(b"\n", b"\r\n"))
    done = convert("report.json", "build.json", "--manifest", tmp_path / "copy.json", *WHO)
    assert json.loads(done.stdout)["manifest_sha256"] == hashlib.sha256(raw).hexdigest()


def test_a_document_as_jenkins_sends_it_becomes_a_file(repo: Path, convert: Run) -> None:
    build = {**BUILD, "actions": [None, *BUILD["actions"]], "url": "https://jenkins.example.org/job/smoke/A=b/8841/"}
    report = json.dumps(REPORT).replace("1.5", "NaN").replace('"status"', '"stdout": "cut \\ud83d", "status"')
    (repo / "build.json").write_text(json.dumps(build))
    (repo / "report.json").write_text(report)
    done = convert("build.json", "report.json", "--compose", COMPOSE_ID, *WHO)
    found = json.loads(done.stdout)
    assert found["run"]["id"].startswith("smoke.A-b-")
    assert [(row["outcome"], row["scenario"]) for row in found["results"]] == [
        ("failed", "A=b"),
        ("passed", "A=b"),
        ("failed", "A=b"),
    ]


def test_the_file_is_shown_on_stdout(repo: Path, convert: Run) -> None:
    manifest = repo / "composes" / COMPOSE_ID / "manifest.json"
    files = ["build.json", "report.json"]
    shown = convert(*files, "--manifest", manifest, *WHO)
    convert(*files, "--compose", COMPOSE_ID, *WHO, "-o", "result.json")
    assert shown.stdout == (repo / "result.json").read_text()


def test_options_name_the_cell(repo: Path, convert: Run) -> None:
    (repo / "build.json").write_text(json.dumps({**BUILD, "actions": [], "result": "SUCCESS"}))
    cell = ["--variant", "BaseOS", "--scenario", "uefi", "--testcase", "compose.smoke", "--run-is-test"]
    done = convert("build.json", "--compose", COMPOSE_ID, *WHO, *cell)
    assert json.loads(done.stdout)["results"] == [
        {
            "testcase": "compose.smoke",
            "outcome": "passed",
            "arch": "x86_64",
            "variant": "BaseOS",
            "scenario": "uefi",
            "duration": 8531.25,
        }
    ]
    assert done.stderr.startswith("1 result; ")


def test_what_cannot_be_converted_ends_with_1_and_names_the_place(convert: Run) -> None:
    done = convert("build.json", "--compose", COMPOSE_ID, *WHO)
    assert (done.returncode, done.stdout) == (1, "")
    assert "build.json" in done.stderr
    assert "jenkins-report-missing" in done.stderr


def test_what_the_compose_does_not_have_ends_with_1(convert: Run) -> None:
    done = convert("build.json", "report.json", "--compose", COMPOSE_ID, "--origin", "rdo", "--arch", "riscv64")
    assert (done.returncode, done.stdout) == (1, "")
    assert "unknown-arch" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build.json", *WHO], "one of the arguments --manifest --compose is required"),
        (["build.json", "--compose", "latest", *WHO], "'latest' is not <short>"),
        (["build.json", "--compose", "CentOS-Stream-10-20261119.0", *WHO], "cannot read"),
        (["nowhere.json", "--compose", COMPOSE_ID, *WHO], "cannot read nowhere.json: No such file"),
        (["build.json", "--compose", COMPOSE_ID, "--arch", "x86_64"], "--origin"),
        (["build.json", "--compose", COMPOSE_ID, "--origin", "../x", "--arch", "x86_64"], "'../x' is not a valid name"),
        (["build.json", "--compose", COMPOSE_ID, *WHO, "--testcase", " x"], "' x' is not a valid test name"),
        (["build.json", "report.json", "--compose", COMPOSE_ID, *WHO, "-o", "no/where"], "cannot write no/where"),
    ],
)
def test_a_command_that_cannot_be_followed_ends_with_2_in_one_line(
    convert: Run, arguments: list[str], says: str
) -> None:
    done = convert(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


def test_a_format_that_nobody_knows_is_refused(run: Run) -> None:
    done = run("convert", "--from", "smoke-signals", "build.json", "--compose", COMPOSE_ID, *WHO)
    assert (done.returncode, "jenkins" in done.stderr) == (2, True)
