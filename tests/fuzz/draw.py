"""Values drawn from bytes: the same bytes give the same values, and when they run out every choice is the first."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Takes bytes from the front, one or two for each choice, so that a small change of them changes one thing."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Tell whether any bytes are left."""
        return self._at < len(self._data)

    def integer(self, most: int) -> int:
        """Give a number from 0 to `most`."""
        taken = self._data[self._at : self._at + (1 if most < 256 else 2)]
        self._at += len(taken)
        return int.from_bytes(taken, "little") % (most + 1)

    def choice(self, values: Sequence[T]) -> T:
        """Give one of some values."""
        return values[self.integer(len(values) - 1)]

    def chance(self, one_in: int) -> bool:
        """Give True for one byte in so many, and never when there are none left."""
        return bool(self) and self.integer(one_in - 1) == one_in - 1

    def text(self, most: int, pieces: Sequence[str] = ()) -> str:
        """Give a text of at most so many pieces: characters, or what `pieces` holds."""
        return "".join(self.piece(pieces) for _ in range(self.integer(most)))

    def piece(self, pieces: Sequence[str]) -> str:
        """Give a character of any plane, or, as often, one of the pieces."""
        kind = self.integer(3)
        if kind > 1 and pieces:
            return self.choice(pieces)
        if kind == 1:
            return chr(self.integer(0xFFFF) | (self.integer(16) << 16))
        return chr(self.integer(255))

    def rest(self) -> bytes:
        """Give all that is left."""
        left = self._data[self._at :]
        self._at = len(self._data)
        return left
