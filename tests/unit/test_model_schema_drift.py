"""A schema and its model say the same: the same fields, words and defaults, and each reads what the other writes."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import jsonschema
import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from strategies import documents, schema
from test_compose_id import COMPOSE_IDS, NOT_COMPOSE_IDS, NOT_IN_THE_CALENDAR
from test_schemas import valid

from compose_repo.core.composes.compose import FINISHED, ComposeType, Image
from compose_repo.core.manifests.manifest import Manifest, Package, RpmGroup, Unreadable
from compose_repo.core.names import Stream, is_name, is_sha256
from compose_repo.core.plan import labels
from compose_repo.core.problems.problem import Problem
from compose_repo.core.problems.report import Report, as_json
from compose_repo.core.result import ACCEPTABLE, Contact, Outcome, Result, ResultFile, Run
from compose_repo.core.rules import holds, policy, waivers
from compose_repo.core.verdict import decision as answers


class Format(NamedTuple):
    """One kind of file: its schema, its models, and the way between a model and a document."""

    stem: str
    models: st.SearchStrategy[Any]
    write: Callable[[Any], dict[str, Any]]
    read: Callable[[Mapping[str, Any]], Any]


def write_waivers(waivers: tuple[policy.Waiver, ...]) -> dict[str, Any]:
    return {"schema": "waivers/1", "waiver": [waiver.to_dict() for waiver in waivers]}


def write_holds(entries: tuple[holds.HoldEntry, ...]) -> dict[str, Any]:
    return {"schema": "holds/1", "hold": [entry.to_dict() for entry in entries]}


def write_origins(origins: Mapping[str, policy.OriginEntry]) -> dict[str, Any]:
    return {"schema": "origins/1", "origins": {name: entry.to_dict() for name, entry in origins.items()}}


StreamsFile: TypeAlias = tuple[Mapping[Stream, policy.StreamEntry], policy.Bots, labels.Labels]


def write_streams(file: StreamsFile) -> dict[str, Any]:
    streams, bots, names = file
    entries = {name: entry.to_dict() for name, entry in streams.items()}
    return {"schema": "streams/1", "streams": entries, "bots": bots.to_dict(), "labels": names.to_dict()}


def read_streams(data: Mapping[str, Any]) -> StreamsFile:
    return policy.streams_from_dict(data), policy.bots_from_dict(data), labels.labels_from_dict(data)


def by_origin(entries: list[policy.OriginEntry]) -> dict[str, policy.OriginEntry]:
    return {entry.origin: entry for entry in entries}


def by_stream(entries: list[policy.StreamEntry]) -> dict[str, policy.StreamEntry]:
    return {entry.stream: entry for entry in entries}


FORMATS = [
    Format("result", strategies.result_files, ResultFile.to_dict, ResultFile.from_dict),
    Format("manifest", strategies.manifests, Manifest.to_dict, Manifest.from_dict),
    Format("policy", strategies.policies, policy.Policy.to_dict, policy.Policy.from_dict),
    Format(
        "origins",
        st.lists(strategies.origin_entries, max_size=3).map(by_origin),
        write_origins,
        policy.origins_from_dict,
    ),
    Format("waivers", st.lists(strategies.waivers, max_size=3).map(tuple), write_waivers, policy.waivers_from_dict),
    Format("holds", st.lists(strategies.hold_entries, max_size=3).map(tuple), write_holds, holds.holds_from_dict),
    Format(
        "streams",
        st.tuples(st.lists(strategies.stream_entries, max_size=3).map(by_stream), strategies.bots, strategies.labels),
        write_streams,
        read_streams,
    ),
]
each_format = pytest.mark.parametrize("kind", FORMATS, ids=[kind.stem for kind in FORMATS])
quick = settings(
    max_examples=settings().max_examples * 2 // 5, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@each_format
@quick
@given(data=st.data())
def test_what_a_model_writes_is_valid_and_reads_back(kind: Format, data: st.DataObject) -> None:
    model = data.draw(kind.models)
    document = json.loads(json.dumps(kind.write(model)))
    assert valid(kind.stem)(document)
    assert kind.read(document) == model


@each_format
@quick
@given(data=st.data())
def test_what_a_schema_admits_is_read_whole(kind: Format, data: st.DataObject) -> None:
    """Nothing is lost but what `normal` says: writing gives the document back."""
    document = data.draw(documents(kind.stem))
    model = kind.read(document)
    written = json.loads(json.dumps(kind.write(model)))
    assert valid(kind.stem)(written)
    assert kind.read(written) == model
    assert normal(kind.stem, written) == normal(kind.stem, document)


def known(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a check wants null of an unreadable compose, and of no other; variants have sorted arches."""
    if "unreadable" in manifest:
        return dict.fromkeys(("variants", "images", "packages"))
    variants = {name: sorted(arches) for name, arches in (manifest["variants"] or {}).items()}
    return {"variants": variants, "images": manifest["images"] or [], "packages": manifest["packages"] or []}


def normal(stem: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Bring a document to the form that writing gives it.

    Defaults are spelled out, moments are in UTC, sets are sorted, a lone scenario is a list of one, a lone key a table,
    durations are counted, and what a compose id says is taken from there.
    """
    value: dict[str, Any] = json.loads(json.dumps(document))
    match stem:
        case "result":
            for name in {"started_at", "finished_at"} & value["run"].keys():
                value["run"][name] = dt.datetime.fromisoformat(value["run"][name]).timestamp()
        case "manifest":
            value |= known(value)
            for name in ("date", "type", "respin"):
                del value["compose"][name]
            value["release"] = {"name": value["release"]["name"]}
        case "policy":
            value["requirement"] = [_normal_requirement(line) for line in value.get("requirement", [])]
        case "origins":
            value["origins"] = {name: _normal_origin(entry) for name, entry in value.get("origins", {}).items()}
        case "waivers" | "holds":
            value.setdefault(stem.removesuffix("s"), [])
        case "streams":
            followed = schema("streams")["$defs"]["followed_stream"]
            streams = value.get("streams", {}).items()
            value["streams"] = {name: defaults(followed) | _normal_stream(entry) for name, entry in streams}
            for name in ("bots", "labels"):
                value[name] = defaults(schema("streams")["$defs"][name]) | value.get(name, {})
    return value


def _normal_stream(entry: dict[str, Any]) -> dict[str, Any]:
    composes = entry["composes"]
    return entry | {"composes": composes[0] if isinstance(composes, list) and len(composes) == 1 else composes}


def _normal_requirement(line: dict[str, Any]) -> dict[str, Any]:
    value = defaults(schema("policy")["$defs"]["requirement"]) | line
    value["accept"] = sorted(value["accept"])  # a set
    if isinstance(value["scenario"], str) and value["scenario"] != "any":
        value["scenario"] = [value["scenario"]]
    if "deadline" in value:
        value["deadline"] = policy.parse_duration(value["deadline"]).total_seconds()
    return value


def _normal_origin(entry: dict[str, Any]) -> dict[str, Any]:
    value = defaults(schema("origins")["$defs"]["origin"]) | entry
    value["jenkins"] = [defaults(schema("origins")["$defs"]["jenkins_job"]) | job for job in value["jenkins"]]
    keys = [{"key": key} if isinstance(key, str) else key for key in value["keys"]]
    value["keys"] = [{"revoked": False} | key for key in keys]
    return value


def defaults(part: Mapping[str, Any]) -> dict[str, Any]:
    """Give the defaults that a schema documents."""
    return {name: field["default"] for name, field in part["properties"].items() if "default" in field}


@quick
@given(decision=strategies.decisions)
def test_what_a_decision_writes_is_valid(decision: answers.Decision) -> None:
    assert valid("decision")(json.loads(json.dumps(decision.to_dict())))


@quick
@given(problems=st.lists(strategies.problems, max_size=3), advice=st.lists(strategies.problems, max_size=3))
def test_what_problems_write_is_valid(problems: list[Problem], advice: list[Problem]) -> None:
    assert valid("problems")(json.loads(as_json(Report(checked=[], problems=problems, advice=advice))))


TABLE = [
    ("result", "result", Result, {}),
    ("result", "run", Run, {}),
    ("result", "contact", Contact, {}),
    ("result", None, ResultFile, {}),
    ("manifest", "image", Image, {}),
    ("manifest", "package", Package, {}),
    ("manifest", "rpm_group", RpmGroup, {}),
    ("manifest", "unreadable", Unreadable, {}),
    ("policy", "requirement", policy.Requirement, {"scenarios": "scenario", "blocking": "mode", "passes": None}),
    ("policy", None, policy.Policy, {"requirements": "requirement"}),
    ("origins", "origin", policy.OriginEntry, {"origin": None}),
    ("origins", "signing_key", policy.SigningKey, {}),
    ("origins", "bus_mapping", policy.BusMapping, {}),
    ("waivers", "waiver", policy.Waiver, {}),
    ("holds", "hold", holds.HoldEntry, {"exceptions": "except"}),
    ("streams", "followed_stream", policy.StreamEntry, {"stream": None}),
    ("streams", "bots", policy.Bots, {}),
    ("streams", "labels", labels.Labels, {}),
    ("problems", "problem", Problem, {}),
    ("decision", "answer", answers.Answer, {}),
    ("decision", "waiver_notice", waivers.WaiverNotice, {}),
    ("decision", None, answers.Decision, {"notices": "waivers", "bears_on": None, "hold_ends_soon": None}),
    ("decision", "attempt", answers.NotCounted, {}),
    ("decision", "usual", answers.Usual, {}),
    ("decision", "hold", answers.Hold, {}),
    ("decision", "unmatched", answers.Unmatched, {}),
]


@pytest.mark.parametrize(("stem", "definition", "model", "renamed"), TABLE)
def test_a_schema_has_the_fields_of_its_model(
    stem: str,
    definition: str | None,
    model: Any,  # noqa: ANN401  # a class and what makes it
    renamed: Mapping[str, str | None],
) -> None:
    part = schema(stem) if definition is None else schema(stem)["$defs"][definition]
    names = [renamed.get(field.name, field.name) for field in structs.fields(model)]
    assert part["properties"].keys() - {"schema"} == set(names) - {None}


INPUT_TABLE = [row for row in TABLE if row[0] not in {"problems", "decision"} and row[2] is not policy.Policy]


@pytest.mark.parametrize(("stem", "definition", "model", "renamed"), INPUT_TABLE)
def test_a_schema_requires_what_its_model_has_no_default_for(
    stem: str,
    definition: str | None,
    model: Any,  # noqa: ANN401  # a class and what makes it
    renamed: Mapping[str, str | None],
) -> None:
    part = schema(stem) if definition is None else schema(stem)["$defs"][definition]
    names = [renamed.get(field.name, field.name) for field in structs.fields(model) if field.required]
    assert set(part.get("required", ())) - {"schema"} == set(names) - {None}


def test_a_manifest_has_the_fields_of_its_model() -> None:
    root = schema("manifest")
    nested: dict[str, tuple[str, ...]] = {"compose_id": ("compose", "id"), "release_name": ("release", "name")}
    nested |= {name: ("compose", name) for name in ("status", "label")}
    derived = {("compose", "date"), ("compose", "type"), ("compose", "respin")}
    derived |= {("release", "short"), ("release", "version")}
    inner = [(part, name) for part in ("compose", "release") for name in root["$defs"][part]["properties"]]
    outer = [(name,) for name in root["properties"] if name not in {"schema", "compose", "release"}]
    described: set[tuple[str, ...]] = {*inner, *outer}
    modelled = {nested.get(field.name, (field.name,)) for field in structs.fields(Manifest)}
    assert described == modelled | derived


@pytest.mark.parametrize(
    ("stem", "pointer", "words"),
    [
        ("result", "$defs/outcome/enum", set(Outcome)),
        ("decision", "$defs/outcome/enum", set(Outcome)),
        ("manifest", "$defs/compose/properties/type/enum", set(ComposeType)),
        ("manifest", "$defs/status/enum", set(FINISHED)),
        ("policy", "$defs/requirement/properties/accept/items/enum", set(ACCEPTABLE)),
        ("policy", "$defs/requirement/properties/attempts/anyOf/0/enum", set(policy.Attempts)),
        ("origins", "$defs/origin/properties/attribution/enum", set(policy.Attribution)),
        ("streams", "$defs/followed_stream/properties/mode/enum", set(policy.Mode)),
        ("streams", "$defs/followed_stream/properties/types/items/enum", set(ComposeType)),
        ("streams", "$defs/followed_stream/properties/statuses/items/enum", set(FINISHED)),
        ("decision", "properties/verdict/enum", set(answers.Verdict)),
        ("decision", "$defs/answer/properties/state/enum", set(answers.State)),
        ("decision", "$defs/waiver_notice/properties/state/enum", set(waivers.WaiverState)),
    ],
)
def test_a_schema_has_the_words_of_its_model(stem: str, pointer: str, words: set[StrEnum]) -> None:
    part: Any = schema(stem)
    for key in pointer.split("/"):
        part = part[int(key) if isinstance(part, list) else key]
    assert sorted(part) == sorted(map(str, words))


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (
            schema("policy")["$defs"]["requirement"],
            policy.Requirement.from_dict({"origin": "a", "testcase": "b"}).to_dict(),
        ),
        (
            schema("origins")["$defs"]["origin"],
            policy.OriginEntry.from_dict("a", {"name": "A", "contact": {"email": "a@b"}}).to_dict(),
        ),
        (
            schema("origins")["$defs"]["signing_key"],
            policy.OriginEntry.from_dict("a", {"name": "A", "contact": {}, "keys": ["k"]}).to_dict()["keys"][0],
        ),
        (
            schema("streams")["$defs"]["followed_stream"],
            policy.StreamEntry.from_dict("a", {"composes": "b"}).to_dict(),
        ),
        (schema("streams")["$defs"]["bots"], policy.bots_from_dict({}).to_dict()),
        (schema("streams")["$defs"]["labels"], labels.labels_from_dict({}).to_dict()),
    ],
    ids=["requirement", "origin", "signing_key", "followed_stream", "bots", "labels"],
)
def test_a_schema_documents_the_defaults_of_its_model(part: dict[str, Any], written: dict[str, Any]) -> None:
    assert written.keys() == set(part.get("required", ())) | defaults(part).keys()
    assert {name: written[name] for name in defaults(part)} == defaults(part)


@pytest.mark.parametrize(
    ("model", "least"),
    [
        (policy.Requirement, {"origin": "a", "testcase": "b", "why": "c"}),
        (policy.StreamEntry, {"stream": "a", "composes": ("b",), "published": "c"}),
        (policy.OriginEntry, {"origin": "a", "name": "A", "contact": Contact(email="a@b")}),
    ],
)
def test_a_model_has_the_same_defaults_in_python_as_in_a_file(model: Any, least: dict[str, Any]) -> None:  # noqa: ANN401
    data = {key: value.to_dict() if isinstance(value, Contact) else value for key, value in least.items()}
    name = [data.pop("origin" if model is policy.OriginEntry else "stream")] if model is not policy.Requirement else []
    assert model.from_dict(*name, data) == model(**least)


def admits(definition: str, text: str) -> bool:
    return jsonschema.Draft202012Validator(schema("manifest")["$defs"][definition]).is_valid(text)


@pytest.mark.parametrize("text", [*COMPOSE_IDS, *NOT_COMPOSE_IDS])
def test_the_schema_admits_the_compose_ids_that_parse(text: str) -> None:
    assert admits("compose_id", text) == (text in COMPOSE_IDS or text in NOT_IN_THE_CALENDAR)


@given(text=strategies.names | st.text(max_size=10))
def test_the_schema_admits_the_names_that_the_core_does(text: str) -> None:
    assert admits("name", text) == is_name(text)


@given(text=strategies.sha256s | st.text(max_size=10))
def test_the_schema_admits_the_digests_that_the_core_does(text: str) -> None:
    assert admits("sha256", text) == is_sha256(text)
