"""Text from outside on its way to people: one escaping function for each place where it is shown.

GitLab reads more than CommonMark: mentions, references, quick actions, emoji codes, inline diffs, bare links. A
backslash keeps its reference filters away; where those look at the rendered text (mentions, links, emoji, inline
diffs), a word joiner, which nobody sees, breaks the pattern as well.
"""

import re
from typing import Final

UNSHOWABLE: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for each character that would not be seen, or would change how others are seen."""
JOINER: Final = "\N{WORD JOINER}"
"""Invisible, and part of no pattern that GitLab looks for."""

_ENTITIES: Final = {"|": "&#124;", "\\": "&#92;"}
"""Never written plainly: in a table a bar ends its cell however many backslashes stand before it."""
_MARKUP: Final = re.compile(
    r"""
      [|\\]                                         # written as entities
    | @                                             # mentions, mail addresses
    | : (?= // | [\w+-]+: )                         # bare links, :emoji:
    | [\[{] (?= [+-] )                              # {+ inline diffs +}
    | [`*\[\]{}<>#!~$%&^]                           # markup of CommonMark, HTML, and references
    | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9])          # emphasis; x86_64 stays as it is
    | (?<=[Ww][Ww][Ww])\.                           # bare links without a scheme
    | \A [/=+-]                                     # quick actions, underlines, lists
    """,
    re.VERBOSE | re.ASCII,
)
_NUMBERED: Final = re.compile(r"\A([0-9]{1,9})([.)])(?= |\Z)")
_JOINED: Final = frozenset("@:")


def visible(text: str) -> str:
    """Give a text as one line of what can be seen: white space becomes single spaces, the unshowable is marked.

    This is all that plain text needs, such as a commit message.
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(character if character.isprintable() else UNSHOWABLE for character in line)


def markdown(text: str) -> str:
    """Escape for GitLab Flavored Markdown, inside tables too: it renders as its visible characters and does nothing."""
    return _NUMBERED.sub(r"\1\\\2", _MARKUP.sub(_escaped, visible(text)))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in _ENTITIES:
        return _ENTITIES[character]
    opens_inline_diff = character in "[{" and match.string[match.end() : match.end() + 1] in {"+", "-"}
    return f"\\{character}{JOINER if character in _JOINED or opens_inline_diff else ''}"
