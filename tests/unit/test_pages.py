"""Pages that people read: links lead somewhere, README is short, what is said of the template holds."""

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from compose_repo.core.verdict.decision import State, Verdict

ROOT: Final = Path(__file__).resolve().parents[2]
INSTANCE: Final = "INSTANCE.md"
"""An instance's own page, which the template does not have."""
PAGES: Final = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *(path for path in ROOT.glob("*.md") if path.name != INSTANCE),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("composes/README.md"),
        *ROOT.glob("scripts/**/README.md"),
        *ROOT.glob("tests/**/README.md"),
    )
}
COMING: Final = {"docs/architecture.md"}
"""Pages that are linked before they are written; nothing says that they are not there."""


def prose(text: str) -> str:
    """Leave out what is shown as code: a link in it is none."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def links(text: str) -> list[str]:
    return [one for one in re.findall(r"\]\(([^)\s]+)\)", prose(text)) if not re.match(r"[a-z]+:", one)]


def anchors(text: str) -> set[str]:
    """Give the anchors of a page's headings, as GitLab makes them."""
    seen: Counter[str] = Counter()
    found = set()
    shown = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ (.*)$", shown, re.MULTILINE):
        label = re.sub(r"\]\([^)]*\)", "", heading).lower()
        slug = re.sub(r"-{2,}", "-", re.sub(r"[^\w -]", "", label).strip().replace(" ", "-"))
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: str) -> list[str]:
    wrong = []
    for link in links(PAGES[page]):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
        name = target.relative_to(ROOT).as_posix()
        if name in COMING and not target.exists():
            continue
        if not target.exists() or (anchor and anchor not in anchors(PAGES[name])):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_lead_to_files_and_headings(page: str) -> None:
    assert broken(page) == []


def test_the_links_of_a_page_are_found() -> None:
    text = "# A `b`: c/d.toml\n[x](y.md#z) ![p](i.png) [w](https://a.example/) `[n](o)`\n```sh\n# [q](r)\n```\n"
    text += "## A b\n## A b\n"
    assert links(text) == ["y.md#z", "i.png"]
    assert anchors(text) == {"a-b-cdtoml", "a-b", "a-b-1"}


def test_every_page_of_docs_is_reached_from_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page not in PAGES:
            continue
        reached.add(page)
        targets = [(ROOT / page).parent.joinpath(link.partition("#")[0]).resolve() for link in links(PAGES[page])]
        waiting += [target.relative_to(ROOT).as_posix() for target in targets]
    pages = {page for page in PAGES if page.startswith("docs/") and not page.startswith("docs/adr/")}
    assert pages - reached == set()


def test_readme_is_for_five_minutes() -> None:
    assert len(PAGES["README.md"].split()) <= 900


@pytest.mark.parametrize("title", ["You test composes", "You release composes", "You run an instance"])
def test_readme_has_a_short_path_for_each_kind_of_user(title: str) -> None:
    [part] = re.findall(rf"^## {title}\n\n(.*?)\n\n", PAGES["README.md"], re.MULTILINE | re.DOTALL)
    assert 3 <= len(part.splitlines()) <= 8


def test_readme_says_where_an_instance_speaks_of_itself() -> None:
    assert f"stands in `{INSTANCE}`, which the template does not have" in PAGES["README.md"]


def test_the_glossary_explains_each_word_once() -> None:
    text = PAGES["docs/glossary.md"]
    words = [row for row in re.findall(r"^\| (.*?) \| ", text, re.MULTILINE) if row not in {"word", "verdict"}]
    assert [word for word, times in Counter(words).items() if times > 1] == []
    assert {*map(str, State), *map(str, Verdict)} <= set(words)


@pytest.mark.parametrize(("page", "field"), [("docs/join.md", "jenkins"), ("docs/bus.md", "bus")])
def test_what_a_page_shows_of_an_origin_is_valid(page: str, field: str) -> None:
    schema: dict[str, Any] = json.loads((ROOT / "schemas" / "origins.schema.json").read_text(encoding="utf-8"))
    part = {**schema["$defs"]["origin"]["properties"][field], "$defs": schema["$defs"]}
    shown = re.findall(rf"^```toml\n({field} = .*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    assert len(shown) == 1
    jsonschema_rs.Draft202012Validator(part).validate(tomllib.loads(shown[0])[field])
