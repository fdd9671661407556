"""Whole sentences of checks that no example folder shows."""

import copy
import datetime as dt
import time
from collections.abc import Mapping
from typing import Any, Final

import pytest

from compose_repo.core.checks import Case, Known, check, times_are_past
from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.composes.layout import place_of
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.policy import OriginEntry, Policy, Waiver
from compose_repo.core.rules.waivers import notices

COMPOSE: Final = "CentOS-Stream-10-20261120.0"
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
ARCHES: Final = frozenset({"aarch64", "ppc64le", "x86_64"})
MAKE_ANEW: Final = "make it again with `compose-repo manifest`; do not edit it by hand"
HOST: Final = "give an http or https address with a host, without user or password"


def problems(path: str, data: Mapping[str, Any], **known: object) -> list[Problem]:
    """Give each problem but the one of the manifest's bytes, which have no part in this."""
    place = place_of(path)
    assert place is not None
    facts = {
        "manifest_sha256": "a" * 64,
        "variants": {},
        "arches": ARCHES,
        "origins": {"rdo"},
        "streams": set(),
    } | known
    case = Case(
        place=place,
        raw=b"",
        data=data,
        known=Known(**facts),  # type: ignore[arg-type]  # each test gives what its field takes
        now=NOW,
    )
    return [one for one in check(case) if one.code != "not-canonical"]


def told(path: str, data: Mapping[str, Any], **known: object) -> list[tuple[str, str, str]]:
    """Give pointer, message and fix of each problem."""
    return [(one.pointer, one.message, one.fix) for one in problems(path, data, **known)]


def lines(path: str, data: Mapping[str, Any]) -> list[str]:
    """Write each problem as reports do, code and pointer first."""
    return [f"{one.code} {one.pointer}: {one.message}; {one.fix}" for one in problems(path, data)]


def result(**fields: object) -> dict[str, Any]:
    return {
        "schema": "results/1",
        "compose_id": COMPOSE,
        "manifest_sha256": "a" * 64,
        "origin": "rdo",
        "run": {"id": "1", "url": "https://ci.example.org/1", "finished_at": "2026-11-20T06:00:00Z"},
        "results": [{"testcase": "t", "outcome": "passed", "arch": "x86_64"} | fields],
    }


def manifest(compose_id: str) -> dict[str, Any]:
    return {
        "schema": "manifest/1",
        "compose": {
            "id": compose_id, "date": "2026-11-20", "type": "production", "respin": 0, "label": None,
            "status": "FINISHED",
        },
        "release": {"short": "CentOS-Stream", "version": "10", "name": None},
        "location": "https://composes.example.org/",
        "variants": {},
        "metadata": {"rpms.json": None},
        "images": [],
        "packages": [],
    }  # fmt: skip


RESULT: Final = f"composes/{COMPOSE}/results/rdo/1.json"
MANIFEST: Final = f"composes/{COMPOSE}/manifest.json"


def test_a_results_link_without_a_host() -> None:
    expected = [("/results/0/url", '"https://" has no host that can be reached', HOST)]
    assert told(RESULT, result(url="https://")) == expected


def test_a_contacts_link_without_a_host() -> None:
    data = result() | {"contact": {"docs": "http:///x"}}
    assert told(RESULT, data) == [("/contact/docs", '"http:///x" has no host that can be reached', HOST)]


def test_a_variant_that_is_not_on_that_arch() -> None:
    told_of = told(RESULT, result(variant="NFV"), variants={"NFV": {"ppc64le", "aarch64"}})
    assert told_of == [
        ("/results/0/variant", 'the compose has no "NFV" for x86_64', "its arches there: aarch64, ppc64le")
    ]


def test_a_manifest_in_another_composes_folder() -> None:
    other = "CentOS-Stream-10-20261120.1"
    data = manifest(other)
    data["compose"]["respin"] = 1
    fix = "move the file, or make the manifest of this compose"
    assert told(MANIFEST, data) == [("/compose/id", f'"{other}" should be "{COMPOSE}"', fix)]


def test_a_manifest_whose_id_has_no_calendar_date() -> None:
    wrong = "CentOS-Stream-10-20261131.0"
    found = told(f"composes/{wrong}/manifest.json", manifest(wrong))
    assert found[0][:2] == ("/compose/id", f"{wrong!r} has no calendar date: 20261131")
    assert found[0][2].startswith("make ")


NULLABLE: Final = ("/variants", "/images", "/packages")


def of_null(data: dict[str, Any]) -> list[str]:
    return [line for line in lines(MANIFEST, data) if line.startswith("manifest-contradiction")]


def test_null_without_a_reason() -> None:
    """Nothing is null, and then each part that may be."""
    data = manifest(COMPOSE)
    assert of_null(data) == []
    data |= {"variants": None, "images": None, "packages": None}
    data["compose"]["status"] = None
    told = f"null needs a reason in unreadable; {MAKE_ANEW}"
    assert of_null(data) == [f"manifest-contradiction {part}: {told}" for part in (*NULLABLE, "/compose/status")]


@pytest.mark.parametrize("status", [None, "FINISHED"])
def test_what_is_known_of_an_unreadable_compose(status: str | None) -> None:
    data = manifest(COMPOSE) | {"unreadable": {"code": "x", "message": "y"}}
    data["compose"]["status"] = status
    told = f"it is known, but the compose unreadable; {MAKE_ANEW}"
    assert of_null(data) == [f"manifest-contradiction {part}: {told}" for part in NULLABLE]
    assert of_null(data | {"variants": None, "images": None, "packages": None}) == []


@pytest.mark.parametrize(
    ("streams", "named"), [(set(), "none exists"), ({"B-2", "A-1"}, "A-1, B-2")], ids=["none", "two"]
)
def test_a_requirement_of_an_unknown_stream(streams: set[str], named: str) -> None:
    data = {"requirement": [{"origin": "rdo", "testcase": "t", "why": "w", "streams": ["C-3"]}]}
    [(pointer, _, fix)] = told("gate/policy.toml", data, streams=streams)
    assert (pointer, fix) == ("/requirement/0/streams/0", f"name one that is ({named}), or add it there")


def test_an_unknown_origin_where_there_is_none() -> None:
    [(_, _, fix)] = told(RESULT, result(), origins=set())
    assert fix == "name one that is (none exists), or have it added there"


def key(**days: str) -> dict[str, Any]:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRoaXMgaXMgYW4gZXhhbXBsZSBhbmQgbm90IGEga2V5"
    return {"origins": {"rdo": {"name": "RDO", "contact": {"email": "a@b"}, "keys": [{"key": key, **days}]}}}


def test_both_days_of_a_key_are_days() -> None:
    found = told("gate/origins.toml", key(valid_after="2026-02-30", valid_before="2026-04-31"))
    assert [pointer.rpartition("/")[2] for pointer, _, _ in found] == ["valid_after", "valid_before"]


def test_a_key_without_an_end_is_in_order() -> None:
    assert told("gate/origins.toml", key(valid_after="2026-02-28")) == []


def test_a_key_is_not_revoked_unless_it_says_so() -> None:
    entry = OriginEntry.from_dict("rdo", copy.deepcopy(key(valid_after="2026-02-28"))["origins"]["rdo"])
    assert entry.keys[0].revoked is False


ORIGINS: Final = "gate/origins.toml"
STREAMS: Final = "gate/streams.toml"
JOB: Final = "https://ci.example.org/job/smoke"
GATING: Final = {"mode": "gating"}


def test_a_key_that_is_there_twice() -> None:
    data = key()
    data["origins"]["rdo"]["keys"] *= 2
    assert lines(ORIGINS, data) == ["bad-key /origins/rdo/keys/1: the key is there twice; keep one of them"]


def jobs(**by_origin: list[dict[str, str]]) -> dict[str, Any]:
    return {"origins": {name: {"contact": {}, "jenkins": rows} for name, rows in by_origin.items()}}


def job(address: str = JOB, **fields: str) -> dict[str, str]:
    return {"job": address, **(fields or {"arch": "x86_64"})}


def test_a_job_belongs_to_the_first_origin_that_names_it() -> None:
    other = f"{JOB}-2"
    assert lines(ORIGINS, jobs(rdo=[job()], idm=[job(other), job()], fips=[job(), job(other)])) == [
        'duplicate-mapping /origins/idm/jenkins/1/job: the job is "rdo"\'s already; keep one of the two',
        'duplicate-mapping /origins/fips/jenkins/0/job: the job is "rdo"\'s already; keep one of the two',
        'duplicate-mapping /origins/fips/jenkins/1/job: the job is "idm"\'s already; keep one of the two',
    ]


@pytest.mark.parametrize("fields", [{"arch": "x86_64", "arch_parameter": "ARCH"}, {"testcase": "t"}])
def test_the_arch_of_a_job_is_given_in_one_way(fields: dict[str, str]) -> None:
    wrong = "either every build tests one arch, or a parameter says which; give one of arch and arch_parameter"
    found = lines(ORIGINS, jobs(rdo=[job(arch_parameter="ARCH"), job(f"{JOB}-2", **fields)]))
    assert found == [f"unknown-arch /origins/rdo/jenkins/1: {wrong}"]


PLAIN: Final = "without TLS anybody on the way could read and answer; give its https address"
DOTS: Final = "'.' and '..' are not names; give its own address"
CALLED: Final = [
    ("https://ci.example.org/job/smoke", None),
    ("http://ci.example.org/job/smoke", PLAIN),
    ("http://ci.example.org/localhost/job/smoke", PLAIN),
    ("http://localhost.example.org/job/smoke", PLAIN),
    ("http://ci.example.org/job/..", PLAIN),
    ("http://localhost/job/smoke", None),
    ("http://127.0.0.1:8080/job/smoke", None),
    ("http://[::1]:8080/job/smoke", None),
    ("https://ci.example.org/./job/smoke", DOTS),
    ("https://ci.example.org/other/../job/smoke", DOTS),
    ("http://localhost/job/..", DOTS),
    ("https://-/job/smoke", f'"https://-/job/smoke" has no host that can be reached; {HOST}'),
    ("https://-/job/./smoke", DOTS),
]
"""Addresses that are asked or told something, and what is wrong with each."""


@pytest.mark.parametrize(("address", "wrong"), CALLED)
def test_a_job_is_read_over_tls_or_on_this_machine(address: str, wrong: str | None) -> None:
    expected = [] if wrong is None else [f"bad-link /origins/rdo/jenkins/0/job: {wrong}"]
    assert lines(ORIGINS, jobs(rdo=[job(address)])) == expected


"""A stream that needs no address of the mirrors."""


@pytest.mark.parametrize(("address", "wrong"), CALLED)
@pytest.mark.parametrize(("hook", "field"), [("jenkins", "job"), ("gitlab", "url")])
def test_a_hook_is_called_over_tls_or_on_this_machine(hook: str, field: str, address: str, wrong: str | None) -> None:
    expected = [] if wrong is None else [f"bad-link /streams/CentOS-Stream-10/promote/{hook}/{field}: {wrong}"]
    streams = {"CentOS-Stream-9": GATING, "CentOS-Stream-10": {**GATING, "promote": {hook: {field: address}}}}
    assert lines(STREAMS, {"streams": streams}) == expected


def test_a_command_has_no_address_to_check() -> None:
    stream = {**GATING, "promote": {"command": ["true"]}}
    assert lines(STREAMS, {"streams": {"CentOS-Stream-10": stream}}) == []


@pytest.mark.parametrize("mode", [{}, {"mode": "mirror"}, {"mode": "gating"}])
def test_only_a_stream_of_mode_gating_names_no_mirrors(mode: dict[str, str]) -> None:
    wrong = (
        "'published' is missing: nobody could tell when a compose is published; "
        "give the address of the mirrors' COMPOSE_ID file; only a stream of mode gating may leave it out"
    )
    found = lines(STREAMS, {"streams": {"A/1": mode, "B-2": {"published": "https://m.example.org/"}}})
    expected = [] if "gating" in mode.values() else [f"missing-field /streams/A~11: {wrong}"]
    assert [line for line in found if line.startswith("missing")] == expected


def test_streams_may_be_none() -> None:
    assert told("gate/streams.toml", {"schema": "streams/1"}) == []


@pytest.mark.parametrize("field", ["composes", "published"])
def test_both_addresses_of_a_stream_have_a_host(field: str) -> None:
    stream = {"composes": "https://a.example.org/", "published": "https://b.example.org/"} | {field: "https://"}
    found = told("gate/streams.toml", {"streams": {"CentOS-Stream-10": stream}})
    assert found == [(f"/streams/CentOS-Stream-10/{field}", '"https://" has no host that can be reached', HOST)]


def test_an_unused_waiver_is_named_where_its_test_is_asked_of_this_stream_only() -> None:
    line = {"origin": "rdo", "testcase": "t", "why": "w", "streams": ["CentOS-Stream-10"]}
    waiver = Waiver.from_dict(
        {"origin": "rdo", "testcase": "t", "reason": "r", "issue": "https://i", "by": "b", "expires": "2026-12-01"}
    )
    policy = Policy.from_dict({"requirement": [line]})
    [notice] = notices([waiver], ComposeId.parse(COMPOSE), policy, set(), NOW)
    assert (notice.state.value, notice.waiver) == ("unused", waiver)


def test_the_time_that_a_run_may_not_pass_is_told_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody is told the same time, whatever the time zone of the machine that looks."""
    data = result() | {"run": {"id": "1", "url": "https://ci.example.org/1", "finished_at": "2026-11-21T06:00:00Z"}}
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = lines(RESULT, data)
    finally:
        monkeypatch.undo()
        time.tzset()
    wrong = (
        "2026-11-21T06:00:00Z is over 5 minutes after 2026-11-21 00:00:00 UTC, when the file was pushed, committed or "
        "checked; set the clock, check the UTC offset, and report again in a new file"
    )
    assert found == [f"future-time /run/finished_at: {wrong}"]


def test_a_file_of_the_last_moment_that_there_is_can_be_checked() -> None:
    """A commit may be dated as its author likes, and no later time can be reckoned from this one."""
    end = dt.datetime.max.replace(tzinfo=dt.UTC)
    place = place_of(f"composes/{COMPOSE}/results/rdo/1.json")
    assert place is not None
    case = Case(place=place, raw=b"", data=result(), known=Known(), now=end)
    assert [one.code for one in times_are_past(case)] == []
