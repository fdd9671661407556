"""What the tags of a promotion say, and what follows from it."""

import datetime as dt
import json
from typing import Any, Final

import pytest
from test_sync_plan import A, B, view

from compose_repo.core.checks import Case, Known, check
from compose_repo.core.composes.layout import Kind, Place
from compose_repo.core.forge.action import CreateTag, Promote, to_dict
from compose_repo.core.names import Sha, Sha256
from compose_repo.core.rules.hook import CommandHook, Hook, JenkinsHook, PipelineHook, hook_from_dict
from compose_repo.core.rules.policy import Mode, StreamEntry
from compose_repo.core.streams.promotion import (
    Record,
    State,
    has_ended,
    is_due,
    outcome,
    plan_claim,
    plan_end,
    records_of,
    refused,
    unknown,
)
from compose_repo.core.streams.sync import Do, Why, plan_gated, plan_promoting
from compose_repo.core.verdict.decision import Decision, Hold, Verdict

HOOK: Final = JenkinsHook(job="https://ci.example.org/job/publish")
MAIN, HEAD = Sha("a" * 40), Sha("b" * 40)
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
HELD: Final = Hold(reason="It eats discs.", issue="https://i.example.org/1", by="jdoe", until=dt.date(2026, 12, 5))
FAILED: Final = tuple(f"{number}/{what}" for number in range(1, 6) for what in ("claim", "failed"))


def refs(*names: str) -> list[str]:
    return [f"refs/tags/promotion/{A}/{name}" for name in names]


@pytest.mark.parametrize(
    ("names", "last", "state"),
    [
        ((), 0, State.DUE),
        (("1/claim",), 1, State.UNKNOWN),
        (("1/claim", "1/called"), 1, State.CALLED),
        (("1/called",), 1, State.CALLED),
        (("1/claim", "1/called", "1/ended"), 1, State.DUE),
        (("1/claim", "1/ended"), 1, State.DUE),
        (("1/claim", "1/called", "1/ended", "2/claim"), 2, State.UNKNOWN),
        (("9/claim", "9/called", "9/ended", "10/claim"), 10, State.UNKNOWN),
        (("1/claim", "1/failed"), 1, State.DUE),
        (FAILED[:-2], 4, State.DUE),
        (FAILED, 5, State.REFUSED),
        ((*FAILED[2:], "1/claim", "1/called", "1/ended"), 5, State.DUE),
        ((*FAILED, "5/ended"), 5, State.DUE),
        ((*FAILED, "5/ended", "6/claim", "6/failed"), 6, State.DUE),
        (("0/claim", "01/claim", "x/claim", "1/other", "1/claim/x", "1"), 0, State.DUE),
    ],
)
def test_tags_say_how_far_a_promotion_has_come(names: tuple[str, ...], last: int, state: State) -> None:
    records = records_of(A, [*refs(*names), f"refs/tags/promotion/{B}/7/claim", "refs/tags/other"])
    assert (records.last, records.state) == (last, state)


@pytest.mark.parametrize(
    ("names", "verdict", "due", "ended"),
    [
        ((), Verdict.SATISFIED, True, False),
        ((), Verdict.BLOCKED, False, False),
        (("1/claim",), Verdict.SATISFIED, False, False),
        (("1/claim",), Verdict.PENDING, False, False),
        (("1/claim", "1/called"), Verdict.BLOCKED, False, True),
        (("1/claim", "1/called"), None, False, False),
        (("1/claim", "1/failed"), Verdict.BLOCKED, False, False),
        (FAILED, Verdict.BLOCKED, False, True),
    ],
)
def test_what_is_due_follows_from_tags_and_verdict(
    names: tuple[str, ...], verdict: Verdict | None, *, due: bool, ended: bool
) -> None:
    records = records_of(A, refs(*names))
    assert (is_due(records, verdict), has_ended(records, verdict)) == (due, ended)


def decision() -> Decision:
    return Decision(
        compose_id=A,
        verdict=Verdict.SATISFIED,
        summary="All 2 required passed",
        manifest_sha256=Sha256("1" * 64),
        policy_sha256=Sha256("2" * 64),
        answers=(),
    )


def test_a_claim_stands_on_main_and_comes_before_the_call() -> None:
    records = records_of(A, refs("1/claim", "1/called", "1/ended"))
    claim, promote = plan_claim(
        records, HOOK, decision(), head=HEAD, web_url="https://gitlab/1", main=MAIN, at="now", nonce="n"
    )
    assert isinstance(claim, CreateTag)
    assert isinstance(promote, Promote)
    assert (claim.tag, claim.target) == (f"promotion/{A}/2/claim", MAIN)
    message = json.loads(claim.message)
    assert (message["schema"], message["record"], message["head"], message["nonce"]) == (
        "promotion/1",
        "claim",
        HEAD,
        "n",
    )
    assert len(message["decision_sha256"]) == 64
    assert dict(promote.told)["summary"] == "All 2 required passed"
    assert promote.sentence == f"call {HOOK.name} for promotion/{A}/2"
    row = to_dict(promote)
    assert (row["hook"], row["told"]["head"]) == ("the Jenkins job https://ci.example.org/job/publish", HEAD)
    assert to_dict(claim)["sentence"] == f"create tag promotion/{A}/2/claim"
    called = outcome(promote, Record.CALLED, said="HTTP 201", at="now", nonce="m")
    assert (called.tag, called.target, json.loads(called.message)["said"]) == (
        f"promotion/{A}/2/called",
        MAIN,
        "HTTP 201",
    )
    assert (unknown(promote, "x").code, refused(promote, "x").code) == ("promotion-unknown", "promotion-failed")
    assert unknown(promote, "x").path == f"promotion/{A}/2"


def test_the_end_is_of_the_last_call() -> None:
    (end,) = plan_end(records_of(A, refs("1/claim", "1/called")), main=MAIN, at="now", verdict=Verdict.BLOCKED)
    assert isinstance(end, CreateTag)
    assert end.tag == f"promotion/{A}/1/ended"
    assert json.loads(end.message)["verdict"] == "blocked"


def entry(hook: Hook | None = HOOK, mode: Mode = Mode.MIRROR) -> StreamEntry:
    return StreamEntry(stream=A.stream, composes=("c",), published="p", mode=mode, promote=hook)


@pytest.mark.parametrize(
    ("names", "verdict", "steps"),
    [
        ((), Verdict.SATISFIED, [Do.PROMOTE]),
        ((), Verdict.PENDING, []),
        (("1/claim", "1/called"), Verdict.SATISFIED, []),
        (("1/claim", "1/called"), Verdict.PENDING, [Do.RETRACT]),
        (("1/claim",), Verdict.SATISFIED, [Do.LEAVE]),
        (FAILED, Verdict.SATISFIED, [Do.LEAVE]),
    ],
)
def test_a_pass_promotes_what_has_turned(names: tuple[str, ...], verdict: Verdict, steps: list[Do]) -> None:
    seen = view(entry=entry(), opened="A")
    found = plan_promoting(seen, {A: verdict}, refs(*names))
    assert [step.do for step in found] == steps
    assert [step.problems[0].code for step in found if step.do is Do.LEAVE] in (
        [],
        ["promotion-unknown"],
        ["promotion-failed"],
    )


def test_nobody_is_called_without_a_hook_or_for_what_is_overtaken() -> None:
    verdicts = {A: Verdict.SATISFIED, B: Verdict.SATISFIED}
    assert plan_promoting(view(entry=entry(None), opened="AB"), verdicts, []) == ()
    assert [step.compose_id for step in plan_promoting(view(entry=entry(), opened="AB"), verdicts, [])] == [A, B]
    newer = view(entry=entry(), opened="A", merged="B")
    assert plan_promoting(newer, verdicts, []) == ()


def test_what_is_held_is_left_and_says_why() -> None:
    verdicts = {A: Verdict.SATISFIED, B: Verdict.SATISFIED}
    found = plan_promoting(view(entry=entry(), opened="AB"), verdicts, [], {A: HELD})
    assert [(step.do, step.compose_id, step.held) for step in found] == [(Do.LEAVE, A, HELD), (Do.PROMOTE, B, None)]
    assert found[0].reason == (
        "it is satisfied, but must not go out: held until the end of 2026-12-05 (UTC) by jdoe: It eats discs. "
        "(https://i.example.org/1)"
    )


@pytest.mark.parametrize(
    ("verdict", "names", "steps"),
    [
        (Verdict.PENDING, (), []),
        (Verdict.SATISFIED, ("1/claim", "1/called"), []),
        (Verdict.BLOCKED, ("1/claim", "1/called"), [Do.RETRACT]),
    ],
)
def test_a_hold_says_nothing_of_what_is_not_due(verdict: Verdict, names: tuple[str, ...], steps: list[Do]) -> None:
    seen = view(entry=entry(), opened="A")
    assert [step.do for step in plan_promoting(seen, {A: verdict}, refs(*names), {A: HELD})] == steps


def test_where_the_gate_leads_what_is_held_is_left_and_not_merged() -> None:
    seen = view(entry=entry(None, mode=Mode.GATING), opened="AB")
    verdicts = {A: Verdict.SATISFIED, B: Verdict.SATISFIED}
    found = plan_gated(seen, verdicts, holds={A: HELD})
    assert [(step.do, step.why) for step in found] == [(Do.LEAVE, Why.HELD), (Do.MERGE, Why.SATISFIED)]


def test_where_the_gate_leads_what_was_not_promoted_is_not_merged() -> None:
    seen = view(entry=entry(mode=Mode.GATING), opened="AB")
    verdicts = {A: Verdict.SATISFIED, B: Verdict.SATISFIED}
    assert [step.compose_id for step in plan_gated(seen, verdicts, {B})] == [B]


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        (HOOK, "the Jenkins job https://ci.example.org/job/publish"),
        (
            PipelineHook(url="https://gitlab.com", project="a/b", ref="main"),
            "the pipeline of a/b on main at https://gitlab.com",
        ),
        (CommandHook(command=("publish", "--quiet")), "the command publish"),
    ],
)
def test_a_hook_is_read_as_it_is_written(hook: Hook, name: str) -> None:
    assert (hook_from_dict(hook.to_dict()), hook.name) == (hook, name)


@pytest.mark.parametrize(
    ("promote", "codes"),
    [
        ({"jenkins": {"job": "https://ci.example.org/job/x"}}, []),
        ({"jenkins": {"job": "http://ci.example.org/job/x"}}, ["/streams/CentOS-Stream-10/promote/jenkins/job"]),
        ({"gitlab": {"url": "http://127.0.0.1:8080"}}, []),
        ({"gitlab": {"url": "http://gitlab.example.org"}}, ["/streams/CentOS-Stream-10/promote/gitlab/url"]),
        ({"command": ["x"]}, []),
    ],
)
def test_a_hook_is_called_over_tls(promote: dict[str, Any], codes: list[str]) -> None:
    stream = {"composes": "https://c.example.org/", "published": "https://m.example.org/COMPOSE_ID", "promote": promote}
    data = {"streams": {"CentOS-Stream-10": stream}}
    place = Place(path="gate/streams.toml", kind=Kind.STREAMS)
    found = check(Case(place=place, raw=b"", data=data, known=Known(), now=NOW))
    assert [problem.pointer for problem in found] == codes
