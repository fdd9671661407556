"""What stands in `gate/*.toml`, field by field: nothing is lost, nothing is swapped, defaults are those of the page."""

import datetime as dt
from typing import Any

import pytest

from compose_repo.core.composes.compose import ComposeType, Status
from compose_repo.core.names import Arch, Origin, Scenario, Stream, Testcase, Variant
from compose_repo.core.result import Contact, Outcome
from compose_repo.core.rules.hook import JenkinsHook
from compose_repo.core.rules.policy import (
    Attempts,
    Attribution,
    Bots,
    BusMapping,
    JenkinsJob,
    Mode,
    OriginEntry,
    Policy,
    Requirement,
    SigningKey,
    StreamEntry,
    Waiver,
    bots_from_dict,
    origins_from_dict,
    streams_from_dict,
    waivers_from_dict,
)

REQUIREMENT: dict[str, Any] = {
    "origin": "rdo",
    "testcase": "smoke",
    "streams": ["CentOS-Stream-10"],
    "arches": ["x86_64"],
    "variants": ["AppStream"],
    "scenario": ["bios"],
    "accept": ["passed", "skipped"],
    "attempts": "worst",
    "deadline": "2d",
    "baseline": "published",
    "memory": 3,
    "mode": "informing",
    "testcase_was": ["smoke-old"],
    "max_attempts": 3,
    "complete": "75%",
    "why": "It boots.",
}
LEAST: dict[str, Any] = {"origin": "rdo", "testcase": "smoke", "why": "It boots."}
WAIVER: dict[str, Any] = {
    "origin": "rdo",
    "testcase": "smoke",
    "arch": "x86_64",
    "variant": "AppStream",
    "scenario": "bios",
    "reason": "known",
    "issue": "https://issues.example.org/1",
    "by": "jdoe",
    "expires": "2026-12-01",
    "composes": ["CentOS-Stream-10-*"],
}
ORIGIN: dict[str, Any] = {
    "name": "RDO",
    "users": ["rdo-ci"],
    "attribution": "either",
    "keys": [
        {"key": "ssh-ed25519 AAAA a", "revoked": False},
        {"key": "ssh-ed25519 BBBB b", "revoked": True, "valid_after": "2026-01-01", "valid_before": "2026-12-31"},
    ],
    "contact": {"name": "N", "email": "e@example.org", "url": "https://u.example.org", "docs": "https://d.example.org"},
    "bus": [{"topic": "org.centos.prod.ci", "ci": "rdo"}],
    "jenkins": [{"job": "https://ci.example.org/job/smoke", "arch": "x86_64", "run_is_test": False}],
}
STREAM: dict[str, Any] = {
    "composes": "https://composes.example.org/",
    "published": "https://mirror.example.org/COMPOSE_ID",
    "types": ["nightly"],
    "statuses": ["FINISHED"],
    "mode": "gating",
    "open_at_most": 7,
    "promote": {"jenkins": {"job": "https://ci.example.org/job/promote"}},
}


def test_a_policy_is_read_whole() -> None:
    assert Policy.from_dict({"schema": "policy/1", "requirement": [REQUIREMENT, LEAST]}) == Policy(
        requirements=(
            Requirement(
                origin=Origin("rdo"),
                testcase=Testcase("smoke"),
                why="It boots.",
                streams=(Stream("CentOS-Stream-10"),),
                arches=(Arch("x86_64"),),
                variants=(Variant("AppStream"),),
                scenarios=(Scenario("bios"),),
                accept=frozenset({Outcome.PASSED, Outcome.SKIPPED}),
                attempts=Attempts.WORST,
                deadline=dt.timedelta(days=2),
                baseline="published",
                memory=3,
                blocking=False,
                testcase_was=(Testcase("smoke-old"),),
                max_attempts=3,
                complete=75,
            ),
            Requirement(
                origin=Origin("rdo"),
                testcase=Testcase("smoke"),
                why="It boots.",
                streams=None,
                arches="all",
                variants="any",
                scenarios="any",
                accept=frozenset({Outcome.PASSED, Outcome.INFO}),
                attempts=Attempts.LATEST,
                deadline=None,
                baseline=None,
            ),
        )
    )


def test_a_policy_may_be_empty() -> None:
    assert Policy.from_dict({"schema": "policy/1"}) == Policy(requirements=())


def test_a_policy_is_written_whole() -> None:
    assert Policy.from_dict({"requirement": [REQUIREMENT, LEAST]}).to_dict() == {
        "schema": "policy/1",
        "requirement": [
            REQUIREMENT,
            {
                **LEAST,
                "arches": "all",
                "variants": "any",
                "scenario": "any",
                "accept": ["passed", "info"],
                "attempts": "latest",
                "memory": 8,
                "mode": "blocking",
            },
        ],
    }


@pytest.mark.parametrize("word", ["all", "any"])
def test_all_and_any_are_words(word: str) -> None:
    line = Requirement.from_dict({**LEAST, "arches": word, "variants": word})
    assert (line.arches, line.variants) == (word, word)
    assert (line.to_dict()["arches"], line.to_dict()["variants"]) == (word, word)


def test_waivers_are_read_whole() -> None:
    least = {name: WAIVER[name] for name in ("origin", "testcase", "reason", "issue", "by", "expires")}
    assert waivers_from_dict({"schema": "waivers/1", "waiver": [WAIVER, least]}) == (
        Waiver(
            origin=Origin("rdo"),
            testcase=Testcase("smoke"),
            reason="known",
            issue="https://issues.example.org/1",
            by="jdoe",
            expires=dt.date(2026, 12, 1),
            arch=Arch("x86_64"),
            variant=Variant("AppStream"),
            scenario=Scenario("bios"),
            composes=("CentOS-Stream-10-*",),
        ),
        Waiver(
            origin=Origin("rdo"),
            testcase=Testcase("smoke"),
            reason="known",
            issue="https://issues.example.org/1",
            by="jdoe",
            expires=dt.date(2026, 12, 1),
        ),
    )


def test_there_may_be_no_waiver() -> None:
    assert waivers_from_dict({"schema": "waivers/1"}) == ()


def test_a_waiver_is_written_whole() -> None:
    assert Waiver.from_dict(WAIVER).to_dict() == WAIVER


def test_a_waiver_is_written_without_what_it_does_not_name() -> None:
    least = {name: WAIVER[name] for name in ("origin", "testcase", "reason", "issue", "by", "expires")}
    assert Waiver.from_dict(least).to_dict() == least


def test_a_waivers_title_names_what_it_covers() -> None:
    assert Waiver.from_dict(WAIVER).title == "rdo smoke on bios x86_64 AppStream for CentOS-Stream-10-*"


def test_a_waivers_title_is_short_where_it_covers_everything() -> None:
    least = {name: WAIVER[name] for name in ("origin", "testcase", "reason", "issue", "by", "expires")}
    assert Waiver.from_dict(least).title == "rdo smoke"


def test_a_waivers_title_names_every_pattern() -> None:
    assert Waiver.from_dict({**WAIVER, "composes": ["a", "b"]}).title.endswith(" for a, b")


def test_origins_are_read_whole() -> None:
    assert origins_from_dict({"schema": "origins/1", "origins": {"rdo": ORIGIN}}) == {
        Origin("rdo"): OriginEntry(
            origin=Origin("rdo"),
            name="RDO",
            contact=Contact(name="N", email="e@example.org", url="https://u.example.org", docs="https://d.example.org"),
            users=("rdo-ci",),
            attribution=Attribution.EITHER,
            keys=(
                SigningKey(key="ssh-ed25519 AAAA a"),
                SigningKey(
                    key="ssh-ed25519 BBBB b",
                    valid_after=dt.date(2026, 1, 1),
                    valid_before=dt.date(2026, 12, 31),
                    revoked=True,
                ),
            ),
            bus=(BusMapping(topic="org.centos.prod.ci", ci="rdo"),),
            jenkins=(JenkinsJob(job="https://ci.example.org/job/smoke", arch=Arch("x86_64")),),
        )
    }


def test_an_origin_needs_a_name_and_a_contact() -> None:
    entry = OriginEntry.from_dict("rdo", {"name": "RDO", "contact": {"email": "e@example.org"}})
    assert (entry.users, entry.attribution, entry.keys) == ((), Attribution.PUSHER, ())


def test_a_key_may_be_a_text() -> None:
    entry = OriginEntry.from_dict("rdo", {**ORIGIN, "keys": ["ssh-ed25519 AAAA a"]})
    assert entry.keys == (SigningKey(key="ssh-ed25519 AAAA a"),)


def test_a_key_holds_unless_it_is_revoked() -> None:
    entry = OriginEntry.from_dict("rdo", {**ORIGIN, "keys": [{"key": "ssh-ed25519 AAAA a"}]})
    assert entry.keys == (SigningKey(key="ssh-ed25519 AAAA a", revoked=False),)


def test_an_origin_is_written_whole() -> None:
    assert OriginEntry.from_dict("rdo", ORIGIN).to_dict() == ORIGIN


def test_there_may_be_no_origin() -> None:
    assert origins_from_dict({"schema": "origins/1"}) == {}


def test_streams_are_read_whole() -> None:
    assert streams_from_dict({"schema": "streams/1", "streams": {"CentOS-Stream-10": STREAM}}) == {
        Stream("CentOS-Stream-10"): StreamEntry(
            stream=Stream("CentOS-Stream-10"),
            composes=("https://composes.example.org/",),
            published="https://mirror.example.org/COMPOSE_ID",
            types=(ComposeType.NIGHTLY,),
            statuses=(Status.FINISHED,),
            mode=Mode.GATING,
            open_at_most=7,
            promote=JenkinsHook(job="https://ci.example.org/job/promote"),
        )
    }


def test_a_stream_needs_two_addresses() -> None:
    least = {name: STREAM[name] for name in ("composes", "published")}
    entry = StreamEntry.from_dict("CentOS-Stream-10", least)
    assert entry.types == (ComposeType.PRODUCTION,)
    assert entry.statuses == (Status.FINISHED, Status.FINISHED_INCOMPLETE)
    assert entry.mode is Mode.MIRROR
    assert entry.open_at_most == 5
    assert entry.promote is None
    assert "promote" not in entry.to_dict()


def test_a_stream_may_name_no_mirrors() -> None:
    data = {**STREAM, "mode": "gating"}
    del data["published"]
    entry = StreamEntry.from_dict("CentOS-Stream-10", data)
    assert entry.to_dict() == data
    assert entry.addresses == (("composes", STREAM["composes"]),)


@pytest.mark.parametrize(
    "promote",
    [
        {"jenkins": {"job": "https://ci.example.org/job/promote"}},
        {"gitlab": {"url": "https://gitlab.example.org", "project": "centos/promote", "ref": "main"}},
        {"command": ["promote", "--now"]},
    ],
)
def test_a_stream_is_written_whole(promote: dict[str, Any]) -> None:
    data = {**STREAM, "promote": promote}
    assert StreamEntry.from_dict("CentOS-Stream-10", data).to_dict() == data


def test_composes_may_have_several_places() -> None:
    places = ["https://composes.example.org/", "https://composes.example.org/more/"]
    entry = StreamEntry.from_dict("CentOS-Stream-10", {**STREAM, "composes": places})
    assert entry.composes == tuple(places)
    assert entry.addresses == (*(("composes", place) for place in places), ("published", STREAM["published"]))
    assert entry.to_dict()["composes"] == places


def test_there_may_be_no_stream() -> None:
    assert streams_from_dict({"schema": "streams/1"}) == {}


@pytest.mark.parametrize(
    ("data", "bots"),
    [
        ({}, Bots(compose="compose-bot", gate="gate-bot")),
        ({"bots": {}}, Bots(compose="compose-bot", gate="gate-bot")),
        ({"bots": {"compose": "opener"}}, Bots(compose="opener", gate="gate-bot")),
        ({"bots": {"gate": "judge"}}, Bots(compose="compose-bot", gate="judge")),
    ],
)
def test_a_bot_that_is_not_named_has_its_usual_name(data: dict[str, Any], bots: Bots) -> None:
    assert bots_from_dict({"schema": "streams/1", **data}) == bots
