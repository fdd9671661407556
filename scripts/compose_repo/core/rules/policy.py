"""What must pass, who may report, and which exceptions hold: `gate/*.toml` as values."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeType, Status
from compose_repo.core.links import authority_of, without_views
from compose_repo.core.names import Arch, Origin, Scenario, Stream, Testcase, Variant
from compose_repo.core.result import ACCEPTED, Contact, Outcome
from compose_repo.core.rules.hook import Hook, hook_from_dict
from compose_repo.core.value import Value

ALL: Final = "all"
ANY: Final = "any"
BLOCKING: Final = "blocking"
INFORMING: Final = "informing"


class Attempts(StrEnum):
    """Which of several conclusive attempts at a cell counts."""

    LATEST = "latest"
    WORST = "worst"


class Passes(Value, frozen=True, kw_only=True):
    """So many passes among the first so many attempts."""

    passed: int
    of: int

    def __str__(self) -> str:
        """Write it as reports do."""
        return f"{self.passed} of {self.of}"


class Requirement(Struct, frozen=True, kw_only=True):
    """One line of the policy.

    A dimension (`arches`, `variants`, `scenarios`) given as a tuple, or "all", must be reported and acceptable for
    each of its values; one left at "any" needs at least one report, and each that is there must be acceptable.
    `streams` is None for every stream. `deadline` runs from the opening of the merge request.
    With a `baseline`, at most `memory` published composes are remembered. One that is not `blocking` only informs.
    `testcase_was` are earlier names of the test. Where `passes` are given, `attempts` is not looked at. After
    `max_attempts` conclusive attempts no further pass counts. `complete` is the share, in percent, of the usual number
    of tests under which a pass is none.
    """

    origin: Origin
    testcase: Testcase
    testcase_was: tuple[Testcase, ...] = ()
    why: str = ""
    streams: tuple[Stream, ...] | None = None
    blocking: bool = True
    arches: tuple[Arch, ...] | Literal["all", "any"] = "all"
    variants: tuple[Variant, ...] | Literal["all", "any"] = "any"
    scenarios: tuple[Scenario, ...] | Literal["any"] = "any"
    accept: frozenset[Outcome] = ACCEPTED
    attempts: Attempts = Attempts.LATEST
    passes: Passes | None = None
    max_attempts: int | None = None
    complete: int | None = None
    deadline: dt.timedelta | None = None
    baseline: Literal["published"] | None = None
    memory: int = 8

    def applies_to(self, stream: Stream) -> bool:
        """Tell whether composes of a stream must satisfy it."""
        return self.streams is None or stream in self.streams

    @property
    def names(self) -> tuple[Testcase, ...]:
        """The test's name, and those that it had before."""
        return (self.testcase, *self.testcase_was)

    @property
    def counts_all(self) -> bool:
        """Tell whether each conclusive attempt counts, whenever it came."""
        return self.passes is None and self.max_attempts is None

    @property
    def remembers(self) -> bool:
        """Tell whether published composes are asked for anything."""
        return self.baseline is not None or self.complete is not None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Requirement":
        """Read one `[[requirement]]`; the data must satisfy the policy schema."""
        streams, scenario, deadline = data.get("streams"), data.get("scenario", ANY), data.get("deadline")
        attempts, complete = data.get("attempts", Attempts.LATEST), data.get("complete")
        passes = attempts if isinstance(attempts, Mapping) else None
        return cls(
            origin=data["origin"],
            testcase=data["testcase"],
            testcase_was=tuple(data.get("testcase_was", ())),
            why=data.get("why", ""),
            blocking=data.get("mode", BLOCKING) == BLOCKING,
            streams=None if streams is None else tuple(streams),
            arches=_dimension(data.get("arches", ALL)),
            variants=_dimension(data.get("variants", ANY)),
            scenarios=ANY if scenario == ANY else _values(scenario),
            accept=frozenset(map(Outcome, data.get("accept", ACCEPTED))),
            attempts=Attempts.LATEST if passes is not None else Attempts(attempts),
            passes=None if passes is None else Passes.from_dict(passes),
            max_attempts=data.get("max_attempts"),
            complete=None if complete is None else int(complete.removesuffix("%")),
            deadline=None if deadline is None else parse_duration(deadline),
            baseline=data.get("baseline"),
            memory=data.get("memory", 8),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the `[[requirement]]`, every field spelled out but those that are absent."""
        data: dict[str, Any] = {
            "origin": self.origin,
            "testcase": self.testcase,
            "arches": _spelled(self.arches),
            "variants": _spelled(self.variants),
            "scenario": _spelled(self.scenarios),
            "accept": [str(outcome) for outcome in Outcome if outcome in self.accept],
            "attempts": str(self.attempts) if self.passes is None else self.passes.to_dict(),
            "memory": self.memory,
            "mode": BLOCKING if self.blocking else INFORMING,
        }
        if self.testcase_was:
            data["testcase_was"] = list(self.testcase_was)
        if self.why:
            data["why"] = self.why
        if self.max_attempts is not None:
            data["max_attempts"] = self.max_attempts
        if self.complete is not None:
            data["complete"] = f"{self.complete}%"
        if self.streams is not None:
            data["streams"] = list(self.streams)
        if self.deadline is not None:
            data["deadline"] = format_duration(self.deadline)
        if self.baseline is not None:
            data["baseline"] = self.baseline
        return data


class Policy(Struct, frozen=True, kw_only=True):
    """Every requirement, in the order of the file."""

    requirements: tuple[Requirement, ...]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Policy":
        """Read `gate/policy.toml`; the data must satisfy the policy schema."""
        return cls(requirements=tuple(map(Requirement.from_dict, data.get("requirement", ()))))

    def to_dict(self) -> dict[str, Any]:
        """Give the file's value."""
        return {"schema": "policy/1", "requirement": [requirement.to_dict() for requirement in self.requirements]}


class Waiver(Struct, frozen=True, kw_only=True):
    """An exception: it covers every state but `passed`, until the end of the day `expires`, UTC."""

    origin: Origin
    testcase: Testcase
    reason: str
    issue: str
    by: str
    expires: dt.date
    arch: Arch | None = None
    variant: Variant | None = None
    scenario: Scenario | None = None
    composes: tuple[str, ...] | None = None

    @property
    def title(self) -> str:
        """How reports name it: what it covers, in words."""
        where = [part for part in (self.scenario, self.arch, self.variant) if part is not None]
        which = [] if self.composes is None else ["for " + ", ".join(self.composes)]
        return " ".join([self.origin, self.testcase, *(["on", *where] if where else []), *which])

    def holds(self, now: dt.datetime) -> bool:
        """Tell whether it has not expired: it lasts to the end of its last day, UTC."""
        return now.astimezone(dt.UTC).date() <= self.expires

    def covers_compose(self, compose_id: str) -> bool:
        """Tell whether a compose is among those it names; naming none means every compose of every stream."""
        return self.composes is None or any(fnmatchcase(compose_id, pattern) for pattern in self.composes)

    def covers_cell(self, scenario: str | None, arch: str | None, variant: str | None) -> bool:
        """Tell whether each dimension that it names has the cell's very value."""
        return (
            (self.scenario is None or self.scenario == scenario)
            and (self.arch is None or self.arch == arch)
            and (self.variant is None or self.variant == variant)
        )

    def touches_cell(self, scenario: str | None, arch: str | None, variant: str | None) -> bool:
        """Tell whether it covers some value of a cell in which None stands for any."""
        return (
            (self.scenario is None or scenario is None or self.scenario == scenario)
            and (self.arch is None or arch is None or self.arch == arch)
            and (self.variant is None or variant is None or self.variant == variant)
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Waiver":
        """Read one `[[waiver]]`; the data must satisfy the waivers schema, its date as text.

        Raises:
            ValueError: `expires` has the shape of a date and is none.

        """
        composes = data.get("composes")
        return cls(
            origin=data["origin"],
            testcase=data["testcase"],
            reason=data["reason"],
            issue=data["issue"],
            by=data["by"],
            expires=dt.date.fromisoformat(data["expires"]),
            arch=data.get("arch"),
            variant=data.get("variant"),
            scenario=data.get("scenario"),
            composes=None if composes is None else tuple(composes),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the `[[waiver]]` as JSON has it, its date as text."""
        data: dict[str, Any] = {
            name: value
            for name in ("origin", "testcase", "arch", "variant", "scenario", "reason", "issue", "by")
            if (value := getattr(self, name)) is not None
        }
        data["expires"] = self.expires.isoformat()
        if self.composes is not None:
            data["composes"] = list(self.composes)
        return data


def waivers_from_dict(data: Mapping[str, Any]) -> tuple[Waiver, ...]:
    """Read `gate/waivers.toml`; the data must satisfy the waivers schema."""
    return tuple(map(Waiver.from_dict, data.get("waiver", ())))


class SigningKey(Struct, frozen=True, kw_only=True):
    """An SSH public key in allowed-signers form, and when it may be believed."""

    key: str
    valid_after: dt.date | None = None
    valid_before: dt.date | None = None
    revoked: bool = False


class Attribution(StrEnum):
    """What shows that a result is its origin's own."""

    PUSHER = "pusher"
    SIGNATURE = "signature"
    EITHER = "either"


class BusMapping(Value, frozen=True, kw_only=True):
    """Which messages of the bus report for an origin: their topic begins with words, and a CI system has sent them."""

    topic: str
    ci: str

    def has(self, topic: str, ci: str) -> bool:
        """Tell whether a message of a CI system, on a topic, is one of them; only whole words of a topic count."""
        return ci == self.ci and (topic == self.topic or topic.startswith(f"{self.topic}."))

    def meets(self, other: "BusMapping") -> bool:
        """Tell whether a message may be one of both."""
        return self.has(other.topic, other.ci) or other.has(self.topic, self.ci)


class JenkinsJob(Value, frozen=True, kw_only=True):
    """A job of a Jenkins whose builds report for an origin, and what its results are about.

    Either `arch` is what every build tests, or `arch_parameter` is the build's parameter that says it. Without
    `compose_parameter` any parameter may name the compose.
    """

    job: str
    testcase: Testcase | None = None
    arch: Arch | None = None
    arch_parameter: str | None = None
    compose_parameter: str | None = None
    variant: Variant | None = None
    scenario: Scenario | None = None
    run_is_test: bool = False

    @property
    def address(self) -> str:
        """Where the job is, without a slash at the end: every address that is asked for is made from it."""
        return self.job.rstrip("/")

    @property
    def same_as(self) -> tuple[str, str]:
        """What is alike for two addresses of one job: the host, and the path without views and escapes."""
        return authority_of(self.address), unquote(without_views(urlsplit(self.address).path))

    def to_dict(self) -> dict[str, Any]:
        """Give the entry of `jenkins`, without what is absent."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}


class OriginEntry(Struct, frozen=True, kw_only=True):
    """Who reports under an origin's name, and whom to ask.

    `bus` are the messages, `jenkins` the jobs whose builds the compose bot writes down as results on the origin's
    behalf.
    """

    origin: Origin
    name: str
    contact: Contact
    users: tuple[str, ...] = ()
    attribution: Attribution = Attribution.PUSHER
    keys: tuple[SigningKey, ...] = ()
    bus: tuple[BusMapping, ...] = ()
    jenkins: tuple[JenkinsJob, ...] = ()

    @classmethod
    def from_dict(cls, origin: str, data: Mapping[str, Any]) -> "OriginEntry":
        """Read one `[origins.<origin>]`; the data must satisfy the origins schema.

        Raises:
            ValueError: a key's day has the shape of a date and is none.

        """
        return cls(
            origin=Origin(origin),
            name=data["name"],
            contact=Contact.from_dict(data["contact"]),
            users=tuple(data.get("users", ())),
            attribution=Attribution(data.get("attribution", "pusher")),
            keys=tuple(map(_signing_key, data.get("keys", ()))),
            bus=tuple(map(BusMapping.from_dict, data.get("bus", ()))),
            jenkins=tuple(map(JenkinsJob.from_dict, data.get("jenkins", ()))),
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the `[origins.<origin>]` as JSON has it."""
        return {
            "name": self.name,
            "users": list(self.users),
            "attribution": str(self.attribution),
            "keys": list(map(_signing_key_spelled, self.keys)),
            "bus": [mapping.to_dict() for mapping in self.bus],
            "jenkins": [job.to_dict() for job in self.jenkins],
            "contact": self.contact.to_dict(),
        }


def origins_from_dict(data: Mapping[str, Any]) -> dict[Origin, OriginEntry]:
    """Read `gate/origins.toml`; the data must satisfy the origins schema."""
    return {Origin(name): OriginEntry.from_dict(name, entry) for name, entry in data.get("origins", {}).items()}


class Mode(StrEnum):
    """Whether merging follows publishing (mirror) or leads to it (gating)."""

    MIRROR = "mirror"
    GATING = "gating"


class StreamEntry(Struct, frozen=True, kw_only=True):
    """Which composes of a stream to follow, and where the mirrors say what is published, if they do.

    `composes` are the addresses under which each compose has a folder: composes of several types may have one each.
    `open_at_most` is how many merge requests one pass opens, `promote` whom to call when a compose turns satisfied.
    """

    stream: Stream
    composes: tuple[str, ...]
    published: str | None = None
    types: tuple[ComposeType, ...] = (ComposeType.PRODUCTION,)
    statuses: tuple[Status, ...] = (Status.FINISHED, Status.FINISHED_INCOMPLETE)
    mode: Mode = Mode.MIRROR
    open_at_most: int = 5
    promote: Hook | None = None

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Every address that is read, with the name of its field."""
        published = () if self.published is None else (("published", self.published),)
        return (*(("composes", one) for one in self.composes), *published)

    @classmethod
    def from_dict(cls, stream: str, data: Mapping[str, Any]) -> "StreamEntry":
        """Read one `[streams.<stream>]`; the data must satisfy the streams schema."""
        return cls(
            stream=Stream(stream),
            composes=(data["composes"],) if isinstance(data["composes"], str) else tuple(data["composes"]),
            published=data.get("published"),
            types=tuple(map(ComposeType, data.get("types", ("production",)))),
            statuses=tuple(map(Status, data.get("statuses", ("FINISHED", "FINISHED_INCOMPLETE")))),
            mode=Mode(data.get("mode", "mirror")),
            open_at_most=data.get("open_at_most", 5),
            promote=hook_from_dict(data["promote"]) if "promote" in data else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the `[streams.<stream>]` as JSON has it."""
        return {
            "composes": self.composes[0] if len(self.composes) == 1 else list(self.composes),
            **({} if self.published is None else {"published": self.published}),
            "types": list(map(str, self.types)),
            "statuses": list(map(str, self.statuses)),
            "mode": str(self.mode),
            "open_at_most": self.open_at_most,
            **({} if self.promote is None else {"promote": self.promote.to_dict()}),
        }


def streams_from_dict(data: Mapping[str, Any]) -> dict[Stream, StreamEntry]:
    """Read `gate/streams.toml`; the data must satisfy the streams schema."""
    return {Stream(name): StreamEntry.from_dict(name, entry) for name, entry in data.get("streams", {}).items()}


class Bots(Value, frozen=True, kw_only=True):
    """Our own two accounts, by GitLab username: who opens merge requests, and who approves and merges them."""

    compose: str = "compose-bot"
    gate: str = "gate-bot"


def bots_from_dict(data: Mapping[str, Any]) -> Bots:
    """Read the bots of `gate/streams.toml`; the data must satisfy the streams schema."""
    return Bots.from_dict(data.get("bots", {}))


_UNITS: Final = {"m": dt.timedelta(minutes=1), "h": dt.timedelta(hours=1), "d": dt.timedelta(days=1)}


def parse_duration(text: str) -> dt.timedelta:
    """Read `90m`, `48h` or `3d`; the schema's pattern admits nothing else."""
    return int(text[:-1]) * _UNITS[text[-1]]


def format_duration(duration: dt.timedelta) -> str:
    """Write a duration of whole minutes with the largest unit that divides it."""
    for letter, unit in reversed(_UNITS.items()):
        if duration % unit == dt.timedelta():
            return f"{duration // unit}{letter}"
    raise ValueError(f"{duration} is not a whole number of minutes")


def _dimension(value: Any) -> Any:  # noqa: ANN401  # the schema admits "all", "any" or a list of names
    return value if isinstance(value, str) else tuple(value)


def _values(value: str | list[str]) -> tuple[Scenario, ...]:
    return tuple(map(Scenario, [value] if isinstance(value, str) else value))


def _spelled(dimension: tuple[str, ...] | str) -> list[str] | str:
    return dimension if isinstance(dimension, str) else list(dimension)


def _signing_key(value: str | Mapping[str, Any]) -> SigningKey:
    if isinstance(value, str):
        return SigningKey(key=value)
    return SigningKey(
        key=value["key"],
        valid_after=_date(value.get("valid_after")),
        valid_before=_date(value.get("valid_before")),
        revoked=value.get("revoked", False),
    )


def _signing_key_spelled(key: SigningKey) -> dict[str, Any]:
    data: dict[str, Any] = {"key": key.key, "revoked": key.revoked}
    if key.valid_after is not None:
        data["valid_after"] = key.valid_after.isoformat()
    if key.valid_before is not None:
        data["valid_before"] = key.valid_before.isoformat()
    return data


def _date(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
