"""docs/policy.md is made from the schemas: every field is in it, and each example that it shows is valid."""

import datetime as dt
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from compose_repo.core.composes.layout import GATE_FILES
from compose_repo.core.rules.gate_page import FILES, as_markdown

ROOT: Final = Path(__file__).resolve().parents[2]
SCHEMAS: Final[dict[str, Any]] = {
    name: json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")) for name in FILES
}
PAGE: Final = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def sections(level: str) -> dict[str, str]:
    parts = re.split(rf"^{level} (.*)\n", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_is_made_from_the_schemas() -> None:
    # Write it anew: scripts/in-venv dev python tests/unit/test_gate_page.py
    assert as_markdown(SCHEMAS) == PAGE


def test_every_file_of_the_folder_has_its_part() -> None:
    assert set(GATE_FILES) == {f"gate/{name}.toml" for name in FILES}
    assert [title for title in sections("##") if title.startswith("gate/")] == [f"gate/{name}.toml" for name in FILES]


@pytest.mark.parametrize("name", FILES)
def test_every_field_of_a_file_has_its_row(name: str) -> None:
    part = sections("##")[f"gate/{name}.toml"]
    for definition in SCHEMAS[name]["$defs"].values():
        for field, schema in definition.get("properties", {}).items():
            assert re.search(rf"^\| `{field}` \| .* \| {re.escape(schema['description'])} \|$", part, re.MULTILINE)


def test_a_row_says_what_a_field_may_hold_and_what_holds_without_it() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*? \| .*?) \|", PAGE, re.MULTILINE))
    assert {field: rows[field] for field in ("testcase", "baseline", "memory", "revoked", "keys", "promote")} == {
        "testcase": "Test name | required",
        "baseline": '`"published"` | none',
        "memory": "1 to 26 | `8`",
        "revoked": "`true` or `false` | `false`",
        "keys": "a list of SSH public key or [Signing key](#signing-key) (at most 100) | `[]`",
        "promote": "[Hook](#hook) | none",
    }
    assert '| `attribution` | `"pusher"`, `"signature"` or `"either"` | `"pusher"` |' in PAGE


def test_each_table_says_where_it_is_written() -> None:
    written = re.findall(r"^Written as (.*?)\. ", PAGE, re.MULTILINE)
    assert {"`[[waiver]]`, once for each", "`[streams.NAME]`, once for each", "`[bots]`"} <= set(written)
    assert {"`keys = [{…}]` in [Origin](#origin)", "`contact = {…}` in [Origin](#origin)"} <= set(written)


def test_the_page_shows_a_valid_file_of_each_kind() -> None:
    files = [tomllib.loads(text) for text in EXAMPLES if text.startswith("schema = ")]
    assert [file["schema"] for file in files] == [f"{name}/1" for name in FILES]
    assert files[FILES.index("waivers")]["waiver"][0]["expires"] == dt.date(2026, 12, 1)
    for name, file in zip(FILES, files, strict=True):
        jsonschema_rs.Draft202012Validator(SCHEMAS[name]).validate(json.loads(json.dumps(file, default=str)))


def test_each_other_example_is_valid_in_its_table() -> None:
    tables = {"keys": "origins", "bus": "origins", "jenkins": "origins", "contact": "origins"}
    tables |= {"promote": "streams", "composes": "streams"}
    seen = set()
    for text in EXAMPLES:
        for field, value in tomllib.loads(text).items():
            if field in tables and not text.startswith("schema = ") and not isinstance(value, str):
                seen.add(field)
                name = tables[field]
                schema = SCHEMAS[name]["$defs"]["origin" if name == "origins" else "followed_stream"]
                part = {**schema["properties"][field], "$defs": SCHEMAS[name]["$defs"]}
                if not (field == "jenkins" and isinstance(value, dict)):  # that one is a hook's
                    jsonschema_rs.Draft202012Validator(part).validate(json.loads(json.dumps(value, default=str)))
    assert seen == tables.keys()


if __name__ == "__main__":
    (ROOT / "docs" / "policy.md").write_text(as_markdown(SCHEMAS), encoding="utf-8")
