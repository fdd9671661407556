"""Branches and paths of a compose are spelled in one module; everything else asks for them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compose_repo.core.composes import paths
from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.composes.layout import Kind, Place, place_of

SCRIPTS: Final = Path(__file__).resolve().parents[2] / "scripts"
COMPOSE: Final = ComposeId.parse("CentOS-Stream-10-20261120.0")

MODULES: Final = {
    path.relative_to(SCRIPTS).as_posix(): path.read_text("utf-8")
    for package in ("compose_repo", "compose_demo")
    for path in sorted((SCRIPTS / package).rglob("*.py"))
}
ONE_PLACE: Final = "compose_repo/core/composes/paths.py"
SPELLED: Final = re.compile(
    r"(?:\A|/)manifest\.json\Z"
    r"|(?:\A|\|)compose/(?:\Z|\{)|(?<![a-z/])compose/[*.]"
    r"|(?<![a-z/])composes/(?:\Z|\{)"
    r"|(?<=[^ ])/results(?:/|\Z)|(?<![a-z/])results/(?:\Z|README)"
    r"|(?:\A|/)README\.md\Z"
)
"""What a text holds that spells a path or a branch. A sentence may name a file, and an example is to be read whole."""


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Give each text of a module that is neither a docstring nor an example, with its line; `{}` is a value in it."""
    tree = ast.parse(source)
    passed = {
        id(part)
        for node in ast.walk(tree)
        if is_docstring(node) or is_example(node) or isinstance(node, ast.JoinedStr)
        for part in (node.values if isinstance(node, ast.JoinedStr) else ast.walk(node))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_example(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [ast.unparse(target) for target in targets] == ["EXAMPLE"]


def test_paths_and_branches_of_composes_are_spelled_in_one_module() -> None:
    spelled = [
        f"{module}:{line}: {text!r}"
        for module, source in MODULES.items()
        if module != ONE_PLACE
        for line, text in texts(source)
        if SPELLED.search(text)
    ]
    assert "\n".join(spelled) == ""


@pytest.mark.parametrize(
    "source",
    [
        'f"{compose_id.folder}/manifest.json"',
        'folder / "manifest.json"',
        'f"composes/{compose_id}/tests"',
        'f"compose/{compose_id}"',
        'branch.removeprefix("compose/")',
        'f"{folder}/results/{origin}"',
        'f"{folder}/results"',
        'f"{folder}/results/README.md"',
        '"compose/*"',
    ],
)
def test_a_second_place_is_noticed(source: str) -> None:
    assert [text for _, text in texts(f"x = [{source}]") if SPELLED.search(text)] != []


def test_a_compose_knows_its_branch_and_its_files() -> None:
    assert [COMPOSE.branch, COMPOSE.folder, COMPOSE.manifest_path, COMPOSE.results_folder, COMPOSE.readme_path] == [
        "compose/CentOS-Stream-10-20261120.0",
        "composes/CentOS-Stream-10-20261120.0",
        "composes/CentOS-Stream-10-20261120.0/manifest.json",
        "composes/CentOS-Stream-10-20261120.0/results",
        "composes/CentOS-Stream-10-20261120.0/results/README.md",
    ]


def test_what_is_spelled_is_what_is_read() -> None:
    path = paths.result_of(COMPOSE.text, "rdo", "8841")
    assert path == "composes/CentOS-Stream-10-20261120.0/results/rdo/8841.json"
    assert place_of(path) == Place(path=path, kind=Kind.RESULT, compose_id=COMPOSE.text, origin="rdo", run_id="8841")
    assert place_of(COMPOSE.manifest_path) == Place(
        path=COMPOSE.manifest_path, kind=Kind.MANIFEST, compose_id=COMPOSE.text
    )


def test_the_branch_of_a_compose_is_read_back() -> None:
    assert ComposeId.of_branch(COMPOSE.branch) == COMPOSE


@pytest.mark.parametrize("branch", ["main", COMPOSE.text, f"composes/{COMPOSE}", f"compose/{COMPOSE}/x", "compose/"])
def test_every_other_branch_is_refused(branch: str) -> None:
    with pytest.raises(ComposeIdError):
        ComposeId.of_branch(branch)


@pytest.mark.parametrize(
    ("path", "origin", "below"),
    [
        ("composes/X/results/rdo/1.json", "rdo", "rdo/1.json"),
        ("composes/X/results/rdo/deep/1.json", "rdo", "rdo/deep/1.json"),
        ("composes/X/results/rdo", None, "rdo"),
        ("composes/X/results/", None, ""),
        ("composes/X/manifest.json", None, None),
        ("composes/X/y/results/1.json", None, "1.json"),
    ],
)
def test_a_path_tells_whose_results_it_is_about(path: str, origin: str | None, below: str | None) -> None:
    assert (paths.origin_in(path), paths.below_results(path)) == (origin, below)
