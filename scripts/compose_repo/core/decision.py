"""The gate's answer: a state for each requirement in each cell, and the verdict they come to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from compose_repo.core.compose import ComposeId
from compose_repo.core.names import Arch, Cell, Origin, RunId, Scenario, Sha256, Testcase, Variant
from compose_repo.core.policy import Waiver
from compose_repo.core.problem import Problem
from compose_repo.core.report import as_row
from compose_repo.core.result import Outcome
from compose_repo.core.waivers import WaiverNotice

SCHEMA: Final = "decision/1"


class State(StrEnum):
    """What became of one requirement in one cell."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    RUNNING = "running"
    MISSING = "missing"
    OVERDUE = "overdue"
    WAIVED = "waived"


class Verdict(StrEnum):
    """What the gate says of the whole compose."""

    SATISFIED = "satisfied"
    PENDING = "pending"
    BLOCKED = "blocked"


BLOCKING: Final = (State.FAILED, State.OVERDUE)
WAITING: Final = (State.ERRORED, State.RUNNING, State.MISSING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of one requirement in one cell, and why.

    `attempts` counts every report of the cell. `flaky` marks a pass after a failure. `outcome`, `run_id` and `url` are
    those of the attempt that counted.
    """

    origin: Origin
    testcase: Testcase
    scenario: Scenario | None = None
    arch: Arch | None = None
    variant: Variant | None = None
    state: State
    outcome: Outcome | None = None
    run_id: RunId | None = None
    url: str | None = None
    attempts: int = 0
    flaky: bool = False
    waiver: Waiver | None = None
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

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `decision/1`."""
        return {
            "origin": self.origin,
            "testcase": self.testcase,
            "scenario": self.scenario,
            "arch": self.arch,
            "variant": self.variant,
            "state": str(self.state),
            "outcome": None if self.outcome is None else str(self.outcome),
            "run_id": self.run_id,
            "url": self.url,
            "attempts": self.attempts,
            "flaky": self.flaky,
            "waiver": None if self.waiver is None else self.waiver.to_dict(),
            "reason": self.reason,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The gate's answer for one compose: the same inputs give the same decision, in whatever order they come.

    `refused` are the problems of result files that do not count; `notices` are waivers worth a look.
    """

    compose_id: ComposeId
    verdict: Verdict
    summary: str
    manifest_sha256: Sha256
    policy_sha256: Sha256
    answers: tuple[Answer, ...]
    refused: tuple[Problem, ...] = ()
    notices: tuple[WaiverNotice, ...] = ()

    def count(self, state: State) -> int:
        """Count the answers in a state."""
        return sum(answer.state is state for answer in self.answers)

    def to_dict(self) -> dict[str, Any]:
        """Give the `decision/1` document."""
        return {
            "schema": SCHEMA,
            "compose_id": str(self.compose_id),
            "verdict": str(self.verdict),
            "summary": self.summary,
            "manifest_sha256": self.manifest_sha256,
            "policy_sha256": self.policy_sha256,
            "answers": [answer.to_dict() for answer in self.answers],
            "refused": list(map(as_row, self.refused)),
            "waivers": [notice.to_dict() for notice in self.notices],
        }
