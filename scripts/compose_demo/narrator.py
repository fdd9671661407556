"""Tells the demo's story as it happens, in plain words, and stops it at the first thing that is not as told."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from compose_demo.actors import Ran
from compose_repo.ports.console import Console


class DemoError(Exception):
    """Something in the demo did not come out as its story says; the message tells what was seen instead."""


class Narrator:
    """Writes the story; knows how long each scene took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = self._console.clock.monotonic()
        self._scenes = 0

    @contextmanager
    def scene(self, title: str) -> Iterator[None]:
        """Tell a scene: its number and title, what is said within, and its time at the end."""
        self._scenes += 1
        begun = self._console.clock.monotonic()
        self._console.out(f"\n{self._scenes}. {title}")
        yield
        self._console.out(f"   done in {self._console.clock.monotonic() - begun:.1f} s")

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Show that something is being done that says nothing itself, once it takes longer than two seconds."""
        return self._console.progress(text)

    def say(self, text: str) -> None:
        """Tell one thing that happened; each line of it is indented."""
        for line in text.splitlines() or [""]:
            self._console.out(f"   {line}".rstrip())

    def ran(self, who: str, done: Ran, *, lines: int = 12) -> Ran:
        """Show a command, who ran it, and the first lines of its answer."""
        self.say(f"{who} $ {' '.join(done.argv)}")
        answer = done.out.rstrip().splitlines()
        for line in answer[:lines]:
            self.say(f"    {line}")
        if len(answer) > lines:
            self.say(f"    … {len(answer) - lines} more lines")
        return done

    def expect(self, came_true: bool, told: str, seen: object = "", *, quietly: bool = False) -> None:  # noqa: FBT001  # reads as a sentence
        """Go on only if what the story says came true.

        Raises:
            DemoError: it did not.

        """
        if not came_true:
            raise DemoError(f"{told}: not so{f'; seen: {seen}' if seen != '' else ''}")
        if not quietly:
            self.say(f"✓ {told}")

    def expect_code(self, done: Ran, code: int, told: str, *, quietly: bool = False) -> None:
        """Go on only if a command ended with the exit code that the story says."""
        if done.code != code:
            raise DemoError(
                f"{told}: `{' '.join(done.argv)}` ended with exit code {done.code}, not {code}:\n{done.out}{done.err}"
            )
        if not quietly:
            self.say(f"✓ {told}" + (f" (exit code {code})" if code else ""))

    @property
    def seconds(self) -> float:
        """How long the story has taken so far."""
        return self._console.clock.monotonic() - self._begun
