"""README's commands, run as they stand there, against a local GitLab and a compose server."""

import hashlib
import json
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compose_demo import gate_files
from compose_demo.actors import Actor
from compose_demo.stage import Stage, stage
from compose_repo.core.composes.compose_id import ComposeId
from sample_composes.sample import SampleSpec, write_compose

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
OLDER, NEWER = "CentOS-Stream-10-20261119.0", "CentOS-Stream-10-20261120.0"
POLICY: Final = """\
schema = "policy/1"

[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
arches = ["x86_64"]
why = "OpenStack starts guests."
"""
ELSEWHERE: Final = {
    "make demo": "tests/acceptance/test_demo.py plays it",
    "make test": "runs this very test",
    "pipx install git+https://gitlab.com/CentOS/compose-repo.git": "test_packaging.py installs the package",
}
"""Commands of README that are not run here, and why."""


def commands() -> list[list[str]]:
    """Give the commands of each `console` block."""
    return [
        [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
        for kind, text in BLOCKS
        if kind == "console"
    ]


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two composes with open merge requests, in a project with a policy that README's result satisfies."""
    folder = tmp_path_factory.mktemp("readme")
    with stage(folder, repository=ROOT, ci=None, port=0) as playing:
        older = SampleSpec.create(OLDER, srpms=12)
        for spec in (older, older.evolve(NEWER)):
            write_compose(playing.server.composes, spec)
        _set_rules(playing)
        for compose_id in (OLDER, NEWER):
            opened = playing.compose_bot.compose_repo("open", f"{playing.server.url}/production/{compose_id}")
            assert opened.code == 0, opened.err
        yield playing


def _set_rules(playing: Stage) -> None:
    gate = playing.releng.folder / "gate"
    stream = ComposeId.parse(NEWER).stream
    for name, text in {
        "origins": gate_files.ORIGINS,
        "policy": POLICY,
        "waivers": gate_files.NO_WAIVERS,
        "streams": gate_files.streams(stream, playing.server.url),
    }.items():
        (gate / f"{name}.toml").write_text(text, encoding="utf-8")
    for argv in (
        ["add", "--all"],
        ["commit", "--quiet", "-m", "Set the rules"],
        ["push", "--quiet", "origin", "HEAD:main"],
    ):
        done = playing.releng.git(*argv)
        assert done.code == 0, done.err


def _editor(playing: Stage, folder: Path) -> Path:
    """Make an editor that writes README's own example, with the digest filled in."""
    example = json.loads(next(text for kind, text in BLOCKS if kind == "json"))
    manifest = playing.rdo.git("show", f"origin/compose/{NEWER}:composes/{NEWER}/manifest.json")
    example["manifest_sha256"] = hashlib.sha256(manifest.out.encode()).hexdigest()
    (folder / "example.json").write_text(json.dumps(example), encoding="utf-8")
    editor = folder / "editor"
    editor.write_text(f'#!/bin/sh\ncp {shlex.quote(str(folder / "example.json"))} "$1"\n', encoding="utf-8")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    return editor


def _run(actor: Actor, block: list[str], playing: Stage, *, editor: str = "false") -> str:
    """Run a block in one shell that stops at the first failure; the addresses lead to the servers of the test."""
    script = "\n".join(["set -eux", *block])
    script = script.replace("https://composes.stream.centos.org/stream-10", playing.server.url)
    script = script.replace("https://gitlab.com/CentOS/compose-repo.git", playing.repository)
    environment = actor.environment()
    environment |= {"EDITOR": editor, "PATH": f"{sys.prefix}/bin:{environment['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=actor.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_command_is_run_or_says_why_not() -> None:
    plain = [line.partition("  #")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
    assert set(plain) == set(ELSEWHERE)


def test_commands_do_what_readme_says(playing: Stage, tmp_path: Path) -> None:
    report, read, set_up, opened, judged = commands()
    assert playing.rdo.git("fetch", "--quiet", "origin").code == 0
    assert "no problem" in _run(playing.rdo, report, playing, editor=str(_editor(playing, tmp_path)))

    decided = _run(playing.releng, read, playing)
    assert "SATISFIED" in decided
    assert OLDER in decided

    assert " 0 unsafe" in _run(playing.releng, set_up, playing)

    assert "nothing" in _run(playing.compose_bot, opened, playing)

    playing.server.publish(NEWER)
    merged = _run(playing.gate_bot, judged, playing)
    assert "approve !2" in merged
    assert "merge !2" in merged


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_make_knows_the_two_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(
        re.search(rf"^{command}:", makefile, re.MULTILINE) for command in ("demo", "test", "bench", "screenshot")
    )


def test_ci_runs_the_commands_that_people_run() -> None:
    ci = (ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8")
    assert all(f".ci/run {command}" in ci for command in ("test", "lint"))
    assert 'make "$target"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
