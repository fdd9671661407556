"""The composes in a folder: a web server's, by its listing, or one on a disk."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from compose_repo.core.composes.bucket import is_bucket, listing_url, places_of, read_bucket
from compose_repo.core.composes.index import ComposeIndex, Ignored, Index, compose_index, read_index
from compose_repo.core.documents.limits import INDEX_BYTES
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.ports.compose_root import path_in
from compose_repo.ports.http import Document, normal_url

_MOST_PAGES: Final = 20
"""Most pages of a bucket that are read, of a thousand folders each."""

Get: TypeAlias = Callable[[str, int], Document | None]
"""Gives a document of at most so many bytes, or None where the server has none."""


def compose_ids(source: str, get: Get) -> ComposeIndex:
    """Find the composes in a folder that an http(s) or file URL or a path names.

    Raises:
        InputError: the folder is not there (`index-not-found`), or there is no listing of it, or not all of one.
        UsageError: the source is neither a URL nor a path.

    """
    path = path_in(source)
    if path is not None:
        return compose_index(_folder_index(path))
    if "://" not in source:
        return compose_index(_folder_index(Path(source)))
    url = f"{normal_url(source)}/"
    document = get(url, INDEX_BYTES)
    if document is None:
        return compose_index(_in_a_bucket(url, get))
    if is_bucket(document.body):
        page = read_bucket(document.body, url=document.url)
        return compose_index(page.index if page.is_whole else _bucket_index(document.url, "", get))
    return compose_index(read_index(document.body, url=document.url, content_type=document.content_type))


def _in_a_bucket(url: str, get: Get) -> Index:
    """List a folder that is not there: in a bucket none is, and yet there are keys below it."""
    for bucket, prefix in places_of(url):
        document = None
        with suppress(InputError):  # whatever else the server has there, the folder is not there
            document = get(listing_url(bucket, prefix), INDEX_BYTES)
        if document is not None and is_bucket(document.body):
            index = _bucket_index(bucket, prefix, get)
            if index.folders:
                return index
    raise _not_found(url)


def _bucket_index(bucket: str, prefix: str, get: Get) -> Index:
    """List the folders below a prefix of a bucket, page by page."""
    folders: dict[str, None] = {}
    ignored: dict[Ignored, None] = {}
    token: str | None = None
    for _ in range(_MOST_PAGES):
        url = listing_url(bucket, prefix, token)
        document = get(url, INDEX_BYTES)
        if document is None:
            raise _not_found(url)
        page = read_bucket(document.body, url=url)
        folders |= dict.fromkeys(page.index.folders)
        ignored |= dict.fromkeys(page.index.ignored)
        if page.is_whole:
            return Index(folders=tuple(folders), ignored=tuple(ignored))
        if page.token is None or page.token == token:
            break
        token = page.token
    message = f"the bucket lists over {len(folders):,} folders, or does not say how to ask for the rest"
    problem = Problem(path=bucket, code=Code.INDEX_TRUNCATED, message=message, fix="give the address of fewer composes")
    raise InputError(problem)


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
    except ValueError as error:
        problem = Problem(
            path=ascii(str(folder)), code=Code.SOURCE_UNREADABLE, message=str(error), fix="fix the address"
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
