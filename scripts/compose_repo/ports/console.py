"""What a person at a terminal sees: the answer on stdout, everything else on stderr."""

import atexit
import io
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from compose_repo.core.escape import terminal, terminal_lines
from compose_repo.ports.clock import REAL, Clock
from compose_repo.ports.environment import columns, wants_plain_output

if TYPE_CHECKING:
    import threading

QUIET_FOR: Final = 2.0
"""Seconds that something may take before anything is said of it."""
FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAME_SECONDS: Final = 0.12
_CLEAR_LINE: Final = "\r\x1b[K"


class Color(StrEnum):
    """When colours are used; AUTO: on a terminal, unless NO_COLOR is set or TERM is dumb."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Paint(StrEnum):
    """What a colour means here; the values are those of ECMA-48's SGR."""

    GOOD = "32"
    BAD = "31"
    WAITING = "33"
    STRONG = "1"
    FAINT = "2"


class OutputClosedError(Exception):
    """Who reads our stdout has gone away: `| head`."""


class OutputError(Exception):
    """The answer could not be written; the message says why."""


class Progress:
    """Says what is being done, once it takes longer than two seconds: a spinner on a terminal, else a plain line."""

    def __init__(self, stream: TextIO | None, text: str, *, lively: bool, clock: Clock = REAL) -> None:
        self.text = text
        self._clock = clock
        self._stream = stream
        self._lively = lively
        self._started = self._clock.monotonic()
        self._announced = False

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._clock.monotonic() - self._started

    def step(self, text: str) -> None:
        """Say what comes now; cheap enough to be called in a loop."""
        self.text = text

    def tick(self, frame: str) -> None:
        """Show it for one moment."""
        if self._lively:
            self._write(
                f"{_CLEAR_LINE}{frame} {terminal(self.text)} ({self.seconds:.0f} s)"[: width() + len(_CLEAR_LINE) - 1]
            )
        elif not self._announced:
            self._write(f"{terminal(self.text)} …\n")
        self._announced = True

    def clear(self) -> None:
        """Take the spinner off the terminal, so that a line can be written."""
        if self._lively and self._announced:
            self._write(_CLEAR_LINE)

    def close(self) -> None:
        """Leave behind how long it took, if anything was said at all."""
        self.clear()
        if self._announced:
            self._write(f"{terminal(self.text)}: {self.seconds:.1f} s\n")

    def _write(self, text: str) -> None:
        _write_aside(self._stream, text)


class Console:
    """Where verbs write. `out` is the answer itself; `info`, `error` and `trace` never mix into it.

    `clock` is the one clock that everything goes by that a verb does.
    """

    def __init__(self, *, verbose: bool = False, color: Color = Color.AUTO, clock: Clock = REAL) -> None:
        self.clock = clock
        self._verbose = verbose
        self._color = color is Color.ALWAYS or (
            color is Color.AUTO and _is_terminal(sys.stdout) and not wants_plain_output()
        )
        self._lively = _is_terminal(sys.stderr) and not wants_plain_output() and not verbose
        self._progress: Progress | None = None

    def out(self, text: str) -> None:
        """Write a piece of the answer to stdout, with a newline.

        Raises:
            OutputClosedError: nobody reads it any more.
            OutputError: it cannot be written.

        """
        with writing_the_answer() as stdout:
            stdout.write(terminal_lines(text) + "\n")

    def info(self, text: str) -> None:
        """Tell what is going on, on stderr."""
        self._aside(text)

    def error(self, text: str) -> None:
        """Say what went wrong, on stderr."""
        self._aside(text)

    def ask(self, question: str) -> str | None:
        """Ask whoever sits at the terminal, and give the answer; None where nobody does, or they end the input."""
        if not (_is_terminal(sys.stdin) and _is_terminal(sys.stderr)):
            return None
        _write_aside(sys.stderr, terminal(question))
        answer = sys.stdin.readline()
        return answer.strip() if answer else None

    def trace(self, text: str) -> None:
        """Tell of one request or git command; shown with --verbose only."""
        if self._verbose:
            self._aside(f"+ {terminal(text)}")

    def paint(self, paint: Paint, text: str) -> str:
        """Colour a piece of the answer, where colours are wanted."""
        return f"\x1b[{paint}m{text}\x1b[0m" if self._color else text

    def progress(self, text: str) -> AbstractContextManager[Progress]:
        """Tell of something that may take longer than two seconds; `with console.progress("reading rpms.json"):`."""
        return self._tell(Progress(sys.stderr, text, lively=self._lively, clock=self.clock))

    @contextmanager
    def _tell(self, progress: Progress) -> Iterator[Progress]:
        import threading  # noqa: PLC0415  # only what takes long needs it

        done = threading.Event()
        teller = threading.Thread(target=_tick, args=(progress, done), daemon=True)
        self._progress = progress
        teller.start()
        try:
            yield progress
        finally:
            done.set()
            teller.join()
            self._progress = None
            progress.close()

    def _aside(self, text: str) -> None:
        if self._progress is not None:
            self._progress.clear()
        _write_aside(sys.stderr, terminal_lines(text) + "\n")


def _tick(progress: Progress, done: "threading.Event") -> None:
    if done.wait(QUIET_FOR):
        return
    for number in range(sys.maxsize):
        progress.tick(FRAMES[number % len(FRAMES)])
        if done.wait(FRAME_SECONDS):
            return


@contextmanager
def writing_the_answer() -> Iterator[TextIO]:
    """Give stdout; what goes wrong with it, and only that, is told apart from every other broken pipe.

    Raises:
        OutputClosedError: nobody reads it any more.
        OutputError: it cannot be written.

    """
    if sys.stdout is None:
        raise OutputError("cannot write the answer: standard output is closed")
    try:
        yield sys.stdout
    except BrokenPipeError as error:
        raise OutputClosedError from error
    except OSError as error:
        raise OutputError(f"cannot write the answer: {error.strerror}") from error


def flush_the_answer() -> None:
    """Write what is still in stdout's buffer.

    Raises:
        OutputClosedError: nobody reads it any more.
        OutputError: it cannot be written.

    """
    if sys.stdout is not None:
        with writing_the_answer() as stdout:
            stdout.flush()


def use_any_locale() -> None:
    """Let every text be written under every locale: UTF-8 into files and pipes, a terminal gets what it can show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def abandon_output() -> None:
    """Send what is left in stdout's buffer nowhere, so that the interpreter does not complain about it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def leave(code: int) -> NoReturn:
    """End the process at once: what is registered for its end is done, but memory is left for the system to free.

    Python would take each object apart one by one, which is a good part of a short command's time.
    """
    atexit._run_exitfuncs()  # noqa: SLF001  # temporary folders, coverage; there is no public name for it
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):  # it may be gone, or never have been there
            stream.flush()
    os._exit(code)


def _write_aside(stream: TextIO | None, text: str) -> None:
    """Write to stderr; when that is gone there is nobody left to tell."""
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        return


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def width() -> int:
    """Give the columns that COLUMNS says, or those of the terminal that stderr is, or 80."""
    if wanted := columns():
        return wanted
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80
