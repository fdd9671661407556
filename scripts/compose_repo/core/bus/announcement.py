"""What is published on the bus about a compose's verdict, and a hold on it: only changes, each once.

Which verdict was told last, the end of a hold, and the number of that message stand in a hidden line of the gate bot's
note. It is written after the message has been confirmed: whoever is killed between the two tells the same change again,
under the same id, by which those who listen know it. The line is no input of any decision; who changes it (a Maintainer
may) makes us repeat a message, or leave one out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.forge.action import Announce, EditNote, Plan
from compose_repo.core.forge.forge import MergeRequest, Note
from compose_repo.core.names import Sha256
from compose_repo.core.verdict.decision import Hold, Verdict

_MARK: Final = re.compile(
    r"\n*<!-- compose-repo: announced (?P<number>[0-9]{1,9}) (?P<verdict>satisfied|pending|blocked)"
    r"(?: held until (?P<until>[0-9]{4}-[0-9]{2}-[0-9]{2}))? -->"
)


@dataclass(frozen=True, slots=True)
class Announced:
    """The verdict that was told last, and how many changes had been told by then.

    `until` is the end of the hold that was told, as it is written; None where none was.
    """

    number: int
    verdict: Verdict
    until: str | None = None


class DecisionChanged(Struct, frozen=True, kw_only=True):
    """That a compose's verdict, or the hold on it, is another than was told last; `old` is None for the first one."""

    compose_id: ComposeId
    number: int
    old: Verdict | None
    new: Verdict
    held: Hold | None = None
    summary: str
    decision_sha256: Sha256 | None
    url: str

    @property
    def sentence(self) -> str:
        """What has changed."""
        return f"{self.compose_id} is {self.new}{'' if self.held is None else f', held until {self.held.until}'}"

    @property
    def key(self) -> str:
        """What is the same only for the same change."""
        return f"{self.url} {self.number} {self.new}"

    def to_dict(self) -> dict[str, Any]:
        """Give the body of the message."""
        return {
            "compose_id": str(self.compose_id),
            "stream": str(self.compose_id.stream),
            "old": None if self.old is None else str(self.old),
            "new": str(self.new),
            "held": None if self.held is None else self.held.to_dict(),
            "summary": self.summary,
            "decision_sha256": self.decision_sha256,
            "url": self.url,
        }


def announced_in(body: str) -> Announced | None:
    """Find what was told last in a note's text: our own line comes last."""
    found = [
        Announced(int(match["number"]), Verdict(match["verdict"]), match["until"]) for match in _MARK.finditer(body)
    ]
    return found[-1] if found else None


def marked(body: str, announced: Announced | None) -> str:
    """Give a note's text with what was told last, and with nothing that was told before."""
    plain = _MARK.sub("", body)
    if announced is None:
        return plain
    held = "" if announced.until is None else f" held until {announced.until}"
    return f"{plain.rstrip()}\n<!-- compose-repo: announced {announced.number} {announced.verdict}{held} -->"


def change_of(  # noqa: PLR0913  # what a message says
    compose_id: ComposeId,
    *,
    merge_request: MergeRequest,
    note: Note,
    verdict: Verdict,
    held: Hold | None = None,
    summary: str,
    decision_sha256: Sha256 | None,
) -> DecisionChanged | None:
    """Tell what has changed since it was told last; None if nothing has."""
    before = announced_in(note.body)
    if before is not None and (before.verdict, before.until) == (verdict, _end_of(held)):
        return None
    return DecisionChanged(
        compose_id=compose_id,
        number=1 if before is None else before.number + 1,
        old=None if before is None else before.verdict,
        new=verdict,
        held=held,
        summary=summary,
        decision_sha256=decision_sha256,
        url=merge_request.web_url,
    )


def plan_announced(merge_request: MergeRequest, notes: Sequence[Note], change: DecisionChanged) -> Plan:
    """Tell the bus, then write down in the note that said so far what had been told that this has been, too."""
    told = Announced(change.number, change.new, _end_of(change.held))
    edits = (EditNote(iid=merge_request.iid, note_id=note.id, body=marked(note.body, told)) for note in notes[:1])
    return (Announce(change=change), *edits)


def _end_of(held: Hold | None) -> str | None:
    return None if held is None else held.until.isoformat()
