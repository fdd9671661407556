"""Policy, waivers, origins and streams as values: what their fields mean where a schema cannot say it."""

import datetime as dt
from typing import Any

import pytest
import strategies
from hypothesis import given

from compose_repo.core.names import Origin, Stream
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.result import Contact, Result, ResultFile, utc
from compose_repo.core.rules.policy import (
    BusMapping,
    Requirement,
    Waiver,
    format_duration,
    origins_from_dict,
    parse_duration,
    streams_from_dict,
    waivers_from_dict,
)

MINIMAL: dict[str, Any] = {"origin": "rdo", "testcase": "tempest.smoke", "why": "OpenStack installs."}
WAIVER: dict[str, Any] = {
    "origin": "rdo",
    "testcase": "tempest.smoke",
    "reason": "Known kernel bug.",
    "issue": "https://issues.example.org/1234",
    "by": "jdoe",
    "expires": "2026-12-01",
}


def waiver(**fields: object) -> Waiver:
    return Waiver.from_dict({**WAIVER, **fields})


def test_a_requirement_without_streams_applies_to_every_stream() -> None:
    assert Requirement.from_dict(MINIMAL).applies_to(Stream("CentOS-Stream-11"))


def test_a_requirement_with_streams_applies_to_these_alone() -> None:
    requirement = Requirement.from_dict({**MINIMAL, "streams": ["CentOS-Stream-9"]})
    assert requirement.applies_to(Stream("CentOS-Stream-9"))
    assert not requirement.applies_to(Stream("CentOS-Stream-10"))


@pytest.mark.parametrize(
    ("written", "read"), [("any", "any"), ("bios", ("bios",)), (["bios", "uefi"], ("bios", "uefi"))]
)
def test_a_scenario_is_any_or_one_or_a_list(written: object, read: object) -> None:
    assert Requirement.from_dict({**MINIMAL, "scenario": written}).scenarios == read


def test_accepted_outcomes_are_written_in_the_order_of_their_definition() -> None:
    requirement = Requirement.from_dict({**MINIMAL, "accept": ["skipped", "info", "passed"]})
    assert requirement.to_dict()["accept"] == ["passed", "info", "skipped"]


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90m", dt.timedelta(minutes=90)), ("48h", dt.timedelta(hours=48)), ("3d", dt.timedelta(days=3))],
)
def test_a_duration_counts_minutes_hours_or_days(text: str, duration: dt.timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(("written", "spelled"), [("90m", "90m"), ("120m", "2h"), ("48h", "2d"), ("49h", "49h")])
def test_a_duration_is_written_with_the_largest_unit_that_divides_it(written: str, spelled: str) -> None:
    assert format_duration(parse_duration(written)) == spelled


@given(duration=strategies.durations)
def test_a_duration_survives_a_round_trip(duration: dt.timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


def test_a_duration_of_seconds_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="0:01:30 is not a whole number of minutes"):
        format_duration(dt.timedelta(seconds=90))


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ("2026-11-30T00:00:00+00:00", True),
        ("2026-12-01T23:59:59.999999+00:00", True),
        ("2026-12-02T00:00:00+00:00", False),
        ("2026-12-02T00:59:59+01:00", True),
        ("2026-12-02T01:00:00+01:00", False),
        ("2026-12-01T19:00:00-05:00", False),
    ],
)
def test_a_waiver_holds_to_the_end_of_its_last_day_in_utc(now: str, holds: bool) -> None:  # noqa: FBT001
    assert waiver().holds(dt.datetime.fromisoformat(now)) is holds


@pytest.mark.parametrize(
    ("patterns", "covers"),
    [
        (None, True),
        (["CentOS-Stream-10-20261120.0"], True),
        (["CentOS-Stream-10-2026112*"], True),
        (["CentOS-Stream-10-202611[0-2]?.0"], True),
        (["CentOS-Stream-10-20261120.[!1-9]"], True),
        (["CentOS-Stream-9-*", "*-20261120.0"], True),
        (["CentOS-Stream-10-20261120"], False),
        (["centos-stream-10-20261120.0"], False),
        (["CentOS-Stream-10-20261120.?0"], False),
        (["CentOS-Stream-10-20261120.[!0]"], False),
        (["CentOS-Stream-10-20261120.[1-9]"], False),
    ],
)
def test_a_waiver_names_composes_by_shell_patterns(patterns: list[str] | None, covers: bool) -> None:  # noqa: FBT001
    fields = {} if patterns is None else {"composes": patterns}
    assert waiver(**fields).covers_compose("CentOS-Stream-10-20261120.0") is covers


@pytest.mark.parametrize(
    ("fields", "covers"),
    [
        ({}, True),
        ({"arch": "aarch64"}, True),
        ({"arch": "aarch64", "variant": "AppStream", "scenario": "bios"}, True),
        ({"arch": "x86_64"}, False),
        ({"variant": "BaseOS"}, False),
        ({"scenario": "uefi"}, False),
    ],
)
def test_a_waiver_covers_the_cells_that_have_what_it_names(fields: dict[str, str], covers: bool) -> None:  # noqa: FBT001
    assert waiver(**fields).covers_cell("bios", "aarch64", "AppStream") is covers


def test_a_waiver_that_names_an_arch_does_not_cover_a_cell_without_one() -> None:
    assert not waiver(arch="aarch64").covers_cell(None, None, None)


@pytest.mark.parametrize(
    ("fields", "touches"),
    [
        ({}, True),
        ({"arch": "aarch64"}, True),
        ({"arch": "x86_64"}, False),
        ({"variant": "AppStream", "scenario": "bios"}, True),
        ({"arch": "x86_64", "variant": "AppStream"}, False),
    ],
)
def test_a_waiver_touches_the_cells_that_may_have_what_it_names(
    fields: dict[str, str],
    touches: bool,  # noqa: FBT001
) -> None:
    assert waiver(**fields).touches_cell(None, "aarch64", None) is touches


@pytest.mark.parametrize(("variant", "touches"), [(None, True), ("AppStream", True), ("BaseOS", False)])
@pytest.mark.parametrize("scenario", [None, "bios"])
def test_a_cell_of_any_value_is_touched_by_each(scenario: str | None, variant: str | None, touches: bool) -> None:  # noqa: FBT001
    assert waiver(variant="AppStream", scenario="bios").touches_cell(scenario, None, variant) is touches
    assert not waiver(variant="AppStream", scenario="bios").touches_cell("uefi", None, variant)


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({}, "rdo tempest.smoke"),
        ({"arch": "aarch64"}, "rdo tempest.smoke on aarch64"),
        (
            {"arch": "aarch64", "variant": "AppStream", "scenario": "bios", "composes": ["A-*", "B-*"]},
            "rdo tempest.smoke on bios aarch64 AppStream for A-*, B-*",
        ),
    ],
)
def test_a_waiver_is_called_by_what_it_covers(fields: dict[str, object], title: str) -> None:
    assert waiver(**fields).title == title


@pytest.mark.parametrize("expires", ["2026-02-30", "0000-01-01"])
def test_a_waiver_cannot_end_on_a_day_that_does_not_exist(expires: str) -> None:
    with pytest.raises(ValueError, match=r"day is out of range|year 0 is out of range|out of range"):
        waiver(expires=expires)


def test_a_result_cannot_end_at_a_time_that_does_not_exist() -> None:
    data = {
        "compose_id": "A-1-20260101.0",
        "manifest_sha256": "0" * 64,
        "origin": "rdo",
        "run": {"id": "1", "url": "https://a/", "finished_at": "2026-02-30T00:00:00Z"},
        "results": [],
    }
    with pytest.raises(ValueError, match="out of range"):
        ResultFile.from_dict(data)


def test_a_result_file_belongs_where_its_fields_say() -> None:
    data = {
        "compose_id": "A-1-20260101.0",
        "manifest_sha256": "0" * 64,
        "origin": "rdo",
        "run": {"id": "8841", "url": "https://a/"},
        "results": [],
    }
    assert ResultFile.from_dict(data).path == "composes/A-1-20260101.0/results/rdo/8841.json"


def test_a_result_stands_in_the_cell_that_its_fields_name() -> None:
    result = Result.from_dict(
        {"testcase": "boot", "outcome": "passed", "arch": "s390x", "variant": "BaseOS", "scenario": "zvm"}
    )
    assert result.cell == ("boot", "zvm", "s390x", "BaseOS")


def test_a_moment_is_written_in_utc() -> None:
    assert utc(dt.datetime.fromisoformat("2026-11-20T07:32:11+01:00")) == "2026-11-20T06:32:11Z"
    assert utc(dt.datetime.fromisoformat("2026-11-20T06:32:11.250Z")) == "2026-11-20T06:32:11.250000Z"


def test_gate_files_with_a_schema_alone_are_empty() -> None:
    assert waivers_from_dict({"schema": "waivers/1"}) == ()
    assert origins_from_dict({"schema": "origins/1"}) == {}
    assert streams_from_dict({"schema": "streams/1"}) == {}


def test_a_key_may_be_a_text_or_a_table_with_days() -> None:
    table = {"key": "ssh-rsa AAAA", "valid_after": "2026-01-01", "valid_before": "2027-01-01", "revoked": True}
    data = {"name": "RDO", "contact": {"email": "a@b"}, "keys": ["ssh-rsa AAAA", table]}
    entry = origins_from_dict({"origins": {"rdo": data}})[Origin("rdo")]
    assert (entry.contact, entry.users) == (Contact(email="a@b"), ())
    plain, dated = entry.keys
    assert (plain.valid_after, plain.valid_before, plain.revoked) == (None, None, False)
    assert (dated.valid_after, dated.valid_before, dated.revoked) == (dt.date(2026, 1, 1), dt.date(2027, 1, 1), True)


def test_an_input_error_names_each_problem_in_one_line() -> None:
    first = Problem(path="a.json", code=Code.NOT_JSON, message="is cut off", fix="write all of it")
    second = Problem(path="b.json", code=Code.SCHEMA, message="has no origin", fix="name one")
    error = InputError(first, second)
    assert str(error) == "a.json: is cut off (not-json); b.json: has no origin (schema)"
    assert error.problems == (first, second)


def test_problems_sort_by_place() -> None:
    def at(path: str, line: int, pointer: str, code: Code) -> Problem:
        return Problem(path=path, line=line, pointer=pointer, code=code, message="", fix="")

    in_order = [
        at("a", 1, "/b", Code.UNKNOWN_FIELD),
        at("a", 2, "/a", Code.UNKNOWN_FIELD),
        at("a", 2, "/b", Code.BAD_FORM),
        at("a", 2, "/b", Code.BAD_KEY),
        at("b", 1, "", Code.BAD_FORM),
    ]
    shuffled = in_order[::-1]
    assert sorted(shuffled) == in_order


def mapping(topic: str, ci: str = "rdo") -> BusMapping:
    return BusMapping(topic=topic, ci=ci)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (mapping("org.centos.prod"), mapping("org.centos.prod"), True),
        (mapping("org.centos.prod"), mapping("org.centos.prod.ci"), True),
        (mapping("org.centos.prod"), mapping("org.centos.production"), False),
        (mapping("org.centos.prod"), mapping("org.centos.stage"), False),
        (mapping("org.centos.prod"), mapping("org.centos.prod", "idm"), False),
        (mapping("org.centos.prod"), mapping("org.centos.prod.ci", "idm"), False),
    ],
)
def test_mappings_meet_where_a_message_may_be_one_of_both(one: BusMapping, other: BusMapping, meet: bool) -> None:  # noqa: FBT001
    assert (one.meets(other), other.meets(one)) == (meet, meet)
