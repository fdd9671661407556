"""What is wrong with an input: where, what, and how to fix it, under a stable code."""

from typing import Final

from compose_repo.core.problems.codes import Code
from compose_repo.core.value import Value

SCHEMA: Final = "problems/2"

_SHOWN: Final = 80
_STEP: Final = 200


class Problem(Value, frozen=True, kw_only=True):
    """One thing that is wrong in one place of one file; sorts by place, so a list of them reads top to bottom.

    `path` is relative to the repository root, `pointer` a JSON pointer (RFC 6901; empty for the whole document),
    `line` counts from 1 (1 where no better line is known).
    """

    code: Code
    path: str
    pointer: str = ""
    line: int = 1
    message: str
    fix: str

    def __lt__(self, other: "Problem") -> bool:
        # Written out: what dataclass(order=True) generates takes longer at every start than all sorting does.
        return self._place < other._place

    @property
    def _place(self) -> tuple[str, int, str, str, str, str]:
        return (self.path, self.line, self.pointer, self.code, self.message, self.fix)


class InputError(Exception):
    """An input that stops the work at once; carries every problem that was found before it stopped."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message} ({problem.code})" for problem in problems))
        self.problems = problems


class UnansweredError(InputError):
    """A server that gives no answer now, after as many tries as it was given: that says nothing of the input."""


class UsageError(Exception):
    """A command line or a configuration that cannot be followed; its message is the one line that says why."""


def escape(key: str | int) -> str:
    """Write one step of a JSON pointer (RFC 6901); a key of absurd length is cut, or pointers would fill the memory."""
    text = str(key)
    text = text if len(text) <= _STEP else f"{text[:_STEP]}…"
    return text.replace("~", "~0").replace("/", "~1")


def shown(value: object) -> str:
    """Show a value in a message: as JSON, on one line, in ASCII, not too long."""
    import json  # noqa: PLC0415  # only what is wrong is shown

    text = ""
    for part in json.JSONEncoder().iterencode(value):  # no more of it than is shown: a list may be a whole file
        text += part
        if len(text) > _SHOWN:
            return f"{text[:_SHOWN]}…"
    return text
