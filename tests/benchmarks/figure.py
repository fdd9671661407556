"""One line of the table of figures."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table: what was measured, its value, and the limit it is held to, if it is held to one.

    `more` are lines below it.
    """

    what: str
    value: float
    limit: float | None = None
    unit: str = "x"
    at_least: bool = False
    detail: str = ""
    more: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Tell whether the value keeps to the limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        """Give the line, and those below it."""
        limit, sign = "", ""
        if self.limit is not None:
            limit = f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"
            sign = "ok" if self.met else "MISS"
        number = f"{self.value:,.0f}" if self.unit in COUNTED else f"{self.value:.2f}"
        line = f"{self.what:<56} {f'{number} {self.unit}'.strip():>11} {limit:>11}  {sign:<4} {self.detail}"
        return "\n".join([line, *(f"    {one}" for one in self.more)])


COUNTED = frozenset({"", "/min"})
