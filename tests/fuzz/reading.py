"""The strict reader: of any bytes it makes a document that keeps to the bounds, or says what is wrong, nothing else."""

import json
import math
import tomllib
from typing import Any, Final

from compose_repo.core.documents.limits import CONTROL, CONTROL_IN_KEY, DEPTH, INTEGER, KEYS
from compose_repo.core.documents.strict import is_plain_under_schema, read_json, read_toml
from compose_repo.core.problems.problem import InputError
from compose_repo.core.problems.report import as_line

JSON_WORDS: Final = (
    *b'{ } [ ] : , " null true false NaN Infinity -Infinity -0 1e999 9007199254740993 0.1 misc // [[[[[[[['.split(),
    *rb'\u0000 \ud800 \udc00 \u202e \n "\ud83d\ude00" {"a":1,"a":2}'.split(),
    *(b"\xef\xbb\xbf", b"\xff", b"\xc2\x9b", b"\x7f", b"\xed\xa0\x80", b"\r\n"),
)
TOML_WORDS: Final = (
    *b"[ ] [[ ]] = . \" ' \"\"\" ''' # { } , nan inf 0x 1_000 true 1e999 9223372036854775808".split(),
    *rb'1979-05-27T07:32:00Z 07:32:00 1979-05-27 \u0000 \U0010FFFF \ud800 "\e"'.split(),
    *(b"\n", b"\r", b"\xff", b"\xc2\x9b", b"a.b.c", b"a." * 34 + b"a=1"),
)
JSON_SEEDS: Final = (
    b'{"schema": "results/1", "results": [{"testcase": "a", "duration": 1.5}], "misc": {"a": [null, true]}}',
    b'[1, -2.5e3, "\\u00e9\\n", {"": {}}]',
    b'{"a": 1, "a": 2}',
    b'{"a": NaN',
    b'"\\ud800"',
)
TOML_SEEDS: Final = (
    b'schema = "origins/1"\n[origins.rdo]\nname = "RDO"\ncontact = {email = "a@example.org"}\n',
    b'[[waiver]]\nexpires = 2026-12-01\nat = 2026-12-01T10:00:00Z\n[[waiver]]\nreason = """a\nb"""\n',
    b"a.b.c = [1, 2.5, 0x10, inf]\n",
    b"a = 1\na = 2\n",
)


def read_any_json(data: bytes) -> None:
    """Read bytes as JSON; what is read says the same to the standard library's reader."""
    try:
        value = read_json(data, "composes/x/f.json")
    except InputError as error:
        assert_told(error)
        return
    assert_bounded(value)
    assert same(value, json.loads(data)), "another reader reads something else"
    # What a schema may bound instead of a walk: nothing of it is text that cannot be shown.
    if is_plain_under_schema(data):
        assert_shown(value)


def read_any_toml(data: bytes) -> None:
    """Read bytes as TOML; what is read is a table that JSON could hold."""
    try:
        value = read_toml(data, "gate/f.toml")
    except InputError as error:
        assert_told(error)
        return
    assert_bounded(value)
    assert isinstance(value, dict)
    tomllib.loads(data.decode())
    assert json.loads(json.dumps(value, allow_nan=False)) == value


def assert_told(error: InputError) -> None:
    """Every problem has a line that is there and words for it, and can be told."""
    assert error.problems
    for problem in error.problems:
        assert problem.line >= 1
        assert problem.message
        assert problem.fix
        assert as_line(problem).isprintable()


def assert_bounded(value: Any, depth: int = 0) -> None:  # noqa: ANN401  # any document
    """Nothing is deeper, larger or stranger than it may be."""
    assert depth <= DEPTH + 1
    if isinstance(value, dict):
        assert len(value) <= KEYS
        for key, member in value.items():
            assert not CONTROL_IN_KEY.search(key)
            key.encode()
            assert_bounded(member, depth + 1)
    elif isinstance(value, list):
        for element in value:
            assert_bounded(element, depth + 1)
    elif isinstance(value, str):
        assert not CONTROL.search(value)
        value.encode()
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int):
        assert -INTEGER <= value <= INTEGER
    else:
        assert value is None, type(value)


def assert_shown(value: Any) -> None:  # noqa: ANN401  # any document
    """No text has a control character."""
    assert not CONTROL.search(json.dumps(value, ensure_ascii=False))


def same(one: Any, other: Any) -> bool:  # noqa: ANN401  # any document
    """Compare two documents, types too: 1 is neither 1.0 nor true."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
