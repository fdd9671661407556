"""The working tree: what git would call a plain file is one, and nothing is followed."""

import os
import sys
from pathlib import Path

import pytest

from compose_repo.ports.tree import Entry, WorkingTree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("")
    (root / "a" / "b" / "one").write_bytes(b"1")
    (root / "a" / "two").write_bytes(b"22")
    (root / "a" / "run").write_bytes(b"#!")
    (root / "a" / "run").chmod(0o755)
    (root / "a" / "link").symlink_to("two")
    (root / "a" / "folder").symlink_to(outside)
    os.mkfifo(root / "a" / "pipe")
    return root


def test_every_file_is_listed_sorted_and_links_are_not_followed(root: Path) -> None:
    assert [(entry.path, entry.regular) for entry in WorkingTree(root).list("a")] == [
        ("a/b/one", True),
        ("a/folder", False),
        ("a/link", False),
        ("a/pipe", False),
        ("a/run", False),
        ("a/two", True),
    ]


def test_the_repository_itself_is_no_part_of_the_tree(root: Path) -> None:
    tree = WorkingTree(root)
    assert (tree.folders(""), [entry.path for entry in tree.list("") if entry.path.startswith(".git")]) == (["a"], [])


@pytest.mark.parametrize("folder", ["absent", "a/two", "a/folder", "..", "a/..", "a/../a", "./a", "a//b"])
def test_what_is_no_folder_of_the_tree_is_empty(root: Path, folder: str) -> None:
    tree = WorkingTree(root)
    assert (list(tree.list(folder)), list(tree.folders(folder))) == ([], [])


def test_a_plain_file_is_read(root: Path) -> None:
    assert WorkingTree(root).read("a/two") == b"22"


@pytest.mark.parametrize(
    "path", ["a/absent", "a/link", "a/run", "a/pipe", "a/b", "a/folder/secret", "../outside/secret", "a/two/x"]
)
def test_what_is_no_plain_file_is_not_read(root: Path, path: str) -> None:
    assert WorkingTree(root).read(path) is None


def test_an_empty_file_is_read(root: Path) -> None:
    (root / "empty").touch()
    assert WorkingTree(root).read("empty") == b""


def test_one_entry_is_found_without_its_folder(root: Path) -> None:
    tree = WorkingTree(root)
    assert [tree.entry(path) for path in ("a/two", "a/link", "a/b", "a/absent", "a/folder/secret")] == [
        Entry(path="a/two", size=2),
        Entry(path="a/link", size=3, regular=False),
        None,
        None,
        None,
    ]


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems hold UTF-8 only")
def test_a_name_of_any_bytes_is_listed(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/b\xff")).touch()
    assert "b\udcff" in [entry.path for entry in WorkingTree(root).list("")]


def test_folders_may_be_nested_as_deep_as_paths_are_long(tmp_path: Path) -> None:
    path = "/".join("d" * (sys.getrecursionlimit() + 100))
    (tmp_path / "a").mkdir()
    os.chdir(tmp_path / "a")
    for _ in range(path.count("d")):
        Path("d").mkdir()
        os.chdir("d")
    Path("x").write_bytes(b"1")
    os.chdir(tmp_path)
    tree = WorkingTree(tmp_path)
    assert [entry.path for entry in tree.list("a")] == [f"a/{path}/x"]
    assert WorkingTree(tmp_path).read(f"a/{path}/x") == b"1"
