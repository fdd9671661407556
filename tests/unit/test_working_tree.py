"""The working tree: what git would call a plain file is one, and nothing is followed."""

import contextlib
import os
import sys
from collections.abc import Iterator
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


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """Give a root with more folders inside one another than Python's stack is deep."""
    root, depth = tmp_path / "deep", sys.getrecursionlimit() + 100
    root.mkdir()
    with contextlib.chdir(root):
        for _ in range(depth):
            Path("d").mkdir()
            os.chdir("d")
        Path("x").write_bytes(b"1")
        yield root
        Path("x").unlink()
        for _ in range(depth):
            os.chdir("..")
            Path("d").rmdir()


def test_folders_may_be_nested_deeper_than_the_stack(deep: Path) -> None:
    (entry,) = WorkingTree(deep).list("d")
    assert entry.path.endswith("/d/x")


def test_a_file_is_read_however_deep_it_lies(deep: Path) -> None:
    path = f"{'d/' * (sys.getrecursionlimit() + 100)}x"
    assert WorkingTree(deep).read(path) == b"1"
