"""A few files in hand are a tree like any other."""

from typing import Final

from compose_repo.ports.tree import Entry, GivenTree

TREE: Final = GivenTree({"a/c/d/e.json": b"12", "a/b/x": b"", "a/f": b"1", "ab/g": b""})


def test_its_files_are_listed_by_their_paths() -> None:
    assert [entry.path for entry in TREE.list("")] == ["a/b/x", "a/c/d/e.json", "a/f", "ab/g"]
    assert TREE.list("a/c") == [Entry(path="a/c/d/e.json", size=2)]


def test_its_folders_are_those_of_its_files() -> None:
    assert TREE.folders("a") == ["b", "c"]
    assert TREE.folders("a/b") == []


def test_what_is_not_there_is_none() -> None:
    assert (TREE.read("a/f"), TREE.read("a"), TREE.read("z")) == (b"1", None, None)
