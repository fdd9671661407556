"""A compose as its server shows it, and the strict grammar of its id."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from compose_repo.core.names import NAME_LENGTH, Arch, Sha256, Stream, Variant


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


class ComposeIdError(ValueError):
    """A text that is no compose id; the message says which part is wrong."""


@dataclass(frozen=True, slots=True, order=True)
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

    def __str__(self) -> str:
        return self.text

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
        return f"compose/{self.text}"

    @property
    def folder(self) -> str:
        """Its folder in the repository, without a trailing slash."""
        return f"composes/{self.text}"


class Status(StrEnum):
    """What pungi writes into STATUS."""

    STARTED = "STARTED"
    FINISHED = "FINISHED"
    FINISHED_INCOMPLETE = "FINISHED_INCOMPLETE"
    DOOMED = "DOOMED"
    TERMINATED = "TERMINATED"


FINISHED: Final = frozenset({Status.FINISHED, Status.FINISHED_INCOMPLETE})
"""The statuses of a compose that can be tested; the incomplete one is real and may be shipped."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Image:
    """An image of a compose; `size` in bytes, `path` relative to the compose's `compose/` folder."""

    variant: Variant
    arch: Arch
    path: str
    type: str
    format: str
    subvariant: str
    size: int
    sha256: Sha256 | None

    def to_dict(self) -> dict[str, Any]:
        """Give the image's JSON value; its keys are the fields."""
        return {name: getattr(self, name) for name in self.__slots__}


RowTable = Mapping[str, Mapping[str, Any]]
"""What one SRPM has on one tree: RPM NEVRA → {category, path, sigkey}."""
SrpmTable = Mapping[str, RowTable]
"""One tree of rpms.json: SRPM NEVRA → its rows."""
RpmTable = Mapping[str, Mapping[str, SrpmTable]]
"""All of rpms.json: variant → arch → tree."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compose:
    """A finished compose, read whole: its identity and everything that a manifest is made from.

    `location` is the URL of its root (the folder that holds COMPOSE_ID), without a trailing slash. `rpms` is
    productmd's own table: at full size it has 65,000 rows, so it is handed on as it was parsed. `metadata` holds the
    digest of each metadata file that was read, and None for one that the server does not have.
    """

    id: ComposeId
    status: Status
    label: str | None
    release_name: str | None
    location: str
    variants: Mapping[Variant, tuple[Arch, ...]]
    metadata: Mapping[str, Sha256 | None]
    images: tuple[Image, ...]
    rpms: RpmTable
