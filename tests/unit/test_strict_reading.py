"""Strict reading: what it accepts is what json.loads reads; what it refuses has a code, a place and a fix."""

import json
import math
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.documents.diagnosis import STEPS, bounded, json_lines, line_of, placed, toml_lines
from compose_repo.core.documents.limits import DEPTH, INTEGER, KEYS, LISTED
from compose_repo.core.documents.strict import read_json, read_toml, too_large
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem

TEXT: Final = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
NUMBERS: Final = st.integers(-INTEGER, INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
VALUES: Final = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def refused(data: bytes | str) -> list[tuple[str, int, str]]:
    with pytest.raises(InputError) as caught:
        read_json(data.encode() if isinstance(data, str) else data, "f.json")
    return [(problem.code, problem.line, problem.pointer) for problem in caught.value.problems]


def outcome(data: bytes) -> tuple[object, Sequence[Problem]]:
    try:
        return read_json(data, "f.json"), ()
    except InputError as error:
        return None, error.problems or pytest.fail("refused without a reason")


def refused_toml(text: str) -> list[tuple[str, int, str]]:
    with pytest.raises(InputError) as caught:
        read_toml(text.encode(), "f.toml")
    return [(problem.code, problem.line, problem.pointer) for problem in caught.value.problems]


def pointers(value: object, pointer: str = "") -> Iterator[str]:
    yield pointer
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from pointers(element, f"{pointer}/{index}")
    if isinstance(value, dict):
        for key, member in value.items():
            yield from pointers(member, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_whatever_json_writes_is_read_back(value: object, ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001
    assert read_json(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(), "f.json") == value


@given(st.text(max_size=30) | st.text('{}[]",:\\ue12.-0tnN \n', max_size=30))
def test_what_is_read_is_what_json_reads_and_the_rest_is_explained(text: str) -> None:
    data = text.encode("utf-8", "replace")
    value, problems = outcome(data)
    assert problems or value == json.loads(data)
    assert all(1 <= problem.line <= data.count(b"\n") + 1 for problem in problems)


@given(VALUES)
def test_every_value_has_a_line_of_its_own_in_an_indented_document(value: object) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    wanted = list(pointers(value))
    lines = json_lines(text.encode(), wanted)
    assert set(wanted) == set(lines)
    # An indented document opens each value on a new line, in the order of the walk.
    assert sorted(lines.values()) == [lines[pointer] for pointer in wanted]
    assert len(set(lines.values())) == len(wanted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1,\n"a":2}', [("duplicate-key", 2, "/a")]),
        ('{"\\u0061":1,\n"a":2}', [("duplicate-key", 2, "/a")]),
        ('{"a":{"b":1},\n"c":{"b":1}, "a":[]}', [("duplicate-key", 2, "/a")]),
        ("[NaN,\nInfinity, -Infinity]", [("not-finite", 1, "/0"), ("not-finite", 2, "/1"), ("not-finite", 2, "/2")]),
        ("[1e400]", [("not-finite", 1, "/0")]),
        ("[-1e400]", [("not-finite", 1, "/0")]),
        ('["\\ud800"]', [("lone-surrogate", 1, "/0")]),
        ('["\\udc00\\ud800"]', [("lone-surrogate", 1, "/0")]),
        ('{"\\ud800":1}', [("lone-surrogate", 1, "/\\ud800")]),
        ('["\\u0000"]', [("control-character", 1, "/0")]),
        ('["\x7f"]', [("control-character", 1, "/0")]),
        ('["\x85"]', [("control-character", 1, "/0")]),
        ('["\x01"]', [("control-character", 1, "/0")]),
        ('{"a\\n":1}', [("control-character", 1, "/a\\u000a")]),
        ('"\\u001b"', [("control-character", 1, "")]),
        (f"[{INTEGER + 1}]", [("integer-too-large", 1, "/0")]),
        (f"[{-INTEGER - 1}]", [("integer-too-large", 1, "/0")]),
        ("1" * 5000, [("integer-too-large", 1, "")]),
        ("[" * (DEPTH + 1) + "]" * (DEPTH + 1), [("too-deep", 1, "")]),
        ('{"a":' * (DEPTH + 1) + "1" + "}" * (DEPTH + 1), [("too-deep", 1, "")]),
        ("[" * 5000, [("too-deep", 1, "")]),
        ("", [("not-json", 1, "")]),
        ("[1,]", [("not-json", 1, "")]),
        ('{"a" 1}', [("not-json", 1, "")]),
        ("{}\n{}", [("not-json", 2, "")]),
        ("{]", [("not-json", 1, "")]),
        ('{"\\x":1}', [("not-json", 1, "")]),
        ('{"a":1,NaN:"\\u0000"}', [("control-character", 1, "/NaN")]),
        ('{"a":1,"\\x":NaN}', [("not-finite", 1, '/"\\x"')]),
        ("]", [("not-json", 1, "")]),
        ('["a\nb"]', [("not-json", 2, "")]),
        ('["\\x"]', [("not-json", 1, "")]),
        ("[01]", [("not-json", 1, "")]),
        ("[tru]", [("not-json", 1, "")]),
        ('[\n"\\u0007",\nNaN', [("control-character", 2, "/0"), ("not-finite", 3, "/1")]),
    ],
)
def test_json_that_is_not_strict_is_refused(text: str, expected: list[tuple[str, int, str]]) -> None:
    assert refused(text) == expected


def test_a_syntax_error_is_told_beside_what_stands_before_it() -> None:
    assert refused('["\\u0007",\n}') == [("control-character", 1, "/0"), ("not-json", 2, "")]


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    assert refused(b'{\n"a": "\xff"}') == [("not-utf8", 2, "")]


def test_surrogates_as_raw_bytes_are_not_utf8() -> None:
    assert refused(b'["\xed\xa0\x80"]') == [("not-utf8", 1, "")]


def test_a_byte_order_mark_is_named_as_such() -> None:
    assert refused(b"\xef\xbb\xbf{}") == [("byte-order-mark", 1, "")]


@pytest.mark.parametrize("text", ['["\\n\\t"]', '["\\ud83d\\ude00"]', "[1.5e3, -0, true]", '["\\\\u0001"]'])
def test_escapes_that_mean_plain_text_are_read(text: str) -> None:
    assert read_json(text.encode(), "f.json") == json.loads(text)


def test_the_deepest_structure_that_is_allowed_is_read() -> None:
    text = "[" * DEPTH + "]" * DEPTH
    assert read_json(text.encode(), "f.json") == json.loads(text)


def test_the_largest_numbers_that_are_allowed_are_read() -> None:
    assert read_json(f"[{INTEGER}, {-INTEGER}, 1.7e308]".encode(), "f.json") == [INTEGER, -INTEGER, 1.7e308]


def test_an_object_may_have_so_many_keys_and_no_more() -> None:
    def text(number: int) -> str:
        return "{" + ",".join(f'"{key}":1' for key in range(number)) + "}"

    assert len(read_json(text(KEYS).encode(), "f.json")) == KEYS
    assert refused(text(KEYS + 1)) == [("too-many-keys", 1, "")]


def test_a_key_that_repeats_does_not_count_as_one_more() -> None:
    keys = ",".join(f'"{key}":1' for key in range(KEYS))
    assert refused("{" + keys + ',"0":1}') == [("duplicate-key", 1, "/0")]


def test_of_a_wall_of_problems_the_first_are_listed() -> None:
    found = refused("[" + ",\n".join(["NaN"] * (LISTED + 7)) + "]")
    assert (len(found), found[-1][0]) == (LISTED + 1, "more-problems")


def test_the_closing_line_says_that_there_are_more() -> None:
    problems = [
        Problem(path="f", line=line, code=Code.MISSING_FIELD, message="m", fix="f") for line in range(1, LISTED + 8)
    ]
    assert bounded(problems, "f")[-1].message == "and more problems in this file"


def test_a_long_number_is_cut_in_the_message() -> None:
    with pytest.raises(InputError) as caught:
        read_json(b"9" * 3000, "f.json")
    assert len(caught.value.problems[0].message) < 150


def test_toml_dates_become_text() -> None:
    assert read_toml(b"a = 2026-12-01\nb = 10:00:00\nc = [2026-12-01T10:00:00Z]\nd = true", "f.toml") == {
        "a": "2026-12-01",
        "b": "10:00:00",
        "c": ["2026-12-01T10:00:00+00:00"],
        "d": True,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\na = 2", [("duplicate-key", 2, "/a")]),
        ("[a]\n\n[a]", [("duplicate-key", 3, "/a")]),
        ("[a.b]\nz = 1\n[a]\nb.z = 3", [("duplicate-key", 4, "/a/b/z")]),
        ("a = 1\n[o.rdo]\nn = 1\nn = '''\nx = 1\n'''", [("duplicate-key", 4, "/o/rdo/n")]),
        ('"\\"a" = 1\n"\\"a" = 2', [("duplicate-key", 2, '/\\"a')]),
        ("a = {b = 1, b = 2}", [("duplicate-key", 1, "/a")]),
        ("a =", [("not-toml", 1, "")]),
        ('a = "x\n', [("not-toml", 1, "")]),
        ("a = [\n1,\n", [("not-toml", 3, "")]),
        ("a = " + "1" * 5000, [("not-toml", 1, "")]),
        ("a = nan\nb = [\n-inf]", [("not-finite", 1, "/a"), ("not-finite", 2, "/b/0")]),
        (f"a = {INTEGER + 1}", [("integer-too-large", 1, "/a")]),
        ("[[w]]\n[[w]]\nb.c = '\\u0001'\nd = \"\\u0001\"", [("control-character", 4, "/w/1/d")]),
        ('[t]\n"a\\nb" = 1', [("control-character", 1, "/t/a\\u000ab")]),
        ("a = " + "[" * (DEPTH + 1) + "]" * (DEPTH + 1), [("too-deep", 1, "")]),
        (".".join("a" * (DEPTH + 5)) + " = 1", [("too-deep", 1, "")]),
        ("a = " + "[" * 3000, [("too-deep", 1, "")]),
        ("\n".join(f"k{number} = true" for number in range(KEYS + 1)), [("too-many-keys", 1, "")]),
    ],
)
def test_toml_that_is_not_strict_is_refused(text: str, expected: list[tuple[str, int, str]]) -> None:
    assert refused_toml(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nname = 1\nname = 2", "the key name is there twice in its table"),
        ("a = {b = 1, b = 2}", "the key 'b' is there twice in its table"),
        ("[[a]]\n[a]", "the table [a] is there twice, or also as a key"),
    ],
)
def test_what_is_there_twice_in_toml_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_toml(text.encode(), "f.toml")
    assert refused.value.problems[0].message == message


def test_toml_lines_are_those_of_tables_and_keys() -> None:
    text = """\
a = 1
b = '''
[no.table]
c = 2
'''
["q.d".e]
f = [
  "x",
]
[[g]]
[[g]]
h . "i" = \"\"\"one line\"\"\"
[[g.j]]
"""
    assert toml_lines(text.encode()) == {
        "": 1,
        "/a": 1,
        "/b": 2,
        "/q.d/e": 6,
        "/q.d/e/f": 7,
        "/g/0": 10,
        "/g/1": 11,
        "/g/1/h/i": 12,
        "/g/j/0": 13,
    }


def test_what_has_no_line_has_that_of_its_container() -> None:
    assert [line_of({"": 1, "/a": 3}, pointer) for pointer in ("/a/0/b", "/b", "")] == [3, 1, 1]


def test_absent_pointers_are_left_out() -> None:
    assert json_lines(b'{\n"a":\n[1,\n{"b~/":2}]}', ["/a/1/b~0~1", "/a/7"]) == {
        "": 1,
        "/a": 2,
        "/a/1": 4,
        "/a/1/b~0~1": 4,
    }


def test_a_long_key_is_found_by_what_a_pointer_shows_of_it() -> None:
    key = "k" * 300
    cut = f"/{'k' * 200}…"
    assert json_lines(f'{{\n"{key}a": 1,\n"{key}b": 2,\n"c": 3}}'.encode(), [cut, "/c"]) == {"": 1, cut: 2, "/c": 4}


@pytest.mark.parametrize("text", ["", "{", '{"a"', '{"a":', "[1,\n2", '{"a":1,\n!}', "[1,\n?,2]", '{1:2,"a":3}', "x"])
def test_lines_of_what_is_no_json_are_those_of_what_could_be_read(text: str) -> None:
    assert json_lines(text.encode(), ["/a/b", "/7"])[""] == 1


def test_a_number_of_many_digits_is_stepped_over() -> None:
    assert json_lines(f"[{'1' * 5000},\n2]".encode(), ["/1"]) == {"": 1, "/1": 2}


# The bound of work


def test_a_line_is_looked_for_within_the_bound_of_work() -> None:
    data = f"[\n[{'1,' * STEPS}1],\n2]".encode()
    assert json_lines(data, ["/1", "/0/7"]) == {"": 1, "/1": 3, "/0": 2, "/0/7": 2}
    last = f"/{STEPS}"
    assert json_lines(f"[{'1,' * STEPS}\n1]".encode(), [last]) == {"": 1}


FAR: Final = f'{{"far": [{"1," * STEPS}1],\n"last": {{'


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ('"a": 9007199254740993}}', [("integer-too-large", 2, "/last/a")]),
        ('"a": [1, 1e999, 2, 3]}}', [("not-finite", 2, "/last/a/1")]),
        ('"a": "\\u0001"}}', [("control-character", 2, "/last/a")]),
        ('"a\\u0001": 1}}', [("control-character", 2, "/last/a\\u0001")]),
        (f'"a": {"[" * 40}{"]" * 40}}}}}', [("too-deep", 1, "")]),
        (f'"b": 1, {", ".join(f"{chr(34)}{n}{chr(34)}: 1" for n in range(KEYS))}}}}}', [("too-many-keys", 2, "/last")]),
        ('"a": 1, "a": 2}}', [("duplicate-key", 2, "")]),
        ('"a": }}', [("not-json", 2, "")]),
    ],
)
def test_what_is_wrong_beyond_the_bound_of_work_is_told_all_the_same(
    end: str, expected: list[tuple[str, int, str]]
) -> None:
    assert refused(FAR + end) == expected


def test_a_wall_of_problems_beyond_the_bound_of_work_is_one_problem() -> None:
    assert refused(f"{FAR}{', '.join(f'{chr(34)}{n}{chr(34)}: 1e999' for n in range(200))}}}}}") == [
        ("not-finite", 2, "/last/0")
    ]


def test_a_problem_that_knows_its_line_keeps_it() -> None:
    problem = Problem(path="f", line=9, code=Code.MISSING_FIELD, message="m", fix="f")
    assert placed([problem], b"{}", toml=False) == [problem]


def test_problems_in_toml_are_placed() -> None:
    problem = Problem(path="f", pointer="/b", code=Code.MISSING_FIELD, message="m", fix="f")
    assert [one.line for one in placed([problem], b"a = 1\nb = 2", toml=True)] == [2]


def test_a_file_that_is_too_large_says_how_large() -> None:
    assert too_large("f", 9_000_000, 8_388_608).message == "the file has 9,000,000 bytes, at most 8,388,608 are read"


def test_floats_stay_floats() -> None:
    assert math.isclose(read_json(b"[0.1]", "f.json")[0], 0.1)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_file_of_nothing_but_brackets_takes_no_more_memory_than_another(opening: str) -> None:
    tracemalloc.start()
    found = refused(opening * 10_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[0][0] == "too-deep"
    assert peak < 2_000_000


def test_what_stands_after_something_too_deep_is_looked_at() -> None:
    deep = "[" * (DEPTH + 3) + "]" * (DEPTH + 3)
    assert refused(f"[{deep},\nNaN]") == [("too-deep", 1, ""), ("not-finite", 2, "/1")]


def test_a_key_of_absurd_length_does_not_make_a_pointer_of_absurd_length() -> None:
    ((_, line, pointer),) = refused('{"%s":\n[\nNaN]}' % ("k" * 100_000))
    assert (line, len(pointer) < 300) == (3, True)


def test_a_key_of_absurd_length_is_not_told_in_full() -> None:
    key = "k" * 100_000
    with pytest.raises(InputError) as caught:
        read_json(f'{{"{key}":1,"{key}":2}}'.encode(), "f.json")
    assert len(caught.value.problems[0].message) < 300


@pytest.mark.parametrize("text", ["{}b = 1", "[{}b]", "[[{}b]]", "x = {{ {}b = 1 }}"])
def test_a_dotted_key_of_ten_thousands_of_tables_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    assert [code for code, _, _ in refused_toml(text.format("a." * 50_000))] == ["too-deep"]
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["k" * 500_000, '"' * 500_001, "a" + " " * 500_000, '"a' * 250_000])
def test_looking_for_dotted_keys_takes_no_longer_than_the_text(text: str) -> None:
    started = time.process_time()
    refused_toml(text)
    assert time.process_time() - started < 2


def test_a_text_may_have_as_many_dots_as_tables_may_be_nested() -> None:
    assert read_toml(f'x = "{"a." * DEPTH}"'.encode(), "f.toml") == {"x": "a." * DEPTH}
