"""The template that a project was made from: its versions, and what an instance knows of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from compose_repo.core.links import SCHEMES
from compose_repo.core.problems.problem import UsageError

PROJECT_FILE: Final = "pyproject.toml"
"""The file on the default branch that has the version."""
TAGS: Final = "refs/tags/v"
"""How the ref of each release begins; other refs may begin so, too."""
NOT_ASKED: Final = "it is not known where the template is; --template URL says so"

_NAME: Final = "compose-repo"
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")
_LONGEST: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Version:
    """The number of a release; a later release is greater."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version | None":
        """Read `0.2.0`; None for every other form, pre-releases among them."""
        match = _VERSION.fullmatch(text)
        return None if match is None else cls(major=int(match[1]), minor=int(match[2]), patch=int(match[3]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class Template(Struct, frozen=True, kw_only=True):
    """What is known of the template.

    `version` is the one on the default branch, None if the branch has none; `program` is the one that is running, None
    if it is not installed. `newest` is the template's newest release, None if it is not known: `unknown` says why.
    """

    version: str | None
    program: str | None
    newest: Version | None = None
    unknown: str = NOT_ASKED

    @property
    def is_behind(self) -> bool | None:
        """Whether the template has a newer version than the default branch; None if one of the two is not known."""
        here = None if self.version is None else Version.parse(self.version)
        return None if here is None or self.newest is None else here < self.newest

    @property
    def sentence(self) -> str:
        """The versions, for people."""
        here = "the default branch has no version of it" if self.version is None else f"version {self.version}"
        program = "" if self.program in {None, self.version} else f"; this program is version {self.program}"
        newest = "" if self.newest is None else f"; the newest is {self.newest}"
        return f"template: {here}{program}{newest}"

    @property
    def warning(self) -> str | None:
        """Why the newest release is not known although it was asked for, if so."""
        return None if self.newest is not None or self.unknown == NOT_ASKED else self.unknown

    def to_dict(self) -> dict[str, Any]:
        """Give the field `template` of doctor's answer."""
        return {
            "version": self.version,
            "program": self.program,
            "newest": None if self.newest is None else str(self.newest),
            "behind": self.is_behind,
            "unknown": None if self.newest is not None else self.unknown,
        }


def newest_of(refs: Iterable[str]) -> Version | None:
    """Give the newest release among refs; those that are not `refs/tags/vX.Y.Z` are nothing to us."""
    versions = (Version.parse(ref.removeprefix(TAGS)) for ref in refs if ref.startswith(TAGS))
    return max((version for version in versions if version is not None), default=None)


def version_in(project_file: bytes | None) -> str | None:
    """Read the version from a `pyproject.toml`; None if the file is not the template's, or cannot be read."""
    import tomllib  # noqa: PLC0415  # only doctor needs it, and it costs start-up time

    try:
        project = tomllib.loads((project_file or b"").decode("utf-8")).get("project")
    except (ValueError, RecursionError):
        return None
    if not isinstance(project, dict) or project.get("name") != _NAME:
        return None
    version = project.get("version")
    return version[:_LONGEST] if isinstance(version, str) else None


def require_no_secret(address: str) -> None:
    """Refuse an address with a password or a token in it: it would be shown.

    Raises:
        UsageError: it has one, or it cannot be read.

    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise UsageError("the template's address is not a valid URL; give a git URL or a path") from error
    if parts.password is not None or (parts.scheme in SCHEMES and "@" in parts.netloc):
        raise UsageError("the template's address has a user name or a password in it; leave it out: it would be shown")
