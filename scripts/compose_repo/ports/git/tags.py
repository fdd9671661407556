"""Annotated tags, made as objects and pushed where there is none: who makes one has made it alone."""

from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import GitError, Repository


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
