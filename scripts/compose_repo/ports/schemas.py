"""JSON Schemas: jsonschema-rs says yes fast, jsonschema says what is wrong.

The schemas are those of the running code, never those of a tree that is judged.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from compose_repo.core.layout import Kind
from compose_repo.core.problem import Problem
from compose_repo.core.strict import escape, shown
from compose_repo.resources import folder

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

EXPLAINED: Final = 1000
"""How many violations of one file are looked for."""

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


def is_valid(kind: Kind, data: Any) -> bool:  # noqa: ANN401  # whatever a file held
    """Tell whether data satisfies the schema of its kind."""
    return _validator(kind)(data)


def violations(kind: Kind, data: Any, path: str) -> list[Problem]:  # noqa: ANN401  # whatever a file held
    """Explain what in data violates the schema of its kind; problems have no lines yet."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # only what is wrong needs explaining

    errors = islice(Draft202012Validator(_schema(kind)).iter_errors(data), EXPLAINED)
    found = dict.fromkeys(problem for error in errors for problem in _explain(error, path))
    return list(found) or [_unexplained(kind, path)]


@cache
def _schema(kind: Kind) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((folder("schemas") / f"{kind}.schema.json").read_bytes())
    return schema


@cache
def _validator(kind: Kind) -> Callable[[Any], bool]:
    import jsonschema_rs  # noqa: PLC0415  # half of a small run's time; a verb that reads no files goes without

    return jsonschema_rs.Draft202012Validator(_schema(kind)).is_valid


def _unexplained(kind: Kind, path: str) -> Problem:
    """Say so if the two validators disagree: what either refuses is refused."""
    return Problem(
        path=path,
        code="schema",
        message=f"the file does not satisfy schemas/{kind}.schema.json",
        fix="compare it with the schema's examples",
    )


def _explain(error: "ValidationError", path: str) -> Iterator[Problem]:
    pointer = "".join(f"/{escape(step)}" for step in error.absolute_path)
    match error.validator:
        case "required":
            yield from _missing(error, path, pointer)
        case "additionalProperties":
            yield from _unknown(error, path, pointer)
        case "anyOf" | "oneOf":
            yield from _none_of(error, path, pointer)
        case "enum" | "const":
            yield _wrong_value(error, path, pointer)
        case "type":
            yield Problem(
                path=path,
                pointer=pointer,
                code="wrong-type",
                message=f"{shown(error.instance)} is not {_type(error.validator_value)}",
                fix=_belongs(error.schema),
            )
        case str(limit) if limit in _LIMITS:
            yield Problem(
                path=path,
                pointer=pointer,
                code="out-of-bounds",
                message=f"{shown(error.instance)} {_LIMITS[limit].format(f'{error.validator_value:,}')}",
                fix=_belongs(error.schema),
            )
        case _:
            yield _bad_form(error, path, pointer)


def _missing(error: "ValidationError", path: str, pointer: str) -> Iterator[Problem]:
    for name in error.validator_value:
        if name not in error.instance:
            about = _property(error.schema, name)
            yield Problem(
                path=path,
                pointer=pointer,
                code="missing-field",
                message=f"{name} is missing",
                fix=f"add it: {_described(about)}" if about else "add it",
            )


def _unknown(error: "ValidationError", path: str, pointer: str) -> Iterator[Problem]:
    known = list(_mapping(error.schema).get("properties", ()))
    if not known:
        yield from _bad_names(error, path, pointer)
        return
    for name in error.instance:
        if name not in known:
            near = _nearest(name, known)
            misc = ", or move it into misc" if "misc" in known else ""
            yield Problem(
                path=path,
                pointer=f"{pointer}/{escape(name)}",
                code="unknown-field",
                message=f"the field {shown(name)} is not known" + (f"; did you mean {near}?" if near else ""),
                fix=f"rename it to {near}{misc}" if near else f"remove it{misc}; known: {', '.join(known)}",
            )


def _bad_names(error: "ValidationError", path: str, pointer: str) -> Iterator[Problem]:
    import re  # noqa: PLC0415  # beside jsonschema, which has it

    patterns = list(_mapping(error.schema).get("patternProperties", ()))
    for name in error.instance:
        if not any(re.search(pattern, name) for pattern in patterns):
            yield Problem(
                path=path,
                pointer=f"{pointer}/{escape(name)}",
                code="bad-form",
                message=f"{shown(name)} cannot stand as a name here",
                fix=_belongs(error.schema),
            )


def _none_of(error: "ValidationError", path: str, pointer: str) -> Iterator[Problem]:
    """Explain by the one alternative of the right type; if there is none, or several, by the field's own words."""
    branches: dict[Any, list[ValidationError]] = {}
    for nested in error.context or ():
        branches.setdefault(nested.relative_schema_path[0], []).append(nested)
    close = [nested for nested in branches.values() if not any(_is_at_odds(one) for one in nested)]
    if len(close) == 1:
        for nested in close[0]:
            yield from _explain(nested, path)
        return
    missing = [
        name for nested in close for one in nested if one.validator == "required" for name in one.validator_value
    ]
    if missing:
        yield Problem(
            path=path,
            pointer=pointer,
            code="missing-field",
            message=f"{' and '.join(missing)} are missing",
            fix="add one of them",
        )
        return
    yield _bad_form(error, path, pointer)


def _is_at_odds(error: "ValidationError") -> bool:
    return not error.relative_path and error.validator in {"type", "enum", "const"}


def _wrong_value(error: "ValidationError", path: str, pointer: str) -> Problem:
    allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
    near = _nearest(error.instance, allowed) if isinstance(error.instance, str) else None
    known = ", ".join(value if isinstance(value, str) else shown(value) for value in allowed)
    return Problem(
        path=path,
        pointer=pointer,
        code="wrong-value",
        message=f"{shown(error.instance)} is not known here" + (f"; did you mean {near}?" if near else ""),
        fix=f"use one of: {known}" if len(allowed) > 1 else f"use {known}",
    )


def _bad_form(error: "ValidationError", path: str, pointer: str) -> Problem:
    title = _mapping(error.schema).get("title", "value")
    is_link = title in {"Link", "Source address"}
    return Problem(
        path=path,
        pointer=pointer,
        code="bad-link" if is_link else "bad-form",
        message=f"{shown(error.instance)} does not fit: {title}",
        fix=_belongs(error.schema),
    )


def _belongs(schema: object) -> str:
    words = _described(_mapping(schema))
    return f"what belongs here: {words}" if words else "see the schema"


def _described(schema: Mapping[str, Any]) -> str:
    words = str(schema.get("description", "")).rstrip(".")
    return words[:1].lower() + words[1:]


def _property(schema: object, name: str) -> Mapping[str, Any]:
    return _mapping(_mapping(_mapping(schema).get("properties")).get(name))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _type(names: str | Sequence[str]) -> str:
    return " or ".join(_TYPES[name] for name in ([names] if isinstance(names, str) else names))


def _nearest(word: str, known: Sequence[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415  # only what is wrong needs a suggestion

    return next(iter(get_close_matches(word[:_COMPARED], [str(one) for one in known], n=1)), None)


_COMPARED: Final = 64
