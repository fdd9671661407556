"""Holds, from the command that proposes one to the publishing after it was lifted, on a local GitLab."""

import datetime as dt
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from sync_world import ROOT, STREAMS, SyncWorld, sync_world
from test_main_path import git
from test_promotion import SYNC

import door
from local_gitlab.server import LocalGitLab

A = "CentOS-Stream-10-20261120.0"
REASON: Final = "The kernel of this week eats discs."
WHY: Final = ("--reason", REASON, "--issue", "https://issues.example.org/1234")
UNTIL: Final = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).date().isoformat()
"""By GitLab's clock, which is this machine's."""
TOLD: Final = f"held until the end of {UNTIL} (UTC) by owner: {REASON} (https://issues.example.org/1234)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path_factory.mktemp("gitlab")) as running:
        yield running


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    server: LocalGitLab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[SyncWorld]:
    """Give a stream of a mode, with a hook, and an open compose on which everything has passed."""
    with sync_world(server, tmp_path, monkeypatch, capsys) as made:
        calls = f"cat >> {shlex.quote(str(made.folder / 'calls'))}"
        promote = f'promote = {{command = ["/bin/sh", "-c", "{calls}"]}}' if request.param == "mirror" else ""
        made.configure(STREAMS.format(web=made.web, more=f'mode = "{request.param}"\n{promote}'))
        made.compose(A)
        made.sync()
        for origin in ("rdo", "idm"):
            made.report(A, origin, "passed")
        yield made


mirror = pytest.mark.parametrize("world", ["mirror"], indirect=True)
gating = pytest.mark.parametrize("world", ["gating"], indirect=True)


def propose(world: SyncWorld, *arguments: str) -> str:
    """Propose a change of the holds as the owner does, and merge it; give what the command said."""
    owner = world.server.create_user("owner")
    code, out, err = world.run(owner, "hold", "CentOS-Stream-10", *arguments, "--open")
    assert (code, err) == (0, "")
    found = re.search(r"^!(\d+): ", out, re.MULTILINE)
    assert found is not None
    line = world.api(int(found[1]))
    line.merge()
    return out


def hold(world: SyncWorld) -> str:
    return propose(world, *WHY, "--until", UNTIL)


def shown(world: SyncWorld) -> tuple[set[str], str, list[str]]:
    """Give what people see of the compose's merge request: labels, status, approvals."""
    return set(world.api().labels), world.statuses()[0][0], world.approvers()


def called(world: SyncWorld) -> bool:
    return (world.folder / "calls").exists()


def steps(world: SyncWorld) -> list[tuple[str, str, str]]:
    report = world.report_of()
    jsonschema.validate(report, SYNC)
    rows: list[dict[str, Any]] = report["streams"][0]["composes"]
    return [(row["step"], row["why"], row["outcome"]) for row in rows if row["step"] != "judge"]


LABELS: Final = {"stream::CentOS-Stream-10", "gate::satisfied"}


@gating
@pytest.mark.smoke
def test_where_merging_leads_to_publishing_nothing_held_is_approved_or_merged(world: SyncWorld) -> None:
    hold(world)
    code, out, err = world.sync()
    assert (code, err) == (0, "")
    assert f"{A}: left: it is satisfied, but must not go out: {TOLD}" in out
    assert shown(world) == ({*LABELS, "hold::active"}, "pending", [])
    assert world.statuses()[0][1].startswith(f"held until {UNTIL}: {REASON}; All ")
    first = world.notes()[0].splitlines()[1]
    assert first.startswith(f"> **Held until the end of {UNTIL} (UTC)** by owner: The kernel of this week eats discs")
    assert world.api().description.startswith(f"**Held** until the end of {UNTIL} (UTC) by owner: ")
    assert steps(world) == [("leave", "held", "left")]
    assert world.approve()[0] == 3
    code, _, err = world.merge(A, "--published")
    assert (code, err) == (3, f"{A} is not merged yet: {TOLD}\n")
    propose(world, "--lift")
    assert steps(world) == [("merge", "satisfied", "changed")]
    assert shown(world)[0] == {*LABELS, "compose::approved"}


@gating
def test_a_hold_that_comes_takes_an_approval_back(world: SyncWorld) -> None:
    assert world.approve()[0] == 0
    assert world.approvers() == ["gate-bot"]
    hold(world)
    code, out, _ = world.approve()
    assert (code, world.approvers()) == (3, [])
    assert f"→ withdraw approval of !1: it is held until {UNTIL}" in out


@gating
def test_a_hold_that_reaches_main_right_before_the_merge_still_stops_it(world: SyncWorld) -> None:
    faults, one = world.server.faults, r"/merge_requests/1$"

    def at_last() -> None:
        faults.before("GET", one, lambda: hold_on_main(world))

    # First it is judged and approved, then read closely, then once more right before anything is written.
    faults.before("POST", "/approve$", lambda: faults.before("GET", one, at_last))
    assert steps(world) == [("leave", "held", "left")]
    assert b"[[hold]]" in world.on_main("gate/holds.toml")
    assert world.states() == {"20261120.0": "opened"}
    assert not {"compose::approved", "compose::published"} & set(world.api().labels)


def hold_on_main(world: SyncWorld) -> None:
    entry = f'[[hold]]\nstream = "CentOS-Stream-10"\nreason = "{REASON}"\nissue = "https://issues.example.org/1"\n'
    text = f'schema = "holds/1"\n\n{entry}by = "owner"\nuntil = {UNTIL}\n'
    project = world.client.projects.get(world.project.id)
    values = {"file_path": "gate/holds.toml", "branch": "main", "content": text, "commit_message": "Hold it"}
    project.files.create(values)


@gating
def test_what_the_mirrors_carry_under_a_hold_of_a_gated_stream_is_told_aloud(world: SyncWorld) -> None:
    hold(world)
    world.publish(A)
    code, _, err = world.sync()
    assert (code, world.states()["20261120.0"]) == (1, "opened")
    assert f"the mirrors carry it, but CentOS-Stream-10 is gated, and it is {TOLD}" in err


@mirror
def test_nothing_held_is_promoted_and_lifting_it_makes_that_due(world: SyncWorld) -> None:
    hold(world)
    assert steps(world) == [("leave", "held", "left")]
    assert shown(world) == ({*LABELS, "hold::active"}, "pending", ["gate-bot"])
    assert not called(world)
    world.server.requests.clear()
    assert (steps(world), world.writes()) == ([("leave", "held", "left")], [])
    propose(world, "--lift")
    assert steps(world) == [("promote", "turned-satisfied", "changed")]
    assert shown(world) == (LABELS, "success", ["gate-bot"])
    assert called(world)


@mirror
def test_what_is_published_under_a_hold_is_merged_labelled_and_named(world: SyncWorld) -> None:
    hold(world)
    world.publish(A)
    assert steps(world) == [("merge", "carried", "changed")]
    assert world.states()["20261120.0"] == "merged"
    assert set(world.api().labels) == {*LABELS, "hold::active", "compose::published"}
    assert f"**Published while held** until the end of {UNTIL} (UTC)" in world.notes()[0]
    assert not called(world)


@mirror
def test_a_hold_comes_to_main_by_a_merge_request_of_one_commit(world: SyncWorld) -> None:
    out = hold(world)
    branch = f"hold/CentOS-Stream-10-{UNTIL}"
    assert out.splitlines()[:7] == [
        "→ add to gate/holds.toml:",
        "  [[hold]]",
        '  stream = "CentOS-Stream-10"',
        f'  reason = "{REASON}"',
        '  issue = "https://issues.example.org/1234"',
        '  by = "owner"',
        f"  until = {UNTIL}",
    ]
    assert f"→ open merge request 'Hold CentOS-Stream-10 until {UNTIL}' from {branch} to main" in out
    assert world.api(2).description.startswith(f"Holds `CentOS-Stream-10` until the end of {UNTIL} (UTC), by owner: ")
    assert b"[[hold]]" in world.on_main("gate/holds.toml")
    propose(world, "--lift")
    assert b"[[hold]]" not in world.on_main("gate/holds.toml")


@mirror
def test_gate_says_that_it_is_held_and_exits_3(world: SyncWorld, tmp_path: Path) -> None:
    hold(world)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", world.project.clone_url_for(world.rdo), str(clone))
    done = door.run("gate", A, "--repo", clone)
    assert (done.returncode, done.stdout.splitlines()[0].startswith("SATISFIED")) == (3, True)
    assert f"It is held until the end of {UNTIL} (UTC) by owner: {REASON}" in done.stdout
    late = (dt.datetime.now(dt.UTC) + dt.timedelta(days=4)).strftime("%Y-%m-%dT00:00:00Z")
    after = door.run("gate", A, "--repo", clone, "--now", late)
    assert (after.returncode, "held" in after.stdout, "1 hold-expired" in after.stdout) == (0, False, True)


@mirror
def test_the_commands_of_the_page_hold_and_lift(world: SyncWorld) -> None:
    page = (ROOT / "docs" / "releng.md").read_text("utf-8")
    commands = re.findall(r"^compose-repo (hold .*)$", page, re.MULTILINE)
    owner, said = world.server.create_user("owner"), []
    for number, command in enumerate(commands, start=2):
        code, out, err = world.run(owner, *shlex.split(command), *NOW)
        assert (code, err) == (0, ""), command
        world.api(number).merge()
        said.append(out.splitlines()[0])
    assert said == ["→ add to gate/holds.toml:", "→ remove from gate/holds.toml:"]


# --- without GitLab


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "gate").mkdir(parents=True)
    for name in ("policy", "origins", "waivers", "streams"):
        source = ROOT / "tests" / "examples" / "base" / "gate" / f"{name}.toml"
        (root / "gate" / f"{name}.toml").write_bytes(source.read_bytes())
    return root


NOW: Final = ("--now", "2026-11-21T12:00:00Z")
SAID: Final = (*WHY, "--by", "jdoe", "--until", "2026-12-05")
FILE: Final = """\
# Composes that must not go out for now. docs/policy.md explains every field.
schema = "holds/1"

[[hold]]
stream = "CentOS-Stream-10"
except = ["CentOS-Stream-10-20261121.0"]
reason = "The kernel of this week eats discs."
issue = "https://issues.example.org/1234"
by = "jdoe"
until = 2026-12-05
"""


def held(checkout: Path, *arguments: str) -> door.Done:
    return door.run("hold", *arguments, "--repo", checkout, *NOW)


def test_a_hold_is_written_into_the_checkout_and_lifted_again(checkout: Path) -> None:
    done = held(checkout, "CentOS-Stream-10", *SAID, "--except", "CentOS-Stream-10-20261121.0")
    file = checkout / "gate" / "holds.toml"
    assert (done.returncode, file.read_text()) == (0, FILE)
    assert done.stderr == "it counts once it is on main: commit it, and open a merge request (--open does both)\n"
    held(checkout, "CentOS-Stream-10-2026112*", "CentOS-Stream-10-20261201.0", *SAID)
    both = file.read_text()
    assert both.startswith(FILE)
    assert 'composes = ["CentOS-Stream-10-2026112*", "CentOS-Stream-10-20261201.0"]' in both
    lifted = held(checkout, "--lift", "CentOS-Stream-10-20261201.0", "CentOS-Stream-10-2026112*")
    assert (lifted.stdout.splitlines()[0], file.read_text()) == ("→ remove from gate/holds.toml:", FILE)
    assert door.run("validate", "gate", "--repo", checkout, *NOW).returncode == 0


def test_a_dry_run_writes_nothing(checkout: Path) -> None:
    done = held(checkout, "CentOS-Stream-10", *SAID, "--dry-run")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "→ add to gate/holds.toml:")
    assert not (checkout / "gate" / "holds.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("CentOS-Stream-10",), 2, "a hold needs --reason, --issue, --by, --until"),
        (("CentOS-Stream-10", *SAID[:-1], "2026-12-06"), 1, "hold-too-long"),
        (("CentOS-Stream-10", *SAID[:-1], "2026-11-20"), 1, "hold-expired"),
        (("CentOS-Stream-10", *SAID[:-1], "2026-02-30"), 2, "'2026-02-30' is not a day; write it as in 2026-12-05"),
        (("CentOS-Stream-11", *SAID), 1, "hold-matches-nothing"),
        (("CentOS-Stream-9-*", *SAID), 1, "pattern-matches-nothing"),
        (("CentOS-Stream-10", *SAID, "--by", "@jdoe"), 1, "bad-form"),
        (("CentOS-Stream-10", "CentOS-Stream-9", *SAID), 2, "CentOS-Stream-10 is a stream: hold one stream at a time"),
        (("--lift", "CentOS-Stream-10"), 2, "no hold is on CentOS-Stream-10; gate/holds.toml has none"),
        (("--lift", "CentOS-Stream-10", "--by", "x"), 2, "--lift takes an entry away"),
    ],
)
def test_what_cannot_be_held_is_said_and_nothing_is_written(
    checkout: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = held(checkout, *arguments)
    assert (done.returncode, said in done.stderr, done.stdout) == (code, True, "")
    assert not (checkout / "gate" / "holds.toml").exists()


def test_what_is_there_to_be_lifted_is_named(checkout: Path) -> None:
    (checkout / "gate" / "holds.toml").write_text(FILE)
    done = held(checkout, "--lift", "CentOS-Stream-9")
    assert "no hold is on CentOS-Stream-9; these are there: CentOS-Stream-10" in done.stderr


@pytest.mark.parametrize("arguments", [("--lift", "CentOS-Stream-10"), ("CentOS-Stream-10", *SAID)])
def test_a_file_with_problems_is_not_edited(checkout: Path, arguments: tuple[str, ...]) -> None:
    broken = FILE.replace('by = "jdoe"\n', "")
    (checkout / "gate" / "holds.toml").write_text(broken)
    done = held(checkout, *arguments)
    assert (done.returncode, "missing-field" in done.stderr) == (1, True)
    assert (checkout / "gate" / "holds.toml").read_text() == broken


def test_what_is_wrong_with_other_files_keeps_no_hold_back(checkout: Path) -> None:
    (checkout / "gate" / "policy.toml").write_text("no TOML")
    assert held(checkout, "CentOS-Stream-10", *SAID).returncode == 0


def test_a_link_in_the_place_of_the_file_is_not_followed(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (checkout / "gate" / "holds.toml").symlink_to(elsewhere)
    done = held(checkout, "CentOS-Stream-10", *SAID)
    assert (done.returncode, "is not a plain file" in done.stderr, elsewhere.exists()) == (2, True, False)


def test_on_a_terminal_what_is_missing_is_asked_for(checkout: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "compose_repo", "hold", "CentOS-Stream-10", "--repo", str(checkout), *NOW]
    variables = {**os.environ, "PYTHONPATH": str(door.SCRIPTS), "TERM": "dumb"}
    given = ["--by", "jdoe", "--except", "CentOS-Stream-10-20261121.0"]
    with subprocess.Popen(
        [*command, *given], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=variables
    ) as process:
        os.close(theirs)
        os.write(ours, f"{REASON}\nhttps://issues.example.org/1234\n2026-12-05\n".encode())
        out, _ = process.communicate(timeout=60)
        asked = os.read(ours, 65536).decode()
    os.close(ours)
    assert (process.returncode, out.decode().splitlines()[0]) == (0, "→ add to gate/holds.toml:")
    assert [word in asked for word in ("Why must it not go out?", "Where is that", "Who answers", "last day?")] == [
        True,
        True,
        False,
        True,
    ]
    assert (checkout / "gate" / "holds.toml").read_text() == FILE
