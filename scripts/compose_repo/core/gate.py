"""The gate: what a policy says of a compose's results. One pure function, `decide`, and the laws it is made of."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from compose_repo.core.compose import ComposeId
from compose_repo.core.manifest import Manifest
from compose_repo.core.names import Arch, Origin, RunId, Scenario, Sha256, Testcase, Variant
from compose_repo.core.policy import Attempts, Policy, Requirement, Waiver, format_duration
from compose_repo.core.problem import Problem
from compose_repo.core.report import as_row
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
_SEVERITY: Final = {
    outcome: rank
    for rank, outcome in enumerate(
        (
            Outcome.QUEUED,
            Outcome.RUNNING,
            Outcome.NOT_APPLICABLE,
            Outcome.SKIPPED,
            Outcome.ERROR,
            Outcome.PASSED,
            Outcome.INFO,
            Outcome.NEEDS_INSPECTION,
            Outcome.FAILED,
        )
    )
}
_BEGINNING: Final = dt.datetime.min.replace(tzinfo=dt.UTC)

Cell: TypeAlias = tuple[Scenario | None, Arch | None, Variant | None]
"""None where a report names no value, or where a requirement asks for no particular one."""


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
            "refused": list(map(as_row, self.refused)),
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
    reports = _index(files, requirements)
    past = _index(() if baseline is None else baseline.files, [line for line in requirements if line.baseline])
    in_force = _by_test(line for line in waivers if line.holds(now) and line.covers_compose(str(compose_id)))
    refused_files = Counter(_origin_of(path) for path in {problem.path for problem in refused})
    age = None if opened_at is None else now - opened_at

    answers: list[Answer] = []
    for requirement in requirements:
        origin, testcase = requirement.origin, requirement.testcase
        answers.extend(
            _answers(
                _Case(
                    requirement=requirement,
                    wanted=tuple(_wanted(requirement, manifest)),
                    reports=reports[origin][testcase],
                    past=None
                    if baseline is None or requirement.baseline is None
                    else _Past(baseline.compose_id, requirement, past[origin][testcase]),
                    waivers=in_force.get((origin, testcase), ()),
                    refused=refused_files[origin],
                    age=age,
                )
            )
        )
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
        notices=_notices(compose_id, policy, waivers, answers, now),
    )


class _Attempts:
    """The attempts at one cell that came to the same outcome: how many, when the first and the last were made.

    An attempt is made when its run finishes; one that has not finished, when it started. `run` and `result` are the
    last attempt's.
    """

    __slots__ = ("count", "first", "last", "outcome", "result", "run")

    def __init__(self, made: dt.datetime, run: Run, result: Result) -> None:
        self.outcome = result.outcome
        self.count = 1
        self.first = self.last = made
        self.run = run
        self.result = result

    def add(self, made: dt.datetime, run: Run, result: Result) -> None:
        """Count one more; names break a tie, so that the order of files never shows."""
        self.count += 1
        if made < self.first:
            self.first = made
        elif made > self.last or (made == self.last and _names_of(run, result) > _names_of(self.run, self.result)):
            self.last, self.run, self.result = made, run, result


def _names_of(run: Run, result: Result) -> tuple[str, ...]:
    return (run.id, repr(result), repr(run))


def _last(attempts: Iterable[_Attempts]) -> _Attempts:
    """Of different outcomes, the one that was made last; a tie goes to the worst."""
    return max(attempts, key=_last_order)


def _last_order(attempts: _Attempts) -> tuple[dt.datetime, int]:
    return (attempts.last, _SEVERITY[attempts.outcome])


_History: TypeAlias = dict[Outcome, _Attempts]


class _Reports:
    """Every report of one test by cell, and for each "any" the cells that it stands for."""

    __slots__ = ("_parts", "cells")

    def __init__(self) -> None:
        self.cells: dict[Cell, _History] = {}
        self._parts: dict[tuple[bool, bool, bool], dict[Cell, list[Cell]]] = {}

    def matching(self, wanted: Cell) -> Sequence[Cell]:
        """Give the cells reported that have each value asked for; None asks for no particular one.

        A report that names no value of a dimension stands for none of those that are listed.
        """
        if None not in wanted:
            return (wanted,) if wanted in self.cells else ()
        scenario, arch, variant = wanted
        left_open = (scenario is None, arch is None, variant is None)
        part = self._parts.get(left_open)
        if part is None:
            part = self._parts[left_open] = self._part(left_open)
        return part.get(wanted, ())

    def _part(self, left_open: tuple[bool, bool, bool]) -> dict[Cell, list[Cell]]:
        any_scenario, any_arch, any_variant = left_open
        part: dict[Cell, list[Cell]] = {}
        for cell in self.cells:
            scenario, arch, variant = cell
            key = (None if any_scenario else scenario, None if any_arch else arch, None if any_variant else variant)
            part.setdefault(key, []).append(cell)
        return part


_Index: TypeAlias = Mapping[str, Mapping[str, _Reports]]
"""By origin, then by testcase."""


def _index(files: Iterable[ResultFile], requirements: Iterable[Requirement]) -> _Index:
    """Sort every report that some requirement asks for into its cell."""
    index: dict[str, dict[str, _Reports]] = {}
    for requirement in requirements:
        index.setdefault(requirement.origin, {}).setdefault(requirement.testcase, _Reports())
    for file in files:
        tests = index.get(file.origin, {})
        run = file.run
        made = run.finished_at or run.started_at or _BEGINNING
        for result in file.results:
            reports = tests.get(result.testcase)
            if reports is None:
                continue
            cell = (result.scenario, result.arch, result.variant)
            history = reports.cells.get(cell)
            if history is None:
                history = reports.cells[cell] = {}
            attempts = history.get(result.outcome)
            if attempts is None:
                history[result.outcome] = _Attempts(made, run, result)
            else:
                attempts.add(made, run, result)
    return index


class _Past:
    """What was reported of one requirement's test on the baseline."""

    __slots__ = ("_passed", "_reports", "_requirement", "compose_id")

    def __init__(self, compose_id: ComposeId, requirement: Requirement, reports: _Reports) -> None:
        self.compose_id = compose_id
        self._requirement = requirement
        self._reports = reports
        self._passed: dict[Cell, bool] = {}

    def passed(self, wanted: Cell, cell: Cell) -> bool:
        """Tell whether a cell passed; one that was never reported is measured by all that was reported in its place."""
        place = cell if cell in self._reports.cells else wanted
        if place not in self._passed:
            self._passed[place] = self._all_passed(self._reports.matching(place))
        return self._passed[place]

    def _all_passed(self, cells: Sequence[Cell]) -> bool:
        findings = [_judge(self._requirement, self._reports.cells[cell]) for cell in cells]
        return bool(findings) and all(finding.state is State.PASSED for finding in findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One requirement and everything that bears on it.

    `age` is the time since the merge request was opened, None if that is not known. `waivers` are those in force for
    its test, `refused` counts the files of its origin that do not count.
    """

    requirement: Requirement
    wanted: Sequence[Cell]
    reports: _Reports
    past: _Past | None
    waivers: Sequence[Waiver]
    refused: int
    age: dt.timedelta | None


class _Finding(NamedTuple):
    """What the reports of one cell come to."""

    state: State
    reason: str = ""
    counted: _Attempts | None = None
    flaky: bool = False


def _answers(case: _Case) -> Iterator[Answer]:
    """Each value that a requirement lists must be reported; of a dimension left at "any", each value reported counts.

    A listed value without any report is missing: silence never passes.
    """
    requirement, reports = case.requirement, case.reports
    for wanted in case.wanted:
        cells = reports.matching(wanted)
        for cell in cells:
            history = reports.cells[cell]
            finding = _judge(requirement, history)
            if finding.state is not State.PASSED:
                finding = _no_regression(case, wanted, cell, _overdue(case, finding))
            yield _answer(case, cell, finding, history)
        if not cells:
            finding = _excused_in_part(case, wanted, _overdue(case, _Finding(State.MISSING, "nothing reported")))
            yield _answer(case, wanted, _no_regression(case, wanted, wanted, finding), {})


def _wanted(requirement: Requirement, manifest: Manifest) -> Iterator[Cell]:
    """Spell out the cells that a requirement lists; None stands for "any".

    "all" means each arch of the compose, and each variant that the compose has on that arch. Where there is none, one
    cell is wanted all the same: an empty list never passes.
    """
    arches: Sequence[Arch]
    match requirement.arches:
        case "all":
            arches = manifest.arches
        case "any":
            arches = ()
        case _:
            arches = requirement.arches
    scenarios: Sequence[Scenario] = () if isinstance(requirement.scenarios, str) else requirement.scenarios
    for arch in arches or (None,):
        for variant in _wanted_variants(requirement, manifest, arch) or (None,):
            for scenario in scenarios or (None,):
                yield (scenario, arch, variant)


def _wanted_variants(requirement: Requirement, manifest: Manifest, arch: Arch | None) -> Sequence[Variant]:
    match requirement.variants:
        case "all":
            return [name for name, arches in sorted(manifest.variants.items()) if arch is None or arch in arches]
        case "any":
            return ()
        case _:
            return requirement.variants


def _judge(requirement: Requirement, history: _History) -> _Finding:
    """Let the attempt that counts speak for its cell.

    A conclusive attempt always counts before one that is not: an error of the lab, a rerun in progress or a skip never
    replaces a verdict. A skip that is accepted by name is the weakest verdict. Without any verdict, an error counts
    unless a rerun is known to have started after it; what was only skipped is missing.
    """
    conclusive = [attempts for outcome, attempts in history.items() if outcome in CONCLUSIVE]
    if conclusive:
        return _judge_conclusive(requirement, conclusive)
    skips = [history[outcome] for outcome in history.keys() & NOT_RUN]
    accepted = [attempts for attempts in skips if attempts.outcome in requirement.accept]
    if accepted:
        last = _last(accepted)
        return _Finding(State.PASSED, f"{last.outcome}, which is accepted", last)
    error = history.get(Outcome.ERROR)
    reruns = [history[outcome] for outcome in history.keys() & IN_PROGRESS]
    if reruns and (error is None or _last(reruns).last > error.last):
        last = _last(reruns)
        return _Finding(State.RUNNING, last.outcome.value, last)
    if error is not None:
        why = error.result.error_reason or "no reason given"
        return _Finding(State.ERRORED, f"infrastructure error: {why}", error)
    last = _last(skips)
    return _Finding(State.MISSING, f"only {last.outcome}: that is no result", last)


def _judge_conclusive(requirement: Requirement, conclusive: Sequence[_Attempts]) -> _Finding:
    """Take the last attempt, or the worst, by the requirement's word; a tie in time goes to the worst.

    `needs_inspection`, and `info` where it is not accepted, count as failed. A pass after a failure is flaky.
    """
    good = [attempts for attempts in conclusive if attempts.outcome in requirement.accept]
    if len(good) == len(conclusive):
        return _Finding(State.PASSED, "", _last(good))
    bad = [attempts for attempts in conclusive if attempts.outcome not in requirement.accept]
    failed = _last(bad)
    passed_at = max((attempts.last for attempts in good), default=_BEGINNING)
    flaky = passed_at > min(attempts.first for attempts in bad)
    if requirement.attempts is Attempts.LATEST and passed_at > failed.last:
        return _Finding(State.PASSED, "passed after a failure", _last(good), flaky)
    reason = "" if failed.outcome is Outcome.FAILED else f"{failed.outcome} is not accepted"
    return _Finding(State.FAILED, reason, failed, flaky)


def _overdue(case: _Case, finding: _Finding) -> _Finding:
    """After the deadline, what is missing is overdue."""
    if finding.state is not State.MISSING:
        return finding
    state, reason, deadline = State.MISSING, finding.reason, case.requirement.deadline
    if case.refused:
        files = "file" if case.refused == 1 else "files"
        reason = f"{reason}; {case.refused} {files} of {case.requirement.origin} refused"
    if deadline is not None and case.age is None:
        reason = f"{reason}; when the merge request was opened is not known, so no deadline runs"
    elif deadline is not None and case.age is not None and case.age > deadline:
        state, reason = State.OVERDUE, f"{reason}; due within {format_duration(deadline)}"
    return finding._replace(state=state, reason=reason)


def _excused_in_part(case: _Case, wanted: Cell, finding: _Finding) -> _Finding:
    """Silence is never worse than the worst that could have been reported.

    Where a waiver covers some value of a dimension left at "any", a failure there would be waived, so silence past
    the deadline does not block: it stays missing, and the gate waits.
    """
    if finding.state is not State.OVERDUE:
        return finding
    for waiver in case.waivers:
        if waiver.touches_cell(*wanted) and not waiver.covers_cell(*wanted):
            return finding._replace(state=State.MISSING, reason=f"{finding.reason}; waived in part: {waiver.title}")
    return finding


def _no_regression(case: _Case, wanted: Cell, cell: Cell, finding: _Finding) -> _Finding:
    """With a baseline, only what passed in the last published compose blocks.

    What failed there too is waived. What is silent past its deadline and did not pass there stays missing: it does
    not block, and silence does not pass. Without a published compose there is no baseline, and everything blocks.
    """
    past = case.past
    if past is None or finding.state not in BLOCKING or past.passed(wanted, cell):
        return finding
    unpassed = f"it did not pass in {past.compose_id} either"
    if finding.state is State.OVERDUE:
        return finding._replace(state=State.MISSING, reason=f"{finding.reason}; {unpassed}")
    return finding._replace(state=State.WAIVED, reason=f"no regression: {unpassed}")


def _waiver(case: _Case, cell: Cell, state: State) -> Waiver | None:
    """A waiver in force covers every state but passed; of several, the one that lasts longest is named."""
    if state is State.PASSED or state is State.WAIVED:
        return None
    return next((waiver for waiver in case.waivers if waiver.covers_cell(*cell)), None)


def _answer(case: _Case, cell: Cell, finding: _Finding, history: _History) -> Answer:
    requirement, counted = case.requirement, finding.counted
    scenario, arch, variant = cell
    waiver = _waiver(case, cell, finding.state)
    return Answer(
        origin=requirement.origin,
        testcase=requirement.testcase,
        scenario=scenario,
        arch=arch,
        variant=variant,
        state=finding.state if waiver is None else State.WAIVED,
        outcome=None if counted is None else counted.outcome,
        run_id=None if counted is None else counted.run.id,
        url=None if counted is None else counted.result.url or counted.run.url,
        attempts=sum(attempts.count for attempts in history.values()),
        flaky=finding.flaky,
        waiver=waiver,
        reason=finding.reason if waiver is None else f"{finding.state}; waived: {waiver.reason}",
    )


def _verdict(answers: Sequence[Answer]) -> Verdict:
    """Any failed or overdue blocks; else any errored, running or missing waits; else it is satisfied.

    No requirement at all blocks: nobody has said what would be enough.
    """
    states = {answer.state for answer in answers}
    if not states or not states.isdisjoint(BLOCKING):
        return Verdict.BLOCKED
    return Verdict.SATISFIED if states.isdisjoint(WAITING) else Verdict.PENDING


def _summary(compose_id: ComposeId, verdict: Verdict, answers: Sequence[Answer], refused: Sequence[Problem]) -> str:
    sentence = _sentence(compose_id, verdict, answers)
    files = len({problem.path for problem in refused})
    return f"{sentence}; {files} result {'file' if files == 1 else 'files'} refused" if files else sentence


def _sentence(compose_id: ComposeId, verdict: Verdict, answers: Sequence[Answer]) -> str:
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
        return f"All {len(answers)} required passed"
    if verdict is Verdict.SATISFIED:
        parts = [f"{counts[State.PASSED]} passed", *parts]
    return f"Of {len(answers)} required, {', '.join(parts)}"


def _names(answers: Sequence[Answer], state: State) -> str:
    titles = [answer.title for answer in answers if answer.state is state]
    more = len(titles) - NAMED_AT_MOST
    return f" ({', '.join(titles[:NAMED_AT_MOST])}{f' and {more} more' if more > 0 else ''})"


def _notices(
    compose_id: ComposeId, policy: Policy, waivers: Sequence[Waiver], answers: Sequence[Answer], now: dt.datetime
) -> tuple[WaiverNotice, ...]:
    """Name the waivers for this compose that have expired, that will soon, and that nothing needs.

    A waiver for a test that is asked of other streams only is not unused: it waits for their composes.
    """
    used = {answer.waiver for answer in answers if answer.waiver is not None}
    here = {(answer.origin, answer.testcase) for answer in answers}
    elsewhere = {(line.origin, line.testcase) for line in policy.requirements} - here
    notices = []
    for waiver in sorted(waivers, key=_waiver_order):
        if not waiver.covers_compose(str(compose_id)):
            continue
        if not waiver.holds(now):
            notices.append(WaiverNotice(state=WaiverState.EXPIRED, waiver=waiver))
        elif waiver in used:
            if not waiver.holds(now + EXPIRES_SOON):
                notices.append(WaiverNotice(state=WaiverState.EXPIRES_SOON, waiver=waiver))
        elif (waiver.origin, waiver.testcase) not in elsewhere:
            notices.append(WaiverNotice(state=WaiverState.UNUSED, waiver=waiver))
    return tuple(notices)


def _by_test(waivers: Iterable[Waiver]) -> Mapping[tuple[str, str], Sequence[Waiver]]:
    """Sort waivers by what they name, the one that lasts longest first."""
    by_test: dict[tuple[str, str], list[Waiver]] = {}
    for waiver in sorted(waivers, key=_waiver_order):
        by_test.setdefault((waiver.origin, waiver.testcase), []).append(waiver)
    return by_test


def _origin_of(path: str) -> str | None:
    """Whose result file a path is: `composes/<compose_id>/results/<origin>/…`; None if it is nobody's."""
    parts = path.split("/")
    return parts[3] if len(parts) > 4 and parts[2] == "results" else None  # noqa: PLR2004  # the path above


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
    """The one that lasts longest first; every field counts, so that the order of the file never shows."""
    return (-waiver.expires.toordinal(), waiver.title, repr(waiver))
