"""Entries of files that people keep: what is added or taken away, and that nothing else changes."""

import datetime as dt
import tomllib
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import lines as text_lines

from compose_repo.core.documents.entries import EntriesError, EntryFile, Row, entry_text, with_entry, without_entries
from compose_repo.core.problems.problem import InputError

FILE: Final = EntryFile(path="gate/holds.toml", schema="holds/1", table="hold", head="What is held.")
ROW: Final[Row] = {"stream": "A-1", "composes": ["a*", "b"], "count": 3, "until": dt.date(2026, 12, 5)}
ADDED: Final = '[[hold]]\nstream = "A-1"\ncomposes = ["a*", "b"]\ncount = 3\nuntil = 2026-12-05\n'
KEPT: Final = """\
# What is held. A comment of ours.
schema = "holds/1"  # the version

# A paragraph that stands alone.

# About the first.
# In two lines.
[[hold]]
stream = "A"  # why A
until = 2026-12-01

# Between them.

[[hold]]  # the second
composes = [
  "b*",  # with a comment
  "c*",
]
# The end of the second.

# About the third.
[[ hold ]]
stream = 'C'
"""


def added(text: str) -> str:
    return with_entry(text.encode(), FILE, ROW).decode()


def removed(text: str, *indexes: int) -> str:
    return without_entries(text.encode(), FILE, indexes).decode()


def test_an_entry_is_written_with_its_fields_in_their_order() -> None:
    assert entry_text("hold", ROW) == ADDED


def test_a_file_that_is_not_there_is_begun() -> None:
    assert with_entry(None, FILE, ROW).decode() == f'# What is held.\nschema = "holds/1"\n\n{ADDED}'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", f'schema = "holds/1"\n\n{ADDED}'),
        ("# Only a comment.\n", f'# Only a comment.\nschema = "holds/1"\n\n{ADDED}'),
        ("# No newline", f'# No newline\nschema = "holds/1"\n\n{ADDED}'),
        ('schema = "holds/1"\n', f'schema = "holds/1"\n\n{ADDED}'),
        ('schema = "holds/1"', f'schema = "holds/1"\n\n{ADDED}'),
        (KEPT, f"{KEPT}\n{ADDED}"),
        (f"{KEPT}# At the end.\n", f"{KEPT}# At the end.\n\n{ADDED}"),
        (KEPT.rstrip("\n"), f"{KEPT}\n{ADDED}"),
        ('schema = "holds/1"\n[[hold]]\na = 1\n[labels]\nb = 2\n', None),
    ],
)
def test_an_entry_is_added_at_the_end_and_what_was_there_stays(text: str, wanted: str | None) -> None:
    assert added(text) == (f"{text}\n{ADDED}" if wanted is None else wanted)


@pytest.mark.parametrize("text", [KEPT, 'schema = "holds/1"\n', "# A comment.\n"])
def test_a_file_keeps_its_line_ends(text: str) -> None:
    windows = text.replace("\n", "\r\n")
    assert added(windows) == added(text).replace("\n", "\r\n")
    assert removed(added(windows), len(tomllib.loads(text).get("hold", ()))) == removed(
        added(text), len(tomllib.loads(text).get("hold", ()))
    ).replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("index", "gone"),
    [
        (0, '# About the first.\n# In two lines.\n[[hold]]\nstream = "A"  # why A\nuntil = 2026-12-01\n\n'),
        (
            1,
            '[[hold]]  # the second\ncomposes = [\n  "b*",  # with a comment\n  "c*",\n]\n# The end of the second.\n\n',
        ),
    ],
)
def test_an_entry_goes_with_its_own_comments_and_the_others_stay(index: int, gone: str) -> None:
    assert gone in KEPT
    assert removed(KEPT, index) == KEPT.replace(gone, "")


def test_the_last_entry_leaves_no_blank_lines_at_the_end() -> None:
    assert removed(KEPT, 2) == KEPT[: KEPT.index("\n# About the third.")]


def test_several_entries_go_at_once() -> None:
    assert removed(KEPT, 0, 1, 2) == KEPT[: KEPT.index("# About the first.")] + "# Between them.\n"


def test_what_is_added_and_taken_away_again_leaves_what_was_there() -> None:
    assert removed(added(KEPT), 3) == KEPT


def test_where_nothing_is_to_go_nothing_changes() -> None:
    assert removed(f"{KEPT}\n\n") == f"{KEPT}\n\n"


def test_an_entry_may_be_followed_by_another_without_a_blank_line() -> None:
    text = 'schema = "holds/1"\n[[hold]]\na = 1\n# b\n[[hold]]\nb = 2\n[other]\nc = 3\n'
    assert removed(text, 0) == 'schema = "holds/1"\n# b\n[[hold]]\nb = 2\n[other]\nc = 3\n'
    assert removed(text, 1) == 'schema = "holds/1"\n[[hold]]\na = 1\n[other]\nc = 3\n'


def test_what_looks_like_the_beginning_of_another_table_does_not_mislead() -> None:
    text = 'schema = "holds/1"\n[[hold]]\na = """\n[[waiver]]\n"""\nb = 1\n'
    with pytest.raises(EntriesError):
        removed(text, 0)


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ('schema = "holds/1"\nhold = []\n', added),
        ('schema = "holds/1"\nhold = [{stream = "A"}]\n', added),
        ('schema = "holds/1"\nhold = [{stream = "A"}]\n', lambda text: removed(text, 0)),
        ('schema = "holds/1"\nhold = 3\n', added),
        ('schema = "holds/1"\nhold = 3\n', removed),
    ],
)
def test_entries_in_another_form_are_left_to_people(text: str, edit: Callable[[str], str]) -> None:
    with pytest.raises(EntriesError) as caught:
        edit(text)
    assert str(caught.value) == (
        "gate/holds.toml cannot be edited by a program as it is written: each entry has to begin with a line "
        "[[hold]], and its fields stand below it; edit it by hand"
    )


def test_a_line_of_a_text_that_looks_like_an_entry_does_not_mislead() -> None:
    text = 'schema = "holds/1"\n[[hold]]\na = """\n[[hold]]\n"""\n'
    with pytest.raises(EntriesError):
        removed(text, 0)
    assert added(text) == f"{text}\n{ADDED}"


@pytest.mark.parametrize("edit", [added, lambda text: removed(text, 0)])
def test_a_file_that_is_not_toml_is_not_edited(edit: Callable[[str], str]) -> None:
    with pytest.raises(InputError) as caught:
        edit("schema =\n")
    assert {problem.path for problem in caught.value.problems} == {FILE.path}


def test_what_no_file_may_hold_is_not_written() -> None:
    for text in ("a\x1bb", "a\x7fb"):
        with pytest.raises(InputError) as caught:
            with_entry(None, FILE, {"reason": text})
        assert {problem.path for problem in caught.value.problems} == {FILE.path}
    with pytest.raises(EntriesError):
        with_entry(None, FILE, {"reason": "a\ud800b"})


@given(st.dictionaries(st.sampled_from("abcd"), text_lines | st.dates() | st.lists(text_lines, max_size=3), min_size=1))
def test_whatever_is_written_is_read_back(row: dict[str, Any]) -> None:
    raw = with_entry(KEPT.encode(), FILE, row)
    *before, last = tomllib.loads(raw.decode())["hold"]
    assert (before, last) == (tomllib.loads(KEPT)["hold"], row)
    assert without_entries(raw, FILE, [3]) == KEPT.encode()


def test_an_edit_that_would_mean_something_else_is_not_made() -> None:
    text = 'schema = "holds/1"\n[[hold]]\na = """\n[[other]]\nz = 1 # """\n'
    with pytest.raises(EntriesError):
        removed(text, 0)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("# c\n[[hold]]\na = 1\n# end\n", ""),
        ('schema = "s"\n\n[[hold]]\na = 1\n# one\n# two\n\n# apart\n', 'schema = "s"\n\n# apart\n'),
        ('schema = "s"\n\n[[hold]]\na = 1\n# one\n\n# apart\n', 'schema = "s"\n\n# apart\n'),
        ('schema = "s"\n\n  # its own\n  [[hold]]\n  a = 1\n', 'schema = "s"\n'),
        ('schema = "s"\n[[hold]]\n[[hold]]\na = 1\n', 'schema = "s"\n[[hold]]\na = 1\n'),
        ('schema = "s"\n[[hold]]\na = 1\n\n[other]\nb = 2\n', 'schema = "s"\n\n[other]\nb = 2\n'),
        (
            '\n\nschema = "s"\n\n\n[[hold]]\na = 1\n\n\n[other]\n\n\nb = 2\n',
            '\n\nschema = "s"\n\n\n[other]\n\n\nb = 2\n',
        ),
    ],
)
def test_what_belongs_to_an_entry_goes_and_what_stands_apart_stays(text: str, left: str) -> None:
    assert removed(text, 0) == left


def test_a_row_may_have_tuples_and_no_character_breaks_its_line() -> None:
    raw = with_entry(None, FILE, {"composes": ("a", "b")})
    assert tomllib.loads(raw.decode())["hold"] == [{"composes": ["a", "b"]}]
    assert entry_text("hold", {"a": 'q"\\\n\x7fé'}) == '[[hold]]\na = "q\\"\\\\\\n\\u007fé"\n'
