"""What GitLab makes of a note or a description: comrak, the parser that GitLab has, and its filters imitated.

`acts` names everything that GitLab would do beyond showing text: tags, and each pattern that one of its filters looks
for in the source or in the rendered text. The patterns are wider than GitLab's, which also ask whether the user, the
issue or the emoji exists.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from typing import Final

import comrak

from compose_repo.core.escape import JOINER

REFERENCE_CHARACTERS: Final = frozenset("$%#&@!~^:")
"""Escaped ones stay apart from the text around them (`only_escape_chars`); other escapes leave no trace."""
SILENT: Final = frozenset({"a", "code", "pre", "script", "style"})
"""No filter looks inside these."""

_SEGMENT: Final = r"[A-Za-z0-9_.][A-Za-z0-9_.-]*"
"""A part of a project's path (`PROJECT_PATH_FORMAT_REGEX`): `>` stands right after the last one, namespace or not."""
_PATH: Final = rf"{_SEGMENT}(?:/{_SEGMENT})*"
IN_TEXT: Final = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in {
        "mention": r"(?<![\w.])@[\w.]",
        "mail address": r"[\w.+-]+@[\w-]",
        "issue": r"#[0-9]|GL-[0-9]",
        "merge request": r"![0-9]",
        "snippet": r"\$[0-9]",
        "milestone": r'%[\w"]',
        "label": r'~[\w"?]',
        "epic": r"&[0-9]",
        "alert": r"\^alert#",
        "iteration": r"\*iteration:",
        "bracketed reference": r"\[[a-z_]+:[^\]]+\]",
        "project": rf"{_SEGMENT}(?:>|&gt;)",
        "commit": rf"{_PATH}@[0-9a-f]{{7,40}}",
        "emoji": r":[\w+-]+:",
        "inline diff": r"\[-.*?-\]|\{-.*?-\}|\[\+.*?\+\]|\{\+.*?\+\}",
        "bare link": r"[A-Za-z][A-Za-z0-9+.-]*://|(?i:www\.)",
        "placeholder": r"%\{\w+\}",
    }.items()
}
_ANY_IN_TEXT: Final = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in IN_TEXT.values()), re.ASCII)
IN_PARAGRAPH: Final = {
    "table of contents": re.compile(r"\s*\[(?:\[_)?toc(?:_\])?\]\s*\Z", re.IGNORECASE),
    "check box": re.compile(r"\s*(?:[-+*]|[0-9]+\.)?\s*\[[\sxX~]\](?:\s|\Z)"),
}
IN_SOURCE: Final = {
    "quick action": re.compile(r"^[ \t]*/[a-z]", re.MULTILINE | re.IGNORECASE),
    "include": re.compile(r"^::include\{file=", re.MULTILINE),
    "front matter": re.compile(r"\A(?:---|\+\+\+|;;;)"),
    "our marker": re.compile(r"<!--\s*compose-repo"),
}


def _options() -> tuple[comrak.ExtensionOptions, comrak.ParseOptions, comrak.RenderOptions]:
    """Give the options of GitLab's `GlfmMarkdown` engine, as far as comrak has them."""
    extension, parse, render = comrak.ExtensionOptions(), comrak.ParseOptions(), comrak.RenderOptions()
    for name in (
        "alerts", "autolink", "cjk_friendly_emphasis", "description_lists", "footnotes", "math_code", "math_dollars",
        "multiline_block_quotes", "strikethrough", "table", "wikilinks_title_before_pipe",
    ):  # fmt: skip
        setattr(extension, name, True)
    parse.relaxed_autolinks = True
    parse.escaped_char_spans = render.escaped_char_spans = True
    render.unsafe_ = render.full_info_string = render.github_pre_lang = True
    return extension, parse, render


_OPTIONS: Final = _options()


class Rendered:
    """The HTML of a Markdown source, taken apart: its tags, the texts that filters look at, and where links go.

    `cells` are those of all tables, but for headings; `rows` has them row by row.

    comrak's own HTML is well-formed; of HTML that the source itself holds, the tags are seen at least.
    """

    def __init__(self, html: str) -> None:
        self.html = html
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.texts = [""]
        self.blocks = [""]
        self.rows: list[list[str]] = []
        self.cells: list[str] = []
        self.seen = ""
        self._silent = 0
        self._cell = False
        self._row = 0
        escaped = False
        for piece in _PIECE.findall(html):
            if piece[0] != "<":
                self._text(piece if "&" not in piece else unescape(piece), escaped=escaped)
            elif piece == "<span data-escaped-char>" or escaped:
                escaped = not escaped
            else:
                self._tag(piece)

    def _text(self, text: str, *, escaped: bool) -> None:
        self.seen += text
        if self._cell:
            self.cells[-1] += text
        if self._silent:
            return
        self.blocks[-1] += text
        if escaped and text in REFERENCE_CHARACTERS:
            self.texts += [text, ""]
        else:
            self.texts[-1] += text

    def _tag(self, piece: str) -> None:
        self.texts.append("")
        self.blocks.append("")
        closes = piece[1] == "/"
        match = _NAME.match(piece, 2 if closes else 1)
        name = match[0].lower() if match else piece
        if name == "td":
            self._cell = not closes
            self.cells += [] if closes else [""]
        if name == "tr":
            self.rows += [self.cells[self._row :]] if closes else []
            self._row = len(self.cells)
        if name in SILENT:
            self._silent += -1 if closes else 1
        if closes:
            return
        self.tags.add(name)
        for attribute, value in _ATTRIBUTE.findall(piece) if match and " " in piece else ():
            if attribute in {"href", "src"}:
                self.links.append(unescape(value))
            if attribute != "href":
                self.tags.add(f"{name}[{attribute}]")


_PIECE: Final = re.compile(r"<!--.*?-->|<[^>]*>?|[^<]+", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_ATTRIBUTE: Final = re.compile(r'\s([A-Za-z-]+)(?:="([^"]*)")?')


@lru_cache(maxsize=64)
def rendered(source: str) -> Rendered:
    """Render a source as GitLab's parser does."""
    return Rendered(comrak.render_markdown(source, *_OPTIONS))


def acts(source: str) -> Iterator[str]:
    """Name what GitLab would do with a source beyond showing text; tags, links and their places are for the caller."""
    yield from (f"{name}: {source!r}" for name, pattern in IN_SOURCE.items() if pattern.search(source))
    yield from _filtered(rendered(source))


def acts_in_html(html: str) -> Iterator[str]:
    """Name what GitLab would do with HTML inside Markdown, of which it shows no character as escaped."""
    yield from _filtered(Rendered(html))


def _filtered(result: Rendered) -> Iterator[str]:
    for text in result.texts:
        if _ANY_IN_TEXT.search(text):
            yield from (f"{name}: {text!r}" for name, pattern in IN_TEXT.items() if pattern.search(text))
    for text in result.blocks:
        yield from (f"{name}: {text!r}" for name, pattern in IN_PARAGRAPH.items() if pattern.match(text))


def shown(text: str) -> str:
    """Give what a person sees of a rendered text."""
    return text.replace(JOINER, "").strip()
