"""Reads a finished compose with productmd, past its validation and ours."""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from compose_repo.core.composes.compose import (
    FINISHED,
    LABEL_LENGTH,
    RELEASE_NAME_LENGTH,
    WORD_LENGTH,
    Compose,
    ComposeId,
    ComposeIdError,
    Image,
    RpmTable,
    Status,
    is_image_path,
)
from compose_repo.core.documents.limits import INTEGER, METADATA_BYTES, WORD_BYTES
from compose_repo.core.documents.strict import parse_json
from compose_repo.core.names import Arch, Sha256, Variant, as_line, is_line, is_name, is_sha256
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.ports.compose_root import Root, failure
from compose_repo.ports.productmd.words import new_words

_SHOWN: Final = 200
"""Most characters of foreign text that a message repeats."""
_CORRECT_METADATA: Final = "ask the compose's makers to fix its metadata"
_SUPPORTED_MAJOR: Final = "1"
METADATA: Final = ("composeinfo.json", "images.json", "modules.json", "rpms.json")
"""The files that a manifest names."""
_NO_TREES: Final = frozenset({"src", "nosrc", "noarch"})
"""Words of productmd's list of arches that no tree is for."""
_LISTED: Final = 10
"""Most new words that are named."""


def read_compose(root: Root, *, location: str | None = None) -> Compose:
    """Read a finished compose whole; `location` is recorded in place of the root's own.

    What counts is the COMPOSE_ID that is observed: an alias such as `latest-CentOS-Stream` is left for the folder of
    that name beside it, where there is one, so that it cannot turn to another compose meanwhile.

    Raises:
        InputError: there is no finished compose, or not a whole one; the codes say what.

    """
    compose_id, status = identity(root)
    named = root.beside(compose_id.text)
    if named.location != root.location and _names(named, compose_id):
        root = named
        compose_id, status = identity(root)
    # rpms.json is hundreds of times larger than all else: it is read and digested while productmd is imported.
    table = _Fetch(root, "rpms.json")
    table.start()
    files = _Metadata(root, compose_id, table)
    if identity(root) != (compose_id, status):
        message = "the compose changed while it was read"
        raise failure(root.location, Code.COMPOSE_CHANGED, message, "try again when it is finished")
    return Compose(
        id=compose_id,
        status=status,
        label=files.label,
        release_name=files.release_name,
        location=root.location if location is None else location,
        variants=files.variants,
        metadata=files.digests,
        images=files.images,
        rpms=files.rpms,
        remarks=tuple(files.remarks),
    )


def identity(root: Root) -> tuple[ComposeId, Status]:
    """Read COMPOSE_ID and STATUS of a finished compose.

    COMPOSE_ID is written when a compose starts: by itself it says nothing about an end.

    Raises:
        InputError: it is not finished, or no compose; the codes say what.

    """
    texts = {name: root.read(name, WORD_BYTES) for name in ("COMPOSE_ID", "STATUS")}
    look = "check that this is the root of a compose, the folder that holds COMPOSE_ID"
    if all(data is None for data in texts.values()):
        if not root.exists():
            raise failure(root.location, Code.COMPOSE_NOT_FOUND, "nothing exists at this address", look)
        if root.read("compose/metadata/rpms.json", METADATA_BYTES) is None:
            raise failure(root.location, Code.NOT_A_COMPOSE, "nothing here belongs to a compose", look)
    if any(data is not None and data.lstrip()[:1] == b"<" for data in texts.values()):
        raise failure(root.location, Code.NOT_A_COMPOSE, "the server shows a web page in place of COMPOSE_ID", look)
    missing = {"COMPOSE_ID": Code.COMPOSE_ID_MISSING, "STATUS": Code.STATUS_MISSING}
    problems = [
        Problem(path=f"{root.location}/{name}", code=code, message=f"{name} is missing", fix=look)
        for name, code in missing.items()
        if texts[name] is None
    ]
    if problems:
        raise InputError(*problems)
    return _compose_id(root, texts["COMPOSE_ID"] or b""), _status(root, texts["STATUS"] or b"")


def what_is_left(root: Root) -> tuple[Status | None, dict[str, Sha256 | None]]:
    """Give the status and the digests of a compose that cannot be read, as far as its server gives them."""
    word = (_attempted(root, "STATUS", WORD_BYTES) or b"").decode("ascii", errors="replace").strip()
    files = {name: _attempted(root, f"compose/metadata/{name}", METADATA_BYTES) for name in METADATA}
    digests = {name: None if data is None else _digest(data) for name, data in files.items()}
    return next((status for status in FINISHED if status == word), None), digests


def _attempted(root: Root, path: str, limit: int) -> bytes | None:
    try:
        return root.read(path, limit)
    except InputError:
        return None


def _digest(data: bytes) -> Sha256:
    return Sha256(hashlib.sha256(data).hexdigest())


def _names(root: Root, compose_id: ComposeId) -> bool:
    """Tell whether a folder's COMPOSE_ID names this compose."""
    data = root.read("COMPOSE_ID", WORD_BYTES)
    try:
        return data is not None and ComposeId.of_file(data) == compose_id
    except ComposeIdError:
        return False


def _compose_id(root: Root, data: bytes) -> ComposeId:
    try:
        return ComposeId.of_file(data)
    except ComposeIdError as error:
        path = f"{root.location}/COMPOSE_ID"
        raise failure(path, Code.COMPOSE_ID_INVALID, str(error)[:_SHOWN], _CORRECT_METADATA) from error


def _status(root: Root, data: bytes) -> Status:
    """Parse STATUS; refuse one that does not say that the compose is finished."""
    word = data.decode("ascii", errors="replace").strip()
    path = f"{root.location}/STATUS"
    if word not in Status.__members__:
        raise failure(path, Code.STATUS_UNKNOWN, f"the status {word[:_SHOWN]!a} is not known", _CORRECT_METADATA)
    status = Status(word)
    if status not in FINISHED:
        raise failure(path, Code.STATUS_UNFINISHED, f"the compose is {status}", "use one that is FINISHED")
    return status


class _Fetch(threading.Thread):
    """Reads and digests a metadata file on a thread of its own."""

    def __init__(self, root: Root, name: str) -> None:
        super().__init__(daemon=True)
        self._root = root
        self._name = name
        self._outcome: tuple[bytes, Sha256] | InputError | None = None

    def run(self) -> None:
        """Read the file; what goes wrong is for the thread that waits."""
        try:
            self._outcome = _read_metadata(self._root, self._name)
        except InputError as error:
            self._outcome = error

    def wait(self) -> tuple[bytes, Sha256] | None:
        """Give the bytes, once, and their digest, or None where there is no such file."""
        self.join()
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, InputError):
            raise outcome
        return outcome


def _read_metadata(root: Root, name: str) -> tuple[bytes, Sha256] | None:
    data = root.read(f"compose/metadata/{name}", METADATA_BYTES)
    return None if data is None else (data, _digest(data))


class _Metadata:
    """The metadata files of a compose, each past productmd's own validation and ours."""

    def __init__(self, root: Root, compose_id: ComposeId, table: _Fetch) -> None:
        from productmd.common import RPM_ARCHES  # noqa: PLC0415  # costs as much as the rest of the start
        from productmd.composeinfo import ComposeInfo  # noqa: PLC0415
        from productmd.images import Images  # noqa: PLC0415
        from productmd.modules import Modules  # noqa: PLC0415
        from productmd.rpms import Rpms  # noqa: PLC0415

        self._folder = f"{root.location}/compose/metadata"
        self._id = compose_id
        self._arches = frozenset(RPM_ARCHES)
        self._new: dict[str, None] = {}
        """What productmd does not know, in the order of its first use."""
        self.remarks: list[str] = []
        self.digests: dict[str, Sha256 | None] = {}
        small = {"composeinfo.json": ComposeInfo, "images.json": Images, "modules.json": Modules}
        parts = {name: self._load(name, make(), _read_metadata(root, name)) for name, make in small.items()}
        rpms = self._load("rpms.json", Rpms(), table.wait())
        if rpms is None:
            message = "the compose has no rpms.json"
            raise self._refusal("rpms.json", Code.METADATA_MISSING, message)
        self.rpms = self._rpms(rpms)
        info = parts["composeinfo.json"]
        self.label = as_line((info or rpms).compose.label, LABEL_LENGTH)
        self.release_name = None if info is None else as_line(info.release.name, RELEASE_NAME_LENGTH)
        self.variants = self._variants(info)
        self.images = self._images(parts["images.json"])
        if self._new:
            self.remarks.append(_news(list(self._new)))

    def _load(self, name: str, metadata: Any, file: tuple[bytes, Sha256] | None) -> Any:  # noqa: ANN401  # untyped
        """Give productmd's object with the file's content, or None where there is no such file."""
        self.digests[name] = None if file is None else file[1]
        if file is None:
            return None
        data = self._parse(name, file[0])
        try:
            written = data["header"]["version"]
            if written.partition(".")[0] != _SUPPORTED_MAJOR:
                message = f"it is of version {written[:_SHOWN]!a}, only {_SUPPORTED_MAJOR}.x can be read"
                raise self._refusal(name, Code.METADATA_VERSION, message)
            with new_words(data["payload"]) as words:
                metadata.deserialize(data)
            self._new |= dict.fromkeys(words)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            message = f"productmd refuses it: {type(error).__name__}: {str(error)[:_SHOWN]!a}"
            raise self._refusal(name, Code.METADATA_INVALID, message) from error
        if mismatches := list(self._mismatches(name, metadata.compose)):
            raise InputError(*mismatches)
        return metadata

    def _mismatches(self, name: str, compose: Any) -> Iterator[Problem]:  # noqa: ANN401  # productmd is untyped
        """Name each field of a file's compose that is not what COMPOSE_ID says."""
        expected = self._id
        fields = {
            "id": (compose.id, expected.text),
            "date": (compose.date, f"{expected.date:%Y%m%d}"),
            "type": (compose.type, expected.type.value),
            "respin": (compose.respin, expected.respin),
        }
        for field, (found, wanted) in fields.items():
            if found != wanted:
                yield Problem(
                    path=f"{self._folder}/{name}",
                    pointer=f"/payload/compose/{field}",
                    code=Code.COMPOSE_ID_MISMATCH,
                    message=f"{str(found)[:_SHOWN]!a} should be {str(wanted)!a}: COMPOSE_ID names {expected}",
                    fix=_CORRECT_METADATA,
                )

    def _parse(self, name: str, data: bytes) -> Any:  # noqa: ANN401  # JSON has no better type
        try:
            return parse_json(data, repetitive=True)
        except ValueError as error:
            if str(error).startswith("EOF while parsing") or not data:
                raise self._refusal(name, Code.METADATA_TRUNCATED, "the file ends too early") from error
            raise self._refusal(name, Code.METADATA_NOT_JSON, f"it is not JSON: {error}") from error

    def _rpms(self, rpms: Any) -> RpmTable:  # noqa: ANN401  # productmd is untyped
        """Check what productmd takes on trust: that the table is one, down to the rows, which the core looks at."""
        table = rpms.rpms
        try:
            shape = {
                type(rows) for trees in dict.values(table) for tree in dict.values(trees) for rows in dict.values(tree)
            }
        except TypeError as error:
            raise self._refusal("rpms.json", Code.METADATA_INVALID, "its table is not four levels deep") from error
        if not shape <= {dict}:
            raise self._refusal("rpms.json", Code.METADATA_INVALID, "its table is not four levels deep")
        checked: RpmTable = table
        return checked

    def _variants(self, info: Any) -> dict[Variant, tuple[Arch, ...]]:  # noqa: ANN401  # productmd is untyped
        """Give the variants and their arches as composeinfo.json has them, else as rpms.json does."""
        if info is None:
            variants = {Variant(name): tuple(map(Arch, sorted(trees))) for name, trees in self.rpms.items()}
        else:
            found = info.get_variants(recursive=True)
            variants = {Variant(variant.uid): tuple(map(Arch, sorted(variant.arches))) for variant in found}
        name = "rpms.json" if info is None else "composeinfo.json"
        for variant, arches in variants.items():
            if not is_name(variant):
                raise self._refusal(name, Code.METADATA_INVALID, f"{variant[:_SHOWN]!a} is not a valid variant name")
            for arch in arches:
                if arch in _NO_TREES or not is_name(arch):
                    raise self._refusal(name, Code.METADATA_INVALID, f"{arch[:_SHOWN]!a} is not the arch of a tree")
                if arch not in self._arches:
                    self._new[f"the arch {arch!a}"] = None
            if not arches:
                self.remarks.append(f"the variant {variant} has no arch, so nothing is in it: it is left out")
        self._agree("rpms.json", ((name, arch) for name, trees in self.rpms.items() for arch in trees), variants)
        return {variant: arches for variant, arches in variants.items() if arches}

    def _images(self, images: Any) -> tuple[Image, ...]:  # noqa: ANN401  # productmd is untyped
        """Give the images; their trees must be those of the compose."""
        if images is None:
            return ()
        table = images.images
        self._agree("images.json", ((name, arch) for name, trees in table.items() for arch in trees), self.variants)
        return tuple(
            self._image(Variant(variant), Arch(arch), image)
            for variant, trees in table.items()
            for arch, rows in trees.items()
            for image in rows
        )

    def _image(self, variant: Variant, arch: Arch, image: Any) -> Image:  # noqa: ANN401  # productmd is untyped
        path, sha256 = image.path, image.checksums.get("sha256")
        if not is_image_path(path):
            raise self._refusal("images.json", Code.METADATA_INVALID, f"{path[:_SHOWN]!a} is not a path below compose/")
        wrong = next(_faults(image), None)
        if wrong:
            raise self._refusal("images.json", Code.METADATA_INVALID, f"{path!a} has {wrong}")
        return Image(
            variant=variant,
            arch=arch,
            path=path,
            type=image.type,
            format=image.format,
            subvariant=image.subvariant,
            size=image.size,
            sha256=None if sha256 is None else Sha256(sha256),
        )

    def _agree(self, name: str, trees: Iterable[tuple[str, str]], variants: Mapping[Variant, tuple[Arch, ...]]) -> None:
        """Each tree that a file speaks of is a tree of the compose."""
        strangers = sorted(
            f"{variant}.{arch}" for variant, arch in trees if arch not in variants.get(Variant(variant), ())
        )
        if strangers:
            named = ", ".join(strangers)[:_SHOWN]
            raise self._refusal(name, Code.VARIANT_MISMATCH, f"it has trees that composeinfo.json does not: {named!a}")

    def _refusal(self, name: str, code: Code, message: str) -> InputError:
        return failure(f"{self._folder}/{name}", code, message, _CORRECT_METADATA)


def _news(words: Sequence[str]) -> str:
    """Say which words are newer than productmd."""
    from importlib.metadata import version  # noqa: PLC0415  # few composes have any

    more = f" and {len(words) - _LISTED} more" if len(words) > _LISTED else ""
    return f"productmd {version('productmd')} does not know {', '.join(words[:_LISTED])}{more}: kept as written"


def _faults(image: Any) -> Iterator[str]:  # noqa: ANN401  # productmd is untyped
    """Say what of an image's fields productmd takes, and a manifest cannot hold."""
    for what, word in (("type", image.type), ("format", image.format), ("subvariant", image.subvariant)):
        if not is_line(word, WORD_LENGTH) and (what != "subvariant" or word):
            yield f"a {what} that is not one line of at most {WORD_LENGTH} characters"
    sha256 = image.checksums.get("sha256")
    if sha256 is not None and not (isinstance(sha256, str) and is_sha256(sha256)):
        yield "an invalid SHA-256"
    if image.size < 0:
        yield "a negative size"
    if image.size > INTEGER:
        yield f"a size above {INTEGER}"
