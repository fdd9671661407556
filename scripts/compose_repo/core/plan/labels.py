"""The labels that a compose's merge request carries. They show what has been decided and are never read for it."""

from collections.abc import Mapping
from typing import Any, Final

from compose_repo.core.names import Stream
from compose_repo.core.value import Value
from compose_repo.core.verdict.decision import Verdict


class Labels(Value, frozen=True, kw_only=True):
    """What each label is called: one of three for the verdict, one of four for the compose, one for the stream.

    `held` stands beside the verdict, on what must not go out for now, or was published all the same. `stream` is what
    the name of the stream is put behind.
    """

    satisfied: str = "gate::satisfied"
    pending: str = "gate::pending"
    blocked: str = "gate::blocked"
    published: str = "compose::published"
    approved: str = "compose::approved"
    superseded: str = "compose::superseded"
    vanished: str = "compose::vanished"
    held: str = "hold::active"
    stream: str = "stream::"

    def of_verdict(self, verdict: Verdict) -> str:
        """Give the label of a verdict."""
        return {Verdict.SATISFIED: self.satisfied, Verdict.PENDING: self.pending, Verdict.BLOCKED: self.blocked}[
            verdict
        ]

    def of_stream(self, stream: Stream) -> str:
        """Give the label of a stream."""
        return f"{self.stream}{stream}"

    def excludes(self, label: str, other: str) -> bool:
        """Tell whether a label takes the place of another: it says the same kind of thing, or is of one scope."""
        if label == other:
            return False
        one, two = self._kind(label), self._kind(other)
        return (one is not None and one == two) or _of_one_scope(label, other)

    def clash(self, field: str, other: str) -> str | None:
        """Say why two of the labels cannot stand on one merge request though they should; None if they can.

        Both are named as `[labels]` does. What begins with `stream` is taken for a stream's label.
        """
        mine, theirs = getattr(self, field), getattr(self, other)
        if mine == theirs:
            return f"labels.{other} is the same"
        if "stream" in {field, other} and (mine.startswith(theirs) or theirs.startswith(mine)):
            return f"labels.{field} and labels.{other} begin alike, and what begins with labels.stream is a stream's"
        if self._kind(mine) != self._kind(theirs) and _of_one_scope(mine, theirs):
            return f"GitLab keeps one label of a scope, and labels.{other} ({theirs}) is of the same"
        return None

    def _kind(self, label: str) -> str | None:
        """Return what a label means, or None if it is not one of ours."""
        if label in {self.satisfied, self.pending, self.blocked}:
            return "verdict"
        if label in {self.published, self.approved, self.superseded, self.vanished}:
            return "compose"
        if label == self.held:
            return "hold"
        return "stream" if label.startswith(self.stream) else None


USUAL: Final = Labels()
"""What they are called where nobody says otherwise."""


def labels_from_dict(data: Mapping[str, Any]) -> Labels:
    """Read the labels of `gate/streams.toml`; the data must satisfy the streams schema."""
    return Labels.from_dict(data.get("labels", {}))


def _of_one_scope(label: str, other: str) -> bool:
    """Tell whether GitLab keeps only one of two labels: what stands before their last two colons is the same."""
    scope, colons, _ = label.rpartition("::")
    return bool(colons) and other.rpartition("::")[:2] == (scope, colons)
