"""The escaping functions: whatever a text is, each target shows it and does nothing else for it."""

import json
import re
from typing import Final

from draw import Draw
from gitlab_markdown import acts, acts_in_html, rendered, shown

from compose_repo.core.escape import (
    JOINER,
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

PIECES: Final = [
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
    *(
        "https://example.org/",
        "https://a@b/",
        "?a=&amp;b",
        "%7B",
        "%25",
        "\\",
        "://",
        "- ",
        "1. ",
        "> ",
        "<details>",
        "]]>",
    ),
]
SEEDS: Final = (
    b"\x03@all #1",
    bytes(range(0, 250, 5)),
    b"\x07" + b"\x02\x10\x02\x20\x02\x30",
    b"\x0f" + b"\x01\x0e\x20\x00" * 4,
)
_WIDGET: Final = re.compile(r"%\{[a-z_]+\}|\[\[ATTACHMENT")
_COLOURS: Final = re.compile(r"\x1b\[(?:[012]|3[123])m|\n")
_LINK: Final = re.compile(r"(?i)https?://([a-z0-9_.:-]+)(?:[/?#].*)?")


def escape_any_text(data: bytes) -> None:
    """Put a text through one target, and hold what comes out to that target's law."""
    draw = Draw(data)
    draw.choice(LAWS)(draw.text(24, PIECES), draw)


def _markdown(text: str, draw: Draw) -> None:
    source = draw.choice(["{}", "- {}", "> {}", "a {} b", "**{}**", "x\n{}", "x: {}"]).format(markdown(text))
    if not terminal(text):
        return
    result = rendered(source)
    assert not (done := list(acts(source))), done
    assert result.tags <= {"p", "ul", "li", "blockquote", "strong"}, result.tags
    if source == markdown(text):
        assert shown(result.seen) == terminal(text)


def _table(text: str, draw: Draw) -> None:
    other = draw.text(8, PIECES)
    source = f"| a | b |\n|---|---|\n| {markdown(text)} | {markdown_code(other)} |\n| c | d |\n"
    result = rendered(source)
    assert not (done := list(acts(source))), done
    assert len(result.cells) == 4, result.cells
    assert shown(result.cells[0]) == terminal(text)
    assert result.cells[2:] == ["c", "d"]
    assert result.tags <= {"table", "thead", "tbody", "tr", "th", "td", "code"}, result.tags


def _fenced(text: str, _: Draw) -> None:
    source = f"a\n\n```\nx {markdown_fenced(text)}\n```\n\n@b\n"
    result = rendered(source)
    assert result.tags == {"p", "pre", "code"}, result.tags
    assert result.seen.endswith("\n@b\n")


def _link(text: str, draw: Draw) -> None:
    words = draw.text(8, PIECES)
    source = markdown_link(
        draw.choice(["{}", "https://ci.example.org/{}", "https://{}", "http://e.org:{}"]).format(text), words
    )
    result = rendered(source)
    assert not (done := list(acts(source))), done
    assert result.tags <= {"p", "a"}, result.tags
    assert len(result.links) <= 1
    for link in result.links:
        match = _LINK.fullmatch(link)
        assert match, link
        assert shown(result.seen).endswith(f"({match[1].lower()})")


def _html(text: str, draw: Draw) -> None:
    value = draw.text(8, PIECES)
    source = f'<details><summary title="{html(value)}">{html(text)}</summary>\n\nx\n\n</details>\n'
    result = rendered(source)
    assert result.tags == {"details", "summary", "summary[title]", "p"}, result.tags
    assert not (done := list(acts_in_html(f"<p>{html(text)}</p>"))), done


def _commit(text: str, _: Draw) -> None:
    message = commit_message(text)
    assert not re.search(r"#\d|GL-\d|\[(?:skip|ci)|@\w|!\d|://", message)
    assert message.replace(JOINER, "") == terminal(text)


def _terminal(text: str, draw: Draw) -> None:
    assert terminal(text).isprintable()
    assert terminal(terminal(text)) == terminal(text)
    assert path(text).isprintable()
    door = terminal_lines(draw.choice(["{}", "\x1b[31m{}\x1b[0m\nx"]).format(text))
    assert _COLOURS.sub("", door).isprintable()


def _widgets(text: str, _: Draw) -> None:
    for written in (xml(text), code_quality(text)):
        assert not _WIDGET.search(written)
        assert written.replace(JOINER, "") == terminal(text)


def _json(text: str, draw: Draw) -> None:
    document = {text: [draw.text(4), 1, None], "a": {text: text}}
    written = json_text(document)
    assert written.replace("\n", "").isprintable()
    assert json.loads(written) == document


LAWS: Final = (_markdown, _table, _link, _html, _markdown, _table, _link, _fenced, _commit, _terminal, _widgets, _json)
