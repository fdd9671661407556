"""A message of the bus, from anybody, as a value or as every reason why it is none."""

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.bus.event import (
    STATUS_TOPICS,
    ComposeFinished,
    Message,
    Nothing,
    TestReported,
    TestState,
    compose_named,
    event_of,
    one_line,
)
from compose_repo.core.composes.compose import Status
from compose_repo.core.problems.laws import CODES
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.result import Outcome

TOPIC: Final = "org.centos.prod.ci.productmd-compose.test."
STATUS: Final[dict[str, Any]] = {
    "compose_id": "CentOS-Stream-10-20261120.0",
    "status": "FINISHED",
    "location": "https://composes.example.org/CentOS-Stream-10-20261120.0/compose",
}
TEST: Final[dict[str, Any]] = {
    "contact": {"name": "RDO CI", "team": "RDO", "email": "rdo-ci@example.org", "url": "https://ci.example.org"},
    "run": {"url": "https://ci.example.org/8841/", "log": "https://ci.example.org/8841/log"},
    "artifact": {"type": "productmd-compose", "id": "CentOS-Stream-10-20261120.0", "compose_type": "production"},
    "system": [{"architecture": "x86_64", "provider": "beaker", "variant": "BaseOS"}],
    "test": {"namespace": "rdo", "type": "tempest", "category": "functional", "result": "passed", "scenario": "uefi"},
    "generated_at": "2026-11-20T06:32:11Z",
    "version": "0.2.5",
}


def status(**changes: Any) -> Message:  # noqa: ANN401  # JSON values
    body = {name: value for name, value in {**STATUS, **changes}.items() if value is not ...}
    return Message(topic=STATUS_TOPICS[0], body=body, id="m1")


def a_report(state: str = "complete", **changes: Any) -> Message:  # noqa: ANN401  # JSON values
    """Give a message with some fields changed, `run__url` is one of run's; ... takes a field away."""
    body = copy.deepcopy(TEST)
    for name, value in changes.items():
        *path, last = name.split("__")
        table = body
        for step in path:
            table = table[step]
        if value is ...:
            del table[last]
        else:
            table[last] = value
    return Message(topic=TOPIC + state, body=body, id="m2", sent_at="2026-11-20T06:32:12+00:00")


def reported(message: Message) -> TestReported:
    event = event_of(message)
    assert isinstance(event, TestReported)
    return event


def problems(message: Message) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        event_of(message)
    return sorted((problem.pointer, problem.code) for problem in caught.value.problems)


def test_a_compose_that_has_finished_is_read() -> None:
    event = event_of(status())
    assert isinstance(event, ComposeFinished)
    assert (str(event.compose_id), event.status) == (STATUS["compose_id"], Status.FINISHED)


@pytest.mark.parametrize("word", ["STARTED", "DOOMED", "TERMINATED"])
def test_a_compose_that_has_not_finished_asks_for_nothing(word: str) -> None:
    assert event_of(status(status=word)) == Nothing(why=f"CentOS-Stream-10-20261120.0 is {word}")


@pytest.mark.parametrize("topic", ["org.centos.prod.git.push", "x", "", "a\nproductmd-compose.test.complete"])
def test_a_topic_that_nobody_listens_to_asks_for_nothing(topic: str) -> None:
    assert event_of(Message(topic=topic, body=None)) == Nothing(why="compose-repo does not read its topic")


def test_the_topics_of_status_changes_are_given() -> None:
    message = Message(topic="org.example.status", body=STATUS)
    assert isinstance(event_of(message), Nothing)
    assert isinstance(event_of(message, ["org.example.status"]), ComposeFinished)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"compose_id": ...}, ("/compose_id", "missing-field")),
        ({"compose_id": 7}, ("/compose_id", "wrong-type")),
        ({"status": "HALFWAY"}, ("/status", "wrong-value")),
        ({"status": ["FINISHED"]}, ("/status", "wrong-type")),
        ({"location": None}, ("/location", "missing-field")),
        ({"location": "https://a.example.org/\u202e"}, ("/location", "bad-form")),
    ],
)
def test_a_status_change_that_says_what_it_should_not_is_a_problem(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert problems(status(**changes)) == [expected]


OF_OTHERS: Final = [
    "MYPRODUCT-2.1-RHEL-7-20161110.t.0",
    "Fedora-27-updates-20180412.0",
    "../../evil20240501.0x",
    "CentOS-Stream-10-20261131.0",
    "not a compose\n",
    "",
    "C" * 10**6,
]


@pytest.mark.parametrize("other", OF_OTHERS)
def test_an_id_that_no_stream_could_have_asks_for_nothing(other: str) -> None:
    for message in (status(compose_id=other, status=7), a_report(artifact__id=other, generated_at=...)):
        event = event_of(message)
        assert isinstance(event, Nothing)
        assert event.why.startswith("no stream could have it: ")
        assert event.why.isprintable()


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (status(location=...), STATUS["compose_id"]),
        (status(compose_id=OF_OTHERS[0]), None),
        (status(compose_id=7), None),
        (a_report(generated_at=...), STATUS["compose_id"]),
        (a_report(artifact=7), None),
        (Message(topic=TOPIC + "complete", body={"msg": TEST}), STATUS["compose_id"]),
        (Message(topic=TOPIC + "complete", body=[]), None),
        (Message(topic="x", body=TEST), None),
    ],
)
def test_the_compose_that_a_message_is_about_is_known_whatever_else_it_says(
    message: Message, named: str | None
) -> None:
    found = compose_named(message)
    assert (None if found is None else str(found)) == named


@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_a_body_that_is_no_object_is_a_problem(body: object) -> None:
    assert problems(Message(topic=STATUS_TOPICS[0], body=body)) == [("", "wrong-type")]


def test_every_problem_of_a_message_is_told_at_once() -> None:
    found = problems(Message(topic=TOPIC + "complete", body={}))
    assert {code for _, code in found} == {"missing-field"}
    assert {pointer.split("/")[1] for pointer, _ in found} == {"artifact", "contact", "generated_at", "run", "test"}


def test_a_report_is_read() -> None:
    report = reported(a_report())
    assert report.ci == "RDO CI"
    assert report.testcase == "rdo.tempest.functional"
    assert report.outcome is Outcome.PASSED
    assert report.systems == (("x86_64", "BaseOS"),)
    assert report.scenario == "uefi"
    assert report.at == dt.datetime(2026, 11, 20, 6, 32, 11, tzinfo=dt.UTC)
    assert report.log_url == "https://ci.example.org/8841/log"
    assert report.contact == {"name": "RDO CI", "email": "rdo-ci@example.org", "url": "https://ci.example.org"}


@pytest.mark.parametrize("result", ["passed", "failed", "info", "needs_inspection", "not_applicable"])
def test_what_a_complete_test_came_to_is_its_outcome(result: str) -> None:
    assert reported(a_report(test__result=result)).outcome == result


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_test_in_progress_needs_no_result(state: str) -> None:
    report = reported(a_report(state, test__result=...))
    assert (report.outcome, report.state) == (state, TestState(state))


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_test_in_progress_on_no_arch_asks_for_nothing(state: str) -> None:
    assert event_of(a_report(state, system=...)) == Nothing(why=f"it names no arch on which a test is {state}")


@pytest.mark.parametrize("state", ["complete", "error"])
def test_a_result_on_no_arch_is_a_problem(state: str) -> None:
    assert problems(a_report(state, system=[])) == [("/system", "missing-field")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"error": {"reason": "no\x07 guest\nwas free\ud800"}}, "no guest was free"),
        ({"error": {"reason": "x" * 5000}}, "x" * 1024),
        ({"reason": "aborted"}, "aborted"),
        ({"error": "aborted"}, None),
        ({}, None),
    ],
)
def test_an_error_gives_its_reason_in_one_line(changes: dict[str, Any], reason: str | None) -> None:
    report = reported(a_report("error", **changes))
    assert (report.outcome, report.error_reason) == (Outcome.ERROR, reason)


def test_only_an_error_has_a_reason() -> None:
    assert reported(a_report(error={"reason": "none"})).error_reason is None


def test_a_system_stands_once() -> None:
    system = TEST["system"][0]
    report = reported(a_report(system=[system, system, {"architecture": "aarch64"}]))
    assert report.systems == (("x86_64", "BaseOS"), ("aarch64", None))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2020-05-12T10:47:32+0000", "2020-05-12T10:47:32+00:00"),
        ("2018-05-10 08:58:31.222602", "2018-05-10T08:58:31.222602+00:00"),
        ("2019-06-03T15:15:34.228Z", "2019-06-03T15:15:34.228000+00:00"),
        ("2026-11-20T07:32:11+01:00", "2026-11-20T06:32:11+00:00"),
    ],
)
def test_times_are_read_as_ci_systems_write_them(written: str, expected: str) -> None:
    assert reported(a_report(generated_at=written)).at.isoformat() == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-02-30T00:00:00Z", "2000-01-01T00:00:00+01:00", "2999-12-31T23:59:59-23:59", "2026"]
)
def test_what_is_no_time_is_a_problem(text: str) -> None:
    assert problems(a_report(generated_at=text)) == [("/generated_at", "bad-time")]


def test_the_name_of_the_ci_system_may_stand_where_it_once_did() -> None:
    assert reported(a_report(contact=..., ci={"name": "Old CI"})).ci == "Old CI"


def test_a_body_may_be_wrapped() -> None:
    message = a_report()
    assert event_of(Message(topic=message.topic, body={"msg": message.body})) == event_of(message)


def test_what_is_about_no_compose_asks_for_nothing() -> None:
    assert event_of(a_report(artifact={"type": "brew-build"})) == Nothing(why="it is not about a compose")


def test_what_nobody_needs_is_left_out_rather_than_refused() -> None:
    report = reported(a_report(run__log="javascript:alert(1)", contact={"name": "RDO CI", "email": "@", "url": 7}))
    assert (report.log_url, report.contact) == (None, {"name": "RDO CI"})
    assert reported(a_report(contact=..., ci={"name": "Old CI"}, run__log=...)).contact is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"run": ...}, [("/run", "missing-field"), ("/run/url", "missing-field")]),
        ({"run": []}, [("/run", "wrong-type"), ("/run/url", "missing-field")]),
        ({"run__url": "ftp://x"}, [("/run/url", "bad-link")]),
        ({"run__url": "https://user:pw@x.example.org/"}, [("/run/url", "bad-link")]),
        ({"contact__name": ""}, [("/contact/name", "out-of-bounds")]),
        ({"test__namespace": "ä"}, [("/test/namespace", "bad-form")]),
        ({"test__type": "x" * 250}, [("/test", "out-of-bounds")]),
        ({"test__result": "skipped"}, [("/test/result", "wrong-value")]),
        ({"test__scenario": " "}, [("/test/scenario", "bad-form")]),
        ({"system": {}}, [("/system", "wrong-type")]),
        ({"system": [None]}, [("/system", "missing-field")]),
        ({"system": [7]}, [("/system/0", "wrong-type")]),
        ({"system": [{}] * 101}, [("/system", "out-of-bounds")]),
        ({"system": [{"architecture": "../x"}]}, [("/system/0/architecture", "bad-form")]),
        ({"system": [{"architecture": "x86_64", "variant": 10**5000}]}, [("/system/0/variant", "wrong-type")]),
        ({"artifact__id": float("nan")}, [("/artifact/id", "wrong-type")]),
    ],
)
def test_a_report_that_says_what_it_should_not_is_a_problem(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert problems(a_report(**changes))[: len(expected)] == expected


json_values: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
def test_whatever_a_message_holds_is_an_event_or_problems_with_codes(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([*TestState, "status"]))
    body = copy.deepcopy(STATUS if kind == "status" else TEST)
    for _ in range(data.draw(st.integers(0, 4))):
        table = data.draw(st.sampled_from([body, *(part for part in body.values() if isinstance(part, dict))]))
        if table:
            table[data.draw(st.sampled_from(sorted(table)))] = data.draw(json_values)
    topic = STATUS_TOPICS[0] if kind == "status" else TOPIC + kind
    found: tuple[Problem, ...] = ()
    try:
        event_of(Message(topic=topic, body=data.draw(st.just(body) | json_values), id=data.draw(st.none() | st.text())))
    except InputError as error:
        found = error.problems
    assert {problem.code for problem in found} <= CODES.keys()
    assert all(problem.path.isprintable() and problem.message.isprintable() for problem in found)


@given(text=st.text(), most=st.integers(1, 20))
def test_one_line_is_one_line(text: str, most: int) -> None:
    line = one_line(text, most)
    assert line is None or (0 < len(line) <= most and line.isprintable() and line == line.strip())


def test_only_a_text_makes_a_line() -> None:
    assert one_line(7, 10) is None


def test_real_messages_are_read(shared_data: Path) -> None:
    """The samples are those of the schemas of Fedora CI, and of pungi."""
    events = shared_data / "events"
    pungi = json.loads((events / "pungi.compose.status.change.json").read_text())
    event = event_of(Message(topic=pungi["topic"], body=pungi["body"]), [pungi["topic"]])
    assert isinstance(event, ComposeFinished)
    assert (str(event.compose_id), event.status) == ("Fedora-Rawhide-20180426.n.0", Status.FINISHED_INCOMPLETE)
    sample = json.loads((events / "fedora-ci" / "compose_message_v2.json").read_text())
    sample["body"]["msg"]["artifact"]["id"] = "CentOS-Stream-9-20200512.1"  # that of the sample is no compose id
    report = reported(Message(topic=TOPIC + "complete", body=sample["body"]))
    assert (report.ci, report.testcase, report.scenario) == ("RTT CI", "rtt.installability.validation", "BaseOS x86_64")
