"""Models whose JSON value has their fields under the same names: msgspec reads and writes them."""

from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct, convert, to_builtins


class Value(Struct, frozen=True, kw_only=True):
    """A model that is written as it is: each field under its name, in the order of the class.

    A class with `omit_defaults=True` leaves out what has its default. A model that is written otherwise says so in a
    `to_dict` of its own (ADR 28).
    """

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read the model; the data must satisfy its schema."""
        return convert(data, cls)

    def to_dict(self) -> dict[str, Any]:
        """Give the model's JSON value."""
        return {name: _lists(member) for name, member in to_builtins(self).items()}


def _lists(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Give a value with lists where msgspec leaves tuples: JSON reads back as lists."""
    if isinstance(value, (tuple, list)):
        return [_lists(element) for element in value]
    if isinstance(value, dict):
        return {name: _lists(member) for name, member in value.items()}
    return value
