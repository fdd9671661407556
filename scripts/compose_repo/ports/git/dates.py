"""What the dates of commits say of the past: they are claims, but offline there is no other clock."""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import Repository


class Dated(NamedTuple):
    """A commit and its date, in seconds since 1970."""

    sha: Sha
    parents: tuple[Sha, ...]
    at: int


def newest_by(repository: Repository, head: Sha, at: dt.datetime) -> Sha | None:
    """Give the newest commit of a branch itself, not of what was merged to it, that is dated at some time or before."""
    dated = _dated(repository, "--first-parent", head)
    return next((commit.sha for commit in dated if commit.at <= math.floor(at.timestamp())), None)


def since(repository: Repository, base: Sha, head: Sha) -> list[Dated]:
    """Give the commits that a head has and a base has not, parents first, each dated as early as it can be.

    No commit is there before its parents: its date is the latest of its own and of all before it.
    """
    earliest: dict[Sha, int] = {}
    found = []
    for commit in _dated(repository, "--topo-order", "--reverse", head, f"^{base}"):
        earliest[commit.sha] = max([commit.at, *(earliest.get(parent, 0) for parent in commit.parents)])
        found.append(commit._replace(at=earliest[commit.sha]))
    return found


def heads_by(commits: Sequence[Dated], at: dt.datetime) -> list[Sha]:
    """Give the heads of those commits that can have been there at some time: several, where a later one merges them."""
    kept = [commit for commit in commits if commit.at <= math.floor(at.timestamp())]
    followed = {parent for commit in kept for parent in commit.parents}
    return [commit.sha for commit in kept if commit.sha not in followed]


def first_with(repository: Repository, path: str, base: Sha, heads: Sequence[Sha]) -> Sha | None:
    """Give the first commit since a base that touches a path, parents before children."""
    span = ["--topo-order", "--reverse", "--full-history", *heads, f"^{base}", "--", path]
    rows = repository.run("rev-list", *span).decode("ascii").split()
    return Sha(rows[0]) if rows else None


def brought_by_merge(repository: Repository, path: str, main: Sha, *, after: Sha) -> Sha | None:
    """Give the head whose merging brought a path to main after some commit of it; None if no merge did."""
    rows = repository.run("rev-list", "--first-parent", "--reverse", main, f"^{after}", "--", path).split()
    return repository.find(f"{rows[0].decode('ascii')}^2") if rows else None


def _dated(repository: Repository, *span: str) -> Iterator[Dated]:
    for row in repository.run("rev-list", "--timestamp", "--parents", *span, "--").decode("ascii").splitlines():
        at, sha, *parents = row.split()
        yield Dated(Sha(sha), tuple(map(Sha, parents)), int(at))
