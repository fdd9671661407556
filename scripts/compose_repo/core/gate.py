"""The gate: what a policy says of a compose's results. One pure function, `decide`, and the laws it is made of."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

from compose_repo.core.compose import ComposeId
from compose_repo.core.manifest import Manifest
from compose_repo.core.names import Arch, Origin, RunId, Scenario, Sha256, Testcase, Variant
from compose_repo.core.policy import ALL, ANY, Attempts, Policy, Requirement, Waiver
from compose_repo.core.problem import Problem
from compose_repo.core.result import IN_PROGRESS, Outcome, Result, ResultFile, Run

SCHEMA: Final = "decision/1"
EXPIRES_SOON: Final = dt.timedelta(days=7)
"""How long before its end a waiver in use is reported as soon expiring."""
NAMED_AT_MOST: Final = 3
"""How many answers a summary names; the rest are counted."""


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

CONCLUSIVE: Final = frozenset({Outcome.PASSED, Outcome.INFO, Outcome.FAILED, Outcome.NEEDS_INSPECTION})
"""Outcomes that say something of the compose; an error says something of the lab."""
NOT_RUN: Final = frozenset({Outcome.SKIPPED, Outcome.NOT_APPLICABLE})
_SEVERITY: Final = {Outcome.PASSED: 0, Outcome.INFO: 1, Outcome.NEEDS_INSPECTION: 2, Outcome.FAILED: 3}
_BEGINNING: Final = dt.datetime.min.replace(tzinfo=dt.UTC)

Cell: TypeAlias = tuple[str | None, str | None, str | None]
"""Scenario, arch, variant; None where a report names none or a requirement asks for none."""
Attempt: TypeAlias = tuple[Run, Result]
Index: TypeAlias = Mapping[tuple[str, str], Mapping[Cell, Sequence[Attempt]]]


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


class WaiverState(StrEnum):
    """Why a waiver is worth a look."""

    EXPIRED = "expired"
    EXPIRES_SOON = "expires soon"
    UNUSED = "unused"


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverNotice:
    """A waiver that names this compose and is worth a look."""

    state: WaiverState
    waiver: Waiver

    def to_dict(self) -> dict[str, Any]:
        """Give the row of `decision/1`."""
        return {"state": str(self.state), "waiver": self.waiver.to_dict()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """The last published compose of the stream and what was reported on it."""

    compose_id: ComposeId
    files: tuple[ResultFile, ...]


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
            "refused": [problem.to_dict() for problem in self.refused],
            "waivers": [notice.to_dict() for notice in self.notices],
        }


def decide(  # noqa: PLR0913  # every input of a decision is an argument: no clock, no environment
    *,
    manifest: Manifest,
    manifest_sha256: Sha256,
    policy: Policy,
    policy_sha256: Sha256,
    files: Iterable[ResultFile],
    waivers: Sequence[Waiver] = (),
    refused: Sequence[Problem] = (),
    baseline: Baseline | None = None,
    opened_at: dt.datetime | None,
    now: dt.datetime,
) -> Decision:
    """Decide whether a compose has what the policy requires of its stream.

    `opened_at` is when the merge request was opened (deadlines run from it), None if that is not known: then nothing
    is overdue, and what is missing keeps the gate pending. Files that are bound to another manifest are for the
    caller to refuse.
    """
    compose_id = manifest.compose_id
    requirements = [line for line in policy.requirements if line.applies_to(compose_id.stream)]
    wanted = frozenset((line.origin, line.testcase) for line in requirements)
    reports = _index(files, wanted)
    past = None if baseline is None else _Past(compose_id=baseline.compose_id, reports=_index(baseline.files, wanted))
    age = None if opened_at is None else now - opened_at
    in_force = [line for line in waivers if line.holds(now) and line.covers_compose(str(compose_id))]
    by_test: dict[tuple[str, str], list[Waiver]] = {}
    for line in sorted(in_force, key=_waiver_order):
        by_test.setdefault((line.origin, line.testcase), []).append(line)

    answers: list[Answer] = []
    for requirement in requirements:
        exceptions = by_test.get((requirement.origin, requirement.testcase), ())
        for answer in _answers(requirement, manifest, reports):
            answer = _overdue(answer, requirement, age)  # noqa: PLW2901  # an answer passes through each law in turn
            answer = _no_regression(answer, requirement, past, manifest)  # noqa: PLW2901
            answers.append(_waived(answer, exceptions))
    answers.sort(key=_answer_order)

    verdict = _verdict(answers)
    return Decision(
        compose_id=compose_id,
        verdict=verdict,
        summary=_summary(compose_id, verdict, answers, refused),
        manifest_sha256=manifest_sha256,
        policy_sha256=policy_sha256,
        answers=tuple(answers),
        refused=tuple(sorted(refused)),
        notices=_notices(str(compose_id), waivers, answers, now),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Past:
    compose_id: ComposeId
    reports: Index = field(repr=False)


def _index(files: Iterable[ResultFile], wanted: frozenset[tuple[str, str]]) -> Index:
    """Sort every report that some requirement asks for into its cell."""
    index: dict[tuple[str, str], dict[Cell, list[Attempt]]] = {key: {} for key in wanted}
    for file in files:
        origin, run = file.origin, file.run
        for result in file.results:
            cells = index.get((origin, result.testcase))
            if cells is not None:
                cells.setdefault((result.scenario, result.arch, result.variant), []).append((run, result))
    return index


def _answers(requirement: Requirement, manifest: Manifest, reports: Index) -> Iterator[Answer]:
    """Each value that a requirement lists must be reported; of a dimension left at "any", each value reported counts.

    A listed value without any report is missing: silence never passes.
    """
    cells = reports[requirement.origin, requirement.testcase]
    for wanted in _wanted(requirement, manifest):
        reported = [cell for cell in cells if _matches(wanted, cell)]
        for cell in reported:
            yield _judge(requirement, cell, cells[cell])
        if not reported:
            yield _answer(requirement, wanted, State.MISSING, reason="nothing reported")


def _wanted(requirement: Requirement, manifest: Manifest) -> Iterator[Cell]:
    """Spell out the cells that a requirement lists; None stands for "any".

    "all" means each arch of the compose, and each variant that the compose has on that arch. Where the manifest has
    none, one cell is wanted all the same: an empty "all" never passes.
    """
    arches: Sequence[str | None]
    match requirement.arches:
        case "all":
            arches = manifest.arches or (None,)
        case "any":
            arches = (None,)
        case _:
            arches = requirement.arches
    scenarios: Sequence[str | None] = (None,) if requirement.scenarios == ANY else requirement.scenarios
    for arch in arches:
        for variant in _wanted_variants(requirement, manifest, arch):
            for scenario in scenarios:
                yield (scenario, arch, variant)


def _wanted_variants(requirement: Requirement, manifest: Manifest, arch: str | None) -> Sequence[str | None]:
    if requirement.variants == ANY:
        return (None,)
    if requirement.variants == ALL:
        return [name for name, arches in sorted(manifest.variants.items()) if arch is None or arch in arches] or (None,)
    return requirement.variants


def _matches(wanted: Cell, cell: Cell) -> bool:
    return all(want is None or want == have for want, have in zip(wanted, cell, strict=True))


def _judge(requirement: Requirement, cell: Cell, attempts: Sequence[Attempt]) -> Answer:
    """Let the attempt that counts speak for its cell.

    A conclusive attempt always counts before one that is not: an error of the lab, a rerun in progress or a skip never
    replaces a verdict. A skip that is accepted by name is the weakest verdict. Without any verdict, an error counts
    unless a rerun started after it; what was only skipped is missing.
    """
    conclusive = [attempt for attempt in attempts if attempt[1].outcome in CONCLUSIVE]
    if conclusive:
        return _judge_conclusive(requirement, cell, attempts, conclusive)
    skipped = [attempt for attempt in attempts if attempt[1].outcome in NOT_RUN]
    accepted = [attempt for attempt in skipped if attempt[1].outcome in requirement.accept]
    if accepted:
        last = max(accepted, key=_time_order)
        return _answer(requirement, cell, State.PASSED, last, attempts, reason=f"{last[1].outcome}, which is accepted")
    errors = [attempt for attempt in attempts if attempt[1].outcome is Outcome.ERROR]
    started = [attempt for attempt in attempts if attempt[1].outcome in IN_PROGRESS]
    if errors:
        last = max(errors, key=_time_order)
        if not started or _begun(last) >= _begun(max(started, key=_start_order)):
            why = last[1].error_reason or "no reason given"
            return _answer(requirement, cell, State.ERRORED, last, attempts, reason=f"infrastructure error: {why}")
    if started:
        last = max(started, key=_start_order)
        return _answer(requirement, cell, State.RUNNING, last, attempts, reason=f"{last[1].outcome}")
    last = max(skipped, key=_time_order)
    return _answer(
        requirement, cell, State.MISSING, last, attempts, reason=f"only {last[1].outcome}: that is no result"
    )


def _judge_conclusive(
    requirement: Requirement, cell: Cell, attempts: Sequence[Attempt], conclusive: Sequence[Attempt]
) -> Answer:
    """Take the last attempt, or the worst, by the requirement's word; a tie in time goes to the worst.

    `needs_inspection`, and `info` where it is not accepted, count as failed. A pass after a failure is flaky.
    """
    good = [attempt for attempt in conclusive if attempt[1].outcome in requirement.accept]
    bad = [attempt for attempt in conclusive if attempt[1].outcome not in requirement.accept]
    of_these = bad if bad and requirement.attempts is Attempts.WORST else conclusive
    last = max(of_these, key=_time_order)
    flaky = bool(good and bad) and max(map(_finished, good)) > min(map(_finished, bad))
    outcome = last[1].outcome
    if outcome in requirement.accept:
        reason = "passed after a failure" if flaky else ""
        return _answer(requirement, cell, State.PASSED, last, attempts, flaky=flaky, reason=reason)
    reason = "" if outcome is Outcome.FAILED else f"{outcome} is not accepted"
    return _answer(requirement, cell, State.FAILED, last, attempts, flaky=flaky, reason=reason)


def _answer(  # noqa: PLR0913  # the fields of an answer, gathered in one place
    requirement: Requirement,
    cell: Cell,
    state: State,
    counted: Attempt | None = None,
    attempts: Sequence[Attempt] = (),
    *,
    flaky: bool = False,
    reason: str,
) -> Answer:
    scenario, arch, variant = cell
    run, result = (None, None) if counted is None else counted
    return Answer(
        origin=requirement.origin,
        testcase=requirement.testcase,
        scenario=None if scenario is None else Scenario(scenario),
        arch=None if arch is None else Arch(arch),
        variant=None if variant is None else Variant(variant),
        state=state,
        outcome=None if result is None else result.outcome,
        run_id=None if run is None else run.id,
        url=None if run is None or result is None else result.url or run.url,
        attempts=len(attempts),
        flaky=flaky,
        reason=reason,
    )


def _overdue(answer: Answer, requirement: Requirement, age: dt.timedelta | None) -> Answer:
    """After the deadline, what is missing is overdue."""
    if answer.state is not State.MISSING or requirement.deadline is None:
        return answer
    if age is None:
        return replace(answer, reason=f"{answer.reason}; when the merge request was opened is not known")
    if age <= requirement.deadline:
        return answer
    hours = requirement.deadline // dt.timedelta(hours=1)
    return replace(answer, state=State.OVERDUE, reason=f"{answer.reason} within {hours} hours")


def _no_regression(answer: Answer, requirement: Requirement, past: _Past | None, manifest: Manifest) -> Answer:
    """With a baseline, only what passed in the last published compose blocks.

    What failed there too is waived. What is silent past its deadline and did not pass there stays missing: it does
    not block, and silence does not pass. Without a published compose there is no baseline, and everything blocks.
    """
    if requirement.baseline is None or past is None or answer.state not in BLOCKING:
        return answer
    before = [then for then in _answers(requirement, manifest, past.reports) if _matches(answer.cell, then.cell)]
    if before and all(then.state is State.PASSED for then in before):
        return answer
    if answer.state is State.OVERDUE:
        return replace(
            answer, state=State.MISSING, reason=f"{answer.reason}; it did not pass in {past.compose_id} either"
        )
    return replace(answer, state=State.WAIVED, reason=f"no regression: it did not pass in {past.compose_id} either")


def _waived(answer: Answer, waivers: Sequence[Waiver]) -> Answer:
    """A waiver in force covers every state but passed; of several, the one that lasts longest is named."""
    if answer.state in {State.PASSED, State.WAIVED}:
        return answer
    for waiver in waivers:
        if waiver.covers_cell(*answer.cell):
            return replace(answer, state=State.WAIVED, waiver=waiver, reason=f"{answer.state}; waived: {waiver.reason}")
    return answer


def _verdict(answers: Sequence[Answer]) -> Verdict:
    """Any failed or overdue blocks; else any errored, running or missing waits; else it is satisfied.

    No requirement at all blocks: nobody has said what would be enough.
    """
    states = {answer.state for answer in answers}
    if not states or not states.isdisjoint(BLOCKING):
        return Verdict.BLOCKED
    return Verdict.SATISFIED if states.isdisjoint(WAITING) else Verdict.PENDING


def _summary(compose_id: ComposeId, verdict: Verdict, answers: Sequence[Answer], refused: Sequence[Problem]) -> str:
    if not answers:
        return f"No requirement applies to {compose_id.stream}, so nothing can be satisfied"
    counts = Counter(answer.state for answer in answers)
    named = BLOCKING if verdict is Verdict.BLOCKED else WAITING
    parts = [
        f"{counts[state]} {state}{_names(answers, state) if state in named else ''}"
        for state in (*BLOCKING, *WAITING, State.WAIVED)
        if counts[state]
    ]
    if not parts:
        sentence = f"All {len(answers)} required passed"
    elif verdict is Verdict.SATISFIED:
        sentence = f"Of {len(answers)} required, {counts[State.PASSED]} passed, {', '.join(parts)}"
    else:
        sentence = f"Of {len(answers)} required, {', '.join(parts)}"
    files = len({problem.path for problem in refused})
    return f"{sentence}; {files} result {'file' if files == 1 else 'files'} refused" if files else sentence


def _names(answers: Sequence[Answer], state: State) -> str:
    titles = [answer.title for answer in answers if answer.state is state]
    more = len(titles) - NAMED_AT_MOST
    return f" ({', '.join(titles[:NAMED_AT_MOST])}{f' and {more} more' if more > 0 else ''})"


def _notices(
    compose_id: str, waivers: Sequence[Waiver], answers: Sequence[Answer], now: dt.datetime
) -> tuple[WaiverNotice, ...]:
    """Name the waivers for this compose that have expired, that will soon, and that nothing needs."""
    used = {answer.waiver for answer in answers if answer.waiver is not None}
    notices = []
    for waiver in sorted(waivers, key=_waiver_order):
        if not waiver.covers_compose(compose_id):
            continue
        if not waiver.holds(now):
            notices.append(WaiverNotice(state=WaiverState.EXPIRED, waiver=waiver))
        elif waiver not in used:
            notices.append(WaiverNotice(state=WaiverState.UNUSED, waiver=waiver))
        elif not waiver.holds(now + EXPIRES_SOON):
            notices.append(WaiverNotice(state=WaiverState.EXPIRES_SOON, waiver=waiver))
    return tuple(notices)


def _finished(attempt: Attempt) -> dt.datetime:
    return attempt[0].finished_at or _BEGINNING


def _begun(attempt: Attempt) -> dt.datetime:
    return attempt[0].finished_at or attempt[0].started_at or _BEGINNING


def _time_order(attempt: Attempt) -> tuple[Any, ...]:
    """By end; a tie goes to the worst, then to names, so that the order of files never shows."""
    run, result = attempt
    return (_finished(attempt), _SEVERITY.get(result.outcome, 0), run.id, result.outcome, result.url or "", run.url)


def _start_order(attempt: Attempt) -> tuple[Any, ...]:
    run, result = attempt
    return (_begun(attempt), result.outcome, run.id, result.url or "", run.url)


def _answer_order(answer: Answer) -> tuple[Any, ...]:
    return (
        answer.origin,
        answer.testcase,
        answer.scenario or "",
        answer.arch or "",
        answer.variant or "",
        answer.state,
        answer.reason,
    )


def _waiver_order(waiver: Waiver) -> tuple[Any, ...]:
    """The one that lasts longest first."""
    return (-waiver.expires.toordinal(), waiver.title, waiver.issue, waiver.by, waiver.reason)
