"""Result files: what a third party reports about one compose from one run."""

import datetime as dt
from collections.abc import Container, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, convert

from compose_repo.core.documents.value import Value
from compose_repo.core.names import Arch, Origin, RunId, Scenario, Sha256, Testcase, Variant

SCHEMA: Final = "results/1"


class Outcome(StrEnum):
    """What one attempt of a test came to, in the words of ResultsDB v3 and Fedora CI."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    INFO = "info"
    FAILED = "failed"
    NEEDS_INSPECTION = "needs_inspection"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    SKIPPED = "skipped"


IN_PROGRESS: Final = frozenset({Outcome.QUEUED, Outcome.RUNNING})


class Result(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One test's outcome in one cell: testcase, scenario, arch and variant. `duration` is in seconds."""

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
        return f"composes/{self.compose_id}/results/{self.origin}/{self.run.id}.json"

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
