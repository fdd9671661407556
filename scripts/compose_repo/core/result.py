"""Result files: what a third party reports about one compose from one run."""

import datetime as dt
from collections.abc import Container, Mapping
from enum import Enum, StrEnum, auto
from typing import Any, Final, NamedTuple

from msgspec import Struct, convert

from compose_repo.core.composes.paths import result_of
from compose_repo.core.names import Arch, Origin, RunId, Scenario, Sha256, Testcase, Variant
from compose_repo.core.value import Value

SCHEMA: Final = "results/1"


class Outcome(StrEnum):
    """The outcome of one attempt of a test, in the words of ResultsDB v3 and Fedora CI."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    INFO = "info"
    FAILED = "failed"
    NEEDS_INSPECTION = "needs_inspection"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    SKIPPED = "skipped"


SYNONYMS: Final[Mapping[str, Outcome]] = {
    "pass": Outcome.PASSED,
    "success": Outcome.PASSED,
    "successful": Outcome.PASSED,
    "succeeded": Outcome.PASSED,
    "ok": Outcome.PASSED,
    "true": Outcome.PASSED,
    "fail": Outcome.FAILED,
    "failure": Outcome.FAILED,
    "unsuccessful": Outcome.FAILED,
    "not ok": Outcome.FAILED,
    "false": Outcome.FAILED,
    "regression": Outcome.FAILED,
    "uxsuccess": Outcome.FAILED,
    "xpass": Outcome.FAILED,
    "xfail": Outcome.INFO,
    "warn": Outcome.NEEDS_INSPECTION,
    "warning": Outcome.NEEDS_INSPECTION,
    "unstable": Outcome.NEEDS_INSPECTION,
    "errored": Outcome.ERROR,
    "broken": Outcome.ERROR,
    "aborted": Outcome.ERROR,
    "canceled": Outcome.ERROR,
    "cancelled": Outcome.ERROR,
    "timeout": Outcome.ERROR,
    "skip": Outcome.SKIPPED,
    "ignored": Outcome.SKIPPED,
    "disabled": Outcome.SKIPPED,
    "pending": Outcome.QUEUED,
    "scheduled": Outcome.QUEUED,
    "inprogress": Outcome.RUNNING,
    "in_progress": Outcome.RUNNING,
    "started": Outcome.RUNNING,
    "n/a": Outcome.NOT_APPLICABLE,
    "na": Outcome.NOT_APPLICABLE,
}
"""What other tools call an outcome, in small letters. It is suggested and never taken: only the reporter knows."""


class Kind(Enum):
    """What an outcome says, and of what."""

    IN_PROGRESS = auto()
    """Nothing yet."""
    NOT_RUN = auto()
    """Nothing: there was no test."""
    ERROR = auto()
    """Something of the lab, not of the compose."""
    CONCLUSIVE = auto()
    """Something of the compose."""


class Accepted(Enum):
    """When an outcome satisfies a requirement."""

    NEVER = auto()
    BY_NAME = auto()
    BY_DEFAULT = auto()


class Meaning(NamedTuple):
    """What the gate makes of an outcome."""

    kind: Kind
    accepted: Accepted


OUTCOMES: Final[Mapping[Outcome, Meaning]] = {
    Outcome.QUEUED: Meaning(Kind.IN_PROGRESS, Accepted.NEVER),
    Outcome.RUNNING: Meaning(Kind.IN_PROGRESS, Accepted.NEVER),
    Outcome.NOT_APPLICABLE: Meaning(Kind.NOT_RUN, Accepted.BY_NAME),
    Outcome.SKIPPED: Meaning(Kind.NOT_RUN, Accepted.BY_NAME),
    Outcome.ERROR: Meaning(Kind.ERROR, Accepted.NEVER),
    Outcome.PASSED: Meaning(Kind.CONCLUSIVE, Accepted.BY_DEFAULT),
    Outcome.INFO: Meaning(Kind.CONCLUSIVE, Accepted.BY_DEFAULT),
    Outcome.NEEDS_INSPECTION: Meaning(Kind.CONCLUSIVE, Accepted.NEVER),
    Outcome.FAILED: Meaning(Kind.CONCLUSIVE, Accepted.NEVER),
}
"""Every outcome, the worst last: of two that came at the same moment the later one here counts."""


def _of(*kinds: Kind) -> frozenset[Outcome]:
    return frozenset(outcome for outcome, meaning in OUTCOMES.items() if meaning.kind in kinds)


IN_PROGRESS: Final = _of(Kind.IN_PROGRESS)
NOT_RUN: Final = _of(Kind.NOT_RUN)
CONCLUSIVE: Final = _of(Kind.CONCLUSIVE)
"""Outcomes that say something of the compose; an error says something of the lab."""
ACCEPTABLE: Final = frozenset(word for word, meaning in OUTCOMES.items() if meaning.accepted is not Accepted.NEVER)
"""Outcomes that a requirement may accept by name."""
ACCEPTED: Final = frozenset(word for word, meaning in OUTCOMES.items() if meaning.accepted is Accepted.BY_DEFAULT)
"""Outcomes that satisfy a requirement which names none."""
SEVERITY: Final = {outcome: rank for rank, outcome in enumerate(OUTCOMES)}
WORST_FIRST: Final = (
    *sorted(CONCLUSIVE - ACCEPTED, key=SEVERITY.__getitem__, reverse=True),
    Outcome.ERROR,
    *sorted(ACCEPTED, key=SEVERITY.__getitem__, reverse=True),
    *sorted(NOT_RUN | IN_PROGRESS, key=SEVERITY.__getitem__, reverse=True),
)
"""Which of several outcomes in one run counts: a failure is never hidden, an error hides a pass, a skip nothing."""


class Tried(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What a tool had tried before it came to a result; the outcome is conclusive, or an error."""

    outcome: Outcome
    note: str | None = None


class Counts(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How many tests a result sums: what the tool itself counted."""

    run: int
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    errored: int | None = None


class Result(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One test's outcome in one cell: testcase, scenario, arch and variant. `duration` is in seconds.

    `attempts` are earlier outcomes of the cell in the same run, the oldest first.
    """

    testcase: Testcase
    outcome: Outcome
    arch: Arch
    variant: Variant | None = None
    scenario: Scenario | None = None
    url: str | None = None
    log_url: str | None = None
    note: str | None = None
    error_reason: str | None = None
    duration: float | None = None
    attempts: tuple[Tried, ...] = ()
    counts: Counts | None = None
    misc: Mapping[str, Any] | None = None

    @property
    def cell(self) -> tuple[str, str | None, str, str | None]:
        """What may stand only once in a file: testcase, scenario, arch, variant."""
        return (self.testcase, self.scenario, self.arch, self.variant)


class Run(Struct, frozen=True, kw_only=True):
    """The run that a file reports. `finished_at` is None only while every outcome is queued or running."""

    id: RunId
    url: str
    log_url: str | None = None
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Run":
        """Read `run`; the data must satisfy the result schema.

        Raises:
            ValueError: a time has the right shape and is no time (February 30th).

        """
        started, finished = data.get("started_at"), data.get("finished_at")
        return cls(
            id=data["id"],
            url=data["url"],
            log_url=data.get("log_url"),
            started_at=dt.datetime.fromisoformat(started) if started else None,
            finished_at=dt.datetime.fromisoformat(finished) if finished else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give `run`, its times in UTC."""
        return {
            name: utc(value) if isinstance(value, dt.datetime) else value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not None
        }


class Contact(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Whom to ask about a report."""

    name: str | None = None
    email: str | None = None
    url: str | None = None
    docs: str | None = None


class ResultFile(Struct, frozen=True, kw_only=True):
    """One file under `composes/<compose_id>/results/<origin>/`, bound to the manifest that was tested."""

    compose_id: str
    manifest_sha256: Sha256
    origin: Origin
    run: Run
    contact: Contact | None = None
    results: tuple[Result, ...]
    misc: Mapping[str, Any] | None = None

    @property
    def path(self) -> str:
        """Where the file belongs, relative to the repository root."""
        return result_of(self.compose_id, self.origin, self.run.id)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], testcases: Container[str] | None = None) -> "ResultFile":
        """Read a whole file, or of its results those of some testcases; the data must satisfy the result schema.

        Raises:
            ValueError: a time has the right shape and is no time.

        """
        contact = data.get("contact")
        return cls(
            compose_id=data["compose_id"],
            manifest_sha256=data["manifest_sha256"],
            origin=data["origin"],
            run=Run.from_dict(data["run"]),
            contact=None if contact is None else Contact.from_dict(contact),
            results=convert(
                [row for row in data["results"] if testcases is None or row["testcase"] in testcases],
                tuple[Result, ...],
            ),
            misc=data.get("misc"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the file's JSON value, fields in the order of the contract."""
        data: dict[str, Any] = {
            "schema": SCHEMA,
            "compose_id": self.compose_id,
            "manifest_sha256": self.manifest_sha256,
            "origin": self.origin,
            "run": self.run.to_dict(),
        }
        if self.contact is not None:
            data["contact"] = self.contact.to_dict()
        data["results"] = [result.to_dict() for result in self.results]
        if self.misc is not None:
            data["misc"] = self.misc
        return data


def utc(moment: dt.datetime) -> str:
    """Write a moment as RFC 3339 in UTC: `2026-11-20T06:32:11Z`."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
