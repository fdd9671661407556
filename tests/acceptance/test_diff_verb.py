"""`compose-repo diff` as people run it: a process, two composes, one of three formats."""

import functools
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import door
from compose_repo.core.manifests.manifest import Manifest

ROOT = Path(__file__).resolve().parents[2]
OLD = "CentOS-Stream-10-20261120.0"
NEW = "CentOS-Stream-10-20261121.1"
TREES = ["aarch64", "x86_64"]

Run = Callable[..., door.Done]


def manifest(compose_id: str, packages: list[dict[str, Any]], **other: list[dict[str, Any]]) -> bytes:
    stream, _, stamp = compose_id.rpartition("-")
    date, _, respin = stamp.partition(".")
    data = {
        "schema": "manifest/1",
        "compose": {
            "id": compose_id,
            "date": f"{date[:4]}-{date[4:6]}-{date[6:]}",
            "type": "production",
            "respin": int(respin),
            "label": None,
            "status": "FINISHED",
        },
        "release": {"short": "CentOS-Stream", "version": stream.rpartition("-")[2], "name": "CentOS Stream"},
        "location": f"https://composes.example.org/{compose_id}",
        "variants": {"AppStream": TREES, "BaseOS": TREES},
        "metadata": {"composeinfo.json": None, "images.json": "0" * 64, "modules.json": None, "rpms.json": "0" * 64},
        "images": [],
        "packages": packages,
        **other,
    }
    return Manifest.from_dict(data).to_bytes()


def package(nvr: str, *names: str, variant: str = "BaseOS", arches: list[str] = TREES, **other: int) -> dict[str, Any]:
    return {"nvr": nvr, **other, "rpms": [{"variant": variant, "arches": arches, "names": list(names)}]}


def image(name: str) -> dict[str, Any]:
    return {
        "variant": "BaseOS",
        "arch": "x86_64",
        "path": f"BaseOS/x86_64/iso/{name}",
        "type": "boot",
        "format": "iso",
        "subvariant": "BaseOS",
        "size": 1,
        "sha256": "0" * 64,
    }


BEFORE = manifest(
    OLD,
    [
        package("bash-5.2-5.el10", "bash", "bash-doc"),
        package("curl-8.9-1.el10", "curl", "libcurl"),
        package("glibc-2.39-1.el10", "glibc"),
        package("java-17-1.el10", "java"),
        package("ruby-3.3-1.el10", "ruby"),
        package("tar-1.35-1.el10", "tar"),
        package("vim-9.1-1.el10", "vim"),
    ],
    images=[image(f"{OLD}-boot.iso"), image(f"{OLD}-dvd1.iso")],
)
AFTER = manifest(
    NEW,
    [
        package("bash-5.2-4.el10", "bash", "bash-doc"),
        package("curl-8.10~rc1-1.el10", "curl", "curl-full", unsigned=4),
        package("glibc-2.39-1.el10", "glibc", arches=["x86_64"]),
        package("java-1.8-1.el10", "java", epoch=1),
        package("rust-1.82-1.el10", "rust"),
        package("tar-1.35-1.el10", "tar", variant="AppStream"),
        package("vim-9.1-1.el10", "vim"),
    ],
    images=[image(f"{NEW}-boot.iso")],
)

TEXT = """\
OLD: CentOS-Stream-10-20261120.0 (FINISHED)
NEW: CentOS-Stream-10-20261121.1 (FINISHED)

===== SUMMARY =====
        1 downgraded package
        4 unsigned RPMs (4 newly)
        1 change of a package's arches
        1 move between variants
        1 removed package
        1 added package
        2 upgraded packages
        2 lost sub-packages
        2 gained sub-packages
        1 dropped image
        3 packages unchanged

===== DOWNGRADED PACKAGES (1) =====
bash 5.2-5.el10 → 5.2-4.el10

===== PACKAGES WITH UNSIGNED RPMS (1) =====
curl 8.10~rc1-1.el10: 4 unsigned RPMs, none before

===== ARCHES OF PACKAGES (1) =====
glibc lost aarch64

===== PACKAGES IN OTHER VARIANTS (1) =====
tar BaseOS → AppStream

===== DROPPED IMAGES (1) =====
BaseOS/x86_64/iso/CentOS-Stream-10-dvd1.iso boot (BaseOS, x86_64)

===== REMOVED PACKAGES (1) =====
ruby 3.3-1.el10 (BaseOS): ruby

===== SUB-PACKAGES GAINED OR LOST (1) =====
curl lost libcurl; gained curl-full

===== ADDED PACKAGES (1) =====
rust 1.82-1.el10 (BaseOS): rust

===== UPGRADED PACKAGES (2) =====
curl 8.9-1.el10 → 8.10~rc1-1.el10
java 17-1.el10 → 1:1.8-1.el10
"""

MARKDOWN = """\
`CentOS-Stream-10-20261120.0` (FINISHED) to `CentOS-Stream-10-20261121.1` (FINISHED): \
1 downgraded package, 4 unsigned RPMs (4 newly), 1 change of a package's arches, 1 move between variants, \
1 removed package, 1 added package, 2 upgraded packages, 2 lost sub-packages, 2 gained sub-packages, \
1 dropped image; 3 packages unchanged.

- **Downgraded packages:** `bash` 5.2-5.el10 → 5.2-4.el10
- **Packages with unsigned RPMs:** `curl` 8.10\\~rc1-1.el10: 4 unsigned RPMs, none before
- **Arches of packages:** `glibc` lost aarch64
- **Packages in other variants:** `tar` BaseOS → AppStream
- **Dropped images:** `BaseOS/x86_64/iso/CentOS-Stream-10-dvd1.iso` boot (BaseOS, x86_64)
- **Removed packages:** `ruby` 3.3-1.el10 (BaseOS): ruby

<details><summary>Sub-packages gained or lost (1)</summary>

- `curl` lost libcurl; gained curl-full

</details>

<details><summary>Added packages (1)</summary>

- `rust` 1.82-1.el10 (BaseOS): rust

</details>

<details><summary>Upgraded packages (2)</summary>

- `curl` 8.9-1.el10 → 8.10\\~rc1-1.el10
- `java` 17-1.el10 → 1:1.8-1.el10

</details>
"""

JSON = {
    "schema": "changes/1",
    "old": {"compose_id": OLD, "status": "FINISHED"},
    "new": {"compose_id": NEW, "status": "FINISHED"},
    "warnings": [],
    "summary": {
        "downgraded": 1,
        "newly_unsigned": 4,
        "unsigned": 4,
        "arches_changed": 1,
        "moved": 1,
        "removed": 1,
        "added": 1,
        "upgraded": 2,
        "unchanged": 3,
        "subpackages_lost": 2,
        "subpackages_gained": 2,
        "images_dropped": 1,
        "images_added": 0,
        "images_rebuilt": 0,
    },
    "downgraded": [{"name": "bash", "old": "5.2-5.el10", "new": "5.2-4.el10"}],
    "unsigned": [{"name": "curl", "evr": "8.10~rc1-1.el10", "rpms": 4, "newly": True}],
    "compose": {
        "variants": {"gained": [], "lost": []},
        "arches": {"gained": [], "lost": []},
        "trees": {"gained": [], "lost": []},
        "subpackages": {"gained": ["curl-full", "rust"], "lost": ["libcurl", "ruby"]},
    },
    "arches": [{"package": "glibc", "subpackages": [], "gained": [], "lost": ["aarch64"]}],
    "moved": [{"package": "tar", "subpackages": [], "old": ["BaseOS"], "new": ["AppStream"]}],
    "subpackages": [{"package": "curl", "gained": ["curl-full"], "lost": ["libcurl"]}],
    "removed": [{"name": "ruby", "evr": "3.3-1.el10", "variants": ["BaseOS"], "subpackages": ["ruby"]}],
    "added": [{"name": "rust", "evr": "1.82-1.el10", "variants": ["BaseOS"], "subpackages": ["rust"]}],
    "upgraded": [
        {"name": "curl", "old": "8.9-1.el10", "new": "8.10~rc1-1.el10"},
        {"name": "java", "old": "17-1.el10", "new": "1:1.8-1.el10"},
    ],
    "images": {
        "dropped": [
            {
                "variant": "BaseOS",
                "arch": "x86_64",
                "path": "BaseOS/x86_64/iso/CentOS-Stream-10-dvd1.iso",
                "type": "boot",
            }
        ],
        "added": [],
        "rebuilt": 0,
    },
}


@pytest.fixture
def diff(tmp_path: Path) -> Run:
    for compose_id, data in ((OLD, BEFORE), (NEW, AFTER)):
        folder = tmp_path / "composes" / compose_id
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(data)

    def run(*arguments: str, through: Run = door.run) -> door.Done:
        return through("diff", *arguments, cwd=tmp_path)

    return run


def outcome(done: door.Done) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


@pytest.mark.smoke
def test_two_composes_of_the_repository_are_compared_as_text(diff: Run) -> None:
    assert outcome(diff(OLD, NEW, through=door.start)) == (0, TEXT, "")


def test_two_composes_are_compared_as_markdown(diff: Run) -> None:
    assert outcome(diff(OLD, NEW, "--format", "markdown")) == (0, MARKDOWN, "")


def test_two_composes_are_compared_as_json(diff: Run) -> None:
    done = diff(OLD, NEW, "--format", "json")
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, JSON, "")


def test_the_json_satisfies_its_schema() -> None:
    schema = json.loads((ROOT / "schemas" / "changes.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(JSON)


def test_a_compose_compared_with_itself_exits_0_too(diff: Run) -> None:
    assert outcome(diff(OLD, OLD)) == (
        0,
        f"OLD: {OLD} (FINISHED)\nNEW: {OLD} (FINISHED)\n\n===== SUMMARY =====\n        7 packages unchanged\n",
        "",
    )


def test_the_help_says_that_changes_are_no_problem(diff: Run) -> None:
    assert "The exit code is 0, whether or not anything changed" in " ".join(diff("-h").stdout.split())


def test_an_older_compose_in_place_of_the_new_one_is_warned_of(diff: Run) -> None:
    assert diff(NEW, OLD).stdout.splitlines()[2] == (
        f"WARNING: {NEW} is newer than {OLD}: what reads as a downgrade may be an upgrade"
    )


def test_a_manifest_and_the_folder_it_lies_in_are_the_same(diff: Run) -> None:
    assert outcome(diff(f"composes/{OLD}/manifest.json", f"composes/{NEW}")) == (0, TEXT, "")


def compose_root(folder: Path, compose_id: str, version: str) -> Path:
    """Write what a server shows of a compose of one package."""
    rpm = {"path": "p", "sigkey": "8483c65d", "category": "binary"}
    rows = {f"bash-0:{version}.src": {f"bash-0:{version}.x86_64": rpm}}
    payload = {
        "compose": {"id": compose_id, "type": "production", "date": "20261120", "respin": 0},
        "rpms": {"BaseOS": {"x86_64": rows}},
    }
    metadata = folder / "compose" / "metadata"
    metadata.mkdir(parents=True)
    (folder / "COMPOSE_ID").write_text(compose_id)
    (folder / "STATUS").write_text("FINISHED\n")
    (metadata / "rpms.json").write_text(
        json.dumps({"header": {"type": "productmd.rpms", "version": "1.2"}, "payload": payload})
    )
    return folder


def test_a_compose_root_on_a_disk_is_compared_with_one_on_a_server(diff: Run, tmp_path: Path) -> None:
    old = compose_root(tmp_path / "old", OLD, "5.2-1.el10")
    new = compose_root(tmp_path / "new", OLD, "5.3-1.el10")
    with served(new.parent) as url:
        done = diff(str(old), f"{url}/new")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "bash 5.2-1.el10 → 5.3-1.el10")


def test_what_is_no_compose_root_is_a_problem_of_the_input(diff: Run, tmp_path: Path) -> None:
    assert (diff(str(tmp_path), NEW).returncode, diff(str(tmp_path), NEW).stderr.split(": ")[1]) == (1, "not-a-compose")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        pass


def test_a_repository_elsewhere_is_named_with_repo(diff: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "composes").rename(elsewhere / "composes")
    assert outcome(diff(OLD, NEW, "--repo", "elsewhere")) == (0, TEXT, "")


def test_long_lists_are_cut_with_a_count_unless_all_is_asked_for(diff: Run, tmp_path: Path) -> None:
    for name, release in (("old", 1), ("new", 2)):
        packages = [package(f"package{number:02}-1-{release}", f"package{number:02}") for number in range(27)]
        (tmp_path / f"{name}.json").write_bytes(manifest(OLD, packages))
    short = diff("old.json", "new.json").stdout.splitlines()
    everything = diff("old.json", "new.json", "--all").stdout.splitlines()
    assert (short[-2:], everything[-1]) == (
        ["package24 1-1 → 1-2", "and 2 more; --all shows them"],
        "package26 1-1 → 1-2",
    )


def test_headings_are_coloured_where_colours_are_wanted(diff: Run) -> None:
    assert "\x1b[31m===== DOWNGRADED PACKAGES (1) =====\x1b[0m\n" in diff(OLD, NEW, "--color", "always").stdout


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "nope",
            (
                "'nope' is not a file, directory, URL or compose id: "
                "'nope' is not <short>-<version>-<YYYYMMDD>[.<type>].<respin>"
            ),
        ),
        (
            "CentOS-Stream-10-20261122.0",
            (
                "CentOS-Stream-10-20261122.0 is not a file or directory here, and "
                "composes/CentOS-Stream-10-20261122.0/manifest.json does not exist"
            ),
        ),
    ],
)
def test_what_is_no_compose_is_a_usage_error(diff: Run, source: str, message: str) -> None:
    assert outcome(diff(OLD, source)) == (2, "", f"compose-repo diff: {message}\n")


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", "-C", folder, *settings, *arguments], check=True, capture_output=True)  # git of this machine


@pytest.fixture
def clone(diff: Run, tmp_path: Path) -> Path:
    """Give a clone in which the old compose is merged and the new one open, with an edit that counts nowhere."""
    assert diff is not None
    (tmp_path / "composes" / NEW).rename(tmp_path / "new")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "composes")
    git(tmp_path, "commit", "--quiet", "--message", "Merge the old one")
    git(tmp_path, "switch", "--quiet", "--create", f"compose/{NEW}")
    (tmp_path / "new").rename(tmp_path / "composes" / NEW)
    git(tmp_path, "add", "composes")
    git(tmp_path, "commit", "--quiet", "--message", "Open the new one")
    (tmp_path / "composes" / NEW / "manifest.json").write_text("{}")
    git(tmp_path, "commit", "--quiet", "--all", "--message", "Spoil it")
    git(tmp_path, "switch", "--quiet", "main")
    git(tmp_path, "clone", "--quiet", str(tmp_path), str(tmp_path / "clone"))
    return tmp_path / "clone"


def test_a_compose_that_is_open_is_compared_as_it_was_opened(clone: Path) -> None:
    assert outcome(door.run("diff", OLD, NEW, cwd=clone)) == (0, TEXT, "")


def test_a_compose_that_main_has_needs_no_checkout_of_main(clone: Path) -> None:
    git(clone, "rm", "--quiet", "-r", "composes")
    assert outcome(door.run("diff", OLD, NEW, cwd=clone)) == (0, TEXT, "")


def test_a_compose_that_the_clone_does_not_have_is_a_usage_error(clone: Path) -> None:
    done = door.run("diff", OLD, "CentOS-Stream-10-20261122.0", cwd=clone)
    assert (done.returncode, "CentOS-Stream-10-20261122.0 was not found: there is no" in done.stderr) == (2, True)


def test_a_compose_that_was_opened_with_a_broken_manifest_is_told(clone: Path) -> None:
    git(clone, "switch", "--quiet", "--create", "compose/CentOS-Stream-10-20261122.0")
    (clone / "composes" / "CentOS-Stream-10-20261122.0").mkdir(parents=True)
    (clone / "composes" / "CentOS-Stream-10-20261122.0" / "manifest.json").write_text("{}")
    git(clone, "add", "composes")
    git(clone, "commit", "--quiet", "--message", "Open a broken one")
    git(clone, "switch", "--quiet", "main")
    done = door.run("diff", OLD, "CentOS-Stream-10-20261122.0", cwd=clone)
    assert (done.returncode, "missing-field" in done.stderr) == (1, True)


def test_what_a_schema_refuses_is_told_with_its_place(diff: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(BEFORE.replace(b'"status":"FINISHED"', b'"status":"STARTED"'))
    assert outcome(diff("bad.json", NEW)) == (
        1,
        "",
        (
            'bad.json:3: wrong-value: /compose/status: "STARTED" is not known here; '
            "use one of: FINISHED, FINISHED_INCOMPLETE\n"
        ),
    )


def test_what_is_no_json_is_told_with_its_place(diff: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"{\n")
    done = diff("bad.json", NEW)
    assert (done.returncode, done.stdout, done.stderr.partition(": ")[0]) == (1, "", "bad.json:2")


def test_an_id_without_a_calendar_date_is_told_with_its_place(diff: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(BEFORE.replace(OLD.encode(), b"CentOS-Stream-10-20260230.0"))
    assert outcome(diff("bad.json", NEW)) == (
        1,
        "",
        (
            "bad.json:3: bad-compose-id: /compose/id: 'CentOS-Stream-10-20260230.0' has no calendar date: 20260230; "
            "make the manifest again: compose-repo manifest SOURCE\n"
        ),
    )


def test_a_manifest_that_is_too_large_is_not_read(diff: Run, tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(4 * 1024 * 1024 + 1)
    assert diff("large.json", NEW).stderr.startswith("large.json:1: file-too-large: ")
