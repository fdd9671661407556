"""A small world for the gate's tests: one compose, short ways to say who reported what and when."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId, Status
from compose_repo.core.manifests.manifest import Manifest, Unreadable
from compose_repo.core.names import Arch, Origin, RunId, Scenario, Sha256, Testcase, Variant
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import Outcome, Result, ResultFile, Run
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.policy import Policy, Requirement, Waiver
from compose_repo.core.verdict.baseline import Published, conclude, remembering
from compose_repo.core.verdict.decision import Answer, Decision
from compose_repo.core.verdict.gate import decide
from compose_repo.core.verdict.refusals import RefusedReport
from compose_repo.core.verdict.unmatched import Reported

COMPOSE = ComposeId.parse("CentOS-Stream-10-20261120.0")
PUBLISHED = ComposeId.parse("CentOS-Stream-10-20261115.0")
DIGEST = Sha256("a" * 64)
POLICY_DIGEST = Sha256("b" * 64)
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
X86, ARM = Arch("x86_64"), Arch("aarch64")
BASEOS, APPSTREAM = Variant("BaseOS"), Variant("AppStream")
TWO_ARCHES: Mapping[Variant, tuple[Arch, ...]] = {BASEOS: (ARM, X86), APPSTREAM: (ARM, X86)}
ONE_ARCH: Mapping[Variant, tuple[Arch, ...]] = {BASEOS: (X86,)}
UNREADABLE: Final = Unreadable(code="metadata-truncated", message="rpms.json: the file ends too early")


def manifest(variants: Mapping[Variant, tuple[Arch, ...]] = ONE_ARCH) -> Manifest:
    return Manifest(
        compose_id=COMPOSE,
        status=Status.FINISHED,
        label=None,
        release_name=None,
        location="https://composes.example.org/",
        variants=variants,
        metadata={},
        images=(),
        packages=(),
    )


def requirement(origin: str = "rdo", testcase: str = "smoke", **fields: Any) -> Requirement:  # noqa: ANN401
    return Requirement(origin=Origin(origin), testcase=Testcase(testcase), why="It boots.", **fields)


def result(  # a result's fields
    outcome: str,
    arch: Arch = X86,
    variant: str | None = None,
    scenario: str | None = None,
    testcase: str = "smoke",
    **fields: Any,  # noqa: ANN401
) -> Result:
    return Result(
        testcase=Testcase(testcase),
        outcome=Outcome(outcome),
        arch=arch,
        variant=None if variant is None else Variant(variant),
        scenario=None if scenario is None else Scenario(scenario),
        **fields,
    )


def run(
    *results: Result,
    at: float | None = 0,
    started: float | None = None,
    origin: str = "rdo",
    run_id: str = "1",
    compose_id: ComposeId = COMPOSE,
) -> ResultFile:
    """Report results from one run; `at` and `started` are hours before now, None where the file gives no time."""
    return ResultFile(
        compose_id=str(compose_id),
        manifest_sha256=DIGEST,
        origin=Origin(origin),
        run=Run(
            id=RunId(run_id),
            url=f"https://ci.example.org/{run_id}",
            started_at=None if started is None else NOW - dt.timedelta(hours=started),
            finished_at=None if at is None else NOW - dt.timedelta(hours=at),
        ),
        results=results,
    )


def attempts(*outcomes: str) -> list[ResultFile]:
    """Report one cell again and again, an hour apart, the last one now."""
    return [
        run(result(outcome), at=len(outcomes) - number, run_id=f"{number}")
        for number, outcome in enumerate(outcomes, start=1)
    ]


def waiver(origin: str = "rdo", testcase: str = "smoke", *, expires: str = "2026-12-31", **fields: Any) -> Waiver:  # noqa: ANN401
    return Waiver(
        origin=Origin(origin),
        testcase=Testcase(testcase),
        **{
            "reason": "known bug",
            "issue": "https://issues.example.org/1",
            "by": "jdoe",
            "expires": dt.date.fromisoformat(expires),
            **fields,
        },
    )


def problem(path: str = f"composes/{COMPOSE}/results/rdo/9.json") -> Problem:
    return Problem(path=path, code=Code.NOT_JSON, message="the file ends too early", fix="write it whole")


def past(*composes: Sequence[ResultFile]) -> list[tuple[ComposeId, Sequence[ResultFile]]]:
    """Publish composes, the newest first, each with what was reported on it."""
    return [
        (ComposeId.parse(f"CentOS-Stream-10-202610{31 - number}.0"), files) for number, files in enumerate(composes)
    ]


def baseline(*files: ResultFile) -> list[tuple[ComposeId, Sequence[ResultFile]]]:
    """Publish one compose."""
    return [(PUBLISHED, files)]


def publications(composes: Iterable[tuple[ComposeId, Sequence[ResultFile]]], policy: Policy) -> Iterator[Published]:
    requirements = remembering(policy, COMPOSE.stream)
    for compose_id, files in composes:
        yield conclude(compose_id, files, requirements)


def judge(  # noqa: PLR0913  # every input of a decision
    files: Iterable[ResultFile] = (),
    *requirements: Requirement,
    variants: Mapping[Variant, tuple[Arch, ...]] = ONE_ARCH,
    waivers: Sequence[Waiver] = (),
    holds: Sequence[HoldEntry] = (),
    refused: Sequence[Problem] = (),
    refused_reports: Sequence[RefusedReport] = (),
    came: Mapping[str, int] | None = None,
    unasked: Collection[Reported] = (),
    advice: Sequence[Problem] = (),
    published: Iterable[tuple[ComposeId, Sequence[ResultFile]]] = (),
    age: float | None = 1,
    now: dt.datetime = NOW,
    unreadable: bool = False,
) -> Decision:
    """Decide; `age` is how many hours ago the merge request was opened, None if nobody knows."""
    policy = Policy(requirements=requirements or (requirement(),))
    return decide(
        manifest=replace(manifest({}), unreadable=UNREADABLE) if unreadable else manifest(variants),
        manifest_sha256=DIGEST,
        policy=policy,
        policy_sha256=POLICY_DIGEST,
        files=files,
        waivers=waivers,
        holds=holds,
        refused=refused,
        refused_reports=refused_reports,
        came=came or {},
        unasked=unasked,
        advice=advice,
        published=publications(published, policy),
        opened_at=None if age is None else now - dt.timedelta(hours=age),
        now=now,
    )


def only(decision: Decision) -> Answer:
    """Give the one answer of a decision that has one."""
    (answer,) = decision.answers
    return answer


def states(decision: Decision) -> list[str]:
    """Give each answer's cell and state, as a person would say it."""
    return [f"{answer.title}: {answer.state}" for answer in decision.answers]
