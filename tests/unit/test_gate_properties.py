"""The laws of the gate, against every policy, report, waiver and past that hypothesis can think of."""

import datetime as dt
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from gate_world import (
    APPSTREAM,
    ARM,
    BASEOS,
    COMPOSE,
    DIGEST,
    NOW,
    POLICY_DIGEST,
    X86,
    judge,
    manifest,
    past,
    publications,
    requirement,
    result,
    run,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from compose_repo.core.names import Origin, RunId, Scenario, Stream, Testcase
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import ACCEPTABLE, CONCLUSIVE, Counts, Outcome, Result, ResultFile, Run, Tried
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.policy import Attempts, Passes, Policy, Requirement, Waiver
from compose_repo.core.verdict.attempts import sorted_by_cell
from compose_repo.core.verdict.decision import BLOCKING, WAITING, Decision, State, Verdict
from compose_repo.core.verdict.finding import judge as judge_history
from compose_repo.core.verdict.finding import judge_attempts
from compose_repo.core.verdict.gate import decide
from compose_repo.core.verdict.refusals import RefusedReport

ORIGINS = st.sampled_from([*[Origin("rdo")] * 4, Origin("idm")])
TESTCASES = st.sampled_from([*[Testcase("smoke")] * 4, Testcase("full")])
REPORTED = st.sampled_from([*[Testcase("smoke")] * 4, Testcase("full"), Testcase("boot")])
ARCHES = st.sampled_from([X86, ARM])
VARIANTS = st.sampled_from([BASEOS, APPSTREAM])
SCENARIOS = st.sampled_from([Scenario("bios"), Scenario("uefi")])
HOURS = st.integers(0, 4)
MOMENTS = HOURS.map(lambda hours: NOW - dt.timedelta(hours=hours))
MEMORIES = st.integers(1, 26)
INPUTS = dict[str, Any]


def listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, min_size=1, max_size=2, unique=True).map(tuple)


REQUIREMENTS = st.builds(
    Requirement,
    origin=ORIGINS,
    testcase=TESTCASES,
    testcase_was=st.sampled_from([(), (), (Testcase("boot"),)]),
    blocking=st.sampled_from([True, True, True, False]),
    passes=st.sampled_from([None, None, Passes(passed=1, of=2), Passes(passed=2, of=3)]),
    max_attempts=st.none() | st.integers(1, 3),
    complete=st.sampled_from([None, None, 75]),
    why=st.just("It boots."),
    streams=st.sampled_from([None, (Stream("CentOS-Stream-10"),), (Stream("CentOS-Stream-9"),)]),
    arches=st.sampled_from(["all", "any"]) | listed(ARCHES),
    variants=st.sampled_from(["all", "any"]) | listed(VARIANTS),
    scenarios=st.just("any") | listed(SCENARIOS),
    accept=st.frozensets(st.sampled_from(sorted(ACCEPTABLE))).map(lambda accept: accept | {Outcome.PASSED}),
    attempts=st.sampled_from(Attempts),
    deadline=st.none() | st.integers(1, 4).map(lambda hours: dt.timedelta(hours=hours)),
    baseline=st.sampled_from([None, "published"]),
    memory=MEMORIES,
)
LISTED = st.builds(
    structs.replace,
    REQUIREMENTS,
    arches=listed(ARCHES),
    variants=listed(VARIANTS),
    scenarios=listed(SCENARIOS),
)
RESULTS = st.builds(
    Result,
    testcase=REPORTED,
    outcome=st.sampled_from(Outcome),
    arch=ARCHES,
    variant=st.none() | VARIANTS,
    scenario=st.none() | SCENARIOS,
    url=st.none() | st.sampled_from(["https://ci.example.org/a", "https://ci.example.org/b"]),
    error_reason=st.none() | st.sampled_from(["no route", "disk full"]),
    attempts=st.lists(st.builds(Tried, outcome=st.sampled_from(sorted(CONCLUSIVE | {Outcome.ERROR}))), max_size=2).map(
        tuple
    ),
    counts=st.none() | st.builds(Counts, run=st.sampled_from([10, 70, 100])),
)
RUNS = st.builds(
    Run,
    id=st.sampled_from([RunId("1"), RunId("2"), RunId("3")]),
    url=st.just("https://ci.example.org/"),
    started_at=st.none() | MOMENTS,
    finished_at=st.none() | MOMENTS,
)
FILES = st.builds(
    ResultFile,
    compose_id=st.just(str(COMPOSE)),
    manifest_sha256=st.just(DIGEST),
    origin=ORIGINS,
    run=RUNS,
    results=st.lists(RESULTS, max_size=4).map(tuple),
)
PASSED = FILES.map(
    lambda file: structs.replace(
        file, results=tuple(structs.replace(each, outcome=Outcome.PASSED) for each in file.results)
    )
)
WAIVERS = st.builds(
    Waiver,
    origin=ORIGINS,
    testcase=TESTCASES,
    reason=st.sampled_from(["a known bug", "another"]),
    issue=st.just("https://issues.example.org/1"),
    by=st.just("jdoe"),
    expires=st.integers(-2, 10).map(lambda days: NOW.date() + dt.timedelta(days=days)),
    arch=st.none() | ARCHES,
    variant=st.none() | VARIANTS,
    scenario=st.none() | SCENARIOS,
    composes=st.sampled_from([None, ("CentOS-Stream-10-*",), ("CentOS-Stream-9-*",)]),
)
HOLDS = st.builds(
    HoldEntry,
    reason=st.sampled_from(["a known bug", "another"]),
    issue=st.just("https://issues.example.org/1"),
    by=st.sampled_from(["jdoe", "roe"]),
    until=st.integers(-2, 16).map(lambda days: NOW.date() + dt.timedelta(days=days)),
    stream=st.sampled_from([None, COMPOSE.stream, Stream("CentOS-Stream-9")]),
    composes=st.sampled_from([None, ("CentOS-Stream-10-*",), ("CentOS-Stream-9-*",)]),
    exceptions=st.sampled_from([(), (str(COMPOSE),), ("CentOS-Stream-10-20261119.0",)]),
)
REFUSED = st.builds(
    Problem,
    path=st.sampled_from([f"composes/{COMPOSE}/results/{name}/9.json" for name in ("rdo", "idm", "x")]),
    code=st.just(Code.NOT_JSON),
    message=st.sampled_from(["not JSON", "too long"]),
    fix=st.just("fix it"),
)
PATHS = st.builds(
    "composes/{}/results/{}/{}.json".format, st.just(COMPOSE), ORIGINS, st.sampled_from(["1", "2", "3", "9"])
)
REFUSED_REPORTS = st.builds(
    lambda path, came: RefusedReport(origin=Origin(path.split("/")[3]), path=path, came=came),
    PATHS,
    st.integers(0, 4),
)
COMPOSES = st.lists(st.lists(FILES, max_size=2), max_size=4)
"""What was reported on each published compose, the newest first."""
WORLDS: st.SearchStrategy[INPUTS] = st.fixed_dictionaries(
    {
        "manifest": st.dictionaries(VARIANTS, listed(ARCHES)).map(manifest),
        "manifest_sha256": st.just(DIGEST),
        "policy": st.lists(REQUIREMENTS, max_size=3).map(lambda lines: Policy(requirements=tuple(lines))),
        "policy_sha256": st.just(POLICY_DIGEST),
        "files": st.lists(FILES, max_size=5),
        "waivers": st.lists(WAIVERS, max_size=3),
        "holds": st.lists(HOLDS, max_size=2),
        "refused": st.lists(REFUSED, max_size=2),
        "refused_reports": st.lists(REFUSED_REPORTS, max_size=2),
        "came": st.dictionaries(PATHS, st.integers(0, 4)),
        "composes": COMPOSES,
        "opened_at": st.none() | MOMENTS,
        "now": st.just(NOW),
    }
)
OVERDUE_WORLDS: st.SearchStrategy[INPUTS] = st.fixed_dictionaries(
    {
        "manifest": st.just(manifest({BASEOS: (X86,)})),
        "manifest_sha256": st.just(DIGEST),
        "policy": st.builds(
            Requirement,
            origin=st.just(Origin("rdo")),
            testcase=st.just(Testcase("smoke")),
            why=st.just("It boots."),
            arches=st.sampled_from(["all", "any"]),
            variants=st.sampled_from(["all", "any"]),
            scenarios=st.just("any"),
            deadline=st.just(dt.timedelta(hours=1)),
            baseline=st.sampled_from([None, "published"]),
            memory=MEMORIES,
        ).map(lambda line: Policy(requirements=(line,))),
        "policy_sha256": st.just(POLICY_DIGEST),
        "files": st.lists(FILES, max_size=1),
        "waivers": st.lists(WAIVERS, max_size=2),
        "refused": st.just([]),
        "composes": st.lists(st.lists(FILES | PASSED, max_size=2), max_size=3),
        "opened_at": st.just(NOW - dt.timedelta(days=1)),
        "now": st.just(NOW),
    }
)
"""One requirement, already late: whatever is said of silence is said here."""


def decided(world: INPUTS) -> Decision:
    composes = past(*world["composes"])
    inputs = {name: value for name, value in world.items() if name != "composes"}
    return decide(**inputs, published=publications(composes, world["policy"]))


def to_bytes(decision: Decision) -> bytes:
    return json.dumps(decision.to_dict()).encode()


def without_notices(decision: Decision) -> Decision:
    return structs.replace(decision, notices=())


def drop(world: INPUTS, unwanted: Callable[[ResultFile, Result], bool]) -> INPUTS:
    """Take results out of their files."""
    files = [
        structs.replace(file, results=tuple(each for each in file.results if not unwanted(file, each)))
        for file in world["files"]
    ]
    return {**world, "files": files}


@given(WORLDS, st.randoms(use_true_random=False))
def test_the_order_of_inputs_changes_no_byte(world: INPUTS, chance: random.Random) -> None:
    def shuffled(items: Sequence[Any]) -> list[Any]:
        return chance.sample(items, len(items))

    files = [structs.replace(file, results=tuple(shuffled(file.results))) for file in shuffled(world["files"])]
    other = {
        **world,
        "files": files,
        "waivers": shuffled(world["waivers"]),
        "holds": shuffled(world["holds"]),
        "refused": shuffled(world["refused"]),
        "refused_reports": shuffled(world["refused_reports"]),
        "composes": list(map(shuffled, world["composes"])),
    }
    assert to_bytes(decided(other)) == to_bytes(decided(world))


@given(WORLDS | OVERDUE_WORLDS, st.builds(structs.replace, FILES, results=st.lists(RESULTS, max_size=1).map(tuple)))
@settings(max_examples=4 * settings().max_examples)
def test_adding_failed_results_never_turns_blocked_into_satisfied(world: INPUTS, extra: ResultFile) -> None:
    failed = tuple(structs.replace(each, outcome=Outcome.FAILED) for each in extra.results)
    assume(failed and decided(world).verdict is Verdict.BLOCKED)
    more = {**world, "files": [*world["files"], structs.replace(extra, results=failed)]}
    assert decided(more).verdict is not Verdict.SATISFIED


@given(WORLDS, st.data())
def test_removing_what_passed_never_turns_anything_into_satisfied(world: INPUTS, data: st.DataObject) -> None:
    """Take away any one result whose outcome is `passed`: every policy accepts that one."""
    passed = [each for file in world["files"] for each in file.results if each.outcome is Outcome.PASSED]
    assume(passed and decided(world).verdict is not Verdict.SATISFIED)
    victim = data.draw(st.sampled_from(passed))
    assert decided(drop(world, lambda _, each: each is victim)).verdict is not Verdict.SATISFIED


@given(WORLDS, st.data())
def test_removing_all_of_what_is_listed_never_turns_anything_into_satisfied(world: INPUTS, data: st.DataObject) -> None:
    """Take away every report, good or bad, of one arch, variant and scenario that a requirement lists."""
    line = structs.replace(data.draw(LISTED), streams=None)
    world = {**world, "policy": Policy(requirements=(line, *world["policy"].requirements))}
    assume(decided(world).verdict is not Verdict.SATISFIED)
    values = [data.draw(st.sampled_from(each)) for each in (line.scenarios, line.arches, line.variants)]
    assert (
        decided(
            drop(
                world,
                lambda file, each: (
                    (file.origin, each.testcase) == (line.origin, line.testcase)
                    and [each.scenario, each.arch, each.variant] == values
                ),
            )
        ).verdict
        is not Verdict.SATISFIED
    )


@given(WORLDS, WAIVERS, st.integers(1, 100))
def test_an_expired_waiver_changes_nothing_but_the_notices(world: INPUTS, expired: Waiver, days: int) -> None:
    expired = structs.replace(expired, expires=NOW.date() - dt.timedelta(days=days))
    more = {**world, "waivers": [expired, *world["waivers"]]}
    assert without_notices(decided(more)) == without_notices(decided(world))


@given(WORLDS, HOLDS, st.integers(1, 100))
def test_an_expired_hold_leaves_no_trace(world: INPUTS, expired: HoldEntry, days: int) -> None:
    expired = structs.replace(expired, until=NOW.date() - dt.timedelta(days=days))
    more = {**world, "holds": [expired, *world["holds"]]}
    assert to_bytes(decided(more)) == to_bytes(decided(world))


@given(WORLDS, HOLDS)
def test_lifting_a_hold_gives_the_state_of_never_having_had_it(world: INPUTS, hold: HoldEntry) -> None:
    """All that a hold changes is that it is named: whoever takes it away finds what was there."""
    held, free = decided({**world, "holds": [hold, *world["holds"]]}), decided(world)
    assert structs.replace(held, held=free.held, hold_ends_soon=free.hold_ends_soon) == free
    named = held.held is not None and held.held != free.held
    assert not named or hold.bears_on(COMPOSE, NOW)


@given(WORLDS, st.data())
def test_silence_on_a_listed_arch_never_passes(world: INPUTS, data: st.DataObject) -> None:
    arches = world["manifest"].arches
    lines = [
        line
        for line in world["policy"].requirements
        if line.applies_to(COMPOSE.stream) and line.arches != "any" and (line.arches != "all" or arches)
    ]
    assume(lines)
    line = data.draw(st.sampled_from(lines))
    arch = data.draw(st.sampled_from(arches if line.arches == "all" else line.arches))
    silent = drop(
        {**world, "waivers": [], "refused_reports": []},
        lambda file, each: file.origin == line.origin and each.arch == arch,
    )
    decision = decided(silent)
    assert decision.verdict is not Verdict.SATISFIED
    states = {
        answer.state
        for answer in decision.answers
        if (answer.origin, answer.testcase, answer.arch) == (line.origin, line.testcase, arch)
    }
    assert states <= {State.MISSING, State.OVERDUE}
    assert states


@given(WORLDS)
def test_the_verdict_follows_from_the_answers_alone(world: INPUTS) -> None:
    decision = decided(world)
    states = {answer.state for answer in decision.answers if answer.blocking}
    if not states or states & set(BLOCKING):
        assert decision.verdict is Verdict.BLOCKED
    elif states & set(WAITING):
        assert decision.verdict is Verdict.PENDING
    else:
        assert decision.verdict is Verdict.SATISFIED


TOLD_OF_REFUSED = "was refused"


@given(WORLDS)
def test_a_waiver_changes_no_answer_but_those_that_it_covers(world: INPUTS) -> None:
    """Except for silence past a deadline: where a waiver covers a part of what is awaited, it waits again.

    Then a refused report that bears on what is left is told in place of the silence: that blocks as the silence did.
    """
    for line in world["policy"].requirements:  # of one requirement, no two answers are about one cell
        alone = {**world, "policy": Policy(requirements=(line,))}
        bare = decided({**alone, "waivers": []}).answers
        for without, answer in zip(bare, decided(alone).answers, strict=True):
            if answer.waiver is None:
                silent = without.state is State.OVERDUE
                assert answer == without or (
                    silent and (answer.state is State.MISSING or TOLD_OF_REFUSED in answer.reason)
                )
            else:
                assert answer.waiver.covers_cell(*answer.cell)
                assert without.state not in {State.PASSED, State.WAIVED}


@given(WORLDS)
def test_every_requirement_of_the_stream_is_answered(world: INPUTS) -> None:
    asked = {(line.origin, line.testcase) for line in world["policy"].requirements if line.applies_to(COMPOSE.stream)}
    assert {(answer.origin, answer.testcase) for answer in decided(world).answers} == asked


@given(WORLDS)
@settings(max_examples=settings().max_examples * 3 // 10)
def test_deciding_twice_gives_the_same_bytes(world: INPUTS) -> None:
    assert to_bytes(decided(world)) == to_bytes(decided(world))


@given(WORLDS)
def test_a_decision_without_any_result_is_never_satisfied_unless_all_is_waived(world: INPUTS) -> None:
    decision = decided({**world, "files": []})
    if decision.verdict is Verdict.SATISFIED:
        assert {answer.state for answer in decision.answers if answer.blocking} == {State.WAIVED}


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.PASSED])
@given(world=WORLDS)
@settings(max_examples=settings().max_examples // 5)
def test_only_what_is_accepted_passes(outcome: Outcome, world: INPUTS) -> None:
    lines = tuple(structs.replace(line, accept=frozenset({Outcome.PASSED})) for line in world["policy"].requirements)
    files = [
        structs.replace(
            file, results=tuple(structs.replace(each, outcome=outcome, attempts=()) for each in file.results)
        )
        for file in world["files"]
    ]
    decision = decided({**world, "policy": Policy(requirements=lines), "files": files})
    assert decision.count(State.PASSED) == 0


# Attempts


@given(WORLDS, st.lists(REQUIREMENTS, max_size=2), st.lists(FILES, max_size=3))
def test_nothing_informing_changes_a_verdict(world: INPUTS, lines: list[Requirement], files: list[ResultFile]) -> None:
    """Add informing requirements, of tests that nothing else asks for, and whatever is reported of them."""
    new = {"origin": Origin("rdo"), "testcase": Testcase("new"), "testcase_was": (), "blocking": False}
    informing = [structs.replace(line, **new) for line in lines]
    reports = [
        structs.replace(
            file,
            origin=Origin("rdo"),
            results=tuple(structs.replace(each, testcase=Testcase("new")) for each in file.results),
        )
        for file in files
    ]
    policy = Policy(requirements=(*world["policy"].requirements, *informing))
    with_them = {**world, "policy": policy, "files": [*world["files"], *reports], "came": {}}
    without = decided({**world, "came": {}})
    after = decided(with_them)
    assert after.verdict is without.verdict
    assert after.bears_on == without.bears_on
    assert [answer for answer in after.answers if answer.blocking] == [
        answer for answer in without.answers if answer.blocking
    ]


VERDICTS = st.sampled_from(sorted(CONCLUSIVE))
TRIED_AT = st.tuples(st.sampled_from(sorted(Outcome)), HOURS)


@given(
    first=st.lists(st.tuples(VERDICTS, HOURS), min_size=1, max_size=3),
    between=st.lists(TRIED_AT, max_size=2),
    later=st.lists(TRIED_AT, min_size=1, max_size=3),
    which=st.sampled_from(Attempts),
    accept=st.frozensets(st.sampled_from(sorted(ACCEPTABLE))),
)
def test_no_attempt_after_the_last_one_turns_anything_into_a_pass(
    first: list[tuple[Outcome, int]],
    between: list[tuple[Outcome, int]],
    later: list[tuple[Outcome, int]],
    which: Attempts,
    accept: frozenset[Outcome],
) -> None:
    """Law: with `max_attempts = k` no attempt after the k-th turns block or pending into pass, whatever its time."""
    line = requirement(max_attempts=len(first), attempts=which, accept=accept | {Outcome.PASSED})
    files = [
        run(result(outcome), at=hours, run_id=f"{place}")
        for place, (outcome, hours) in enumerate([*first, *between, *later])
    ]
    came = {file.path: place for place, file in enumerate(files)}
    before = judge(files[: -len(later)], line, came=came)
    assume(before.verdict is not Verdict.SATISFIED)
    assert judge(files, line, came=came).verdict is not Verdict.SATISFIED


@given(WORLDS)
def test_an_earlier_name_is_as_good_as_the_new_one(world: INPUTS) -> None:
    """Law: `testcase_was` gives the same decision as renaming the results, where a file holds one of the names."""
    everything = [*world["files"], *(file for files in world["composes"] for file in files)]
    assume(not any({"smoke", "boot"} <= {each.testcase for each in file.results} for file in everything))
    assume(all(len({each.cell for each in file.results}) == len(file.results) for file in everything))
    lines = [line for line in world["policy"].requirements if line.testcase != "boot"]
    was = tuple(
        structs.replace(line, testcase_was=(Testcase("boot"),) if line.testcase == "smoke" else ()) for line in lines
    )
    now = tuple(structs.replace(line, testcase_was=()) for line in lines)

    def renamed(files: Sequence[ResultFile]) -> list[ResultFile]:
        return [
            structs.replace(
                file,
                results=tuple(
                    structs.replace(each, testcase=Testcase("smoke")) if each.testcase == "boot" else each
                    for each in file.results
                ),
            )
            for file in files
        ]

    one = decided({**world, "policy": Policy(requirements=was)})
    other = decided(
        {
            **world,
            "policy": Policy(requirements=now),
            "files": renamed(world["files"]),
            "composes": list(map(renamed, world["composes"])),
        }
    )
    assert to_bytes(one) == to_bytes(other)


@given(st.lists(FILES, max_size=4), REQUIREMENTS)
def test_most_cells_are_judged_at_once_as_they_would_be_one_by_one(files: list[ResultFile], line: Requirement) -> None:
    line = structs.replace(line, passes=None, max_attempts=None, complete=None)
    for reports in sorted_by_cell(files, [line])[line.origin].values():
        for history in reports.cells.values():
            one, other = judge_history(line, history), judge_attempts(line, history.attempts())
            assert one._replace(tells=None) == other._replace(tells=None)
            told = [finding.tells and finding.tells() for finding in (one, other)]
            assert told[0] == told[1]


# Refused reports


@given(WORLDS, REFUSED_REPORTS)
def test_adding_a_refused_report_never_turns_anything_into_satisfied(world: INPUTS, report: RefusedReport) -> None:
    assume(decided(world).verdict is not Verdict.SATISFIED)
    more = {**world, "refused_reports": [*world["refused_reports"], report]}
    assert decided(more).verdict is not Verdict.SATISFIED


@given(WORLDS, REFUSED_REPORTS)
def test_a_refused_report_blocks_nothing_and_unblocks_nothing(world: INPUTS, report: RefusedReport) -> None:
    more = {**world, "refused_reports": [*world["refused_reports"], report]}
    assert (decided(more).verdict is Verdict.BLOCKED) == (decided(world).verdict is Verdict.BLOCKED)


@given(WORLDS)
def test_what_a_refused_report_bears_on_does_not_pass_unless_it_is_waived(world: INPUTS) -> None:
    decision = decided(world)
    held = {path.split("/")[3] for path in decision.bears_on}
    lifted = {path.split("/")[3] for path in decision.bears_on if decision.bears_on[path] == 0}
    assert not lifted
    for origin in held:
        assert {answer.state for answer in decision.answers if answer.origin == origin} != {State.PASSED}


# Baseline


CONCLUSIONS = st.sampled_from(["passed", "failed", "error", "running", "silent"])
HISTORIES = st.lists(CONCLUSIONS, max_size=6)


def with_history(now: str, history: Sequence[str], memory: int, *, late: bool) -> Decision:
    """Decide on one cell; each of the history is what a published compose came to in it, the newest first."""

    def files(outcome: str) -> list[ResultFile]:
        return [] if outcome == "silent" else [run(result(outcome, variant="BaseOS"))]

    line = requirement(
        arches=(X86,), variants=(BASEOS,), baseline="published", memory=memory, deadline=dt.timedelta(hours=1)
    )
    return judge(files(now), line, published=past(*map(files, history)), age=2 if late else 0)


def is_pass(decision: Decision) -> bool:
    return decision.verdict is Verdict.SATISFIED


def is_block(decision: Decision) -> bool:
    return decision.verdict is Verdict.BLOCKED


@given(now=CONCLUSIONS, history=HISTORIES, memory=MEMORIES, late=st.booleans(), data=st.data())
def test_what_is_unknown_in_place_of_a_failing_baseline_never_turns_block_into_pass(
    now: str, history: list[str], memory: int, data: st.DataObject, *, late: bool
) -> None:
    failing = [place for place, outcome in enumerate(history) if outcome == "failed"]
    assume(failing and is_block(with_history(now, history, memory, late=late)))
    place = data.draw(st.sampled_from(failing))
    for unknown in ("error", "running", "silent"):
        other = [*history[:place], unknown, *history[place + 1 :]]
        assert not is_pass(with_history(now, other, memory, late=late))


@given(now=CONCLUSIONS, history=HISTORIES, memory=MEMORIES, late=st.booleans(), place=st.integers(0, 6))
def test_adding_a_published_compose_in_which_the_cell_is_silent_changes_nothing(
    now: str, history: list[str], memory: int, place: int, *, late: bool
) -> None:
    for nothing in ("silent", "running", "error"):
        more = [*history[:place], nothing, *history[place:]]
        before, after = with_history(now, history, memory, late=late), with_history(now, more, memory, late=late)
        assert [answer.state for answer in after.answers] == [answer.state for answer in before.answers]


@given(now=CONCLUSIONS, history=HISTORIES, memory=MEMORIES, late=st.booleans())
def test_publishing_a_blocked_compose_changes_no_later_verdict_while_a_pass_is_remembered(
    now: str, history: list[str], memory: int, *, late: bool
) -> None:
    conclusive = [outcome for outcome in history if outcome in {"passed", "failed"}]
    assume("passed" in conclusive[: memory - 1])
    before = with_history(now, history, memory, late=late)
    assert with_history(now, ["failed", *history], memory, late=late).verdict is before.verdict


@given(now=CONCLUSIONS, history=HISTORIES, memory=MEMORIES, longer=MEMORIES, late=st.booleans())
def test_a_longer_memory_never_turns_block_into_pass(
    now: str, history: list[str], memory: int, longer: int, *, late: bool
) -> None:
    assume(longer > memory and is_block(with_history(now, history, memory, late=late)))
    assert is_block(with_history(now, history, longer, late=late))


@given(WORLDS | OVERDUE_WORLDS, RESULTS)
def test_silence_is_never_worse_than_the_worst_report(world: INPUTS, extra: Result) -> None:
    """Whoever is late and says that it failed is not better off than before."""
    failed = structs.replace(extra, outcome=Outcome.FAILED)
    file = run(failed)
    assume(decided(world).verdict is Verdict.BLOCKED)
    assert decided({**world, "files": [*world["files"], file]}).verdict is not Verdict.SATISFIED


@given(HISTORIES, MEMORIES)
def test_what_passes_passes_whatever_was_published(history: list[str], memory: int) -> None:
    assert is_pass(with_history("passed", history, memory, late=True))
