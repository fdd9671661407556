"""The commits of a branch, and what each of them changes."""

from collections.abc import Iterator, Sequence
from typing import Final

from compose_repo.core.history import Change, Commit, Content
from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import GitError, Repository, path_text

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


def commits_since(repository: Repository, base: str, heads: Sequence[str]) -> list[Commit]:
    """Give every commit that the heads have and the base has not, parents first, and what each changes.

    Raises:
        GitError: the repository has not the whole history, or not these commits.

    """
    if repository.run("rev-parse", "--is-shallow-repository").strip() == b"true":
        raise GitError(f"{repository.path} has not the whole history; run: git fetch --unshallow (in CI: GIT_DEPTH: 0)")
    return _logged(repository, [*(repository.commit(head) for head in heads), f"^{repository.commit(base)}"])


def commits_after(repository: Repository, first: Sha, heads: Sequence[str]) -> list[Commit]:
    """Give a commit and every one that comes after it in the heads, parents first, and what each changes."""
    after = f"--ancestry-path={repository.commit(first)}"
    return _logged(repository, [after, *(repository.commit(head) for head in heads), f"^{first}^@"])


def _logged(repository: Repository, span: Sequence[str]) -> list[Commit]:
    out = repository.run(
        "-c", "log.showRoot=true", "log", "--topo-order", "--reverse", "--format=commit %H %P",
        "--diff-merges=combined", *_EXACTLY, *span, "--",
    )  # fmt: skip
    return list(_commits(iter(out.split(b"\0"))))


def _commits(tokens: Iterator[bytes]) -> Iterator[Commit]:
    """Read what git logs: of each commit its ids, then for each path a row that begins with colons, and the path."""
    sha = ""
    parents: tuple[Sha, ...] = ()
    changes: list[Change] = []
    for token in tokens:
        line = token.lstrip(b"\n")
        if line.startswith(b":"):
            changes.append(_change(line, next(tokens)))
        elif line:
            if sha:
                yield Commit(Sha(sha), parents, tuple(changes))
            _, sha, *rest = line.decode("ascii").split()
            parents, changes = tuple(map(Sha, rest)), []
    if sha:
        yield Commit(Sha(sha), parents, tuple(changes))


def _change(row: bytes, path: bytes) -> Change:
    """Read `:mode mode blob blob status`; of a merge there is a colon, a mode and a blob more for each parent more."""
    fields = row.lstrip(b":").decode("ascii").split()
    parents = len(row) - len(row.lstrip(b":"))
    modes, blobs = fields[: parents + 1], fields[parents + 1 : 2 * parents + 2]
    return Change(path_text(path), Content(modes[0], blobs[0]), Content(modes[-1], blobs[-1]))


def changed_since(repository: Repository, base: str, head: str) -> dict[str, Content]:
    """Give what merging a head would bring to a base: each path that differs from where they part, as the head has it.

    Of heads that have parted nowhere, or in several places at once, that is every file: a merge puts several bases
    together to one that neither side has ever had, and can take back what the base has and no difference shows.
    """
    try:
        forks = repository.run("merge-base", "--all", repository.commit(base), repository.commit(head)).split()
    except GitError:
        forks = []
    fork = (forks[0] if len(forks) == 1 else repository.run("hash-object", "-t", "tree", "--stdin").strip()).decode()
    out = repository.run("diff-tree", "-r", *_EXACTLY, "--no-commit-id", fork, repository.commit(head))
    tokens = iter(out.split(b"\0")[:-1])
    changes = [_change(row, next(tokens)) for row in tokens]
    return {change.path: change.after for change in changes}
