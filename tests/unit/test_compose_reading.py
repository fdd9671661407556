"""A compose is read whole from a folder or a server, or what keeps it from being read has a name of its own."""

import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from compose_server import Answer, ComposeServer, serving

from compose_repo.core.composes.compose import Compose, Status
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Variant
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.ports.compose_root import WebRoot, compose_root
from compose_repo.ports.http import Http, Limits, normal_url
from compose_repo.ports.productmd.reading import read_compose
from sample_composes.sample import SampleSpec
from samples import write_sample
from skipping_clock import SkippingClock

COMPOSE_ID = "CentOS-Stream-10-20261119.0"
METADATA = "compose/metadata"
LIMITS = Limits(timeout=0.2, total=1.0, tries=2, backoff=0.01)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("original"), SampleSpec.create(COMPOSE_ID, srpms=12))


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """Give a sound compose that a test may damage."""
    return shutil.copytree(original, tmp_path / "production" / COMPOSE_ID)


@pytest.fixture
def server(folder: Path) -> Iterator[ComposeServer]:
    with serving(folder.parent) as server:
        yield server


def read(root: Path) -> Compose:
    return read_compose(compose_root(str(root)))


def read_web(server: ComposeServer, path: str = COMPOSE_ID) -> Compose:
    return read_compose(WebRoot(f"{server.url}/{path}", Http(LIMITS, clock=SkippingClock()).read))


def codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [problem.code for problem in caught.value.problems]


def code(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(root)
    return ",".join(codes(caught))


def refusal(root: Path) -> Problem:
    """Give the first problem that a compose is refused for."""
    with pytest.raises(InputError) as caught:
        read(root)
    return caught.value.problems[0]


def web_code(server: ComposeServer, path: str = COMPOSE_ID) -> str:
    with pytest.raises(InputError) as caught:
        read_web(server, path)
    return ",".join(codes(caught))


def change(folder: Path, name: str, *keys: str | int, value: object) -> None:
    """Set one member of a metadata file."""
    file = folder / METADATA / name
    document = json.loads(file.read_bytes())
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    file.write_text(json.dumps(document))


def change_image(folder: Path, field: str, value: object) -> None:
    """Set one field of one image."""
    change(folder, "images.json", "payload", "images", "BaseOS", "x86_64", 0, field, value=value)


def test_a_folder_is_read_whole(folder: Path) -> None:
    compose = read(folder)
    assert (compose.id.text, compose.status, compose.release_name) == (COMPOSE_ID, Status.FINISHED, "CentOS Stream")


def test_a_server_gives_what_a_folder_gives(folder: Path, server: ComposeServer) -> None:
    web = read_compose(WebRoot(f"{server.url}/{COMPOSE_ID}", Http(LIMITS, clock=SkippingClock()).read), location="x")
    local = read_compose(compose_root(str(folder)), location="x")
    assert Manifest.from_compose(web).to_bytes() == Manifest.from_compose(local).to_bytes()


def test_the_compose_folder_stands_for_its_root(folder: Path) -> None:
    assert read(folder / "compose").location == folder.as_uri()


def test_the_compose_address_stands_for_its_root(server: ComposeServer) -> None:
    root = compose_root(f"{server.url}/{COMPOSE_ID}/compose/")
    assert read_compose(root).location == f"{server.url}/{COMPOSE_ID}"


def test_a_link_is_recorded_as_the_folder_it_leads_to(folder: Path) -> None:
    link = folder.parent / "latest-CentOS-Stream"
    link.symlink_to(folder.name)
    assert read(link).location == folder.as_uri()


def test_an_alias_on_a_server_is_left_for_the_observed_id(folder: Path, server: ComposeServer) -> None:
    (folder.parent / "latest-CentOS-Stream").symlink_to(folder.name)
    assert read_web(server, "latest-CentOS-Stream").location == f"{server.url}/{COMPOSE_ID}"


def test_an_alias_is_left_whatever_white_space_ends_the_id(folder: Path, server: ComposeServer) -> None:
    (folder.parent / "latest-CentOS-Stream").symlink_to(folder.name)
    (folder / "COMPOSE_ID").write_bytes(f"{COMPOSE_ID}\r\n".encode())
    assert read_web(server, "latest-CentOS-Stream").location == f"{server.url}/{COMPOSE_ID}"


def test_an_alias_whose_neighbour_is_no_compose_is_read_as_it_is(folder: Path, server: ComposeServer) -> None:
    shutil.copytree(folder, folder.parent / "copy")
    (folder / "COMPOSE_ID").write_text("under construction")
    assert read_web(server, "copy").location == f"{server.url}/copy"


def test_an_alias_with_nothing_beside_it_is_read_as_it_is(folder: Path, server: ComposeServer) -> None:
    folder.rename(folder.parent / "only-this")
    assert read_web(server, "only-this").location == f"{server.url}/only-this"


def test_an_alias_whose_neighbour_is_another_compose_is_read_as_it_is(folder: Path, server: ComposeServer) -> None:
    shutil.copytree(folder, folder.parent / "copy")
    (folder / "COMPOSE_ID").write_text("CentOS-Stream-10-20261119.1")
    assert read_web(server, "copy").location == f"{server.url}/copy"


def test_an_incomplete_compose_is_accepted(folder: Path) -> None:
    (folder / "STATUS").write_text("FINISHED_INCOMPLETE\n")
    assert read(folder).status is Status.FINISHED_INCOMPLETE


@pytest.mark.parametrize("status", ["STARTED", "DOOMED", "TERMINATED"])
def test_an_unfinished_compose_is_refused(folder: Path, status: str) -> None:
    (folder / "STATUS").write_text(f"{status}\n")
    assert code(folder) == "status-unfinished"


@pytest.mark.parametrize("status", ["", "finished", "FINISHED STARTED", "\xff"])
def test_an_unknown_status_is_refused(folder: Path, status: str) -> None:
    (folder / "STATUS").write_bytes(status.encode("latin-1"))
    assert code(folder) == "status-unknown"


def test_a_compose_that_changes_while_it_is_read_is_refused(server: ComposeServer) -> None:
    path = f"/{COMPOSE_ID}/STATUS"
    server.answers[path] = [Answer(body=b"FINISHED\n"), Answer(body=b"FINISHED_INCOMPLETE\n")]
    assert web_code(server) == "compose-changed"


def test_missing_status_has_a_code(folder: Path) -> None:
    (folder / "STATUS").unlink()
    assert code(folder) == "status-missing"


def test_missing_compose_id_has_a_code(folder: Path) -> None:
    (folder / "COMPOSE_ID").unlink()
    assert code(folder) == "compose-id-missing"


def test_metadata_alone_lacks_id_and_status(folder: Path) -> None:
    (folder / "STATUS").unlink()
    (folder / "COMPOSE_ID").unlink()
    assert code(folder) == "compose-id-missing,status-missing"


def test_an_absent_folder_is_not_found(tmp_path: Path) -> None:
    assert code(tmp_path / "nothing") == "compose-not-found"


def test_a_file_is_not_found(folder: Path) -> None:
    assert code(folder / "STATUS") == "compose-not-found"


def test_an_absent_address_is_not_found(server: ComposeServer) -> None:
    assert web_code(server, "nothing") == "compose-not-found"


def test_an_empty_folder_is_no_compose(tmp_path: Path) -> None:
    assert code(tmp_path) == "not-a-compose"


def test_a_listing_of_composes_is_no_compose(server: ComposeServer) -> None:
    assert web_code(server, "") == "not-a-compose"


def test_a_web_page_for_everything_is_no_compose(server: ComposeServer) -> None:
    page = Answer(body=b"\n<!DOCTYPE html><html><body>Welcome</body></html>")
    server.answers = {f"/{COMPOSE_ID}/{name}": [page] for name in ("COMPOSE_ID", "STATUS")}
    assert web_code(server) == "not-a-compose"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../../evil20240501.0x",
        "CentOS-Stream-10-20261119.0/../x",
        "CentOS-Stream-10-20261119.0\nCentOS-Stream-10-20261119.0",
        "\ufeffCentOS-Stream-10-20261119.0",
        " CentOS-Stream-10-20261119.0",
        "CentOS-Stream-10-20261319.0",
        "CentOS-Stream-10-20261119",
        "CentOS-Stream-10-20261119.x.0",
        "CéntOS-Stream-10-20261119.0",
        "A" * 500,
    ],
)
def test_an_id_that_does_not_parse_strictly_is_refused(folder: Path, text: str) -> None:
    (folder / "COMPOSE_ID").write_text(text, encoding="utf-8")
    assert code(folder) == "compose-id-invalid"


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n", "\t"])
def test_white_space_may_follow_an_id(folder: Path, end: str) -> None:
    (folder / "COMPOSE_ID").write_bytes(f"{COMPOSE_ID}{end}".encode())
    assert read(folder).id.text == COMPOSE_ID


def test_a_byte_order_mark_is_refused_by_name(folder: Path) -> None:
    (folder / "COMPOSE_ID").write_bytes(f"\ufeff{COMPOSE_ID}".encode())
    assert refusal(folder).message == "it begins with a byte order mark, which belongs to no compose id"


@pytest.mark.parametrize("name", ["composeinfo.json", "images.json", "modules.json", "rpms.json"])
class TestEachMetadataFile:
    def test_of_another_compose_is_refused(self, folder: Path, name: str) -> None:
        change(folder, name, "payload", "compose", "id", value="CentOS-Stream-10-20261119.1")
        assert code(folder) == "compose-id-mismatch"

    def test_of_another_respin_is_refused(self, folder: Path, name: str) -> None:
        change(folder, name, "payload", "compose", "respin", value=1)
        assert code(folder) == "compose-id-mismatch"

    @pytest.mark.parametrize(
        ("field", "value"), [("date", "20261118"), ("type", "nightly"), ("respin", 7), ("id", "A-1-20261119.0")]
    )
    def test_of_another_compose_names_what_differs(self, folder: Path, name: str, field: str, value: object) -> None:
        change(folder, name, "payload", "compose", field, value=value)
        problem = refusal(folder)
        assert (problem.pointer, problem.message.startswith(f"'{value}' should be ")) == (
            f"/payload/compose/{field}",
            True,
        )

    def test_that_is_truncated_is_refused(self, folder: Path, name: str) -> None:
        file = folder / METADATA / name
        file.write_bytes(file.read_bytes()[:-20])
        assert code(folder) == "metadata-truncated"

    def test_that_is_empty_is_refused(self, folder: Path, name: str) -> None:
        (folder / METADATA / name).write_bytes(b"")
        assert code(folder) == "metadata-truncated"

    def test_that_is_a_web_page_is_refused(self, folder: Path, name: str) -> None:
        (folder / METADATA / name).write_text("<html></html>")
        assert code(folder) == "metadata-not-json"

    def test_with_a_key_twice_is_refused(self, folder: Path, name: str) -> None:
        (folder / METADATA / name).write_text('{"header": {}, "header": {}}')
        assert code(folder) == "metadata-not-json"

    @pytest.mark.parametrize("version", ["2.0", "0.3", "10.1"])
    def test_of_another_version_is_refused(self, folder: Path, name: str, version: str) -> None:
        change(folder, name, "header", "version", value=version)
        assert code(folder) == "metadata-version"

    @pytest.mark.parametrize("document", ["[]", "{}", "null", '"x"', '{"header": {"version": 2}}'])
    def test_that_is_other_json_is_refused(self, folder: Path, name: str, document: str) -> None:
        (folder / METADATA / name).write_text(document)
        assert code(folder) == "metadata-invalid"

    def test_of_another_type_is_refused(self, folder: Path, name: str) -> None:
        change(folder, name, "header", "type", value="productmd.other")
        assert code(folder) == "metadata-invalid"


def test_a_compose_without_rpms_json_is_refused(folder: Path) -> None:
    (folder / METADATA / "rpms.json").unlink()
    assert code(folder) == "metadata-missing"


@pytest.mark.parametrize("name", ["composeinfo.json", "images.json", "modules.json"])
def test_what_else_is_absent_is_recorded_as_absent(folder: Path, name: str) -> None:
    (folder / METADATA / name).unlink()
    assert {name for name, digest in read(folder).metadata.items() if digest is None} == {name}


def test_without_composeinfo_the_variants_come_from_rpms_json(folder: Path) -> None:
    expected = dict(read(folder).variants)
    (folder / METADATA / "composeinfo.json").unlink()
    assert dict(read(folder).variants) == expected


def test_a_variant_that_composeinfo_does_not_have_is_refused(folder: Path) -> None:
    change(folder, "rpms.json", "payload", "rpms", "Workstation", value={"x86_64": {}})
    assert code(folder) == "variant-mismatch"


def test_an_arch_that_composeinfo_does_not_have_is_refused(folder: Path) -> None:
    change(folder, "images.json", "payload", "images", "BaseOS", "riscv64", value=[])
    (image, *_) = json.loads((folder / METADATA / "images.json").read_bytes())["payload"]["images"]["BaseOS"]["x86_64"]
    change(folder, "images.json", "payload", "images", "BaseOS", "riscv64", value=[image])
    assert code(folder) == "variant-mismatch"


def test_an_incomplete_variant_is_refused(folder: Path) -> None:
    change(folder, "composeinfo.json", "payload", "variants", "BaseOS", value={"id": "BaseOS"})
    assert code(folder) == "metadata-invalid"


@pytest.mark.parametrize("variant", ["../../evil", "", "Base OS", "-x"])
def test_a_hostile_name_of_a_variant_is_refused(folder: Path, variant: str) -> None:
    (folder / METADATA / "composeinfo.json").unlink()
    change(folder, "rpms.json", "payload", "rpms", variant, value={})
    assert code(folder) == "metadata-invalid"


@pytest.mark.parametrize("arch", ["../x86_64", "src", "noarch", "", "x" * 129])
def test_a_hostile_name_of_an_arch_is_refused(folder: Path, arch: str) -> None:
    (folder / METADATA / "composeinfo.json").unlink()
    change(folder, "rpms.json", "payload", "rpms", "BaseOS", arch, value={})
    assert code(folder) == "metadata-invalid"


@pytest.mark.parametrize(
    "table",
    [[], {"BaseOS": []}, {"BaseOS": {"x86_64": []}}, {"BaseOS": {"x86_64": {"a-0:1-1.src": []}}}, "rpms", None],
)
def test_a_table_of_another_shape_is_refused(folder: Path, table: object) -> None:
    change(folder, "rpms.json", "payload", "rpms", value=table)
    assert code(folder) == "metadata-invalid"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "/etc/passwd"),
        ("path", "../x.iso"),
        ("path", "x\n.iso"),
        ("path", "a//b.iso"),
        ("path", "./b.iso"),
        ("path", "\u202eosi.b"),
        ("path", "x" * 1025),
        ("size", -1),
        ("size", 2**53),
        ("checksums", {"sha256": "beef"}),
        ("checksums", {"sha256": 7}),
        ("type", "x" * 129),
        ("type", ""),
        ("type", 7),
        ("format", "a\nb"),
        ("subvariant", "x" * 129),
        ("subvariant", "a\x1b[2Jb"),
    ],
)
def test_a_hostile_image_is_refused(folder: Path, field: str, value: object) -> None:
    change_image(folder, field, value)
    assert code(folder) == "metadata-invalid"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "BaseOS/x86_64/iso/CentOS Stream boot.iso"),
        ("path", "BaseOS/.hidden/ü.iso"),
        ("subvariant", "Cloud Base"),
        ("subvariant", ""),
        ("type", "iot-simplified-installer"),
        ("type", "simplified installer"),
        ("format", "iso.zst"),
    ],
)
def test_what_an_image_says_is_kept_as_it_stands(folder: Path, field: str, value: str) -> None:
    change_image(folder, field, value)
    assert value in {getattr(image, field) for image in read(folder).images}


@pytest.mark.parametrize(
    ("name", "keys", "word", "kind"),
    [
        ("composeinfo.json", ("release", "type"), "Long-Term", "release type 'long-term'"),
        ("composeinfo.json", ("variants", "BaseOS", "type"), "module", "variant type 'module'"),
        ("composeinfo.json", ("compose", "label"), "GA-1.0", "label 'GA-1.0'"),
        ("rpms.json", ("compose", "label"), "GA-1", "label 'GA-1'"),
        ("images.json", ("images", "BaseOS", "x86_64", 0, "type"), "floppy", "image type 'floppy'"),
        ("images.json", ("images", "BaseOS", "x86_64", 0, "format"), "img", "image format 'img'"),
    ],
)
def test_a_word_that_productmd_does_not_know_is_named(
    folder: Path, name: str, keys: tuple[str | int, ...], word: str, kind: str
) -> None:
    change(folder, name, "payload", *keys, value=word)
    assert read(folder).remarks == (f"productmd {version('productmd')} does not know the {kind}: kept as written",)


def test_a_new_word_is_named_each_time(folder: Path) -> None:
    change_image(folder, "type", "floppy")
    assert read(folder).remarks == read(folder).remarks != ()


def test_what_productmd_knows_needs_no_remark(folder: Path) -> None:
    assert read(folder).remarks == ()


def test_an_arch_that_productmd_does_not_know_is_kept(folder: Path) -> None:
    for name in ("composeinfo.json", "rpms.json", "images.json"):
        file = folder / METADATA / name
        file.write_text(file.read_text().replace("x86_64", "x86_64_v3"))
    compose = read(folder)
    assert ("x86_64_v3" in compose.variants[Variant("BaseOS")], len(compose.remarks)) == (True, 1)


def test_many_new_words_are_counted(folder: Path) -> None:
    (image, *_) = json.loads((folder / METADATA / "images.json").read_bytes())["payload"]["images"]["BaseOS"]["x86_64"]
    images = [image | {"type": f"new{number}"} for number in range(12)]
    change(folder, "images.json", "payload", "images", "BaseOS", "x86_64", value=images)
    (remark,) = read(folder).remarks
    assert remark.endswith("the image type 'new9' and 2 more: kept as written")


def test_more_new_words_than_a_compose_can_need_are_refused(folder: Path) -> None:
    (image, *_) = json.loads((folder / METADATA / "images.json").read_bytes())["payload"]["images"]["BaseOS"]["x86_64"]
    images = [image | {"type": f"new{number}"} for number in range(101)]
    change(folder, "images.json", "payload", "images", "BaseOS", "x86_64", value=images)
    assert code(folder) == "metadata-invalid"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("CentOS\tStream", "CentOS Stream"),
        ("CentOS\nStream\r\n", "CentOS Stream"),
        ("CentOS\x1b[2J", "CentOS\ufffd[2J"),
        ("x" * 257, "x" * 255 + "…"),
        ("x" * 256, "x" * 256),
        (" \n", None),
        ("", None),
    ],
)
def test_a_releases_name_is_kept_on_one_line(folder: Path, written: str, kept: str | None) -> None:
    change(folder, "composeinfo.json", "payload", "release", "name", value=written)
    assert read(folder).release_name == kept


def test_a_variant_without_arches_is_left_out(folder: Path) -> None:
    (folder / METADATA / "composeinfo.json").unlink()
    change(folder, "rpms.json", "payload", "rpms", "Empty", value={})
    compose = read(folder)
    assert ("Empty" in compose.variants, compose.remarks) == (
        False,
        ("the variant Empty has no arch, so nothing is in it: it is left out",),
    )


def test_a_variant_inside_itself_is_refused(folder: Path) -> None:
    variant = {"id": "A", "uid": "A", "name": "A", "type": "variant", "arches": ["x86_64"], "paths": {}}
    change(folder, "composeinfo.json", "payload", "variants", "A", value=variant | {"variants": ["B"]})
    change(folder, "composeinfo.json", "payload", "variants", "A-B", value=variant | {"variants": ["B"]})
    assert code(folder) == "metadata-invalid"


def test_an_image_without_sha256_is_accepted(folder: Path) -> None:
    file = folder / METADATA / "images.json"
    document = json.loads(file.read_bytes())
    for images in document["payload"]["images"]["BaseOS"].values():
        images[0]["checksums"] = {"md5": "0" * 32}
    file.write_text(json.dumps(document))
    assert None in {image.sha256 for image in read(folder).images}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable(folder: Path) -> None:
    (folder / "STATUS").chmod(0)
    assert code(folder) == "source-unreadable"


def test_a_folder_in_place_of_a_file_is_unreadable(folder: Path) -> None:
    (folder / "STATUS").unlink()
    (folder / "STATUS").mkdir()
    assert code(folder) == "source-unreadable"


def test_a_huge_file_is_refused_unread(folder: Path) -> None:
    with (folder / METADATA / "rpms.json").open("ab") as file:
        file.truncate(1 << 40)
    assert code(folder) == "source-too-large"


def test_real_data_that_has_only_rpms_json_is_read(shared_data: Path) -> None:
    root = shared_data / "composes" / "CentOS-Stream-9-20220207.0-BaseOS-x86_64"
    manifest = Manifest.from_compose(read(root))
    expected = {line for line in (root / "nvrs.txt").read_text().splitlines() if line}
    assert {package.nvr for package in manifest.packages} == expected


def http_code(server: ComposeServer, *answers: Answer, limit: int = 1000) -> str:
    server.answers["/file"] = list(answers)
    with pytest.raises(InputError) as caught:
        Http(LIMITS, clock=SkippingClock()).read(f"{server.url}/file", limit)
    return ",".join(codes(caught))


def test_a_server_that_is_down_is_unreachable() -> None:
    with pytest.raises(InputError) as caught:
        Http(LIMITS, clock=SkippingClock()).read("http://127.0.0.1:9/STATUS", 10)
    assert codes(caught) == ["source-unreachable"]


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with pytest.raises(InputError) as caught:
        Http(LIMITS, clock=SkippingClock()).read("http://compose.invalid/STATUS", 10)
    assert codes(caught) == ["source-unreachable"]


def test_a_silent_server_times_out(server: ComposeServer) -> None:
    assert http_code(server, Answer(body=b"x", delay=0.5)) == "source-timeout"


def test_a_server_that_never_ends_times_out(server: ComposeServer) -> None:
    endless = Answer(body=b"x", headers={"Content-Length": "9"})
    impatient = Limits(timeout=0.2, total=0.0, tries=1)
    server.answers["/file"] = [endless]
    with pytest.raises(InputError) as caught:
        Http(impatient, clock=SkippingClock()).read(f"{server.url}/file", 10)
    assert codes(caught) == ["source-timeout"]


def test_a_server_that_answers_no_http_is_unreachable(server: ComposeServer) -> None:
    assert http_code(server, Answer(status=1000, body=b"x")) == "source-unreachable"


def test_a_server_that_hangs_up_is_unreachable() -> None:
    def hang_up(listener: socket.socket) -> None:
        for _ in range(LIMITS.tries):
            connection, _address = listener.accept()
            connection.recv(1000)
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(InputError) as caught:
            Http(LIMITS, clock=SkippingClock()).read(f"http://127.0.0.1:{listener.getsockname()[1]}/file", 10)
        thread.join()
    assert codes(caught) == ["source-unreachable"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_not_there_is_none(server: ComposeServer, status: int) -> None:
    server.answers["/file"] = [Answer(status=status, body=b"")]
    assert Http(LIMITS, clock=SkippingClock()).read(f"{server.url}/file", 10) is None


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
def test_another_status_has_a_code(server: ComposeServer, status: int) -> None:
    assert http_code(server, Answer(status=status, body=b"")) == "source-status"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(server: ComposeServer, status: int) -> None:
    server.answers["/file"] = [Answer(status=status, body=b"", headers={"Retry-After": "0"}), Answer(body=b"now")]
    assert Http(LIMITS, clock=SkippingClock()).read(f"{server.url}/file", 10) == b"now"


def test_what_does_not_pass_is_tried_once(server: ComposeServer) -> None:
    http_code(server, Answer(status=403, body=b""))
    assert server.seen == ["/file"]


def test_what_does_not_pass_soon_is_tried_a_few_times(server: ComposeServer) -> None:
    http_code(server, Answer(status=503, body=b""))
    assert server.seen == ["/file"] * LIMITS.tries


def test_a_body_that_ends_early_is_truncated(server: ComposeServer) -> None:
    assert http_code(server, Answer(body=b"x" * 500, cut=100)) == "source-truncated"


def test_a_chunked_body_that_ends_early_is_truncated(server: ComposeServer) -> None:
    answer = Answer(body=b"5\r\nabc", headers={"Transfer-Encoding": "chunked"})
    assert http_code(server, answer) == "source-truncated"


def test_an_announced_size_over_the_limit_is_too_large(server: ComposeServer) -> None:
    assert http_code(server, Answer(body=b"x" * 11), limit=10) == "source-too-large"


def test_a_body_over_the_limit_is_too_large(server: ComposeServer) -> None:
    answer = Answer(body=b"c\r\nabcdefghijkl\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
    assert http_code(server, answer, limit=10) == "source-too-large"


def test_a_packed_body_is_refused(server: ComposeServer) -> None:
    assert http_code(server, Answer(body=b"x", headers={"Content-Encoding": "gzip"})) == "source-status"


def test_a_redirect_is_followed(server: ComposeServer) -> None:
    server.answers = {"/a": [Answer(status=302, body=b"", headers={"Location": "/b"})], "/b": [Answer(body=b"here")]}
    assert Http(LIMITS, clock=SkippingClock()).read(f"{server.url}/a", 10) == b"here"


@pytest.mark.parametrize(
    "target", ["/file", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://user:secret@127.0.0.1/x", "http://[x"]
)
def test_a_bad_redirect_is_refused(server: ComposeServer, target: str) -> None:
    assert http_code(server, Answer(status=302, body=b"", headers={"Location": target})) == "source-redirect"


def test_a_redirect_without_target_is_refused(server: ComposeServer) -> None:
    assert http_code(server, Answer(status=302, body=b"")) == "source-redirect"


def test_plain_http_in_place_of_tls_is_a_tls_failure(server: ComposeServer) -> None:
    with pytest.raises(InputError) as caught:
        Http(LIMITS, clock=SkippingClock()).read(server.url.replace("http:", "https:"), 10)
    assert codes(caught) == ["source-tls"]


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("HTTP://Example.ORG:80/a//b/./c/", "http://example.org/a/b/c"),
        ("https://example.org:443", "https://example.org"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
    ],
)
def test_an_address_has_one_form(given: str, normal: str) -> None:
    assert normal_url(given) == normal


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a",
        "file:///etc/passwd",
        "http://",
        "http:///a",
        "http://example.org:x/",
        "http://example.org/a?b",
        "http://example.org/a#b",
        "http://example.org/a b",
        "http://example.org/../b",
        "http://exämple.org/",
        "http://[x/",
    ],
)
def test_a_bad_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        normal_url(url)


@pytest.mark.parametrize("url", ["https://user:hunter2@example.org/", "https://hunter2@example.org/"])
def test_credentials_in_an_address_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        normal_url(url)
    assert "hunter2" not in str(caught.value)


def row_order(value: dict[str, Any]) -> dict[str, Any]:
    """Turn the order of all keys around."""
    return {key: row_order(child) if isinstance(child, dict) else child for key, child in reversed(value.items())}


def test_the_order_of_rows_in_files_changes_packages_and_images_in_nothing(folder: Path) -> None:
    before = Manifest.from_compose(read(folder)).to_dict()
    for file in (folder / METADATA).iterdir():
        file.write_text(json.dumps(row_order(json.loads(file.read_bytes()))))
    after = Manifest.from_compose(read(folder)).to_dict()
    assert {**after, "metadata": None} == {**before, "metadata": None}
