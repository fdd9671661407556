"""Tags: annotated ones, pushed only if they do not exist, so that only one process makes each; and other people's."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import GitError, Repository

_SHOWN: Final = 500


class TagTaken(GitError):  # noqa: N818  # it names what happened; nobody is at fault
    """There is a tag of this name already, and it is another's."""


def create_tag(  # noqa: PLR0913  # what a tag is made of
    repository: Repository, url: str, *, tag: str, target: Sha, message: str, author: str, at: int, token: str | None
) -> None:
    """Make a tag on a commit and push it. No pipeline follows.

    What is asked for twice by the same object is one tag: where an answer was lost, the server is asked what it has.

    Raises:
        TagTaken: somebody else has made it.
        GitError: the server cannot be reached or refuses.

    """
    head = f"object {target}\ntype commit\ntag {tag}\ntagger {author} <{author}@noreply.invalid> {at} +0000\n\n"
    made = repository.run("mktag", given=head.encode() + message.encode()).decode("ascii").strip()
    ref = f"refs/tags/{tag}"
    try:
        repository.send(url, f"{made}:{ref}", token=token, options=("ci.skip",))
    except GitError:
        there = repository.remote_refs(url, [ref], token=token).get(ref)
        if there is None:
            raise
        if there != made:
            raise TagTaken(f"somebody else has made the tag {tag}") from None


def release_refs(repository: Repository, address: str, beginning: str) -> Iterable[str]:
    """Give the refs of another repository, at a URL or a path, whose names have a beginning.

    Raises:
        GitError: it cannot be reached or refuses; the message is git's own words.

    """
    where = Path(address)
    url = str(where.resolve()) if "://" not in address and where.is_dir() else address
    try:
        return repository.remote_refs(url, (), below=(beginning,))
    except GitError as error:
        raise GitError(str(error).rpartition(f" failed in {repository.path}: ")[2][:_SHOWN]) from error
