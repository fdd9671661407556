"""What a pass of `sync` has come to, as programs read it (`sync/2`) and in one line."""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import terminal
from compose_repo.core.forge.action import Action
from compose_repo.core.forge.forge import MergeRequest
from compose_repo.core.names import Sha256, Stream
from compose_repo.core.problems.problem import Problem
from compose_repo.core.problems.report import as_row
from compose_repo.core.rules.policy import Mode
from compose_repo.core.streams.sync import Do, Step
from compose_repo.core.verdict.decision import Hold, Verdict

SCHEMA: Final = "sync/2"


class Outcome(StrEnum):
    """What came of a step: in a dry run, what would come of it."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT = "left"
    FAILED = "failed"


class Row(Struct, frozen=True, kw_only=True):
    """One step and what came of it: the writes that were made (in a dry run: are to be), and what went wrong."""

    step: Step
    outcome: Outcome
    actions: tuple[Action, ...] = ()
    problems: tuple[Problem, ...] = ()
    merge_request: MergeRequest | None = None
    verdict: Verdict | None = None
    held: Hold | None = None
    summary: str | None = None
    decision_sha256: Sha256 | None = None
    vanished: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `sync/2`."""
        line = self.merge_request
        return {
            "compose_id": str(self.step.compose_id),
            "step": str(self.step.do),
            "why": str(self.step.why),
            "reason": terminal(self.step.reason),
            "outcome": str(self.outcome),
            "merge_request": None if line is None else {"iid": line.iid, "web_url": line.web_url},
            "verdict": None if self.verdict is None else str(self.verdict),
            "held": None if self.held is None else self.held.to_dict(),
            "summary": None if self.summary is None else terminal(self.summary),
            "decision_sha256": self.decision_sha256,
            "vanished": self.vanished,
            "actions": [{"action": type(action).__name__, "sentence": action.sentence} for action in self.actions],
            "problems": list(map(as_row, self.problems)),
        }


class StreamReport(Struct, frozen=True, kw_only=True):
    """What became of one stream; `mode` is None where gate/streams.toml does not list it.

    `on_server` counts its composes in the index, None where that was not read; `carried` is what the mirrors carry.
    """

    stream: Stream
    mode: Mode | None = None
    on_server: int | None = None
    carried: ComposeId | None = None
    carried_not_known: str | None = None
    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the stream of `sync/2`."""
        return {
            "stream": self.stream,
            "mode": None if self.mode is None else str(self.mode),
            "on_server": self.on_server,
            "carried": None if self.carried is None else str(self.carried),
            "carried_not_known": None if self.carried_not_known is None else terminal(self.carried_not_known),
            "composes": [row.to_dict() for row in self.rows],
            "problems": list(map(as_row, self.problems)),
        }


class SyncReport(Struct, frozen=True, kw_only=True):
    """What became of a pass; `only` is the compose that it was for, if it was not for all of them.

    `problems` are why it could not begin, or not go on, and what is wrong with a Jenkins that it polls.
    """

    streams: tuple[StreamReport, ...]
    problems: tuple[Problem, ...] = ()
    dry_run: bool = False
    only: ComposeId | None = None

    @property
    def failed(self) -> bool:
        """Whether anything has failed or was refused; what is pending, blocked or not ready yet is not a failure."""
        return (
            bool(self.problems)
            or any(stream.problems for stream in self.streams)
            or any(row.outcome is Outcome.FAILED for row in self._rows())
        )

    @property
    def summary(self) -> str:
        """One sentence: what was done, what is left, what has failed."""
        return _sentence(self._rows(), len(self.problems) + sum(len(stream.problems) for stream in self.streams))

    def to_dict(self) -> dict[str, Any]:
        """Give the `sync/2` document."""
        return {
            "schema": SCHEMA,
            "dry_run": self.dry_run,
            "only": None if self.only is None else str(self.only),
            "failed": self.failed,
            "summary": self.summary,
            "streams": [stream.to_dict() for stream in self.streams],
            "problems": list(map(as_row, self.problems)),
        }

    def _rows(self) -> Iterator[Row]:
        for stream in self.streams:
            yield from stream.rows


_CHANGED: Final = {
    Do.OPEN: "opened",
    Do.MERGE: "merged",
    Do.CLOSE: "cleared up",
    Do.JUDGE: "brought up to date",
    Do.PROMOTE: "promoted",
    Do.RETRACT: "no longer promoted",
}

_WORDS: Final = {Outcome.UNCHANGED: "unchanged", Outcome.LEFT: "left for a later run", Outcome.FAILED: "failed"}


def _sentence(rows: Iterable[Row], problems: int) -> str:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[_CHANGED[row.step.do] if row.outcome is Outcome.CHANGED else _WORDS[row.outcome]] += 1
        if row.verdict is not None and row.step.do is Do.JUDGE:
            counts[str(row.verdict)] += 1
            counts["held"] += row.held is not None
        counts["vanished"] += row.vanished
    counts["failed"] += problems
    parts = [f"{counts[word]} {word}" for word in _ORDER if counts[word]]
    return ", ".join(parts) if parts else "nothing to do"


_ORDER: Final = (*_CHANGED.values(), *_WORDS.values(), "vanished", *map(str, Verdict), "held")
