"""The outputs of one decision agree: JSON, text, the note, and the sentence that status, bus and report carry."""

import json
import re
from collections import Counter

import pytest
from gate_world import COMPOSE, judge, problem, requirement, result, run
from test_decision_text import ORIGINS, every_state, text
from test_plan import GATE, merge_request

from compose_repo.core.bus.announcement import change_of
from compose_repo.core.forge.action import SetStatus
from compose_repo.core.forge.forge import Note
from compose_repo.core.names import Origin, Sha
from compose_repo.core.plan.labels import USUAL
from compose_repo.core.plan.plan import Judged, plan_approve
from compose_repo.core.streams.sync import Do, Step, Why
from compose_repo.core.streams.sync_report import Outcome, Row
from compose_repo.core.verdict.decision import Decision, State
from compose_repo.core.verdict.refusals import RefusedReport
from compose_repo.words.decision_note import decision_markdown


def held_open() -> Decision:
    """Keep what passed from passing: the state that another file of the same origin brings."""
    report = RefusedReport(origin=Origin("rdo"), path=problem().path, came=5)
    return judge([run(result("passed"))], requirement(), refused=[problem()], refused_reports=[report])


DECISIONS = pytest.mark.parametrize("decision", [every_state(), held_open(), judge([]), judge([run(result("passed"))])])


def states_of_json(decision: Decision) -> Counter[tuple[str, str, str]]:
    document = json.loads(json.dumps(decision.to_dict()))
    return Counter((row["origin"], row["testcase"], row["state"]) for row in document["answers"])


@DECISIONS
def test_the_text_has_the_states_of_the_document(decision: Decision) -> None:
    words = "|".join(State)
    rows = re.findall(rf"^({words}) +(\S+) +(\S+)", text(decision, every=True), flags=re.MULTILINE)
    assert Counter((origin, testcase, state) for state, origin, testcase in rows) == states_of_json(decision)


@DECISIONS
def test_the_note_has_the_states_of_the_document(decision: Decision) -> None:
    rows = re.findall(r"^\| (\w+) \| (\w+) \| \[?(\w+)", decision_markdown(decision, ORIGINS), flags=re.MULTILINE)
    found = Counter((origin, testcase, state) for state, origin, testcase in rows if state != "State")
    assert found == states_of_json(decision)


@DECISIONS
def test_the_sentence_counts_the_states_of_the_document(decision: Decision) -> None:
    said = {state: int(count) for count, state in re.findall(r"(\d+) (\w+)(?: \(|,|;|$)", decision.summary)}
    counts = Counter(state for (_, _, state), number in states_of_json(decision).items() for _ in range(number))
    if "All" in decision.summary:
        assert set(counts) == {"passed"}
    else:
        told = {state: count for state, count in said.items() if state in set(State)}
        assert told | {"passed": counts["passed"]} == dict(counts) | {"passed": counts["passed"]}


@DECISIONS
def test_status_bus_and_report_carry_that_sentence_and_verdict(decision: Decision) -> None:
    judged = Judged(
        head=Sha("a" * 40), told_of=Sha("a" * 40), verdict=decision.verdict, summary=decision.summary, note="n"
    )
    line = merge_request()
    plan = plan_approve(
        COMPOSE, merge_request=line, judged=judged, me=GATE, approved_by=frozenset(), statuses=[], notes=[], names=USUAL
    )
    [status] = [action for action in plan if isinstance(action, SetStatus)]
    change = change_of(
        COMPOSE,
        merge_request=line,
        note=Note(id=1, author_id=GATE.id, body=""),
        verdict=decision.verdict,
        summary=decision.summary,
        decision_sha256=decision.sha256,
    )
    row = Row(
        step=Step(do=Do.JUDGE, compose_id=COMPOSE, why=Why.IS_OPEN),
        outcome=Outcome.CHANGED,
        verdict=decision.verdict,
        summary=decision.summary,
        decision_sha256=decision.sha256,
    ).to_dict()
    assert change is not None
    message = change.to_dict()
    assert {status.description, message["summary"], row["summary"]} == {decision.summary}
    assert {message["new"], row["verdict"]} == {str(decision.verdict)}
    assert {message["decision_sha256"], row["decision_sha256"]} == {decision.sha256}
