"""A message of the bus as a value: a compose that has finished, a test that is reported, nothing, or what is wrong.

What a message says is a claim of whoever may publish on the bus. A compose that is said to have finished is looked at
on its own server; a report becomes a result file of the origin that `gate/origins.toml` maps it to. Nothing of a body
is used that has not been read here, and no body makes this raise anything but `InputError`.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeVar, cast

from msgspec import Struct

from compose_repo.core.composes.compose import FINISHED, Status
from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.documents.moment import read_moment
from compose_repo.core.links import is_link
from compose_repo.core.names import Arch, Scenario, Testcase, Variant, is_name
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, shown
from compose_repo.core.result import Outcome

T = TypeVar("T")

STATUS_TOPICS: Final = ("org.centos.prod.pungi.compose.status.change",)
"""Where CentOS's pungi tells what has become of a compose, unless the configuration says otherwise."""

SYSTEMS: Final = 100
"""Most systems of one report."""
LINE: Final = 1024
"""Most characters of a line of text in a result file."""
LINK: Final = 2048
"""Most characters of a link."""
NOTE: Final = 4096
"""Most characters of a note."""
TEST_NAME: Final = 255
"""Most characters of a testcase or a scenario."""

_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_TEST: Final = re.compile(r"(?:.+\.)?productmd-compose\.test\.(queued|running|complete|error)")
_TEST_NAME: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_TIME: Final = re.compile(
    r"2[0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[+-]00:?00Z|Z|[+-][0-9]{2}:?[0-9]{2}| ?UTC)?"
)
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_EMAIL_LENGTH: Final = 254
_CONTACT_NAME: Final = 128


class TestState(StrEnum):
    """What has become of a test, by the last word of its message's topic."""

    __test__ = False  # pytest takes it for a test otherwise

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    ERROR = "error"


_RESULTS: Final = {
    outcome.value: outcome
    for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.INFO, Outcome.NEEDS_INSPECTION, Outcome.NOT_APPLICABLE)
}
"""The words of `test.result`, by the schemas of Fedora CI."""
_OUTCOMES: Final = {
    TestState.QUEUED: Outcome.QUEUED,
    TestState.RUNNING: Outcome.RUNNING,
    TestState.ERROR: Outcome.ERROR,
}


class Message(Struct, frozen=True, kw_only=True):
    """A message as it came: `id` and `sent_at` as its sender gives them, None where it gives none."""

    topic: str
    body: Any
    id: str | None = None
    sent_at: str | None = None

    @property
    def name(self) -> str:
        """What problems call it: its place, in the words of one line."""
        return f"message {one_line(self.id, 128) or 'without an id'}"

    def problem(self, pointer: str, code: Code, message: str, fix: str) -> Problem:
        """Give a problem of this message."""
        return Problem(path=self.name, pointer=pointer, code=code, message=message, fix=fix)


class ComposeFinished(Struct, frozen=True, kw_only=True):
    """A compose is said to have finished. `location` is where it is said to be: to be shown, never to be read from."""

    compose_id: ComposeId
    status: Status
    location: str


class TestReported(Struct, frozen=True, kw_only=True):
    """A CI system says what has become of one test on a compose, on one system or on several.

    `ci` is the name by which `gate/origins.toml` knows it, `at` when it says so, by its own clock. `error_reason` is
    None unless the outcome is an error.
    """

    __test__ = False  # pytest takes it for a test otherwise

    compose_id: ComposeId
    ci: str
    state: TestState
    at: dt.datetime
    testcase: Testcase
    outcome: Outcome
    systems: tuple[tuple[Arch, Variant | None], ...]
    url: str
    scenario: Scenario | None = None
    log_url: str | None = None
    note: str | None = None
    error_reason: str | None = None
    contact: Mapping[str, str] | None = None


class Nothing(Struct, frozen=True, kw_only=True):
    """A message that asks for nothing, and why."""

    why: str


Event: TypeAlias = ComposeFinished | TestReported | Nothing


def event_of(message: Message, status_topics: Sequence[str] = STATUS_TOPICS) -> Event:
    """Read a message.

    A bus is shared: a message of another product names what no stream here could follow, and asks for nothing.

    Raises:
        InputError: it is one that we listen to, and says what it should not; it carries every problem.

    """
    if message.topic in status_topics:
        return _status_change(message)
    state = _test_state(message)
    return Nothing(why="compose-repo does not read its topic") if state is None else _test(message, state)


def compose_named(message: Message, status_topics: Sequence[str] = STATUS_TOPICS) -> ComposeId | None:
    """Give the compose that a message is about, whatever else it says; None if it names none."""
    body = _Reader(message).whole() if isinstance(message.body, dict) else {}
    if message.topic not in status_topics:
        said = _optional_table(body.get("artifact")).get("id") if _test_state(message) else None
    else:
        said = body.get("compose_id")
    found = _compose_id(said)
    return found if isinstance(found, ComposeId) else None


def _test_state(message: Message) -> TestState | None:
    match = _TEST.fullmatch(message.topic)
    return None if match is None or _TOPIC.fullmatch(message.topic) is None else TestState(match[1])


def _compose_id(said: object) -> ComposeId | Nothing | None:
    """Read a compose id strictly: a text that is none asks for nothing; None for what is no text."""
    if not isinstance(said, str):
        return None
    try:
        return ComposeId.parse(said)
    except ComposeIdError as error:
        return Nothing(why=f"no stream could have it: {one_line(str(error), LINE)}")


def _status_change(message: Message) -> ComposeFinished | Nothing:
    reader = _Reader(message)
    body = reader.whole()
    of_others = _compose_id(body.get("compose_id"))
    if isinstance(of_others, Nothing):
        return of_others
    compose_id = reader.compose_id(body, "/compose_id")
    location = reader.text(body, "/location", LINK)
    status = reader.word(body, "/status", {str(one): one for one in Status})
    finished = ComposeFinished(
        compose_id=reader.known(compose_id), status=reader.known(status), location=reader.known(location)
    )
    return finished if finished.status in FINISHED else Nothing(why=f"{compose_id} is {status}")


def _test(message: Message, state: TestState) -> TestReported | Nothing:
    reader = _Reader(message)
    body = reader.whole()
    artifact, test = reader.table(body, "/artifact"), reader.table(body, "/test")
    run, contact = reader.table(body, "/run"), _optional_table(body.get("contact"))
    if artifact.get("type", "productmd-compose") != "productmd-compose":
        return Nothing(why="it is not about a compose")
    of_others = _compose_id(artifact.get("id"))
    if isinstance(of_others, Nothing):
        return of_others
    compose_id = reader.compose_id(artifact, "/artifact/id")
    ci = reader.ci(body)
    at = reader.time(body, "/generated_at")
    url = reader.link(run, "/run/url")
    testcase = reader.testcase(test)
    scenario = reader.test_name(test, "/test/scenario") if test.get("scenario") is not None else None
    systems = reader.systems(body)
    outcome = _OUTCOMES.get(state) or reader.word(test, "/test/result", _RESULTS)
    reader.stop_at_problems()
    if not systems and state in {TestState.QUEUED, TestState.RUNNING}:
        return Nothing(why=f"it names no arch on which a test is {state}")
    if not systems:
        raise InputError(
            message.problem(
                "/system", Code.MISSING_FIELD, "no system says which arch was tested", "name system[].architecture"
            )
        )
    return TestReported(
        compose_id=reader.known(compose_id),
        ci=reader.known(ci),
        state=state,
        at=reader.known(at),
        testcase=Testcase(reader.known(testcase)),
        outcome=reader.known(outcome),
        systems=systems,
        url=reader.known(url),
        scenario=None if scenario is None else Scenario(scenario),
        log_url=_optional_link(run.get("log")),
        note=one_line(test.get("note"), NOTE),
        error_reason=_error_reason(body) if outcome is Outcome.ERROR else None,
        contact=_contact(contact) or None,
    )


class _Reader:
    """Reads the fields of a body; what is wrong with one is remembered, and read on."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._problems: list[Problem] = []

    def whole(self) -> Mapping[str, Any]:
        """Give the body; on some buses it is wrapped in `msg`."""
        body = self._message.body
        if isinstance(body, dict) and isinstance(body.get("msg"), dict) and not body.keys() & {"artifact", "status"}:
            body = body["msg"]
        if not isinstance(body, dict):
            raise InputError(
                self._message.problem("", Code.WRONG_TYPE, "the body is not an object", "send what the schemas ask for")
            )
        return body

    def stop_at_problems(self) -> None:
        """Raise what has been found."""
        if self._problems:
            raise InputError(*self._problems)

    def known(self, value: T | None) -> T:
        """Give what has been read; where it is missing, raise everything that has been found."""
        self.stop_at_problems()
        return cast("T", value)

    def table(self, body: Mapping[str, Any], pointer: str) -> Mapping[str, Any]:
        """Read an object; everything else counts as an empty one, whose fields are missing."""
        value = self._there(body, pointer)
        if isinstance(value, dict):
            return value
        if value is not None:
            self._add(pointer, Code.WRONG_TYPE, f"{_shown(value)} is not an object", _AS_THE_SCHEMAS)
        return {}

    def text(self, body: Mapping[str, Any], pointer: str, most: int) -> str | None:
        """Read a text of one line."""
        value = self._there(body, pointer)
        if value is None:
            return None
        if not isinstance(value, str):
            self._add(pointer, Code.WRONG_TYPE, f"{_shown(value)} is not a text", _AS_THE_SCHEMAS)
        elif not 0 < len(value) <= most:
            self._add(pointer, Code.OUT_OF_BOUNDS, f"the text has {len(value):,} characters", f"use 1 to {most:,}")
        elif not value.isprintable():
            self._add(pointer, Code.BAD_FORM, f"{_shown(value)} is not one line of plain text", _AS_THE_SCHEMAS)
        else:
            return value
        return None

    def word(self, body: Mapping[str, Any], pointer: str, words: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Read one of some words."""
        value = self.text(body, pointer, LINE)
        if value is None or value in words:
            return None if value is None else words[value]
        self._add(pointer, Code.WRONG_VALUE, f"{_shown(value)} is not one of {', '.join(words)}", "use one of these")
        return None

    def compose_id(self, body: Mapping[str, Any], pointer: str) -> ComposeId | None:
        """Read a compose id; what is a text has been found to be one."""
        value = self.text(body, pointer, LINE)
        return None if value is None else ComposeId.parse(value)

    def ci(self, body: Mapping[str, Any]) -> str | None:
        """Read the name of the CI system: `contact.name`, in messages before version 0.2 `ci.name`."""
        old = "contact" not in body and "ci" in body
        key = "ci" if old else "contact"
        return self.text(self.table(body, f"/{key}"), f"/{key}/name", LINE)

    def link(self, body: Mapping[str, Any], pointer: str) -> str | None:
        """Read a link that a result file may have."""
        value = self.text(body, pointer, LINK)
        if value is not None and not is_link(value):
            self._add(pointer, Code.BAD_LINK, f"{_shown(value)} is not an http or https address", "give one in ASCII")
            return None
        return value

    def time(self, body: Mapping[str, Any], pointer: str) -> dt.datetime | None:
        """Read a time; where no offset stands it is in UTC, as CI systems write it."""
        value = self.text(body, pointer, LINE)
        if value is None:
            return None
        try:
            found = read_moment(value) if _TIME.fullmatch(value) else None
            at = None if found is None else _in_utc(found)
        except (ValueError, OverflowError):
            at = None
        if at is None:
            self._add(
                pointer, Code.BAD_TIME, f"{_shown(value)} is not a valid time", "write it as 2026-11-20T06:32:11Z"
            )
        return at

    def test_name(self, body: Mapping[str, Any], pointer: str) -> str | None:
        """Read a name that a testcase or a scenario may have."""
        value = self.text(body, pointer, TEST_NAME)
        if value is not None and _TEST_NAME.fullmatch(value) is None:
            self._add(pointer, Code.BAD_FORM, f"{_shown(value)} is not printable ASCII", "use ASCII")
            return None
        return value

    def testcase(self, test: Mapping[str, Any]) -> str | None:
        """Put the name together as it stands in ResultsDB: namespace, type and category."""
        parts = [self.test_name(test, f"/test/{name}") for name in ("namespace", "type", "category")]
        name = ".".join(part for part in parts if part is not None)
        if len(name) > TEST_NAME:
            self._add("/test", Code.OUT_OF_BOUNDS, f"the test's name has {len(name)} characters", f"use {TEST_NAME}")
        return None if None in parts else name

    def systems(self, body: Mapping[str, Any]) -> tuple[tuple[Arch, Variant | None], ...]:
        """Read which arches, of which variants, were tested; each once."""
        rows = body.get("system", [])
        if not isinstance(rows, list):
            self._add("/system", Code.WRONG_TYPE, f"{_shown(rows)} is not an array", _AS_THE_SCHEMAS)
            return ()
        if len(rows) > SYSTEMS:
            self._add("/system", Code.OUT_OF_BOUNDS, f"there are {len(rows):,} systems", f"name at most {SYSTEMS}")
            return ()
        return tuple(dict.fromkeys(self._systems(rows)))

    def _systems(self, rows: Sequence[Any]) -> Iterator[tuple[Arch, Variant | None]]:
        for index, row in enumerate(rows):
            pointer = f"/system/{index}"
            if row is None:
                continue
            if not isinstance(row, dict):
                self._add(pointer, Code.WRONG_TYPE, f"{_shown(row)} is not an object", _AS_THE_SCHEMAS)
                continue
            arch = self._name(row, f"{pointer}/architecture")
            variant = self._name(row, f"{pointer}/variant") if row.get("variant") is not None else None
            if arch is not None:
                yield Arch(arch), None if variant is None else Variant(variant)

    def _name(self, body: Mapping[str, Any], pointer: str) -> str | None:
        value = self.text(body, pointer, LINE)
        if value is not None and not is_name(value):
            self._add(
                pointer, Code.BAD_FORM, f"{_shown(value)} is not a valid name", "use productmd's names: x86_64, BaseOS"
            )
            return None
        return value

    def _there(self, body: Mapping[str, Any], pointer: str) -> Any:  # noqa: ANN401  # a JSON value
        value = body.get(pointer.rpartition("/")[2])
        if value is None:
            self._add(pointer, Code.MISSING_FIELD, "the field is missing", _AS_THE_SCHEMAS)
        return value

    def _add(self, pointer: str, code: Code, message: str, fix: str) -> None:
        self._problems.append(self._message.problem(pointer, code, message, fix))


_AS_THE_SCHEMAS: Final = "send what the schemas of Fedora CI messages, or of pungi, ask for"
_SHOWN: Final = 200
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2999
"""The years that a result file may name."""


def one_line(value: object, most: int) -> str | None:
    """Make one line of plain text of whatever it is, at most so long; None if nothing is left of it.

    What has no place in a line becomes a space: control characters, halves of characters, what turns the direction.
    """
    if not isinstance(value, str):
        return None
    plain = "".join(character if character.isprintable() else " " for character in value[: 4 * most])
    return " ".join(plain.split())[:most].strip() or None


def _shown(value: object) -> str:
    """Show a value; of one that is large, or may be deep, only what it is."""
    if isinstance(value, str):
        return shown(value[:_SHOWN])
    return (
        shown(value) if value is None or isinstance(value, bool | float) else f"a value of type {type(value).__name__}"
    )


def _in_utc(found: dt.datetime) -> dt.datetime | None:
    at = found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    return at if _FIRST_YEAR <= at.year <= _LAST_YEAR else None


def _optional_table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _optional_link(value: object) -> str | None:
    """Return a link, or None if it is not one: what is not needed is left out rather than refused."""
    if isinstance(value, str) and len(value) <= LINK and is_link(value):
        return value
    return None


def _contact(contact: Mapping[str, Any]) -> dict[str, str]:
    """Give what of a contact a result file may have."""
    email = contact.get("email")
    found = {
        "name": one_line(contact.get("name"), _CONTACT_NAME),
        "email": email if isinstance(email, str) and len(email) <= _EMAIL_LENGTH and _EMAIL.fullmatch(email) else None,
        "url": _optional_link(contact.get("url")),
        "docs": _optional_link(contact.get("docs")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _error_reason(body: Mapping[str, Any]) -> str | None:
    """Give why the lab has failed: `error.reason`, in messages before version 0.2 `reason`."""
    return one_line(_optional_table(body.get("error")).get("reason"), LINE) or one_line(body.get("reason"), LINE)
