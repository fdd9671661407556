"""`compose-repo validate` as people and CI run it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest

import door

ROOT: Final = Path(__file__).resolve().parents[2]
BASE: Final = ROOT / "tests" / "examples" / "base"
RESULT: Final = "composes/CentOS-Stream-10-20261120.0/results/rdo/8841.json"
NOW: Final = "2026-11-21T00:00:00Z"
Done = door.Done
Run = Callable[..., Done]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "repo"))


@pytest.fixture
def run(repo: Path) -> Run:
    def validate(*arguments: str, now: str = NOW, through: Run = door.run) -> Done:
        return through("validate", "--now", now, *arguments, cwd=repo)

    return validate


def git(repo: Path, *arguments: str) -> None:
    identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.org"}
    subprocess.run(["git", *arguments], cwd=repo, check=True, capture_output=True, env={**os.environ, **identity})


def commit(repo: Path, message: str) -> None:
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", message)


@pytest.fixture
def branch(repo: Path) -> Path:
    """Give a clone of main on which a branch was begun."""
    git(repo, "init", "-q", "-b", "main")
    commit(repo, "main")
    git(repo, "checkout", "-qb", "compose/CentOS-Stream-10-20261120.0")
    return repo


def spoil(repo: Path, name: str = RESULT, old: str = "passed", new: str = "pass") -> None:
    file = repo / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((repo / RESULT).read_text().replace(old, new))


@pytest.mark.smoke
def test_everything_is_checked_without_arguments(run: Run) -> None:
    done = run(through=door.start)
    assert (done.returncode, done.stdout, done.stderr) == (0, "6 files checked, no problem\n", "")


@pytest.mark.smoke
def test_a_problem_ends_with_1(repo: Path, run: Run) -> None:
    spoil(repo)
    assert run(through=door.start).returncode == 1


def test_json_is_stable_and_in_the_form_of_the_contract(repo: Path, run: Run) -> None:
    spoil(repo)
    first, second = run("--format", "json").stdout, run("--format", "json").stdout
    document = json.loads(first)
    assert first == second
    assert (document["schema"], document["checked"]) == ("problems/2", 6)
    assert [(one["code"], one["line"]) for one in document["problems"]] == [("wrong-value", 21)]


def test_only_named_files_are_checked(repo: Path, run: Run) -> None:
    spoil(repo)
    assert run("gate/policy.toml").returncode == 0


def test_a_folder_stands_for_what_is_in_it(repo: Path, run: Run) -> None:
    spoil(repo)
    assert run("composes").stdout.endswith("1 problem in 1 file; 2 files checked\n")


def test_a_path_may_be_absolute(repo: Path, run: Run) -> None:
    assert run(str(repo / RESULT)).stdout == "1 file checked, no problem\n"


def test_the_root_may_be_named(repo: Path, run: Run, tmp_path: Path) -> None:
    other = Path(shutil.copytree(repo, tmp_path / "other"))
    spoil(other)
    assert run("--repo", str(other), RESULT).returncode == 1


def test_the_origin_of_a_named_file_is_looked_up(repo: Path, run: Run) -> None:
    (repo / "gate" / "origins.toml").write_text('schema = "origins/1"\n')
    assert ": unknown-origin: " in run(RESULT).stdout


def test_broken_origins_are_told_even_if_only_results_are_asked_for(repo: Path, run: Run) -> None:
    (repo / "gate" / "origins.toml").write_text("schema =\n")
    done = run(RESULT)
    assert [line.split(":")[0] for line in done.stdout.splitlines()[:-1]] == ["gate/origins.toml"]


def test_a_named_file_that_collides_is_told(repo: Path, run: Run) -> None:
    (repo / RESULT).with_name("a1.json").write_text((repo / RESULT).read_text().replace('"id": "8841"', '"id": "a1"'))
    (repo / RESULT).with_name("A1.json").write_text((repo / RESULT).read_text().replace('"id": "8841"', '"id": "A1"'))
    assert ": name-collision: " in run(f"{Path(RESULT).parent}/a1.json").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["absent.json"],
        ["../outside.json"],
        ["--repo", "absent"],
        ["--repo", "composes"],
        ["--now", "yesterday"],
        ["--now", "2026-11-21T00:00:00"],
        ["--base", "main", RESULT],
        ["--base", "main"],
        ["--rev", "main"],
        ["--branch", "compose/CentOS-Stream-10-20261120.0"],
        ["--base", "HEAD", "--branch", "compose/nothing"],
        ["--base", "main", "--rev", "nowhere"],
        ["--junit", "absent/validate.xml"],
        ["other.txt"],
    ],
)
def test_a_command_line_that_cannot_be_followed_ends_with_2_and_one_line(
    repo: Path, run: Run, arguments: list[str]
) -> None:
    (repo / "other.txt").touch()
    done = run(*arguments)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")


def test_junit_names_every_file_and_what_is_wrong_with_it(repo: Path, run: Run) -> None:
    spoil(repo)
    run("--junit", "validate.xml")
    cases = ET.parse(repo / "validate.xml").iter("testcase")  # noqa: S314  # our own
    failures = {case.get("name"): [failure.get("type") for failure in case] for case in cases}
    assert failures.pop(RESULT) == ["wrong-value"]
    assert len(failures) == 5
    assert not any(failures.values())


def test_code_quality_is_empty_without_problems(repo: Path, run: Run) -> None:
    run("--code-quality", "quality.json")
    assert json.loads((repo / "quality.json").read_text()) == []


def test_code_quality_points_at_the_line(repo: Path, run: Run) -> None:
    spoil(repo)
    run("--code-quality", "quality.json")
    [row] = json.loads((repo / "quality.json").read_text())
    assert row["location"] == {"path": RESULT, "lines": {"begin": 21}}


WAIVERS: Final = "gate/waivers.toml"
EXPIRED: Final = """
[[waiver]]
origin = "rdo"
testcase = "tempest.smoke"
arch = "x86_64"
reason = "It was over yesterday."
issue = "https://issues.example.org/1230"
by = "jdoe"
expires = 2026-11-20
"""


def put_first(repo: Path, entry: str) -> None:
    """Write a waiver before all others: each of them gets another number and another line."""
    file = repo / WAIVERS
    file.write_text(file.read_text().replace("[[waiver]]", f"{entry.strip()}\n\n[[waiver]]", 1))


def test_advice_is_told_and_ends_with_0(repo: Path, run: Run) -> None:
    put_first(repo, EXPIRED)
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("gate/waivers.toml:10: advice: waiver-expired: /waiver/0/expires: ")
    assert done.stdout.endswith("6 files checked, no problem; 1 piece of advice\n")


def test_advice_in_json_is_apart_from_the_problems(repo: Path, run: Run) -> None:
    put_first(repo, EXPIRED)
    document = json.loads(run("--format", "json").stdout)
    assert document["problems"] == []
    assert [(one["code"], one["path"], one["line"]) for one in document["advice"]] == [("waiver-expired", WAIVERS, 10)]


def test_advice_fails_no_case_of_junit(repo: Path, run: Run) -> None:
    put_first(repo, EXPIRED)
    run("--junit", "validate.xml")
    suites = ET.parse(repo / "validate.xml").getroot()  # noqa: S314  # our own
    told = {case.get("name"): [one.tag for one in case] for case in suites.iter("testcase")}
    assert (suites.get("failures"), told[WAIVERS], len(told)) == ("0", ["system-out"], 6)


def test_code_quality_shows_advice_at_its_line(repo: Path, run: Run) -> None:
    put_first(repo, EXPIRED)
    run("--code-quality", "quality.json")
    [row] = json.loads((repo / "quality.json").read_text())
    assert (row["severity"], row["location"]) == ("info", {"path": WAIVERS, "lines": {"begin": 10}})


MISTYPED: Final = (
    "tempest.smok on x86_64 AppStream (devstack) answers no requirement of rdo; did you mean tempest.smoke?"
)


def mistype(repo: Path) -> None:
    """Report the required test on both arches under a name that nobody asks for."""
    spoil(repo, old="tempest.smoke", new="tempest.smok")


def test_a_result_that_nearly_answers_a_requirement_is_advice(repo: Path, run: Run) -> None:
    mistype(repo)
    done = run(RESULT)
    assert (done.returncode, MISTYPED in done.stdout) == (0, True), done.stdout
    line = (repo / RESULT).read_text().split('"tempest.smok"')[0].count("\n")
    assert f"{RESULT}:{line}: advice: answers-no-requirement: /results/0: " in done.stdout


def test_a_pipeline_tells_it_by_the_rules_of_the_base(branch: Path, run: Run) -> None:
    mistype(branch)
    (branch / "gate" / "policy.toml").write_text('schema = "policy/1"\n')
    commit(branch, "a report, and rules of its own")
    codes = [one["code"] for one in json.loads(run("--base", "main", "--format", "json").stdout)["advice"]]
    assert "answers-no-requirement" in codes


@pytest.mark.parametrize("policy", [None, "not TOML", 'schema = "policy/1"\nx = 1\n', 'schema = "policy/1"\n'])
def test_without_a_policy_that_can_be_read_no_result_is_advised_on(repo: Path, run: Run, policy: str | None) -> None:
    mistype(repo)
    file = repo / "gate" / "policy.toml"
    file.unlink() if policy is None else file.write_text(policy)
    assert run(RESULT).stdout == "1 file checked, no problem\n"


def test_a_result_that_is_refused_is_not_advised_on(repo: Path, run: Run) -> None:
    mistype(repo)
    spoil(repo, old='"rdo"', new='"idm"')
    assert "answers-no-requirement" not in run(RESULT).stdout


def test_advice_on_gate_is_not_told_of_a_result(repo: Path, run: Run) -> None:
    put_first(repo, EXPIRED)
    assert run(RESULT).stdout == "1 file checked, no problem\n"


def test_nothing_has_expired_before_its_day_is_over(repo: Path, run: Run) -> None:
    put_first(repo, EXPIRED)
    assert "waiver-expired" not in run(now="2026-11-20T23:59:59Z").stdout


@pytest.fixture
def aged(repo: Path) -> Path:
    """Give a branch of a main on which a waiver has expired."""
    put_first(repo, EXPIRED)
    git(repo, "init", "-q", "-b", "main")
    commit(repo, "main")
    git(repo, "checkout", "-qb", "change")
    return repo


REVISIONS: Final = pytest.mark.parametrize("revision", [[], ["--rev", "HEAD"]], ids=["checked out", "revision"])


@REVISIONS
def test_a_change_that_adds_an_expired_waiver_ends_with_1(aged: Path, run: Run, revision: list[str]) -> None:
    put_first(aged, EXPIRED.replace("x86_64", "ppc64le"))
    commit(aged, "another exception")
    done = run("--base", "main", *revision)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("gate/waivers.toml:10: waiver-expired: /waiver/0/expires: ")
    assert done.stdout.splitlines()[1].startswith("gate/waivers.toml:19: advice: waiver-expired: /waiver/1/expires: ")
    assert done.stdout.endswith("\n1 problem in 1 file; 1 piece of advice; 4 files checked\n")


@REVISIONS
def test_an_old_waiver_that_has_expired_holds_up_no_change(aged: Path, run: Run, revision: list[str]) -> None:
    put_first(aged, EXPIRED.replace("x86_64", "ppc64le").replace("2026-11-20", "2026-12-20"))
    commit(aged, "an exception that is in force")
    done = run("--base", "main", *revision)
    assert done.returncode == 0
    assert done.stdout.startswith("gate/waivers.toml:19: advice: waiver-expired: /waiver/1/expires: ")


def test_a_change_of_an_expired_waiver_that_does_not_renew_it_ends_with_1(aged: Path, run: Run) -> None:
    (aged / WAIVERS).write_text((aged / WAIVERS).read_text().replace("yesterday", "on Friday"))
    commit(aged, "another reason")
    assert run("--base", "main").returncode == 1


def test_a_renewed_waiver_is_in_order(aged: Path, run: Run) -> None:
    (aged / WAIVERS).write_text((aged / WAIVERS).read_text().replace("2026-11-20", "2026-12-20"))
    commit(aged, "renew it")
    assert run("--base", "main").stdout == "4 files checked, no problem\n"


def test_a_waiver_that_main_has_removed_since_is_not_what_the_change_brings(aged: Path, run: Run) -> None:
    put_first(aged, EXPIRED.replace("2026-11-20", "2026-12-20"))
    commit(aged, "an exception")
    git(aged, "checkout", "-q", "main")
    (aged / WAIVERS).write_text((aged / WAIVERS).read_text().replace(EXPIRED.strip(), ""))
    commit(aged, "remove what has expired")
    git(aged, "checkout", "-q", "change")
    assert run("--base", "main").returncode == 0


def test_a_change_that_takes_docs_from_a_required_origin_ends_with_1(branch: Path, run: Run) -> None:
    origins = branch / "gate" / "origins.toml"
    origins.write_text(origins.read_text().replace(', docs = "https://docs.example.org/rdo-ci"', ""))
    commit(branch, "no docs")
    done = run("--base", "main")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[0].startswith("gate/origins.toml:6: no-docs: /origins/rdo/contact: ")
    assert lines[1].startswith("gate/policy.toml:4: advice: no-docs: /requirement/0/origin: ")
    assert len(lines) == 3


def test_what_a_change_brings_is_told_once_even_if_it_removes_a_gate_file(aged: Path, run: Run) -> None:
    put_first(aged, EXPIRED.replace("x86_64", "ppc64le"))
    (aged / "gate" / "streams.toml").unlink()
    commit(aged, "another exception")
    assert run("--base", "main").stdout.endswith("\n1 problem in 1 file; 1 piece of advice; 3 files checked\n")


def test_a_change_that_only_removes_a_gate_file_is_told_what_has_aged(aged: Path, run: Run) -> None:
    (aged / "gate" / "streams.toml").unlink()
    commit(aged, "no streams")
    done = run("--base", "main")
    assert (done.returncode, done.stdout.count(": advice: waiver-expired: ")) == (0, 1)


def test_with_a_base_only_what_changed_is_checked(branch: Path, run: Run) -> None:
    spoil(branch, "composes/CentOS-Stream-10-20261120.0/results/rdo/8842.json")
    commit(branch, "a result")
    done = run("--base", "main")
    assert {line.partition(":")[0] for line in done.stdout.splitlines()[:-1]} == {
        "composes/CentOS-Stream-10-20261120.0/results/rdo/8842.json"
    }
    assert done.stdout.endswith("1 file checked\n")


def test_with_a_base_and_no_change_nothing_is_checked(branch: Path, run: Run) -> None:
    (branch / "README.md").write_text("not ours")
    commit(branch, "a word")
    assert run("--base", "main").stdout == "0 files checked, no problem\n"


def test_what_main_has_gained_since_is_not_ours(branch: Path, run: Run) -> None:
    git(branch, "checkout", "-q", "main")
    spoil(branch)
    commit(branch, "main moves on")
    git(branch, "checkout", "-q", "-")
    assert run("--base", "main").returncode == 0


def test_a_removed_result_file_is_a_problem(branch: Path, run: Run) -> None:
    (branch / RESULT).unlink()
    commit(branch, "take it back")
    assert run("--base", "main").stdout.startswith(f"{RESULT}:1: removed-file: ")


def test_a_renamed_result_file_is_a_removed_one(branch: Path, run: Run) -> None:
    (branch / RESULT).rename((branch / RESULT).with_name("8842.json"))
    commit(branch, "rename it")
    assert f"{RESULT}:1: removed-file: " in run("--base", "main").stdout


def test_removing_the_policy_is_a_problem(branch: Path, run: Run) -> None:
    (branch / "gate" / "policy.toml").unlink()
    commit(branch, "no policy")
    assert run("--base", "main").stdout.startswith("gate/policy.toml:1: missing-file: ")


def test_a_revision_is_read_from_git_and_not_from_what_is_checked_out(branch: Path, run: Run) -> None:
    spoil(branch)
    commit(branch, "a result")
    git(branch, "branch", "pushed")
    git(branch, "checkout", "-q", "main")
    (branch / RESULT).unlink()
    done = run("--base", "HEAD", "--rev", "pushed")
    assert (done.returncode, done.stdout.count(f"{RESULT}:21: wrong-value: ")) == (1, 1)


def test_a_revision_that_removes_a_result_is_told(branch: Path, run: Run) -> None:
    (branch / RESULT).unlink()
    commit(branch, "take it back")
    assert run("--base", "main", "--rev", "HEAD").stdout.startswith(f"{RESULT}:1: removed-file: ")


@pytest.mark.parametrize("revision", [[], ["--rev", "HEAD"]], ids=["checked out", "revision"])
def test_an_origin_that_only_the_branch_names_is_unknown(branch: Path, run: Run, revision: list[str]) -> None:
    (branch / "gate" / "origins.toml").write_text(
        'schema = "origins/1"\n[origins.mine]\nname = "Mine"\nusers = ["me"]\ncontact = {email = "me@example.org"}\n'
    )
    mine = branch / RESULT.replace("/rdo/", "/mine/")
    mine.parent.mkdir()
    mine.write_text((branch / RESULT).read_text().replace('"origin": "rdo"', '"origin": "mine"'))
    commit(branch, "my own origin")
    assert f"{mine.relative_to(branch)}:" in run("--base", "main", *revision).stdout
    assert ": unknown-origin: " in run("--base", "main", *revision).stdout


def test_a_link_in_a_revision_is_not_followed(branch: Path, run: Run) -> None:
    (branch / RESULT).with_name("8842.json").symlink_to(branch / RESULT)
    commit(branch, "a link")
    assert ": not-a-plain-file: " in run("--base", "main", "--rev", "HEAD").stdout


COMPOSES_BRANCH: Final = ("--base", "main", "--branch", "compose/CentOS-Stream-10-20261121.0")


@pytest.mark.parametrize("revision", [[], ["--rev", "HEAD"]], ids=["checked out", "revision"])
@pytest.mark.parametrize("path", ["README.md", "composes/NOTES.md"])
def test_what_a_composes_branch_may_not_do_is_told_of_each_commit(
    branch: Path, run: Run, revision: list[str], path: str
) -> None:
    for text in ("mine", "mine again"):
        (branch / path).write_text(text)
        commit(branch, "a foreign change")
    done = run(*COMPOSES_BRANCH, *revision)
    assert (done.returncode, done.stdout.count(f"{path}:1: foreign-change: ")) == (1, 2)


@pytest.mark.parametrize("revision", [[], ["--rev", "HEAD"]], ids=["checked out", "revision"])
@pytest.mark.parametrize("path", ["junit.xml", "composes/CentOS-Stream-10-20261121.0/results/junit.xml"])
def test_a_stray_file_that_was_taken_back_leaves_nothing_red(
    branch: Path, run: Run, revision: list[str], path: str
) -> None:
    (branch / path).parent.mkdir(parents=True, exist_ok=True)
    (branch / path).write_text("<testsuites/>")
    commit(branch, "a stray file")
    assert run(*COMPOSES_BRANCH, *revision).returncode == 1
    git(branch, "rm", "-q", path)
    commit(branch, "and back")
    done = run(*COMPOSES_BRANCH, *revision)
    assert (done.returncode, done.stdout) == (0, "0 files checked, no problem\n")


@pytest.mark.parametrize("revision", [[], ["--rev", "HEAD"]], ids=["checked out", "revision"])
def test_a_composes_branch_may_not_change_what_explains_the_folder(branch: Path, run: Run, revision: list[str]) -> None:
    (branch / "composes" / "README.md").write_text("mine")
    commit(branch, "a foreign change")
    done = run(*COMPOSES_BRANCH, *revision)
    assert (done.returncode, done.stdout.count("composes/README.md:1: foreign-change: ")) == (1, 1)


def test_what_explains_the_folder_is_no_data(run: Run) -> None:
    assert run("composes/README.md").stdout == "0 files checked, no problem\n"


def test_another_branch_may_change_anything(branch: Path, run: Run) -> None:
    (branch / "README.md").write_text("mine")
    commit(branch, "a change")
    assert run("--base", "main", "--branch", "fix-something").returncode == 0


def test_a_problem_of_a_commit_and_of_its_file_is_told_once(branch: Path, run: Run) -> None:
    path = "composes/CentOS-Stream-10-20261121.0/results/rdo/8842.json"
    (branch / path).parent.mkdir(parents=True)
    (branch / path).symlink_to("8841.json")
    commit(branch, "a link")
    assert run(*COMPOSES_BRANCH).stdout.count(f"{path}:1: not-a-plain-file: ") == 1


def test_names_that_git_would_quote_are_found(branch: Path, run: Run) -> None:
    spoil(branch, "composes/CentOS-Stream-10-20261120.0/results/rdo/é\t1.json")
    commit(branch, "a strange name")
    assert ": bad-name: " in run("--base", "main").stdout


def test_a_file_of_eight_megabytes_is_not_read(repo: Path, run: Run) -> None:
    (repo / RESULT).write_bytes(b" " * (8 * 1024 * 1024 + 1))
    assert ": file-too-large: " in run(RESULT).stdout


@pytest.mark.parametrize("folder", ["composes", "gate"])
def test_a_link_in_place_of_a_folder_is_a_problem(repo: Path, run: Run, folder: str) -> None:
    (repo / folder).rename(repo / "elsewhere")
    (repo / folder).symlink_to("elsewhere")
    done = run()
    assert done.returncode == 1
    assert f"{folder}:1: stray-file: " in done.stdout


def test_a_path_outside_the_repository_is_not_passed_over(run: Run) -> None:
    done = run("/etc")
    assert (done.returncode, done.stderr) == (
        2,
        "compose-repo validate: /etc is not in .; --repo names another repository\n",
    )


def test_an_executable_result_is_refused(repo: Path, run: Run) -> None:
    (repo / RESULT).chmod(0o755)
    assert ": not-a-plain-file: " in run(RESULT).stdout


def test_it_runs_where_nothing_heavy_can_be_imported(repo: Path) -> None:
    heavy = ["gitlab", "jinja2", "productmd", "jsonschema", "requests", "urllib3", "compose_repo.core.verdict.gate"]
    code = f"import sys; sys.modules.update(dict.fromkeys({heavy})); from compose_repo.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "validate"],
        cwd=repo,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "6 files checked, no problem\n", "")


@pytest.mark.parametrize("name", ["8841.json", RESULT, "../rdo/8841.json"])
def test_a_path_is_from_here_or_from_the_root(repo: Path, name: str) -> None:
    folder = (repo / RESULT).parent
    (folder / "8841.json").write_text("{", "utf-8")
    done = door.run("validate", name, cwd=folder)
    assert (done.returncode, done.stdout.partition(":")[0]) == (1, RESULT)


def test_everything_is_validated_from_a_folder_below(repo: Path) -> None:
    here, below = (door.run("validate", "--now", NOW, cwd=folder) for folder in (repo, repo / "gate"))
    assert (below.returncode, below.stdout) == (0, here.stdout)
