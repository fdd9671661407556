"""The gate: what a policy says of a compose's results. One pure function, `decide`, and the laws it is made of."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from compose_repo.core.composes.paths import origin_in
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Arch, Cell, Scenario, Sha256, Variant
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import ResultFile
from compose_repo.core.rules.holds import HoldEntry, hold_on
from compose_repo.core.rules.policy import Policy, Requirement, Waiver, format_duration
from compose_repo.core.rules.waivers import in_force, longest_first, notices
from compose_repo.core.verdict.attempts import Attempt, History, Reports, sorted_by_cell
from compose_repo.core.verdict.baseline import COMPARED, Past, Published, Shelf, compared
from compose_repo.core.verdict.decision import (
    BLOCKING,
    WAITING,
    Answer,
    Decision,
    Hold,
    NotCounted,
    State,
    Usual,
    Verdict,
)
from compose_repo.core.verdict.finding import Finding, judge
from compose_repo.core.verdict.refusals import Refusals, RefusedReport
from compose_repo.core.verdict.summary import summary
from compose_repo.core.verdict.unmatched import Reported, unmatched

_UNKNOWN: Final = Finding(
    State.MISSING, "which arches and variants the compose has is not known: its metadata could not be read"
)
_AWAITED: Final = frozenset({State.MISSING, State.OVERDUE})
"""States in which a deadline runs, or ran."""
NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


def decide(  # noqa: PLR0913  # every input of a decision is an argument: no clock, no environment
    *,
    manifest: Manifest,
    manifest_sha256: Sha256,
    policy: Policy,
    policy_sha256: Sha256,
    files: Iterable[ResultFile],
    waivers: Sequence[Waiver] = (),
    holds: Iterable[HoldEntry] = (),
    refused: Sequence[Problem] = (),
    refused_reports: Sequence[RefusedReport] = (),
    came: Mapping[str, int] = NOTHING,
    unasked: Collection[Reported] = (),
    published: Iterable[Published] = (),
    advice: Sequence[Problem] = (),
    opened_at: dt.datetime | None,
    now: dt.datetime,
) -> Decision:
    """Decide whether a compose has what the policy requires of its stream.

    `refused_reports` are those that nobody has taken back, `came` says of each result file's path when it came to the
    branch, on the same scale. `unasked` are results whose test no requirement names. `published` are the stream's
    published composes older than this one, newest first, concluded for `remembering(policy, stream)`; they are taken
    from the iterable only as far as needed. `opened_at` is when the merge request was opened (deadlines run from it),
    None if that is not known: then nothing is overdue, and what is missing keeps the gate pending. Files that are bound
    to another manifest are for the caller to refuse.
    """
    compose_id = manifest.compose_id
    files = tuple(files)
    requirements = [line for line in policy.requirements if line.applies_to(compose_id.stream)]
    reports = sorted_by_cell(files, requirements, came)
    shelf, remembered_so_far = Shelf(published), 0
    refusals = Refusals(refused_reports, files, came, requirements)
    covering = in_force(waivers, compose_id, now)
    refused_files = Counter(origin_in(path) for path in {problem.path for problem in refused})
    age = None if opened_at is None else now - opened_at

    answers: list[Answer] = []
    for requirement in requirements:
        origin = requirement.origin
        past = None
        if requirement.remembers:
            past = Past(requirement, remembered_so_far, shelf)
            remembered_so_far += 1
        answers.extend(
            _answers(
                _Case(
                    requirement=requirement,
                    wanted=tuple(_wanted(requirement, manifest)),
                    unknown=manifest.unreadable is not None and "all" in (requirement.arches, requirement.variants),
                    reports=reports[origin][requirement.testcase],
                    past=past,
                    waivers=_covering(requirement, covering) if covering else (),
                    refusals=refusals,
                    refused=refused_files[origin],
                    age=age,
                    due=None if opened_at is None or requirement.deadline is None else opened_at + requirement.deadline,
                )
            )
        )
    answers.sort(key=_answer_order)

    verdict = _verdict(answers)
    hold = hold_on(holds, compose_id, now)
    return Decision(
        compose_id=compose_id,
        verdict=verdict,
        held=None if hold is None else Hold.of(hold),
        hold_ends_soon=hold is not None and hold.ends_soon(now),
        summary=summary(compose_id, verdict, answers, refused),
        manifest_sha256=manifest_sha256,
        policy_sha256=policy_sha256,
        answers=tuple(answers),
        refused=tuple(sorted(refused)),
        bears_on=refusals.bears_on,
        unmatched=unmatched(answers, reports, unasked),
        advice=tuple(sorted(advice)),
        notices=notices(waivers, compose_id, policy, {answer.waiver for answer in answers}, now),
    )


def _covering(requirement: Requirement, waivers: Mapping[tuple[str, str], Sequence[Waiver]]) -> Sequence[Waiver]:
    """Give the waivers for a test, those under its earlier names among them, the one that lasts longest first."""
    found = [waiver for name in requirement.names for waiver in waivers.get((requirement.origin, name), ())]
    return sorted(found, key=longest_first) if requirement.testcase_was else found


class _Case(Struct, frozen=True, kw_only=True):
    """One requirement and everything that bears on it.

    `unknown`: it asks for all of something of which the compose's manifest does not know what there is. `age` is the
    time since the merge request was opened and `due` the deadline, None if that is not known. `waivers` are those in
    force for its test, `refused` counts the files of its origin that do not count.
    """

    requirement: Requirement
    wanted: Sequence[Cell]
    unknown: bool
    reports: Reports
    past: Past | None
    waivers: Sequence[Waiver]
    refusals: Refusals
    refused: int
    age: dt.timedelta | None
    due: dt.datetime | None


def _answers(case: _Case) -> Iterator[Answer]:
    """Each value that a requirement lists must be reported; of a dimension left at "any", each value reported counts.

    A listed value without any report is missing: silence never passes. Where it is not known which values there are,
    something is missing whatever is reported.
    """
    requirement, reports = case.requirement, case.reports
    for wanted in case.wanted:
        cells = reports.matching(wanted)
        for cell in cells:
            history = reports.cells[cell]
            usual = None if requirement.complete is None or case.past is None else case.past.usual(cell)
            finding = judge(requirement, history, usual)
            if finding.state is State.MISSING or finding.is_open:
                finding = _overdue(case, finding)
            yield _answer(case, cell, _heeded(case, cell, _compared(case, wanted, cell, finding)), history, usual)
        if not cells and not (case.unknown and wanted[1] is None):
            finding = _compared(case, wanted, None, _overdue(case, Finding(State.MISSING, "nothing reported")))
            yield _answer(case, wanted, _heeded(case, wanted, _excused_in_part(case, wanted, finding)), None)
    for scenario in dict.fromkeys(wanted[0] for wanted in case.wanted if case.unknown):
        nowhere: Cell = (scenario, None, None)
        yield _answer(case, nowhere, _heeded(case, nowhere, _overdue(case, _UNKNOWN)), None)


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


def _overdue(case: _Case, finding: Finding) -> Finding:
    """After the deadline, what is missing is overdue, and so are attempts that are still wanted."""
    state, reason, deadline = finding.state, finding.reason, case.requirement.deadline
    if case.refused:
        files = "file" if case.refused == 1 else "files"
        reason = f"{reason}; {case.refused} {files} of {case.requirement.origin} refused"
    if deadline is not None and case.age is None:
        reason = f"{reason}; when the merge request was opened is not known, so no deadline runs"
    elif deadline is not None and case.age is not None and case.age > deadline:
        state, reason = State.OVERDUE, f"{reason}; due within {format_duration(deadline)}"
    return finding._replace(state=state, reason=reason)


def _excused_in_part(case: _Case, wanted: Cell, finding: Finding) -> Finding:
    """Silence is never worse than the worst that could have been reported.

    Where a waiver covers some value of a dimension left at "any", a failure there would be waived, so silence past
    the deadline does not block: it stays missing, and the gate waits. A waiver is looked at after all else: of silence
    that does not block for another reason, such as a failing baseline, it changes nothing.
    """
    if finding.state is not State.OVERDUE:
        return finding
    for waiver in case.waivers:
        if waiver.touches_cell(*wanted) and not waiver.covers_cell(*wanted):
            return finding._replace(state=State.MISSING, reason=f"{finding.reason}; waived in part: {waiver.title}")
    return finding


def _compared(case: _Case, wanted: Cell, cell: Cell | None, finding: Finding) -> Finding:
    """Compare with what was published, where the requirement asks for it; no cell, where nothing is reported."""
    past = case.past
    if past is None or case.requirement.baseline is None or finding.state not in COMPARED:
        return finding
    return compared(finding, past.of_silence(wanted) if cell is None else past.of(wanted, cell))


def _heeded(case: _Case, cell: Cell, finding: Finding) -> Finding:
    """What was refused keeps a cell from passing."""
    return case.refusals.keep_open(case.requirement, cell, finding)


def _waiver(case: _Case, cell: Cell, state: State) -> Waiver | None:
    """A waiver in force covers every state but passed; of several, the one that lasts longest is named."""
    if state is State.PASSED:
        return None
    return next((waiver for waiver in case.waivers if waiver.covers_cell(*cell)), None)


def _answer(case: _Case, cell: Cell, finding: Finding, history: History | None, usual: Usual | None = None) -> Answer:
    requirement, counted = case.requirement, finding.counted
    scenario, arch, variant = cell
    waiver = _waiver(case, cell, finding.state)
    reason, count = finding.reason, 0 if history is None else len(history)
    if waiver is not None:
        reason = f"{finding.state}; waived: {waiver.reason}"
    if finding.tells is not None or count > 1:
        tells = f"{count} attempts" if finding.tells is None else finding.tells()
        reason = f"{reason}; {tells}" if reason else tells
    return Answer(
        origin=requirement.origin,
        testcase=requirement.testcase,
        scenario=scenario,
        arch=arch,
        variant=variant,
        blocking=requirement.blocking,
        state=finding.state if waiver is None else State.WAIVED,
        outcome=None if counted is None else counted.outcome,
        run_id=None if counted is None else counted.run.id,
        url=None if counted is None else counted.result.url or counted.run.url,
        attempts=count,
        not_counted=tuple(map(_late, finding.late)),
        flaky=finding.flaky,
        waiver=waiver,
        usual=usual,
        due=case.due if finding.is_open or finding.state in _AWAITED else None,
        reason=reason,
    )


def _late(attempt: Attempt) -> NotCounted:
    return NotCounted(outcome=attempt.outcome, run_id=attempt.run.id, url=attempt.result.url or attempt.run.url)


def _verdict(answers: Sequence[Answer]) -> Verdict:
    """Any failed or overdue blocks; else any errored, running or missing waits; else it is satisfied.

    What is known or waived neither blocks nor waits, and what only informs does nothing.

    No requirement at all blocks, and so does none that blocks: nobody has said what would be enough.
    """
    states = {answer.state for answer in answers if answer.blocking}
    if not states or not states.isdisjoint(BLOCKING):
        return Verdict.BLOCKED
    return Verdict.SATISFIED if states.isdisjoint(WAITING) else Verdict.PENDING


def _answer_order(answer: Answer) -> tuple[Any, ...]:
    return (
        answer.origin,
        answer.testcase,
        answer.scenario or "",
        answer.arch or "",
        answer.variant or "",
        not answer.blocking,
        answer.state,
        answer.reason,
    )
