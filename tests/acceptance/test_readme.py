"""The commands of README and docs, run as they stand there, against a local GitLab and a compose server."""

import hashlib
import json
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from compose_demo import gate_files
from compose_demo.actors import Actor
from compose_demo.stage import Stage, stage
from compose_repo.core.composes.compose_id import ComposeId
from sample_composes.sample import SampleSpec
from samples import write_sample

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *(page for page in ROOT.glob("*.md") if page.name != "INSTANCE.md"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "composes" / "README.md",
    )
}
BLOCKS: Final = {
    page: re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for page, text in PAGES.items()
}
ENTER: Final = "\n\n"
"""What people answer to a program that asks for a passphrase: nothing, twice."""
OLDER, NEWER = "CentOS-Stream-10-20261119.0", "CentOS-Stream-10-20261120.0"
POLICY: Final = """\
schema = "policy/1"

[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
arches = ["x86_64"]
why = "OpenStack starts guests."
"""
PACKAGING: Final = "tests/acceptance/test_packaging.py"
BENCH: Final = "tests/benchmarks/run.py"
LISTENS: Final = "tests/acceptance/test_listen.py"
HOLDS: Final = "tests/acceptance/test_hold.py"
HOLD: Final = (
    'compose-repo hold CentOS-Stream-10 --reason "The kernel of this week eats discs." '
    "--issue https://issues.example.org/1234 --until 2026-12-05 --except CentOS-Stream-10-20261121.0 --open"
)
ELSEWHERE: Final = {
    "make demo": "tests/acceptance/test_demo.py",
    "make demo DEMO_ARGS=--keep": "tests/acceptance/test_demo.py",
    "compose-repo demo SOURCE": "tests/acceptance/test_demo.py",
    "make test": "tests/acceptance/test_readme.py",
    "make check": "tests/acceptance/test_readme.py",
    "make lint": ".gitlab-ci.yml",
    "make bench": BENCH,
    'make bench BENCH_ARGS="passes message"': BENCH,
    'make bench BENCH_ARGS="gate line"': BENCH,
    "pipx install git+https://gitlab.com/CentOS/compose-repo.git": PACKAGING,
    "pipx install 'compose-repo[bus] @ git+https://gitlab.com/CentOS/compose-repo.git'": PACKAGING,
    HOLD: HOLDS,
    "compose-repo hold --lift CentOS-Stream-10 --open": HOLDS,
    "compose-repo listen --config FILE": LISTENS,
    "fedora-messaging --conf FILE consume --callback compose_repo.passes.listening:Listener": LISTENS,
}
"""Commands that are not run here, and what runs them or says what they do; a page shows them in a block of `sh`."""


RUN: Final = {"docs/join.md", "docs/releng.md", "docs/operations.md", "docs/commands.md"}
"""The pages whose `console` blocks the tests below run, each to its last line."""
RUN_BY_OTHERS: Final = {"docs/releasing.md": "tests/acceptance/test_instance.py"}
"""Other pages, and what runs their blocks."""

BUILD: Final = {
    "fullDisplayName": "compose-test #8842",
    "number": 8842,
    "id": "8842",
    "building": False,
    "result": "SUCCESS",
    "duration": 8531250,
    "timestamp": 1795147800000,
    "url": "https://ci.example.org/job/compose-test/8842/",
}
TESTS: Final = {
    "passCount": 1,
    "failCount": 0,
    "skipCount": 0,
    "suites": [
        {"name": "guest", "cases": [{"className": "guest", "name": "boots", "status": "PASSED", "duration": 1}]}
    ],
}
"""What a Jenkins answers of a build, as far as `convert` reads it."""


def commands(page: str) -> list[list[str]]:
    """Give the commands of each `console` block of a page."""
    return [
        [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
        for kind, text in BLOCKS[page]
        if kind == "console"
    ]


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two composes with open merge requests, in a project with a policy that the page's result satisfies."""
    folder = tmp_path_factory.mktemp("readme")
    with stage(folder, repository=ROOT, ci=None, port=0) as playing:
        older = SampleSpec.create(OLDER, srpms=12)
        for spec in (older, older.evolve(NEWER)):
            write_sample(playing.server.composes, spec)
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
    """Make an editor that writes the page's own example, with the digest filled in."""
    example = json.loads(next(text for kind, text in BLOCKS["docs/join.md"] if kind == "json"))
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
        timeout=240,
        input=ENTER,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_command_is_run_or_says_where() -> None:
    lines = [line for blocks in BLOCKS.values() for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    assert {line.partition("  #")[0].strip() for line in lines} == set(ELSEWHERE)
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()] == []


def test_each_line_of_a_console_is_a_command_that_is_run() -> None:
    consoles = {page: [text for kind, text in blocks if kind == "console"] for page, blocks in BLOCKS.items()}
    assert {page for page, texts in consoles.items() if texts} == RUN | RUN_BY_OTHERS.keys()
    assert [path for path in RUN_BY_OTHERS.values() if not (ROOT / path).is_file()] == []
    shown = [line for texts in consoles.values() for text in texts for line in text.splitlines()]
    assert [line for line in shown if not line.startswith("$ ")] == []


def test_no_page_shows_a_command_in_another_block() -> None:
    kinds = {kind for blocks in BLOCKS.values() for kind, _ in blocks}
    assert kinds == {"sh", "console", "text", "json", "toml", "ini"}


def _report(playing: Stage, folder: Path) -> None:
    report, convert, key, sign = commands("docs/join.md")
    assert playing.rdo.git("fetch", "--quiet", "origin").code == 0
    assert "no problem" in _run(playing.rdo, report, playing, editor=str(_editor(playing, folder)))

    clone = replace(playing.rdo, folder=playing.rdo.folder / "compose")
    (clone.folder / "build.json").write_text(json.dumps(BUILD), encoding="utf-8")
    (clone.folder / "testReport.json").write_text(json.dumps(TESTS), encoding="utf-8")
    made = json.loads(_run(clone, convert, playing))
    assert [(row["testcase"], row["outcome"], row["arch"]) for row in made["results"]] == [
        ("compose-test", "passed", "x86_64"),
        ("guest.boots", "passed", "x86_64"),
    ]

    (clone.folder / ".ssh").mkdir()
    _run(clone, key, playing)
    _run(clone, sign, playing)
    signed = clone.git("commit", "--quiet", "--allow-empty", "-m", "rdo 8842")
    assert signed.code == 0, signed.err
    assert "-----BEGIN SSH SIGNATURE-----" in clone.git("cat-file", "commit", "HEAD").out


def _decide(playing: Stage) -> None:
    read, tried = commands("docs/releng.md")
    decided = _run(playing.releng, read, playing)
    assert "SATISFIED" in decided
    assert OLDER in decided
    assert "SATISFIED" in _run(playing.releng, tried, playing)


def _operate(playing: Stage) -> None:
    set_up, passed, opened, judged, tags = commands("docs/operations.md")
    *both, doctor = set_up
    found = _run(playing.releng, [*both, f"{doctor} || test $? = 1"], playing)  # it has not begun to run
    assert " 0 unsafe" in found
    assert found.endswith("the project does not run\n")

    assert "nothing" in _run(playing.compose_bot, opened, playing)

    playing.server.publish(NEWER)
    merged = _run(playing.gate_bot, judged, playing)
    assert "approve !2" in merged
    assert "merge !2" in merged

    assert f"the mirrors carry {NEWER}" in _run(playing.scheduled, passed, playing)
    report = json.loads((playing.scheduled.folder / "sync.json").read_text(encoding="utf-8"))
    assert report["problems"] == []

    assert _run(playing.releng, tags, playing) == ""


def test_commands_do_what_the_pages_say(playing: Stage, tmp_path: Path) -> None:
    _report(playing, tmp_path)
    _decide(playing)
    _operate(playing)

    [helped] = commands("docs/commands.md")
    assert "usage: compose-repo validate" in _run(playing.rdo, helped, playing)


@pytest.mark.smoke
def test_make_knows_the_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = {command.split()[1] for command in ELSEWHERE if command.startswith("make ")} | {"screenshot"}
    listed = re.findall(r"`make (\w+)", PAGES["CONTRIBUTING.md"])
    missing = {name for name in {*shown, *listed} if not re.search(rf"^{name}:", makefile, re.MULTILINE)}
    assert missing <= {"check"}  # `check` comes with the parting of the tests; then this is == set()


def test_the_demo_has_the_options_that_its_page_shows() -> None:
    command = [sys.executable, "-m", "compose_repo", "demo", "-h"]
    shown = subprocess.run(command, cwd=ROOT / "scripts", capture_output=True, text=True, check=True).stdout
    assert ("--keep" in shown, "[SOURCE]" in shown) == (True, True)


def test_the_bus_is_an_extra_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert any(name.startswith("fedora-messaging") for name in project["optional-dependencies"]["bus"])


def test_the_benchmarks_know_the_groups() -> None:
    groups = {group for command in ELSEWHERE for group in re.findall(r'BENCH_ARGS="(.*)"', command)}
    known = (ROOT / BENCH).read_text(encoding="utf-8")
    assert [name for group in groups for name in group.split() if f'"{name}": ' not in known] == []


def test_ci_runs_the_commands_that_people_run() -> None:
    ci = (ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8")
    assert all(f".ci/run {command}" in ci for command in ("test", "lint"))
    assert 'make "$target"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
