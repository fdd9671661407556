"""A RabbitMQ of our own on loopback, which a test may stop and start again, and what stands on the bus."""

import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pika
import pika.exceptions

logging.getLogger("pika").setLevel(logging.CRITICAL)  # that a broker is not there yet is no news

SECONDS: Final = 120
"""How long anything may take: whether it comes at all is tested, not how fast."""


def free_port() -> int:
    """Find a port below those that the system gives to whoever connects: looking for the broker would take it."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(what: str, is_so: Any) -> Any:  # noqa: ANN401  # whatever the condition gives
    """Wait until a condition gives something."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = is_so()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


@dataclass
class Broker:
    """A node of its own: no test touches one that others use."""

    program: str
    folder: Path
    port: int = field(default_factory=free_port)
    name: str = field(default_factory=lambda: f"compose-repo-{uuid.uuid4().hex[:8]}@localhost")
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F?connection_attempts=3&retry_delay=1"

    def start(self) -> None:
        (self.folder / "plugins").write_text("[].")
        variables = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
        }
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [self.program], env=variables, stdout=out, stderr=out, start_new_session=True, cwd=self.folder
            )
        wait_for("the broker", self.is_up)

    def is_up(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "out").read_text(errors="replace")[-2000:])
        try:
            self.connect().close()
        except (pika.exceptions.AMQPError, OSError):
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def connect(self) -> Any:  # noqa: ANN401  # pika has no types
        credentials = pika.PlainCredentials("guest", "guest")
        return pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", self.port, credentials=credentials, heartbeat=0)
        )


@dataclass
class Bus:
    """One test's part of a broker: an exchange, a queue to listen to, dead letters, and what is told to everybody."""

    broker: Broker
    folder: Path
    name: str = field(default_factory=lambda: f"t-{uuid.uuid4().hex[:8]}")
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def queue(self) -> str:
        return f"{self.name}-queue"

    @property
    def dead(self) -> str:
        return f"{self.name}-dead"

    @property
    def told(self) -> str:
        return f"{self.name}-told"

    def declare(self) -> None:
        """Declare all of it, as an administrator does beforehand, so that nothing that is sent early is lost."""
        with self.channel() as channel:
            channel.exchange_declare(self.name, "topic", durable=True)
            channel.exchange_declare(self.dead, "topic", durable=True)
            channel.queue_declare(self.dead, durable=True)
            channel.queue_bind(self.dead, self.dead, "#")
            channel.queue_declare(self.told, durable=True)
            channel.queue_bind(self.told, self.name, "compose-repo.#")
            channel.queue_declare(self.queue, durable=True, arguments=self.queue_arguments)
            channel.queue_bind(self.queue, self.name, "org.#")

    @property
    def queue_arguments(self) -> dict[str, Any]:
        return {"x-dead-letter-exchange": self.dead, **self.arguments}

    def configuration(self, **settings: Any) -> Path:  # noqa: ANN401  # TOML values
        """Write the configuration of fedora-messaging."""
        arguments = "".join(f"{name} = {json.dumps(value)}\n" for name, value in self.queue_arguments.items())
        more = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        path = self.folder / f"{self.name}.toml"
        path.write_text(
            f"""\
amqp_url = "{self.broker.url}"
publish_exchange = "{self.name}"
[client_properties]
app = "compose-repo"
[exchanges."{self.name}"]
type = "topic"
durable = true
auto_delete = false
arguments = {{}}
[queues."{self.queue}"]
durable = true
auto_delete = false
exclusive = false
[queues."{self.queue}".arguments]
{arguments}
[[bindings]]
queue = "{self.queue}"
exchange = "{self.name}"
routing_keys = ["org.#"]
[qos]
prefetch_size = 0
prefetch_count = 5
[consumer_config]
{more}
"""
        )
        return path

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        connection = self.broker.connect()
        try:
            yield connection.channel()
        finally:
            connection.close()

    def send(self, topic: str, body: object, *, message_id: str = "", **properties: Any) -> str:  # noqa: ANN401
        """Publish a message as anybody may; `body` is sent as JSON, bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        message_id = message_id or str(uuid.uuid4())
        headers = {"fedora_messaging_severity": 20, "fedora_messaging_schema": "base.message", "sent-at": "2026-11-20"}
        described = {"headers": headers, "content_encoding": "utf-8", "content_type": "application/json"} | properties
        with self.channel() as channel:
            channel.confirm_delivery()
            channel.basic_publish(
                self.name, topic, raw, pika.BasicProperties(message_id=message_id, delivery_mode=2, **described)
            )
        return message_id

    def count(self, queue: str) -> int:
        with self.channel() as channel:
            count: int = channel.queue_declare(queue, passive=True).method.message_count
            return count

    def take(self, queue: str) -> tuple[Any, bytes]:
        """Take the next message of a queue, once there is one."""

        def get() -> tuple[Any, bytes] | None:
            with self.channel() as channel:
                _, properties, body = channel.basic_get(queue, auto_ack=True)
                return None if body is None else (properties, body)

        properties, body = wait_for(f"a message in {queue}", get)
        return properties, body

    def delete(self) -> None:
        with self.channel() as channel:
            for queue in (self.queue, self.dead, self.told):
                channel.queue_delete(queue)
            for exchange in (self.name, self.dead):
                channel.exchange_delete(exchange)
