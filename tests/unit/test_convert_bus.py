"""A report from the bus as a result file: whose it is, always valid, and the same for the same message."""

import datetime as dt
import hashlib
import itertools
import json
from typing import Final

import pytest
import strategies
from gate_world import BASEOS, COMPOSE, manifest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from test_event import a_report, reported

from compose_repo.core.bus.event import Message, TestReported, TestState
from compose_repo.core.convert.bus import bytes_of, origin_of, result_file
from compose_repo.core.names import Arch, Origin, Scenario, Sha256, Testcase, Variant
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import Contact, Outcome, ResultFile
from compose_repo.core.rules.policy import BusMapping, OriginEntry, Requirement
from compose_repo.core.verdict.attempts import sorted_by_cell
from compose_repo.core.verdict.decision import State
from compose_repo.core.verdict.finding import judge
from compose_repo.reading.converting import checked

NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
RDO, IDM = Origin("rdo"), Origin("idm")


def entry(origin: Origin, *mappings: tuple[str, str]) -> OriginEntry:
    rows = tuple(BusMapping(topic=topic, ci=ci) for topic, ci in mappings)
    return OriginEntry(origin=origin, name=origin, contact=Contact(email="a@example.org"), bus=rows)


REPORT: Final = reported(a_report())


@pytest.mark.parametrize(
    ("topic", "ci", "mine"),
    [
        ("org.centos.prod.ci", "RDO CI", True),
        ("org.centos.prod.ci.productmd-compose.test.complete", "RDO CI", True),
        ("org.centos.prod.c", "RDO CI", False),
        ("org.centos.stage.ci", "RDO CI", False),
        ("org.centos.prod.ci", "rdo ci", False),
    ],
)
def test_a_report_is_the_origins_whose_mapping_has_its_topic_and_its_ci_system(
    topic: str, ci: str, *, mine: bool
) -> None:
    origins = {RDO: entry(RDO, (topic, ci)), IDM: entry(IDM, ("org.centos.prod.ci", "IdM CI"))}
    if mine:
        assert origin_of(a_report(), REPORT, origins) == RDO
        return
    with pytest.raises(InputError) as caught:
        origin_of(a_report(), REPORT, origins)
    assert [problem.code for problem in caught.value.problems] == ["unknown-origin"]


def test_a_report_that_two_origins_have_a_mapping_of_is_nobodys() -> None:
    origins = {name: entry(name, ("org.centos", "RDO CI")) for name in (RDO, IDM)}
    with pytest.raises(InputError, match="rdo and idm in gate"):
        origin_of(a_report(), REPORT, origins)


def made(message: Message, report: TestReported, *, now: dt.datetime = NOW) -> ResultFile:
    digest = Sha256(hashlib.sha256(manifest().to_bytes()).hexdigest())
    return result_file(message, report, RDO, manifest_sha256=digest, now=now)


def problems(file: ResultFile, now: dt.datetime = NOW) -> list[str]:
    try:
        assert checked(file, manifest().to_bytes(), now, origins=[RDO], write=bytes_of) == bytes_of(file)
    except InputError as error:
        return [problem.code for problem in error.problems]
    return []


def test_a_report_becomes_a_result_that_says_where_it_is_from() -> None:
    file = made(a_report(), REPORT)
    data = json.loads(bytes_of(file))
    assert data["run"] == {
        "id": file.run.id,
        "url": "https://ci.example.org/8841/",
        "log_url": "https://ci.example.org/8841/log",
        "finished_at": "2026-11-20T06:32:11Z",
    }
    assert data["results"] == [
        {
            "testcase": "rdo.tempest.functional",
            "outcome": "passed",
            "arch": "x86_64",
            "variant": "BaseOS",
            "scenario": "uefi",
        }
    ]
    assert data["misc"] == {
        "bus": {
            "topic": "org.centos.prod.ci.productmd-compose.test.complete",
            "id": "m2",
            "sent_at": "2026-11-20T06:32:12+00:00",
        }
    }
    assert file.run.id.startswith("bus-complete-")
    assert problems(file) == []


def test_the_same_message_makes_the_same_file() -> None:
    assert bytes_of(made(a_report(), REPORT)) == bytes_of(made(a_report(), reported(a_report())))


@pytest.mark.parametrize("changed", [{"id": "m3"}, {"sent_at": None}, {"topic": "org.centos.x"}])
def test_another_message_makes_another_file(changed: dict[str, str | None]) -> None:
    other = structs.replace(a_report(), **changed)
    assert made(other, REPORT).path != made(a_report(), REPORT).path


def test_a_message_that_names_nothing_of_itself_makes_a_file_all_the_same() -> None:
    file = made(Message(topic="org.centos", body=None), REPORT)
    assert file.misc == {"bus": {"topic": "org.centos"}}
    assert problems(file) == []


def test_nothing_is_told_of_the_future() -> None:
    late = structs.replace(REPORT, at=NOW + dt.timedelta(minutes=6))
    with pytest.raises(InputError) as caught:
        made(a_report(), late)
    assert [problem.code for problem in caught.value.problems] == ["future-time"]
    assert problems(made(a_report(), structs.replace(REPORT, at=NOW + dt.timedelta(minutes=5)))) == []


def told(state: TestState, minute: int, outcome: Outcome) -> ResultFile:
    at = NOW - dt.timedelta(hours=1) + dt.timedelta(minutes=minute)
    return made(a_report(str(state)), structs.replace(REPORT, state=state, outcome=outcome, at=at))


QUEUED: Final = told(TestState.QUEUED, 0, Outcome.QUEUED)
RUNNING: Final = told(TestState.RUNNING, 1, Outcome.RUNNING)
ERROR: Final = told(TestState.ERROR, 2, Outcome.ERROR)
AGAIN: Final = told(TestState.RUNNING, 3, Outcome.RUNNING)
FAILED: Final = told(TestState.COMPLETE, 4, Outcome.FAILED)
PASSED: Final = told(TestState.COMPLETE, 5, Outcome.PASSED)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((QUEUED,), State.RUNNING),
        ((QUEUED, RUNNING), State.RUNNING),
        ((QUEUED, RUNNING, ERROR), State.ERRORED),
        ((QUEUED, RUNNING, ERROR, AGAIN), State.RUNNING),
        ((QUEUED, RUNNING, FAILED), State.FAILED),
        ((QUEUED, RUNNING, FAILED, PASSED), State.PASSED),
        ((FAILED, ERROR, AGAIN), State.FAILED),
    ],
)
def test_the_states_of_a_run_are_files_that_the_gate_reads_in_any_order(
    files: tuple[ResultFile, ...], expected: State
) -> None:
    assert len({file.path for file in files}) == len(files)
    requirement = Requirement(origin=RDO, testcase=REPORT.testcase, why="It works.")
    for order in itertools.permutations(files):
        cells = sorted_by_cell(order, [requirement])[RDO][REPORT.testcase].cells
        assert [judge(requirement, history).state for history in cells.values()] == [expected]


reports: Final = st.builds(
    TestReported,
    compose_id=st.just(COMPOSE),
    ci=strategies.lines,
    state=st.sampled_from(TestState),
    at=st.datetimes(min_value=dt.datetime(2000, 1, 1), max_value=dt.datetime(2026, 11, 20)).map(  # noqa: DTZ001
        lambda at: at.replace(tzinfo=dt.UTC)
    ),
    testcase=strategies.testcases.map(Testcase),
    outcome=st.just(Outcome.PASSED),
    systems=st.sampled_from([((Arch("x86_64"), BASEOS),), ((Arch("x86_64"), None), (Arch("x86_64"), BASEOS))]),
    url=strategies.links,
    scenario=st.none() | strategies.scenarios.map(Scenario),
    log_url=st.none() | strategies.links,
    note=st.none() | strategies.lines.filter(str.isprintable),
    error_reason=st.none(),
    contact=st.none() | strategies.emails.map(lambda email: {"email": email}),
)


@given(
    report=reports,
    outcome=st.sampled_from(Outcome),
    message=st.builds(
        Message,
        topic=strategies.topics,
        body=st.none(),
        id=st.none() | st.text(),
        sent_at=st.none() | st.text(st.characters(), max_size=400),
    ),
)
def test_what_is_made_of_a_message_is_always_valid(report: TestReported, outcome: Outcome, message: Message) -> None:
    file = made(message, structs.replace(report, outcome=outcome))
    assert problems(file) == []
    assert ResultFile.from_dict(json.loads(bytes_of(file))) == file
    assert made(message, structs.replace(report, outcome=outcome)) == file


def test_a_variant_that_the_compose_has_not_got_is_found_when_the_file_is_checked() -> None:
    other = structs.replace(REPORT, systems=((Arch("x86_64"), Variant("NFV")),))
    assert problems(made(a_report(), other)) == ["unknown-variant"]
