"""A compose as its server shows it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError, ComposeType
from compose_repo.core.names import Arch, Sha256, Variant, is_line
from compose_repo.core.value import Value

__all__ = ["FINISHED", "Compose", "ComposeId", "ComposeIdError", "ComposeType", "Image", "Status"]


class Status(StrEnum):
    """What pungi writes into STATUS."""

    STARTED = "STARTED"
    FINISHED = "FINISHED"
    FINISHED_INCOMPLETE = "FINISHED_INCOMPLETE"
    DOOMED = "DOOMED"
    TERMINATED = "TERMINATED"


FINISHED: Final = frozenset({Status.FINISHED, Status.FINISHED_INCOMPLETE})
"""The statuses of a compose that can be tested; the incomplete one is real and may be shipped."""


LABEL_LENGTH: Final = 128
RELEASE_NAME_LENGTH: Final = 256
WORD_LENGTH: Final = 128
"""Most characters of an image's type, format or subvariant."""
PATH_LENGTH: Final = 1024


def is_image_path(text: str) -> bool:
    """Tell whether a text is a path below a compose's `compose/` folder: relative, on one line, and never upwards."""
    return is_line(text, PATH_LENGTH) and not {"", ".", ".."} & set(text.split("/"))


class Image(Value, frozen=True, kw_only=True):
    """An image of a compose; `size` in bytes, `path` relative to the compose's `compose/` folder."""

    variant: Variant
    arch: Arch
    path: str
    type: str
    format: str
    subvariant: str
    size: int
    sha256: Sha256 | None


RowTable = Mapping[str, Mapping[str, Any]]
"""What one SRPM has on one tree: RPM NEVRA → {category, path, sigkey}."""
SrpmTable = Mapping[str, RowTable]
"""One tree of rpms.json: SRPM NEVRA → its rows."""
RpmTable = Mapping[str, Mapping[str, SrpmTable]]
"""All of rpms.json: variant → arch → tree."""


class Compose(Struct, frozen=True, kw_only=True):
    """A finished compose, read whole: its identity and everything that a manifest is made from.

    `location` is the URL of its root (the folder that holds COMPOSE_ID), without a trailing slash. `rpms` is
    productmd's own table: at full size it has 65,000 rows, so it is handed on as it was parsed. `metadata` holds the
    digest of each metadata file that was read, and None for one that the server does not have. `remarks` say what is
    unusual about it, for people.
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
    remarks: tuple[str, ...] = ()
