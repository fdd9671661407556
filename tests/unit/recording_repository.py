"""A repository that remembers what was pushed from it, so that a test can say that nothing was.

repository = RecordingRepository(folder)
...
assert repository.sent == []
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from compose_repo.core.names import Sha
from compose_repo.ports.git.repository import Repository, Trace


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A branch or tag that was pushed, or that it was tried to push."""

    url: str
    ref: str
    commit: Sha
    options: tuple[str, ...] = ()

    @property
    def is_tag(self) -> bool:
        """Whether it is a tag."""
        return self.ref.startswith("refs/tags/")


Told: TypeAlias = Callable[[Sent, str | None], None]
"""Is told of a push, and with which token it was made."""


def _nobody(_sent: Sent, _token: str | None) -> None:
    """Do nothing."""


class RecordingRepository(Repository):
    """A repository that tells of each push before it is tried and after it has worked.

    What is raised `before` keeps the push from being made and remembered; what is raised `after` hides it.
    """

    def __init__(
        self, path: Path, trace: Trace = lambda _line: None, *, before: Told = _nobody, after: Told = _nobody
    ) -> None:
        super().__init__(path, trace)
        self.sent: list[Sent] = []
        self._before = before
        self._after = after

    def send(self, url: str, refspec: str, *, token: str | None = None, options: Sequence[str] = ()) -> None:
        """Push one ref, and remember it."""
        commit, _, ref = refspec.partition(":")
        sent = Sent(url=url, ref=ref, commit=Sha(commit), options=tuple(options))
        self._before(sent, token)
        self.sent.append(sent)
        super().send(url, refspec, token=token, options=options)
        self._after(sent, token)
