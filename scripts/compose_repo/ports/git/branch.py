"""Writes to a branch without ever checking it out: a commit made of objects, pushed where nobody else has pushed."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from compose_repo.core.branch.commit import PLAIN, Version
from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import GitError, Repository

_NOT_A_DESCENDANT: Final = ("non-fast-forward", "fetch first", "stale info", "cannot lock ref", "failed to update ref")
"""What git and GitLab say where the branch has moved on."""


class BranchMoved(GitError):  # noqa: N818  # it names what happened; nobody is at fault
    """Somebody has pushed to the branch meanwhile."""


def commit_files(  # noqa: PLR0913  # what a commit is made of
    repository: Repository, *, base: str, parents: Sequence[str], files: Iterable[Version], message: str, author: str
) -> Sha:
    """Make a commit whose tree is that of `base` and these files, all of them objects that are there already.

    The same arguments give a commit that does the same, not the same commit: its time is the clock's. `author` is the
    account in whose name it is pushed.
    """
    rows = "".join(f"{PLAIN} {file.blob}\t{file.path}\0" for file in files).encode("utf-8", "surrogateescape")
    identity = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", author), ("EMAIL", f"{author}@noreply.invalid"))
    }
    with tempfile.TemporaryDirectory(prefix="compose-repo-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        repository.run("read-tree", repository.commit(base), variables=index)
        repository.run("update-index", "-z", "--index-info", given=rows, variables=index)
        tree = repository.run("write-tree", variables=index).decode("ascii").strip()
    named = [argument for parent in parents for argument in ("-p", repository.commit(parent))]
    out = repository.run(
        "-c", "commit.gpgSign=false", "commit-tree", tree, *named, given=message.encode(), variables=identity
    )
    return Sha(out.decode("ascii").strip())


def push(repository: Repository, url: str, commit: Sha, branch: str, *, token: str | None) -> None:
    """Push a commit to a branch that it comes after; nothing is ever pushed by force.

    What git says of a failure may be about its second try, which finds that the first has worked: only the answer was
    lost. So the server is asked before anything else.

    Raises:
        BranchMoved: the branch has moved on.
        GitError: the server cannot be reached or refuses.

    """
    ref = f"refs/heads/{branch}"
    try:
        repository.send(url, f"{commit}:{ref}", token=token)
    except GitError as error:
        if _is_there(repository, url, commit, ref, token):
            return
        if any(words in str(error) for words in _NOT_A_DESCENDANT):
            raise BranchMoved(f"{branch} has moved on") from error
        raise


def _is_there(repository: Repository, url: str, commit: Sha, ref: str, token: str | None) -> bool:
    """Ask after a failure; if that fails too, the first failure is the one to tell of."""
    try:
        return repository.remote_refs(url, [ref], token=token).get(ref) == commit
    except GitError:
        return False
