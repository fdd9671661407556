"""The commits of a branch, and what each of them changes."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from compose_repo.core.branch.commit import GONE, Change, Commit, Content
from compose_repo.core.composes.paths import COMPOSES
from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import GitError, PartialCloneError, Repository, moment, path_text

_EXACTLY: Final = (
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-relative",
    "--no-ext-diff",
    "--ignore-submodules=none",
)
"""What a commit changes, object by object, whatever the user's configuration says."""


_LOG: Final = (
    "-c", "log.showRoot=true", "log", "--format=commit %H,%ct,%P", "--diff-merges=combined", *_EXACTLY,
)  # fmt: skip
LOG_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of changes that are read in one go."""
FOLDER_BYTES: Final = 16 * 1024 * 1024
"""Most bytes of one folder's changes, where those of all are too many."""
FOLDERS: Final = 200
"""Most folders of one commit that are looked into, where it changes too much."""
_DEPTH: Final = 4
"""Results lie in the fourth folder: composes/<compose_id>/results/<origin>/."""
_FOLDER: Final = "040000"


def commits_since(repository: Repository, base: str, heads: Sequence[str]) -> list[Commit]:
    """Give every commit that the heads have and the base has not, parents first, and what each changes.

    Raises:
        GitError: the repository has not the whole history, or not these commits.

    """
    require_whole_history(repository)
    return _logged(repository, [*(repository.commit(head) for head in heads), f"^{repository.commit(base)}"])


def require_whole_history(repository: Repository) -> None:
    """Refuse to read a history of which a part is missing.

    Raises:
        GitError: the clone is a shallow one.

    """
    if repository.run("rev-parse", "--is-shallow-repository").strip() == b"true":
        raise GitError(f"{repository.path} has not the whole history; run: git fetch --unshallow (in CI: GIT_DEPTH: 0)")


def dates_of(commits: Iterable[Commit]) -> dict[str, dt.datetime]:
    """Give the date of the first of some commits, parents first, that changed each path: a file counts as it came."""
    dates: dict[str, dt.datetime] = {}
    for commit in commits:
        for change in commit.changes:
            if commit.date is not None:
                dates.setdefault(change.path, commit.date)
    return dates


def commits_after(repository: Repository, first: Sha, heads: Sequence[str]) -> list[Commit]:
    """Give a commit and every one that comes after it in the heads, parents first, and what each changes."""
    after = f"--ancestry-path={repository.commit(first)}"
    return _logged(repository, [after, *(repository.commit(head) for head in heads), f"^{first}^@"])


def _logged(repository: Repository, span: Sequence[str]) -> list[Commit]:
    """Log commits in one go; where that is more than anybody can read, look at each of them alone."""
    out = repository.run_at_most(LOG_BYTES, *_LOG, "--topo-order", "--reverse", *span, "--")
    if out is not None:
        return list(_commits(iter(out.split(b"\0"))))
    rows = repository.run("rev-list", "--topo-order", "--reverse", "--parents", "--timestamp", *span, "--")
    return [_alone(repository, *row.split()) for row in rows.decode("ascii").splitlines()]


def _alone(repository: Repository, seconds: str, name: str, *above: str) -> Commit:
    sha, parents = Sha(name), tuple(map(Sha, above))
    against = [
        {change.path: change for change in _from_above(repository, parent, sha)} for parent in parents or (None,)
    ]
    return Commit(
        sha,
        parents,
        tuple(change for path, change in against[0].items() if all(path in one for one in against[1:])),
        moment(seconds),
    )


def _from_above(repository: Repository, before: str | None, after: str) -> Iterator[Change]:
    """Give what has changed between two commits, folder by folder, no deeper than results lie.

    A folder that is not looked into stands for all that is in it. So is one in which too much has changed, and what
    comes after very many folders.
    """
    waiting, looked = [""], 0
    while waiting:
        folder = waiting.pop(0)
        trees = [_tree(repository, revision, folder) for revision in (before, after)]
        out = repository.run_at_most(FOLDER_BYTES, "diff-tree", *_EXACTLY, *trees)
        if out is None:
            yield Change(folder.rstrip("/"), Content(_FOLDER, trees[0]), Content(_FOLDER, trees[1]))
            continue
        tokens = iter(out.split(b"\0")[:-1])
        for row in tokens:
            change = _change(row, next(tokens))
            path = folder + change.path
            modes = {change.before.mode, change.after.mode}
            into = _FOLDER in modes and path.split("/")[0] == COMPOSES and path.count("/") < _DEPTH
            if into and looked < FOLDERS:
                looked += 1
                waiting.append(f"{path}/")
                if change.after.mode in {_FOLDER, GONE}:
                    continue
            yield change._replace(path=path)


def _tree(repository: Repository, revision: str | None, folder: str) -> str:
    """Return the tree of a commit's folder, or the empty tree if it has none."""
    try:
        if revision is not None:
            found = (
                repository.run("rev-parse", "--verify", "--quiet", f"{revision}:{folder.rstrip('/')}").decode().strip()
            )
            return repository.run("rev-parse", "--verify", "--quiet", f"{found}^{{tree}}").decode("ascii").strip()
    except PartialCloneError:
        raise
    except GitError:
        pass
    return repository.run("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()


def _commits(tokens: Iterator[bytes]) -> Iterator[Commit]:
    """Read what git logs: of each commit its ids, then for each path a row that begins with colons, and the path."""
    sha = ""
    date: dt.datetime | None = None
    parents: tuple[Sha, ...] = ()
    changes: list[Change] = []
    for token in tokens:
        line = token.lstrip(b"\n")
        if line.startswith(b":"):
            changes.append(_change(line, next(tokens)))
        elif line:
            if sha:
                yield Commit(Sha(sha), parents, tuple(changes), date)
            sha, seconds, above = line.decode("ascii").removeprefix("commit ").split(",")
            date, parents, changes = moment(seconds), tuple(map(Sha, above.split())), []
    if sha:
        yield Commit(Sha(sha), parents, tuple(changes), date)


def _change(row: bytes, path: bytes) -> Change:
    """Read `:mode mode blob blob status`; of a merge there is a colon, a mode and a blob more for each parent more."""
    fields = row.decode("ascii").split()
    last = fields[0].rfind(":") + 1  # so many parents it has; before the last mode and the last object stand theirs
    return Change(
        path_text(path), Content(fields[0][last:], fields[last + 1]), Content(fields[last], fields[2 * last + 1])
    )


def fork_of(repository: Repository, base: str, head: str) -> Sha | None:
    """Return the commit at which two branches part; None if there is none, or several."""
    try:
        forks = repository.run("merge-base", "--all", repository.commit(base), repository.commit(head)).split()
    except GitError:
        return None
    return Sha(forks[0].decode("ascii")) if len(forks) == 1 else None


def changed_since(repository: Repository, base: str, head: str) -> dict[str, Content]:
    """Give what merging a head would bring to a base: each path that differs from where they part, as the head has it.

    Of heads that have parted nowhere, or in several places at once, that is every file: a merge puts several bases
    together to one that neither side has ever had, and can take back what the base has and no difference shows.
    """
    place = fork_of(repository, base, head)
    fork = place or repository.run("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()
    out = repository.run_at_most(
        LOG_BYTES, "diff-tree", "-r", *_EXACTLY, "--no-commit-id", fork, repository.commit(head)
    )
    if out is None:
        return {change.path: change.after for change in _from_above(repository, place, head)}
    tokens = iter(out.split(b"\0")[:-1])
    changes = [_change(row, next(tokens)) for row in tokens]
    return {change.path: change.after for change in changes}
