"""Where a clone has main and a compose's branch.

Only whole names are looked up, and each must be there exactly: a tag or a branch may have any short name, and git takes
a tag `refs/remotes/origin/main` for what it is asked for as long as nothing else is called so.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import GitError, Repository

REMOTE: Final = "refs/remotes/origin/"
"""What the clone knows of the project's branches, as of its last fetch."""
LOCAL: Final = "refs/heads/"
"""The clone's own branches."""


class Ref(Struct, frozen=True, kw_only=True):
    """A commit, and the name under which it is there."""

    ref: str
    commit: Sha

    @property
    def name(self) -> str:
        """The name for people: `origin/main`."""
        return self.ref.removeprefix("refs/remotes/").removeprefix(LOCAL)


def is_repository(repository: Repository) -> bool:
    """Return whether there is a git repository at all; a copy of the files is not one.

    Raises:
        GitError: git is not there, or does not want to say.

    """
    try:
        repository.run("rev-parse", "--git-dir")
    except GitError as error:
        if "not a git repository" in str(error):
            return False
        raise
    return True


def main_of(repository: Repository) -> Ref | None:
    """Find main: the remote's default branch, else the remote's main, else the clone's own."""
    head, *others = f"{REMOTE}HEAD", f"{REMOTE}main", f"{LOCAL}main"
    found = {ref: (commit, target) for ref, commit, target in _exactly(repository, head, *others)}
    # Git notes the default branch as a pointer to it. A plain HEAD is a branch of that name, which anybody may push.
    if head in found and found[head][1].startswith(REMOTE):
        return Ref(ref=found[head][1], commit=found[head][0])
    return next((Ref(ref=ref, commit=found[ref][0]) for ref in others if ref in found), None)


def branches_of(repository: Repository, branch: str) -> list[Ref]:
    """Find a branch: the remote's first, which is what the bots see, then the clone's own."""
    names = (f"{REMOTE}{branch}", f"{LOCAL}{branch}")
    found = {ref: commit for ref, commit, _ in _exactly(repository, *names)}
    return [Ref(ref=ref, commit=found[ref]) for ref in names if ref in found]


def commits_ahead(repository: Repository, mine: Ref, theirs: Ref) -> int:
    """Count the commits that one branch has and another has not."""
    return int(repository.run("rev-list", "--count", mine.commit, f"^{theirs.commit}", "--"))


def _exactly(repository: Repository, *refs: str) -> Iterator[tuple[str, Sha, str]]:
    """Give those of some refs that are there: the name, the commit, and to which other ref it points, if to any.

    Those below such a name are among them, each by its own name.
    """
    out = repository.run("for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)", "--", *refs)
    for row in out.splitlines():
        ref, commit, target = row.decode("utf-8", "surrogateescape").split("\0")
        yield ref, Sha(commit), target
