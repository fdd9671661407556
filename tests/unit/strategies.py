"""Hypothesis strategies for every model of the core, and one for whatever a schema of ours admits."""

import datetime as dt
import json
import re
import string
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.composes.compose import FINISHED, ComposeId, ComposeIdError, ComposeType, Image, Status
from compose_repo.core.manifests.manifest import Manifest, Package, RpmGroup, Unreadable
from compose_repo.core.names import Arch, Origin, RunId, Scenario, Sha256, Stream, Testcase, Variant
from compose_repo.core.plan.labels import Labels
from compose_repo.core.problems.problem import Problem
from compose_repo.core.result import ACCEPTABLE, CONCLUSIVE, Contact, Counts, Outcome, Result, ResultFile, Run, Tried
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.hook import CommandHook, JenkinsHook, PipelineHook
from compose_repo.core.rules.policy import (
    Attempts,
    Attribution,
    Bots,
    BusMapping,
    JenkinsJob,
    Mode,
    OriginEntry,
    Passes,
    Policy,
    Requirement,
    SigningKey,
    StreamEntry,
    Waiver,
)
from compose_repo.core.rules.waivers import WaiverNotice, WaiverState
from compose_repo.core.verdict.decision import Answer, Decision, Hold, NotCounted, State, Unmatched, Usual, Verdict

_LETTERS: Final = string.ascii_letters
_DIGITS: Final = string.digits
_DIRECTION: Final = "".join(map(chr, (*range(0x2028, 0x202F), *range(0x2066, 0x206A))))
_CONTROL: Final = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))


def word(first: str, rest: str, most: int = 12) -> st.SearchStrategy[str]:
    """Give texts with one character of `first` and then some of `rest`."""
    return st.builds(str.__add__, st.sampled_from(first), st.text(rest, max_size=most))


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(strategy: st.SearchStrategy[Any], least: int = 1, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """Give tuples of different values."""
    return st.lists(strategy, min_size=least, max_size=most, unique=True).map(tuple)


names: Final = word(_LETTERS + _DIGITS, _LETTERS + _DIGITS + "._-")
values: Final = names.filter(lambda name: name not in {"all", "any"})
test_names: Final = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=13).filter(
    lambda name: name == name.strip(" ")
)
scenario_values: Final = test_names.filter(lambda name: name != "any")
arches: Final = names.map(Arch)
variants: Final = names.map(Variant)
origins: Final = names.map(Origin)
testcases: Final = test_names.map(Testcase)
scenarios: Final = test_names.map(Scenario)
sha256s: Final = st.binary(min_size=32, max_size=32).map(bytes.hex).map(Sha256)
lines: Final = st.text(st.characters(codec="utf-8", exclude_characters=_CONTROL + _DIRECTION), min_size=1, max_size=20)
notes: Final = st.lists(lines, min_size=1, max_size=3).map("\n".join)
links: Final = st.builds(
    "{}://{}.example.org/{}".format,
    st.sampled_from(["http", "https"]),
    word(string.ascii_lowercase, string.ascii_lowercase),
    st.text(_LETTERS + _DIGITS + "/?#=&%.-", max_size=12),
)
sources: Final = links | st.text(_LETTERS + _DIGITS + "/._-", max_size=12).map("file:///".__add__)
emails: Final = word(_LETTERS, _LETTERS + _DIGITS + ".+").map("{}@example.org".format)
users: Final = word(_LETTERS + "_", _LETTERS + _DIGITS + "_.-")
times: Final = st.datetimes(
    min_value=dt.datetime(2000, 1, 2),  # noqa: DTZ001  # the time zone is drawn apart
    max_value=dt.datetime(2999, 12, 30),  # noqa: DTZ001
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))),
)
dates: Final = st.dates()
streams: Final = st.builds(
    "{}-{}".format,
    st.sampled_from(["CentOS-Stream", "Fedora", "A", "RHEL-x9"]),
    st.sampled_from(["9", "10", "9.4", "Rawhide", "ELN", "eln"]),
).map(Stream)
compose_ids: Final = st.builds(
    "{}-{:%Y%m%d}{}.{}".format,
    streams,
    st.dates(min_value=dt.date(1000, 1, 1)),
    st.sampled_from(["", ".d", ".n", ".t", ".ci"]),
    st.integers(0, 999_999),
).map(ComposeId.parse)
patterns: Final = st.text(_LETTERS + _DIGITS + "._*?-", min_size=1, max_size=8) | st.sampled_from(
    ["CentOS-Stream-10-2026112*", "CentOS-Stream-9-202611[0-2]?.0", "*-[!0-5].d.0"]
)
durations: Final = st.builds(
    lambda count, unit: count * dt.timedelta(**{unit: 1}),
    st.integers(1, 9999),
    st.sampled_from(["minutes", "hours", "days"]),
)
miscs: Final = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.integers() | lines, max_size=2)

contacts: Final = st.builds(
    Contact, name=optional(lines), email=optional(emails), url=optional(links), docs=optional(links)
)
_COUNTED: Final = ("passed", "failed", "skipped", "errored")
results: Final = st.builds(
    Result,
    testcase=testcases,
    outcome=st.sampled_from(Outcome),
    arch=arches,
    variant=optional(variants),
    scenario=optional(scenarios),
    url=optional(links),
    log_url=optional(links),
    note=optional(notes),
    error_reason=optional(lines),
    duration=optional(st.floats(0, 31_536_000)),
    attempts=st.lists(
        st.builds(Tried, outcome=st.sampled_from(sorted(CONCLUSIVE | {Outcome.ERROR})), note=optional(notes)),
        max_size=3,
    ).map(tuple),
    counts=optional(
        st.builds(Counts, run=st.integers(0, 10**9), **{name: optional(st.integers(0, 10**9)) for name in _COUNTED})
    ),
    misc=optional(miscs),
)
runs: Final = st.builds(
    Run,
    id=names.map(RunId),
    url=links,
    log_url=optional(links),
    started_at=optional(times),
    finished_at=optional(times),
)
result_files: Final = st.builds(
    ResultFile,
    compose_id=compose_ids.map(str),
    manifest_sha256=sha256s,
    origin=origins,
    run=runs,
    contact=optional(contacts.filter(lambda contact: contact != Contact())),
    results=st.lists(results, min_size=1, max_size=3).map(tuple),
    misc=optional(miscs),
)

rpm_names: Final = word(_LETTERS + _DIGITS + "_%", _LETTERS + _DIGITS + "._+%{}-")
_versions: Final = st.text(_LETTERS + _DIGITS + "._+%{}~^", min_size=1, max_size=8)
_seen: Final = st.characters(codec="utf-8", exclude_characters=_CONTROL + _DIRECTION + "/")
_parts: Final = st.text(_seen, min_size=1, max_size=12).filter(lambda part: part not in {".", ".."})
file_paths: Final = st.lists(_parts, min_size=1, max_size=3).map("/".join)
images: Final = st.builds(
    Image,
    variant=variants,
    arch=arches,
    path=file_paths,
    type=lines,
    format=lines,
    subvariant=lines | st.just(""),
    size=st.integers(0, 2**53 - 1),
    sha256=optional(sha256s),
)
rpm_groups: Final = st.builds(
    RpmGroup, variant=variants, arches=some(arches), rpm_arch=optional(arches), names=some(rpm_names)
)
packages: Final = st.builds(
    Package,
    nvr=st.builds("{}-{}-{}".format, rpm_names, _versions, _versions),
    epoch=st.integers(0, 2**32 - 1),
    unsigned=st.integers(0, 1_000_000),
    rpms=st.lists(rpm_groups, max_size=2).map(tuple),
)
_readable: Final = st.builds(
    Manifest,
    compose_id=compose_ids,
    status=st.sampled_from(sorted(FINISHED)),
    label=optional(lines),
    release_name=optional(lines),
    location=links | lines,
    variants=st.dictionaries(variants, some(arches).map(sorted).map(tuple), max_size=3),
    metadata=st.fixed_dictionaries(
        {f"{name}.json": optional(sha256s) for name in ("composeinfo", "images", "modules", "rpms")}
    ),
    images=st.lists(images, max_size=2).map(tuple),
    packages=st.lists(packages, max_size=2).map(tuple),
)
_unreadable: Final = st.builds(
    replace,
    _readable,
    status=optional(st.sampled_from(sorted(FINISHED))),
    variants=st.just({}),
    images=st.just(()),
    packages=st.just(()),
    unreadable=st.builds(Unreadable, code=names, message=lines),
)
manifests: Final = _readable | _unreadable

requirements: Final = st.builds(
    Requirement,
    origin=origins,
    testcase=testcases,
    testcase_was=st.just(()) | some(testcases),
    why=lines | st.just(""),
    blocking=st.booleans(),
    max_attempts=optional(st.integers(1, 100)),
    complete=optional(st.integers(1, 100)),
    streams=optional(some(streams)),
    arches=st.sampled_from(["all", "any"]) | some(values),
    variants=st.sampled_from(["all", "any"]) | some(values),
    scenarios=st.just("any") | some(scenario_values),
    accept=st.frozensets(st.sampled_from(sorted(ACCEPTABLE))).map(frozenset({Outcome.PASSED}).union),
    attempts=st.sampled_from(Attempts),
    deadline=optional(durations),
    baseline=st.sampled_from([None, "published"]),
) | st.builds(
    Requirement,
    origin=origins,
    testcase=testcases,
    passes=st.builds(Passes, passed=st.integers(1, 100), of=st.integers(1, 100)),
)
policies: Final = st.builds(Policy, requirements=st.lists(requirements, max_size=3).map(tuple))
waivers: Final = st.builds(
    Waiver,
    origin=origins,
    testcase=testcases,
    reason=lines,
    issue=links,
    by=users,
    expires=dates,
    arch=optional(arches),
    variant=optional(variants),
    scenario=optional(scenarios),
    composes=optional(some(patterns)),
)
hold_entries: Final = st.builds(
    HoldEntry,
    reason=lines,
    issue=links,
    by=users,
    until=dates,
    stream=optional(streams),
    composes=optional(some(patterns)),
    exceptions=some(compose_ids.map(str), least=0),
)
signing_keys: Final = st.builds(
    SigningKey,
    key=st.builds(
        "{} AAAA{}{}".format,
        st.sampled_from(["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"]),
        st.text(_LETTERS + _DIGITS + "+/", min_size=16, max_size=24),
        st.sampled_from(["", "=", "= rdo-ci", "== a comment, with words"]),
    ),
    valid_after=optional(dates),
    valid_before=optional(dates),
    revoked=st.booleans(),
)
topics: Final = st.lists(word(_LETTERS + _DIGITS + "_-", _LETTERS + _DIGITS + "_-", 6), min_size=1, max_size=3).map(
    ".".join
)
bus_mappings: Final = st.builds(BusMapping, topic=topics, ci=lines)
jenkins_jobs: Final = st.builds(
    JenkinsJob,
    job=st.sampled_from(["https://ci.example.org/job/smoke", "http://127.0.0.1:8080/ci/job/a/job/b%20c/"]),
    testcase=optional(test_names),
    arch=optional(names),
    arch_parameter=optional(lines),
    compose_parameter=optional(lines),
    variant=optional(names),
    scenario=optional(test_names),
    run_is_test=st.booleans(),
)
origin_entries: Final = st.builds(
    OriginEntry,
    origin=origins,
    name=lines,
    contact=contacts.filter(lambda contact: bool(contact.email or contact.url)),
    users=some(users, least=0),
    attribution=st.sampled_from(Attribution),
    keys=st.lists(signing_keys, max_size=2).map(tuple),
    bus=st.lists(bus_mappings, max_size=2).map(tuple),
    jenkins=st.lists(jenkins_jobs, max_size=2).map(tuple),
)
hooks: Final = (
    st.sampled_from([JenkinsHook(job="https://ci.example.org/job/publish")])
    | st.builds(PipelineHook, url=links, project=names, ref=lines)
    | st.builds(CommandHook, command=some(lines))
)
stream_entries: Final = st.builds(
    StreamEntry,
    stream=streams,
    composes=st.lists(sources, min_size=1, max_size=3, unique=True).map(tuple),
    published=st.none() | sources,
    types=some(st.sampled_from(ComposeType)),
    statuses=some(st.sampled_from([Status.FINISHED, Status.FINISHED_INCOMPLETE]), most=2),
    mode=st.sampled_from(Mode),
    open_at_most=st.integers(1, 100),
    promote=st.none() | hooks,
)
bots: Final = st.builds(Bots, compose=users, gate=users)
label_names: Final = st.from_regex(r"[A-Za-z][A-Za-z0-9._:/+-]{0,10}(?: [A-Za-z0-9._:/+-]{1,5})?", fullmatch=True)
labels: Final = st.builds(Labels, **dict.fromkeys(Labels().to_dict(), label_names))

problems: Final = st.builds(
    Problem,
    path=st.text(st.characters(codec="utf-8"), max_size=20),
    line=st.integers(1, 1_000_000),
    pointer=st.text(st.characters(codec="utf-8"), max_size=20),
    code=st.sampled_from(["origin-mismatch", "toml", "not-utf-8"]),
    message=lines.filter(str.strip),
    fix=lines.filter(str.strip),
)
attempts: Final = st.builds(NotCounted, outcome=st.sampled_from(Outcome), run_id=names.map(RunId), url=links)
holds: Final = st.builds(Hold, reason=lines, issue=links, by=users, until=st.dates(min_value=dt.date(1000, 1, 1)))
unmatched: Final = st.builds(
    Unmatched, origin=origins, named=st.lists(lines, max_size=3).map(tuple), others=st.integers(0, 100)
)
answers: Final = st.builds(
    Answer,
    origin=origins,
    testcase=testcases,
    scenario=optional(scenarios),
    arch=optional(arches),
    variant=optional(variants),
    blocking=st.booleans(),
    state=st.sampled_from(State),
    outcome=optional(st.sampled_from(Outcome)),
    run_id=optional(names.map(RunId)),
    url=optional(links),
    attempts=st.integers(0, 100),
    not_counted=st.lists(attempts, max_size=2).map(tuple),
    since=optional(compose_ids),
    usual=optional(
        st.builds(
            Usual,
            median=st.integers(0, 2000).map(lambda halves: halves / 2),
            composes=st.lists(st.tuples(compose_ids, st.integers(0, 1000)), min_size=3, max_size=10).map(tuple),
        )
    ),
    due=optional(times),
    flaky=st.booleans(),
    waiver=optional(waivers),
    reason=lines | st.just(""),
)
decisions: Final = st.builds(
    Decision,
    compose_id=compose_ids,
    verdict=st.sampled_from(Verdict),
    held=optional(holds),
    hold_ends_soon=st.booleans(),
    summary=lines,
    manifest_sha256=sha256s,
    policy_sha256=sha256s,
    answers=st.lists(answers, max_size=3).map(tuple),
    refused=st.lists(problems, max_size=2).map(tuple),
    bears_on=st.dictionaries(st.just(""), st.integers(0, 100)),
    unmatched=st.lists(unmatched, max_size=2).map(tuple),
    advice=st.lists(problems, max_size=2).map(tuple),
    notices=st.lists(st.builds(WaiverNotice, state=st.sampled_from(WaiverState), waiver=waivers), max_size=2).map(
        tuple
    ),
)


SCHEMAS: Final = Path(__file__).parents[2] / "schemas"


@cache
def schema(stem: str) -> dict[str, Any]:
    """Read one of our schemas."""
    value: dict[str, Any] = json.loads((SCHEMAS / f"{stem}.schema.json").read_bytes())
    return value


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def parses(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, ComposeIdError):
            return False
        return True

    return parses


@cache
def documents(stem: str) -> st.SearchStrategy[Any]:
    """Give the documents that one of our schemas admits."""
    root = schema(stem)
    return from_schema(root, root)


_CALENDAR: Final = {
    "date": _parses(dt.date.fromisoformat),
    "time": _parses(dt.datetime.fromisoformat),
    "compose_id": _parses(ComposeId.parse),
}
"""What a pattern cannot say of these: February has no 30th, and the year 0 is none."""

_ANNOTATIONS: Final = {"title", "description", "examples", "default", "$schema", "$id", "$defs"}
_ANY_CHARACTER_BUT: Final = re.compile(r"\^\(\?!\[\^(?P<class>.+)\]\*\[(?P=class)\]\)")
_NO_NEWLINE: Final = r"(?![^\n]*\n)"


def from_schema(  # noqa: C901, PLR0911, PLR0912  # one branch for each keyword
    part: Mapping[str, Any], root: Mapping[str, Any]
) -> st.SearchStrategy[Any]:
    """Give the values that a schema admits; knows the keywords that ours use, and refuses any other.

    Sizes stay small: the bounds themselves are tested elsewhere.
    """
    left = {key: value for key, value in part.items() if key not in _ANNOTATIONS}
    if "not" in left:
        forbidden = left.pop("not")
        return from_schema(left, root).filter(lambda value: not _is_forbidden(forbidden, value))
    if "$ref" in left:
        return _reference(left, root)
    if "anyOf" in left:
        return st.one_of([from_schema(choice, root) for choice in left["anyOf"]])
    if "const" in left:
        return st.just(left["const"])
    if "enum" in left:
        return st.sampled_from(left["enum"])
    match left.pop("type"):
        case "object":
            return _object(left, root)
        case "array":
            return _array(left, root)
        case "string":
            return _string(left)
        case "integer":
            return st.integers(left.pop("minimum"), left.pop("maximum"))
        case "number":
            return st.floats(left.pop("minimum"), left.pop("maximum")) | st.integers(0, 1000)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case other:
            raise NotImplementedError(other)


def _is_forbidden(forbidden: Mapping[str, Any], value: Any) -> bool:  # noqa: ANN401  # a JSON value
    if forbidden.keys() == {"enum"}:
        return value in forbidden["enum"]
    if forbidden == {"type": "string", "pattern": r"\n"}:
        return "\n" in value
    raise NotImplementedError(forbidden)


def _reference(part: dict[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    name = part.pop("$ref").removeprefix("#/$defs/")
    most, choices = part.pop("maxLength", None), part.pop("anyOf", [])
    if part or any(choice.keys() != {"required"} for choice in choices):
        raise NotImplementedError(part, choices)
    # Drawing 64 digits one by one is slow, and 32 bytes are as good.
    base = sha256s if name == "sha256" else from_schema(root["$defs"][name], root)
    base = base.filter(_CALENDAR.get(name, lambda _: True))
    return base.filter(
        lambda value: (
            (most is None or len(value) <= most)
            and (not choices or any(choice["required"][0] in value for choice in choices))
        )
    )


def _object(part: dict[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    least = part.pop("minProperties", 0)
    most = part.pop("maxProperties", None)
    if part.pop("additionalProperties"):
        return miscs
    if "patternProperties" in part:
        ((pattern, value),) = part.pop("patternProperties").items()
        keys = st.from_regex(pattern.replace(_NO_NEWLINE, ""), fullmatch=True).filter(_is_short)
        return st.dictionaries(keys, from_schema(value, root), max_size=2)
    required = part.pop("required", [])
    fields = {name: from_schema(value, root) for name, value in part.pop("properties").items()}
    if part:
        raise NotImplementedError(part)
    if most == 1:
        return st.one_of([st.fixed_dictionaries({name: field}) for name, field in fields.items()])
    return st.fixed_dictionaries({name: fields.pop(name) for name in required}, optional=fields).filter(
        lambda value: len(value) >= least
    )


def _is_short(key: str) -> bool:
    return len(key) <= 100  # well below the bound of any key


def _array(part: dict[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    items, least = from_schema(part.pop("items"), root), part.pop("minItems", 0)
    most = min(part.pop("maxItems", 3), 3)
    unique, contained = part.pop("uniqueItems", False), part.pop("contains", None)
    if part:
        raise NotImplementedError(part)
    lists = st.lists(items, min_size=least, max_size=most, unique=unique)
    return lists if contained is None else lists.filter(lambda value: contained["const"] in value)


def _string(part: dict[str, Any]) -> st.SearchStrategy[str]:
    least, most, pattern = part.pop("minLength", 0), part.pop("maxLength", 1000), part.pop("pattern", "^[^\\n]*$")
    if part:
        raise NotImplementedError(part)
    text = _ANY_CHARACTER_BUT.fullmatch(pattern)
    strings = st.from_regex(
        f"[^{text['class']}]*" if text else pattern, fullmatch=True, alphabet=st.characters(codec="utf-8")
    )
    return strings.filter(lambda value: least <= len(value) <= most)
