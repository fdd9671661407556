"""The composes in a folder: a web server's, by its listing, or one on a disk."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from compose_repo.core.composes.index import ComposeIndex, Ignored, Index, compose_index, read_index
from compose_repo.core.documents.limits import INDEX_BYTES
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.ports.http import Document, normal_url

Get: TypeAlias = Callable[[str, int], Document | None]
"""Gives a document of at most so many bytes, or None where the server has none."""


def compose_ids(source: str, get: Get) -> ComposeIndex:
    """Find the composes in a folder that an http(s) or file URL or a path names.

    Raises:
        InputError: the folder is not there (`index-not-found`), or there is no listing of it, or not all of one.
        UsageError: the source is neither a URL nor a path.

    """
    if source.startswith("file:"):
        return compose_index(_folder_index(Path(unquote(urlsplit(source).path))))
    if "://" not in source:
        return compose_index(_folder_index(Path(source)))
    url = f"{normal_url(source)}/"
    document = get(url, INDEX_BYTES)
    if document is None:
        raise _not_found(url)
    return compose_index(read_index(document.body, url=document.url, content_type=document.content_type))


def _folder_index(folder: Path) -> Index:
    """List a folder on a disk; a link to a folder counts as one, as it does with web servers."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        raise _not_found(str(folder)) from None
    except OSError as error:
        problem = Problem(
            path=str(folder), code=Code.SOURCE_UNREADABLE, message=str(error.strerror), fix="fix its permissions"
        )
        raise InputError(problem) from error
    return Index(
        folders=tuple(name for name, is_folder in found if is_folder),
        ignored=tuple(Ignored(name=name, why="it is a file") for name, is_folder in found if not is_folder),
    )


def _not_found(where: str) -> InputError:
    return InputError(
        Problem(path=where, code=Code.INDEX_NOT_FOUND, message="there is no such folder", fix="fix the address")
    )
