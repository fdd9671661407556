"""Foreign texts as result files may hold them: names of tests and runs, notes."""

import hashlib
import re
from typing import Final

from compose_repo.core.names import NAME_LENGTH, RunId, Testcase

TEST_NAME_LENGTH: Final = 255
"""Most characters of a testcase or a scenario."""

_TERMINAL: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_UNSHOWN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def as_testcase(text: str) -> Testcase | None:
    """Give a foreign test's name as a testcase; None if nothing is left of it.

    White space becomes single spaces. What is no printable ASCII becomes the %-escapes of its UTF-8 bytes: `ü` is
    `%C3%BC`. A name of more than 255 characters keeps its beginning, and ends in `~` and twelve hex digits of the
    SHA-256 of the whole. The same name always becomes the same testcase, which a policy can name.
    """
    name = "".join(map(_escaped, " ".join(text.split())))
    if len(name) > TEST_NAME_LENGTH:
        digest = hashlib.sha256(name.encode("ascii")).hexdigest()[:12]
        name = f"{name[: TEST_NAME_LENGTH - 1 - len(digest)]}~{digest}"
    return Testcase(name) if name else None


def _escaped(character: str) -> str:
    if " " <= character <= "~":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode())


def run_id(name: str, *parts: str) -> RunId:
    """Give the id of a run that a foreign name and some safe parts name: `compose-test-8841`.

    Where the name is not safe in a path, or too long, the rest of it is followed by eight hex digits of its SHA-256,
    so that no two names become one.
    """
    suffix = "".join(f"-{part}" for part in parts)
    safe = _UNSAFE.sub("-", name.replace("/", ".")).lstrip("._-")
    most = NAME_LENGTH - len(suffix)
    if safe != name or len(safe) > most:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        safe = f"{safe[: most - 1 - len(digest)]}-{digest}".lstrip("-")
    return RunId(f"{safe}{suffix}")


def note(text: str | None, most: int) -> str | None:
    """Give a foreign text as a note of at most so many characters; None if nothing of it can be shown.

    Colours of a terminal, control characters and what changes the direction of writing are taken out.
    """
    lines = _TERMINAL.sub("", text or "").replace("\r\n", "\n").replace("\r", "\n")
    shown = _UNSHOWN.sub("", lines).strip()
    cut = shown if len(shown) <= most else f"{shown[: max(0, most - 1)]}…"
    return cut if shown and most else None
