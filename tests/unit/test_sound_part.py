"""A file that its schema refuses is held to the other laws in the same go, as far as it is sound."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from compose_repo.core.composes.layout import Kind, Place
from compose_repo.core.result import SYNONYMS, Outcome
from compose_repo.ports.tree import Entry, GivenTree
from compose_repo.reading.inspection import Inspector

COMPOSE: Final = "CentOS-Stream-10-20261120.0"
RESULT: Final = f"composes/{COMPOSE}/results/rdo/1.json"
MANIFEST: Final = f"composes/{COMPOSE}/manifest.json"
HERE: Final = b'{"variants": {"AppStream": ["x86_64"]}}'
DIGEST: Final = hashlib.sha256(HERE).hexdigest()
PLACE: Final = Place(path=RESULT, kind=Kind.RESULT, compose_id=COMPOSE, origin="rdo", run_id="1")
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
ROW: Final = {"testcase": "t", "outcome": "passed", "arch": "x86_64"}


def told(path: str, raw: bytes) -> list[tuple[str, str]]:
    tree = GivenTree({MANIFEST: HERE, path: raw})
    inspector = Inspector(tree, NOW, origins={"rdo"}, streams={"CentOS-Stream-10"})
    return [(one.code, one.pointer) for one in inspector.inspect(Entry(path=path, size=len(raw))).problems]


def result(**fields: object) -> bytes:
    whole: dict[str, Any] = {
        "schema": "results/1",
        "compose_id": COMPOSE,
        "manifest_sha256": DIGEST,
        "origin": "rdo",
        "run": {"id": "1", "url": "https://ci.example.org/1", "finished_at": "2026-11-20T06:00:00Z"},
        "results": [ROW],
    }
    return json.dumps({key: value for key, value in (whole | fields).items() if value is not ...}, indent=1).encode()


RUN: Final[Mapping[str, Any]] = {"id": "2", "url": "https://x.org/", "finished_at": "2026-11-20T06:00:00Z"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"origin": "idm", "results": [{**ROW, "outcome": "success"}]},
            {("origin-mismatch", "/origin"), ("unknown-origin", "/origin"), ("wrong-value", "/results/0/outcome")},
            id="the only result is wrong, and so is the origin",
        ),
        pytest.param(
            {"results": [{**ROW, "extra": 1}, ROW, {**ROW, "arch": "riscv64"}, ROW]},
            {
                ("unknown-field", "/results/0/extra"),
                ("unknown-arch", "/results/2/arch"),
                ("duplicate-cell", "/results/3"),
            },
            id="results are numbered as they are in the file",
        ),
        pytest.param(
            {"schema": "results/2", "manifest_sha256": "b" * 64},
            {("wrong-value", "/schema"), ("manifest-mismatch", "/manifest_sha256")},
            id="another version of the schema, and of the compose",
        ),
        pytest.param(
            {"run": {**RUN, "log_url": "ftp://x"}},
            {("bad-link", "/run/log_url"), ("run-mismatch", "/run/id")},
            id="one field of the run is wrong",
        ),
        pytest.param(
            {"run": {"id": "2", "started_at": "2026-11-20T06:00:00Z", "finished_at": "yesterday"}},
            {("missing-field", "/run"), ("bad-form", "/run/finished_at"), ("run-mismatch", "/run/id")},
            id="of times that cannot be read nothing more is said",
        ),
        pytest.param(
            {"run": [], "origin": "idm"},
            {("wrong-type", "/run"), ("origin-mismatch", "/origin"), ("unknown-origin", "/origin")},
            id="the run is something else",
        ),
        pytest.param(
            {"compose_id": ..., "origin": ..., "run": {**RUN}, "contact": 1},
            {("missing-field", ""), ("wrong-type", "/contact"), ("run-mismatch", "/run/id")},
            id="fields are missing",
        ),
        pytest.param(
            {"results": 5, "origin": "idm"},
            {("wrong-type", "/results"), ("origin-mismatch", "/origin"), ("unknown-origin", "/origin")},
            id="there are no results",
        ),
    ],
)
def test_laws_are_told_with_what_violates_the_schema(
    fields: Mapping[str, object], expected: set[tuple[str, str]]
) -> None:
    assert set(told(RESULT, result(**fields))) == expected


def test_of_a_file_that_is_something_else_the_schema_alone_is_told() -> None:
    assert told(RESULT, b"[]") == [("wrong-type", "")]


def test_another_result_that_a_message_names_is_numbered_as_in_the_file() -> None:
    raw = result(results=[{"testcase": "t"}, ROW, ROW])
    problems = Inspector(GivenTree({MANIFEST: HERE}), NOW).inspect_bytes(PLACE, raw).problems
    assert [one.message for one in problems if one.code == "duplicate-cell"] == [
        '"t x86_64" is already reported at /results/1'
    ]


@pytest.mark.parametrize("digest", ["abc", ...])
def test_the_digest_that_belongs_there_is_told(digest: object) -> None:
    problems = Inspector(GivenTree({MANIFEST: HERE}), NOW).inspect_bytes(PLACE, result(manifest_sha256=digest)).problems
    assert [DIGEST in one.fix for one in problems] == [True]


GATE: Final = {
    "gate/policy.toml": (
        """\
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = 5
why = "w"
[[requirement]]
origin = "ido"
testcase = "a"
why = "w"
[[requirement]]
origin = "ido"
testcase = "a"
why = "w"
""",
        {
            ("wrong-type", "/requirement/0/testcase"),
            ("unknown-origin", "/requirement/1/origin"),
            ("unknown-origin", "/requirement/2/origin"),
            ("duplicate-requirement", "/requirement/2"),
        },
    ),
    "gate/origins.toml": (
        """\
schema = "origins/1"
[origins.rdo]
users = []
[origins.IDM]
name = "I"
users = ["a"]
contact = {email = "a@example.org", url = "https:///x"}
""",
        {("missing-field", "/origins/rdo"), ("bad-link", "/origins/IDM/contact/url")},
    ),
    "gate/streams.toml": (
        """\
[bots]
gate = "g"
compose = "c"
[streams.CentOS-Stream-10]
composes = 1
[streams.CentOS-Stream-9]
composes = "https:///x"
published = "https://example.org/"
types = ["production"]
statuses = ["FINISHED"]
mode = "mirror"
""",
        {
            ("missing-field", ""),
            ("bad-form", "/streams/CentOS-Stream-10/composes"),
            ("bad-link", "/streams/CentOS-Stream-9/composes"),
        },
    ),
}


@pytest.mark.parametrize("path", GATE)
def test_so_are_the_laws_of_the_rules(path: str) -> None:
    text, expected = GATE[path]
    assert set(told(path, text.encode())) >= expected


def test_a_requirement_that_a_message_names_is_numbered_as_in_the_file() -> None:
    text, _ = GATE["gate/policy.toml"]
    tree = GivenTree({"gate/policy.toml": text.encode()})
    problems = Inspector(tree, NOW).inspect(Entry(path="gate/policy.toml", size=len(text))).problems
    assert [one.message for one in problems if one.code == "duplicate-requirement"] == [
        "this asks the same as requirement 2"
    ]


@pytest.mark.parametrize(
    ("word", "outcome"), [*SYNONYMS.items(), ("Passed", Outcome.PASSED), ("FAILED", Outcome.FAILED)]
)
def test_what_other_tools_call_an_outcome_is_understood(word: str, outcome: Outcome) -> None:
    problems = Inspector(GivenTree({}), NOW).inspect_bytes(PLACE, result(results=[{**ROW, "outcome": word}])).problems
    assert [one.fix.partition("?")[0] for one in problems if one.code == "wrong-value"] == [f"did you mean {outcome}"]
