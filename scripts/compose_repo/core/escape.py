"""Text from outside on its way to people: one escaping function for each place where it is shown.

| target | function |
|---|---|
| a terminal, a log, a commit status, a title | `terminal`; of a file's path `path` |
| the last door to a terminal, for text of several lines that is put together already | `terminal_lines` |
| a commit message | `commit_message` |
| Markdown | `markdown`; a link `markdown_link`, a code span `markdown_code`, inside a fenced block `markdown_fenced` |
| HTML, on a page and inside Markdown | `html` |
| JUnit XML | `xml` |
| GitLab's Code Quality report | `code_quality` |
| JSON | `json_text` |

GitLab reads more than CommonMark: mentions, references, quick actions, emoji codes, inline diffs, bare links, check
boxes, tables of contents, placeholders. Most of it is looked for in the rendered text, after backslashes are gone:
GitLab keeps only `$ % # & @ ! ~ ^ :` apart that were escaped. There a word joiner, which nobody sees, breaks the
pattern. Left alone are the ids of commits, which people copy: GitLab makes them links, to commits of its own.
"""

import re
from functools import cache
from typing import Any, Final

from compose_repo.core.links import shown_link

UNSHOWABLE: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for each character that would not be seen, or would change how others are seen."""
JOINER: Final = "\N{WORD JOINER}"
"""Invisible, and part of no pattern that GitLab looks for."""
MARKS: Final = 4
"""Most combining marks in a row; more of them would run over the lines above and below."""

_BLANK: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f\u180b\u180c\u180d\u180f")
"""Letters, marks and symbols that nobody sees although they are no white space."""
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Choose how the character before them is drawn, and are seen themselves by nobody."""


def terminal(text: str) -> str:
    """Give a text as one line of what can be seen: white space becomes single spaces, the unshowable is marked."""
    line = " ".join((text if text.isascii() else _SELECTORS.sub("", text)).split())
    return line if line.isascii() and line.isprintable() else _marked(line)


def path(text: str) -> str:
    """Give a file's path, of any bytes, on one line that tells it from every other: the unshowable is written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(part if _is_seen(part) else part.encode("unicode-escape").decode("ascii") for part in text)


def terminal_lines(text: str) -> str:
    """Give lines that are put together already, with our own colours: whatever else steers a terminal is written out.

    Nothing should be left to do here. This is for what somebody has forgotten.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return _steering().sub(_written_out, text)


def commit_message(text: str) -> str:
    """Give a text for inside a commit's message: GitLab closes no issue for it, mentions nobody, skips no pipeline."""
    return _active().sub(_joined, terminal(text))


def markdown(text: str) -> str:
    """Escape for GitLab Flavored Markdown, inside tables too: it renders as its visible characters and does nothing."""
    return _numbered().sub(r"\1\\\2", _markup().sub(_escaped, terminal(text)))


def markdown_link(url: str | None, text: str, *, host: bool = True) -> str:
    """Give a Markdown link that shows its host, or only the text where the URL is no plain http(s) one.

    A user name before the host, or a host that is not ASCII, is made to look like another host: no link for it.
    """
    match = None if url is None or not _is_plain(url) else shown_link().fullmatch(url)
    if match is None:
        return markdown(text)
    where = f"{match['host'].lower()}{match['port'] or ''}"
    quoted = _unsafe_in_url().sub(_percent_encoded, match[0]).replace("&", "&amp;")
    shown = f"[{markdown(text) or markdown(where)}](<{quoted}>)"
    return f"{shown} ({markdown(where)})" if host else shown


def markdown_code(text: str) -> str:
    """Give a Markdown code span, for inside tables too; GitLab acts on nothing inside it."""
    inside = markdown_fenced(text).replace("|", "\N{BROKEN BAR}")
    return f"`{inside}`" if inside else ""


def markdown_fenced(text: str) -> str:
    """Give a text for a line of a fenced block: no back-quote of it ends the block, and none of our marks is in it.

    GitLab looks for includes in the source of a repository's files, even there.
    """
    line = terminal(text).replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")
    return line.replace("<!", f"<{JOINER}!").replace("::include{", f"::{JOINER}include{{")


def html(text: str) -> str:
    """Escape for HTML, in attributes too; inside Markdown, GitLab looks for references in it all the same."""
    joined = _active().sub(_joined, terminal(text))
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        joined = joined.replace(character, entity)
    return joined


def xml(text: str) -> str:
    """Give a text for JUnit XML, whose writer knows XML's own characters: valid, and without GitLab's own markup."""
    return _widget().sub(_joined, terminal(text))


def code_quality(text: str) -> str:
    """Give a text for a Code Quality report: GitLab's widget puts `%{danger_start}` and its like into colours."""
    return _widget().sub(_joined, terminal(text))


def json_text(document: Any) -> str:  # noqa: ANN401  # JSON holds anything
    """Write JSON that a terminal can show: what cannot be seen is written as its escape, which means the same."""
    import json  # noqa: PLC0415  # only where JSON is asked for

    text = json.dumps(document, ensure_ascii=False, indent=2)
    return text if text.isascii() and "\x7f" not in text else _not_ascii().sub(_json_escaped, text)


def _is_seen(character: str) -> bool:
    return character.isprintable() and character not in _BLANK and _SELECTORS.match(character) is None


def _marked(line: str) -> str:
    import unicodedata  # noqa: PLC0415  # only what is not ASCII needs it

    shown, marks = [], MARKS
    for character in line:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        shown.append(character if _is_seen(character) and marks <= MARKS else UNSHOWABLE)
    return "".join(shown)


def _is_plain(url: str) -> bool:
    """Tell whether nothing of a URL is hidden, or changed by where it is shown: GitLab fills placeholders in."""
    return " " not in url and terminal(url) == url and not _placeholder().search(url)


def _joined(match: re.Match[str]) -> str:
    return f"{JOINER}{match[0]}" if match[0] in {">", "."} else f"{match[0]}{JOINER}"


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if found in {"|", "\\"}:  # in a table a bar ends its cell however many backslashes stand before it
        return f"&#{ord(found)};"
    if found == "GL-":
        return found + JOINER
    before = JOINER if match["before"] else ""
    after = JOINER if match["after"] else ""
    return f"{before}\\{found}{after}"


def _written_out(match: re.Match[str]) -> str:
    return match[0] if match["ours"] else path(match[0])


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def _json_escaped(match: re.Match[str]) -> str:
    if _is_seen(match[0]):
        return match[0]
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


# Compiled where they are first needed: that takes longer than a short command does.


@cache
def _markup() -> re.Pattern[str]:
    return re.compile(
        r"""
          [|\\]                                         # written as entities
        | (?P<after>                                    # a joiner is put there
            [@\[]                                       # mentions, mail addresses; [TOC], [epic:1], [ ] check boxes
          | : (?= // | [\w+-]+: )                       # bare links, :emoji:
          | \{ (?= [+-] )                               # {+ inline diffs +}
          | \* (?= iteration: )
          )
        | (?P<before>
            (?<=[\w.-]) >                               # group/project>
          | (?<=[Ww][Ww][Ww]) \.                        # bare links without a scheme
          )
        | GL- (?= [0-9] )                               # an issue, like #
        | [`*\]{}<>#!~$%&^]                             # markup of CommonMark, HTML, and references
        | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9])          # emphasis; x86_64 stays as it is
        | \A [/=+:;-]                                   # quick actions, underlines, lists, definitions, front matter
        """,
        re.VERBOSE | re.ASCII,
    )


@cache
def _active() -> re.Pattern[str]:
    """What GitLab acts on in rendered text, or in a commit's message: each is broken by a joiner beside it."""
    return re.compile(
        r"""
          [@\#!~%$&^\[]
        | : (?= // | [\w+-]+: )
        | \{ (?= [+-] )
        | (?<=[Ww][Ww][Ww])\.
        | \* (?= iteration: )
        | (?<=[\w.-]) >
        | GL- (?= [0-9] )
        """,
        re.VERBOSE | re.ASCII,
    )


@cache
def _widget() -> re.Pattern[str]:
    """What GitLab's widgets for reports act on: text styles, and attachments of test cases."""
    return re.compile(r"%(?=\{)|\[(?=\[)")


@cache
def _numbered() -> re.Pattern[str]:
    return re.compile(r"\A([0-9]{1,9})([.)])(?= |\Z)")


@cache
def _steering() -> re.Pattern[str]:
    return re.compile(r"(?P<ours>\n|\x1b\[(?:[012]|3[123])m)|[^ -~]")


@cache
def _not_ascii() -> re.Pattern[str]:
    return re.compile(r"[^\n -~]")


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(r"%(?:25)?(?:\{|%7[Bb])|%25%7[Bb]")


@cache
def _unsafe_in_url() -> re.Pattern[str]:
    return re.compile(r"[^A-Za-z0-9!#$&'*+,/:;=?@%._~-]|%(?![0-9A-Fa-f]{2})")
