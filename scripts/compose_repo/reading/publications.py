"""The published composes that a decision is compared with: what main holds has been published."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from compose_repo.core.composes import paths
from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.composes.layout import Kind, place_of
from compose_repo.core.documents.strict import read_json
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import ResultFile
from compose_repo.core.rules.policy import Requirement
from compose_repo.core.verdict.baseline import Published, conclude, remembering
from compose_repo.ports.schemas import is_valid, violations
from compose_repo.ports.tree import Tree
from compose_repo.reading.inspection import Inspector
from compose_repo.reading.loading import GateFiles

if TYPE_CHECKING:
    from compose_repo.core.names import Stream


class Publications:
    """Reads what published composes came to; what is read once is kept by the id of its folder.

    So a run that judges many composes reads each published one once, whatever main is by then.
    """

    def __init__(self) -> None:
        self._kept: Final[dict[tuple[str, str, Stream], Published]] = {}

    def before(self, compose_id: ComposeId, main: Tree, gate_files: GateFiles) -> Iterator[Published]:
        """Give the stream's published composes older than one, newest first; nothing is read before it is asked for.

        Files are not measured against a clock here, and a manifest is not looked at beyond its schema: only what
        counted has been merged.

        Raises:
            InputError: the manifest of one of them has a problem.

        """
        requirements = remembering(gate_files.policy, compose_id.stream)
        if not requirements:
            return
        for older in sorted(_older(main, compose_id), reverse=True):
            found = self._published(older, main, gate_files, requirements)
            if found is not None:
                yield found

    def _published(
        self, compose_id: ComposeId, main: Tree, gate_files: GateFiles, requirements: list[Requirement]
    ) -> Published | None:
        folder_id = main.folder_id(compose_id.folder)
        key = None if folder_id is None else (folder_id, gate_files.policy_sha256, compose_id.stream)
        if key is not None and key in self._kept:
            return self._kept[key]
        if not _has_manifest(main, compose_id):
            return None
        files = _results(main, compose_id, {line.origin for line in requirements}, requirements)
        found = conclude(compose_id, files, requirements)
        if key is not None:
            self._kept[key] = found
        return found


def _older(main: Tree, compose_id: ComposeId) -> Iterator[ComposeId]:
    for name in main.folders(paths.COMPOSES):
        try:
            other = ComposeId.parse(name)
        except ComposeIdError:
            continue
        if other.stream == compose_id.stream and other < compose_id:
            yield other


def _has_manifest(main: Tree, compose_id: ComposeId) -> bool:
    """Return whether a folder of main holds a compose.

    Raises:
        InputError: its manifest is not one.

    """
    path = compose_id.manifest_path
    raw = main.read(path)
    if raw is None:
        return False
    data = read_json(raw, path)
    if not is_valid(Kind.MANIFEST, data):
        raise InputError(*violations(Kind.MANIFEST, data, path))
    return True


def _results(
    main: Tree, compose_id: ComposeId, origins: Collection[str], requirements: list[Requirement]
) -> Iterator[ResultFile]:
    """Give the result files of some origins, with the results that the requirements name."""
    inspector = Inspector(main, _LONG_AFTER)
    wanted = {name for line in requirements for name in line.names}
    for entry in main.list(compose_id.results_folder):
        place = place_of(entry.path)
        if place is None or place.origin not in origins:
            continue
        inspected = inspector.inspect(replace(entry, at=None))
        if inspected.data is not None and not inspected.problems:
            yield ResultFile.from_dict(inspected.data, wanted)


_LONG_AFTER: Final = dt.datetime(2999, 12, 31, tzinfo=dt.UTC)
"""A time at which no file that was ever pushed is from the future."""
