"""Versions of the template, as tags and pyproject.toml tell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.hardening.release import (
    NOT_ASKED,
    Template,
    Version,
    newest_of,
    require_no_secret,
    version_in,
)
from compose_repo.core.problems.problem import UsageError

NUMBERS = st.integers(min_value=0, max_value=999_999_999)
VERSIONS = st.builds(Version, major=NUMBERS, minor=NUMBERS, patch=NUMBERS)


def version(text: str) -> Version:
    found = Version.parse(text)
    assert found is not None
    return found


@given(VERSIONS)
def test_a_version_is_read_as_it_is_written(one: Version) -> None:
    assert Version.parse(str(one)) == one


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "1.0.0.0", "v1.0.0", "1.0.0-rc1", "1.0.0+1", "01.0.0", "1.00.0", " 1.0.0", "1.0.0\n", "1.0.٣",
     "1.0.-1", "1.0.9999999999"],
)  # fmt: skip
def test_other_forms_are_not_versions(text: str) -> None:
    assert Version.parse(text) is None


def test_versions_sort_by_their_numbers() -> None:
    texts = ["0.2.0", "0.2.10", "0.10.0", "1.0.0", "10.0.0"]
    assert sorted(map(version, reversed(texts))) == [version(text) for text in texts]


@given(st.lists(VERSIONS, min_size=1), st.lists(st.text()))
def test_the_newest_is_the_greatest_whatever_else_is_there(versions: list[Version], others: list[str]) -> None:
    tags = [f"refs/tags/v{one}" for one in versions]
    strange = [f"refs/tags/v{one}-rc1" for one in versions] + others
    assert newest_of([*strange, *tags]) == max(versions)


@pytest.mark.parametrize("ref", ["refs/heads/v1.0.0", "v1.0.0", "1.0.0", "refs/tags/1.0.0", "refs/tags/v1.0.0^{}"])
def test_only_tags_of_releases_are_releases(ref: str) -> None:
    assert newest_of([ref]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'[project]\nname = "compose-repo"\nversion = "0.2.0"\n', "0.2.0"),
        (b'[project]\nname = "compose-repo"\nversion = "' + b"9" * 99 + b'"\n', "9" * 64),
        (b'[project]\nname = "compose-repo"\nversion = 2\n', None),
        (b'[project]\nname = "compose-repo"\n', None),
        (b'[project]\nname = "other"\nversion = "0.2.0"\n', None),
        (b'project = "compose-repo"\n', None),
        (b"[tool]\n", None),
        (b"not TOML", None),
        (b"\xff", None),
        (b"x = " + b"[" * 100_000, None),
        (None, None),
    ],
)
def test_the_version_is_read_from_the_templates_own_file(text: bytes | None, expected: str | None) -> None:
    assert version_in(text) == expected


@pytest.mark.parametrize(
    ("here", "newest", "expected"),
    [
        ("0.2.0", "0.2.1", True),
        ("0.2.0", "0.2.0", False),
        ("0.3.0", "0.2.0", False),
        ("0.2.0", None, None),
        ("0.2.0.dev1", "0.2.0", None),
        (None, "0.2.0", None),
    ],
)
def test_an_instance_is_behind_where_the_template_is_newer(
    here: str | None, newest: str | None, *, expected: bool | None
) -> None:
    known = None if newest is None else version(newest)
    assert Template(version=here, program=None, newest=known).is_behind is expected


def test_a_newest_version_that_nobody_has_asked_for_is_no_warning() -> None:
    template = Template(version="0.2.0", program="0.2.0")
    assert (template.warning, template.to_dict()["unknown"]) == (None, NOT_ASKED)


def test_where_main_has_no_version_it_is_said_so() -> None:
    template = Template(version=None, program=None, newest=version("0.2.0"))
    assert template.sentence == "template: the default branch has no version of it; the newest is 0.2.0"


@pytest.mark.parametrize(
    "address", ["https://gitlab.com/CentOS/compose-repo.git", "ssh://git@gitlab.com/x.git", "git@gitlab.com:x.git", "."]
)
def test_an_address_without_a_secret_is_taken(address: str) -> None:
    require_no_secret(address)


@pytest.mark.parametrize(
    "address", ["https://a:b@h/x", "http://token@h/x", "HTTPS://token@h/x", "ssh://git:b@h/x", "https://[::1"]
)
def test_an_address_with_a_secret_or_that_cannot_be_read_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="the template's address"):
        require_no_secret(address)
