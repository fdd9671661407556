"""The strict grammar of a compose id, and what it says."""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from compose_repo.core.composes import paths
from compose_repo.core.names import NAME_LENGTH, Stream


class ComposeType(StrEnum):
    """productmd's compose types that an id can carry, by name."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    NIGHTLY = "nightly"
    TEST = "test"
    CI = "ci"


_TYPE_OF_SUFFIX: Final = {
    None: ComposeType.PRODUCTION,
    "d": ComposeType.DEVELOPMENT,
    "n": ComposeType.NIGHTLY,
    "t": ComposeType.TEST,
    "ci": ComposeType.CI,
}
_COMPOSE_ID: Final = re.compile(
    r"(?P<short>[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z][A-Za-z0-9]*)*)"
    r"-(?P<version>[0-9]+(?:\.[0-9]+)*|Rawhide|ELN|eln)"
    r"-(?P<date>[0-9]{8})"
    r"(?:\.(?P<type>[a-z]+))?"
    r"\.(?P<respin>0|[1-9][0-9]{0,5})"
)
_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Of UTF-8 and of both kinds of UTF-16."""


class ComposeIdError(ValueError):
    """A text that is not a compose id; the message says which part is wrong."""


@dataclass(frozen=True, slots=True)
class ComposeId:
    """A compose id, `<short>-<version>-<YYYYMMDD>[.<type>].<respin>`; sorts by stream, then by age.

    Within a stream the order is that of date, then respin: the order in which composes are made.
    """

    stream: Stream
    date: dt.date
    respin: int
    type: ComposeType
    text: str

    @classmethod
    def parse(cls, text: str) -> "ComposeId":
        """Read an id strictly (productmd itself lets `../../evil20240501.0x` pass).

        Raises:
            ComposeIdError: the text is not exactly a compose id.

        """
        if len(text) > NAME_LENGTH:
            raise ComposeIdError(f"a compose id has at most {NAME_LENGTH} characters, this one {len(text)}")
        match = _COMPOSE_ID.fullmatch(text)
        if match is None:
            raise ComposeIdError(f"{text!r} is not <short>-<version>-<YYYYMMDD>[.<type>].<respin>")
        if match["type"] not in _TYPE_OF_SUFFIX:
            raise ComposeIdError(f"{text!r} has the unknown type {match['type']!r}; known: d, n, t, ci")
        digits = match["date"]
        try:
            date = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError as error:
            raise ComposeIdError(f"{text!r} has no calendar date: {digits}") from error
        return cls(
            stream=Stream(f"{match['short']}-{match['version']}"),
            date=date,
            respin=int(match["respin"]),
            type=_TYPE_OF_SUFFIX[match["type"]],
            text=text,
        )

    @classmethod
    def of_file(cls, data: bytes) -> "ComposeId":
        """Read what a file COMPOSE_ID holds: an id on one line, and after it white space at most.

        This is the one rule for compose servers and mirrors. pungi ends the file without a newline; copies of it, made
        by hand or on Windows, end in one.

        Raises:
            ComposeIdError: it holds anything else.

        """
        if data.startswith(_BYTE_ORDER_MARKS):
            raise ComposeIdError("it begins with a byte order mark, which belongs to no compose id")
        try:
            text = data.rstrip().decode("ascii")
        except UnicodeDecodeError as error:
            raise ComposeIdError("it is not ASCII") from error
        lines = len(text.splitlines())
        if lines > 1:
            raise ComposeIdError(f"it has {lines} lines, and a compose id is one")
        return cls.parse(text)

    def __str__(self) -> str:
        return self.text

    def __lt__(self, other: "ComposeId") -> bool:
        # Written out: what dataclass(order=True) generates takes longer at every start than all sorting does.
        return self._age < other._age

    @property
    def _age(self) -> tuple[Stream, dt.date, int, ComposeType, str]:
        return (self.stream, self.date, self.respin, self.type, self.text)

    @property
    def short(self) -> str:
        """The release's short name, `CentOS-Stream`."""
        return self.stream.rpartition("-")[0]

    @property
    def version(self) -> str:
        """The release's version, `10`."""
        return self.stream.rpartition("-")[2]

    @property
    def branch(self) -> str:
        """The branch of its merge request."""
        return paths.branch_of(self.text)

    @property
    def folder(self) -> str:
        """Its folder in the repository, without a trailing slash."""
        return paths.folder_of(self.text)

    @property
    def manifest_path(self) -> str:
        """The path of its manifest in the repository."""
        return paths.manifest_of(self.text)

    @property
    def results_folder(self) -> str:
        """The folder of all results on it, without a trailing slash."""
        return paths.results_of(self.text)

    @property
    def readme_path(self) -> str:
        """The path of the page that tells people how to report on it."""
        return paths.readme_of(self.text)

    @classmethod
    def of_branch(cls, branch: str) -> "ComposeId":
        """Read the id in the name of a compose's branch.

        Raises:
            ComposeIdError: it is not the branch of a compose.

        """
        if not branch.startswith(paths.BRANCH_PREFIX):
            raise ComposeIdError(f"{branch!r} is not {paths.branch_of('<compose_id>')}")
        return cls.parse(branch.removeprefix(paths.BRANCH_PREFIX))
