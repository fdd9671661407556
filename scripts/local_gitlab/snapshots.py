"""Everything that a server knows, kept aside and brought back: many tests begin where one preparation has ended."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from local_gitlab.site import Site


def take(site: Site, folder: Path) -> None:
    """Keep the state in a folder that does not exist yet; nobody may ask the server anything meanwhile."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "gitlab.sqlite3")) as kept:
        site.store.connection.backup(kept)
    shutil.copytree(site.directory / "repositories", folder / "repositories", symlinks=True)


def bring_back(site: Site, folder: Path) -> None:
    """Put the state back that `take` has kept; nobody may ask the server anything meanwhile."""
    with closing(sqlite3.connect(folder / "gitlab.sqlite3")) as kept:
        kept.backup(site.store.connection)
    site.forget_repositories()
    shutil.rmtree(site.directory / "repositories")
    shutil.copytree(folder / "repositories", site.directory / "repositories", symlinks=True)
