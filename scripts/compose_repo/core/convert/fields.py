"""Reading foreign JSON field by field: each has the type that is asked for, or the problem says where it has not."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from compose_repo.core.documents.foreign import parse_foreign_json, whole_characters
from compose_repo.core.documents.limits import INTEGER
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, escape, shown


class Fields(Struct, frozen=True, kw_only=True):
    """An object of a document; a field that is null is as good as absent, and so is a null in an array."""

    path: str
    pointer: str = ""
    values: Mapping[str, Any]

    @classmethod
    def read(cls, data: bytes, path: str) -> "Fields":
        """Read a JSON document that is an object.

        Raises:
            InputError: it is none.

        """
        try:
            value = parse_foreign_json(data)
        except ValueError as error:
            problem = Problem(path=path, code=Code.NOT_JSON, message=f"not JSON: {error}", fix="fetch it again")
            raise InputError(problem) from None
        if not isinstance(value, dict):
            raise InputError(_wrong(path, "", value, "an object"))
        return cls(path=path, values=value)

    def has(self, name: str) -> bool:
        """Tell whether there is such a field."""
        return self.values.get(name) is not None

    def text(self, name: str) -> str | None:
        """Give a text."""
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return None if value is None else whole_characters(value)
        raise InputError(_wrong(self.path, self.at(name), value, "a text"))

    def text_if_any(self, name: str) -> str | None:
        """Give a text, of a field that may hold anything else as well."""
        value = self.values.get(name)
        return self.text(name) if isinstance(value, str | tuple) else None

    def integer(self, name: str) -> int | None:
        """Give a whole number that every reader reads alike, not negative."""
        value = self.values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INTEGER):
            return value
        raise InputError(_wrong(self.path, self.at(name), value, "a whole number"))

    def truth(self, name: str) -> bool | None:
        """Give true or false."""
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise InputError(_wrong(self.path, self.at(name), value, "true or false"))

    def seconds(self, name: str, most: float) -> float | None:
        """Give a duration; one that cannot be is as good as absent."""
        value = self.values.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if value is not None and is_number and 0 <= value <= most else None

    def objects(self, name: str) -> Iterator["Fields"]:
        """Give the objects of an array; where null stands in their place, as Jenkins writes it, there is none."""
        value = self.values.get(name)
        if not isinstance(value, list | None):
            raise InputError(_wrong(self.path, self.at(name), value, "an array"))
        for index, element in enumerate(value or ()):
            pointer = f"{self.at(name)}/{index}"
            if isinstance(element, dict):
                yield Fields(path=self.path, pointer=pointer, values=element)
            elif element is not None:
                raise InputError(_wrong(self.path, pointer, element, "an object"))

    def objects_if_any(self, name: str) -> Iterator["Fields"]:
        """Give the objects of an array, of a field that may hold anything else as well."""
        if isinstance(self.values.get(name), list | tuple):
            yield from self.objects(name)

    def at(self, name: str) -> str:
        """Give the JSON pointer of a field."""
        return f"{self.pointer}/{escape(name)}"

    def problem(self, name: str, code: Code, message: str, fix: str) -> Problem:
        """Give a problem of a field."""
        return Problem(path=self.path, pointer=self.at(name), code=code, message=message, fix=fix)


def _wrong(path: str, pointer: str, value: object, expected: str) -> Problem:
    match value:
        case dict():
            what = "an object"
        case list():
            what = "an array"
        case tuple():
            what = f"{len(value)} different values of one key"
        case _:
            what = shown(value)
    return Problem(
        path=path, pointer=pointer, code=Code.WRONG_TYPE, message=f"{what} should be {expected}", fix="fetch it again"
    )
