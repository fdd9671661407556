"""A commit as git tells of it: what it changes, and the versions of files that it brings."""

import datetime as dt
from typing import Final, NamedTuple

from msgspec import Struct

from compose_repo.core.names import Origin, Sha

PLAIN: Final = "100644"
"""The mode of a plain file; links, executables and submodules have others."""
GONE: Final = "000000"
"""The mode of what is not there."""
FOLDER: Final = "040000"
"""The mode of a folder in which more has changed than anybody can list."""


class Content(NamedTuple):
    """What stands at a path: git's mode and the object's id; the mode is `GONE` where nothing does."""

    mode: str
    blob: str


class Change(NamedTuple):
    """What a commit does to a path, against its parent; of a merge, only what differs from every parent."""

    path: str
    before: Content
    after: Content

    @property
    def is_folder(self) -> bool:
        """Whether it stands for all that has changed in a folder, which nobody could list."""
        return FOLDER in {self.before.mode, self.after.mode}


class Commit(NamedTuple):
    """A commit of the line and what it changes; `date` is its committer's, a claim."""

    sha: Sha
    parents: tuple[Sha, ...]
    changes: tuple[Change, ...]
    date: dt.datetime | None = None


class Version(Struct, frozen=True, kw_only=True):
    """The version of a file that counts, and the commit that brought it.

    `came` is the place of that commit among all commits of the line, in the order in which they were pushed. `at` is
    when it was pushed, by GitLab's clock; where nobody asks GitLab, the commit's own date.
    """

    path: str
    blob: str
    commit: Sha
    origin: Origin | None = None
    came: int = 0
    at: dt.datetime | None = None
