"""What the configuration of fedora-messaging says to us, in its table `consumer_config`, and of our queues."""

from pathlib import Path
from typing import Any, Final

from fedora_messaging import config
from fedora_messaging.exceptions import ConfigurationException
from msgspec import Struct

from compose_repo.core.bus.event import STATUS_TOPICS
from compose_repo.core.problems.problem import UsageError

DEAD_LETTERS: Final = "x-dead-letter-exchange"
"""The argument of a queue that says where RabbitMQ puts what we drop."""


class Settings(Struct, frozen=True, kw_only=True):
    """How to listen.

    A message whose work fails for what may pass is tried `tries` times, with waits that double up to `longest_wait`
    seconds; then it is dead-lettered. Every `pass_every` seconds, and at the start, all composes are looked at, lest
    anything be missed; 0 leaves that to others. `publish` says whether decisions are told to the bus. `repo` is the
    checkout whose objects need not be fetched again, None for none in particular.
    """

    status_topics: tuple[str, ...] = STATUS_TOPICS
    tries: int = 10
    longest_wait: int = 300
    pass_every: int = 900
    publish: bool = True
    repo: Path | None = None


def load(path: Path | None) -> None:
    """Read a configuration file; without one, what FEDORA_MESSAGING_CONF or the system names.

    Raises:
        UsageError: it is not there, or not as fedora-messaging has it.

    """
    if path is not None and not path.is_file():
        raise UsageError(f"there is no configuration {path}; name fedora-messaging's TOML file")
    try:
        config.conf.load_config(None if path is None else str(path))
    except ConfigurationException as error:
        raise UsageError(" ".join(str(error).split())) from error


def settings() -> Settings:
    """Read the table `consumer_config`, and look at the queues.

    Raises:
        UsageError: a setting is unknown or cannot be right, or a queue has nowhere to put what is dropped.

    """
    found = dict(config.conf["consumer_config"])
    may_lose = _take(found, "without_dead_letters", bool, default=False)
    for name, queue in config.conf["queues"].items():
        if not may_lose and not queue["arguments"].get(DEAD_LETTERS):
            raise UsageError(
                f"queue {name} has no {DEAD_LETTERS} among its arguments: what cannot be used would be lost; "
                "name an exchange there, or set without_dead_letters = true in [consumer_config]"
            )
    topics = _take(found, "status_topics", list, default=list(STATUS_TOPICS))
    if not all(isinstance(topic, str) for topic in topics):
        raise UsageError("[consumer_config] status_topics should be a list of texts")
    repo = _take(found, "repo", str, default=None)
    read = Settings(
        status_topics=tuple(topics),
        tries=_within(found, "tries", Settings().tries, 1, 100),
        longest_wait=_within(found, "longest_wait", Settings().longest_wait, 0, 1200),
        pass_every=_within(found, "pass_every", Settings().pass_every, 0, 86_400),
        publish=_take(found, "publish", bool, default=True),
        repo=None if repo is None else Path(repo),
    )
    if found:
        raise UsageError(f"[consumer_config] has no setting {min(found)!r}")
    return read


def _take(found: dict[str, Any], name: str, kind: type, *, default: Any) -> Any:  # noqa: ANN401  # a TOML value
    value = found.pop(name, default)
    if value is not default and type(value) is not kind:
        raise UsageError(f"[consumer_config] {name} should be of type {kind.__name__}")
    return value


def _within(found: dict[str, Any], name: str, default: int, least: int, most: int) -> int:
    value: int = _take(found, name, int, default=default)
    if not least <= value <= most:
        raise UsageError(f"[consumer_config] {name} should be from {least} to {most}")
    return value
