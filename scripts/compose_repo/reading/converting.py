"""Other tools' files on their way to a result file that is as good as one written by hand."""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from msgspec.structs import replace

from compose_repo.core.composes import paths
from compose_repo.core.composes.layout import Kind, Place
from compose_repo.core.convert.formats import FORMATS, as_bytes
from compose_repo.core.convert.subject import Source, Subject
from compose_repo.core.documents.limits import FOREIGN_BYTES, RESULT_BYTES
from compose_repo.core.documents.strict import too_large
from compose_repo.core.names import Sha256
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import ResultFile
from compose_repo.ports.tree import GivenTree
from compose_repo.reading.inspection import Inspector


def converted(
    format_name: str, sources: Sequence[Source], subject: Subject, manifest: bytes, now: dt.datetime
) -> tuple[ResultFile, bytes]:
    """Convert one run's files; the subject's digest is made that of the manifest. Gives the result file and its bytes.

    The bytes pass every check of `compose-repo validate` that needs no repository.

    Raises:
        InputError: they do not, or the files cannot be converted.

    """
    subject = replace(subject, manifest_sha256=Sha256(hashlib.sha256(manifest).hexdigest()))
    file = FORMATS[format_name](sources, subject)
    return file, checked(file, manifest, now)


def checked(
    file: ResultFile,
    manifest: bytes,
    now: dt.datetime,
    *,
    origins: Collection[str] | None = None,
    write: Callable[[ResultFile], bytes] = as_bytes,
) -> bytes:
    """Write a result file, and check the bytes as `compose-repo validate` does.

    Every result file that we write comes this way. Where there is no repository, `origins` is None: then nobody knows
    which origins are listed.

    Raises:
        InputError: they have a problem, as when the compose has no such arch.

    """
    data = write(file)
    if len(data) > RESULT_BYTES:
        raise InputError(too_large(file.path, len(data), RESULT_BYTES))
    place = Place(path=file.path, kind=Kind.RESULT, compose_id=file.compose_id, origin=file.origin, run_id=file.run.id)
    tree = GivenTree({paths.manifest_of(file.compose_id): manifest})
    problems = Inspector(tree, now, origins=origins).inspect_bytes(place, data).problems
    if problems:
        raise InputError(*problems)
    return data


def read_source(file: Path) -> Source:
    """Read a file of another tool.

    Raises:
        InputError: it is larger than anything that such a tool reports.
        OSError: it cannot be read.

    """
    size = file.stat().st_size
    if size > FOREIGN_BYTES:
        raise InputError(too_large(str(file), size, FOREIGN_BYTES))
    return Source(path=str(file), data=file.read_bytes())
