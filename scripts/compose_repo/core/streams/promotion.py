"""What of a compose's promotion stands in the project's tags, and what is due.

Each turn of a compose to satisfied has a number. `promotion/<compose_id>/<n>/claim` is made before the hook is called,
and only one can make it; `called` or `failed` says what came of it, `ended` that the compose is satisfied no more. So
whoever is killed in between leaves a claim without an outcome, which nobody calls again by himself.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.forge.action import CreateTag, Plan, Promote
from compose_repo.core.names import Sha
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.hook import Hook
from compose_repo.core.verdict.decision import Decision, Verdict

SCHEMA: Final = "promotion/1"
PATTERN: Final = "promotion/*"
"""The tags that are records."""
MOST_TRIES: Final = 5
"""How often a hook is called that has refused each time."""
_NUMBER: Final = re.compile("[1-9][0-9]{0,5}")


class Record(StrEnum):
    """What a tag records."""

    CLAIM = "claim"
    CALLED = "called"
    FAILED = "failed"
    ENDED = "ended"


class State(StrEnum):
    """How far a compose's promotion has come. REFUSED: the hook has refused as often as it is tried."""

    DUE = "due"
    CALLED = "called"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Records(Struct, frozen=True, kw_only=True):
    """The records of one compose, by number."""

    compose_id: ComposeId
    of: Mapping[int, frozenset[Record]]

    @property
    def last(self) -> int:
        """The number of the last turn, 0 if there was none."""
        return max(self.of, default=0)

    @property
    def state(self) -> State:
        """How far it has come."""
        last = self.of.get(self.last, frozenset())
        if not last or Record.ENDED in last:
            return State.DUE
        if Record.CALLED in last:
            return State.CALLED
        if Record.FAILED in last:
            return State.DUE if self._refusals < MOST_TRIES else State.REFUSED
        return State.UNKNOWN

    @property
    def _refusals(self) -> int:
        """How often in a row the hook has refused."""
        numbers = sorted(self.of, reverse=True)
        others = [place for place, number in enumerate(numbers) if not _is_refusal(self.of[number])]
        return others[0] if others else len(numbers)

    def call(self, number: int) -> str:
        """Give what a turn is called by."""
        return f"promotion/{self.compose_id}/{number}"

    @property
    def problem(self) -> Problem | None:
        """What somebody has to look at, None if there is nothing."""
        call = self.call(self.last)
        match self.state:
            case State.UNKNOWN:
                return Problem(
                    path=call,
                    code=Code.PROMOTION_UNKNOWN,
                    message="nobody knows whether the hook was called: there is a claim, and no outcome",
                    fix=_look(call),
                )
            case State.REFUSED:
                return Problem(
                    path=call,
                    code=Code.PROMOTION_FAILED,
                    message=f"the hook was not to be reached, or refused, {MOST_TRIES} times",
                    fix=f"fix it, then create the tag {call}/{Record.ENDED} to have it called again",
                )
            case _:
                return None


def _is_refusal(records: frozenset[Record]) -> bool:
    return Record.FAILED in records and not {Record.ENDED, Record.CALLED} & records


def below(compose_id: ComposeId) -> str:
    """Give how the refs of a compose's records begin."""
    return f"refs/tags/promotion/{compose_id}/"


def records_of(compose_id: ComposeId, refs: Iterable[str]) -> Records:
    """Find a compose's records among refs; what is no record is nobody's."""
    found: dict[int, set[Record]] = {}
    for ref in refs:
        number, _, word = ref.removeprefix(below(compose_id)).partition("/")
        if ref.startswith(below(compose_id)) and _NUMBER.fullmatch(number) and word in set(Record):
            found.setdefault(int(number), set()).add(Record(word))
    return Records(compose_id=compose_id, of={number: frozenset(one) for number, one in found.items()})


def is_due(records: Records, verdict: Verdict | None) -> bool:
    """Tell whether the hook is to be called."""
    return verdict is Verdict.SATISFIED and records.state is State.DUE


def has_ended(records: Records, verdict: Verdict | None) -> bool:
    """Tell whether a compose that has been promoted, or was refused for good, is satisfied no more.

    Where nobody knows whether it has been, that stays to be looked at, whatever becomes of the verdict.
    """
    return verdict not in {Verdict.SATISFIED, None} and records.state in {State.CALLED, State.REFUSED}


def plan_claim(  # noqa: PLR0913  # what a call carries, and what records it
    records: Records, hook: Hook, decision: Decision, *, head: Sha, web_url: str, main: Sha, at: str, nonce: str
) -> tuple[CreateTag, Promote]:
    """Claim the next turn, then call. The claim stands on main: a tag gives a pipeline rights, a branch's head none.

    `nonce` makes each claim another object, so that two passes do not take each other's for their own.
    """
    call = records.call(records.last + 1)
    told = {
        "compose_id": str(records.compose_id),
        "verdict": str(decision.verdict),
        "summary": decision.summary,
        "manifest_sha256": decision.manifest_sha256,
        "policy_sha256": decision.policy_sha256,
        "head": head,
        "merge_request": web_url,
        "promotion": call,
    }
    digest = hashlib.sha256(json.dumps(decision.to_dict(), sort_keys=True).encode()).hexdigest()
    message = record(Record.CLAIM, **told, hook=hook.name, decision_sha256=digest, at=at, nonce=nonce)
    return (
        CreateTag(tag=f"{call}/{Record.CLAIM}", target=main, message=message),
        Promote(call=call, hook=hook, target=main, told=tuple(sorted(told.items()))),
    )


def plan_end(records: Records, *, main: Sha, at: str, verdict: Verdict) -> Plan:
    """Record that a compose is satisfied no more: when it turns again, that is another call."""
    call = records.call(records.last)
    message = record(Record.ENDED, compose_id=str(records.compose_id), verdict=str(verdict), promotion=call, at=at)
    return (CreateTag(tag=f"{call}/{Record.ENDED}", target=main, message=message),)


def outcome(action: Promote, what: Record, *, said: str, at: str, nonce: str) -> CreateTag:
    """Record what came of a call."""
    message = record(what, promotion=action.call, said=said, at=at, nonce=nonce)
    return CreateTag(tag=f"{action.call}/{what}", target=action.target, message=message)


def unknown(action: Promote, said: str) -> Problem:
    """Say that nobody knows what came of a call."""
    return Problem(
        path=action.call,
        code=Code.PROMOTION_UNKNOWN,
        message=f"nobody knows whether {action.hook.name} was called: {said}",
        fix=_look(action.call),
    )


def refused(action: Promote, said: str) -> Problem:
    """Say that a call has surely done nothing."""
    return Problem(
        path=action.call,
        code=Code.PROMOTION_FAILED,
        message=f"{action.hook.name} was not to be reached, or refuses: {said}",
        fix=f"fix it; the next pass calls again, {MOST_TRIES} times in all",
    )


def _look(call: str) -> str:
    return (
        "look whether it was, once no pass is running (a call may take ten minutes); "
        f"if not, delete the tag {call}/{Record.CLAIM}, else create the tag {call}/{Record.CALLED}"
    )


def record(what: Record, **told: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    """Write a record."""
    return json.dumps({"schema": SCHEMA, "record": str(what), **told}) + "\n"
