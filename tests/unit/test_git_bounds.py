"""A tree that holds itself many times over is named and left alone; what lies beside it is read all the same."""

from pathlib import Path

import pytest

from attacks.objects import FOLDER, LINK, Changes, Node, Objects
from compose_repo.core.branch.commit import GONE, PLAIN, Content
from compose_repo.ports.git import history
from compose_repo.ports.git.history import changed_since, commits_since
from compose_repo.ports.git.repository import GitError, Repository

RESULTS = "composes/CentOS-Stream-10-20261120.0/results"


def bomb(objects: Objects, levels: int) -> Node:
    node = objects.node(b"x")
    for _ in range(levels):
        node = Node(FOLDER, objects.tree(dict.fromkeys((b"%d" % number for number in range(10)), node)))
    return node


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "bare.git", tmp_path / "bare.git")


def commit(objects: Objects, changes: Changes, *parents: str) -> str:
    return objects.commit(objects.changed(objects.tree_of(parents[0]) if parents else None, changes), *parents)


def test_ten_million_paths_are_one_change(objects: Objects) -> None:
    base = commit(objects, {"a": b"a", f"{RESULTS}/idm/a1.json": b"{}"})
    hidden: Changes = {"bomb": bomb(objects, 7), f"{RESULTS}/rdo/b1.json": b"b", f"{RESULTS}/idm": Node(LINK, "1" * 40)}
    head = commit(objects, hidden, base)
    last = commit(objects, {f"{RESULTS}/rdo/b2.json": b"c"}, head)
    repository = Repository(objects.path)
    first, second = commits_since(repository, base, [last])
    assert {change.path: (change.before.mode, change.after.mode) for change in first.changes} == {
        "bomb": (GONE, FOLDER.zfill(6)),
        f"{RESULTS}/rdo/b1.json": (GONE, PLAIN),
        f"{RESULTS}/idm": (GONE, LINK),
        f"{RESULTS}/idm/a1.json": (PLAIN, GONE),
    }
    assert [change.path for change in second.changes] == [f"{RESULTS}/rdo/b2.json"]
    assert changed_since(repository, base, last)["bomb"].mode == FOLDER.zfill(6)


def test_a_bomb_where_results_lie_is_looked_into_so_far_and_no_further(objects: Objects) -> None:
    base = commit(objects, {"a": b"a"})
    head = commit(objects, {"composes": bomb(objects, 7)}, base)
    (only,) = commits_since(Repository(objects.path), base, [head])
    assert all(change.after.mode == FOLDER.zfill(6) for change in only.changes)
    assert len(only.changes) < 3_000


def test_a_merge_changes_what_differs_from_every_parent(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LOG_BYTES", 10)
    base = commit(objects, {"a": b"a"})
    left, right = (commit(objects, {name: b"x"}, base) for name in ("left", "right"))
    merge = objects.commit(objects.changed(None, {"a": b"a", "left": b"x", "right": b"x", "evil": b"x"}), left, right)
    *_, found = commits_since(Repository(objects.path), base, [merge])
    assert [change.path for change in found.changes] == ["evil"]
    root = commit(objects, {"composes": b"no folder"})
    (only,) = commits_since(Repository(objects.path), base, [root])
    assert [change.before for change in only.changes] == [Content(GONE, "0" * 40)]


def test_a_command_that_fails_says_why(objects: Objects) -> None:
    with pytest.raises(GitError, match="no-such-thing"):
        Repository(objects.path).run_at_most(10, "log", "no-such-thing", "--")
