"""Compose ids are read strictly: nothing else may become a branch, a folder or an address."""

import contextlib
import datetime as dt
import re

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.composes.compose import ComposeId, ComposeIdError, ComposeType, Image
from compose_repo.core.names import NAME_LENGTH, Arch, Variant, is_name, is_sha, is_sha256

COMPOSE_IDS = [
    "CentOS-Stream-9-20251016.0",
    "CentOS-Stream-10-20250409.8",
    "CentOS-Stream-10-20240902.d.0",
    "CentOS-Stream-10-20240902.t.1",
    "CentOS-Stream-10-20240902.ci.12",
    "CentOS-Stream-10-20240229.0",
    "Fedora-Rawhide-20230502.n.0",
    "Fedora-ELN-20230502.n.0",
    "Fedora-eln-20230502.n.0",
    "RHEL-9.4.0-20240101.999999",
    "A-1-00010101.0",
]
NOT_IN_THE_CALENDAR = [
    "CentOS-Stream-10-20230229.0",
    "CentOS-Stream-10-20261131.0",
    "CentOS-Stream-10-00000101.0",
]
NOT_COMPOSE_IDS = [
    *NOT_IN_THE_CALENDAR,
    "",
    "../../evil20240501.0x",
    "../../evil20240501.0",
    "../CentOS-Stream-10-20261120.0",
    "composes/CentOS-Stream-10-20261120.0",
    "CentOS-Stream-10-20261120.0/..",
    "CentOS-Stream-10-20261120.0\n",
    "\nCentOS-Stream-10-20261120.0",
    " CentOS-Stream-10-20261120.0",
    "CentOS-Stream-10-20261120.0 ",
    "CentOS-Stream-10-20261120.0\x00",
    "CentOS-Stream-10-20261120",
    "CentOS-Stream-10-20261120.",
    "CentOS-Stream-10-20261120.00",
    "CentOS-Stream-10-20261120.01",
    "CentOS-Stream-10-20261120.-1",
    "CentOS-Stream-10-20261120.1000000",
    "CentOS-Stream-10-20261120.0.0",
    "CentOS-Stream-10-20261120.0.n",
    "CentOS-Stream-10-20261120.x.0",
    "CentOS-Stream-10-20261120.N.0",
    "CentOS-Stream-10-20261120.nightly.0",
    "CentOS-Stream-10-2026112.0",
    "CentOS-Stream-10-202611200.0",
    "CentOS-Stream-10-2026-11-20.0",
    "CentOS-Stream-10-20261301.0",
    "CentOS-Stream-10-20261100.0",
    "CentOS-Stream-10-20261132.0",
    "CentOS-Stream-10-٢0261120.0",
    "CentOS-Stream-10-20261120.٠",  # noqa: RUF001  # the very digit that must not pass
    "CentOS-Stréam-10-20261120.0",
    "CentOS--Stream-10-20261120.0",
    "-CentOS-Stream-10-20261120.0",
    "CentOS-Stream-20261120.0",
    "CentOS-Stream-10.-20261120.0",
    "10-20261120.0",
    "20261120.0",
    "CentOS_Stream-10-20261120.0",
    "latest-CentOS-Stream",
    "CentOS-Stream-10-20261120.0;rm",
    "$(id)-10-20261120.0",
    "A" * 120 + "-1-20261120.0",
]


@pytest.mark.parametrize("text", COMPOSE_IDS)
def test_a_compose_id_is_read_and_written_unchanged(text: str) -> None:
    assert str(ComposeId.parse(text)) == text


@pytest.mark.parametrize("text", NOT_COMPOSE_IDS)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ComposeIdError):
        ComposeId.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x" * 129, "a compose id has at most 128 characters, this one 129"),
        ("latest", "'latest' is not <short>-<version>-<YYYYMMDD>[.<type>].<respin>"),
        ("A-1-20261120.x.0", "'A-1-20261120.x.0' has the unknown type 'x'; known: d, n, t, ci"),
        ("A-1-20260230.0", "'A-1-20260230.0' has no calendar date: 20260230"),
    ],
)
def test_the_message_says_which_part_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ComposeIdError) as caught:
        ComposeId.parse(text)
    assert str(caught.value) == message


def test_an_id_says_what_its_parts_are() -> None:
    compose_id = ComposeId.parse("CentOS-Stream-10-20240902.d.3")
    assert compose_id.stream == "CentOS-Stream-10"
    assert compose_id.short == "CentOS-Stream"
    assert compose_id.version == "10"
    assert compose_id.date == dt.date(2024, 9, 2)
    assert compose_id.respin == 3
    assert compose_id.type is ComposeType.DEVELOPMENT
    assert compose_id.branch == "compose/CentOS-Stream-10-20240902.d.3"
    assert compose_id.folder == "composes/CentOS-Stream-10-20240902.d.3"


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("", ComposeType.PRODUCTION),
        (".d", ComposeType.DEVELOPMENT),
        (".n", ComposeType.NIGHTLY),
        (".t", ComposeType.TEST),
        (".ci", ComposeType.CI),
    ],
)
def test_the_suffix_says_the_type(suffix: str, kind: ComposeType) -> None:
    assert ComposeId.parse(f"CentOS-Stream-9-20251016{suffix}.0").type is kind


def test_ids_of_a_stream_sort_by_date_and_then_by_respin_as_a_number() -> None:
    by_age = ["A-1-20251231.10", "A-1-20260101.2", "A-1-20260101.10", "A-1-20260102.0"]
    assert [str(compose_id) for compose_id in sorted(map(ComposeId.parse, reversed(by_age)))] == by_age


@given(compose_id=strategies.compose_ids)
def test_what_parses_is_a_name_and_survives_a_round_trip(compose_id: ComposeId) -> None:
    assert is_name(str(compose_id))
    assert ComposeId.parse(str(compose_id)) == compose_id
    assert compose_id.stream == f"{compose_id.short}-{compose_id.version}"


@given(compose_id=strategies.compose_ids, text=st.text(max_size=5), place=st.integers(0, 20))
def test_what_is_read_is_the_whole_text(compose_id: ComposeId, text: str, place: int) -> None:
    changed = compose_id.text[:place] + text + compose_id.text[place:]
    with contextlib.suppress(ComposeIdError):
        assert ComposeId.parse(changed).text == changed
        assert is_name(changed)


@pytest.mark.parametrize("text", ["rdo", "0", "x86_64", "a.b-c_d", "A" * NAME_LENGTH])
def test_a_name_may_stand_in_a_path(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", ["", ".", "..", ".git", "-rf", "_x", "a/b", "a\\b", "a b", "rdo\n", "é", "A" * 129])
def test_what_a_path_could_trip_over_is_no_name(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("0" * 64, True), ("0" * 63, False), ("0" * 65, False), ("F" * 64, False), ("0" * 64 + "\n", False)],
)
def test_a_digest_is_64_lower_case_hex_digits(text: str, answer: bool) -> None:  # noqa: FBT001
    assert is_sha256(text) is answer


def test_an_image_is_written_field_by_field() -> None:
    image = Image(
        variant=Variant("BaseOS"),
        arch=Arch("x86_64"),
        path="BaseOS/x86_64/iso/boot.iso",
        type="boot",
        format="iso",
        subvariant="BaseOS",
        size=1,
        sha256=None,
    )
    assert image.to_dict() == {
        "variant": "BaseOS",
        "arch": "x86_64",
        "path": "BaseOS/x86_64/iso/boot.iso",
        "type": "boot",
        "format": "iso",
        "subvariant": "BaseOS",
        "size": 1,
        "sha256": None,
    }


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("0" * 40, True),
        ("a" * 64, True),
        ("0" * 41, False),
        ("0" * 39, False),
        ("0" * 65, False),
        ("F" * 40, False),
        ("0" * 40 + "\n", False),
        ("HEAD", False),
    ],
)
def test_an_object_of_git_has_40_or_64_lower_case_hex_digits(text: str, answer: bool) -> None:  # noqa: FBT001  # a table
    assert is_sha(text) is answer


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " ", "\t\r\n", "\n\n"])
def test_white_space_may_follow_the_id_in_its_file(end: str) -> None:
    text = "CentOS-Stream-10-20261120.0"
    assert ComposeId.of_file(f"{text}{end}".encode()).text == text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xef\xbb\xbfCentOS-Stream-10-20261120.0", "it begins with a byte order mark"),
        ("CentOS-Stream-10-20261120.0".encode("utf-16"), "it begins with a byte order mark"),
        (b"\xfe\xff\x00C", "it begins with a byte order mark"),
        (b"CentOS-Stream-10-20261120.0\nCentOS-Stream-10-20261120.0\n", "it has 2 lines"),
        (b"\nCentOS-Stream-10-20261120.0", "it has 2 lines"),
        (b" CentOS-Stream-10-20261120.0", "is not <short>"),
        (b"C\xe9ntOS-Stream-10-20261120.0", "it is not ASCII"),
        (b"", "is not <short>"),
    ],
)
def test_nothing_else_may_stand_in_the_file(data: bytes, why: str) -> None:
    with pytest.raises(ComposeIdError, match=re.escape(why)):
        ComposeId.of_file(data)
