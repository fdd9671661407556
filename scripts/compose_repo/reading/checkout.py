"""The files that lie on this machine, as they count: git may have changed them on their way here."""

from pathlib import Path

from compose_repo.ports.console import Console
from compose_repo.ports.tree import WorkingTree


def files_of(root: Path, console: Console) -> WorkingTree:
    """Give the files below a directory: as git stores them if it is part of a checkout, else as they lie."""
    where = root.resolve()
    if not any((folder / ".git").exists() for folder in (where, *where.parents)):
        return WorkingTree(root)
    from compose_repo.ports.git.checkout import Checkout  # noqa: PLC0415  # a copy of the files needs no git
    from compose_repo.ports.git.repository import Repository  # noqa: PLC0415  # as above

    return Checkout(Repository(root, console.trace, console.clock), console.info)
