"""A report from the message bus as a result file of the origin that `gate/origins.toml` maps it to.

One message makes one file, whose name is made of what is in it: however often a message comes, it is the same file. A
run that is queued, then running, then complete makes three; they stand for attempts at the same cells, each made when
its message says so, and the gate lets what is complete speak before what is in progress, in whatever order they came.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from compose_repo.core.bus.event import Message, TestReported, TestState, one_line
from compose_repo.core.checks import SKEW
from compose_repo.core.names import Origin, RunId, Sha256
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, shown
from compose_repo.core.result import IN_PROGRESS, Contact, Result, ResultFile, Run
from compose_repo.core.rules.policy import OriginEntry

_DIGITS: Final = 24
_ID_LENGTH: Final = 255
_TIME_LENGTH: Final = 64


def origin_of(message: Message, report: TestReported, origins: Mapping[Origin, OriginEntry]) -> Origin:
    """Find whose a report is: of the one origin that has a mapping of its topic and its CI system.

    Raises:
        InputError: no origin has one, or several have.

    """
    found = [name for name, entry in origins.items() if any(row.has(message.topic, report.ci) for row in entry.bus)]
    if len(found) == 1:
        return found[0]
    which = "no origin" if not found else " and ".join(found)
    have = "has" if len(found) < 2 else "have"  # noqa: PLR2004  # two are several
    raise InputError(
        message.problem(
            "/contact/name",
            Code.UNKNOWN_ORIGIN,
            f"{which} in gate/origins.toml {have} a bus mapping of {shown(report.ci)} under {message.topic}",
            f"give one origin bus = [{{topic = …, ci = {shown(report.ci)}}}]",
        )
    )


def result_file(
    message: Message, report: TestReported, origin: Origin, *, manifest_sha256: Sha256, now: dt.datetime
) -> ResultFile:
    """Write a report as a result file; it names the message it was made from under `misc`.

    Raises:
        InputError: it tells of the future, which a result file may not.

    """
    if report.at > now + SKEW:
        raise InputError(
            message.problem(
                "/generated_at",
                Code.FUTURE_TIME,
                f"{report.at:%Y-%m-%d %H:%M:%S} UTC is in the future",
                "set the clock",
            )
        )
    in_progress = report.outcome in IN_PROGRESS
    file = ResultFile(
        compose_id=str(report.compose_id),
        manifest_sha256=manifest_sha256,
        origin=origin,
        run=Run(
            id=RunId("-"),
            url=report.url,
            log_url=report.log_url,
            started_at=report.at if in_progress else None,
            finished_at=None if in_progress else report.at,
        ),
        contact=None if report.contact is None else Contact.from_dict(report.contact),
        results=tuple(
            Result(
                testcase=report.testcase,
                outcome=report.outcome,
                arch=arch,
                variant=variant,
                scenario=report.scenario,
                note=report.note,
                error_reason=report.error_reason,
            )
            for arch, variant in report.systems
        ),
        misc={"bus": _source(message)},
    )
    return replace(file, run=replace(file.run, id=_run_id(report.state, file)))


def bytes_of(file: ResultFile) -> bytes:
    """Write a result file, the same bytes for the same file."""
    return json.dumps(file.to_dict(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _run_id(state: TestState, file: ResultFile) -> RunId:
    return RunId(f"bus-{state}-{hashlib.sha256(bytes_of(file)).hexdigest()[:_DIGITS]}")


def _source(message: Message) -> dict[str, str]:
    """Give what says which message it was."""
    source = {
        "topic": message.topic,
        "id": one_line(message.id, _ID_LENGTH),
        "sent_at": one_line(message.sent_at, _TIME_LENGTH),
    }
    return {name: value for name, value in source.items() if value is not None}
