"""Each check is one law: the examples show what breaks it; here stand its edges."""

import copy
import datetime as dt
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from compose_repo.core import checks
from compose_repo.core.checks import CHECKS, Case, Known, check
from compose_repo.core.composes.layout import (
    Kind,
    Place,
    absent,
    collisions,
    is_ours,
    is_readme,
    name_problems,
    not_plain,
    place_of,
    removed,
    stray,
)
from compose_repo.core.documents.limits import LISTED
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.problems.problem import Problem

COMPOSE: Final = "CentOS-Stream-10-20261120.0"
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
KNOWN: Final = Known(
    manifest_sha256="a" * 64,
    variants={"AppStream": {"aarch64", "x86_64"}, "NFV": {"x86_64"}},
    arches=frozenset({"aarch64", "x86_64"}),
    origins={"rdo"},
    streams={"CentOS-Stream-10"},
)
RESULT: Final[dict[str, Any]] = {
    "schema": "results/1",
    "compose_id": COMPOSE,
    "manifest_sha256": "a" * 64,
    "origin": "rdo",
    "run": {"id": "1", "url": "https://ci.example.org/1", "finished_at": "2026-11-20T06:00:00Z"},
    "results": [{"testcase": "t", "outcome": "passed", "arch": "x86_64"}],
}
MANIFEST: Final[dict[str, Any]] = {
    "schema": "manifest/1",
    "compose": {
        "id": COMPOSE,
        "date": "2026-11-20",
        "type": "production",
        "respin": 0,
        "label": None,
        "status": "FINISHED",
    },
    "release": {"short": "CentOS-Stream", "version": "10", "name": None},
    "location": "https://composes.example.org/",
    "variants": {"AppStream": ["x86_64"]},
    "metadata": {"composeinfo.json": None, "images.json": None, "modules.json": None, "rpms.json": None},
    "images": [],
    "packages": [{"nvr": "a-1-1", "rpms": []}, {"nvr": "b-1-1", "rpms": []}],
}
Change = Callable[[dict[str, Any]], object]


def unchanged(_data: dict[str, Any]) -> None:
    pass


def found(kind: Kind, data: dict[str, Any], *, known: Known = KNOWN, raw: bytes = b"") -> list[tuple[str, str]]:
    path = {
        Kind.RESULT: f"composes/{COMPOSE}/results/rdo/1.json",
        Kind.MANIFEST: f"composes/{COMPOSE}/manifest.json",
    }.get(kind, f"gate/{kind}.toml")
    place = place_of(path)
    assert place is not None
    return [(one.code, one.pointer) for one in check(Case(place=place, raw=raw, data=data, known=known, now=NOW))]


def of_result(change: Change = unchanged, known: Known = KNOWN) -> list[tuple[str, str]]:
    data = copy.deepcopy(RESULT)
    change(data)
    return found(Kind.RESULT, data, known=known)


def of_manifest(change: Change = unchanged) -> list[tuple[str, str]]:
    data = copy.deepcopy(MANIFEST)
    change(data)
    try:
        raw = Manifest.from_dict(data).to_bytes()
    except ValueError:
        raw = json.dumps(data).encode()
    return found(Kind.MANIFEST, data, raw=raw)


def test_a_sound_result_file_has_no_problem() -> None:
    assert of_result() == []


def test_every_check_states_its_law() -> None:
    assert [law for laws in CHECKS.values() for law in laws if not law.__doc__] == []


def test_every_check_is_listed_once() -> None:
    laws = [law for kind in CHECKS.values() for law in kind]
    public = {
        value
        for name, value in vars(checks).items()
        if callable(value) and not isinstance(value, type) and getattr(value, "__module__", "") == checks.__name__
        if not name.startswith("_") and name != "check"
    }
    assert (len(laws), set(laws)) == (len(public), public)


def rows(*results: dict[str, Any]) -> Change:
    base = {"testcase": "t", "outcome": "passed", "arch": "x86_64"}
    return lambda data: data.update(results=[{**base, **result} for result in results])


def run(**fields: str) -> Change:
    return lambda data: data["run"].update(fields)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data.update(compose_id="x"), [("compose-mismatch", "/compose_id")]),
        (lambda data: data.update(manifest_sha256="b" * 64), [("manifest-mismatch", "/manifest_sha256")]),
        (run(id="2"), [("run-mismatch", "/run/id")]),
        (rows({}, {}), [("duplicate-cell", "/results/1")]),
        (rows({}, {}, {}), [("duplicate-cell", "/results/1"), ("duplicate-cell", "/results/2")]),
        (rows({}, {"variant": "AppStream"}, {"scenario": "AppStream"}, {"testcase": "u"}, {"arch": "aarch64"}), []),
        (run(started_at="2026-11-20T06:00:00Z"), []),
        (run(started_at="2026-11-20T06:00:01Z"), [("times-out-of-order", "/run/finished_at")]),
        (run(started_at="2026-11-20T07:00:00+01:00"), []),
        (run(started_at="2026-02-29T07:00:00Z"), [("bad-time", "/run/started_at")]),
        (run(finished_at="2026-11-31T07:00:00Z"), [("bad-time", "/run/finished_at")]),
        (run(finished_at="2026-11-21T00:05:00Z"), []),
        (run(finished_at="2026-11-21T00:05:00.001Z"), [("future-time", "/run/finished_at")]),
        (
            run(started_at="2026-11-22T00:00:00Z"),
            [("times-out-of-order", "/run/finished_at"), ("future-time", "/run/started_at")],
        ),
        (lambda data: data["run"].pop("finished_at"), [("missing-finish", "/run")]),
        (rows({"error_reason": "x"}), [("stray-error-reason", "/results/0/error_reason")]),
        (rows({"error_reason": "x", "outcome": "error"}), []),
        (rows({"counts": {"run": 9, "passed": 7, "failed": 1, "errored": 1, "skipped": 5}}), []),
        (
            rows({"testcase": "u"}, {"counts": {"run": 9, "passed": 10}}),
            [("counts-contradiction", "/results/1/counts/run")],
        ),
        (rows({"counts": {"run": 1, "failed": 1, "errored": 1}}), [("counts-contradiction", "/results/0/counts/run")]),
        (rows({"arch": "ppc"}), [("unknown-arch", "/results/0/arch")]),
        (rows({"variant": "X"}), [("unknown-variant", "/results/0/variant")]),
        (rows({"variant": "NFV"}), []),
        (rows({"variant": "NFV", "arch": "aarch64"}), [("unknown-variant", "/results/0/variant")]),
        (rows({"variant": "NFV", "arch": "ppc"}), [("unknown-arch", "/results/0/arch")]),
        (rows({"url": "https://..", "log_url": "https://a"}), [("bad-link", "/results/0/url")]),
        (lambda data: data.update(contact={"url": "https://:1/"}), [("bad-link", "/contact/url")]),
    ],
)
def test_laws_of_result_files(change: Change, expected: list[tuple[str, str]]) -> None:
    assert of_result(change) == expected


@pytest.mark.parametrize("outcomes", [["queued"], ["running"], ["queued", "running"]])
def test_a_run_in_progress_needs_no_end(outcomes: list[str]) -> None:
    def in_progress(data: dict[str, Any]) -> None:
        del data["run"]["finished_at"]
        data["results"] = [{"testcase": one, "outcome": one, "arch": "x86_64"} for one in outcomes]

    assert of_result(in_progress) == []


@pytest.mark.parametrize(
    "link",
    [
        "http://a",
        "https://ci.example.org",
        "https://ci.example.org:8443/job/1?a=b#c",
        "https://[2001:db8::1]/x",
        "https://a?b",
        "https://a#b",
        "https://host_name.example/",
    ],
)
def test_links_that_lead_somewhere(link: str) -> None:
    assert of_result(run(url=link)) == []


@pytest.mark.parametrize(
    "link",
    ["https://", "https:///x", "https://-a/", "https://a:b/", "https://a:123456/", "https://u@a/", "https://[x]/"],
)
def test_links_that_lead_nowhere(link: str) -> None:
    assert of_result(run(url=link)) == [("bad-link", "/run/url")]


def test_without_a_manifest_nothing_else_is_said_of_it() -> None:
    assert of_result(rows({"arch": "ppc"}), Known(origins={"rdo"})) == [("no-manifest", "/compose_id")]


def test_an_unreadable_manifest_is_still_compared_by_digest() -> None:
    known = Known(manifest_sha256="b" * 64, origins={"rdo"})
    assert of_result(rows({"arch": "ppc"}), known) == [("manifest-mismatch", "/manifest_sha256")]


def test_a_compose_has_each_arch_alone_and_with_its_variants() -> None:
    known = Known(variants={"AppStream": {"x86_64"}, "NFV": set()}, arches=frozenset({"aarch64", "x86_64"}))
    assert known.trees == {("aarch64", None), ("x86_64", None), ("x86_64", "AppStream")}


def test_unknown_origins_are_told() -> None:
    known = Known(manifest_sha256="a" * 64, origins=set())
    assert of_result(known=known) == [("unknown-origin", "/origin")]


def test_of_origins_that_cannot_be_read_nothing_is_said() -> None:
    assert of_result(known=Known(manifest_sha256="a" * 64)) == []


def test_a_sound_manifest_has_no_problem() -> None:
    assert of_manifest() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("date", "2026-11-21"), ("type", "nightly"), ("respin", 1)],
)
def test_a_manifest_does_not_contradict_its_id(field: str, value: object) -> None:
    assert of_manifest(lambda data: data["compose"].update({field: value})) == [
        ("manifest-contradiction", f"/compose/{field}")
    ]


@pytest.mark.parametrize(("field", "value"), [("short", "CentOS"), ("version", "9")])
def test_a_manifest_does_not_contradict_its_release(field: str, value: object) -> None:
    assert of_manifest(lambda data: data["release"].update({field: value})) == [
        ("manifest-contradiction", f"/release/{field}")
    ]


def test_a_manifest_is_of_its_folder() -> None:
    def other(data: dict[str, Any]) -> None:
        data["compose"].update(id="CentOS-Stream-10-20261120.1", respin=1)

    assert of_manifest(other) == [("compose-mismatch", "/compose/id")]


def test_a_manifest_whose_id_does_not_parse_is_told_once() -> None:
    def other(data: dict[str, Any]) -> None:
        data["compose"].update(id="CentOS-Stream-10-20260230.0")

    assert of_manifest(other) == [("compose-mismatch", "/compose/id"), ("bad-compose-id", "/compose/id")]


@pytest.mark.parametrize("part", ["variants", "images", "packages"])
def test_a_manifest_says_null_only_with_a_reason(part: str) -> None:
    assert ("manifest-contradiction", f"/{part}") in of_manifest(lambda data: data.update({part: None}))


def test_a_status_is_not_known_only_with_a_reason() -> None:
    assert ("manifest-contradiction", "/compose/status") in of_manifest(
        lambda data: data["compose"].update(status=None)
    )


def test_of_an_unreadable_compose_nothing_else_is_said() -> None:
    def unreadable(data: dict[str, Any]) -> None:
        data["unreadable"] = {"code": "x", "message": "y"}

    assert [row for row in of_manifest(unreadable) if row[0] == "manifest-contradiction"] == [
        ("manifest-contradiction", f"/{part}") for part in ("variants", "images", "packages")
    ]


def test_an_srpm_stands_once_in_a_manifest() -> None:
    def twice(data: dict[str, Any]) -> None:
        data["packages"].append(data["packages"][1])

    assert of_manifest(twice) == [("not-sorted", "/packages/2/nvr")]


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (({}, {"epoch": 1}), []),
        (({"epoch": 1}, {"epoch": 2}), []),
        (({"epoch": 1}, {}), [("not-sorted", "/packages/1/nvr")]),
        (({}, {"epoch": 0}), [("not-sorted", "/packages/1/nvr")]),
    ],
)
def test_srpms_of_one_nvr_are_sorted_by_epoch(
    epochs: tuple[dict[str, int], ...], expected: list[tuple[str, str]]
) -> None:
    def set_epochs(data: dict[str, Any]) -> None:
        data["packages"] = [{"nvr": "a-1-1", "rpms": [], **epoch} for epoch in epochs]

    assert [one for one in of_manifest(set_epochs) if one[0] == "not-sorted"] == expected


@pytest.mark.parametrize("raw", [b"", b"{}\n"])
def test_a_manifest_has_its_very_bytes(raw: bytes) -> None:
    assert found(Kind.MANIFEST, MANIFEST, raw=raw) == [("not-canonical", "")]


def test_a_manifest_with_an_integer_that_is_written_as_a_fraction_is_refused() -> None:
    data = copy.deepcopy(MANIFEST)
    data["packages"][0]["epoch"] = 2.0
    assert found(Kind.MANIFEST, data, raw=b"{}\n") == [("not-canonical", "")]


def test_the_first_line_that_differs_is_told() -> None:
    good = Manifest.from_dict(MANIFEST).to_bytes()
    place = Place(path="p", kind=Kind.MANIFEST, compose_id=COMPOSE)

    def line(raw: bytes) -> int:
        return check(Case(place=place, raw=raw, data=MANIFEST, known=Known(), now=NOW))[0].line

    assert [line(good.replace(b'"b-1-1"', b'"b-1-1" ')), line(good + b"\n")] == [
        good.split(b"b-1-1")[0].count(b"\n") + 1,
        1,
    ]


REQUIREMENT: Final = {"origin": "rdo", "testcase": "t", "why": "w"}


def test_of_each_law_one_problem_more_is_found_than_is_listed() -> None:
    requirements = [{**REQUIREMENT, "origin": "idm", "streams": ["A-1"]}] * (LISTED + 7)
    codes = ["unknown-origin", "unknown-stream", "duplicate-requirement"]
    told = [code for code, _ in found(Kind.POLICY, {"requirement": requirements})]
    assert told == [code for code in codes for _ in range(LISTED + 1)]


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        ([REQUIREMENT], []),
        ([{**REQUIREMENT, "origin": "idm"}], [("unknown-origin", "/requirement/0/origin")]),
        ([{**REQUIREMENT, "streams": ["CentOS-Stream-10"]}], []),
        ([{**REQUIREMENT, "streams": ["CentOS-Stream-9"]}], [("unknown-stream", "/requirement/0/streams/0")]),
        (
            [REQUIREMENT, {**REQUIREMENT, "why": "again", "deadline": "3d"}],
            [("duplicate-requirement", "/requirement/1")],
        ),
        ([REQUIREMENT, {**REQUIREMENT, "arches": ["x86_64"]}], []),
        ([REQUIREMENT, {**REQUIREMENT, "testcase": "u"}], []),
        ([{**REQUIREMENT, "attempts": "worst", "max_attempts": 1}], []),
        ([{**REQUIREMENT, "attempts": {"passed": 3, "of": 3}, "max_attempts": 3}], []),
        (
            [{**REQUIREMENT, "attempts": {"passed": 4, "of": 3}, "max_attempts": 2}],
            [
                ("too-few-attempts", "/requirement/0/attempts/passed"),
                ("too-few-attempts", "/requirement/0/attempts/of"),
            ],
        ),
        ([{**REQUIREMENT, "testcase_was": ["u", "v"]}, {**REQUIREMENT, "testcase_was": ["u"], "arches": "any"}], []),
        ([{**REQUIREMENT, "testcase_was": ["t"]}], [("name-collision", "/requirement/0/testcase_was/0")]),
        (
            [{**REQUIREMENT, "testcase_was": ["u"]}, {**REQUIREMENT, "testcase": "u"}],
            [("name-collision", "/requirement/0/testcase_was/0")],
        ),
        (
            [{**REQUIREMENT, "testcase_was": ["u"]}, {**REQUIREMENT, "testcase": "v", "testcase_was": ["w", "u"]}],
            [("name-collision", "/requirement/1/testcase_was/1")],
        ),
    ],
)
def test_laws_of_the_policy(requirements: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    assert found(Kind.POLICY, {"requirement": requirements}) == expected


def test_an_empty_policy_breaks_no_law_of_files() -> None:
    assert found(Kind.POLICY, {}) == []


def test_of_streams_that_cannot_be_read_nothing_is_said() -> None:
    requirement = {**REQUIREMENT, "streams": ["X-1"]}
    assert found(Kind.POLICY, {"requirement": [requirement]}, known=Known(origins={"rdo"})) == []


def test_where_no_stream_is_followed_none_may_be_named() -> None:
    requirement = {**REQUIREMENT, "streams": ["X-1"]}
    known = Known(origins={"rdo"}, streams=set())
    assert found(Kind.POLICY, {"requirement": [requirement]}, known=known) == [
        ("unknown-stream", "/requirement/0/streams/0")
    ]


WAIVER: Final = {"origin": "rdo", "issue": "https://issues.example.org/1", "expires": "2026-12-01"}


@pytest.mark.parametrize(
    ("waiver", "expected"),
    [
        (WAIVER, []),
        ({**WAIVER, "origin": "idm"}, [("unknown-origin", "/waiver/0/origin")]),
        ({**WAIVER, "expires": "2026-11-31"}, [("bad-time", "/waiver/0/expires")]),
        ({**WAIVER, "expires": "2020-01-01"}, []),
        ({**WAIVER, "issue": "https://-/"}, [("bad-link", "/waiver/0/issue")]),
    ],
)
def test_laws_of_waivers(waiver: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(Kind.WAIVERS, {"waiver": [waiver]}) == expected


def test_no_waiver_at_all_is_fine() -> None:
    assert found(Kind.WAIVERS, {}) == []


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRoaXMgaXMgYW4gZXhhbXBsZSBhbmQgbm90IGEga2V5"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRoaXMgaXMgYW5vdGhlciBhbmQgbm90IGEga2V5ICEh"


def key(**days: str) -> dict[str, Any]:
    return {"origins": {"rdo": {"contact": {}, "keys": [KEY, {"key": OTHER_KEY, **days}]}}}


def keys(**by_origin: list[Any]) -> dict[str, Any]:
    return {"origins": {name: {"contact": {}, "keys": lines} for name, lines in by_origin.items()}}


REVOKED = {"key": f"{KEY} lost", "revoked": True}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, []),
        ({"origins": {"rdo": {"contact": {}}, "idm": {"contact": {}}}}, []),
        ({"origins": {"rdo": {"contact": {}}, "RDO": {"contact": {}}}}, [("name-collision", "/origins/RDO")]),
        (
            {"origins": {"rdo": {"contact": {"url": "https://-/", "docs": "https://-/"}}}},
            [("bad-link", "/origins/rdo/contact/url"), ("bad-link", "/origins/rdo/contact/docs")],
        ),
        (key(), []),
        (key(valid_after="2026-01-01"), []),
        (key(valid_before="2026-01-01"), []),
        (key(valid_after="2026-01-01", valid_before="2026-01-02"), []),
        (
            key(valid_after="2026-01-01", valid_before="2026-01-01"),
            [("times-out-of-order", "/origins/rdo/keys/1/valid_before")],
        ),
        (key(valid_after="2026-01-32"), [("bad-time", "/origins/rdo/keys/1/valid_after")]),
        (keys(rdo=[KEY, OTHER_KEY], idm=[KEY]), []),
        (keys(rdo=[KEY, f"* cert-authority {KEY}"]), [("bad-key", "/origins/rdo/keys/1")]),
        (keys(rdo=[{"key": f"{KEY}\n* {OTHER_KEY}"}]), [("bad-key", "/origins/rdo/keys/0")]),
        (keys(rdo=[KEY, OTHER_KEY, f"{KEY} again"]), [("bad-key", "/origins/rdo/keys/2")]),
        (keys(rdo=["x", "x"]), [("bad-key", "/origins/rdo/keys/0"), ("bad-key", "/origins/rdo/keys/1")]),
        (keys(rdo=[REVOKED]), []),
        (keys(rdo=[{"key": KEY}], idm=[KEY]), []),
        (keys(rdo=[REVOKED], idm=[REVOKED, OTHER_KEY]), []),
        (keys(rdo=[OTHER_KEY, KEY], idm=[REVOKED]), [("bad-key", "/origins/rdo/keys/1")]),
    ],
)
def test_laws_of_origins(data: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(Kind.ORIGINS, data) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CentOS-Stream-10", []),
        ("CentOS-Stream-10-20261120", [("bad-stream", "/streams/CentOS-Stream-10-20261120")]),
        ("CentOS", [("bad-stream", "/streams/CentOS")]),
        ("A/1", [("bad-stream", "/streams/A~11")]),
    ],
)
def test_a_stream_is_a_short_name_and_a_version(name: str, expected: list[tuple[str, str]]) -> None:
    assert found(Kind.STREAMS, {"streams": {name: {"mode": "gating"}}}) == expected


@pytest.mark.parametrize("stream", [{}, {"mode": "mirror"}])
def test_a_stream_that_follows_mirrors_names_them(stream: dict[str, str]) -> None:
    assert found(Kind.STREAMS, {"streams": {"A-1": stream}}) == [("missing-field", "/streams/A-1")]


def test_each_place_of_a_streams_composes_leads_somewhere() -> None:
    places = ["https://c.example.org/", "https://-/"]
    stream = {"composes": places, "published": "https://m.example.org/COMPOSE_ID"}
    assert found(Kind.STREAMS, {"streams": {"A-1": stream}}) == [("bad-link", "/streams/A-1/composes/1")]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"pending": "gate::waits", "stream": "release::"}, []),
        ({"blocked": "gate::pending"}, ["/labels/blocked"]),
        ({"vanished": "gate::gone", "blocked": "compose::no"}, ["/labels/blocked", "/labels/vanished"]),
    ],
)
def test_labels_are_told_apart(labels: dict[str, str], expected: list[str]) -> None:
    assert found(Kind.STREAMS, {"labels": labels}) == [("label-clash", pointer) for pointer in expected]


def test_streams_lead_somewhere() -> None:
    stream = {"composes": "file:///srv/composes/", "published": "https://-/COMPOSE_ID"}
    assert found(Kind.STREAMS, {"streams": {"A-1": stream}}) == [("bad-link", "/streams/A-1/published")]


@pytest.mark.parametrize(
    "path",
    [
        "gate/other.toml",
        "composes/README.md",
        "composes/x/results/1.json",
        "composes/x/results/rdo/1.xml",
        "composes/x/results/rdo/deeper/1.json",
        "composes/x/manifest.json/x",
        "manifest.json",
    ],
)
def test_no_file_of_ours_belongs_elsewhere(path: str) -> None:
    assert place_of(path) is None


def test_only_the_folders_of_data_are_ours() -> None:
    assert [is_ours(path) for path in ("composes/x", "gate/x", "gates/x", "composes")] == [True, True, False, True]


@pytest.mark.parametrize(
    ("path", "page"),
    [("gate/origins.toml", "docs/policy.md"), (f"composes/{COMPOSE}/manifest.json", "composes/README.md")],
)
def test_what_is_absent_is_explained_on_a_page(path: str, page: str) -> None:
    assert absent(path).fix == f"add it; {page} says what it holds"


def test_a_readme_is_for_people_wherever_it_stands() -> None:
    assert [is_readme(path) for path in ("gate/README.md", "README.md", "gate/README")] == [True, True, False]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"composes/{COMPOSE}/results/rdo/1.json", []),
        (f"composes/{COMPOSE}/manifest.json", []),
        ("gate/policy.toml", []),
        ("composes/../manifest.json", ["bad-compose-id"]),
        (f"composes/{COMPOSE}/results/r do/.json", ["bad-name", "bad-name"]),
        (f"composes/{COMPOSE}/results/rdo/-1.json", ["bad-name"]),
        (f"composes/{COMPOSE}/results/rdo/{'1' * 129}.json", ["bad-name"]),
        (f"composes/{COMPOSE}/results/rdo/ü.json", ["bad-name"]),
        (f"composes/{COMPOSE}/results/rdo/1\n.json", ["bad-name"]),
    ],
)
def test_names_in_paths_are_safe(path: str, expected: list[str]) -> None:
    place = place_of(path)
    assert place is not None
    assert [problem.code for problem in name_problems(place)] == expected


def test_files_of_one_folder_differ_by_more_than_case() -> None:
    found = collisions(["a/b/x1.json", "a/b/X1.json", "a/B/x1.json", "a/b/x2.json"])
    assert [(problem.path, problem.code) for problem in found] == [
        ("a/b/x1.json", "name-collision"),
        ("a/b/X1.json", "name-collision"),
    ]


def test_a_result_file_carries_the_origin_of_its_folder() -> None:
    known = Known(manifest_sha256="a" * 64, origins={"rdo", "idm"})
    assert of_result(lambda data: data.update(origin="idm"), known) == [("origin-mismatch", "/origin")]


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (stray("a"), "stray-file"),
        (not_plain("a"), "not-a-plain-file"),
        (absent("a"), "missing-file"),
        (removed("a"), "removed-file"),
    ],
)
def test_what_is_wrong_with_a_place_is_of_the_whole_file(problem: Problem, code: str) -> None:
    assert (problem.path, problem.pointer, problem.code) == ("a", "", code)
