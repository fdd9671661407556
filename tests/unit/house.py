"""The plan of the house, from floors.toml, and the page that shows it: run as a program, this writes the page anew."""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPTS: Final = ROOT / "scripts"
PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN: Final = "<!-- made by tests/unit/house.py from tests/unit/floors.toml: begin -->\n"
END: Final = "<!-- made by tests/unit/house.py: end -->\n"
_PLAN: Final[Mapping[str, Any]] = tomllib.loads((Path(__file__).parent / "floors.toml").read_text(encoding="utf-8"))


def members(room: str, listed: str) -> tuple[str, ...]:
    """The modules of a room by their whole names, in order."""
    names = tuple(room if name == "__init__" else f"{room}.{name}" for name in listed.split())
    return names if room in names else (room, *names)


FLOORS: Final = [{room: members(room, listed) for room, listed in rooms.items()} for rooms in _PLAN["floor"]]
"""Each floor's rooms, with the modules of each in the order in which they may import each other."""
BESIDE: Final = {room: members(room, listed) for room, listed in _PLAN["beside"].items()}
"""What stands beside the product, with its modules."""


def places(*floors: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[int, str, int]]:
    """Each module's floor, room and place in it."""
    return {
        module: (floor, room, place)
        for floor, rooms in enumerate(floors)
        for room, modules in rooms.items()
        for place, module in enumerate(modules)
    }


def path_of(module: str) -> Path:
    """The file of a module or package."""
    base = SCRIPTS / module.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def says(module: str) -> str:
    """The first paragraph of what a module says of itself."""
    text = ast.get_docstring(ast.parse(path_of(module).read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def table() -> Iterator[str]:
    """The rooms of the product, from the top floor down."""
    yield "| floor | room | what is in it | its modules, lowest first |"
    yield "|---|---|---|---|"
    for floor in reversed(range(len(FLOORS))):
        for room, modules in FLOORS[floor].items():
            inside = " ".join(f"`{module.removeprefix(f'{room}.')}`" for module in modules if module != room)
            yield f"| {floor} | `{room}` | {says(room)} | {inside} |"


def page() -> str:
    """docs/architecture.md as it should be: the table is made, everything around it is kept."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + "".join(f"{line}\n" for line in table()) + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
