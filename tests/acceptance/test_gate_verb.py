"""`compose-repo gate` as people run it: a process, a tree of files, an exit code."""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compose_repo.core.compose import ComposeId, Status
from compose_repo.core.manifest import Manifest
from compose_repo.core.names import Arch, Variant

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = "CentOS-Stream-10-20261120.0"
OLDER = "CentOS-Stream-10-20261115.0"
COMMAND = (sys.executable, "-m", "compose_repo", "gate")
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
contact = {email = "t-functional@example.org"}

[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
contact = {email = "rdo-ci@example.org", url = "https://chat.example.org/rdo"}
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
        self.write("gate/policy.toml", POLICY)
        self.write("gate/origins.toml", ORIGINS)
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

    def tempest(self, outcome: str, run_id: str = "8841") -> None:
        self.report("rdo", run_id, {"testcase": "tempest.smoke", "outcome": outcome, "arch": "x86_64"})

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

    def gate(self, *arguments: str, compose_id: str = COMPOSE, now: str = NOON) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "compose_repo",
                "gate",
                compose_id,
                "--repo",
                str(self.root),
                "--now",
                now,
                *arguments,
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "NO_COLOR": "1"},
            check=False,
            capture_output=True,
            text=True,
        )

    def decision(self, *arguments: str, **more: str) -> Any:  # noqa: ANN401  # what JSON holds
        return json.loads(self.gate("--format", "json", *arguments, **more).stdout)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def blocked(world: World) -> None:
    world.smoke("passed")
    world.tempest("failed")


def pending(world: World) -> None:
    world.smoke("passed")
    world.tempest("passed")


def satisfied(world: World) -> None:
    world.smoke("passed", "passed")
    world.tempest("passed")


@pytest.mark.parametrize(("build", "code"), [(satisfied, 0), (blocked, 1), (pending, 3)])
def test_the_exit_code_says_the_verdict(world: World, build: Callable[[World], None], code: int) -> None:
    build(world)
    assert world.gate().returncode == code


def test_blocked_reads_so(world: World) -> None:
    blocked(world)
    world.write(f"composes/{COMPOSE}/results/t_functional/18.json", "{")
    world.write("gate/waivers.toml", WAIVERS.replace('"rdo"', '"t_functional"').replace("tempest", "boot"))
    assert world.gate().stdout == (
        """\
BLOCKED  CentOS-Stream-10-20261120.0
Of 3 required, 1 failed (rdo tempest.smoke on x86_64), 1 missing; 1 result file refused.

STATE    ORIGIN        TEST           WHERE   WHY
failed   rdo           tempest.smoke  x86_64
         https://ci.example.org/8841
missing  t_functional  compose.smoke  x86_64  nothing reported; 1 file of t_functional refused

1 passed: t_functional 1 (--all lists them)

Waivers worth a look:
  unused: t_functional boot.smoke (until 2026-11-25, by jdoe, https://issues.example.org/1234)

Refused files, which count as absent:
  composes/CentOS-Stream-10-20261120.0/results/t_functional/18.json:1: not-json: the file is not
    JSON: EOF while parsing an object (column 1); write it with a JSON library, or mend the place by
    hand

Whom to ask:
  rdo (RDO): rdo-ci@example.org, https://chat.example.org/rdo
  t_functional (Functional tests): t-functional@example.org
"""
    )


def test_pending_reads_so(world: World) -> None:
    world.smoke("error", "running")
    world.tempest("failed")
    world.tempest("failed", "8842")
    world.write("gate/waivers.toml", WAIVERS)
    assert world.gate().stdout == (
        """\
PENDING  CentOS-Stream-10-20261120.0
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
  t_functional (Functional tests): t-functional@example.org
"""
    )


def test_satisfied_reads_so(world: World) -> None:
    satisfied(world)
    assert world.gate().stdout == (
        """\
SATISFIED  CentOS-Stream-10-20261120.0
All 3 required passed.

3 passed: rdo 1, t_functional 2 (--all lists them)
"""
    )


def test_all_lists_what_passed(world: World) -> None:
    satisfied(world)
    assert world.gate("--all").stdout == (
        """\
SATISFIED  CentOS-Stream-10-20261120.0
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
    assert text.startswith("\x1b[31mBLOCKED\x1b[0m  ")
    assert "\n\x1b[31mfailed\x1b[0m   rdo " in text
    assert "\n\x1b[33mmissing\x1b[0m  t_functional " in text


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
        command = [*COMMAND, COMPOSE, "--repo", str(world.root), "--format", "json"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": seed}
        answers.add(subprocess.run([*command, "--now", NOON], env=environment, check=False, capture_output=True).stdout)
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
    world.write(f"composes/{COMPOSE}/manifest.json", manifest(COMPOSE))
    assert world.gate(now="2027-01-01T00:00:00Z").returncode == 3


def test_no_deadline_runs_outside_a_checkout(world: World) -> None:
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'deadline = "48h"\nwhy = "Starts'))
    reasons = [answer["reason"] for answer in world.decision(now="2027-01-01T00:00:00Z")["answers"]]
    assert reasons == [
        "nothing reported; when the merge request was opened is not known, so no deadline runs",
        "nothing reported",
        "nothing reported",
    ]


def test_a_revision_is_judged_by_its_own_files(world: World) -> None:
    first = world.commit()
    satisfied(world)
    second = world.commit()
    (world.root / "gate/policy.toml").unlink()
    assert [world.gate("--rev", revision).returncode for revision in (first, second)] == [3, 0]


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
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'baseline = "published"\nwhy = "Starts'))
    main = world.commit()
    world.write(f"composes/{COMPOSE}/manifest.json", manifest(COMPOSE))
    world.smoke("passed", "passed")
    world.tempest("failed")
    world.write(f"composes/{OLDER}/manifest.json", manifest(OLDER))
    branch = world.commit()
    assert [world.gate("--rev", branch, *base).returncode for base in ([], ["--base", main])] == [0, 1]


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


def test_with_a_base_it_says_that_nobody_checks_here_who_pushed(world: World, main: str) -> None:
    said = "note: who pushed each result is not checked here; compose-repo approve does, with a token\n"
    assert world.gate("--base", main).stderr == said


def test_rules_that_cannot_be_read_are_those_of_the_base(world: World, main: str) -> None:
    (world.root / "gate/policy.toml").unlink()
    broken = world.commit()
    world.write("gate/policy.toml", POLICY)
    sound = world.commit()
    assert [world.gate("--rev", sound, "--base", base).returncode for base in (main, broken)] == [3, 2]


def test_a_deadline_of_a_revision_runs_from_its_own_history(world: World) -> None:
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'deadline = "48h"\nwhy = "Starts'))
    revision = world.commit("2026-11-21T00:00:00Z")
    assert world.gate("--rev", revision).returncode == 1


def test_a_published_compose_is_what_a_baseline_compares_with(world: World) -> None:
    world.write("gate/policy.toml", POLICY.replace('why = "Starts', 'baseline = "published"\nwhy = "Starts'))
    world.smoke("passed", "passed")
    world.tempest("failed")
    world.write(f"composes/{OLDER}/manifest.json", manifest(OLDER))
    assert world.decision()["answers"][0]["reason"] == f"no regression: it did not pass in {OLDER} either"


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
    [["--now", "yesterday"], ["--now", "2026-11-23T12:00:00"], ["--rev", "nowhere"], ["--format", "yaml"]],
)
def test_a_wrong_option_is_one_line(world: World, arguments: list[str]) -> None:
    world.commit()
    done = world.gate(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


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
    command = [*COMMAND, COMPOSE, "--repo", str(world.root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "NO_COLOR": "1"}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert "  expired: rdo tempest.smoke " in done.stdout
