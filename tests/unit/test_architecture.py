"""The shape of the house: the core is pure, each foreign thing has one door, imports run one way."""

import ast
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeGuard

import house
import pytest

SCRIPTS: Final = Path(__file__).resolve().parents[2] / "scripts"

# fmt: off
PURE: Final = frozenset({
    "base64", "binascii", "bisect", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum",
    "fnmatch", "functools",
    "difflib", "hashlib", "html", "itertools", "jiter", "json", "math", "msgspec", "operator", "re",
    "string", "textwrap", "tomllib", "types", "typing", "unicodedata", "urllib.parse", "xml",
})
# fmt: on
"""What the core may import beside itself: nothing that reads or writes, and nothing that is slow to import."""

DOORS: Final[Mapping[str, str | tuple[str, ...]]] = {
    "gitlab": "compose_repo.ports.gitlab",
    "requests": "compose_repo.ports.gitlab",
    "urllib3": ("compose_repo.ports.http", "compose_repo.ports.gitlab"),
    "productmd": "compose_repo.ports.productmd",
    "jinja2": "compose_repo.ports.templates",
    "jsonschema": "compose_repo.ports.violations",
    "jsonschema_rs": "compose_repo.ports.schemas",
    "subprocess": ("compose_repo.ports.git", "compose_repo.ports.signatures", "compose_repo.ports.promoting"),
    "urllib.request": "compose_repo.ports.http",
    "http": "compose_repo.ports.http",
    "socket": "compose_repo.ports.http",
    "shtab": "compose_repo.verbs.completion",
    "fedora_messaging": "compose_repo.ports.bus",
    "twisted": "compose_repo.ports.bus",
    "pika": "compose_repo.ports.bus",
}
"""The module or package that may import each of these; the demo stands outside and plays everybody's part."""

PLACES: Final = house.places(*house.FLOORS)
BESIDES: Final = house.places(*({room: modules} for room, modules in house.BESIDE.items()))
"""Where each module stands in floors.toml."""

SURROUNDINGS: Final = "compose_repo.ports.environment"
CLOCK: Final = "compose_repo.ports.clock"
READS_THE_CLOCK: Final = frozenset({"now", "utcnow", "today"})
TIME_AND_CHANCE: Final = frozenset({"time", "random"})
EDGES: Final = frozenset({"compose_repo.cli", "compose_repo.passes.listening"})
"""Where the program starts, by our own command or by fedora-messaging's: there the machine's clock comes in."""
HANDED_A_CLOCK: Final = frozenset({"Repository", "scratch", "Signatures", "Console", "Progress", "compose_root"})
"""What goes by the machine's own clock where a test hands in none."""
IMPURE_CALLS: Final = frozenset({"open", "print", "input", "exec", "eval", "breakpoint"})

Law = Callable[[str, ast.Module], Iterator[str]]


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def is_demo(module: str) -> bool:
    return within(module, "compose_demo") or module == "compose_repo.verbs.demo"


def the_core_imports_only_what_is_pure(module: str, tree: ast.Module) -> Iterator[str]:
    if within(module, "compose_repo.core"):
        for name in imports(tree):
            if not within(name, "compose_repo.core") and not any(within(name, pure) for pure in PURE):
                yield f"{module} imports {name}"


def the_core_does_no_io(module: str, tree: ast.Module) -> Iterator[str]:
    if within(module, "compose_repo.core"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
                yield f"{module}:{node.lineno} calls {node.func.id}()"


def each_foreign_thing_has_one_door(module: str, tree: ast.Module) -> Iterator[str]:
    if within(module, "compose_repo") and not is_demo(module):
        for name in imports(tree):
            for thing, doors in DOORS.items():
                allowed = (doors,) if isinstance(doors, str) else doors
                if within(name, thing) and not any(within(module, door) for door in allowed):
                    yield f"{module} imports {name}, which is for {' and '.join(allowed)}"


def one_module_reads_the_environment(module: str, tree: ast.Module) -> Iterator[str]:
    if not within(module, "compose_repo") or module == SURROUNDINGS or is_demo(module):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}:
            yield f"{module}:{node.lineno} reads {ast.unparse(node)}"
    for name in imports(tree):
        if name in {"os.environ", "os.getenv"}:
            yield f"{module} imports {name}"


def one_module_reads_the_clock_sleeps_and_asks_chance(module: str, tree: ast.Module) -> Iterator[str]:
    if not within(module, "compose_repo") or module == CLOCK:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in READS_THE_CLOCK and not ast.unparse(node.func.value).endswith("clock"):
            yield f"{module}:{node.lineno} reads the clock: {ast.unparse(node.func)}()"
    for name in imports(tree):
        if any(within(name, one) for one in TIME_AND_CHANCE):
            yield f"{module} imports {name}"


def the_clock_is_handed_on(module: str, tree: ast.Module) -> Iterator[str]:
    """Who makes one of these says by which clock it goes; only where the program starts is that the machine's own."""
    if not within(module, "compose_repo") or is_demo(module) or module in EDGES:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in HANDED_A_CLOCK:
            continue
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if not any(ast.unparse(one).endswith("clock") for one in given):
            yield f"{module}:{node.lineno} makes {ast.unparse(node.func)} without a clock"


def imports_go_down(module: str, tree: ast.Module) -> Iterator[str]:
    """A module imports only what stands before it in floors.toml: lower floors, and its own room's earlier modules."""
    own = PLACES.get(module)
    if own is None:
        return
    for name in imported(tree, PLACES | BESIDES):
        there = PLACES.get(name)
        if there is not None and name != module and not is_below(there, own):
            yield f"{module} imports {name}, which does not stand below it"
        if name in BESIDES and not is_demo(module):
            yield f"{module} imports {name}, which stands beside the product"


def is_below(there: tuple[int, str, int], own: tuple[int, str, int]) -> bool:
    (floor, room, place), (own_floor, own_room, own_place) = there, own
    return floor < own_floor or (room == own_room and place < own_place)


def what_stands_beside_goes_down_too(module: str, tree: ast.Module) -> Iterator[str]:
    """A module beside the product imports what stands before it there; the local GitLab nothing of the product."""
    own = BESIDES.get(module)
    if own is None:
        return
    for name in imported(tree, PLACES | BESIDES):
        there = BESIDES.get(name)
        if there is not None and name != module and not is_below(there, own):
            yield f"{module} imports {name}, which does not stand before it"
        if name in PLACES and within(module, "local_gitlab"):
            yield f"{module} imports {name} of the product"


def answers_in_json_pass_one_function(module: str, tree: ast.Module) -> Iterator[str]:
    """What a verb writes as JSON may hold what steers a terminal: `core.escape.json_text` writes that as escapes."""
    if not is_demo(module) and module != "compose_repo.core.escape":
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) != "json.dumps":
                continue
            if any(keyword.arg == "indent" for keyword in node.keywords):
                yield f"{module}:{node.lineno} writes JSON for people"


LAWS: Final[list[Law]] = [
    answers_in_json_pass_one_function,
    the_core_imports_only_what_is_pure,
    the_core_does_no_io,
    each_foreign_thing_has_one_door,
    one_module_reads_the_environment,
    one_module_reads_the_clock_sleeps_and_asks_chance,
    the_clock_is_handed_on,
    imports_go_down,
    what_stands_beside_goes_down_too,
]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SCRIPTS).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def modules() -> Mapping[str, ast.Module]:
    """Parse every module, once for all laws."""
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in SCRIPTS.rglob("*.py")}


def circles(modules: Mapping[str, ast.Module]) -> Iterator[str]:
    """Find modules that import each other in a circle, however late they do so, or that import such a module."""
    uses = {module: set(imported(tree, modules)) - {module} for module, tree in modules.items()}
    while free := {module for module, used in uses.items() if not used & uses.keys()}:
        uses = {module: used for module, used in uses.items() if module not in free}
    yield from sorted(uses)


def imported(tree: ast.Module, modules: Mapping[str, object]) -> Iterator[str]:
    """Give the modules that a tree imports, or takes names from, when it runs."""
    for_types = {name for node in ast.walk(tree) if is_for_types(node) for name in imports(node)}
    for name in set(imports(tree)) - for_types:
        yield name if name in modules else name.rpartition(".")[0]


def is_for_types(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize(
    ("second", "expected"),
    [("import c", []), ("from p import a", ["p.a", "p.b"]), ("def f():\n    from p.a import g", ["p.a", "p.b"])],
)
def test_a_circle_is_noticed(second: str, expected: list[str]) -> None:
    assert list(circles({"p.a": ast.parse("from p.b import f"), "p.b": ast.parse(second)})) == expected


def test_no_modules_import_each_other() -> None:
    assert list(circles(modules())) == []


@pytest.mark.parametrize("law", LAWS)
def test_every_module_keeps_the_law(law: Law) -> None:
    assert "compose_repo.core.verdict.gate" in modules()
    assert [crime for module, tree in modules().items() for crime in law(module, tree)] == []


@pytest.mark.parametrize(
    ("law", "module", "source"),
    [
        (the_core_imports_only_what_is_pure, "compose_repo.core.verdict.gate", "import os"),
        (the_core_imports_only_what_is_pure, "compose_repo.core.verdict.gate", "from pathlib import Path"),
        (the_core_imports_only_what_is_pure, "compose_repo.core.verdict.gate", "from urllib import robotparser"),
        (the_core_imports_only_what_is_pure, "compose_repo.core.verdict.gate", "def f():\n    import subprocess"),
        (the_core_imports_only_what_is_pure, "compose_repo.core.verdict.gate", "from compose_repo.ports import git"),
        (the_core_does_no_io, "compose_repo.core.verdict.gate", "open('x')"),
        (each_foreign_thing_has_one_door, "compose_repo.verbs.gate", "import gitlab"),
        (each_foreign_thing_has_one_door, "compose_repo.verbs.gate", "from subprocess import run"),
        (each_foreign_thing_has_one_door, "compose_repo.ports.gitlab", "from urllib import request"),
        (each_foreign_thing_has_one_door, "compose_repo.ports.mirror", "from urllib3.exceptions import HTTPError"),
        (one_module_reads_the_environment, "compose_repo.verbs.gate", "os.environ['HOME']"),
        (one_module_reads_the_environment, "compose_repo.verbs.gate", "from os import environ"),
        (
            one_module_reads_the_clock_sleeps_and_asks_chance,
            "compose_repo.core.verdict.gate",
            "dt.datetime.now(dt.UTC)",
        ),
        (one_module_reads_the_clock_sleeps_and_asks_chance, "compose_repo.core.verdict.gate", "date.today()"),
        (one_module_reads_the_clock_sleeps_and_asks_chance, "compose_repo.ports.retry", "import time"),
        (one_module_reads_the_clock_sleeps_and_asks_chance, "compose_repo.ports.retry", "from time import sleep"),
        (one_module_reads_the_clock_sleeps_and_asks_chance, "compose_repo.passes.sync", "def f():\n    import random"),
        (the_clock_is_handed_on, "compose_repo.verbs.gate", "Repository(path, console.trace)"),
        (the_clock_is_handed_on, "compose_repo.passes.session", "scratch(path, trace=console.trace)"),
        (answers_in_json_pass_one_function, "compose_repo.verbs.gate", "json.dumps({}, indent=2)"),
        (imports_go_down, "compose_repo.ports.git", "from compose_repo.verbs import gate"),
        (imports_go_down, "compose_repo.ports.tree", "from compose_repo.passes.work import Work"),
        (imports_go_down, "compose_repo.core.forge.action", "from compose_repo.core.forge.forge import Note"),
        (imports_go_down, "compose_repo.core.rules.policy", "from compose_repo.core.manifests import manifest"),
        (imports_go_down, "compose_repo.verbs.gate", "import local_gitlab"),
        (imports_go_down, "compose_repo.passes.sync", "from sample_composes.sample import SampleSpec"),
        (what_stands_beside_goes_down_too, "local_gitlab.app", "from compose_repo.core.verdict import gate"),
        (what_stands_beside_goes_down_too, "sample_composes.names", "from compose_demo import play"),
    ],
)
def test_a_law_notices_when_it_is_broken(law: Law, module: str, source: str) -> None:
    assert len(list(law(module, ast.parse(source)))) == 1


def test_every_module_has_its_place() -> None:
    modules = {module_name(path) for path in SCRIPTS.rglob("*.py")}
    assert {*PLACES, *BESIDES} == modules


def test_no_module_has_two_places() -> None:
    listed = [module for rooms in (*house.FLOORS, house.BESIDE) for modules in rooms.values() for module in modules]
    assert sorted(listed) == sorted(set(listed))


def test_the_core_has_few_rooms_and_the_root_only_the_door() -> None:
    rooms = [room for floor in house.FLOORS for room in floor]
    core = [room for room in rooms if within(room, "compose_repo.core") and room != "compose_repo.core"]
    assert len(core) <= 19
    packages = {"compose_repo.core", "compose_repo.ports", "compose_repo.reading", "compose_repo.words"}
    packages |= {"compose_repo.passes", "compose_repo.verbs"}
    assert {room for room in rooms if room.count(".") == 1} - packages == {"compose_repo.cli", "compose_repo.__main__"}


def test_the_page_shows_the_plan() -> None:
    """Where it does not: `scripts/in-venv dev python tests/unit/house.py`."""
    assert house.PAGE.read_text(encoding="utf-8") == house.page()
