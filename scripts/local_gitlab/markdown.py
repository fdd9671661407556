"""Markdown as the pages show it: tables, links and what GitLab lets a writer fold away, no other HTML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

_KEPT = re.compile(r"(</?details>|</?summary>)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False, "breaks": False}).enable(
        ["table", "strikethrough"]
    )
    parser.add_render_rule("html_block", _html)
    parser.add_render_rule("html_inline", _html)
    return parser


def _html(_: RendererHTML, tokens: Sequence[Token], index: int, *__: Any) -> str:  # noqa: ANN401  # markdown-it's own
    """Let a writer fold and comment; any other markup is shown, not obeyed."""
    parts = _KEPT.split(_COMMENT.sub("", tokens[index].content))
    return "".join(part if _KEPT.fullmatch(part) else str(escape(part)) for part in parts)


def render(text: str | None) -> Markup:
    """Return the HTML of a text; markup in it is shown, not obeyed, and links to scripts are refused."""
    return Markup(_parser().render(text or ""))  # noqa: S704  # what the parser did not write is escaped
