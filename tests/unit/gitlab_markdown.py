"""What GitLab makes of a note or a description: comrak, the parser that GitLab has, and its filters imitated.

`acts` names everything that GitLab would do beyond showing text: tags, and each pattern that one of its filters looks
for in the source or in the rendered text. The patterns are wider than GitLab's, which also ask whether the user, the
issue or the emoji exists.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import comrak

from compose_repo.core.escape import JOINER

REFERENCE_CHARACTERS: Final = frozenset("$%#&@!~^:")
"""Escaped ones stay apart from the text around them (`only_escape_chars`); other escapes leave no trace."""
SILENT: Final = frozenset({"a", "code", "pre", "script", "style"})
"""No filter looks inside these."""

_PATH: Final = r"[A-Za-z0-9_.][A-Za-z0-9_./-]*"
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
        "project": rf"{_PATH}/{_PATH}>",
        "commit": rf"{_PATH}@[0-9a-f]{{7,40}}",
        "emoji": r":[\w+-]+:",
        "inline diff": r"\[-.*?-\]|\{-.*?-\}|\[\+.*?\+\]|\{\+.*?\+\}",
        "bare link": r"[A-Za-z][A-Za-z0-9+.-]*://|(?i:www\.)",
        "placeholder": r"%\{\w+\}",
    }.items()
}
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


@dataclass
class Rendered(HTMLParser):
    """The HTML of a Markdown source, taken apart: its tags, the texts that filters look at, and where links go."""

    html: str
    tags: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=lambda: [""])
    blocks: list[str] = field(default_factory=lambda: [""])
    cells: list[str] = field(default_factory=list)
    seen: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._escaped = False
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "span" and attrs == [("data-escaped-char", None)]:
            self._escaped = True
            return
        self.tags.add(tag)
        if tag not in {"br", "hr", "img", "input"}:
            self._open.append(tag)
        if tag == "td":
            self.cells.append("")
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.tags |= {f"{tag}[{name}]" for name, _ in attrs if name != "href"}
        self._cut()
        self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  # the parser gives it
        if self._escaped:
            self._escaped = False
            return
        if self._open:
            self._open.pop()
        self._cut()
        self.blocks.append("")

    def handle_comment(self, data: str) -> None:
        self.tags.add(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        self.seen += data
        if "td" in self._open:
            self.cells[-1] += data
        if not SILENT.isdisjoint(self._open):
            return
        self.blocks[-1] += data
        if self._escaped and data in REFERENCE_CHARACTERS:
            self.texts += [data, ""]
        else:
            self.texts[-1] += data

    def _cut(self) -> None:
        self.texts.append("")


def rendered(source: str) -> Rendered:
    """Render a source as GitLab's parser does."""
    return Rendered(comrak.render_markdown(source, *_OPTIONS))


def acts(source: str) -> Iterator[str]:
    """Name what GitLab would do with a source beyond showing text; tags, links and their places are for the caller."""
    result = rendered(source)
    for where, patterns in ((source, IN_SOURCE), *((text, IN_TEXT) for text in result.texts)):
        yield from (f"{name}: {where!r}" for name, pattern in patterns.items() if pattern.search(where))
    for text in result.blocks:
        yield from (f"{name}: {text!r}" for name, pattern in IN_PARAGRAPH.items() if pattern.match(text))


def acts_in_html(html: str) -> Iterator[str]:
    """Name what GitLab would do with HTML inside Markdown, of which it shows no character as escaped."""
    result = Rendered(html)
    for text in result.texts:
        yield from (f"{name}: {text!r}" for name, pattern in IN_TEXT.items() if pattern.search(text))
    for text in result.blocks:
        yield from (f"{name}: {text!r}" for name, pattern in IN_PARAGRAPH.items() if pattern.match(text))


def shown(text: str) -> str:
    """Give what a person sees of a rendered text."""
    return text.replace(JOINER, "").strip()
