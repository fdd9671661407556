"""Where a clone has what, and what the dates of its commits say."""

import datetime as dt
import os
import subprocess
from pathlib import Path

import pytest

from compose_repo.core.names import Sha
from compose_repo.ports.git.dates import brought_by_merge, first_with, heads_by, newest_by, since
from compose_repo.ports.git.refs import Ref, branches_of, commits_ahead, is_repository, main_of
from compose_repo.ports.git.repository import GitError, Repository


class Work:
    """A repository whose commits are dated by the hour."""

    def __init__(self, path: Path) -> None:
        self.repository = Repository(path)
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, seconds: int = 0) -> str:
        dates = {f"GIT_{role}_DATE": f"@{seconds} +0000" for role in ("AUTHOR", "COMMITTER")}
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgSign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.repository.path, check=True, capture_output=True, env={**os.environ, **dates},
        )  # fmt: skip
        return done.stdout.decode().strip()

    def commit(self, hour: int, path: str | None = None) -> Sha:
        if path is not None:
            (self.repository.path / path).write_text("x")
            self.git("add", path)
        self.git("commit", "--quiet", "--allow-empty", "--message", f"at {hour}", seconds=hour * 3600)
        return Sha(self.git("rev-parse", "HEAD"))

    def merge(self, hour: int, other: str) -> Sha:
        self.git("merge", "--quiet", "--no-ff", "--message", "x", other, seconds=hour * 3600)
        return Sha(self.git("rev-parse", "HEAD"))


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


def at(hour: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour)


def test_a_folder_without_git_is_told_apart_from_a_git_that_does_not_answer(tmp_path: Path, work: Work) -> None:
    assert [is_repository(Repository(path)) for path in (work.repository.path, tmp_path)] == [True, False]
    with pytest.raises(GitError, match="No such file or directory"):
        is_repository(Repository(tmp_path / "nowhere"))


def test_an_empty_repository_has_no_main_and_no_branch(work: Work) -> None:
    assert (main_of(work.repository), branches_of(work.repository, "compose/x")) == (None, [])


def test_the_remotes_main_comes_before_the_clones_own(work: Work) -> None:
    theirs = work.commit(1)
    mine = work.commit(2)
    assert main_of(work.repository) == Ref(ref="refs/heads/main", commit=mine)
    work.git("update-ref", "refs/remotes/origin/main", theirs)
    assert main_of(work.repository) == Ref(ref="refs/remotes/origin/main", commit=theirs)


@pytest.mark.parametrize("target", ["refs/heads/devel", "refs/remotes/fork/devel"])
def test_a_default_branch_that_is_not_the_remotes_is_none(work: Work, target: str) -> None:
    mine = work.commit(1)
    work.git("update-ref", target, work.commit(2))
    work.git("reset", "--quiet", "--hard", mine)
    work.git("symbolic-ref", "refs/remotes/origin/HEAD", target)
    assert main_of(work.repository) == Ref(ref="refs/heads/main", commit=mine)


def test_a_default_branch_that_is_gone_is_none(work: Work) -> None:
    mine = work.commit(1)
    work.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    assert main_of(work.repository) == Ref(ref="refs/heads/main", commit=mine)


def test_a_branch_below_the_name_of_another_is_another(work: Work) -> None:
    work.commit(1)
    work.git("branch", "compose/x/y")
    assert branches_of(work.repository, "compose/x") == []


def test_commits_that_another_branch_has_not_are_counted(work: Work) -> None:
    old = Ref(ref="refs/heads/old", commit=work.commit(1))
    work.commit(2)
    new = Ref(ref="refs/heads/new", commit=work.commit(3))
    assert (commits_ahead(work.repository, new, old), commits_ahead(work.repository, old, new)) == (2, 0)


def test_main_as_of_a_time_is_its_newest_commit_by_then_and_none_that_was_merged_to_it(work: Work) -> None:
    first = work.commit(1)
    work.git("checkout", "--quiet", "-b", "side")
    work.commit(3)
    work.git("checkout", "--quiet", "main")
    second = work.commit(2)
    merged = work.merge(5, "side")
    found = [newest_by(work.repository, merged, at(hour)) for hour in (0, 1, 2, 3, 4, 5, 6)]
    assert found == [None, first, second, second, second, merged, merged]


def test_a_second_before_it_is_too_early(work: Work) -> None:
    head = work.commit(1)
    second = dt.timedelta(seconds=1)
    moments = (at(1) - second / 1000, at(1), at(1) + second / 1000)
    assert [newest_by(work.repository, head, moment) for moment in moments] == [None, head, head]
    later = work.commit(1)
    assert [heads_by(since(work.repository, head, later), moment) for moment in moments] == [[], [later], [later]]


def test_a_commit_is_dated_no_earlier_than_those_below_it(work: Work) -> None:
    base = work.commit(9)
    one, two, three = work.commit(4), work.commit(2), work.commit(5)
    found = since(work.repository, base, three)
    assert [(commit.sha, commit.at // 3600) for commit in found] == [(one, 4), (two, 4), (three, 5)]


def test_what_can_have_been_there_may_have_several_heads(work: Work) -> None:
    base = work.commit(1)
    left = work.commit(2)
    work.git("checkout", "--quiet", "-b", "side", base)
    right = work.commit(3)
    merged = work.merge(6, "main")
    after = work.commit(5)
    commits = since(work.repository, base, after)
    found = [set(heads_by(commits, at(hour))) for hour in (1, 2, 3, 5, 6)]
    assert found == [set(), {left}, {left, right}, {left, right}, {after}]
    assert merged not in found[3]


def test_the_first_commit_with_a_path_is_the_first_by_descent(work: Work) -> None:
    base = work.commit(5)
    first = work.commit(4, path="manifest")
    work.git("rm", "--quiet", "manifest")
    work.commit(3)
    head = work.commit(2, path="manifest")
    assert first_with(work.repository, "manifest", base, [head]) == first
    assert first_with(work.repository, "manifest", head, [head]) is None


def test_what_a_merge_has_brought_to_main_is_found(work: Work) -> None:
    base = work.commit(1)
    work.git("checkout", "--quiet", "-b", "side")
    side = work.commit(2, path="manifest")
    work.git("checkout", "--quiet", "main")
    work.merge(3, "side")
    head = work.commit(4, path="else")
    assert brought_by_merge(work.repository, "manifest", head, after=base) == side
    assert brought_by_merge(work.repository, "else", head, after=base) is None
    assert brought_by_merge(work.repository, "nothing", head, after=base) is None


@pytest.mark.parametrize("odd", ["a\u2028b", "a\u0085b"])
def test_a_name_with_an_odd_line_end_below_a_ref_is_no_second_row(tmp_path: Path, odd: str) -> None:
    work = Work(tmp_path / "work")
    commit = work.commit(1)
    work.git("update-ref", "refs/remotes/origin/compose/C/" + odd, commit)
    assert branches_of(work.repository, "compose/C") == []
