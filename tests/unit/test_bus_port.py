"""What becomes of a message: done, tried again, or dropped with the reason told; and what the configuration may say."""

import datetime as dt
import json
import re
import sys
import threading
from pathlib import Path
from typing import Any, Final

import pika
import pytest
from fedora_messaging import config, exceptions
from fedora_messaging import message as fedora
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo import cli
from compose_repo.core.bus.announcement import DecisionChanged
from compose_repo.core.bus.event import STATUS_TOPICS, Message
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.names import Sha256
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.core.verdict.decision import Hold, Verdict
from compose_repo.ports.bus import consumer
from compose_repo.ports.bus.consumer import Away, Callback, Later, Unreadable
from compose_repo.ports.bus.messages import decision_changed, message_refused
from compose_repo.ports.bus.settings import Settings, load, settings
from compose_repo.ports.clock import Signal
from compose_repo.verbs import parsers
from skipping_clock import SkippingClock

HEADERS: Final = {"fedora_messaging_schema": "base.message", "fedora_messaging_severity": 20}
PROBLEM: Final = Problem(path="message a", pointer="/x", code=Code.UNKNOWN_ORIGIN, message="nobody's", fix="map it")


def read(body: bytes, **properties: Any) -> fedora.Message:  # noqa: ANN401  # what AMQP holds
    described = {"headers": dict(HEADERS), "content_encoding": "utf-8", "message_id": "a"} | properties
    return consumer._get_message("org.centos", pika.BasicProperties(**described), body)


class Handler:
    """Fails as often as it is told to."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.handled: list[Message] = []

    def __call__(self, message: Message) -> None:
        self.handled.append(message)
        if self.errors:
            raise self.errors.pop(0)


class Place:
    def __init__(
        self, *errors: Exception, tries: int = 3, longest_wait: int = 0, clock: SkippingClock | None = None
    ) -> None:
        self.handler = Handler(*errors)
        self.told: list[str] = []
        self.clock = clock or SkippingClock()
        given = Settings(tries=tries, longest_wait=longest_wait, publish=False)
        self.callback = Callback(self.handler, given, tell=self.told.append, trace=lambda _: None, clock=self.clock)


def test_a_message_that_is_done_is_acknowledged() -> None:
    place = Place()
    place.callback(read(b'{"a": 1}'))
    assert place.handler.handled == [Message(topic="org.centos", body={"a": 1}, id="a")]
    assert place.told == []


def test_a_message_says_when_it_was_sent() -> None:
    place = Place()
    place.callback(read(b"{}", headers={**HEADERS, "sent-at": "2026-11-20T00:00:00+00:00"}))
    assert place.handler.handled[0].sent_at == "2026-11-20T00:00:00+00:00"


def test_what_cannot_be_used_is_dropped_and_the_reason_told() -> None:
    place = Place(InputError(PROBLEM))
    with pytest.raises(exceptions.Drop):
        place.callback(read(b"{}"))
    assert place.told == ["message a on org.centos: unknown-origin: /x: nobody's; map it"]


@pytest.mark.parametrize("error", [Later("GitLab is away"), ValueError("GitLab is away"), RuntimeError()])
def test_what_may_pass_is_tried_again_and_dropped_in_the_end(error: Exception) -> None:
    place = Place(*[error] * 3)
    for _ in range(2):
        with pytest.raises(exceptions.Nack):
            place.callback(read(b"{}"))
    with pytest.raises(exceptions.Drop):
        place.callback(read(b"{}"))
    assert "kept-failing" in place.told[-1]
    assert len(place.handler.handled) == 3


def test_success_forgets_what_has_failed() -> None:
    place = Place(Later("a"), Later("b"), tries=2)
    with pytest.raises(exceptions.Nack):
        place.callback(read(b"{}"))
    place.handler.errors.clear()
    place.callback(read(b"{}"))
    place.handler.errors.append(Later("c"))
    with pytest.raises(exceptions.Nack):
        place.callback(read(b"{}"))


def test_each_message_has_tries_of_its_own() -> None:
    place = Place(*[Later("x")] * 4, tries=2)
    for message_id in ("a", "b"):
        with pytest.raises(exceptions.Nack):
            place.callback(read(b"{}", message_id=message_id))
    for message_id in ("a", "b"):
        with pytest.raises(exceptions.Drop):
            place.callback(read(b"{}", message_id=message_id))


def test_what_a_quorum_queue_has_counted_counts() -> None:
    place = Place(Later("x"))
    with pytest.raises(exceptions.Drop):
        place.callback(read(b"{}", headers={**HEADERS, "x-delivery-count": 2}))


class StoppingClock(SkippingClock):
    """After so many sleeps it is time to stop: the signal for which they wait is given."""

    def __init__(self, stop_after: int) -> None:
        super().__init__()
        self.stop_after = stop_after

    def sleep(self, seconds: float, until: Signal | None = None) -> None:
        super().sleep(seconds)
        if len(self.slept) >= self.stop_after:
            assert isinstance(until, threading.Event)
            until.set()


def test_a_message_waits_while_gitlab_is_away_and_that_is_no_failure() -> None:
    place = Place(*[Away("GitLab is away")] * 4, tries=1, longest_wait=4)
    place.callback(read(b"{}"))
    assert place.clock.slept == [1, 2, 4, 4]
    assert place.told[0] == "message a on org.centos: GitLab is away; again in 1 s"


def test_a_message_is_given_back_when_listening_ends_or_the_broker_would_take_it_back() -> None:
    for stop_after, longest_wait, waits in ((2, 300, [1, 2]), (99, 10**6, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])):
        clock = StoppingClock(stop_after)
        place = Place(*[Away("GitLab is away")] * 99, tries=1, longest_wait=longest_wait, clock=clock)
        with pytest.raises(exceptions.Nack):
            place.callback(read(b"{}"))
        assert clock.slept == waits


def test_only_so_many_failures_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "REMEMBERED", 1)
    place = Place(*[Later("x")] * 3, tries=2)
    for message_id in ("a", "b", "a"):
        with pytest.raises(exceptions.Nack):
            place.callback(read(b"{}", message_id=message_id))


@pytest.mark.parametrize(
    ("body", "properties", "code"),
    [
        (b"{", {}, "not-json"),
        (b"[]]", {}, "not-json"),
        (b"\xff", {}, "not-utf8"),
        (b"[" * 100_000, {}, "too-deep"),
        (b"7", {}, "unreadable-message"),
        (b"{}", {"content_encoding": "no-such-code"}, "unreadable-message"),
        (b"{}", {"headers": {"fedora_messaging_schema": []}}, "unreadable-message"),
        (b"{}", {"headers": {**HEADERS, "fedora_messaging_severity": "high"}}, "unreadable-message"),
        (b" " * (consumer.MESSAGE_BYTES + 1), {}, "file-too-large"),
    ],
)
def test_what_fedora_messaging_cannot_read_is_dropped_with_a_reason(
    body: bytes, properties: dict[str, Any], code: str
) -> None:
    message = read(body, **properties)
    assert isinstance(message, Unreadable)
    place = Place()
    with pytest.raises(exceptions.Drop):
        place.callback(message)
    assert place.handler.handled == []
    assert [line.split(": ")[1] for line in place.told] == [code]


@given(
    body=st.binary(max_size=40) | st.sampled_from([b"{}", b"null"]),
    encoding=st.none() | st.text(max_size=8),
    headers=st.none() | st.dictionaries(st.sampled_from([*HEADERS, "sent-at", "x-delivery-count"]), st.text()),
    message_id=st.none() | st.text(max_size=8),
)
def test_no_message_ends_the_process(
    body: bytes, encoding: str | None, headers: dict[str, str] | None, message_id: str | None
) -> None:
    message = read(body, content_encoding=encoding, headers=headers, message_id=message_id)
    with pytest.raises(exceptions.Drop):
        Place(InputError(PROBLEM)).callback(message)


CHANGE: Final = DecisionChanged(
    compose_id=ComposeId.parse("CentOS-Stream-10-20261120.0"),
    number=2,
    old=Verdict.PENDING,
    new=Verdict.BLOCKED,
    summary="1 failed",
    decision_sha256=Sha256("d" * 64),
    url="https://gitlab.example.org/-/merge_requests/7",
)


def test_the_message_of_a_change_is_found_by_its_entry_point_and_has_one_id() -> None:
    first, again = decision_changed(CHANGE), decision_changed(CHANGE)
    first.validate()
    assert first.id == again.id
    assert fedora.get_class("compose_repo.decision.changed.v2") is type(first)
    assert fedora.loads(fedora.dumps(first))[0] == first
    assert str(first).startswith("CentOS-Stream-10-20261120.0 is blocked (it was pending): 1 failed")
    assert (first.url, first.app_name) == (CHANGE.url, "compose-repo")


def test_the_message_of_a_change_says_until_when_it_is_held() -> None:
    held = Hold(reason="It eats discs.", issue="https://i.example.org/1", by="jdoe", until=dt.date(2026, 12, 5))
    made = decision_changed(replace(CHANGE, held=held))
    made.validate()
    assert made.body["held"] == held.to_dict()
    assert made.summary == ("CentOS-Stream-10-20261120.0 is blocked (it was pending), held until 2026-12-05: 1 failed")


def test_the_message_of_a_refusal_says_every_problem() -> None:
    made = message_refused(Message(topic="org.centos", body={}, id="a"), (PROBLEM,))
    made.validate()
    assert made.body["problems"] == [
        {"code": "unknown-origin", "pointer": "/x", "message": "nobody's", "fix": "map it"}
    ]
    assert made.summary == "message a on org.centos cannot be used: unknown-origin"
    assert made.app_name == "compose-repo"
    assert fedora.get_class("compose_repo.message.refused.v1") is type(made)


def configured(tmp_path: Path, consumer_config: str, arguments: str = 'x-dead-letter-exchange = "dead"') -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(
        "[queues.q]\ndurable = true\nauto_delete = false\nexclusive = false\n"
        f"[queues.q.arguments]\n{arguments}\n[consumer_config]\n{consumer_config}\n"
    )
    load(path)
    return settings()


def test_the_configuration_that_the_page_shows_says_what_holds_anyway(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "bus.md").read_text(encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(re.findall(r"^```toml\n(\[queues.*?)^```$", page, re.MULTILINE | re.DOTALL)[0])
    load(path)
    assert settings() == Settings(status_topics=STATUS_TOPICS[:1], repo=Path("/srv/compose-repo"))
    assert [binding["routing_keys"] for binding in config.conf["bindings"]] == [
        [STATUS_TOPICS[0], "org.centos.prod.ci.productmd-compose.test.*"]
    ]


@pytest.fixture(autouse=True)
def _configuration() -> Any:  # noqa: ANN401  # a generator
    before = dict(config.conf)
    yield
    config.conf.clear()
    config.conf.loaded = bool(before)
    if before:
        dict.update(config.conf, before)


def test_settings_have_defaults(tmp_path: Path) -> None:
    assert configured(tmp_path, "") == Settings(status_topics=STATUS_TOPICS, tries=10, longest_wait=300)


def test_settings_are_read(tmp_path: Path) -> None:
    text = f'status_topics = ["a.b"]\ntries = 2\nlongest_wait = 5\npublish = false\nrepo = {json.dumps(str(tmp_path))}'
    expected = Settings(status_topics=("a.b",), tries=2, longest_wait=5, publish=False, repo=tmp_path)
    assert configured(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tries = 0", "tries should be from 1 to 100"),
        ("tries = true", "tries should be of type int"),
        ("longest_wait = 1201", "longest_wait should be from 0 to 1200"),
        ("pass_every = -1", "pass_every should be from 0 to 86400"),
        ('status_topics = "a"', "status_topics should be of type list"),
        ("status_topics = [1]", "status_topics should be a list of texts"),
        ("tires = 3", "has no setting 'tires'"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        configured(tmp_path, text)


def test_a_queue_needs_somewhere_to_put_what_is_dropped(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="queue q has no x-dead-letter-exchange"):
        configured(tmp_path, "", arguments="")
    configured(tmp_path, "without_dead_letters = true", arguments="")


def test_a_configuration_that_is_not_there_or_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no configuration"):
        load(tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_text("[")
    with pytest.raises(UsageError, match="Failed to parse"):
        load(tmp_path / "bad.toml")


def test_without_the_extra_there_is_help_and_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("compose_repo.ports.bus", "compose_repo.passes.listening"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pika", None)
    assert cli._run(["listen"], parsers.load) == 2
    how = "pip install 'compose-repo[bus] @ git+https://gitlab.com/CentOS/compose-repo.git' installs it"
    hint = f"compose-repo listen: needs pika, which is not installed; {how}\n"
    assert capsys.readouterr().err == hint
    assert cli._run(["listen", "--help"], parsers.load) == 0
