"""Where a compose lies: a folder, or a web server's."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from compose_repo.core.documents.limits import INDEX_BYTES
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.ports.clock import REAL, Clock


class Root(Protocol):
    """A compose's root folder, wherever it is. `location` is its URL without a trailing slash."""

    location: str

    def read(self, path: str, limit: int) -> bytes | None:
        """Give a file's bytes, or None if it is not there; raises InputError if it cannot be read."""
        ...

    def exists(self) -> bool:
        """Tell whether there is anything at all."""
        ...

    def beside(self, name: str) -> "Root":
        """Give the root of that name in the same parent folder."""
        ...


def path_in(url: str) -> Path | None:
    """Give the path that a file URL names; None if it is another address."""
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None


def reading_files(read: Callable[[str, int], bytes | None]) -> Callable[[str, int], bytes | None]:
    """Give what reads file URLs as `Root.read` does, and every other address by `read`."""

    def read_any(url: str, limit: int) -> bytes | None:
        path = path_in(url)
        return read(url, limit) if path is None else DirectoryRoot(path.parent).read(path.name, limit)

    return read_any


class DirectoryRoot:
    """A compose's root folder on a disk, with links resolved: an alias becomes the folder it stands for."""

    def __init__(self, folder: Path) -> None:
        try:
            self.folder = folder.resolve()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a character that no path has
            raise failure(ascii(str(folder)), Code.SOURCE_UNREADABLE, str(error), "fix the address") from error
        self.location = self.folder.as_uri()

    def read(self, path: str, limit: int) -> bytes | None:
        """Give a file's bytes."""
        try:
            with (self.folder / path).open("rb", buffering=0) as file:
                data = file.read() if os.fstat(file.fileno()).st_size <= limit else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise failure(
                f"{self.location}/{path}", Code.SOURCE_UNREADABLE, str(error.strerror), "fix its permissions"
            ) from error
        except ValueError as error:
            raise failure(f"{self.location}/{path!a}", Code.SOURCE_UNREADABLE, str(error), "fix the address") from error
        if data is None:
            message = f"the file is larger than {limit} bytes"
            raise failure(f"{self.location}/{path}", Code.SOURCE_TOO_LARGE, message, "check that it is the right file")
        return data

    def exists(self) -> bool:
        """Tell whether the folder is there."""
        return self.folder.is_dir()

    def beside(self, name: str) -> "DirectoryRoot":
        """Give the folder of that name beside it."""
        return DirectoryRoot(self.folder.parent / name)


class WebRoot:
    """A compose's root folder on a web server."""

    def __init__(self, url: str, read: Callable[[str, int], bytes | None]) -> None:
        self.location = url
        self._read = read

    def read(self, path: str, limit: int) -> bytes | None:
        """Give a file's bytes."""
        return self._read(f"{self.location}/{path}", limit)

    def exists(self) -> bool:
        """Tell whether the server has a page for it."""
        return self._read(f"{self.location}/", INDEX_BYTES) is not None

    def beside(self, name: str) -> "WebRoot":
        """Give the folder of that name beside it."""
        return WebRoot(f"{self.location.rpartition('/')[0]}/{name}", self._read)


def root_in(folder: str, name: str, read: Callable[[str, int], bytes | None]) -> Root:
    """Give the root of that name in the folder that an http(s) or file URL or a path names.

    Raises:
        UsageError: the folder is neither a URL nor a path.

    """
    path = path_in(folder)
    if path is not None:
        return DirectoryRoot(path / name)
    if "://" not in folder:
        return DirectoryRoot(Path(folder) / name)
    from compose_repo.ports.http import normal_url  # noqa: PLC0415  # directories need no HTTP

    return WebRoot(f"{normal_url(folder)}/{name}", read)


def compose_root(
    source: str, *, timeout: float = 30.0, clock: Clock = REAL, trace: Callable[[str], None] = lambda _: None
) -> Root:
    """Find the root that a directory or an http(s) URL names; its `…/compose` folder is as good.

    Raises:
        UsageError: it is neither.

    """
    if "://" not in source:
        folder = Path(source).resolve()
        within = folder.name == "compose" and not (folder / "COMPOSE_ID").exists()
        return DirectoryRoot(folder.parent if within else folder)
    from compose_repo.ports.http import Http, Limits, normal_url  # noqa: PLC0415  # directories need no HTTP

    url = normal_url(source)
    http = Http(Limits(timeout=timeout, total=20 * timeout), clock=clock, trace=trace)
    return WebRoot(url.removesuffix("/compose"), http.read)


def failure(path: str, code: Code, message: str, fix: str) -> InputError:
    """Refuse a compose, or a part of it, for one reason."""
    return InputError(Problem(path=path, code=code, message=message, fix=fix))
