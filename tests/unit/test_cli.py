"""How a command ends, whatever happens in it: one line, an exit code, never a traceback."""

import argparse
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

import pytest

from compose_repo.ports.environment import root_above
from compose_repo.verbs.arguments import moment
from compose_repo.verbs.parsers import VERBS, load, verb_parser

SCRIPTS: Final = Path(__file__).resolve().parents[2] / "scripts"

CODE: Final = """
import time
from types import SimpleNamespace
from compose_repo.cli import main
from compose_repo.core.problems.problem import InputError, Problem, UsageError

def problem(line):
    return Problem(path="a.json", line=line, pointer="/x", code="bad-x", message="x is 1", fix="make it 2")

def add_arguments(parser):
    parser.add_argument("what")
    parser.add_argument("--format", choices=("text", "json"), default="text")

def run(arguments, console):
    match arguments.what:
        case "repo": console.out(str(arguments.repo))
        case "trace": console.trace("git status (3 ms)")
        case "pending": return 3
        case "long": [console.out("line") for _ in range(100_000)]
        case "half": console.out("the first half"); raise UsageError("there is no second half")
        case "usage": raise UsageError("gate/policy.toml is not there")
        case "input": raise InputError(problem(7), problem(3))
        case "strange": raise InputError(Problem(path="a\\n\\x1b[2J\\udcff", code="bad-x", message="m\\x1b", fix="f"))
        case "bug": {}["key"]
        case "file": open("/nowhere/at/all")
        case "pipe": raise BrokenPipeError(32, "Broken pipe")
        case "sleep": console.info("asleep"); time.sleep(60)
        case "work":
            with console.progress("reading rpms.json") as progress:
                time.sleep(2.4)
                progress.step("writing")
                console.info("half of it")
        case "words": console.out("\\u03a9mega \\udcff"); console.error("\\u03a9mega \\udcff")
        case "paint":
            from compose_repo.ports.console import Paint
            console.out(console.paint(Paint.BAD, "blocked"))
    return 0

main(load=lambda name: SimpleNamespace(EXAMPLE=f"compose-repo {name} x", add_arguments=add_arguments, run=run))
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-c", CODE, *arguments]


def surroundings(**variables: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    return {**plain, "PYTHONPATH": str(SCRIPTS), "TERM": "xterm", **variables}


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), capture_output=True, encoding="utf-8", env=surroundings(**variables), check=False
    )


def on_terminal(arguments: Sequence[str], variables: Mapping[str, str]) -> str:
    """Give what a terminal is shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command(*arguments), stdout=theirs, stderr=theirs, env=surroundings(**variables)):
        os.close(theirs)
        shown = b""
        while chunk := read_terminal(ours):
            shown += chunk
    os.close(ours)
    return shown.decode()


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO once the other side is closed
        return b""


def test_help_lists_the_verbs_in_the_order_of_the_flow() -> None:
    shown = run("-h").stdout
    assert [line.split()[0] for line in shown.splitlines() if line.split()[:1] and line.split()[0] in VERBS] == [*VERBS]


def test_help_tells_the_exit_codes() -> None:
    assert "3  the gate is pending" in run("-h").stdout


def test_help_of_a_verb_shows_its_example() -> None:
    assert "example:\n  compose-repo gate x\n" in run("gate", "-h").stdout


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version_is_shown(option: str) -> None:
    assert re.fullmatch(r"compose-repo \d+\.\d+\.\d+\n", run(option).stdout)


def test_lines_are_as_wide_as_columns_says() -> None:
    assert max(map(len, run("gate", "-h", COLUMNS="60").stdout.partition("example:")[0].splitlines())) <= 60


@pytest.mark.parametrize("columns", ["0", "-5", "wide", "99999", "²"])
def test_columns_that_are_none_are_not_believed(columns: str) -> None:
    assert run("gate", "-h", COLUMNS=columns).stdout == run("gate", "-h", COLUMNS="80").stdout


@pytest.mark.parametrize("mark", [".git", "gate/policy.toml"])
@pytest.mark.parametrize(("below", "root"), [(".", "."), ("gate", ".."), ("composes/x/results", "../../..")])
def test_the_root_is_found_from_a_folder_below(tmp_path: Path, mark: str, below: str, root: str) -> None:
    for folder in (mark, below):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    assert root_above(tmp_path / below) == Path(root)


def test_the_nearest_root_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "copy" / "gate" / "policy.toml").mkdir(parents=True)
    assert root_above(tmp_path / "copy" / "gate") == Path("..")


def test_where_no_folder_looks_like_a_root_the_folder_itself_is_taken(tmp_path: Path) -> None:
    assert root_above(tmp_path) == Path()


def test_a_verb_works_from_a_folder_below_the_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "gate").mkdir()
    done = subprocess.run(
        command("gate", "repo"),
        cwd=tmp_path / "gate",
        capture_output=True,
        text=True,
        env=surroundings(),
        check=True,
    )
    assert done.stdout == "..\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "compose-repo: no verb was given; compose-repo -h lists them"),
        (["--repo"], "compose-repo: argument --repo: expected one argument; compose-repo -h shows how"),
        (
            ["gate"],
            "compose-repo gate: the following arguments are required: what; compose-repo gate -h shows how",
        ),
        (
            ["gate", "repo", "--colour", "no"],
            "compose-repo gate: there is no option '--colour'; did you mean '--color'? compose-repo gate -h shows how",
        ),
        (["--xyz", "gate"], "compose-repo: there is no option '--xyz'; compose-repo -h shows how"),
        (
            ["gate", "repo", "--format", "jsn"],
            (
                "compose-repo gate: argument --format: 'jsn' is not one of text, json; did you mean 'json'? "
                "compose-repo gate -h shows how"
            ),
        ),
        (
            ["gate", "repo", "--formt", "json"],
            "compose-repo gate: there is no option '--formt'; did you mean '--format'? compose-repo gate -h shows how",
        ),
        (["gate", "usage"], "compose-repo gate: gate/policy.toml is not there"),
        (["gate", "file"], "compose-repo: /nowhere/at/all: No such file or directory"),
        (["gate", "pipe"], "compose-repo: Broken pipe"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments: Sequence[str], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message + "\n")


def test_an_unknown_verb_gets_a_suggestion() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "compose_repo", "valdate"],
        capture_output=True,
        text=True,
        env=surroundings(),
        check=False,
    )
    expected = "compose-repo: there is no verb 'valdate'; did you mean 'validate'? compose-repo -h lists them\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_a_bug_is_told_in_one_line_with_its_place() -> None:
    done = run("gate", "bug")
    assert done.returncode == 2
    assert re.fullmatch(r"compose-repo: internal-error: KeyError: 'key' \(<string>:\d+\); .* --verbose\n", done.stderr)


def test_a_bug_shows_its_traceback_to_those_who_ask() -> None:
    assert "Traceback (most recent call last)" in run("--verbose", "gate", "bug").stderr


def test_problems_of_an_input_are_sorted_on_stderr() -> None:
    done = run("gate", "input")
    assert done.stderr == "a.json:3: bad-x: /x: x is 1; make it 2\na.json:7: bad-x: /x: x is 1; make it 2\n"
    assert done.returncode == 1


def test_problems_of_an_input_are_json_when_json_was_asked_for() -> None:
    done = run("gate", "input", "--format", "json")
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert (answer["schema"], [problem["line"] for problem in answer["problems"]]) == ("problems/2", [3, 7])


def test_what_was_answered_before_an_error_is_not_lost() -> None:
    done = run("gate", "half")
    assert (done.returncode, done.stdout) == (2, "the first half\n")


def test_a_verbs_own_code_is_the_exit_code() -> None:
    assert run("gate", "pending").returncode == 3


@pytest.mark.parametrize("arguments", [["--repo", "there", "gate", "repo"], ["gate", "repo", "--repo", "there"]])
def test_common_options_count_before_and_after_the_verb(arguments: Sequence[str]) -> None:
    assert run(*arguments).stdout == "there\n"


def test_requests_and_commands_are_shown_only_with_verbose() -> None:
    assert run("gate", "trace", "--verbose").stderr == "+ git status (3 ms)\n"
    assert run("gate", "trace").stderr == ""


def test_a_closed_pipe_ends_quietly() -> None:
    with subprocess.Popen(
        command("gate", "long"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize("arguments", [["gate", "long"], ["gate", "repo"], ["-h"], ["--version"]])
def test_a_full_disk_is_told(arguments: Sequence[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, env=surroundings(), check=False
        )
    expected = "compose-repo: cannot write the answer: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_ctrl_c_ends_quietly() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so on
    try:
        process = subprocess.Popen(
            command("gate", "sleep"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings()
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"asleep\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
    assert process.returncode == 130


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "LC_ALL": "C"}])
def test_every_text_can_be_written_under_every_locale(locale: Mapping[str, str]) -> None:
    done = run("gate", "words", **locale)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Ωmega \\udcff\n", "Ωmega \\udcff\n")


@pytest.mark.parametrize(
    ("arguments", "variables", "painted"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colours_on_a_terminal(arguments: Sequence[str], variables: Mapping[str, str], *, painted: bool) -> None:
    expected = "\x1b[31mblocked\x1b[0m\r\n" if painted else "blocked\r\n"
    assert on_terminal(["gate", "paint", *arguments], variables) == expected


def test_no_colours_in_a_pipe_unless_asked_for() -> None:
    assert run("gate", "paint").stdout == "blocked\n"
    assert run("gate", "paint", "--color=always").stdout == "\x1b[31mblocked\x1b[0m\n"


def test_what_takes_long_is_told_in_plain_lines_off_a_terminal() -> None:
    lines = run("gate", "work").stderr.splitlines()
    assert lines[:2] == ["reading rpms.json …", "half of it"]
    assert re.fullmatch(r"writing: 2\.\d s", lines[2])


def test_what_takes_long_spins_on_a_terminal() -> None:
    shown = on_terminal(["gate", "work"], {})
    assert "⠋ reading rpms.json (2 s)" in shown
    assert "\r\x1b[Khalf of it\r\n" in shown


def test_what_takes_long_is_told_in_plain_lines_in_ci() -> None:
    assert on_terminal(["gate", "work"], {"CI": "true"}).startswith("reading rpms.json …\r\nhalf of it\r\n")


def test_start_of_the_command_line_imports_nothing_that_only_some_verbs_need() -> None:
    code = "import sys, compose_repo.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=surroundings())
    heavy = {"gitlab", "jinja2", "jsonschema", "jsonschema_rs", "productmd", "requests", "shtab", "urllib.request"}
    heavy |= {"http.client", "random", "secrets", "urllib3"}
    assert heavy.isdisjoint(done.stdout.split())


def written_verbs() -> list[str]:
    return [name for name in VERBS if (SCRIPTS / "compose_repo" / "verbs" / f"{name}.py").is_file()]


def examples(name: str) -> list[list[str]]:
    """Give the arguments of each command line in a verb's help, without what a shell does with its output."""
    lines = [line for line in load(name).EXAMPLE.splitlines() if line.startswith("compose-repo ")]
    return [list(takewhile(lambda word: word not in {">", "|", "&&", "<"}, shell_words(line)[1:])) for line in lines]


def shell_words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)


@pytest.mark.parametrize("name", written_verbs())
def test_each_example_is_a_command_line_that_its_verb_takes(name: str) -> None:
    taken = [verb_parser(name, load(name)).parse_args(words[1:]) for words in examples(name) if words[0] == name]
    assert taken


@pytest.mark.parametrize("name", written_verbs())
def test_each_argument_of_a_verb_says_what_it_is_for(name: str) -> None:
    actions = verb_parser(name, load(name))._actions
    assert [action.dest for action in actions if not action.help] == []


@pytest.mark.parametrize("arguments", [["x", "y\n\x1b[31mz"], ["x", "--format=\x9b\nz"], ["usage", "--\u202ex"]])
def test_nothing_on_the_command_line_breaks_the_one_line_that_says_what_is_wrong(arguments: list[str]) -> None:
    done = run("gate", *arguments)
    assert done.returncode == 2
    assert done.stderr.endswith("\n")
    assert done.stderr[:-1].isprintable()


def test_a_path_of_any_bytes_is_told_in_one_line() -> None:
    assert run("gate", "strange").stderr == "a\\n\\x1b[2J\\udcff:1: bad-x: m\N{REPLACEMENT CHARACTER}; f\n"


def test_a_path_of_any_bytes_is_told_in_json_that_every_reader_reads() -> None:
    (problem,) = json.loads(run("gate", "strange", "--format", "json").stdout)["problems"]
    assert (problem["path"], problem["message"]) == ("a\\n\\x1b[2J\\udcff", "m\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    "text", ["", "x", "2026-11-20", "2026-11-20T06:32:11", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59Z"]
)
def test_a_time_that_cannot_be_reckoned_with_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a time with an offset"):
        moment(text)


def test_a_time_keeps_its_offset() -> None:
    assert moment("2026-11-20T06:32:11+01:00").isoformat() == "2026-11-20T06:32:11+01:00"
