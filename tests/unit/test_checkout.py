"""A checkout: of what nobody has changed, git's bytes count, whatever it makes of them in the working tree."""

from collections.abc import Callable
from pathlib import Path

import pytest
from test_git_port import commit, git

from compose_repo.ports.console import Console
from compose_repo.ports.git.checkout import Checkout
from compose_repo.ports.git.repository import Repository
from compose_repo.ports.tree import WorkingTree
from compose_repo.reading.checkout import files_of

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = "composes/C-1/manifest.json"
OTHER = "composes/C-1/results/rdo/1.json"
Files = dict[str, bytes]
MakeClone = Callable[..., Path]


@pytest.fixture
def make_clone(tmp_path: Path) -> MakeClone:
    """Give a clone of some files, made with some configuration."""

    def clone(*settings: str, files: Files | None = None, object_format: str = "sha1") -> Path:
        work = tmp_path / "work"
        work.mkdir()
        git(work, "init", "--quiet", "--initial-branch=main", f"--object-format={object_format}")
        commit(work, {MANIFEST: b"{\n}\n", OTHER: b"[\n]\n", **(files or {})})
        options = [option for setting in settings for option in ("-c", setting)]
        git(tmp_path, "clone", "--quiet", *options, str(work), "clone")
        return tmp_path / "clone"

    return clone


@pytest.fixture
def said() -> list[str]:
    return []


def checkout(where: Path, said: list[str]) -> Checkout:
    return Checkout(Repository(where), said.append)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_line_ends_that_git_converts_are_those_of_git(
    make_clone: MakeClone, said: list[str], object_format: str
) -> None:
    where = make_clone("core.autocrlf=true", object_format=object_format)
    tree = checkout(where, said)
    assert (where / MANIFEST).read_bytes() == b"{\r\n}\r\n"
    assert [tree.read(MANIFEST), tree.read(OTHER)] == [b"{\n}\n", b"[\n]\n"]


def test_a_checkout_that_is_converted_is_named_once(make_clone: MakeClone, said: list[str]) -> None:
    tree = checkout(make_clone("core.autocrlf=true"), said)
    tree.read(MANIFEST)
    tree.read(OTHER)
    (line,) = said
    assert line == (
        "note: git converts the line ends (core.autocrlf or core.eol) of files of this checkout, such as "
        "composes/C-1/manifest.json; what git stores is what counts, so that is read; to have the same bytes here, "
        "clone anew with -c core.autocrlf=false"
    )


def test_what_a_filter_makes_of_a_file_does_not_count(make_clone: MakeClone, said: list[str]) -> None:
    filters = ("filter.rot.smudge=tr a-z b-za", "filter.rot.clean=tr b-za a-z")
    files = {".gitattributes": b"*.json filter=rot\n", MANIFEST: b'{"a": 1}\n'}
    where = make_clone(*filters, files=files)
    assert (where / MANIFEST).read_bytes() == b'{"b": 1}\n'
    assert checkout(where, said).read(MANIFEST) == b'{"a": 1}\n'
    assert "converts the content (a filter) of files of this checkout" in said[0]


def test_nothing_is_said_where_nothing_is_converted(make_clone: MakeClone, said: list[str]) -> None:
    assert checkout(make_clone(), said).read(MANIFEST) == b"{\n}\n"
    assert said == []


def test_the_templates_attributes_keep_git_from_converting(make_clone: MakeClone) -> None:
    settings = ("core.autocrlf=true", "core.eol=crlf", "filter.rot.smudge=tr a-z b-za")
    where = make_clone(*settings, files={".gitattributes": (ROOT / ".gitattributes").read_bytes()})
    assert (where / MANIFEST).read_bytes() == b"{\n}\n"


@pytest.mark.parametrize("setting", ["core.autocrlf=true", "core.autocrlf=false"])
def test_a_file_that_was_changed_is_read_as_it_lies(make_clone: MakeClone, said: list[str], setting: str) -> None:
    where = make_clone(setting)
    (where / OTHER).write_bytes(b"[1]\r\n")
    assert (checkout(where, said).read(OTHER), said) == (b"[1]\r\n", [])


def test_a_file_that_git_does_not_track_is_read_as_it_lies(make_clone: MakeClone, said: list[str]) -> None:
    where = make_clone("core.autocrlf=true")
    new = "composes/C-1/results/rdo/2.json"
    (where / new).write_bytes(b"{}\r\n")
    assert (checkout(where, said).read(new), said) == (b"{}\r\n", [])


def test_a_file_that_is_gone_is_not_there(make_clone: MakeClone, said: list[str]) -> None:
    where = make_clone()
    (where / MANIFEST).unlink()
    tree = checkout(where, said)
    assert (tree.read(MANIFEST), tree.entry(MANIFEST)) == (None, None)


def test_a_file_whose_merging_is_undecided_is_read_as_it_lies(make_clone: MakeClone, said: list[str]) -> None:
    where = make_clone()
    git(where, "checkout", "-q", "-b", "other")
    commit(where, {OTHER: b"theirs\n"})
    git(where, "checkout", "-q", "main")
    commit(where, {OTHER: b"ours\n"})
    with pytest.raises(Exception, match="merge"):
        git(where, "merge", "-q", "other")
    assert b"<<<<<<<" in (checkout(where, said).read(OTHER) or b"")


def test_a_root_below_the_repositorys_own_is_read_alike(make_clone: MakeClone, said: list[str]) -> None:
    where = make_clone("core.autocrlf=true", files={f"within/{MANIFEST}": b"0\n"})
    assert checkout(where / "within", said).read(MANIFEST) == b"0\n"


def test_a_link_that_the_file_system_cannot_hold_is_not_a_plain_file(make_clone: MakeClone, said: list[str]) -> None:
    where = make_clone("core.symlinks=false")
    (where / OTHER).unlink()
    (where / OTHER).symlink_to("2.json")
    git(where, "config", "core.symlinks", "true")
    commit(where, {})
    (where / OTHER).unlink()
    git(where, "config", "core.symlinks", "false")
    git(where, "checkout", "-q", "--", OTHER)
    tree = checkout(where, said)
    assert (where / OTHER).is_file()
    assert [entry.regular for entry in tree.list("composes")] == [True, False]
    assert [entry.regular for entry in (tree.entry(OTHER),) if entry] == [False]


@pytest.mark.parametrize("counts", ["true", "false"])
def test_who_may_run_a_file_matters_only_where_git_looks_at_it(
    make_clone: MakeClone, said: list[str], counts: str
) -> None:
    where = make_clone()
    git(where, "config", "core.fileMode", counts)
    (where / MANIFEST).chmod(0o755)
    tree = checkout(where, said)
    found = [entry.regular for entry in (tree.entry(MANIFEST),) if entry], tree.read(MANIFEST)
    assert found == {"true": ([False], None), "false": ([True], b"{\n}\n")}[counts]


def test_a_repository_that_git_does_not_read_is_named_and_its_files_are_read(
    make_clone: MakeClone, said: list[str]
) -> None:
    where = make_clone()
    (where / ".git/index").write_bytes(b"garbage")
    assert [checkout(where, said).read(path) for path in (MANIFEST, OTHER)] == [b"{\n}\n", b"[\n]\n"]
    assert [line.partition(": `")[0] for line in said] == [
        "note: files are read as they lie here, since git does not say what it stores"
    ] * 2


def test_a_copy_of_the_files_is_read_without_git(tmp_path: Path) -> None:
    assert type(files_of(tmp_path, Console())) is WorkingTree


def test_a_folder_of_a_checkout_is_read_with_git(make_clone: MakeClone) -> None:
    assert type(files_of(make_clone() / "composes", Console())) is Checkout
