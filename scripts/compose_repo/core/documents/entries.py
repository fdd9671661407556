"""Entries of a TOML file that people keep, `[[hold]]` or `[[waiver]]`: one is added or taken away, the rest stays.

Whatever else the file holds keeps its bytes: comments, order, blank lines, line ends. So it is the text that is edited.
Then it is read again, and must mean what it did, but for that entry.
"""

import datetime as dt
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from msgspec import Struct

from compose_repo.core.documents.strict import read_toml
from compose_repo.core.problems.problem import UsageError

Value: TypeAlias = str | int | dt.date | Sequence[str]
"""What a field of an entry may be."""
Row: TypeAlias = Mapping[str, Value]

_HEADER: Final = re.compile(r"[ \t]*\[{1,2}[ \t]*[A-Za-z0-9_.\"' -]+\]{1,2}[ \t]*(?:#.*)?\Z")
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_DELETE: Final = "\x7f"


class EntriesError(UsageError):
    """The file is not written in a way that an entry could be added or taken away; the message says what to do."""


class EntryFile(Struct, frozen=True, kw_only=True):
    """A file whose entries are `[[table]]`; `head` is what a new one begins with, a comment."""

    path: str
    schema: str
    table: str
    head: str


def entry_text(table: str, row: Row) -> str:
    """Write one entry as TOML, its fields in the order of the row, with a newline at its end."""
    lines = [f"[[{table}]]", *(f"{name} = {_toml(value)}" for name, value in row.items())]
    return "".join(f"{line}\n" for line in lines)


def with_entry(raw: bytes | None, file: EntryFile, row: Row) -> bytes:
    """Add an entry at the end of a file; where there is none, or nothing but comments, the file is begun.

    Raises:
        InputError: the file is not strict TOML.
        EntriesError: it has its entries in another form than `[[table]]`.

    """
    text, before = _read(f"# {file.head}\n".encode() if raw is None else raw, file)
    newline = "\r\n" if "\r\n" in text else "\n"
    added = entry_text(file.table, row)
    if not before:
        added = f'schema = "{file.schema}"\n\n{added}'
    parts = [text, "" if not text or text.endswith("\n") else newline]
    parts += newline if before else ""
    return _checked(
        "".join([*parts, added.replace("\n", newline)]),
        file,
        {"schema": file.schema, **before, file.table: [*_entries(before, file), _plain(row)]},
    )


def without_entries(raw: bytes, file: EntryFile, indexes: Collection[int]) -> bytes:
    """Take entries away, each with the comment that stands right above it or right below.

    Raises:
        InputError: the file is not strict TOML.
        EntriesError: it has its entries in another form than `[[table]]`.

    """
    text, before = _read(raw, file)
    entries = _entries(before, file)
    lines = _LINE.findall(text)
    starts = [number for number, line in enumerate(lines) if _begins(line, file.table)]
    if len(starts) != len(entries):
        raise _other_form(file)
    gone: set[int] = set()
    for index in indexes:
        gone.update(_span(lines, starts[index]))
    kept = [entry for index, entry in enumerate(entries) if index not in indexes]
    after = {name: value for name, value in before.items() if name != file.table}
    return _checked("".join(_closed_up(lines, gone)), file, {**after, **({file.table: kept} if kept else {})})


def _read(raw: bytes, file: EntryFile) -> tuple[str, dict[str, Any]]:
    data = read_toml(raw, file.path)
    return raw.decode(), data


def _entries(data: Mapping[str, Any], file: EntryFile) -> list[Any]:
    entries = data.get(file.table, [])
    if not isinstance(entries, list):
        raise _other_form(file)
    return entries


def _checked(text: str, file: EntryFile, wanted: Mapping[str, Any]) -> bytes:
    """Give a text's bytes if it means what is wanted.

    Raises:
        EntriesError: it means something else, or is not TOML any more.
        InputError: the entry holds what strict TOML may not.

    """
    import tomllib  # noqa: PLC0415  # only who edits gate/ needs it, and it costs start-up time

    try:
        raw = text.encode()
        tomllib.loads(text)
    except ValueError as error:
        raise _other_form(file) from error
    if read_toml(raw, file.path) != wanted:
        raise _other_form(file)
    return raw


def _other_form(file: EntryFile) -> EntriesError:
    return EntriesError(
        f"{file.path} cannot be edited by a program as it is written: each entry has to begin with a line "
        f"[[{file.table}]], and its fields stand below it; edit it by hand"
    )


def _begins(line: str, table: str) -> bool:
    return re.match(rf"[ \t]*\[\[[ \t]*{re.escape(table)}[ \t]*\]\]", line) is not None


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _span(lines: Sequence[str], start: int) -> range:
    """Find the lines of the entry that begins at one, with the comments that belong to it."""
    following = range(start + 1, len(lines))
    header = next((number for number in following if _HEADER.match(lines[number].rstrip())), None)
    end = len(lines) if header is None else _first_of_comment(lines, header)
    last = end - 1
    while not _says_something(lines[last]):
        last -= 1
    while last + 1 < end and _is_comment(lines[last + 1]):
        last += 1
    return range(_first_of_comment(lines, start), last + 1)


def _first_of_comment(lines: Sequence[str], at: int) -> int:
    """Find where the comment begins that stands right above a line; the line itself where there is none."""
    while at > 0 and _is_comment(lines[at - 1]):
        at -= 1
    return at


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not _is_comment(line)


def _closed_up(lines: Sequence[str], gone: Collection[int]) -> Iterator[str]:
    """Give the lines that are left; where some are gone, blank lines that met are one, and none is left at the end."""
    kept: list[str] = []
    was_gone = False
    for number, line in enumerate(lines):
        if number in gone:
            was_gone = True
            continue
        if was_gone and not line.strip() and (not kept or not kept[-1].strip()):
            continue
        was_gone = False
        kept.append(line)
    while was_gone and kept and not kept[-1].strip():
        kept.pop()
    return iter(kept)


def _plain(row: Row) -> dict[str, Any]:
    """Give an entry as reading gives it: dates are text."""
    return {name: _read_back(value) for name, value in row.items()}


def _read_back(value: Value) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, str | int) else list(value)


def _toml(value: Value) -> str:
    match value:
        case dt.date():
            return value.isoformat()
        case str():
            return json.dumps(value, ensure_ascii=False).replace(_DELETE, "\\u007f")
        case int():
            return str(value)
        case _:
            return f"[{', '.join(map(_toml, value))}]"
