"""RPM's version order. Epochs are numbers; versions and releases are read piece by piece.

rpm's comparison walks both texts at once; its outcome is the lexicographic order of their pieces, so a sort key says
the same and sorts in one pass. Digits and ASCII letters make pieces; `~` and `^` are pieces of their own; everything
else, non-ASCII included, only separates. At the first difference the pieces rank: tilde, end of text, caret, letters,
digits: `1.0~rc1` is older than `1.0`, `1.0^git1` newer than it and older than `1.0.1`.
"""

import re
from typing import Final, TypeAlias

Piece: TypeAlias = tuple[int, int, str]
"""Its rank; for digits their count without leading zeros, so that no length of number needs arithmetic; its text."""
VersionKey: TypeAlias = tuple[Piece, ...]
EvrKey: TypeAlias = tuple[int, VersionKey, VersionKey]

_TILDE: Final[Piece] = (0, 0, "")
_END: Final[Piece] = (1, 0, "")
_CARET: Final[Piece] = (2, 0, "")
_LETTERS: Final = 3
_DIGITS: Final = 4
_PIECES: Final = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")


def evr_key(epoch: int, version: str, release: str) -> EvrKey:
    """Give what sorts an epoch, version and release as rpm does; equal where rpm finds no difference."""
    return (epoch, version_key(version), version_key(release))


def version_key(text: str) -> VersionKey:
    """Give what sorts one version, or one release, as rpm does: `1.0`, `1_0` and `1.00` are the same."""
    return (*map(_piece, _PIECES.findall(text)), _END)


def _piece(text: str) -> Piece:
    if text == "~":
        return _TILDE
    if text == "^":
        return _CARET
    if text[0] > "9":
        return (_LETTERS, 0, text)
    digits = text.lstrip("0")
    return (_DIGITS, len(digits), digits)
