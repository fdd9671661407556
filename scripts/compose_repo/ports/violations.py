"""What jsonschema finds, in words: where, what, and how to fix it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from itertools import islice
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from msgspec import Struct

from compose_repo.core.documents.limits import LISTED
from compose_repo.core.links import LINKS
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem, escape, shown
from compose_repo.core.result import SYNONYMS

EXPLAINED: Final = 1000
"""How many violations of one file are looked at, where several say the same."""
FEW: Final = 16
"""How many elements of an array are explained without asking first which of them need it."""
Sound: TypeAlias = Callable[[Any], Callable[[Any], bool]]
"""From a part of a schema to whether a value satisfies it."""

_LIMITS: Final = {
    "minLength": "is shorter than {} characters",
    "maxLength": "is longer than {} characters",
    "minItems": "has fewer than {} elements",
    "maxItems": "has more than {} elements",
    "minProperties": "has fewer than {} fields",
    "maxProperties": "has more than {} fields",
    "minimum": "is less than {}",
    "maximum": "is more than {}",
}
_TYPES: Final = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "object": "an object",
    "array": "a list",
    "boolean": "true or false",
    "null": "null",
}


def explained(schema: Mapping[str, Any], data: Any, path: str, sound: Sound) -> list[Problem]:  # noqa: ANN401  # whatever a file held
    """Give a problem for each violation of a schema, up to the first that is not listed.

    jsonschema takes a hundred times as long as the validator behind `sound`, which says what it need not look at.
    """
    validator: Any = extend(Draft202012Validator, {"items": partial(_items, sound)})  # type: ignore[no-untyped-call]  # jsonschema is untyped here
    found: dict[Problem, None] = {}
    for error in islice(validator(schema).iter_errors(data), EXPLAINED):
        for problem in _explain(_Violation.of(error), path):
            found[problem] = None
            if len(found) > LISTED:
                return list(found)
    return list(found)


def _items(sound: Sound, validator: Any, items: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:  # noqa: ANN401  # jsonschema's own
    """Explain the elements of an array that are wrong; those beyond its greatest length have no place there anyway."""
    if not isinstance(instance, list):
        return
    is_sound = sound(items) if len(instance) > FEW else _unknown_yet
    for index, element in enumerate(instance[: schema.get("maxItems")]):
        if not is_sound(element):
            yield from validator.descend(element, items, path=index)


def _unknown_yet(_: object) -> bool:
    return False


class _Violation(Struct, frozen=True, kw_only=True):
    """What jsonschema found: the keyword that is violated, what it asks for, what it looked at, and where.

    `branches` holds the violations of each alternative of an anyOf; `is_whole` tells that one is about the whole value
    of its alternative, not about a part of it.
    """

    pointer: str
    keyword: str
    expected: Any
    instance: Any
    schema: Mapping[str, Any]
    branches: Sequence[Sequence["_Violation"]]
    is_whole: bool

    @classmethod
    def of(cls, error: ValidationError) -> "_Violation":
        branches: dict[str | int, list[_Violation]] = {}
        for nested in error.context or ():
            branches.setdefault(nested.relative_schema_path[0], []).append(cls.of(nested))
        return cls(
            pointer="".join(f"/{escape(step)}" for step in error.absolute_path),
            keyword=str(error.validator),
            expected=error.validator_value,
            instance=error.instance,
            schema=_mapping(error.schema),
            branches=list(branches.values()),
            is_whole=not error.relative_path,
        )

    def problem(self, path: str, code: Code, message: str, fix: str | None = None) -> Problem:
        return Problem(path=path, pointer=self.pointer, code=code, message=message, fix=fix or _belongs(self.schema))

    def problem_at(self, name: str, path: str, code: Code, message: str, fix: str | None = None) -> Problem:
        pointer = f"{self.pointer}/{escape(name)}"
        return Problem(path=path, pointer=pointer, code=code, message=message, fix=fix or _belongs(self.schema))


def _explain(one: _Violation, path: str) -> Iterator[Problem]:
    match one.keyword:
        case "required":
            yield from _missing(one, path)
        case "additionalProperties":
            yield from _unknown(one, path)
        case "anyOf":
            yield from _none_of(one, path)
        case "enum" | "const":
            yield _wrong_value(one, path)
        case "type":
            yield one.problem(path, Code.WRONG_TYPE, f"{shown(one.instance)} is not {_type(one.expected)}")
        case limit if limit in _LIMITS:
            bound = _LIMITS[limit].format(f"{one.expected:,}")
            yield one.problem(path, Code.OUT_OF_BOUNDS, f"{shown(one.instance)} {bound}")
        case _:
            yield _bad_form(one, path)


def _missing(one: _Violation, path: str) -> Iterator[Problem]:
    for name in one.expected:
        if name not in one.instance:
            about = _described(_mapping(_mapping(one.schema.get("properties")).get(name)))
            yield one.problem(path, Code.MISSING_FIELD, f"{name} is missing", f"add it: {about}" if about else "add it")


def _unknown(one: _Violation, path: str) -> Iterator[Problem]:
    known = list(one.schema.get("properties", ()))
    if not known:
        yield from _bad_names(one, path)
        return
    for name in one.instance:
        if name in known:
            continue
        near = _nearest(name, known)
        misc = ", or move it into misc" if "misc" in known else ""
        yield one.problem_at(
            name,
            path,
            Code.UNKNOWN_FIELD,
            f"the field {shown(name)} is not known",
            f"did you mean {near}? rename it{misc}" if near else f"remove it{misc}; known: {', '.join(known)}",
        )


def _bad_names(one: _Violation, path: str) -> Iterator[Problem]:
    patterns = [re.compile(pattern) for pattern in one.schema.get("patternProperties", ())]
    for name in one.instance:
        if not any(pattern.search(name) for pattern in patterns):
            yield one.problem_at(name, path, Code.BAD_FORM, f"{shown(name)} is not a valid name here")


def _none_of(one: _Violation, path: str) -> Iterator[Problem]:
    """Explain by the one alternative of the right type; if there is none, or several, by the field's own words."""
    close = [branch for branch in one.branches if not any(_is_at_odds(nested) for nested in branch)]
    if len(close) == 1:
        for nested in close[0]:
            yield from _explain(nested, path)
        return
    missing = [
        name for branch in close for nested in branch if nested.keyword == "required" for name in nested.expected
    ]
    if missing:
        names = " and ".join(missing)
        yield one.problem(path, Code.MISSING_FIELD, f"{names} are missing, one of them is needed", "add one of them")
    else:
        yield _bad_form(one, path)


def _is_at_odds(one: _Violation) -> bool:
    return one.is_whole and one.keyword in {"type", "enum", "const"}


def _wrong_value(one: _Violation, path: str) -> Problem:
    allowed = one.expected if one.keyword == "enum" else [one.expected]
    near = _meant(one.instance, allowed) if isinstance(one.instance, str) else None
    known = ", ".join(value if isinstance(value, str) else shown(value) for value in allowed)
    return one.problem(
        path,
        Code.WRONG_VALUE,
        f"{shown(one.instance)} is not known here",
        (f"did you mean {near}? " if near and len(allowed) > 1 else "")
        + (f"use one of: {known}" if len(allowed) > 1 else f"use {known}"),
    )


def _bad_form(one: _Violation, path: str) -> Problem:
    title = one.schema.get("title", "value")
    code = Code.BAD_LINK if title in LINKS else Code.BAD_FORM
    return one.problem(path, code, f"{shown(one.instance)} does not fit: {title}")


def _belongs(schema: Mapping[str, Any]) -> str:
    words = _described(schema)
    return f"what belongs here: {words}" if words else "compare it with the schema"


def _described(schema: Mapping[str, Any]) -> str:
    words = str(schema.get("description", "")).rstrip(".")
    return words[:1].lower() + words[1:]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _type(names: str | Sequence[str]) -> str:
    return " or ".join(_TYPES[name] for name in ([names] if isinstance(names, str) else names))


def _nearest(word: str, known: Sequence[object]) -> str | None:
    return next(iter(get_close_matches(word[:_COMPARED], [str(one) for one in known], n=1)), None)


def _meant(word: str, allowed: Sequence[object]) -> str | None:
    """Find the allowed word that was meant: in other letters, by another tool's name for an outcome, or mistyped."""
    small = word[:_COMPARED].strip().lower()
    outcome = SYNONYMS.get(small)
    return small if small in allowed else outcome if outcome in allowed else _nearest(word, allowed)


_COMPARED: Final = 64
