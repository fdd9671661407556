"""Text from outside on its way to people: it is seen as what it is, and does nothing."""

import json
import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from gitlab_markdown import Rendered, acts, acts_in_html, rendered, shown
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from compose_repo.core.escape import (
    JOINER,
    MARKS,
    UNSHOWABLE,
    code_quality,
    commit_message,
    html,
    json_text,
    markdown,
    markdown_code,
    markdown_fenced,
    markdown_link,
    path,
    terminal,
    terminal_lines,
    xml,
)

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PIECES = [
    *"@#!~$%&^*_`[](){}<>|\\/:;+-=.,\"' \n\r\t\0\x1b1aw",
    *(
        "www.",
        "http://",
        "javascript:",
        "mailto:",
        "GL-1",
        "[ ]",
        "[TOC]",
        "[[_TOC_]]",
        "%{project_id}",
        "*iteration:1",
    ),
    *(
        "group/project>",
        "[epic:1]",
        "::include{file=a}",
        "<!-- compose-repo: gate -->",
        "```",
        "$$",
        ":boom:",
        "{+",
        "+}",
    ),
    *(
        "\u202e",
        "\u2060",
        "\u3164",
        "\ufe0f",
        "\u0301",
        "\U000e0100",
        "\ud800",
        "xn--",
        "/approve",
        "---",
        "| a |",
        "[^1]",
    ),
    *("&#64;all", "&lt;img src=x&gt;", "\\@", "~~", ">>>", "@all", "#1", "!1", "\x9b31m", "\uff20", "\u2028"),
]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.characters(codec=None), max_size=16).map("".join)


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
@example("[TOC]")
@example("[ ] done")
@example("gitlab-org/gitlab> [epic:5] *iteration:1 GL-1")
@example("<!-- compose-repo: gate -->")
@example("www.evil.example mailto:a@b.example")
def test_markdown_does_nothing_in_gitlab_but_show_what_can_be_seen_of_the_text(text: str) -> None:
    source = markdown(text)
    result = rendered(source)
    assert list(acts(source)) == []
    assert list(acts(f"- {source}\n")) == []
    assert result.tags <= {"p"}
    assert shown(result.seen) == terminal(text)


@pytest.mark.parametrize(
    "text", ["group/project>", "a/b/c>", "project>", "a->", ".>", "_>", "group/project&gt;", "b&gt;"]
)
def test_a_mark_right_after_a_projects_path_is_a_reference_unless_it_is_escaped(text: str) -> None:
    assert [act.partition(":")[0] for act in acts(f"see {text}".replace("&", "&amp;"))] == ["project"]
    assert list(acts(f"see {markdown(text)}")) == list(acts_in_html(f"<p>see {html(text)}</p>")) == []


@pytest.mark.parametrize("text", ["/results/0/>", "a/b/>", "/>", "->", "é>", "a >", "a/b/ >"])
def test_a_mark_right_after_anything_else_is_no_reference_to_a_project(text: str) -> None:
    assert list(acts(f"see {text}")) == list(acts(f"see {markdown(text)}")) == []
    assert shown(rendered(markdown(text)).seen) == text


@given(HOSTILE, HOSTILE)
@example("a\\", "b|c")
@example("[ ]", "[x] ")
def test_markdown_in_a_table_stays_in_its_cell(first: str, second: str) -> None:
    source = f"| a | b |\n|---|---|\n| {markdown(first)} | {markdown(second)} |\n"
    assert [shown(cell) for cell in rendered(source).cells] == [terminal(first), terminal(second)]
    assert list(acts(source)) == []
    cells = re.findall(r"<td>(.*?)</td>", RENDERER.render(source), re.DOTALL)
    assert [shown(unescape(re.sub(r"<[^>]*>", "", cell))) for cell in cells] == [terminal(first), terminal(second)]


@given(HOSTILE, HOSTILE)
def test_html_does_nothing_inside_markdown_but_show_what_can_be_seen_of_the_text(text: str, value: str) -> None:
    source = f'<details><summary title="{html(value)}">{html(text)}</summary>\n\nx\n\n</details>\n'
    result = rendered(source)
    assert result.tags == {"details", "summary", "summary[title]", "p"}
    assert shown(result.seen.removesuffix("\n\nx\n\n")) or terminal(text) == ""
    assert shown(Rendered(html(text)).seen) == terminal(text)
    assert list(acts_in_html(f"<p>{html(text)}</p>")) == []


@given(HOSTILE)
def test_a_code_span_shows_one_line_and_nothing_acts_in_it(text: str) -> None:
    source = f"| a |\n|---|\n| {markdown_code(text)} |\n"
    result = rendered(source)
    assert list(acts(source)) == []
    assert len(result.cells) == 1
    assert result.tags <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


@given(HOSTILE)
@example("```\n@all")
@example("::include{file=gate/policy.toml}")
def test_a_fenced_block_holds_what_is_put_into_it(text: str) -> None:
    source = f"```\n{markdown_fenced(text)}\n```\n"
    assert rendered(source).tags == {"pre", "code"}
    assert list(acts(source)) == [] or source.split("\n")[1].startswith("/")


@given(HOSTILE, HOSTILE)
@example("https://example.org/$x$ `a` :boom:", "a")
@example("https://good.example\\@evil.example/", "a")
@example("https://x.example/%{project_path}", "a")
@example("https://x.example/%%7Bproject_path%7D", "a")
@example("https://x.example/?a=1&copy;=2&#64;", "a")
def test_a_link_goes_where_it_says_or_is_none(url: str, text: str) -> None:
    for target in (url, f"https://ci.example.org/{url}", f"https://{url}"):
        source = markdown_link(target, text)
        result = rendered(source)
        assert result.tags <= {"p", "a"}
        assert list(acts(source)) == []
        assert len(result.links) <= 1
        for link in result.links:
            assert re.fullmatch(r"(?i)https?://[a-z0-9_.:-]+(?:[/?#].*)?", link)
            host = re.split(r"[/?#]", link.partition("://")[2])[0].lower()
            assert shown(result.seen).endswith(f"({host})")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/",
        "/relative",
        "https:///path",
        "https://good.example@evil.example/",
        "https://good.example:x@evil.example/",
        "https://evil.example\\.good.example/",
        "https:/\\evil.example",
        "https://ex\u0430mple.org/",
        "https://example\u3002org/",
        "https://example.org\u202e/",
        "https://exa\u00admple.org/",
        "https://exa mple.org/",
        " https://example.org/",
        "https://example.org/\u2003",
        "https://example.org/\n",
        "https://[bad",
        "https://[2001:db8::1]/",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://-example.org/",
        "https://example..org/",
        "https://%65xample.org/",
        "https://example.org/%{project_path}",
        "https://example.org/%%7bproject_path%7D",
        "https://example.org/%25%7Bproject_path%7D",
        "",
        None,
    ],
)
def test_what_is_no_plain_http_url_is_no_link(url: str | None) -> None:
    assert markdown_link(url, "text") == "text"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/log", "[text](<https://example.org/log>) (example.org)"),
        ("HTTPS://Example.ORG", "[text](<HTTPS://Example.ORG>) (example.org)"),
        ("http://example.org:8080/", "[text](<http://example.org:8080/>) (example.org:8080)"),
        ("https://xn--exmple-cua.org/", "[text](<https://xn--exmple-cua.org/>) (xn--exmple-cua.org)"),
        (
            "https://example.org/?a=1&copy;=%2f%zz",
            "[text](<https://example.org/?a=1&amp;copy;=%2f%25zz>) (example.org)",
        ),
        ("https://example.org/\u00e9>)(", "[text](<https://example.org/%C3%A9%3E%29%28>) (example.org)"),
    ],
)
def test_a_plain_http_url_becomes_a_link_that_shows_its_host(url: str, link: str) -> None:
    assert markdown_link(url, "text") == link


def test_a_link_without_words_shows_where_it_goes() -> None:
    assert markdown_link("https://example.org/", " ", host=False) == "[example.org](<https://example.org/>)"


@given(HOSTILE)
@example("Closes #1")
@example("Fixes group/project#1 and resolves GL-1")
@example("[skip ci] @all")
@example("Implements https://gitlab.example/g/p/-/issues/1")
def test_a_commit_message_closes_nothing_and_skips_nothing(text: str) -> None:
    message = commit_message(text)
    assert not re.search(r"#\d|GL-\d|\[(?:skip|ci)|@\w|!\d|://", message)
    assert "\n" not in message
    assert message.replace(JOINER, "") == terminal(text)


@given(HOSTILE)
@example("\x1b]0;title\x07 \x9b31m \x1b[2J \r overwritten \b")
@example("\U000e0100\u3164\u2800")
def test_a_terminal_gets_one_line_and_nothing_that_steers_it(text: str) -> None:
    line = terminal(text)
    assert line.isprintable()
    assert line == line.strip()
    assert terminal(line) == line


@given(HOSTILE)
def test_a_path_keeps_what_tells_it_from_another(text: str) -> None:
    assert path(text).isprintable()
    if "\\" not in text:
        assert path(text).encode("latin-1", "backslashreplace").decode("unicode-escape") == text


@given(HOSTILE)
def test_nothing_but_our_colours_steers_a_terminal(text: str) -> None:
    door = terminal_lines(f"\x1b[31m{text}\x1b[0m\nx")
    assert door.startswith("\x1b[31m")
    assert re.sub(r"\x1b\[(?:[012]|3[123])m|\n", "", door).isprintable()


@given(HOSTILE)
def test_xml_holds_any_text_and_no_markup_of_the_widget(text: str) -> None:
    element = ET.Element("testcase", {"name": xml(text)})
    element.text = xml(text)
    read = ET.fromstring(ET.tostring(element))  # noqa: S314  # our own
    assert read.get("name") == xml(text)
    assert (read.text or "") == xml(text)
    assert xml(text).replace(JOINER, "") == terminal(text)
    assert not re.search(r"%\{[a-z_]+\}|\[\[ATTACHMENT", xml(text))


@given(HOSTILE)
@example("%{danger_start}x%{danger_end}")
def test_code_quality_holds_no_markup_of_the_widget(text: str) -> None:
    assert not re.search(r"%\{[a-z_]+\}", code_quality(text))
    assert code_quality(text).replace(JOINER, "") == terminal(text)


@given(
    st.recursive(HOSTILE | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner))
)
@example("\x7f\x9b\u202e\ud800\U000e0100")
def test_json_means_the_same_and_steers_no_terminal(document: object) -> None:
    text = json_text(document)
    assert json.loads(text) == document
    assert text.replace("\n", "").isprintable()


@given(HOSTILE)
def test_markdown_never_starts_a_line_with_a_quick_action(text: str) -> None:
    assert not any(line.lstrip().startswith("/") for line in markdown(text).splitlines())


@given(HOSTILE)
def test_references_are_always_escaped(text: str) -> None:
    without_entities = re.sub(r"&#(?:92|124);", "", markdown(text))
    assert not re.search(r"(?<!\\)[#!~$%&@]", without_entities)


@pytest.mark.parametrize(
    "name", ["tempest.smoke", "kernel-5.14.0-55.el9", "x86_64", "java-11-openjdk", "perl(Foo)", "gcc-c++", "a/b, c"]
)
def test_names_of_the_field_read_as_they_are(name: str) -> None:
    assert markdown(name) == name
    assert commit_message(name) == name
    assert html(name) == name


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("@all", f"\\@{JOINER}all"),
        ("1.0~rc1^2", "1.0\\~rc1\\^2"),
        ("see #1 and !2", "see \\#1 and \\!2"),
        ("/approve", "\\/approve"),
        (": x", "\\: x"),
        (";;; x", "\\;;; x"),
        ("a|b", "a&#124;b"),
        ("[ ] [^1]", f"\\[{JOINER} \\] \\[{JOINER}\\^1\\]"),
        ("12) x", "12\\) x"),
        ("www.example.org", f"www{JOINER}\\.example.org"),
        ("https://example.org", f"https\\:{JOINER}//example.org"),
        ("GL-1 GL-x", f"GL-{JOINER}1 GL-x"),
        ("g/p> a > b", f"g/p{JOINER}\\> a \\> b"),
        ("*iteration:1 *x", f"\\*{JOINER}iteration:1 \\*x"),
    ],
)
def test_each_piece_of_markup_is_escaped_in_its_own_way(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


def test_html_writes_its_own_characters_as_entities() -> None:
    assert html("<a href=\"x\" title='y'> & b") == "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt; &amp;\u2060 b"


def test_newlines_and_runs_of_spaces_become_one_space() -> None:
    assert terminal(" a \r\n\t b\u2028c ") == "a b c"


def test_characters_that_change_how_others_are_seen_are_marked() -> None:
    assert terminal("a\u202eb\x00c\u200bd\u3164") == f"a{UNSHOWABLE}b{UNSHOWABLE}c{UNSHOWABLE}d{UNSHOWABLE}"


def test_what_chooses_how_a_character_is_drawn_is_left_out() -> None:
    assert terminal("\u26a0\ufe0f failed") == "\u26a0 failed"
    assert terminal("\ufe0f \U000e0100 a \ufe0f") == "a"


def test_marks_neither_pile_up_nor_change_what_stands_before_the_text() -> None:
    assert terminal("e" + "\u0301" * (MARKS + 2)) == "e" + "\u0301" * MARKS + UNSHOWABLE * 2
    assert terminal("\u0338a") == f"{UNSHOWABLE}a"


def test_the_door_to_the_terminal_leaves_lines_and_our_colours_alone() -> None:
    assert terminal_lines("a\nb") == "a\nb"
    assert terminal_lines("a\n\x1b[31mfailed\x1b[0m \u00e9\n") == "a\n\x1b[31mfailed\x1b[0m \u00e9\n"
    assert terminal_lines("\x1b[8mhidden \x1b]0;x\x07") == r"\x1b[8mhidden \x1b]0;x\x07"
