"""What the local GitLab knows of a repository is what the repository holds now."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_gitlab.git import Change, GitError, Person, Repository
from local_gitlab.objects import AT_ONCE, Objects

SOMEBODY = Person(name="Somebody", email="somebody@example.org")


@pytest.fixture
def objects() -> Iterator[Objects]:
    made = Objects()
    yield made
    made.close()


@pytest.fixture
def repository(tmp_path: Path, objects: Objects) -> Repository:
    return Repository.create(tmp_path / "1.git", objects, "main")


def commit(repository: Repository, text: str, parent: str | None = None, branch: str = "main") -> str:
    change = Change(kind="update", path="file", content=text.encode())
    sha = repository.commit_changes([change], parent=parent, message=text, author=SOMEBODY, committer=SOMEBODY)
    repository.update_ref(f"refs/heads/{branch}", sha)
    return sha


def test_a_branch_that_moves_is_seen_at_once(repository: Repository) -> None:
    seen = [repository.branch("main")]
    first = commit(repository, "one")
    seen.append(repository.branch("main"))
    second = commit(repository, "two", first)
    seen.append(repository.branch("main"))
    repository.delete_ref("refs/heads/main")
    assert [*seen, repository.branch("main")] == [None, first, second, None]


def test_a_commit_leaves_no_other_ref(repository: Repository) -> None:
    commit(repository, "one")
    assert list(repository.refs("refs/")) == ["heads/main"]


def test_refs_that_were_packed_by_another_process_are_seen(repository: Repository) -> None:
    first = commit(repository, "one")
    assert repository.branch("main") == first
    subprocess.run(["git", "-C", repository.path, "pack-refs", "--all"], check=True)
    assert repository.branch("main") == first


def test_what_housekeeping_threw_away_is_not_known_any_more(repository: Repository) -> None:
    first = commit(repository, "one")
    second = commit(repository, "two", first)
    assert repository.is_ancestor(first, second)
    repository.run("repack", "-a", "-d", "--quiet")
    repository.update_ref("refs/heads/main", first)
    assert repository.commit(second)
    repository.prune()
    assert repository.commit(second) is None
    assert not repository.is_ancestor(first, second)


def test_what_is_not_there_yet_is_asked_for_again(repository: Repository, tmp_path: Path, objects: Objects) -> None:
    other = Repository.create(tmp_path / "2.git", objects, "main")
    first = commit(repository, "one")
    second = commit(repository, "two", first)
    assert not other.is_ancestor(first, second)
    assert other.merge_base(first, second) is None
    other.fetch(repository.path, second, "refs/heads/main")
    assert other.is_ancestor(first, second)
    assert other.merge_base(first, second) == first


def test_a_question_about_a_branch_is_answered_anew_each_time(repository: Repository) -> None:
    first = commit(repository, "one")
    second = commit(repository, "two", first)
    commit(repository, "other", branch="other")
    assert not repository.is_ancestor(second, "refs/heads/other")
    repository.update_ref("refs/heads/other", second)
    assert repository.is_ancestor(second, "refs/heads/other")
    repository.update_ref("refs/heads/other", first)
    assert not repository.is_ancestor(second, "refs/heads/other")


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "refs/heads/missing", "0" * 40, "x missing", "x commit 1"])
def test_what_names_nothing_is_answered_so_and_the_next_question_is_too(repository: Repository, name: str) -> None:
    first = commit(repository, "one")
    assert repository.value(name) is None
    assert repository.value("refs/heads/main") == first


def test_the_content_of_a_blob_is_read_whole(repository: Repository) -> None:
    text = "line\n" * 100_000
    first = commit(repository, text)
    entry = repository.entry(first, "file")
    assert entry
    assert repository.blob(entry.sha) == text.encode()
    assert repository.blob(entry.sha)[-5:] == b"line\n"
    with pytest.raises(GitError, match="is not a blob"):
        repository.blob(first)


def test_a_process_that_somebody_has_ended_is_started_again(repository: Repository, objects: Objects) -> None:
    first = commit(repository, "one")
    assert repository.branch("main") == first
    [reader] = objects._readers.values()
    reader._process.kill()
    reader._process.wait()
    assert repository.branch("main") == first


def test_not_more_than_so_many_processes_stay(tmp_path: Path, objects: Objects) -> None:
    for number in range(AT_ONCE + 3):
        repository = Repository.create(tmp_path / f"many-{number}.git", objects, "main")
        assert repository.branch("main") is None
    assert len(objects._readers) == AT_ONCE
    objects.close()
    assert len(objects._readers) == 0


def test_a_listing_beyond_the_memory_that_git_may_use_counts_as_very_many(repository: Repository) -> None:
    first = commit(repository, "one")
    second = commit(repository, "two", first)
    assert repository.count_changed(first, second) == 1
    assert repository.count_changed(first, "0" * 40) > 1_000_000
