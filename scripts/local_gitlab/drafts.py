"""Drafts: a word in front of a merge request's title says that it is not ready."""

from __future__ import annotations

import re

DRAFT = re.compile(r"(?:\[draft\]|\(draft\)|draft:)\s*", re.IGNORECASE)


def is_draft(title: str) -> bool:
    """Tell whether a title marks a merge request as a draft."""
    return DRAFT.match(title) is not None


def without_draft(title: str) -> str:
    """Return a title without the words that mark a draft."""
    while found := DRAFT.match(title):
        title = title[found.end() :]
    return title
