"""The gate's answer: a state for each requirement in each cell, and the verdict they come to."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, field

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import terminal
from compose_repo.core.names import Arch, Cell, Origin, RunId, Scenario, Sha256, Testcase, Variant
from compose_repo.core.problems.problem import Problem
from compose_repo.core.problems.report import as_row
from compose_repo.core.result import Outcome, utc
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.policy import Waiver
from compose_repo.core.rules.waivers import WaiverNotice
from compose_repo.core.value import Value

SCHEMA: Final = "decision/2"


class State(StrEnum):
    """What became of one requirement in one cell."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    RUNNING = "running"
    MISSING = "missing"
    OVERDUE = "overdue"
    KNOWN = "known"
    WAIVED = "waived"


class Verdict(StrEnum):
    """The gate's verdict on the whole compose."""

    SATISFIED = "satisfied"
    PENDING = "pending"
    BLOCKED = "blocked"


BLOCKING: Final = (State.FAILED, State.OVERDUE)
WAITING: Final = (State.ERRORED, State.RUNNING, State.MISSING)


class NotCounted(Value, frozen=True, kw_only=True):
    """An attempt at a cell that came too late to count."""

    outcome: Outcome
    run_id: RunId
    url: str


class Usual(Struct, frozen=True, kw_only=True):
    """How many tests usually run in a cell: the median over published composes, and what it is made of."""

    median: float
    composes: tuple[tuple[ComposeId, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Give the value of `usual` in `decision/2`."""
        return {
            "median": self.median,
            "composes": [{"compose_id": str(compose_id), "run": run} for compose_id, run in self.composes],
        }


class Hold(Value, frozen=True, kw_only=True):
    """Why a compose must not go out for now, whatever its verdict is; it ends with the day `until`, UTC."""

    reason: str
    issue: str
    by: str
    until: dt.date

    @property
    def canonical(self) -> dict[str, Any]:
        """What of it is part of a decision's digest: all but the prose."""
        return {name: value for name, value in self.to_dict().items() if name != "reason"}

    @classmethod
    def of(cls, entry: HoldEntry) -> "Hold":
        """Give what of an entry of `gate/holds.toml` a decision names."""
        return cls(reason=entry.reason, issue=entry.issue, by=entry.by, until=entry.until)


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to one requirement in one cell, and why.

    An answer that is not `blocking` only informs. `attempts` counts every report of the cell, `not_counted` are those
    beyond the last one that the policy admits. `flaky` marks a pass after a failure. `outcome`, `run_id` and `url` are
    those of the attempt that counted. `usual` is how many tests usually run there, where that is asked. `due` is the
    deadline, None where there is none or it is not known from when it runs. `since` is the oldest compose since which
    the state has been so without a break, None if that is not known.
    """

    origin: Origin
    testcase: Testcase
    scenario: Scenario | None = None
    arch: Arch | None = None
    variant: Variant | None = None
    blocking: bool = True
    state: State
    outcome: Outcome | None = None
    run_id: RunId | None = None
    url: str | None = None
    attempts: int = 0
    not_counted: tuple[NotCounted, ...] = ()
    flaky: bool = False
    waiver: Waiver | None = None
    since: ComposeId | None = None
    usual: Usual | None = None
    due: dt.datetime | None = None
    reason: str = ""

    @property
    def cell(self) -> Cell:
        """Scenario, arch and variant."""
        return (self.scenario, self.arch, self.variant)

    @property
    def title(self) -> str:
        """How reports name it: `rdo tempest.smoke on aarch64 AppStream (devstack)`."""
        where = " ".join(part for part in (self.arch, self.variant) if part is not None)
        return (
            f"{self.origin} {self.testcase}"
            + (f" on {where}" if where else "")
            + (f" ({self.scenario})" if self.scenario is not None else "")
        )

    def canonical(self) -> list[Any]:
        """Give what of it is part of a decision's digest: its cell and what became of it, without any prose."""
        row = self.to_dict()
        waiver = row["waiver"] and {name: value for name, value in row["waiver"].items() if name != "reason"}
        return [*map(row.get, _CANONICAL), waiver]

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `decision/2`."""
        return {
            "origin": self.origin,
            "testcase": self.testcase,
            "scenario": self.scenario,
            "arch": self.arch,
            "variant": self.variant,
            "blocking": self.blocking,
            "state": str(self.state),
            "outcome": None if self.outcome is None else str(self.outcome),
            "run_id": self.run_id,
            "url": self.url,
            "attempts": self.attempts,
            "not_counted": [attempt.to_dict() for attempt in self.not_counted],
            "flaky": self.flaky,
            "waiver": None if self.waiver is None else self.waiver.to_dict(),
            "since": None if self.since is None else str(self.since),
            "usual": None if self.usual is None else self.usual.to_dict(),
            "due": None if self.due is None else utc(self.due),
            "reason": self.reason,
        }


_CANONICAL: Final = (
    "origin", "testcase", "scenario", "arch", "variant", "blocking", "state", "outcome", "run_id",
)  # fmt: skip
"""What of an answer a decision's digest covers, beside the waiver."""


class Unmatched(Struct, frozen=True, kw_only=True):
    """Results of an origin that answer no requirement: some named with a hint, the `others` counted."""

    origin: Origin
    named: tuple[str, ...] = ()
    others: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `decision/2`."""
        return {"origin": self.origin, "named": list(map(terminal, self.named)), "others": self.others}


class Decision(Struct, frozen=True, kw_only=True):
    """The gate's answer for one compose: the same inputs give the same decision, in whatever order they come.

    `held` is why it must not go out, which changes nothing else of it; `hold_ends_soon` says that it does so within a
    day. `refused` are the problems of result files that do not count, and `bears_on` says by path on how many answers
    each refused report bears. `notices` are waivers worth a look, `advice` is what has aged in the rules.
    """

    compose_id: ComposeId
    verdict: Verdict
    held: Hold | None = None
    hold_ends_soon: bool = False
    summary: str
    manifest_sha256: Sha256
    policy_sha256: Sha256
    answers: tuple[Answer, ...]
    refused: tuple[Problem, ...] = ()
    bears_on: Mapping[str, int] = field(default_factory=dict)
    unmatched: tuple[Unmatched, ...] = ()
    notices: tuple[WaiverNotice, ...] = ()
    advice: tuple[Problem, ...] = ()

    def count(self, state: State) -> int:
        """Count the answers in a state."""
        return sum(answer.state is state for answer in self.answers)

    def to_dict(self) -> dict[str, Any]:
        """Give the `decision/2` document."""
        return {
            "schema": SCHEMA,
            "compose_id": str(self.compose_id),
            "verdict": str(self.verdict),
            "held": None if self.held is None else self.held.to_dict(),
            "summary": self.summary,
            "manifest_sha256": self.manifest_sha256,
            "policy_sha256": self.policy_sha256,
            "answers": [answer.to_dict() for answer in self.answers],
            "refused": [
                {**as_row(problem), "bears_on": self.bears_on.get(problem.path, 0)} for problem in self.refused
            ],
            "unmatched": [row.to_dict() for row in self.unmatched],
            "waivers": [notice.to_dict() for notice in self.notices],
            "advice": list(map(as_row, self.advice)),
        }

    @property
    def sha256(self) -> Sha256:
        """The digest of the decision's canonical form: verdict, hold and answers, without prose and dates.

        The form is JSON without white space, in ASCII, keys sorted: `{"answers": […], "held": null, "verdict": "…"}`;
        an answer is the list of origin, testcase, scenario, arch, variant, blocking, state, outcome, run id and waiver,
        waiver and hold without their reason.
        """
        form = {
            "verdict": str(self.verdict),
            "held": None if self.held is None else self.held.canonical,
            "answers": [answer.canonical() for answer in self.answers],
        }
        text = json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return Sha256(hashlib.sha256(text.encode("ascii")).hexdigest())
