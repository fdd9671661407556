"""One function lets the bytes of a result file through, whoever has made the file."""

import ast
import hashlib
from pathlib import Path
from typing import Final

import pytest
from gate_world import NOW, manifest
from msgspec.structs import replace
from test_convert_bus import RDO, REPORT, made
from test_event import a_report

from compose_repo.core.convert.bus import bytes_of
from compose_repo.core.convert.formats import as_bytes
from compose_repo.core.documents.limits import RESULT_BYTES
from compose_repo.core.names import Arch, Sha256
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import ResultFile
from compose_repo.reading.converting import checked

PACKAGE: Final = Path(__file__).resolve().parents[2] / "scripts" / "compose_repo"
MANIFEST: Final = manifest().to_bytes()
FILE: Final = made(a_report(), REPORT)


def codes(file: ResultFile, *origins: str) -> list[Code]:
    with pytest.raises(InputError) as caught:
        checked(file, MANIFEST, NOW, origins=origins or None)
    return [problem.code for problem in caught.value.problems]


def test_one_module_checks_what_we_write() -> None:
    callers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr == "inspect_bytes"
    }
    assert callers == {"reading/inspection.py", "reading/converting.py"}


def test_the_bytes_are_those_of_the_way_it_is_written() -> None:
    assert checked(FILE, MANIFEST, NOW) == as_bytes(FILE)
    assert checked(FILE, MANIFEST, NOW, write=bytes_of) == bytes_of(FILE)


def test_an_origin_that_is_not_listed_is_refused_where_the_list_is_known() -> None:
    assert codes(FILE, "idm") == [Code.UNKNOWN_ORIGIN]
    assert checked(FILE, MANIFEST, NOW, origins=[RDO])


def test_a_file_on_another_manifest_is_refused() -> None:
    other = replace(FILE, manifest_sha256=Sha256(hashlib.sha256(b"other").hexdigest()))
    assert codes(other) == [Code.MANIFEST_MISMATCH]


def test_an_arch_that_the_compose_has_not_is_refused() -> None:
    other = replace(FILE, results=tuple(replace(one, arch=Arch("s390x")) for one in FILE.results))
    assert set(codes(other)) == {Code.UNKNOWN_ARCH}


def test_a_file_that_is_too_large_is_refused() -> None:
    assert codes(replace(FILE, misc={"x": "x" * RESULT_BYTES})) == [Code.FILE_TOO_LARGE]
