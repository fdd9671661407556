"""RDO's account puts Markdown, mentions, quick actions, HTML and links into every text field that a result file has.

Without the defence the gate bot's note mentions everybody, shows Mallory's pictures, or does what the text says.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from attacks.cleanliness import unclean
from attacks.mutations import TEXT_IS_ESCAPED
from attacks.world import Played, Start, World, run_cli

STARTS = (Start.BLOCKED,)
MOVES = frozenset({"rows", "main"})
SCHEMA: Final = Path(__file__).resolve().parents[3] / "schemas" / "result.schema.json"
PAYLOADS: Final = (
    "@all @mallory ~gate::satisfied !1 #1 &1 %1 $1 :boom: {+x+} [-x-] [[_TOC_]]",
    "/approve /merge",
    "x\n/merge\n/label ~gate::satisfied\n---\n# Mine\n",
    "![x](https://evil.example/p.png) [x](javascript:alert(1)) <https://evil.example> www.evil.example",
    "http://evil.example ftp://evil.example mailto:all@evil.example",
    "<img src=x onerror=alert(1)> </details></td><script>alert(1)</script> <!-- compose-repo: gate -->",
    "a | b | c |\n|---|---|\n`code` ``` ~~~ ]]> \\| &quot; &#64;all",
    "\u202egnp.exe \u200b\u2066",
    "https://good.example@evil.example/",
    "https://evil.example/)](x)%20@all|`<img>",
    "https://xn--vil-bma.example/?@all#!1",
    "javascript:alert(1)",
)
DEFENCES = (TEXT_IS_ESCAPED,)


def after_reports(world: World) -> None:
    """Push a file for each field and each payload, in one commit; some are refused, and the refusal is told of."""
    number = 0
    changes: dict[str, str] = {}
    for field in text_fields(json.loads(SCHEMA.read_text())):
        for payload in PAYLOADS:
            number += 1
            data = sound(world, f"t{number}")
            put(data, field, payload)
            changes[f"{world.results}/rdo/t{number}.json"] = json.dumps(data)
    world.add("rdo-ci", changes)


def sound(world: World, run: str) -> dict[str, Any]:
    """Write a result file in which every field stands, so that each can be spoilt."""
    link = "https://ci.example.org/1"
    rows: list[dict[str, Any]] = [
        {"testcase": "tempest.smoke", "outcome": "failed", "arch": "x86_64", "scenario": run, "note": "n"},
        {"testcase": "tempest.smoke", "outcome": "error", "arch": "aarch64", "scenario": run, "error_reason": "e"},
    ]
    for row in rows:
        row.update(variant="BaseOS", url=link, log_url=link, attempts=[{"outcome": "error", "note": "n"}])
    contact = {"name": "RDO", "email": "rdo-ci@example.org", "url": link, "docs": link}
    data: dict[str, Any] = json.loads(world.result("rdo", run=run, minutes=5, results=rows, contact=contact))
    data["run"].update(log_url=link, started_at=data["run"]["finished_at"])
    return data


def text_fields(schema: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Find every field of a schema that holds text; `[]` stands for each element of an array."""

    def walk(node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        node = {**schema["$defs"].get(node.get("$ref", "").rpartition("/")[2], {}), **node}
        if node.get("type", "string") == "string":
            yield path
        for name, inner in node.get("properties", {}).items():
            yield from walk(inner, (*path, name))
        if "items" in node:
            yield from walk(node["items"], (*path, "[]"))

    found = list(walk({**schema, "$ref": ""}, ()))
    assert {("run", "url"), ("results", "[]", "note"), ("contact", "email"), ("results", "[]", "scenario")} <= {*found}
    return found


def put(data: Any, field: tuple[str, ...], payload: str) -> None:  # noqa: ANN401  # a JSON value
    """Put a text into a field."""
    name, *rest = field
    if name == "[]":
        for element in data:
            put(element, tuple(rest), payload)
    elif not rest:
        data[name] = payload
    else:
        put(data[name], tuple(rest), payload)


def verify(played: Played) -> Iterator[str]:
    """The reports of `validate` are well-formed, and say no more than there is."""
    world = played.world
    folder = world.folder / "checkout"
    world.check_out(folder)
    run_cli({}, "validate", "--repo", str(folder), "--junit", f"{folder}/j.xml", "--code-quality", f"{folder}/q.json")
    suites = ET.parse(folder / "j.xml").getroot()  # noqa: S314  # we have written it
    files = list((folder / "composes").rglob("*.json")) + list((folder / "gate").glob("*.toml"))
    cases = list(suites.iter("testcase"))
    if len(cases) != len(files):
        yield f"JUnit tells of {len(cases)} files, there are {len(files)}"
    if {element.tag for element in suites.iter()} - {"testsuites", "testsuite", "testcase", "failure", "system-out"}:
        yield "JUnit has elements that nobody has written"
    for row in json.loads((folder / "q.json").read_text()):
        if not row["description"].isprintable():
            yield f"Code Quality shows {row['description']!a}"
    yield from unclean(played.outcome.title)
