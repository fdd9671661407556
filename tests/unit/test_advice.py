"""Rules that age: what is advice, what is a problem because a change brings it, and what is neither."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose_ids, patterns

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.advice import ADVICE, Row, Rules, advise
from compose_repo.core.rules.policy import Waiver
from compose_repo.ports.tree import GivenTree
from compose_repo.reading.inspection import InspectedGate, inspect_gate

NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
BASE: Final = Path(__file__).resolve().parents[1] / "examples" / "base" / "gate"
STREAMS: Final = ("CentOS-Stream-9", "CentOS-Stream-10")
BARE: Final = {"contact": {"email": "a@b"}}
EXPLAINED: Final = {"contact": {"email": "a@b", "docs": "https://docs.example.org/"}}


def waiver(expires: str = "2026-12-01", **fields: object) -> dict[str, Any]:
    row = {"origin": "rdo", "testcase": "t", "reason": "r", "issue": "https://i", "by": "b", "expires": expires}
    return row | fields


def hold(until: str = "2026-12-01", *, excepted: Sequence[str] = (), **fields: object) -> dict[str, Any]:
    where = {} if "composes" in fields else {"stream": "CentOS-Stream-10"}
    return where | {"reason": "r", "issue": "https://i", "by": "b", "until": until, "except": excepted} | fields


def requirement(origin: str = "rdo", testcase: str = "t", **fields: object) -> dict[str, Any]:
    return {"origin": origin, "testcase": testcase, "why": "It boots."} | fields


def told(rows: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(row.pointer, row.code) for row in rows]


def advice(rules: Rules, now: dt.datetime = NOW) -> list[tuple[str, str]]:
    problems, rows = advise(rules, now)
    assert problems == []
    return told(rows)


def test_a_waiver_expires_with_the_end_of_its_day() -> None:
    rules = Rules(waivers=[waiver("2026-11-20"), waiver("2026-11-21")])
    assert advice(rules) == [("/waiver/0/expires", "waiver-expired")]


@pytest.mark.parametrize(
    ("hour", "count"), [("2026-11-20T23:59:59+00:00", 0), ("2026-11-21T01:30:00+02:00", 0), ("2026-11-21T00:00Z", 1)]
)
def test_a_day_ends_by_utc(hour: str, count: int) -> None:
    assert len(advice(Rules(waivers=[waiver("2026-11-20")]), dt.datetime.fromisoformat(hour))) == count


def test_a_waiver_whose_last_day_is_not_in_the_calendar_is_left_to_its_problem() -> None:
    assert advice(Rules(waivers=[waiver("2026-02-30"), waiver("2026-02-28")])) == [
        ("/waiver/1/expires", "waiver-expired")
    ]


def can_match(pattern: str, streams: tuple[str, ...] = STREAMS) -> bool:
    return advice(Rules(waivers=[waiver(composes=[pattern])], streams=streams)) == []


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "?entOS-*",
        "[Cc]entOS-Stream-*",
        "C*",
        "CentOS-Stream-1*",
        "CentOS-Stream-10-*",
        "CentOS-Stream-10-2026112[0-5].*",
        "CentOS-Stream-10?2026*",
        "CentOS-Stream-9-20261120.0",
        "CentOS-Stream-9-20261120.d.0",
    ],
)
def test_a_pattern_that_could_match_is_left_alone(pattern: str) -> None:
    assert can_match(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "Centos-Stream-10-*",
        "CentOS-Stream-8-*",
        "CentOS-Stream-100-*",
        "CentOS-Stream-10.1*",
        "RHEL-[0-9]",
        "D*",
        "CentOS-Stream-10-20261120",
        "CentOS-Stream-10-20261120.",
        "CentOS-Stream-10-20261131.0",
        "CentOS-Stream-8-20261120.0",
        "CentOS-Stream-10",
    ],
)
def test_a_pattern_that_cannot_match_is_named(pattern: str) -> None:
    assert not can_match(pattern)


@given(patterns | compose_ids.map(str), compose_ids)
def test_what_matches_a_compose_of_a_followed_stream_is_never_named(pattern: str, compose_id: ComposeId) -> None:
    row = waiver(composes=[pattern])
    if Waiver.from_dict(row).covers_compose(str(compose_id)):
        assert can_match(pattern, (compose_id.stream, "Other-1"))


@given(st.lists(st.sampled_from("C9-*?0"), min_size=1, max_size=8).map("".join))
def test_a_short_pattern_is_named_only_where_it_matches_no_compose(pattern: str) -> None:
    """Every compose that these characters could spell is one of two streams, over two days."""
    composes = [f"C-{version}-{day}.0" for version in ("9", "0") for day in ("20000909", "99990909")]
    covered = Waiver.from_dict(waiver(composes=[pattern])).covers_compose
    assert can_match(pattern, ("C-9", "C-0")) or not any(map(covered, composes))


def test_each_pattern_of_each_waiver_is_named() -> None:
    rules = Rules(
        waivers=[waiver(), waiver(composes=["x", "*", "y"]), waiver(composes=["z"])], streams=("CentOS-Stream-10",)
    )
    assert [pointer for pointer, _ in advice(rules)] == [
        "/waiver/1/composes/0",
        "/waiver/1/composes/2",
        "/waiver/2/composes/0",
    ]


def test_nothing_is_said_of_patterns_where_streams_are_not_known() -> None:
    assert advice(Rules(waivers=[waiver(composes=["x"])])) == []


@pytest.mark.parametrize(
    ("streams", "example"),
    [
        ((), "no stream is listed"),
        (("B-2", "A-1"), "A-1-*, B-2-*"),
        (tuple(f"A-{number}" for number in range(5)), "A-0-*, A-1-*, A-2-*, A-3-*, A-4-*"),
        (tuple(f"A-{number}" for number in range(6)), "A-0-*, A-1-*, A-2-*, A-3-*, A-4-*, …"),
    ],
)
def test_a_few_streams_are_shown_for_example(streams: tuple[str, ...], example: str) -> None:
    [row] = advise(Rules(waivers=[waiver(composes=["x"])], streams=streams), NOW)[1]
    assert row.fix == f"correct the pattern ({example}), or add the stream there"


def test_each_requirement_of_an_origin_without_docs_is_named() -> None:
    rules = Rules(
        requirements=[requirement(), requirement("idm"), requirement(testcase="u")],
        origins={"rdo": BARE, "idm": EXPLAINED, "other": BARE},
    )
    assert advice(rules) == [("/requirement/0/origin", "no-docs"), ("/requirement/2/origin", "no-docs")]


@pytest.mark.parametrize("origins", [None, {}, {"idm": BARE}])
def test_nothing_is_said_of_docs_where_the_origin_is_not_known(origins: Mapping[str, Row] | None) -> None:
    assert advice(Rules(requirements=[requirement()], origins=origins)) == []


def test_a_requirement_that_blocks_says_why() -> None:
    blocking = {key: value for key, value in requirement().items() if key != "why"}
    rules = Rules(requirements=[requirement(), blocking, {**blocking, "mode": "informing"}])
    assert advice(rules) == [("/requirement/1", "no-why")]


def test_nothing_is_said_of_docs_where_the_requirement_only_informs() -> None:
    assert advice(Rules(requirements=[{**requirement(), "mode": "informing"}], origins={"rdo": BARE})) == []


def test_of_rules_of_which_nothing_is_known_nothing_is_said() -> None:
    assert advice(Rules()) == []


AGED: Final = Rules(
    requirements=[{key: value for key, value in requirement().items() if key != "why"}],
    waivers=[waiver("2026-11-01"), waiver(composes=["x"])],
    holds=[hold("2026-11-01"), hold(stream="Fedora-44")],
    origins={"rdo": BARE},
    streams=STREAMS,
)


def test_every_law_has_something_to_say_of_what_has_aged() -> None:
    assert [len(list(law(AGED, NOW))) for law in ADVICE] == [1] * len(ADVICE)


def judged(rules: Rules, base: Rules) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    problems, rows = advise(rules, NOW, base)
    return told(problems), told(rows)


def test_what_the_base_has_too_stays_advice() -> None:
    assert judged(AGED, AGED) == ([], advice(AGED))


def test_all_that_a_change_brings_is_a_problem() -> None:
    assert judged(AGED, Rules(requirements=[], waivers=[], holds=[], origins={})) == (advice(AGED), [])


def test_an_entry_is_told_by_its_value_and_not_by_its_number() -> None:
    old, new = waiver("2026-11-01"), waiver("2026-11-02")
    shuffled = dict(reversed(old.items()))
    assert judged(Rules(waivers=[new, shuffled]), Rules(waivers=[old])) == (
        [("/waiver/0/expires", "waiver-expired")],
        [("/waiver/1/expires", "waiver-expired")],
    )


def test_entries_past_the_tenth_are_told_apart() -> None:
    old = [waiver("2026-11-01", arch=f"a{number}") for number in range(12)]
    problems, rows = judged(Rules(waivers=[*old[:10], waiver("2026-11-02"), *old[10:]]), Rules(waivers=old))
    assert (problems, len(rows)) == ([("/waiver/10/expires", "waiver-expired")], 12)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "s"},
        {"arch": "x86_64"},
        {"expires": "2026-11-02"},
        {"composes": ["CentOS-Stream-10-*"]},
        {"composes": ["CentOS-Stream-9-*", "CentOS-Stream-10-*"]},
    ],
)
def test_an_entry_is_changed_by_any_field(change: dict[str, Any]) -> None:
    composes = ["CentOS-Stream-10-*", "CentOS-Stream-9-*"]
    old = waiver("2026-11-01", composes=composes)
    assert len(judged(Rules(waivers=[old | change]), Rules(waivers=[old]))[0]) == 1


def test_a_waiver_and_a_requirement_of_one_number_are_two_entries() -> None:
    base = Rules(waivers=AGED.waivers, holds=AGED.holds, requirements=[], origins=AGED.origins)
    problems, rows = judged(AGED, base)
    assert problems == [("/requirement/0/origin", "no-docs"), ("/requirement/0", "no-why")]
    assert [pointer for pointer, _ in rows] == [
        "/waiver/0/expires",
        "/waiver/1/composes/0",
        "/hold/0/until",
        "/hold/1/stream",
    ]


def test_a_requirement_that_is_changed_is_asked_for_docs() -> None:
    rules = Rules(requirements=[requirement(deadline="3d")], origins={"rdo": BARE})
    base = Rules(requirements=[requirement()], origins={"rdo": BARE})
    assert judged(rules, base) == ([("/requirement/0/origin", "no-docs")], [])


def test_where_the_entries_of_the_base_are_not_known_no_change_is_seen() -> None:
    assert judged(AGED, Rules()) == ([], advice(AGED))


LOST: Final = [("/origins/rdo/contact", "no-docs")]


@pytest.mark.parametrize(
    ("before", "after", "required", "problems"),
    [
        ({"rdo": EXPLAINED}, {"rdo": BARE}, "rdo", LOST),
        ({"rdo": EXPLAINED}, {"rdo": BARE}, "idm", []),
        ({"rdo": EXPLAINED}, {"rdo": EXPLAINED}, "rdo", []),
        ({"rdo": BARE}, {"rdo": BARE}, "rdo", []),
        ({}, {"rdo": BARE}, "rdo", []),
        (None, {"rdo": BARE}, "rdo", []),
        ({"rdo": EXPLAINED}, {}, "rdo", []),
        ({"rdo": EXPLAINED}, None, "rdo", []),
    ],
)
def test_docs_are_lost_where_they_were_and_are_waited_for(
    before: Mapping[str, Row] | None,
    after: Mapping[str, Row] | None,
    required: str,
    problems: list[tuple[str, str]],
) -> None:
    requirements = [requirement(required)]
    base = Rules(requirements=requirements, origins=before)
    assert judged(Rules(requirements=requirements, origins=after), base)[0] == problems


def test_docs_that_are_lost_are_told_word_by_word() -> None:
    requirements = [requirement("r/do")]
    base = Rules(requirements=requirements, origins={"r/do": EXPLAINED})
    [row] = advise(Rules(requirements=requirements, origins={"r/do": BARE}), NOW, base)[0]
    assert row == Problem(
        path="gate/origins.toml",
        pointer="/origins/r~1do/contact",
        code=Code.NO_DOCS,
        message='the contact of "r/do" had docs and no longer has, but requirements wait for it',
        fix="give the address of a page about its tests",
    )


# What stands in a tree.


def files(**changed: str) -> dict[str, bytes]:
    own = {path.stem: path.read_text("utf-8") for path in BASE.iterdir()} | changed
    return {f"gate/{name}.toml": text.encode() for name, text in own.items() if text}


def inspected(head: dict[str, bytes], base: dict[str, bytes] | None = None) -> InspectedGate:
    return inspect_gate(GivenTree(head), NOW, base=None if base is None else GivenTree(base))


def places(rows: Sequence[Problem]) -> list[tuple[str, int, str]]:
    return [(row.path.removeprefix("gate/"), row.line, row.code) for row in rows]


def waivers(*entries: str) -> str:
    """Write the file; each entry takes seven lines, the first from the second line on."""
    head = '[[waiver]]\norigin = "rdo"\ntestcase = "t"\nreason = "r"\nissue = "https://i.example.org/"\nby = "b"\n'
    return 'schema = "waivers/1"\n' + "".join(f"{head}{entry}\n" for entry in entries)


OLD: Final = "expires = 2026-11-01"
NEW: Final = "expires = 2026-11-02"


def test_advice_has_the_line_of_its_field() -> None:
    assert places(inspected(files(waivers=waivers(OLD, NEW))).advice) == [
        ("waivers.toml", 8, "waiver-expired"),
        ("waivers.toml", 15, "waiver-expired"),
    ]


def test_a_problem_that_a_change_brings_has_its_line_too() -> None:
    gate = inspected(files(waivers=waivers(NEW, OLD)), files(waivers=waivers(OLD)))
    assert places(gate.problems) == [("waivers.toml", 8, "waiver-expired")]
    assert places(gate.advice) == [("waivers.toml", 15, "waiver-expired")]


def test_a_file_that_the_base_has_not_is_all_the_changes() -> None:
    gate = inspected(files(waivers=waivers(OLD)), files(waivers=""))
    assert (places(gate.problems), gate.advice) == ([("waivers.toml", 8, "waiver-expired")], ())


@pytest.mark.parametrize("broken", ["?", 'schema = "waivers/1"\nwaiver = 1\n'], ids=["not TOML", "not the schema's"])
def test_a_change_that_fixes_a_broken_file_is_not_held_up_by_what_has_aged_in_it(broken: str) -> None:
    gate = inspected(files(waivers=waivers(OLD)), files(waivers=broken))
    assert (gate.problems, places(gate.advice)) == ((), [("waivers.toml", 8, "waiver-expired")])


def test_what_has_aged_is_told_beside_what_is_wrong_in_its_file() -> None:
    text = waivers(f"{NEW}\narch = 7", OLD).replace("arch = 7", 'composes = ["CentOS-Stream-9-*"]')
    text = text.replace("https://i.example.org/", "https://:", 1)
    gate = inspected(files(waivers=text), files(waivers=waivers(OLD)))
    assert places(gate.problems) == [
        ("waivers.toml", 6, "bad-link"),
        ("waivers.toml", 8, "waiver-expired"),
        ("waivers.toml", 9, "pattern-matches-nothing"),
    ]
    assert places(gate.advice) == [("waivers.toml", 16, "waiver-expired")]


@pytest.mark.parametrize("broken", ["?", 'schema = "waivers/1"\nwaiver = 1\n'], ids=["not TOML", "not the schema's"])
def test_of_a_file_that_is_broken_nothing_is_said_of_its_age(broken: str) -> None:
    gate = inspected(files(waivers=broken), files())
    assert (len(gate.problems), gate.advice) == (1, ())


def test_nothing_is_said_of_patterns_while_streams_has_a_problem() -> None:
    entry = 'expires = 2026-12-01\ncomposes = ["x"]'
    streams = (BASE / "streams.toml").read_text("utf-8").replace("[streams.", "[streams.x.")
    assert inspected(files(waivers=waivers(entry), streams=streams)).advice == ()
    assert inspected(files(waivers=waivers(entry), streams="")).advice == ()


MANY: Final = [f'{OLD}\narch = "a{number}"' for number in range(150)]


def test_advice_on_a_file_is_bounded() -> None:
    rows = inspected(files(waivers=waivers(*MANY))).advice
    assert list(rows) == sorted(rows)
    assert (len(rows), [row.message for row in rows if row.code == "more-advice"]) == (
        101,
        ["and 50 more pieces of advice on this file"],
    )


def test_a_problem_behind_much_advice_is_not_lost() -> None:
    gate = inspected(files(waivers=waivers(*MANY, NEW)), files(waivers=waivers(*MANY)))
    assert [row.code for row in gate.problems] == ["waiver-expired"]
    assert len(gate.advice) == 101


def test_what_a_change_brings_is_bounded() -> None:
    rows = inspected(files(waivers=waivers(*MANY)), files(waivers="")).problems
    assert (len(rows), [row.message for row in rows if row.code == "more-problems"]) == (
        101,
        ["and more problems in this file"],
    )


def counted(wrong: int, aged: int) -> InspectedGate:
    """Bring waivers of an unknown origin and expired ones."""
    unknown = waivers(*(f'expires = 2026-12-01\narch = "a{number}"' for number in range(wrong)))
    text = unknown.replace('"rdo"', '"nobody"') + waivers(*MANY[:aged]).removeprefix('schema = "waivers/1"\n')
    return inspected(files(waivers=text), files(waivers=""))


@pytest.mark.parametrize(
    ("wrong", "aged", "closing"),
    [
        (60, 40, []),
        (60, 41, ["and more problems in this file"]),
        (100, 7, ["and more problems in this file"]),
        (101, 7, ["and more problems in this file"]),
    ],
)
def test_what_is_wrong_and_what_has_aged_are_bounded_together(wrong: int, aged: int, closing: list[str]) -> None:
    rows = counted(wrong, aged).problems
    assert [row.message for row in rows if row.code == "more-problems"] == closing
    assert len(rows) == 100 + len(closing)


def test_docs_that_are_lost_have_the_line_of_the_contact() -> None:
    origins = (BASE / "origins.toml").read_text("utf-8").replace(', docs = "https://docs.example.org/rdo-ci"', "")
    gate = inspected(files(origins=origins), files())
    assert places(gate.problems) == [("origins.toml", 6, "no-docs")]
    assert places(gate.advice) == [("policy.toml", 4, "no-docs")]


def test_a_hold_has_force_from_14_days_before_its_last_day_to_its_end() -> None:
    days = ["2026-11-20", "2026-11-21", "2026-12-05", "2026-12-06"]
    found = advice(Rules(holds=[hold(day) for day in days]))
    assert found == [
        ("/hold/0/until", "hold-expired"),
        ("/hold/3/until", "hold-too-long"),
        ("/hold/1/until", "hold-ends-soon"),
    ]


def test_a_hold_that_is_too_long_says_when_it_gets_force() -> None:
    [row] = advise(Rules(holds=[hold("2026-12-31")]), NOW)[1]
    assert row.message == (
        '"CentOS-Stream-10" is held until 2026-12-31, more than 14 days ahead: the hold has no force before 2026-12-17'
    )


def test_a_hold_whose_last_day_is_not_in_the_calendar_is_left_to_its_problem() -> None:
    assert advice(Rules(holds=[hold("2026-02-30"), hold("2026-02-28")])) == [("/hold/1/until", "hold-expired")]


def test_a_hold_names_a_stream_that_is_followed() -> None:
    rules = Rules(holds=[hold(), hold(stream="CentOS-Stream-8")], streams=STREAMS)
    assert advice(rules) == [("/hold/1/stream", "hold-matches-nothing")]


@pytest.mark.parametrize(("streams", "names"), [((), "none is listed"), (STREAMS, "CentOS-Stream-10, CentOS-Stream-9")])
def test_the_streams_that_a_hold_could_name_are_listed(streams: tuple[str, ...], names: str) -> None:
    [row] = advise(Rules(holds=[hold(stream="Fedora-44")], streams=streams), NOW)[1]
    assert row.fix == f"name one that is there ({names}), or add it"


def test_each_pattern_of_a_hold_that_cannot_match_is_named() -> None:
    rules = Rules(holds=[hold(composes=["CentOS-Stream-9-*", "x"])], streams=STREAMS)
    assert advice(rules) == [("/hold/0/composes/1", "pattern-matches-nothing")]


def test_an_exception_of_what_is_not_held_is_named() -> None:
    excepted = ["CentOS-Stream-10-20261120.0", "CentOS-Stream-9-20261120.0", "CentOS-Stream-10-20261131.0"]
    assert advice(Rules(holds=[hold(excepted=excepted)])) == [("/hold/0/except/1", "hold-matches-nothing")]
    of_composes = hold(composes=["CentOS-Stream-10-2026112*"], excepted=["CentOS-Stream-10-20261119.0"])
    assert advice(Rules(holds=[of_composes])) == [("/hold/0/except/0", "hold-matches-nothing")]


def test_that_a_hold_ends_soon_is_no_problem_of_the_change_that_brings_it() -> None:
    brought = Rules(holds=[hold("2026-11-21")])
    assert judged(brought, Rules(holds=[])) == ([], [("/hold/0/until", "hold-ends-soon")])


def test_a_hold_that_a_change_edits_is_judged_anew_and_one_that_was_there_is_not() -> None:
    old, new = hold("2026-12-30"), hold("2026-12-31")
    assert judged(Rules(holds=[new, old]), Rules(holds=[old])) == (
        [("/hold/0/until", "hold-too-long")],
        [("/hold/1/until", "hold-too-long")],
    )
