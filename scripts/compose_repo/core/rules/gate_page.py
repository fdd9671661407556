"""The page `docs/policy.md`: every field of `gate/*.toml`, from the schemas of these files."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.composes.paths import result_of

Schema = Mapping[str, Any]
"""A JSON Schema, or a part of one."""

FILES: Final = ("policy", "origins", "waivers", "holds", "streams")
"""The files of `gate/`, by the names of their schemas, in the order of the page."""

_HEAD: Final = """\
# The rules: every field of gate/*.toml

Five files on main are the rules. They change by merge request to main. `compose-repo validate gate` checks them; it
says where a mistake is and how to fix it. Only policy.toml and origins.toml must exist. The project's template never
changes these files: they are yours.

| file | says |
|---|---|
| [gate/policy.toml](#gatepolicytoml) | what must pass |
| [gate/origins.toml](#gateoriginstoml) | who may report, and how to reach them |
| [gate/waivers.toml](#gatewaiverstoml) | which exceptions hold, and until when |
| [gate/holds.toml](#gateholdstoml) | what must not go out for now, and until when |
| [gate/streams.toml](#gatestreamstoml) | which composes to follow, and where they are published |

This page is made from `schemas/*.schema.json` by `scripts/compose_repo/core/rules/gate_page.py`. The words for values,
such as *name*, are explained in [Kinds of values](#kinds-of-values). The others are in the [glossary](glossary.md).
"""

_ABOUT: Final = {
    "policy": """\
Keep at least one requirement for each stream of gate/streams.toml. See what a change would decide before you merge it:
`compose-repo gate COMPOSE_ID --working-tree` judges by the files in your checkout.

`arches`, `variants` and `scenario` work alike:

| value | what must be reported |
|---|---|
| a list, or `"all"` | each value must be reported and acceptable |
| `"any"` | at least one value must be reported, and each one that is reported must be acceptable |

Silence on an arch never passes. An arch or variant that the compose does not have is missing.

**A new test** begins with `mode = "informing"`. It is judged and shown like all others, folded away, and moves no
verdict, whatever it comes to. Take the line out once you trust the test.

**Reruns.** By default the latest attempt counts, and a pass after a failure is marked flaky. A retry that a tool makes
by itself (`attempts` in a result) is an attempt like one in a file of its own. Attempts are numbered as they come to
the branch, whatever time they give:

| policy | attempts | answer |
|---|---|---|
| `attempts = "latest"` | failed, failed, passed | passed, flaky |
| `attempts = "worst"` | failed, failed, passed | failed |
| `max_attempts = 2` | failed, failed, passed | failed: no pass after the second attempt counts |
| `max_attempts = 2` | passed, passed, failed | failed: a failure always counts |
| `attempts = {passed = 2, of = 3}` | passed | running: one more pass is wanted; overdue past the deadline |
| `attempts = {passed = 2, of = 3}` | passed, failed, passed | passed |
| `attempts = {passed = 2, of = 3}` | failed, failed | failed |

**Runs that stop half-way.** With `complete = "75%"`, a pass must say how many tests ran (`counts` in the result), and
that must be 75% of the usual number or more. Otherwise it is read as an error of the lab, which replaces no verdict.

**A test that is renamed** keeps its history: `testcase_was = ["smoke"]`. If one file has both names, the worse counts.
""",
    "origins": f"""\
To add an origin, copy a block and edit it. The result files of `[origins.NAME]` are
`{result_of("<compose_id>", "NAME", "<run_id>")}`. How to sign is in
[Report results](join.md#sign-your-commits). How a Jenkins is read, and its limits, are in
[Operations](operations.md#jenkins). What the bus needs is in [The message bus](bus.md).
""",
    "waivers": """\
Make a waiver as narrow as the bug: name the arch, variant or scenario, and the composes. A waiver that has expired has
no force. `validate` names it as advice, and as a problem only where a merge request adds or edits it.
""",
    "holds": """\
The file is not there until somebody needs it: `compose-repo hold` makes it, and adds an entry.
`compose-repo hold --lift` takes one away. [For release engineers](releng.md#hold-a-compose-or-a-stream) shows both.

A hold never changes results or the verdict. While it lasts:

| | mode `mirror` | mode `gating` |
|---|---|---|
| the hook of `promote` | is not called | is not called |
| approval | by the verdict, as without it | withdrawn, and none given |
| merging | when the mirrors carry the compose: nobody can stop that, so it is merged, labelled and named | no |
| commit status | pending, "held until …" | pending, "held until …" |
| label `hold::active` | yes | yes |
| exit code of `gate` and `approve` | 3 | 3 |

It ends by itself with its last day, UTC. On that day `gate`, the note and `doctor` say that it ends within a day. When
it ends, or is lifted, a promotion that waited for it is due. A hold whose end is more than 14 days ahead has no force
before its end is near enough. `validate` names such a hold as advice, and as a problem only where a merge request adds
or edits it. Of several holds on a compose, the one that lasts longest is named.
""",
    "streams": """\
What the two values of `mode` change is in [Operations](operations.md#modes). What a call of `promote` carries, where
its secrets are and what is recorded is in [Operations](operations.md#promotion). After a change of `mode`, run
`compose-repo setup` again.

Where types of composes have an address each, `composes` is a list of them:

```toml
composes = [
  "https://composes.stream.centos.org/stream-10/production/",
  "https://composes.stream.centos.org/stream-10/development/",
]
```
""",
}
"""What a reader of a file's table has to know beside the fields."""


class _Table(Struct, frozen=True, kw_only=True):
    """One kind of TOML table: how it is written, and its schema with what a reference adds to it."""

    title: str
    written: str
    schema: Schema
    about: str
    field: str = ""
    """The field that it is written in; none for a table at the top of a file."""
    in_list: bool = False

    @property
    def fields(self) -> Mapping[str, Schema]:
        properties: Mapping[str, Schema] = self.schema["properties"]
        return properties

    @property
    def examples(self) -> Sequence[object]:
        examples: Sequence[object] = self.schema["examples"]
        return [[one] for one in examples] if self.in_list else examples


def as_markdown(schemas: Mapping[str, Schema]) -> str:
    """Write `docs/policy.md` from the schemas of the gate files, by their names."""
    kinds: dict[str, Schema] = {}
    parts = [_HEAD]
    for name in FILES:
        parts += _file(name, schemas[name])
        kinds |= {one["title"]: one for one in schemas[name]["$defs"].values() if not _is_table(one, schemas[name])}
    parts += ["## Kinds of values\n", "| kind | is | for example |\n|---|---|---|"]
    parts += [
        f"| {title} | {_plain(kind['description'])} | {_codes(kind['examples'])} |" for title, kind in kinds.items()
    ]
    return "\n".join(parts) + "\n"


def _file(name: str, schema: Schema) -> Iterator[str]:
    yield f"## gate/{name}.toml\n"
    yield f"{schema['description']}\n"
    yield _ABOUT[name]
    yield f"```toml\n{_document(schema['examples'][0])}```\n"
    yield f'The file begins with `schema = "{name}/1"`, the version of its format.\n'
    for table in _tables(schema):
        yield f"### {table.title}\n"
        yield f"Written as {table.written}. {table.about}\n"
        yield "| field | value | default | meaning |\n|---|---|---|---|"
        required = table.schema.get("required", ())
        for field, value in table.fields.items():
            default = "required" if field in required else _default(value)
            yield f"| `{field}` | {_value(value, schema)} | {default} | {value['description']} |"
        yield ""
        if table.field:
            yield from (f"```toml\n{table.field} = {_toml(one)}\n```\n" for one in table.examples)


def _tables(schema: Schema) -> Iterator[_Table]:
    """Walk through the tables of a file, each before those that are written in it."""
    waiting = [_table(*found, schema) for found in _top(schema)]
    while waiting:
        table = waiting.pop(0)
        yield table
        waiting = [*_inner(table, schema), *waiting]


def _top(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Find the tables at the top of a file, and how they are written."""
    for field, value in schema["properties"].items():
        if "items" in value:
            yield f"`[[{field}]]`, once for each", value["items"]
        elif "patternProperties" in value:
            [named] = value["patternProperties"].values()
            yield f"`[{field}.NAME]`, once for each", named
        elif "$ref" in value:
            yield f"`[{field}]`", value


def _inner(table: _Table, schema: Schema) -> Iterator[_Table]:
    for field, value in table.fields.items():
        in_list = value.get("type") == "array"
        form = "[{…}]" if in_list else "{…}"
        written = f"`{field} = {form}` in [{table.title}]({_anchor(table.title)})"
        for part in _parts(value):
            if _is_table(part, schema):
                yield replace(_table(written, part, schema), field=field, in_list=in_list)


def _table(written: str, part: Schema, schema: Schema) -> _Table:
    named = _named(part, schema)
    target = named
    while "properties" not in target:
        target = _named(target, schema)
    return _Table(title=named["title"], written=written, schema=target, about=named["description"])


def _named(part: Schema, schema: Schema) -> Schema:
    """Give what a part refers to."""
    found: Schema = schema["$defs"][part["$ref"].rpartition("/")[2]]
    return found


def _is_table(part: Schema, schema: Schema) -> bool:
    while "$ref" in part:
        part = _named(part, schema)
    return "properties" in part


def _parts(value: Schema) -> Sequence[Schema]:
    """Give what a field may hold, the entries of a list included."""
    if "items" in value:
        return _parts(value["items"])
    return [inner for part in value["anyOf"] for inner in _parts(part)] if "anyOf" in value else [value]


def _value(value: Schema, schema: Schema) -> str:
    """Say in words what a field may hold."""
    if "enum" in value:
        return _either(map(_code, value["enum"]))
    if "anyOf" in value:
        return _either(_value(part, schema) for part in value["anyOf"])
    if "$ref" in value:
        title = _named(value, schema)["title"]
        return f"[{title}]({_anchor(title)})" if _is_table(value, schema) else title
    if value["type"] == "array":
        bound = "" if "enum" in value["items"] else f" (at most {value['maxItems']})"
        return f"a list of {_value(value['items'], schema)}{bound}"
    if value["type"] == "integer":
        return f"{value['minimum']} to {value['maximum']}"
    return "`true` or `false`"


def _anchor(title: str) -> str:
    return "#" + title.lower().replace(" ", "-")


def _either(values: Iterable[str]) -> str:
    *most, last = values
    return f"{', '.join(most)} or {last}" if most else last


def _default(value: Schema) -> str:
    return _code(value["default"]) if "default" in value else "none"


def _plain(text: str) -> str:
    """Keep what stands in angle brackets from being taken for HTML."""
    return text.replace("<", "\\<")


def _code(value: object) -> str:
    return f"`{_toml(value)}`"


def _codes(values: Iterable[object]) -> str:
    return ", ".join(map(_code, values))


def _document(example: Mapping[str, Any]) -> str:
    """Write an example as TOML: what is a table gets a heading of its own, what is in it stays on one line."""
    lines = []
    for field, value in example.items():
        match value:
            case list():
                for row in value:
                    lines += ["", f"[[{field}]]", *_rows(row)]
            case dict() if all(isinstance(row, dict) for row in value.values()):
                for name, row in value.items():
                    lines += ["", f"[{field}.{name}]", *_rows(row)]
            case dict():
                lines += ["", f"[{field}]", *_rows(value)]
            case _:
                lines += _rows({field: value})
    return "\n".join(lines) + "\n"


def _rows(table: Mapping[str, Any]) -> list[str]:
    return [f"{field} = {_toml(value)}" for field, value in table.items()]


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(_rows(value)) + "}"
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return value
    return json.dumps(value)
