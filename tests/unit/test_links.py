"""Which addresses are taken, asked and shown is defined in one module, and the schemas take the same."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compose_repo.core.escape import markdown_link
from compose_repo.core.links import JOB, LINKS, READ_JOB, WITH_HOST, authority_of, is_link, is_loopback

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "scripts" / "compose_repo"
FORMS: Final = {
    "Job address": f"^{JOB}$",
    "Read job address": f"^{READ_JOB}$",
    **{title: f"^{form}$" for title, form in LINKS.items()},
}
SPELLED: Final = re.compile(r"https\?|\Alocalhost\Z")


def patterns(value: object) -> Iterator[tuple[str, str]]:
    """Give each pattern of a schema that is about addresses, with its title."""
    if isinstance(value, list):
        for part in value:
            yield from patterns(part)
    elif isinstance(value, dict):
        if "://" in str(value.get("pattern", "")):
            yield value["title"], value["pattern"]
        for part in value.values():
            yield from patterns(part)


def spelled_in(source: str) -> Iterator[ast.expr]:
    """Give each text that is part of a grammar of addresses, and each collection of both schemes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SPELLED.search(node.value):
            yield node
        elif isinstance(node, ast.Set | ast.Tuple | ast.List):
            texts = {str(part.value).removesuffix("://") for part in node.elts if isinstance(part, ast.Constant)}
            if {"http", "https"} <= texts:
                yield node


FOUND: Final = [
    (path.name, *found)
    for path in sorted((ROOT / "schemas").glob("*.json"))
    for found in patterns(json.loads(path.read_text("utf-8")))
]


@pytest.mark.parametrize(("stem", "title", "pattern"), FOUND)
def test_a_schema_takes_the_addresses_of_the_core(stem: str, title: str, pattern: str) -> None:
    assert (stem, pattern) == (stem, FORMS[title])


def test_some_schema_has_each_form() -> None:
    assert {title for _, title, _ in FOUND} == set(FORMS)


def test_no_other_module_spells_what_an_address_is() -> None:
    spelled = {
        f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}: {ast.unparse(node)}"
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "core" / "links.py"
        for node in spelled_in(path.read_text("utf-8"))
    }
    assert spelled == set()


@pytest.mark.parametrize("source", ['re.compile(r"https?://x")', 'scheme in {"http", "https"}', 'host == "localhost"'])
def test_a_second_place_is_noticed(source: str) -> None:
    assert list(spelled_in(source)) != []


@pytest.mark.parametrize(
    ("text", "has_form", "answer"),
    [
        ("https://ci.example.org/8841", True, True),
        ("http://ci.example.org", True, True),
        ("https://ci.example.org:8080?a=b#c", True, True),
        ("https://[::1]:8080/x", True, True),
        ("https://-/x", True, False),
        ("https://ci.example.org:999999/x", True, False),
        ("https://:80/", True, False),
        ("https://user@ci.example.org/", False, False),
        ("https:///x", False, False),
        ("ftp://ci.example.org/", False, False),
        ("https://ci.example.org/ x", False, False),
        ("https://ci.example.org/\n", False, False),
        ("https://ci.example.org/\N{LATIN SMALL LETTER E WITH ACUTE}", False, False),
        ("HTTPS://ci.example.org/", False, False),
    ],
)
def test_a_link_has_the_form_and_a_host(text: str, has_form: bool, answer: bool) -> None:  # noqa: FBT001  # a table
    form = re.fullmatch(LINKS["Link"], text) is not None
    assert (form, form and WITH_HOST.match(text) is not None, is_link(text)) == (has_form, answer, answer)


def test_a_link_that_is_taken_is_shown_as_one() -> None:
    assert markdown_link("https://ci.example.org:8080/8841", "8841").startswith("[8841](<https://")


@pytest.mark.parametrize(
    ("authority", "answer"),
    [
        ("localhost", True),
        ("localhost:8080", True),
        ("127.0.0.1", True),
        ("[::1]:80", True),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("127a0b0c1", False),
        ("localhost:999999", False),
    ],
)
def test_only_this_machine_is_loopback(authority: str, answer: bool) -> None:  # noqa: FBT001  # a table
    assert is_loopback(authority) is answer


def test_hosts_do_not_differ_in_case_alone() -> None:
    assert authority_of("https://CI.example.org:8080/A?b") == "ci.example.org:8080"


@pytest.mark.parametrize(
    ("path", "is_read"),
    [
        ("", True),
        ("/", True),
        ("/ARCH=x86_64", True),
        ("/ARCH=x86_64,OS=a%20b/", True),
        ("/ARCH%3Dx86_64", True),
        ("/default", True),
        ("/org.example$core", True),
        ("/org.example%24core/", True),
        ("/job/other/ARCH=x86_64", True),
        ("/7", False),
        ("/defaults", False),
        ("/lastBuild", False),
        ("/ARCH=x86_64/7", False),
    ],
)
def test_a_job_is_read_whole_or_in_a_part(path: str, *, is_read: bool) -> None:
    found = re.fullmatch(READ_JOB, f"https://ci.example.org/job/smoke{path}")
    assert (found is not None) == is_read
