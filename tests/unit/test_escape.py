import re
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from compose_repo.core.escape import JOINER, UNSHOWABLE, markdown, visible

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = st.text(
    st.one_of(st.sampled_from(list("@#!~$%&^*_`[](){}<>|\\/:+-=.\"' \n\r\t1aw")), st.characters()), max_size=40
)
GITLAB_ACTS_ON = re.compile(r"(?<!\w)@\w|[a-z][a-z0-9+.-]*://|:[\w+-]+:|[\[{][+-]", re.IGNORECASE | re.ASCII)


def shown(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html)).replace(JOINER, "").strip()


def tags(html: str) -> set[str]:
    return set(re.findall(r"<(\w+)", html))


@given(HOSTILE)
@example("@all")
@example("[x](https://evil.example)")
@example("![x](https://evil.example/pixel)")
@example("<img src=x onerror=alert(1)>")
@example("a\\|b|c")
@example("---")
@example("1. one")
@example("https://evil.example www.evil.example")
@example("    code")
@example("__init__ x86_64 _x_")
def test_markdown_renders_as_what_can_be_seen_of_the_text(text: str) -> None:
    html = RENDERER.render(markdown(text))
    assert shown(html) == visible(text)
    assert tags(html) <= {"p"}


@given(HOSTILE, HOSTILE)
@example("a\\", "b|c")
def test_markdown_in_a_table_stays_in_its_cell(first: str, second: str) -> None:
    html = RENDERER.render(f"| a | b |\n|---|---|\n| {markdown(first)} | {markdown(second)} |\n")
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)
    assert [shown(cell) for cell in cells] == [visible(first), visible(second)]


@given(HOSTILE)
@example("/approve")
@example("x\n/merge")
def test_markdown_never_starts_a_line_with_a_quick_action(text: str) -> None:
    assert not any(line.lstrip().startswith("/") for line in markdown(text).splitlines())


@given(HOSTILE)
@example("@all")
@example(":boom:")
@example("{+ added +}")
@example("a@b.example")
def test_rendered_text_holds_nothing_that_gitlab_looks_for(text: str) -> None:
    rendered = unescape(re.sub(r"<[^>]*>", "", RENDERER.render(markdown(text))))
    assert not GITLAB_ACTS_ON.search(rendered)


@given(HOSTILE)
def test_references_are_always_escaped(text: str) -> None:
    without_entities = re.sub(r"&#(?:92|124);", "", markdown(text))
    assert not re.search(r"(?<!\\)[#!~$%&@]", without_entities)


@pytest.mark.parametrize(
    "name", ["tempest.smoke", "kernel-5.14.0-55.el9", "x86_64", "java-11-openjdk", "perl(Foo)", "gcc-c++", "a/b, c"]
)
def test_names_of_the_field_read_as_they_are(name: str) -> None:
    assert markdown(name) == name


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("@all", f"\\@{JOINER}all"),
        ("1.0~rc1^2", "1.0\\~rc1\\^2"),
        ("see #1 and !2", "see \\#1 and \\!2"),
        ("/approve", "\\/approve"),
        ("a|b", "a&#124;b"),
        ("[ ] [^1] [[_TOC_]]", "\\[ \\] \\[\\^1\\] \\[\\[\\_TOC\\_\\]\\]"),
        ("12) x", "12\\) x"),
        ("www.example.org", "www\\.example.org"),
        ("https://example.org", f"https\\:{JOINER}//example.org"),
    ],
)
def test_each_piece_of_markup_is_escaped_in_its_own_way(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


def test_newlines_and_runs_of_spaces_become_one_space() -> None:
    assert visible(" a \r\n\t b\u2028c ") == "a b c"


def test_characters_that_change_how_others_are_seen_are_marked() -> None:
    assert visible("a\u202eb\x00c\u200bd") == f"a{UNSHOWABLE}b{UNSHOWABLE}c{UNSHOWABLE}d"
