"""The commits of a branch as git has them, whatever stands in them, and the one commit that we make ourselves."""

import datetime as dt
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from compose_repo.core.branch.commit import GONE, PLAIN, Content, Version
from compose_repo.core.names import Sha
from compose_repo.ports.git.branch import BranchMoved, commit_files, push
from compose_repo.ports.git.history import changed_since, commits_since, dates_of
from compose_repo.ports.git.objects import Blobs, GitTree, VersionTree
from compose_repo.ports.git.repository import GitError, Repository, scratch
from skipping_clock import SkippingClock

HOUR: Final = dt.timedelta(hours=1)
MORNING: Final = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)
IDENTITY: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "T"), ("EMAIL", "t@example.org"), ("DATE", "2026-01-02T03:04:05Z"))
}


def git(where: Path, *arguments: str, given: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-c", "commit.gpgSign=false", *arguments],
        cwd=where, check=True, capture_output=True, input=given, env={**os.environ, **IDENTITY},
    )  # fmt: skip
    return done.stdout.decode().strip()


def blob(where: Path, content: bytes = b"x") -> str:
    return git(where, "hash-object", "-w", "--stdin", given=content)


def commit(where: Path, rows: list[tuple[str, str, bytes]], *parents: str) -> str:
    """Make a commit of exactly these files; rows are mode, object and path, and the path may be any bytes."""
    index = where / "index"
    index.unlink(missing_ok=True)
    given = b"".join(f"{mode} {name}\t".encode() + path + b"\0" for mode, name, path in rows)
    subprocess.run(
        ["git", "update-index", "-z", "--index-info"],
        cwd=where, check=True, input=given, env={**os.environ, "GIT_INDEX_FILE": str(index)},
    )  # fmt: skip
    tree = subprocess.run(
        ["git", "write-tree"],
        cwd=where, check=True, capture_output=True, env={**os.environ, "GIT_INDEX_FILE": str(index)},
    ).stdout.decode().strip()  # fmt: skip
    return git(where, "commit-tree", tree, *(part for parent in parents for part in ("-p", parent)), "-m", "change")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    where = tmp_path / "bare"
    where.mkdir()
    git(where, "init", "--quiet", "--bare", "--initial-branch=main")
    return where


def test_each_commit_says_what_it_adds_changes_and_removes(bare: Path) -> None:
    x, y = blob(bare, b"x"), blob(bare, b"y")
    base = commit(bare, [(PLAIN, x, b"a"), (PLAIN, x, b"b")])
    one = commit(bare, [(PLAIN, y, b"a"), (PLAIN, x, b"c")], base)
    two = commit(bare, [(PLAIN, y, b"a"), (PLAIN, x, b"c")], one)
    found = commits_since(Repository(bare), base, [two])
    assert [(each.sha, each.parents) for each in found] == [(one, (base,)), (two, (one,))]
    assert [tuple(change) for change in found[0].changes] == [
        ("a", Content(PLAIN, x), Content(PLAIN, y)),
        ("b", Content(PLAIN, x), Content(GONE, "0" * 40)),
        ("c", Content(GONE, "0" * 40), Content(PLAIN, x)),
    ]
    assert found[1].changes == ()


@pytest.mark.parametrize(
    "path", [b"new\nline", b":100644 100644 x", b"commit 1234", b"\xff", "\u202etxt".encode(), b"a\\b", b" ", b'"q"']
)
def test_a_path_is_told_byte_for_byte_whatever_it_looks_like(bare: Path, path: bytes) -> None:
    x = blob(bare)
    base = commit(bare, [])
    head = commit(bare, [(PLAIN, x, path), (PLAIN, x, b"z")], base)
    (only,) = commits_since(Repository(bare), base, [head])
    assert sorted(os.fsencode(change.path) for change in only.changes) == sorted([path, b"z"])


def test_links_executables_and_submodules_keep_their_modes(bare: Path) -> None:
    x = blob(bare)
    base = commit(bare, [])
    head = commit(bare, [("120000", x, b"a"), ("100755", x, b"b"), ("160000", base, b"c")], base)
    (only,) = commits_since(Repository(bare), base, [head])
    assert [change.after.mode for change in only.changes] == ["120000", "100755", "160000"]
    assert {path: content.mode for path, content in changed_since(Repository(bare), base, head).items()} == {
        "a": "120000", "b": "100755", "c": "160000",
    }  # fmt: skip


def test_of_a_merge_only_what_differs_from_every_parent_is_told(bare: Path) -> None:
    x, y = blob(bare, b"x"), blob(bare, b"y")
    base = commit(bare, [(PLAIN, x, b"a")])
    left = commit(bare, [(PLAIN, x, b"a"), (PLAIN, x, b"left")], base)
    right = commit(bare, [(PLAIN, x, b"a"), (PLAIN, x, b"right")], base)
    rows = [(PLAIN, y, b"a"), (PLAIN, x, b"left"), (PLAIN, x, b"right"), (PLAIN, y, b"evil")]
    head = commit(bare, rows, left, right)
    *_, merge = commits_since(Repository(bare), base, [head])
    assert merge.parents == (left, right)
    assert [(change.path, change.after) for change in merge.changes] == [
        ("a", Content(PLAIN, y)),
        ("evil", Content(PLAIN, y)),
    ]
    assert set(changed_since(Repository(bare), base, head)) == {"a", "evil", "left", "right"}


def test_a_commit_without_parents_adds_all_that_it_has(bare: Path) -> None:
    x = blob(bare)
    base, orphan = commit(bare, [(PLAIN, x, b"a")]), commit(bare, [(PLAIN, x, b"b")])
    (only,) = commits_since(Repository(bare), base, [orphan])
    assert [change.path for change in only.changes] == ["b"]
    assert changed_since(Repository(bare), base, orphan) == {"b": Content(PLAIN, x)}


def test_several_heads_make_one_history(bare: Path) -> None:
    x = blob(bare)
    base = commit(bare, [])
    one, two = commit(bare, [(PLAIN, x, b"a")], base), commit(bare, [(PLAIN, x, b"b")], base)
    assert {each.sha for each in commits_since(Repository(bare), base, [one, two])} == {one, two}


@pytest.mark.parametrize(
    "setting",
    [
        "diff.renames=copies",
        "diff.ignoreSubmodules=all",
        "log.showRoot=false",
        "log.diffMerges=off",
        "diff.relative=true",
    ],
)
def test_no_setting_of_the_user_bends_what_is_read(bare: Path, setting: str) -> None:
    x = blob(bare, b"long enough to be taken for a rename\n" * 20)
    base = commit(bare, [(PLAIN, x, b"before")])
    head = commit(bare, [(PLAIN, x, b"after"), ("160000", base, b"module")], base)
    root = commit(bare, [(PLAIN, x, b"root")])
    plain = commits_since(Repository(bare), base, [head, root])
    git(bare, "config", *setting.split("="))
    assert commits_since(Repository(bare), base, [head, root]) == plain
    assert sorted(change.path for each in plain for change in each.changes) == ["after", "before", "module", "root"]


def test_history_that_is_cut_off_is_told(bare: Path, tmp_path: Path) -> None:
    base = commit(bare, [])
    head = commit(bare, [(PLAIN, blob(bare), b"a")], base)
    git(bare, "update-ref", "refs/heads/main", head)
    git(tmp_path, "clone", "--quiet", "--bare", "--depth=1", f"file://{bare}", "shallow")
    with pytest.raises(GitError, match=r"whole history.*--unshallow"):
        commits_since(Repository(tmp_path / "shallow"), head, [head])


def test_sizes_and_contents_of_objects(bare: Path) -> None:
    blobs = Blobs(Repository(bare))
    names = [blob(bare, b"x" * number) for number in range(3)]
    assert blobs.sizes([*names, names[0]]) == dict(zip(names, range(3), strict=True))
    assert blobs.sizes([]) == {}
    assert list(blobs.read_all(names)) == [b"", b"x", b"xx"]
    assert blobs.missing([*names, "e" * 40]) == {"e" * 40}
    with pytest.raises(GitError, match="no object e"):
        blobs.sizes(["e" * 40])
    with pytest.raises(GitError, match="no object e"):
        blobs.read("e" * 40)


def test_a_tree_of_versions_is_read_like_any_other(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose_repo.ports.git.objects.AT_ONCE_BYTES", 5)
    blobs = Blobs(Repository(bare))
    contents = {"a/b/1": b"one", "a/b/2": b"two", "a/c": b"three", "d": b"4"}
    versions = [Version(path=path, blob=blob(bare, content), commit=Sha("c")) for path, content in contents.items()]
    tree = VersionTree(blobs, reversed(versions), blobs.sizes(version.blob for version in versions))
    assert [(entry.path, entry.size) for entry in tree.list("")] == [("a/b/1", 3), ("a/b/2", 3), ("a/c", 5), ("d", 1)]
    assert [entry.path for entry in tree.list("a/b")] == ["a/b/1", "a/b/2"]
    assert tree.list("a/") == tree.list("a")
    assert tree.folders("") == ["a"]
    assert tree.folders("a") == ["b"]
    assert {path: tree.read(path) for path in reversed(contents)} == contents
    assert tree.read("a/b") is None


def test_a_commit_is_made_of_a_base_and_files_without_a_checkout(bare: Path) -> None:
    x, y = blob(bare, b"x"), blob(bare, b"y")
    base = commit(bare, [(PLAIN, x, b"README.md"), (PLAIN, x, b"dir/file")])
    head = commit(bare, [(PLAIN, x, b"evil")], base)
    repository = Repository(bare)
    files = [Version(path="composes/é/1.json", blob=y, commit=Sha(head))]
    made = commit_files(
        repository, base=base, parents=(head, base), files=files, message="Bring back", author="gate-bot"
    )
    assert git(bare, "log", "-1", "--format=%P %an %cn %ae %s", made) == (
        f"{head} {base} gate-bot gate-bot gate-bot@noreply.invalid Bring back"
    )
    assert {entry.path for entry in GitTree(repository, made).list("")} == {
        "README.md",
        "dir/file",
        "composes/é/1.json",
    }


def test_a_push_is_never_forced(bare: Path, tmp_path: Path) -> None:
    base = commit(bare, [])
    ours, theirs = (commit(bare, [(PLAIN, blob(bare), name)], base) for name in (b"a", b"b"))
    git(tmp_path, "clone", "--quiet", "--bare", str(bare), "server")
    url, clock = f"file://{tmp_path}/server", SkippingClock()
    repository = Repository(bare, print, clock)
    push(repository, url, Sha(base), "compose/x", token=None)
    push(repository, url, Sha(theirs), "compose/x", token=None)
    with pytest.raises(BranchMoved, match="compose/x has moved on"):
        push(repository, url, Sha(ours), "compose/x", token=None)
    assert git(tmp_path / "server", "rev-parse", "compose/x") == theirs
    with pytest.raises(GitError) as told:
        push(repository, f"file://{tmp_path}/nowhere", Sha(ours), "compose/x", token=None)
    assert not isinstance(told.value, BranchMoved)
    assert clock.slept == [0.5, 1.0, 2.0] * 2  # the push, then the question whether it has worked


def test_a_scratch_repository_borrows_objects_and_nothing_else(bare: Path) -> None:
    head = commit(bare, [])
    git(bare, "update-ref", "refs/heads/main", head)
    git(bare, "config", "user.name", "Mallory")
    with scratch(bare) as repository:
        assert repository.find(head) == head
        assert repository.find("refs/heads/main") is None
        with pytest.raises(GitError):
            repository.run("config", "--local", "user.name")
        folder = repository.path
    assert not folder.exists()


def test_a_scratch_repository_borrows_nothing_where_nothing_is_or_history_is_cut_off(
    bare: Path, tmp_path: Path
) -> None:
    head = commit(bare, [], commit(bare, []))
    git(bare, "update-ref", "refs/heads/main", head)
    git(tmp_path, "clone", "--quiet", "--bare", "--depth=1", f"file://{bare}", "shallow")
    for beside in (tmp_path, tmp_path / "shallow"):
        with scratch(beside) as repository:
            assert repository.find(head) is None


def undated(where: Path, of: str) -> Sha:
    """Make a commit over from another, without the dates that git itself would never leave out."""
    rows = git(where, "cat-file", "commit", of).split("\n")
    bare = [f"{row.rpartition('>')[0]}>" if row.startswith(("author", "committer")) else row for row in rows]
    given = "\n".join(bare).encode() + b"\n"
    return Sha(git(where, "hash-object", "-w", "-t", "commit", "--literally", "--stdin", given=given))


def test_a_commit_without_a_date_keeps_its_parents_and_its_changes(bare: Path) -> None:
    files = [(PLAIN, blob(bare), name) for name in (b"a", b"b", b"main")]
    main = Sha(commit(bare, files[2:]))
    first = undated(bare, commit(bare, [files[0], files[2]], main))
    root = undated(bare, commit(bare, [files[1]]))
    found = {one.sha: one for one in commits_since(Repository(bare), main, [commit(bare, files, first, root)])}
    assert (found[first].parents, found[first].date) == ((main,), None)
    assert (found[root].parents, found[root].date) == ((), None)
    assert [change.path for change in found[first].changes] == ["a"]


def test_a_file_is_dated_by_the_commit_that_brought_it(bare: Path) -> None:
    main = commit(bare, [(PLAIN, blob(bare), b"main")])
    first = commit(bare, [(PLAIN, blob(bare, b"1"), b"a")], main)
    second = commit(bare, [(PLAIN, blob(bare, b"2"), b"a")], first)
    brought, edited = commits_since(Repository(bare), main, [second])
    later = edited._replace(date=MORNING)
    assert dates_of([brought._replace(date=MORNING - HOUR), later])["a"] == MORNING - HOUR
    assert dates_of([brought._replace(date=None), later])["a"] == MORNING
