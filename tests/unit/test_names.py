"""User names are compared by one function, as GitLab compares them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compose_repo.core.names import is_same_user

PACKAGE: Final = Path(__file__).resolve().parents[2] / "scripts" / "compose_repo"
USERS: Final = ("user", "owner", "bot", "carrier", "closer", "opener", "author", "pusher", "member")
"""What a name in the source holds that stands for a user."""


def folded_users(source: str) -> Iterator[str]:
    """Give each expression of a module that folds the case of a user name."""
    for node in ast.walk(ast.parse(source)):
        folds = isinstance(node, ast.Attribute) and node.attr in {"lower", "casefold", "upper"}
        if folds and any(word in ast.unparse(node) for word in USERS):
            yield ast.unparse(node)


def test_user_names_are_folded_in_one_module() -> None:
    modules = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    folded = {module: list(folded_users(source)) for module, source in modules.items()}
    assert {module: found for module, found in folded.items() if found} == {"core/names.py": ["username.lower"]}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("rdo-ci", "rdo-ci", True),
        ("RDO-ci", "rdo-CI", True),
        ("rdo-ci", "rdo-ci2", False),
        ("rdo-ci", "rdo_ci", False),
        ("gro\N{LATIN SMALL LETTER SHARP S}", "gross", False),
    ],
)
def test_user_names_do_not_differ_in_case_alone(one: str, other: str, same: bool) -> None:  # noqa: FBT001  # a table
    assert is_same_user(one, other) is same
