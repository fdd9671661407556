"""The door to the terminal: what somebody has forgotten to escape steers nothing."""

import sys

import pytest

from compose_repo.ports.console import Color, Console, Paint, Progress

HOSTILE = "a\x1b[2J\x9b31m\r\u202eb"
HARMLESS = r"a\x1b[2J\x9b31m\r\u202eb"


def test_the_answer_has_no_character_that_steers(capsys: pytest.CaptureFixture[str]) -> None:
    Console().out(f"{HOSTILE}\nnext")
    assert capsys.readouterr().out == f"{HARMLESS}\nnext\n"


def test_our_own_colours_pass(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(color=Color.ALWAYS)
    console.out(" ".join(console.paint(paint, "x") for paint in Paint))
    assert capsys.readouterr().out == " ".join(f"\x1b[{paint}mx\x1b[0m" for paint in Paint) + "\n"


def test_nor_has_what_is_said_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(verbose=True)
    console.info(HOSTILE)
    console.error(HOSTILE)
    assert capsys.readouterr().err == f"{HARMLESS}\n" * 2


def test_a_traced_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Console(verbose=True).trace("git log a\nb\x1b")
    assert capsys.readouterr().err == "+ git log a b\N{REPLACEMENT CHARACTER}\n"


@pytest.mark.parametrize("lively", [True, False])
def test_nor_has_what_is_being_done(capsys: pytest.CaptureFixture[str], lively: bool) -> None:  # noqa: FBT001  # a case
    progress = Progress(sys.stderr, "reading a\x1b[2J\nb", lively=lively)
    progress.tick("*")
    progress.close()
    said = capsys.readouterr().err.replace("\r\x1b[K", "")
    assert said.replace("\n", "").isprintable()
    assert "reading a\N{REPLACEMENT CHARACTER}[2J b" in said
