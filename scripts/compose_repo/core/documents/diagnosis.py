"""Why a file was refused: it is read again, slowly, and every problem is found and given its line."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from msgspec import Struct

from compose_repo.core.documents.limits import CONTROL, CONTROL_IN_KEY, DEPTH, INTEGER, KEYS, LISTED
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem, escape

STEPS: Final = 50_000
"""How many tokens of a text, or members of its containers, are looked at one by one to explain why it was refused.

A file is made up to be slow to explain as easily as to be wrong, and what is refused is read in every run.
"""

_SHOWN: Final = 80
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_JITER_PLACE: Final = re.compile(r"(?P<what>.*) at line (?P<line>[0-9]+) column (?P<column>[0-9]+)", re.DOTALL)
_TOML_PLACE: Final = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)", re.DOTALL
)


def bounded(problems: Sequence[Problem], path: str, *, advice: bool = False) -> list[Problem]:
    """Sort the problems of one file, or the advice on it, and keep the first; the last says that there are more.

    How many more problems there are nobody knows: looking for them ends with the first that is not listed.
    """
    ordered = sorted(problems)
    more = len(ordered) - LISTED
    if more <= 0:
        return ordered
    code, message, fix = _MORE_ADVICE if advice else _MORE_PROBLEMS
    closing = Problem(
        path=path,
        line=ordered[LISTED - 1].line,
        pointer=ordered[LISTED - 1].pointer,
        code=code,
        message=message.format(more),
        fix=fix,
    )
    return [*ordered[:LISTED], closing]


_MORE_PROBLEMS: Final = (
    Code.MORE_PROBLEMS,
    "and more problems in this file",
    "fix those above first, then validate again",
)
_MORE_ADVICE: Final = (
    Code.MORE_ADVICE,
    "and {} more pieces of advice on this file",
    "follow those above first, then validate again",
)


def json_lines(data: bytes, pointers: Iterable[str]) -> dict[str, int]:
    """Give the line of each pointer into a JSON document: that of its key, or of the element of an array.

    A pointer to something absent gets the line of the nearest container that is there, and so does one that is not
    found within the bound of work. What lies beside the way to a pointer is stepped over as fast as it can be parsed.
    """
    text = data.decode("utf-8", "replace")
    starts = _Search(text, pointers).found
    lines = _Lines(text)
    return {pointer: lines.of(start) if pointer else 1 for pointer, start in sorted(starts.items(), key=_by_start)}


def _by_start(item: tuple[str, int]) -> int:
    return item[1]


class _Branch(dict[str, "_Branch"]):
    """The steps that lead on from one place to the places that are looked for."""


class _Search:
    """Finds where pointers stand in a JSON text, from the first to the last, stepping over all else.

    `found` has the position of each that is there, and of every container above it. A text that is not JSON is followed
    as far as it is.
    """

    def __init__(self, text: str, pointers: Iterable[str]) -> None:
        wanted = _Branch()
        for pointer in pointers:
            branch = wanted
            for step in pointer.split("/")[1:]:
                branch = branch.setdefault(step, _Branch())
        self.found = {"": 0}
        self._text = text
        self._left = STEPS
        try:
            self._enter(_after_space(text, 0), "", wanted)
        except (StopIteration, ValueError, IndexError, RecursionError):
            return

    def _enter(self, start: int, pointer: str, wanted: _Branch) -> None:
        opening = self._text[start] if wanted else ""
        if opening not in _OPENING:
            return
        position = _after_space(self._text, start + 1)
        index, awaited = 0, len(wanted)
        while awaited and self._left > 0 and self._text[position] not in _CLOSING:
            self._left -= 1
            place, step = position, str(index)
            if opening == "{":
                step, position = _KEY(self._text, position + 1, LENIENT)
                step, position = escape(step), _after_space(self._text, _after_space(self._text, position) + 1)
            branch = wanted.get(step)
            if branch is not None and f"{pointer}/{step}" not in self.found:  # long keys may be cut to the same
                awaited -= 1
                self.found[f"{pointer}/{step}"] = place
                self._enter(position, f"{pointer}/{step}", branch)
            if awaited:
                position = _after_space(self._text, _VALUE(self._text, position)[1])
                position = _after_space(self._text, position + (self._text[position] == ","))
            index += 1


LENIENT: Final = False
_KEY: Final[Callable[[str, int, bool], tuple[str, int]]] = json.decoder.scanstring  # type: ignore[attr-defined]  # written in C
_VALUE: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder(parse_int=len, strict=LENIENT).scan_once  # type: ignore[attr-defined]  # typeshed leaves it out
"""Where a key, or a whole value, ends; `int` would refuse a number of very many digits."""


def _after_space(text: str, position: int) -> int:
    return _SPACE.match(text, position).end()  # type: ignore[union-attr]  # it matches an empty text, too


_SPACE: Final = re.compile(r"[ \t\n\r]*+")


def toml_lines(data: bytes) -> dict[str, int]:
    """Give the line of each table, array element and key of a TOML document that is written on a line of its own."""
    lines = {"": 1}
    for place in _toml_places(data.decode("utf-8", "replace").split("\n")):
        lines.setdefault(place.pointer, place.line)
    return lines


class _TomlPlace(NamedTuple):
    """A table, an array element or a key of a TOML text: its line, and how it is written."""

    line: int
    pointer: str
    written: str
    is_table: bool


def _toml_places(lines: Iterable[str]) -> Iterator[_TomlPlace]:
    """Walk over the lines of a TOML text on which a table or a key begins."""
    prefix, counts = "", dict[str, int]()
    inside = ""
    for number, line in enumerate(lines, start=1):
        if inside:
            inside = "" if line.count(inside) % 2 else inside
            continue
        if header := _TOML_HEADER.match(line):
            prefix = _toml_pointer("", header["keys"])
            if header["array"]:
                counts[prefix] = counts.get(prefix, -1) + 1
                prefix = f"{prefix}/{counts[prefix]}"
            yield _TomlPlace(number, prefix, header[0].strip(), is_table=True)
        elif key := _TOML_KEY.match(line):
            yield _TomlPlace(number, _toml_pointer(prefix, key["keys"]), key["keys"], is_table=False)
        inside = next((quotes for quotes in ('"""', "'''") if line.count(quotes) % 2), "")


def line_of(lines: Mapping[str, int], pointer: str) -> int:
    """Look a pointer up among known lines; what has none has that of the nearest container with one."""
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer, 1)


def placed(problems: Sequence[Problem], data: bytes, *, toml: bool) -> list[Problem]:
    """Give problems of one document their lines."""
    return _placed(problems, toml_lines(data) if toml else json_lines(data, (line.pointer for line in problems)))


_TOML_BARE: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*')"""
_TOML_KEYS: Final = rf"(?P<keys>{_TOML_BARE}(?:[ \t]*\.[ \t]*{_TOML_BARE})*)"
_TOML_HEADER: Final = re.compile(rf"[ \t]*\[(?P<array>\[)?[ \t]*{_TOML_KEYS}[ \t]*\]")
_TOML_KEY: Final = re.compile(rf"[ \t]*{_TOML_KEYS}[ \t]*=")
_TOML_STEP: Final = re.compile(_TOML_BARE)


def _toml_pointer(prefix: str, keys: str) -> str:
    return prefix + "".join(f"/{escape(key.strip(_QUOTES))}" for key in _TOML_STEP.findall(keys))


_QUOTES: Final = "\"'"


def _placed(problems: Sequence[Problem], lines: Mapping[str, int]) -> list[Problem]:
    return sorted(_at(problem, max(problem.line, line_of(lines, problem.pointer))) for problem in problems)


def _at(problem: Problem, line: int) -> Problem:
    return Problem(
        path=problem.path,
        line=line,
        pointer=problem.pointer,
        code=problem.code,
        message=problem.message,
        fix=problem.fix,
    )


class _Place(Struct, frozen=True, kw_only=True):
    """Where a key or a value stands in a JSON text.

    `lexeme` is how it begins (a brace or bracket for a container), `depth` the number of containers it is in (its own
    included), `nth` the number of different keys that its object has so far.
    """

    pointer: str
    start: int
    lexeme: str
    depth: int
    is_key: bool = False
    repeated: bool = False
    nth: int = 0


@dataclass(kw_only=True, slots=True)
class _Frame:
    """A container that is being walked through."""

    pointer: str
    keys: set[str] | None
    index: int = 0
    key: str = ""
    expects_key: bool = True

    def step(self) -> str:
        return f"{self.pointer}/{self.index if self.keys is None else escape(self.key)}"

    def take_key(self, start: int, lexeme: str, depth: int) -> _Place | None:
        """Give the place of a key, if that is what the lexeme is."""
        if self.keys is None or not self.expects_key:
            return None
        self.key, self.expects_key = _unquoted(lexeme), False
        repeated = self.key in self.keys
        self.keys.add(self.key)
        return _Place(
            pointer=self.step(),
            start=start,
            lexeme=lexeme,
            depth=depth,
            is_key=True,
            repeated=repeated,
            nth=len(self.keys),
        )


_TOKEN: Final = re.compile(r'[ \t\n\r]*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]|[^ \t\n\r{}\[\]:,"]++)', re.DOTALL)


def _places(text: str) -> Iterator[_Place]:
    """Walk through a JSON text without recursion; where the text is no JSON the walk goes on as well as it can.

    What is nested too deep is stepped over: a file of nothing but brackets takes no more memory than another. The walk
    ends after the bound of work.
    """
    frames: list[_Frame] = []
    position = below = 0
    for _ in range(STEPS):
        match = _TOKEN.match(text, position)
        if match is None:
            return
        position = match.end()
        lexeme, start = match[1], match.start(1)
        if below:
            below += (lexeme in _OPENING) - (lexeme in _CLOSING)
            continue
        frame = frames[-1] if frames else None
        if lexeme in _MARKS:
            if lexeme == "," and frame is not None:
                frame.index, frame.expects_key = frame.index + 1, True
            elif lexeme in _CLOSING and frames:
                frames.pop()
            continue
        key = None if frame is None else frame.take_key(start, lexeme, len(frames))
        if key is not None:
            yield key
            continue
        pointer = "" if frame is None else frame.step()
        depth = len(frames) + (lexeme in _OPENING)
        if depth > DEPTH:
            below = 1
        elif depth > len(frames):
            frames.append(_Frame(pointer=pointer, keys=set() if lexeme == "{" else None))
        yield _Place(pointer=pointer, start=start, lexeme=lexeme, depth=depth)


_OPENING: Final = frozenset("{[")
_CLOSING: Final = frozenset("}]")
_MARKS: Final = frozenset(":,") | _CLOSING


def _unquoted(lexeme: str) -> str:
    """Read a JSON string, lone surrogates included; any other text is returned as it is."""
    if not lexeme.startswith('"'):
        return lexeme
    if "\\" not in lexeme:
        return lexeme[1:-1]

    try:
        return str(json.loads(lexeme, strict=False))
    except ValueError:
        return lexeme


class _Lines:
    """Lines of positions in a text that are asked for in ascending order."""

    def __init__(self, text: str) -> None:
        self._text: Final = text
        self._position = 0
        self._line = 1

    def of(self, position: int) -> int:
        self._line += self._text.count("\n", self._position, position)
        self._position = position
        return self._line


def json_problems(text: str, path: str, said: str | None) -> list[Problem]:
    """Read a refused text again and find its problems with their lines; `said` is what the parser stopped at.

    Looking ends with the first problem that is not listed, and with the bound of work: then there may be none.
    """
    lines = _Lines(text)
    problems: list[Problem] = []
    depth_told = False
    for place in _places(text):
        if len(problems) > LISTED:
            break
        line = lines.of(place.start)
        if place.depth > DEPTH and not depth_told:
            depth_told = True
            problems.append(_too_deep(path, line))
        problems.extend(_at(problem, line) for problem in _place_problems(path, place))
    syntax = None if said is None else _syntax_problem(path, said, text)
    # The parser stops at the first thing it cannot read: on a line that has a better explanation, that one stands.
    if syntax is not None and all(problem.line != syntax.line for problem in problems):
        problems.append(syntax)
    return bounded(problems, path)


def _syntax_problem(path: str, said: str, text: str) -> Problem:
    match = _JITER_PLACE.fullmatch(said)
    what, line = (said, 1) if match is None else (match["what"], int(match["line"]))
    if what.startswith(_JITER_TWICE):
        return _twice(path, "", what.removeprefix(_JITER_TWICE), min(line, text.count("\n") + 1))
    return Problem(
        path=path,
        line=min(line, text.count("\n") + 1),
        code=Code.NOT_JSON,
        message=f"the file is not JSON: {what}" + ("" if match is None else f" (column {match['column']})"),
        fix="write it with a JSON library, or fix the place by hand",
    )


_JITER_TWICE: Final = "Detected duplicate key "


def fault_problems(path: str, text: str, pointer: str, value: Any, depth: int) -> list[Problem]:  # noqa: ANN401  # JSON holds anything
    """Explain the one value of a parsed document that is known to break a bound; `depth` containers are around it."""
    found = iter([_too_deep(path)]) if depth > DEPTH else _value_problems(path, pointer, value)
    problems = list(islice(found, LISTED + 1))
    return bounded(placed(problems, text.encode("utf-8", "surrogatepass"), toml=False), path)


def _place_problems(path: str, place: _Place) -> Iterator[Problem]:
    if place.is_key:
        yield from _key_problems(path, place)
    elif place.lexeme.startswith('"'):
        yield from _text_problems(path, place.pointer, _unquoted(place.lexeme), CONTROL)
    elif place.lexeme in _NOT_FINITE:
        yield _not_finite(path, place.pointer, place.lexeme)
    elif _NUMBER.fullmatch(place.lexeme):
        yield from _number_problems(path, place.pointer, _number(place.lexeme), place.lexeme)


def _key_problems(path: str, place: _Place) -> Iterator[Problem]:
    if place.repeated:
        yield _twice(path, place.pointer, place.lexeme)
    if place.nth == KEYS + 1 and not place.repeated:
        yield _too_many_keys(path, place.pointer.rpartition("/")[0])
    yield from _text_problems(path, place.pointer, _unquoted(place.lexeme), CONTROL_IN_KEY)


def _twice(path: str, pointer: str, key: str, line: int = 1) -> Problem:
    return Problem(
        path=path,
        line=line,
        pointer=_safe(pointer),
        code=Code.DUPLICATE_KEY,
        message=f"the key {_cut(key)} is there twice in its object",
        fix="keep one of them",
    )


def _text_problems(path: str, pointer: str, text: str, control: re.Pattern[str]) -> Iterator[Problem]:
    if found := control.search(text):
        yield Problem(
            path=path,
            pointer=_safe(pointer),
            code=Code.CONTROL_CHARACTER,
            message=f"the text has the control character U+{ord(found[0]):04X}",
            fix="remove it: people read the text as it is",
        )
    if found := _SURROGATE.search(text):
        yield Problem(
            path=path,
            pointer=_safe(pointer),
            code=Code.LONE_SURROGATE,
            message=f"the text has half of a surrogate pair, \\u{ord(found[0]):04x}",
            fix="write the whole character, as UTF-8 or as both halves",
        )


def _number_problems(path: str, pointer: str, value: float, lexeme: str) -> Iterator[Problem]:
    if value in _INFINITE or value != value:  # noqa: PLR0124  # only NaN differs from itself
        yield _not_finite(path, pointer, lexeme)
    elif not (-INTEGER <= value <= INTEGER or type(value) is float):
        yield Problem(
            path=path,
            pointer=_safe(pointer),
            code=Code.INTEGER_TOO_LARGE,
            message=f"{_cut(lexeme)} is more than every reader can hold exactly",
            fix=f"keep whole numbers within ±{INTEGER}, or write the number as text",
        )


def _value_problems(path: str, pointer: str, value: Any) -> Iterator[Problem]:  # noqa: ANN401  # any TOML value
    """Find what is wrong with a parsed document whose depth is known to be bounded."""
    if isinstance(value, dict):
        if len(value) > KEYS:
            yield _too_many_keys(path, pointer)
        for key, member in value.items():
            yield from _text_problems(path, f"{pointer}/{escape(key)}", key, CONTROL_IN_KEY)
            yield from _value_problems(path, f"{pointer}/{escape(key)}", member)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _value_problems(path, f"{pointer}/{index}", element)
    elif isinstance(value, str):
        yield from _text_problems(path, pointer, value, CONTROL)
    elif not isinstance(value, bool):
        yield from _number_problems(path, pointer, value, str(value))


_INFINITE: Final = (float("inf"), float("-inf"))
_NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity", "-NaN"})
_NUMBER: Final = re.compile(r"-?[0-9]+(?P<float>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?")
_LONGEST: Final = len(str(INTEGER)) + 1


def _number(lexeme: str) -> float:
    """Read a number; an integer of absurd length is not even converted."""
    if not lexeme.lstrip("-").isdigit():
        return float(lexeme)
    return int(lexeme[: _LONGEST + 1])


def _not_finite(path: str, pointer: str, lexeme: str) -> Problem:
    return Problem(
        path=path,
        pointer=_safe(pointer),
        code=Code.NOT_FINITE,
        message=f"{_cut(lexeme)} is not a finite number",
        fix="write a number, or leave the field out",
    )


def _too_deep(path: str, line: int = 1) -> Problem:
    return Problem(
        path=path,
        line=line,
        code=Code.TOO_DEEP,
        message=f"more than {DEPTH} objects and arrays are nested in one another",
        fix="make the structure flatter",
    )


def _too_many_keys(path: str, pointer: str) -> Problem:
    return Problem(
        path=path,
        pointer=_safe(pointer),
        code=Code.TOO_MANY_KEYS,
        message=f"the object has more than {KEYS} keys",
        fix="use an array, or leave out what is not needed",
    )


def _cut(lexeme: str) -> str:
    return lexeme if len(lexeme) <= _SHOWN else f"{lexeme[:_SHOWN]}…"


def _safe(pointer: str) -> str:
    """Make a pointer printable: what a report cannot show stands as an escape."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", pointer)


_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def toml_problems(text: str, path: str, outcome: Exception | Mapping[str, Any]) -> list[Problem]:
    """Explain a refused TOML text: by the parser's error, or by what is wrong with the values it holds."""
    if isinstance(outcome, RecursionError):
        return [_too_deep(path)]
    if isinstance(outcome, Exception):
        return [_toml_problem(path, text, str(outcome))]
    problems = list(islice(_value_problems(path, "", outcome), LISTED + 1))
    return bounded(_placed(problems, toml_lines(text.encode())), path)


def _toml_problem(path: str, text: str, said: str) -> Problem:
    match = _TOML_PLACE.fullmatch(said)
    line = text.count("\n") + 1 if match is None or match["line"] is None else int(match["line"])
    what = said if match is None else match["what"]
    if what.startswith(_TOML_TWICE):
        return _toml_twice(path, line, what, text)
    return Problem(
        path=path,
        line=line,
        code=Code.NOT_TOML,
        message=f"the file is not TOML: {what}",
        fix="fix the line; see toml.io for the grammar",
    )


def _toml_twice(path: str, line: int, said: str, text: str) -> Problem:
    """Name the key or table that is there twice: the last one that begins at or above the place where parsing stopped.

    Of a key inside an inline table the parser itself says the name.
    """
    begun = deque([_TomlPlace(line, "", "", is_table=False), *_toml_places(text.split("\n")[:line])], maxlen=1)
    place = begun[0]
    inline = _TOML_INLINE_TWICE.fullmatch(said)
    what = f"the key {_cut(place.written if inline is None else inline['key'])} is there twice in its table"
    return Problem(
        path=path,
        line=place.line if inline is None else line,
        pointer=_safe(place.pointer),
        code=Code.DUPLICATE_KEY,
        message=f"the table {_cut(place.written)} is there twice, or also as a key" if place.is_table else what,
        fix="keep one of them",
    )


_TOML_TWICE: Final = (
    "Cannot overwrite a value",
    "Cannot declare ",
    "Cannot redefine namespace ",
    "Duplicate inline table key ",
)
_TOML_INLINE_TWICE: Final = re.compile("Duplicate inline table key (?P<key>.*)", re.DOTALL)
