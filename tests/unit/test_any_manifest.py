"""The manifest of whatever compose can be read passes every check that the gate makes; else the compose is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from compose_server import Answer, serving
from hypothesis import event, given
from hypothesis import strategies as st

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.names import as_line, is_line
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UnansweredError
from compose_repo.passes.manifest import PASSING, manifest_of, published_manifest_of
from compose_repo.ports.compose_root import WebRoot, failure
from compose_repo.ports.console import Console
from compose_repo.ports.http import Http, Limits
from compose_repo.ports.tree import GivenTree
from compose_repo.reading.inspection import Inspector
from compose_repo.reading.loading import ANY_TIME
from skipping_clock import SkippingClock

ID = ComposeId.parse("CentOS-Stream-10-20261119.0")
COMPOSE = {"id": ID.text, "date": "20261119", "type": "production", "respin": 0}

words = st.sampled_from(["boot", "a b", "ü", "x" * 128, "x" * 129, "", "a\nb", "a\x7f", "\u202e", "a\u2028"])
texts = st.text(st.characters(codec="utf-8"), max_size=6) | words | st.sampled_from(["x" * 256, "x" * 257, "\t a\r\n"])
parts = st.sampled_from(["iso", "a b", ".", "..", "", ".x", "a\\b", "ü", "x" * 1019, "%", "?", "#"])
names = st.sampled_from(["BaseOS", "CRB", "Base-OS", "Base OS", "", "x" * 128, "x" * 129])
arches = st.sampled_from(["x86_64", "x86_64_v3", "aarch64", "src", "vax", "x" * 129])
nvrs = st.builds(
    "{}-{}:{}-{}".format,
    st.sampled_from(["bash", "a%{x}", "%", "_a", "{a", "a" * 250, "a" * 251, "a" * 252, "-"]),
    st.sampled_from([0, 1, 2**32 - 1, 2**32, "01"]),
    st.sampled_from(["1", "1^2~3", "%{v}", "1-1"]),
    st.sampled_from(["1", "1%{dist}", "1 "]),
)


class Documents:
    """A compose's root, in memory."""

    location = "https://composes.example/CentOS-Stream-10-20261119.0"

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = {"COMPOSE_ID": ID.text.encode(), "STATUS": b"FINISHED\n", **files}

    def read(self, path: str, limit: int) -> bytes | None:
        found = self.files.get(path)
        assert found is None or len(found) <= limit
        return found

    def exists(self) -> bool:
        return True

    def beside(self, name: str) -> "Documents":
        assert name == ID.text
        return self


def document(kind: str, payload: dict[str, Any], **compose: object) -> bytes:
    header = {"type": f"productmd.{kind}", "version": "1.2"}
    return json.dumps({"header": header, "payload": {"compose": COMPOSE | compose, **payload}}).encode()


def image(path: list[str], **fields: object) -> dict[str, Any]:
    fixed = {"mtime": 1, "volume_id": None, "arch": "x86_64", "disc_number": 1, "disc_count": 1, "bootable": True}
    return {**fixed, "implant_md5": None, "path": "/".join(path), "checksums": {"sha256": "0" * 64}, **fields}


images = st.builds(
    image,
    st.lists(parts, min_size=1, max_size=3),
    type=words,
    format=words,
    subvariant=words,
    size=st.sampled_from([1, 2**53 - 1, 2**53]),
)
tables = st.dictionaries(
    names,
    st.dictionaries(
        arches,
        st.dictionaries(
            nvrs.map("{}.src".format),
            st.dictionaries(
                nvrs.map("{}.x86_64".format) | nvrs.map("{}.i686".format),
                st.fixed_dictionaries({"category": st.just("binary"), "path": st.just("x"), "sigkey": st.none()}),
                max_size=2,
            ),
            max_size=2,
        ),
        max_size=2,
    ),
    max_size=2,
)


def infos(rpms: dict[str, dict[str, Any]], name: str, kind: str, label: str) -> bytes:
    variants = {
        uid: {"id": uid.replace("-", ""), "uid": uid, "name": uid, "type": kind, "arches": [*trees], "paths": {}}
        for uid, trees in rpms.items()
    }
    release = {"name": name, "version": "10", "short": "CentOS-Stream", "type": kind}
    return document("composeinfo", {"release": release, "variants": variants}, label=label)


@st.composite
def composes(draw: st.DrawFn) -> dict[str, bytes]:
    rpms = draw(tables)
    files = {"rpms.json": document("rpms", {"rpms": rpms}, label=draw(texts))}
    if draw(st.booleans()):
        files["composeinfo.json"] = infos(rpms, draw(texts), draw(texts), draw(texts))
    if trees := [(variant, arch) for variant, table in rpms.items() for arch in table]:
        variant, arch = draw(st.sampled_from(trees))
        rows = draw(st.lists(images, max_size=1))
        files["images.json"] = document("images", {"images": {variant: {arch: rows}}})
    return {f"compose/metadata/{name}": raw for name, raw in files.items()}


def checked(files: dict[str, bytes]) -> list[Problem]:
    """Give what is wrong with the manifest of a compose that can be read."""
    raw = manifest_of(Documents(files), location=None, console=Console()).raw
    tree = GivenTree({ID.manifest_path: raw})
    (entry,) = tree.list("composes")
    return list(Inspector(tree, ANY_TIME).inspect(entry).problems)


@given(composes())
def test_a_compose_is_refused_or_its_manifest_passes(files: dict[str, bytes]) -> None:
    try:
        problems = checked(files)
    except InputError as error:
        event(f"refused: {error.problems[0].code}")
        return
    event("read")
    assert problems == []


def plain(rpms: dict[str, Any], location: str = Documents.location) -> Documents:
    root = Documents({"compose/metadata/rpms.json": document("rpms", {"rpms": rpms})})
    root.location = location
    return root


def test_one_package_in_two_epochs_passes() -> None:
    assert checked(plain({"BaseOS": {"x86_64": {"bash-0:1-1.src": {}, "bash-1:1-1.src": {}}}}).files) == []


@pytest.mark.parametrize(
    ("root", "pointer"),
    [
        (plain({}, location=f"https://composes.example/{'x' * 1024}"), "/location"),
        (plain({}, location="https://composes.example/\n"), "/location"),
        (plain({f"V{number}": {"x86_64": {}} for number in range(101)}), "/variants"),
        (plain({"BaseOS": {f"arch{number}": {} for number in range(33)}}), "/variants/BaseOS"),
        (
            plain(
                {"BaseOS": {"x86_64": {"a-0:1-1.src": {f"a-0:1-1.{'x' * 129}": {"category": "binary", "sigkey": ""}}}}}
            ),
            "/packages/0/rpms/0/rpm_arch",
        ),
    ],
)
def test_what_breaks_a_bound_of_the_schema_is_refused_before_it_is_written(root: Documents, pointer: str) -> None:
    with pytest.raises(InputError) as caught:
        manifest_of(root, location=None, console=Console())
    (problem,) = caught.value.problems
    assert (problem.code, problem.path, problem.pointer) == ("metadata-invalid", root.location, pointer)


def test_a_manifest_that_is_too_large_is_refused_before_it_is_written() -> None:
    rows = {f"{number}-{'a' * 230}-0:1-1.x86_64": {"category": "binary", "sigkey": ""} for number in range(18_000)}
    with pytest.raises(InputError, match=r"its manifest has 4,[0-9]{3},[0-9]{3} bytes; 4,194,304 are allowed"):
        manifest_of(plain({"BaseOS": {"x86_64": {"a-0:1-1.src": rows}}}), location=None, console=Console())


class Failing(Documents):
    """A server that gives some of its files only."""

    def __init__(self, code: Code, *failing: str) -> None:
        metadata = {"compose/metadata/modules.json": b"{}", "compose/metadata/rpms.json": b"{"}
        super().__init__(metadata)
        self.code = code
        self.failing = failing

    def read(self, path: str, limit: int) -> bytes | None:
        if path in self.failing:
            raise failure(path, self.code, "it fails", "try again")
        return super().read(path, limit)


@pytest.mark.parametrize("code", sorted(PASSING))
def test_a_server_that_does_not_answer_now_is_asked_again(code: Code) -> None:
    with pytest.raises(InputError) as caught:
        published_manifest_of(Failing(code, "STATUS"), ID, console=Console())
    assert caught.value.problems[0].code == code


def test_a_server_that_is_overloaded_is_asked_again(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.answers = {f"/{ID}/STATUS": [Answer(status=503, body=b"")]}
        root = WebRoot(f"{server.url}/{ID}", Http(Limits(tries=1), clock=SkippingClock()).read)
        with pytest.raises(UnansweredError):
            published_manifest_of(root, ID, console=Console())


def test_what_a_server_refuses_for_good_is_recorded_as_that(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.answers = {f"/{ID}/STATUS": [Answer(status=403, body=b"")]}
        root = WebRoot(f"{server.url}/{ID}", Http(Limits(tries=1), clock=SkippingClock()).read)
        manifest = published_manifest_of(root, ID, console=Console())
    assert manifest.unreadable is not None
    assert manifest.unreadable.code == "source-status"


def test_of_a_published_compose_what_its_server_still_gives_is_recorded() -> None:
    root = Failing(Code.SOURCE_STATUS, "compose/metadata/images.json", "STATUS")
    manifest = published_manifest_of(root, ID, console=Console())
    given = {name for name, digest in manifest.metadata.items() if digest is not None}
    assert (manifest.unreadable is not None, manifest.status, given) == (True, None, {"modules.json", "rpms.json"})
    tree = GivenTree({ID.manifest_path: manifest.to_bytes()})
    (entry,) = tree.list("composes")
    assert list(Inspector(tree, ANY_TIME).inspect(entry).problems) == []


def test_a_published_compose_that_can_be_read_is_read() -> None:
    assert published_manifest_of(plain({"BaseOS": {"x86_64": {}}}), ID, console=Console()).unreadable is None


@given(texts, st.integers(1, 300))
def test_any_text_becomes_a_line(text: str, most: int) -> None:
    line = as_line(text, most)
    assert line is None or is_line(line, most)


@given(texts.filter(lambda text: is_line(text, 300)))
def test_a_line_stays_as_it_stands(text: str) -> None:
    assert as_line(text, 300) == text
