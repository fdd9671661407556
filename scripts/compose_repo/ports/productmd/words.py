"""productmd's closed lists of words, opened to those of a compose that is newer than them.

productmd refuses a whole file for one word that it does not know: a type or format of an image, an arch, a label, a
type of a release or variant. Nothing here depends on such a word, so it is kept as it stands, and named.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from compose_repo.core.names import is_name

_MOST: Final = 100
"""Most new words that one file may bring; productmd looks through its lists from end to end."""
_SHOWN: Final = 80


@contextmanager
def new_words(payload: Any) -> Iterator[list[str]]:  # noqa: ANN401  # JSON has no better type
    """Let productmd take the words of a metadata file's payload; gives those that are new to it, each with its kind."""
    said: list[str] = []
    opened: list[list[Any]] = []
    try:
        for kind, words, word in dict.fromkeys(_new(payload)):
            if len(opened) == _MOST:
                break
            known = _list(words)
            known.append(re.compile(re.escape(word)) if words == "labels" else word)
            opened.append(known)
            said.append(f"the {kind} {word[:_SHOWN]!a}")
        yield said
    finally:
        for known in reversed(opened):
            known.pop()


def _new(payload: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401  # as above
    """Give kind, list and text of each word that is not in its list."""
    for kind, words, word in _words(payload):
        if isinstance(word, str) and not _is_known(words, word):
            yield kind, words, word


def _is_known(words: str, word: str) -> bool:
    known = _list(words)
    return any(one.match(word) for one in known) if words == "labels" else word in known


def _list(words: str) -> list[Any]:
    """Give productmd's own list: what it looks into is what is in it at that moment."""
    from productmd import common, composeinfo, images  # noqa: PLC0415  # costs as much as the rest of the start

    lists: dict[str, list[Any]] = {
        "arches": common.RPM_ARCHES,
        "releases": common.RELEASE_TYPES,
        "labels": composeinfo.LABEL_RE_LIST,
        "variants": composeinfo.VARIANT_TYPES,
        "types": images.SUPPORTED_IMAGE_TYPES,
        "formats": images.SUPPORTED_IMAGE_FORMATS,
    }
    return lists[words]


def _words(payload: Any) -> Iterator[tuple[str, str, object]]:  # noqa: ANN401  # as above
    """Give each word of a payload that productmd has a list for; what has another shape is for productmd to refuse."""
    yield "label", "labels", _at(payload, "compose").get("label") or None
    yield from _release(_at(payload, "release"))
    yield "release type", "releases", _at(payload, "base_product").get("type")
    for variant in map(_table, _at(payload, "variants").values()):
        yield "variant type", "variants", variant.get("type")
        yield from _release(_at(variant, "release"))
    for trees in map(_table, _at(payload, "images").values()):
        for arch, rows in trees.items():
            if is_name(arch):
                yield "arch", "arches", arch
            for image in map(_table, rows if isinstance(rows, list) else ()):
                yield "image type", "types", image.get("type")
                yield "image format", "formats", image.get("format")


def _release(release: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    word = release.get("type")
    yield "release type", "releases", word.lower() if isinstance(word, str) else None


def _at(value: Any, key: str) -> Mapping[str, Any]:  # noqa: ANN401  # as above
    return _table(_table(value).get(key))


def _table(value: Any) -> Mapping[str, Any]:  # noqa: ANN401  # as above
    return value if isinstance(value, dict) else {}
