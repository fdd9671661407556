"""Markdown as the pages show it: tables and links, no HTML of the writer's."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": False}).enable(
        ["table", "strikethrough"]
    )


def render(text: str | None) -> Markup:
    """Return the HTML of a text; markup in it is shown, not obeyed, and links to scripts are refused."""
    return Markup(_parser().render(text or ""))  # noqa: S704  # the parser escapes everything that it did not write
