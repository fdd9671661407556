"""The schemas themselves: valid, closed, described, bounded, and read alike by both validators."""

import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import SCHEMAS, documents, schema

INPUTS = ["result", "manifest", "policy", "origins", "waivers", "holds", "streams"]
OUTPUTS = ["decision", "problems", "changes", "plan", "setup", "doctor", "sync"]
ALL = INPUTS + OUTPUTS
IDS = {"result": "results"}
VERSIONS = {"doctor": 2, "decision": 2, "problems": 2, "sync": 2}
"""Of those that are not at their first."""
HOSTILE = [
    "",
    "\n",
    "a\nb",
    "a\r",
    "a\x00",
    "a b",
    " ",
    "../a",
    "-a",
    ".a",
    "é",
    "٣",
    "a\u2028",
    "a\u202e",
    "x" * 70_000,
]


@cache
def valid(stem: str) -> Callable[[Any], bool]:
    """Give a check that asks both validators and insists that they agree."""
    value = schema(stem)
    fast, plain = jsonschema_rs.validator_for(value), jsonschema.Draft202012Validator(value)

    def check(document: Any) -> bool:  # noqa: ANN401  # any JSON value
        first, second = fast.is_valid(document), plain.is_valid(document)
        assert first == second, f"jsonschema-rs: {first}, jsonschema: {second}"
        return first

    return check


def subschemas(part: Any, pointer: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Walk every schema within a schema, itself first."""
    yield pointer, part
    for keyword in ("properties", "patternProperties", "$defs"):
        for name, child in part.get(keyword, {}).items():
            yield from subschemas(child, f"{pointer}/{keyword}/{name}")
    for keyword in ("items", "contains", "not"):
        if keyword in part:
            yield from subschemas(part[keyword], f"{pointer}/{keyword}")
    for number, child in enumerate(part.get("anyOf", ())):
        yield from subschemas(child, f"{pointer}/anyOf/{number}")


def fields(stem: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk what people look up: the document, each field, each definition."""
    for pointer, part in subschemas(schema(stem)):
        parent = pointer.split("/")[-2:-1]
        if pointer == "#" or parent in (["properties"], ["patternProperties"], ["$defs"]):
            yield pointer, part


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:  # noqa: ANN401
    """Walk every string of a document."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(child, (*path, key))


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Walk every object of a document."""
    if isinstance(value, dict):
        yield path
    if isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from objects(child, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], new: Any) -> Any:  # noqa: ANN401
    """Copy a document with another value in one place."""
    result = copy.deepcopy(document)
    target = result
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = new
    return result


def test_every_schema_of_the_folder_is_tested() -> None:
    assert sorted(path.name for path in SCHEMAS.iterdir()) == sorted(f"{stem}.schema.json" for stem in ALL)


@pytest.mark.parametrize("stem", ALL)
def test_schema_is_valid_2020_12_with_a_versioned_id(stem: str) -> None:
    value = schema(stem)
    jsonschema.Draft202012Validator.check_schema(value)
    assert value["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    name = f"{IDS.get(stem, stem)}/{VERSIONS.get(stem, 1)}"
    assert value["$id"] == f"urn:compose-repo:schema:{name}"
    assert value["properties"]["schema"]["const"] == name


@pytest.mark.parametrize("stem", ALL)
def test_every_object_is_closed_but_misc(stem: str) -> None:
    for pointer, part in subschemas(schema(stem)):
        if part.get("type") == "object":
            assert part.get("additionalProperties") is pointer.endswith("/misc"), pointer
            assert set(part.get("required", ())) <= set(part.get("properties", ())), pointer


@pytest.mark.parametrize("stem", ALL)
def test_every_field_has_a_title_a_description_and_valid_examples(stem: str) -> None:
    root = schema(stem)
    for pointer, part in fields(stem):
        assert re.fullmatch(r"[^\n.]+", part.get("title", "")), pointer
        assert re.fullmatch(r"[^\n]+\.", part.get("description", "")), pointer
        assert part.get("examples"), pointer
        here = jsonschema.Draft202012Validator({**part, "$defs": root["$defs"]})
        for example in [*part["examples"], *([part["default"]] if "default" in part else [])]:
            assert not list(map(str, here.iter_errors(example))), pointer


@pytest.mark.parametrize("stem", ALL)
def test_every_definition_is_used_and_every_reference_defined(stem: str) -> None:
    root = schema(stem)
    used = {part["$ref"].removeprefix("#/$defs/") for _, part in subschemas(root) if "$ref" in part}
    assert used == root["$defs"].keys()


def test_a_kind_of_value_is_defined_alike_in_every_schema() -> None:
    seen: dict[str, Any] = {}
    for stem in ALL:
        for name, part in schema(stem)["$defs"].items():
            if part.get("type") == "object":
                continue  # a word such as "compose" may stand for another set of fields elsewhere
            assert seen.setdefault(name, part) == part, f"{stem}: {name}"


@pytest.mark.parametrize("stem", ALL)
def test_everything_is_bounded(stem: str) -> None:
    """Output lists are as long as their inputs; everything else says how long it may be."""
    for pointer, part in subschemas(schema(stem)):
        kind = part.get("type")
        if pointer.endswith("/not") or "enum" in part:
            continue
        if kind == "string":
            assert "maxLength" in part or part["pattern"].endswith("{64}$"), pointer
        elif kind in {"integer", "number"}:
            assert {"minimum", "maximum"} <= part.keys(), pointer
        elif kind == "array":
            assert "maxItems" in part or stem in OUTPUTS, pointer
        elif kind == "object" and "properties" not in part:
            assert "maxProperties" in part, pointer


@pytest.mark.parametrize("stem", ALL)
def test_every_pattern_holds_for_the_whole_text_in_every_engine(stem: str) -> None:
    """`$` lets a trailing newline pass in Python, and `\\d`, `\\w`, `\\s` mean other characters in other engines."""
    for pointer, part in subschemas(schema(stem)):
        keys = list(part.get("patternProperties", ()))
        assert all(key.startswith(r"^(?![^\n]*\n)") and key.endswith("$") for key in keys), pointer
        pattern = part.get("pattern")
        if pattern is None or pointer.endswith("/not"):
            continue
        assert pattern.startswith("^"), pointer
        assert not re.search(r"\\[dDwWsSbBAzZ]", pattern), pointer
        if pattern.endswith("$"):
            assert part["not"] == {"type": "string", "pattern": r"\n"}, pointer
        else:
            assert re.fullmatch(r"\^\(\?!\[\^(.+)\]\*\[\1\]\)", pattern), pointer


@pytest.mark.parametrize("stem", ALL)
def test_examples_are_valid(stem: str) -> None:
    check = valid(stem)
    for example in schema(stem)["examples"]:
        assert check(example)


@pytest.mark.parametrize("stem", INPUTS)
def test_an_unknown_field_is_refused_everywhere(stem: str) -> None:
    check, example = valid(stem), schema(stem)["examples"][0]
    for path in objects(example):
        assert not check(replaced(example, (*path, "Unknown field"), 1)), path


@pytest.mark.parametrize("stem", INPUTS)
@pytest.mark.parametrize("tail", ["\n", "\r\n", "\r", "\x00", "\x1b[2J", "\u2028", "\u202e", "x" * 10_000])
def test_control_characters_and_overlong_texts_are_refused_everywhere(stem: str, tail: str) -> None:
    check, example = valid(stem), schema(stem)["examples"][0]
    for path, text in leaves(example):
        is_note_with_a_newline = path[-1] == "note" and tail == "\n"
        assert check(replaced(example, path, text + tail)) == is_note_with_a_newline, path


@pytest.mark.parametrize("stem", INPUTS)
@pytest.mark.parametrize("other", [None, 1, True, [], {}])
def test_a_text_is_nothing_else(stem: str, other: Any) -> None:  # noqa: ANN401
    check, example = valid(stem), schema(stem)["examples"][0]
    elsewhere = {
        "label",
        "name",
        "sha256",
        "composeinfo.json",
        "images.json",
        "modules.json",
        "rpms.json",
        "scenario",
        "status",
    }
    for path, _ in leaves(example):
        assert path[-1] in elsewhere or not check(replaced(example, path, other)), path


@pytest.mark.parametrize("stem", ALL)
@settings(max_examples=settings().max_examples // 5, deadline=None)
@given(data=st.data())
def test_both_validators_agree_on_what_is_nearly_valid(stem: str, data: st.DataObject) -> None:
    document = data.draw(documents(stem))
    check = valid(stem)
    assert check(document)
    path, text = data.draw(st.sampled_from(list(leaves(document))))
    check(replaced(document, path, data.draw(st.sampled_from([*HOSTILE, text + "\n", 0, None]))))


@pytest.mark.parametrize(
    ("definition", "good", "bad"),
    [
        ("name", ["rdo", "0", "x86_64", "a" * 128], ["", ".a", "-a", "a/b", "a b", "é", "a" * 129]),
        (
            "test_name",
            ["tempest.smoke", "/a/b:c+d@e", "test_a[b-1]", "-", "a  (b) | `c` \\ <d>", "a" * 255],
            ["", " ", " a", "a ", "a\n", "a\tb", "a\x7f", "\u0430", "a\u00a0b", "a" * 256],
        ),
        (
            "link",
            ["http://a", "https://a.example.org:8443/x?y=z&a[]=1#f", "https://[::1]/", "https://a?b"],
            [
                "",
                "https://",
                "ftp://a/",
                "javascript:alert(1)",
                "HTTPS://a/",
                "https://user:secret@a/",
                "https://a/ b",
                "https://a/<b>",
                "https://a/\\b",
                "https://é/",
                " https://a/",
                "https://a/" + "x" * 2048,
            ],
        ),
        ("source", ["https://a/", "file:///srv/composes/"], ["file://host/x", "file:/x", "/srv", "s3://a/"]),
        (
            "time",
            ["2026-11-20T04:10:00Z", "2026-11-20T04:10:00.5+01:00", "2026-02-30T04:10:00-23:59"],
            [
                "2026-11-20",
                "2026-11-20T04:10Z",
                "2026-11-20T04:10:00",
                "2026-11-20 04:10:00Z",
                "2026-11-20t04:10:00z",
                "2026-13-20T04:10:00Z",
                "2026-11-20T24:00:00Z",
                "2026-11-20T04:10:60Z",
                "0001-01-01T00:00:00+01:00",
                "2026-11-20T04:10:00+24:00",
                "٢026-11-20T04:10:00Z",
            ],
        ),
        ("date", ["2026-12-01"], ["2026-12-1", "2026-12-32", "2026-00-01", "2026-12-01T00:00:00"]),
        ("email", ["a@example.org", "a+b.c@localhost"], ["a", "@a", "a@", "a@b@c", "a b@c", "a@b..c", "<a@b>"]),
        ("deadline", ["1m", "48h", "9999d"], ["0h", "h", "1w", "-1h", "1.5h", "48 h", "048h", "10000h", "48H"]),
        (
            "compose_id",
            ["CentOS-Stream-10-20261120.0", "Fedora-Rawhide-20230502.n.0", "A-1-20240131.ci.999999"],
            ["CentOS-Stream-10-20261320.0", "../../evil20240501.0x", "A-1-20240131.x.0", "A-1-20240131.00"],
        ),
        (
            "compose_pattern",
            ["*", "A-1-2024013[0-5].?", "A-1-2024*.[!0]"],
            ["", "A[", "A]", "A[]", "A[!]", "A/*", "a b"],
        ),
        ("user", ["jdoe", "_x.y-z"], ["", "@jdoe", "-x", "a b", "a/b"]),
        (
            "ssh_key",
            ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA== jane doe"],
            ["ssh-dss AAAAC3NzaC1lZDI1NTE5AAAA", "ssh-rsa", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA==  \t", "AAAAC3Nz"],
        ),
        (
            "nvr",
            ["bash-5.1.8-6.el9", "a-b-c-1~rc1^2-3", "_x-1-1", "%{x}-1-1%{dist}"],
            ["bash", "bash-5", "-1-1", "bash-5:1-1", "b h-1-1"],
        ),
        ("rpm_name", ["bash", "libstdc++", "_", "%{x}"], ["", "-a", ".a", "{", "a b", "a:b"]),
        (
            "file_path",
            ["a", "BaseOS/x86_64/iso/a+b~1.iso", ".a", "...", "a b/é.iso", "a\\b"],
            ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", ".", "a\nb", "a\n", "\u202ea", "x" * 1025],
        ),
        ("line", ["RDO CI", "é", "a\u00a0b", "😀" * 1024], ["", "😀" * 1025, "a\tb", "a\x85", "\u2066", "x" * 1025]),
        ("note", ["a\nb\tc", "\n"], ["", "a\r\n", "\x0b", "\u202a", "x" * 4097]),
        ("stream", ["CentOS-Stream-10", "Fedora-Rawhide"], ["CentOS", "9", "CentOS-Stream-10-", "CentOS-Stream-x"]),
        ("sha256", ["0" * 64], ["0" * 63, "0" * 65, "A" * 64, "g" * 64]),
    ],
)
def test_definition_draws_the_line(definition: str, good: list[str], bad: list[str]) -> None:
    part = next(schema(stem)["$defs"][definition] for stem in ALL if definition in schema(stem)["$defs"])
    fast, plain = jsonschema_rs.validator_for(part), jsonschema.Draft202012Validator(part)
    assert [fast.is_valid(text) for text in good + bad] == [True] * len(good) + [False] * len(bad)
    assert [plain.is_valid(text) for text in good + bad] == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize(
    ("stem", "path", "new"),
    [
        ("result", ("results",), []),
        ("result", ("results", 0, "outcome"), "PASSED"),
        ("result", ("results", 0, "duration"), -0.1),
        ("result", ("results", 0, "duration"), "812"),
        ("result", ("contact",), {}),
        ("result", ("misc",), []),
        ("manifest", ("compose", "status"), "STARTED"),
        ("manifest", ("compose", "respin"), -1),
        ("manifest", ("variants", "../x"), ["x86_64"]),
        ("manifest", ("variants", "BaseOS"), []),
        ("manifest", ("variants", "BaseOS\n"), ["x86_64"]),
        ("manifest", ("packages", 0, "epoch"), 0),
        ("manifest", ("images", 0, "size"), 1.5),
        ("policy", ("requirement", 0, "accept"), ["info"]),
        ("policy", ("requirement", 0, "accept"), ["passed", "passed"]),
        ("policy", ("requirement", 0, "accept"), ["passed", "failed"]),
        ("policy", ("requirement", 0, "arches"), []),
        ("policy", ("requirement", 0, "arches"), "x86_64"),
        ("policy", ("requirement", 0, "arches"), ["all"]),
        ("policy", ("requirement", 0, "arches"), ["x86_64", "x86_64"]),
        ("policy", ("requirement", 0, "scenario"), []),
        ("policy", ("requirement", 0, "scenario"), ["any"]),
        ("policy", ("requirement", 0, "baseline"), "previous"),
        ("origins", ("origins", "../x"), {"name": "X", "contact": {"email": "a@b"}}),
        ("origins", ("origins", "rdo", "contact"), {"docs": "https://a/"}),
        ("waivers", ("waiver", 0, "composes"), []),
        ("streams", ("streams", "CentOS-Stream-10\n"), {"composes": "https://a/", "published": "https://a/"}),
        ("streams", ("streams", "CentOS-Stream-10", "statuses"), ["STARTED"]),
        ("streams", ("streams", "CentOS-Stream-10", "types"), []),
        ("streams", ("bots", "compose"), "@compose-bot"),
        ("streams", ("bots", "gate"), "gate-bot\n"),
        ("streams", ("bots", "merge"), "merge-bot"),
    ],
)
def test_this_is_refused(stem: str, path: tuple[Any, ...], new: Any) -> None:  # noqa: ANN401
    assert not valid(stem)(replaced(schema(stem)["examples"][0], path, new))


@pytest.mark.parametrize("stem", ["policy", "origins", "waivers", "streams"])
def test_the_gate_files_that_the_project_starts_with_are_valid(stem: str) -> None:
    document = tomllib.loads((SCHEMAS.parent / "gate" / f"{stem}.toml").read_text(encoding="utf-8"))
    assert valid(stem)(json.loads(json.dumps(document, default=str)))


def test_the_gate_files_that_the_project_starts_with_belong_together() -> None:
    read = {
        stem: tomllib.loads((SCHEMAS.parent / "gate" / f"{stem}.toml").read_text(encoding="utf-8"))
        for stem in ("policy", "origins", "streams")
    }
    required = read["policy"]["requirement"]
    assert {line["origin"] for line in required} == read["origins"]["origins"].keys()
    assert {stream for line in required for stream in line.get("streams", ())} == read["streams"]["streams"].keys()
