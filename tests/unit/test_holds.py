"""Holds: which composes they hold, from when to when, and which of several is named."""

import datetime as dt
import json
import time
from collections.abc import Sequence
from random import Random

import pytest
from gate_world import COMPOSE, NOW, judge, result, run
from hypothesis import given
from hypothesis import strategies as st
from strategies import schema

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.names import Stream
from compose_repo.core.rules.holds import HoldEntry, entries_on, hold_on, holds_from_dict, is_stream, row_of
from compose_repo.core.verdict.decision import Decision, Hold

OTHER = ComposeId.parse("CentOS-Stream-9-20261120.0")
STREAM = COMPOSE.stream


def hold(until: str = "2026-11-25", *, excepted: Sequence[object] = (), **fields: object) -> HoldEntry:
    data = {"reason": "It eats discs.", "issue": "https://issues.example.org/1", "by": "jdoe", "until": until}
    where = {} if "composes" in fields else {"stream": STREAM}
    return HoldEntry.from_dict({**where, **data, "except": list(map(str, excepted)), **fields})


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("entry", "held"),
    [
        (hold(), [True, False]),
        (hold(stream="CentOS-Stream-9"), [False, True]),
        (hold(composes=["CentOS-Stream-10-*"]), [True, False]),
        (hold(composes=["*.0"]), [True, True]),
        (hold(composes=["x", "CentOS-Stream-9-20261120.0"]), [False, True]),
        (hold(composes=["CentOS-Stream-9-20261120"]), [False, False]),
        (hold(excepted=[COMPOSE]), [False, False]),
        (hold(composes=["*"], excepted=[OTHER]), [True, False]),
        (hold(excepted=["CentOS-Stream-10-20261120.1"]), [True, False]),
    ],
)
def test_a_hold_is_on_a_stream_or_on_patterns_but_for_its_exceptions(entry: HoldEntry, held: list[bool]) -> None:
    assert [entry.bears_on(compose_id, NOW) for compose_id in (COMPOSE, OTHER)] == held


@pytest.mark.parametrize(
    ("moment", "in_force", "ends_soon"),
    [
        ("2026-11-10T23:59:59Z", False, False),
        ("2026-11-11T00:00:00Z", True, False),
        ("2026-11-11T01:00:00+02:00", False, False),
        ("2026-11-24T23:59:59Z", True, False),
        ("2026-11-25T00:00:00Z", True, True),
        ("2026-11-25T23:59:59Z", True, True),
        ("2026-11-26T01:00:00+02:00", True, True),
        ("2026-11-26T00:00:00Z", False, False),
    ],
)
def test_a_hold_lasts_to_the_end_of_its_day_and_begins_at_most_14_days_before(
    moment: str, *, in_force: bool, ends_soon: bool
) -> None:
    entry, now = hold("2026-11-25"), at(moment)
    assert (entry.is_in_force(now), entry.ends_soon(now)) == (in_force, ends_soon)
    assert entry.bears_on(COMPOSE, now) is in_force


def test_the_first_days_of_the_calendar_have_no_day_14_days_before() -> None:
    assert hold("0001-01-03").first_day == dt.date(1, 1, 1)


def test_a_hold_is_called_by_what_it_holds() -> None:
    assert [hold().title, hold(composes=["a*", "b*"]).title] == ["CentOS-Stream-10", "a*, b*"]


def test_of_several_holds_the_one_that_lasts_longest_is_named() -> None:
    holds = [hold("2026-11-22"), hold("2026-11-24", by="b"), hold("2026-12-31"), hold("2026-11-24", by="a")]
    named = [hold_on(order, COMPOSE, NOW) for order in (holds, holds[::-1])]
    assert named == [holds[1], holds[1]]


def test_where_nothing_is_held_no_hold_is_named() -> None:
    assert hold_on([hold("2026-11-20"), hold(stream="CentOS-Stream-9")], COMPOSE, NOW) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("CentOS-Stream-10", True),
        ("Fedora-Rawhide", True),
        ("CentOS-Stream-10-20261120.0", False),
        ("CentOS-Stream-10-*", False),
        ("CentOS-Stream", False),
        ("", False),
    ],
)
def test_a_stream_is_told_from_a_compose_and_a_pattern(text: str, *, wanted: bool) -> None:
    assert is_stream(text) is wanted


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["A-1"], [0, 3]),
        (["x*"], [2]),
        (["y*", "x*"], [1]),
        (["x*", "y*"], [1]),
        (["A-1", "x*"], []),
        (["y*"], []),
    ],
)
def test_an_entry_is_found_by_just_what_it_holds(words: list[str], found: list[int]) -> None:
    rows: list[dict[str, object]] = [
        {"stream": "A-1"},
        {"composes": ["x*", "y*"]},
        {"composes": ["x*"]},
        {"stream": "A-1", "until": "2026-12-01"},
    ]
    assert entries_on(rows, words) == found


def test_a_row_for_a_file_has_a_date_and_reads_back_as_the_entry() -> None:
    entry = hold(composes=["x*"], excepted=[COMPOSE])
    row = row_of(entry)
    assert row["until"] == dt.date(2026, 11, 25)
    assert list(row) == ["composes", "except", "reason", "issue", "by", "until"]
    assert HoldEntry.from_dict({**row, "until": "2026-11-25"}) == entry


def test_the_file_may_have_no_hold() -> None:
    assert holds_from_dict({"schema": "holds/1"}) == ()


@pytest.mark.parametrize("outcome", ["passed", "failed", "running"])
def test_a_hold_is_named_beside_a_verdict_that_it_leaves_alone(outcome: str) -> None:
    files = [run(result(outcome))]
    free, held = judge(files), judge(files, holds=[hold()])
    assert held.held == Hold(
        reason="It eats discs.", issue="https://issues.example.org/1", by="jdoe", until=dt.date(2026, 11, 25)
    )
    assert (held.verdict, held.answers, held.summary) == (free.verdict, free.answers, free.summary)
    assert held.to_dict() == {
        **free.to_dict(),
        "held": {
            "reason": "It eats discs.",
            "issue": "https://issues.example.org/1",
            "by": "jdoe",
            "until": "2026-11-25",
        },
    }


def test_a_hold_is_part_of_the_digest_but_its_reason_is_not() -> None:
    digests = [judge(holds=holds).sha256 for holds in ([], [hold()], [hold(reason="Another.")], [hold("2026-11-24")])]
    assert (digests[1] == digests[2], len(set(digests))) == (True, 3)


@pytest.mark.parametrize(("until", "soon"), [("2026-11-21", True), ("2026-11-22", False)])
def test_a_decision_knows_that_its_hold_ends_within_a_day(until: str, *, soon: bool) -> None:
    assert judge(holds=[hold(until)]).hold_ends_soon is soon


def told(decision: Decision) -> str:
    return json.dumps(decision.to_dict())


DAYS = st.integers(-3, 20).map(lambda days: (NOW.date() + dt.timedelta(days=days)).isoformat())
HOLDS = st.builds(
    lambda until, where, excepted, by: HoldEntry.from_dict(
        {
            "reason": "r",
            "issue": "https://i.example.org",
            "by": by,
            "until": until,
            **where,
            **({"except": excepted} if excepted else {}),
        }
    ),
    DAYS,
    st.sampled_from(
        [{"stream": STREAM}, {"stream": Stream("A-1")}, {"composes": ["*-2026112?.0"]}, {"composes": ["A-*"]}]
    ),
    st.sampled_from([[], [str(COMPOSE)], [str(OTHER)]]),
    st.sampled_from(["jdoe", "roe"]),
)


@given(st.lists(HOLDS, max_size=4), st.randoms())
def test_the_order_of_holds_changes_nothing(holds: list[HoldEntry], random: Random) -> None:
    shuffled = random.sample(holds, len(holds))
    assert told(judge(holds=holds)) == told(judge(holds=shuffled))


@given(st.lists(HOLDS, max_size=3), HOLDS)
def test_what_does_not_bear_on_a_compose_leaves_no_trace(holds: list[HoldEntry], another: HoldEntry) -> None:
    if not another.bears_on(COMPOSE, NOW):
        assert judge(holds=[another, *holds]) == judge(holds=holds)


@given(st.lists(HOLDS, min_size=1, max_size=3))
def test_a_compose_is_held_as_long_as_any_hold_bears_on_it(holds: list[HoldEntry]) -> None:
    held = judge(holds=holds).held
    assert (held is not None) is any(entry.bears_on(COMPOSE, NOW) for entry in holds)


@pytest.mark.parametrize(
    ("compose_id", "day", "held"),
    [
        ("CentOS-Stream-10-20261120.0", "2026-11-25", True),
        ("CentOS-Stream-10-20261121.0", "2026-11-25", False),
        ("CentOS-Stream-10-20261120.0", "2026-12-06", False),
        ("CentOS-Stream-9-20261120.0", "2026-12-02", True),
        ("CentOS-Stream-9-20261120.0", "2026-12-03", False),
        ("CentOS-Stream-9-20261201.0", "2026-12-02", False),
    ],
)
def test_the_example_of_the_page_holds_what_it_says(compose_id: str, day: str, *, held: bool) -> None:
    """docs/policy.md shows it as TOML; tests/unit/test_gate_page.py sees that it does."""
    holds = holds_from_dict(schema("holds")["examples"][0])
    found = hold_on(holds, ComposeId.parse(compose_id), at(f"{day}T12:00:00Z"))
    assert (found is not None) is held


def test_an_entry_is_written_without_what_it_does_not_say() -> None:
    said = {"reason": "It eats discs.", "issue": "https://issues.example.org/1", "by": "jdoe", "until": "2026-11-25"}
    assert hold().to_dict() == {"stream": "CentOS-Stream-10", **said}
    composes = {"composes": ["x*"], "except": [str(COMPOSE)]}
    assert hold(composes=["x*"], excepted=[COMPOSE]).to_dict() == {**composes, **said}


def test_a_day_ends_by_utc_wherever_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        monkeypatch.setenv("TZ", "XXX-14")
        time.tzset()
        assert hold("2026-11-25").is_in_force(at("2026-11-25T23:00:00Z"))
    finally:
        monkeypatch.undo()
        time.tzset()
