"""What becomes of each message: done, tried again a little later, or dead-lettered with the reason told.

fedora-messaging gives one message after the other to a callback, in a thread of its own, and acknowledges it when the
callback returns. Whoever is killed before that gets the message again, so everything done for one can be done twice.

What cannot be used, now or later, is dropped: RabbitMQ puts it, as it came and once, where the queue's
`x-dead-letter-exchange` says. Why is told on stderr and in a message of its own (`compose-repo.message.refused`).
What may be used later goes back to its queue, after a wait, and after so many tries is dropped too: it never goes round
for ever. While GitLab itself is away, a message waits and nothing is counted: that is no message's fault. A crash that
takes the process along is counted by a quorum queue (`x-delivery-limit`), and by nobody else.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pika
from fedora_messaging import api, config, exceptions
from fedora_messaging import message as fedora
from fedora_messaging.twisted import consumer
from twisted.internet import defer, threads
from twisted.internet import reactor as _untyped
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from compose_repo.core.bus.announcement import DecisionChanged
from compose_repo.core.bus.event import Message, one_line
from compose_repo.core.documents.strict import read_json
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.ports.bus.messages import decision_changed, message_refused
from compose_repo.ports.bus.settings import Settings
from compose_repo.ports.clock import Clock
from compose_repo.ports.retry import Backoff, Deadline, Retry

MESSAGE_BYTES: Final = 1024 * 1024
"""Most bytes of a body; the messages that we listen to have a few thousand."""
HELD_SECONDS: Final = 1200
"""For how many seconds a message is held while what it needs is away; RabbitMQ takes it back after half an hour."""
REMEMBERED: Final = 10_000
"""Of how many messages we know how often they have failed."""
PUBLISH_SECONDS: Final = 30
"""How long a broker may take to confirm a message."""
_REDELIVERIES: Final = "x-delivery-count"
"""The header by which a quorum queue says how often it has delivered a message before."""
_ID_LENGTH: Final = 255

Tell: TypeAlias = Callable[[str], None]

_REACTOR: Final[Any] = _untyped  # a module as which twisted gives an object


class Later(Exception):  # noqa: N818  # it says when, and nobody is at fault
    """The work for a message cannot be done now; the message says why."""


class Away(Later):
    """What no message could do without is not there, as GitLab: waiting costs nobody anything, and is not counted."""


class Unreadable(fedora.Message):
    """Stands for a message that fedora-messaging cannot read; its problems say why."""

    problems: tuple[Problem, ...] = ()


class Callback:
    """What fedora-messaging calls with each message; `handle` does the work.

    `handle` raises `InputError` for what cannot be used, and `Later`, or whatever nobody expected, for what may pass.
    """

    def __init__(
        self, handle: Callable[[Message], None], settings: Settings, *, tell: Tell, trace: Tell, clock: Clock
    ) -> None:
        self._handle = handle
        self._clock = clock
        self._settings = settings
        self._tell = tell
        self._trace = trace
        self._failed: OrderedDict[str, int] = OrderedDict()
        self._stopping = threading.Event()
        _read_with_care()
        _when_stopping(self._stopping.set)

    def __call__(self, message: fedora.Message) -> None:
        """Handle one message.

        Raises:
            Drop: it is to be dead-lettered.
            Nack: it is to be delivered again.

        """
        plain = _plain(message)
        try:
            if isinstance(message, Unreadable):
                raise InputError(*message.problems)  # noqa: TRY301  # told as what any other message has wrong
            self._handle_once_possible(plain)
        except exceptions.Nack:
            raise
        except InputError as error:
            self._drop(plain, error.problems)
        except Exception as error:  # noqa: BLE001  # nothing that happens may end the process, or go round for ever
            self._again(plain, error, _redeliveries(message))
        else:
            self._failed.pop(_key(plain), None)
            self._trace(f"{plain.name} on {plain.topic}: done")

    def _handle_once_possible(self, message: Message) -> None:
        """Handle a message, once there is what it needs; give it back before the broker takes it back."""
        backoff = Backoff(first=1, longest=max(1, self._settings.longest_wait))
        retry = Retry(backoff, self._clock, Deadline(HELD_SECONDS, self._clock))
        while True:
            try:
                self._handle(message)
            except Away as error:
                wait = None if self._stopping.is_set() else retry.wait()
                if wait is None:
                    raise exceptions.Nack from error
                self._tell(f"{message.name} on {message.topic}: {error}; again in {wait:g} s")
                self._clock.sleep(wait, self._stopping)
            else:
                return

    def _drop(self, message: Message, problems: tuple[Problem, ...]) -> None:
        self._failed.pop(_key(message), None)
        for problem in sorted(problems):
            where = f" {problem.pointer}:" if problem.pointer else ""
            self._tell(f"{message.name} on {message.topic}: {problem.code}:{where} {problem.message}; {problem.fix}")
        if self._settings.publish:
            try:
                publish(message_refused(message, problems))
            except PublishError as error:
                self._tell(f"{message.name}: why it is dead-lettered could not be told: {error}")
        raise exceptions.Drop

    def _again(self, message: Message, error: Exception, redeliveries: int) -> None:
        key, why = _key(message), one_line(str(error), 1024) or type(error).__name__
        failed = max(self._failed.pop(key, 0), redeliveries) + 1
        if not isinstance(error, Later):
            why = f"{type(error).__name__}: {why}"
        if failed >= self._settings.tries:
            self._drop(
                message,
                (
                    message.problem(
                        "",
                        Code.KEPT_FAILING,
                        f"tried {failed} times: {why}",
                        "fix what stood in the way, then move it back from the dead letters",
                    ),
                ),
            )
        self._failed[key] = failed
        while len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
        wait = Backoff(first=1, longest=self._settings.longest_wait).after(failed, self._clock)
        self._tell(f"{message.name} on {message.topic}: {why}; try {failed + 1} in {wait:g} s")
        self._clock.sleep(wait, self._stopping)
        raise exceptions.Nack


class PublishError(Exception):
    """The broker did not confirm a message of ours in time, or refused it."""


def announce(change: DecisionChanged) -> None:
    """Tell the bus of a decision.

    Raises:
        PublishError: the broker has not confirmed it.

    """
    publish(decision_changed(change))


def publish(message: fedora.Message) -> None:
    """Publish from a callback's thread, and wait until the broker has confirmed.

    Raises:
        PublishError: it has not.

    """
    try:
        threads.blockingCallFromThread(_REACTOR, _publish_in_time, message)
    except (exceptions.BaseException, pika.exceptions.AMQPError, defer.TimeoutError, defer.CancelledError) as error:
        raise PublishError(one_line(str(error), 1024) or type(error).__name__) from error


def _publish_in_time(message: fedora.Message) -> Any:  # noqa: ANN401  # a Deferred, typed too narrowly above
    publishing: defer.Deferred[None] = api.twisted_publish(message)
    publishing.addTimeout(PUBLISH_SECONDS, _REACTOR)
    return publishing


def repeat(seconds: int, do: Callable[[], None], *, tell: Tell) -> None:
    """Do something once listening has begun, and again and again, in a thread of its own; what goes wrong is told."""

    def once() -> None:
        try:
            do()
        except Exception as error:  # noqa: BLE001  # the next time may be better, and listening goes on
            tell(f"{type(error).__name__}: {one_line(str(error), 1024) or 'no reason given'}; again in {seconds} s")

    def start() -> None:
        LoopingCall(lambda: threads.deferToThread(once)).start(seconds, now=True)

    _REACTOR.callWhenRunning(start)


def consume(callback: Callback) -> None:
    """Listen until a signal comes.

    Raises:
        UsageError: the broker does not let us, or has put an end to it.

    """
    ended: list[Failure] = []

    def stop(failure: Failure) -> None:
        ended.append(failure)
        _stop()

    def started(consumers: list[consumer.Consumer]) -> None:
        for one in consumers:
            one.result.addCallbacks(lambda _: _stop(), stop)

    listening = api.twisted_consume(callback)
    listening.addCallbacks(started, stop)
    _REACTOR.run()
    for failure in ended:
        raise UsageError(f"{config.conf['amqp_url'].rpartition('@')[2]}: {_reason(failure)}") from failure.value


def _reason(failure: Failure) -> str:
    return one_line(str(failure.value), 1024) or type(failure.value).__name__


def _stop() -> None:
    if _REACTOR.running:
        _REACTOR.stop()


def _when_stopping(do: Callable[[], None]) -> None:
    _REACTOR.addSystemEventTrigger("before", "shutdown", do)


def _plain(message: fedora.Message) -> Message:
    sent_at = message._headers.get("sent-at")  # noqa: SLF001  # there is no public name for it
    return Message(
        topic=message.topic,
        body=message.body,
        id=message.id if isinstance(message.id, str) else None,
        sent_at=sent_at if isinstance(sent_at, str) else None,
    )


def _key(message: Message) -> str:
    return f"{message.topic} {message.id}"


def _redeliveries(message: fedora.Message) -> int:
    count = message._headers.get(_REDELIVERIES, 0)  # noqa: SLF001  # there is no public name for it
    return count if isinstance(count, int) and count > 0 else 0


def _read_with_care() -> None:
    """Let no message end fedora-messaging itself.

    Its reader expects a few errors only. An encoding that nobody knows, a schema's name that is a list, or a body of
    100,000 brackets ends the consumer, which then gets the same message again, for ever.
    """
    vars(consumer).update(get_message=_get_message)


def _get_message(topic: str, properties: pika.BasicProperties, body: bytes) -> fedora.Message:
    """Read a message, whatever it is made of; what cannot be read is an `Unreadable`."""
    name = f"message {one_line(properties.message_id, _ID_LENGTH) or 'without an id'}"
    if len(body) > MESSAGE_BYTES:
        why = f"the body has {len(body):,} bytes, at most {MESSAGE_BYTES:,} are read"
        return _unreadable(topic, properties, Problem(path=name, code=Code.FILE_TOO_LARGE, message=why, fix="say less"))
    try:
        return fedora.get_message(topic, properties, body)
    except Exception as error:  # noqa: BLE001  # that is the point
        try:
            read_json(body, name)
        except InputError as said:
            return _unreadable(topic, properties, *said.problems)
        why = one_line(str(error), 200) or type(error).__name__
        return _unreadable(
            topic,
            properties,
            Problem(
                path=name, code=Code.UNREADABLE_MESSAGE, message=why, fix="send it by a library for fedora-messaging"
            ),
        )


def _unreadable(topic: str, properties: pika.BasicProperties, *problems: Problem) -> Unreadable:
    headers = properties.headers
    kept: dict[str, Any] = {}
    if isinstance(headers, dict) and isinstance(headers.get(_REDELIVERIES), int):
        kept[_REDELIVERIES] = headers[_REDELIVERIES]
    message_id = properties.message_id if isinstance(properties.message_id, str) else None
    message = Unreadable(body={}, topic=topic, properties=pika.BasicProperties(headers=kept, message_id=message_id))
    message.problems = problems
    return message
