"""JSON Schemas: jsonschema-rs says yes fast, jsonschema says what is wrong.

The schemas are those of the running code, never those of a tree that is judged.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from compose_repo.core.composes.layout import Kind
from compose_repo.core.documents.strict import read_json
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.ports.resources import folder


def is_valid(kind: Kind, data: Any) -> bool:  # noqa: ANN401  # whatever a file held
    """Tell whether data satisfies the schema of its kind."""
    return _validator(kind)(data)


def violations(kind: Kind, data: Any, path: str) -> list[Problem]:  # noqa: ANN401  # whatever a file held
    """Explain what in data violates the schema of its kind; problems have no lines yet."""
    from compose_repo.ports.violations import explained  # noqa: PLC0415  # only what is wrong needs explaining

    return explained(_schema(kind), data, path, partial(_part_validator, kind)) or [_unexplained(kind, path)]


@cache
def _schema(kind: Kind) -> dict[str, Any]:
    name = f"{kind}.schema.json"
    schema: dict[str, Any] = read_json((folder("schemas") / name).read_bytes(), f"schemas/{name}")
    return schema


@cache
def _validator(kind: Kind) -> Callable[[Any], bool]:
    return _compiled(_schema(kind))


def _part_validator(kind: Kind, part: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Tell of values whether they satisfy a part of the schema of a kind."""
    return _compiled({"$defs": _schema(kind).get("$defs", {}), **part})


def _compiled(schema: dict[str, Any]) -> Callable[[Any], bool]:
    import jsonschema_rs  # noqa: PLC0415  # half of a small run's time; a verb that reads no files goes without

    return jsonschema_rs.Draft202012Validator(schema).is_valid


def _unexplained(kind: Kind, path: str) -> Problem:
    """Say so if the two validators disagree: what either refuses is refused."""
    return Problem(
        path=path,
        code=Code.SCHEMA,
        message=f"the file does not satisfy schemas/{kind}.schema.json",
        fix="compare it with the schema's examples",
    )
