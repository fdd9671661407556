"""What a schema cannot say: each check is one law about one file in its place, stated in its docstring.

A check looks at data that satisfies its schema and yields problems without lines; lines are looked up only for what
is reported.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any, Final, TypeAlias

from msgspec import Struct, ValidationError

from compose_repo.core.branch.signing import KeyFormError, public_key
from compose_repo.core.composes import paths
from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.composes.layout import Kind, Place
from compose_repo.core.documents.limits import LISTED
from compose_repo.core.links import WITH_HOST, is_loopback
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem, escape, shown
from compose_repo.core.result import IN_PROGRESS, Outcome

SKEW: Final = dt.timedelta(minutes=5)
"""How far a reporter's clock may run ahead of GitLab's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a check may compare a file with; None where that is not known, and then nothing is said about it.

    `manifest_sha256` and `variants` (with their arches) are those of the compose that the file belongs to.
    """

    manifest_sha256: str | None = None
    variants: Mapping[str, Collection[str]] | None = None
    arches: frozenset[str] = frozenset()
    origins: Collection[str] | None = None
    streams: Collection[str] | None = None
    trees: frozenset[tuple[str, str | None]] = field(init=False)
    """Each arch alone, and with each variant that the compose has on it."""

    def __post_init__(self) -> None:
        pairs = {(arch, name) for name, on in (self.variants or {}).items() for arch in on}
        object.__setattr__(self, "trees", frozenset(pairs | {(arch, None) for arch in self.arches}))


class Case(Struct, frozen=True, kw_only=True):
    """One file to check: where it lies, its bytes and its data, and what is known around it.

    `now` is when the file was pushed or committed; of one that is neither yet, the time of looking.
    """

    place: Place
    raw: bytes
    data: Mapping[str, Any]
    known: Known
    now: dt.datetime

    def problem(self, pointer: str, code: Code, message: str, fix: str) -> Problem:
        """Give a problem of this file."""
        return Problem(path=self.place.path, pointer=pointer, code=code, message=message, fix=fix)


Check: TypeAlias = Callable[[Case], Iterable[Problem]]


def compose_is_the_folders(case: Case) -> Iterator[Problem]:
    """A result file names the compose whose folder it is in."""
    if case.data["compose_id"] != case.place.compose_id:
        yield case.problem(
            "/compose_id",
            Code.COMPOSE_MISMATCH,
            f"{shown(case.data['compose_id'])} should be {shown(case.place.compose_id)}",
            "move the file or fix the field",
        )


def origin_is_the_folders(case: Case) -> Iterator[Problem]:
    """A result file carries the origin its folder names."""
    if case.data["origin"] != case.place.origin:
        yield case.problem(
            "/origin",
            Code.ORIGIN_MISMATCH,
            f"{shown(case.data['origin'])} should be {shown(case.place.origin)}",
            "move the file or fix the field",
        )


def run_is_the_files(case: Case) -> Iterator[Problem]:
    """A result file is named by its run."""
    if case.data["run"]["id"] != case.place.run_id:
        yield case.problem(
            "/run/id",
            Code.RUN_MISMATCH,
            f"{shown(case.data['run']['id'])} should be {shown(case.place.run_id)}",
            "rename the file or fix the field",
        )


def compose_has_a_manifest(case: Case) -> Iterator[Problem]:
    """Results are reported only on a compose whose manifest is there."""
    if case.known.manifest_sha256 is None:
        yield case.problem(
            "/compose_id",
            Code.NO_MANIFEST,
            f"there is no {paths.manifest_of(case.place.compose_id)}",
            "report on the branch of the compose's merge request",
        )


def manifest_is_the_tested_one(case: Case) -> Iterator[Problem]:
    """A result file is bound to its compose's manifest by digest: other bytes are another compose."""
    digest = case.known.manifest_sha256
    if digest is not None and case.data["manifest_sha256"] != digest:
        yield case.problem(
            "/manifest_sha256",
            Code.MANIFEST_MISMATCH,
            f"{shown(case.data['manifest_sha256'])} is not the digest of manifest.json, {shown(digest)}",
            "test the compose that the manifest describes, and give the SHA-256 of its manifest.json",
        )


def origin_is_known(case: Case) -> Iterator[Problem]:
    """An origin that reports is listed in gate/origins.toml."""
    yield from _unknown_origin(case, "/origin", case.data["origin"])


def cells_stand_once(case: Case) -> Iterator[Problem]:
    """A file has each testcase, scenario, arch and variant once."""
    cells = [(row["testcase"], row.get("scenario"), row["arch"], row.get("variant")) for row in case.data["results"]]
    if len(set(cells)) == len(cells):
        return
    seen: dict[tuple[str, str | None, str, str | None], int] = {}
    for index, cell in enumerate(cells):
        first = seen.setdefault(cell, index)
        if first != index:
            yield case.problem(
                f"/results/{index}",
                Code.DUPLICATE_CELL,
                f"{shown(' '.join(part for part in cell if part is not None))} is already reported at /results/{first}",
                "report each testcase, scenario, arch and variant once; report a rerun in a new file",
            )


def times_are_times(case: Case) -> Iterator[Problem]:
    """Each time exists: no February 30th."""
    for name in ("started_at", "finished_at"):
        text = case.data["run"].get(name)
        if text is not None and _moment(text) is None:
            yield case.problem(
                f"/run/{name}", Code.BAD_TIME, f"{shown(text)} is not a valid time", "give the time in UTC"
            )


def times_are_in_order(case: Case) -> Iterator[Problem]:
    """A run does not finish before it starts."""
    run = case.data["run"]
    started, finished = _moment(run.get("started_at")), _moment(run.get("finished_at"))
    if started is not None and finished is not None and finished < started:
        yield case.problem(
            "/run/finished_at",
            Code.TIMES_OUT_OF_ORDER,
            f"the run finishes at {run['finished_at']}, before it starts at {run['started_at']}",
            "fix the times, and mind their offsets from UTC",
        )


def times_are_past(case: Case) -> Iterator[Problem]:
    """No run ends after its file was pushed; a clock may run a little ahead.

    So a file is refused or counts for good, whenever it is looked at.
    """
    came = f"{case.now.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    for name in ("started_at", "finished_at"):
        moment = _moment(case.data["run"].get(name))
        if moment is not None and moment - case.now > SKEW:
            yield case.problem(
                f"/run/{name}",
                Code.FUTURE_TIME,
                f"{case.data['run'][name]} is over 5 minutes after {came}, "
                "when the file was pushed, committed or checked",
                "set the clock, check the UTC offset, and report again in a new file",
            )


def finished_unless_in_progress(case: Case) -> Iterator[Problem]:
    """A run has finished unless every outcome is queued or running."""
    if "finished_at" in case.data["run"]:
        return
    final = next((row["outcome"] for row in case.data["results"] if row["outcome"] not in IN_PROGRESS), None)
    if final is not None:
        yield case.problem(
            "/run",
            Code.MISSING_FINISH,
            f"finished_at is missing, but an outcome is {final}",
            "add finished_at, or report every outcome as queued or running",
        )


def reason_only_of_an_error(case: Case) -> Iterator[Problem]:
    """Only an error has an error_reason."""
    for index, result in enumerate(case.data["results"]):
        if "error_reason" in result and result["outcome"] != Outcome.ERROR:
            yield case.problem(
                f"/results/{index}/error_reason",
                Code.STRAY_ERROR_REASON,
                f"the outcome is {result['outcome']}, not error",
                "move the text to note, or report the outcome error",
            )


def counts_agree(case: Case) -> Iterator[Problem]:
    """Tests that passed, failed or errored have run."""
    for index, result in enumerate(case.data["results"]):
        counts = result.get("counts")
        if counts is None:
            continue
        ended = sum(counts.get(name, 0) for name in ("passed", "failed", "errored"))
        if ended > counts["run"]:
            yield case.problem(
                f"/results/{index}/counts/run",
                Code.COUNTS_CONTRADICTION,
                f"{counts['run']} tests ran, but {ended} passed, failed or errored",
                "give the numbers that the tool itself counted, or leave out those that it does not have",
            )


def links_lead_somewhere(case: Case) -> Iterator[Problem]:
    """Each link has a host, a port that can be, and nobody's credentials."""
    yield from _links(case, "/run", case.data["run"], _RESULT_LINKS)
    yield from _links(case, "/contact", case.data.get("contact", {}), _CONTACT_LINKS)
    for index, result in enumerate(case.data["results"]):
        for name in _RESULT_LINKS:
            if name in result and WITH_HOST.match(result[name]) is None:
                yield _bad_link(case, f"/results/{index}/{name}", result[name])


def cells_are_in_the_compose(case: Case) -> Iterator[Problem]:
    """Results are about arches and variants that the compose has."""
    variants, arches = case.known.variants, case.known.arches
    if variants is None:
        return
    rows = case.data["results"]
    if case.known.trees.issuperset([(row["arch"], row.get("variant")) for row in rows]):
        return
    for index, row in enumerate(rows):
        arch, variant = row["arch"], row.get("variant")
        if arch not in arches:
            yield case.problem(
                f"/results/{index}/arch",
                Code.UNKNOWN_ARCH,
                f"the compose has no {shown(arch)}",
                f"use one of its arches: {', '.join(sorted(arches))}",
            )
        if variant is not None and variant not in variants:
            yield case.problem(
                f"/results/{index}/variant",
                Code.UNKNOWN_VARIANT,
                f"the compose has no {shown(variant)}",
                f"use one of its variants: {', '.join(sorted(variants))}",
            )
        elif variant is not None and arch in arches and arch not in variants[variant]:
            yield case.problem(
                f"/results/{index}/variant",
                Code.UNKNOWN_VARIANT,
                f"the compose has no {shown(variant)} for {arch}",
                f"its arches there: {', '.join(sorted(variants[variant]))}",
            )


def manifest_is_the_folders(case: Case) -> Iterator[Problem]:
    """A manifest describes the compose whose folder it is in."""
    compose_id = case.data["compose"]["id"]
    if compose_id != case.place.compose_id:
        yield case.problem(
            "/compose/id",
            Code.COMPOSE_MISMATCH,
            f"{shown(compose_id)} should be {shown(case.place.compose_id)}",
            "move the file, or make the manifest of this compose",
        )


def manifest_id_is_an_id(case: Case) -> Iterator[Problem]:
    """A manifest's compose id parses strictly, its date a day of the calendar."""
    try:
        ComposeId.parse(case.data["compose"]["id"])
    except ComposeIdError as error:
        yield case.problem("/compose/id", Code.BAD_COMPOSE_ID, str(error), _MAKE_ANEW)


def manifest_agrees_with_its_id(case: Case) -> Iterator[Problem]:
    """A manifest's date, type, respin and release are those that its id names."""
    compose, release = case.data["compose"], case.data["release"]
    try:
        named = ComposeId.parse(compose["id"])
    except ComposeIdError:
        return
    facts = (
        ("/compose/date", compose["date"], named.date.isoformat()),
        ("/compose/type", compose["type"], named.type.value),
        ("/compose/respin", compose["respin"], named.respin),
        ("/release/short", release["short"], named.short),
        ("/release/version", release["version"], named.version),
    )
    for pointer, fact, expected in facts:
        if fact != expected:
            yield case.problem(
                pointer,
                Code.MANIFEST_CONTRADICTION,
                f"{shown(fact)} should be {shown(expected)}, as the id says",
                _MAKE_ANEW,
            )


def nothing_is_null_without_a_reason(case: Case) -> Iterator[Problem]:
    """A manifest says null of a compose's status, variants, images or packages only where it says why, and of all."""
    parts = {f"/{name}": case.data[name] for name in ("variants", "images", "packages")}
    if "unreadable" not in case.data:
        parts["/compose/status"] = case.data["compose"]["status"]
    for pointer, part in parts.items():
        if (part is None) != ("unreadable" in case.data):
            message = "null needs a reason in unreadable" if part is None else "it is known, but the compose unreadable"
            yield case.problem(pointer, Code.MANIFEST_CONTRADICTION, message, _MAKE_ANEW)


def packages_are_sorted(case: Case) -> Iterator[Problem]:
    """A manifest lists each SRPM once, sorted by NVR, then by epoch."""
    builds = [(package["nvr"], package.get("epoch", 0)) for package in case.data["packages"] or ()]
    for index, (before, after) in enumerate(pairwise(builds), start=1):
        if after <= before:
            yield case.problem(
                f"/packages/{index}/nvr",
                Code.NOT_SORTED,
                f"{shown(after[0])} comes after {shown(before[0])}",
                _MAKE_ANEW,
            )


def manifest_is_canonical(case: Case) -> Iterator[Problem]:
    """A manifest has exactly the bytes that `compose-repo manifest` writes, so that its digest means something."""
    from compose_repo.core.manifests.manifest import Manifest  # noqa: PLC0415  # results alone do not need it

    try:
        expected = Manifest.from_dict(case.data).to_bytes()
    except ComposeIdError:
        return
    except ValidationError:  # the schema takes 2.0 for an integer
        expected = b""
    if case.raw != expected:
        lines = zip(case.raw.split(b"\n"), expected.split(b"\n"), strict=False)
        number = next((number for number, (have, want) in enumerate(lines, start=1) if have != want), 1)
        yield Problem(
            path=case.place.path,
            line=number,
            code=Code.NOT_CANONICAL,
            message="the manifest is not in the form that `compose-repo manifest` writes",
            fix=_MAKE_ANEW,
        )


def origins_of_requirements_are_known(case: Case) -> Iterator[Problem]:
    """Each requirement asks an origin that gate/origins.toml lists."""
    for index, requirement in enumerate(case.data.get("requirement", ())):
        yield from _unknown_origin(case, f"/requirement/{index}/origin", requirement["origin"])


def streams_of_requirements_are_known(case: Case) -> Iterator[Problem]:
    """Each requirement names streams that gate/streams.toml lists: a mistyped stream would ask for nothing."""
    if case.known.streams is None:
        return
    for index, requirement in enumerate(case.data.get("requirement", ())):
        for position, stream in enumerate(requirement.get("streams", ())):
            if stream not in case.known.streams:
                yield case.problem(
                    f"/requirement/{index}/streams/{position}",
                    Code.UNKNOWN_STREAM,
                    f"{shown(stream)} is not in gate/streams.toml",
                    f"name one that is ({', '.join(sorted(case.known.streams)) or 'none exists'}), or add it there",
                )


def requirements_stand_once(case: Case) -> Iterator[Problem]:
    """No two requirements ask the same of the same cells."""
    seen: dict[Any, int] = {}
    for index, requirement in enumerate(case.data.get("requirement", ())):
        asked = {name: value for name, value in requirement.items() if name in _ASKED}
        first = seen.setdefault(repr(sorted(asked.items())), index)
        if first != index:
            yield case.problem(
                f"/requirement/{index}",
                Code.DUPLICATE_REQUIREMENT,
                f"this asks the same as requirement {first + 1}",
                "keep one of them",
            )


def attempts_can_be_made(case: Case) -> Iterator[Problem]:
    """Of the attempts that are looked at, as many can pass as must, and as many count as are looked at."""
    for index, requirement in enumerate(case.data.get("requirement", ())):
        attempts = requirement.get("attempts")
        if not isinstance(attempts, Mapping):
            continue
        passed, of, most = attempts["passed"], attempts["of"], requirement.get("max_attempts")
        if passed > of:
            yield case.problem(
                f"/requirement/{index}/attempts/passed",
                Code.TOO_FEW_ATTEMPTS,
                f"{passed} of {of} attempts can never pass",
                "ask for fewer passes, or look at more attempts",
            )
        if most is not None and of > most:
            yield case.problem(
                f"/requirement/{index}/attempts/of",
                Code.TOO_FEW_ATTEMPTS,
                f"{of} attempts are looked at, but max_attempts is {most}",
                "raise max_attempts, or look at fewer attempts",
            )


def names_are_one_tests(case: Case) -> Iterator[Problem]:
    """No test of an origin has, as its earlier name, the name of another one, now or earlier."""
    rows = list(enumerate(case.data.get("requirement", ())))
    now = {(row["origin"], row["testcase"]) for _, row in rows}
    claimed: dict[tuple[str, str], tuple[int, str]] = {}
    for index, row in rows:
        for position, name in enumerate(row.get("testcase_was", ())):
            key = (row["origin"], name)
            first, testcase = claimed.setdefault(key, (index, row["testcase"]))
            if key in now:
                why = "is what a test of the origin is called now"
            elif testcase != row["testcase"]:
                why = f"is an earlier name of {shown(testcase)} already, in requirement {first + 1}"
            else:
                continue
            yield case.problem(
                f"/requirement/{index}/testcase_was/{position}",
                Code.NAME_COLLISION,
                f"{shown(name)} {why}",
                "take it out: a result of that name could be about either",
            )


def origins_of_waivers_are_known(case: Case) -> Iterator[Problem]:
    """Each waiver is for an origin that gate/origins.toml lists: a mistyped one would waive nothing."""
    for index, waiver in enumerate(case.data.get("waiver", ())):
        yield from _unknown_origin(case, f"/waiver/{index}/origin", waiver["origin"])


def waivers_end_on_a_day(case: Case) -> Iterator[Problem]:
    """A waiver expires on a day of the calendar."""
    for index, waiver in enumerate(case.data.get("waiver", ())):
        yield from _days(case, f"/waiver/{index}", waiver, ("expires",))


def waivers_link_an_issue(case: Case) -> Iterator[Problem]:
    """A waiver links the issue that explains it."""
    for index, waiver in enumerate(case.data.get("waiver", ())):
        yield from _links(case, f"/waiver/{index}", waiver, ("issue",))


def holds_say_what_they_hold(case: Case) -> Iterator[Problem]:
    """A hold is on a stream or on composes, and not on both."""
    for index, hold in enumerate(case.data.get("hold", ())):
        if ("stream" in hold) == ("composes" in hold):
            both = "stream" in hold
            yield case.problem(
                f"/hold/{index}",
                Code.BAD_HOLD,
                "the hold names a stream and composes" if both else "the hold names neither a stream nor composes",
                "leave one of them out" if both else "give stream or composes: what must not go out",
            )


def holds_except_composes(case: Case) -> Iterator[Problem]:
    """What a hold excepts are ids of composes, their dates in the calendar."""
    for index, hold in enumerate(case.data.get("hold", ())):
        for position, text in enumerate(hold.get("except", ())):
            try:
                ComposeId.parse(text)
            except ComposeIdError as error:
                yield case.problem(f"/hold/{index}/except/{position}", Code.BAD_TIME, str(error), "fix the date")


def holds_end_on_a_day(case: Case) -> Iterator[Problem]:
    """A hold ends on a day of the calendar."""
    for index, hold in enumerate(case.data.get("hold", ())):
        yield from _days(case, f"/hold/{index}", hold, ("until",))


def holds_link_an_issue(case: Case) -> Iterator[Problem]:
    """A hold links the issue that explains it."""
    for index, hold in enumerate(case.data.get("hold", ())):
        yield from _links(case, f"/hold/{index}", hold, ("issue",))


def origins_differ(case: Case) -> Iterator[Problem]:
    """No two origins differ only in case: their folders would be one on some file systems."""
    seen: dict[str, str] = {}
    for name in case.data.get("origins", {}):
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            yield case.problem(
                f"/origins/{escape(name)}",
                Code.NAME_COLLISION,
                f"{shown(name)} differs only in case from {shown(first)}",
                "give the origin another name",
            )


def origins_can_be_reached(case: Case) -> Iterator[Problem]:
    """An origin's contact has links that lead somewhere."""
    for name, origin in case.data.get("origins", {}).items():
        yield from _links(case, f"/origins/{escape(name)}/contact", origin["contact"], _CONTACT_LINKS)


def keys_have_days(case: Case) -> Iterator[Problem]:
    """A key is valid from one day of the calendar to a later one."""
    for name, origin in case.data.get("origins", {}).items():
        for index, key in enumerate(origin.get("keys", ())):
            if isinstance(key, str):
                continue
            pointer = f"/origins/{escape(name)}/keys/{index}"
            yield from _days(case, pointer, key, ("valid_after", "valid_before"))
            if "valid_after" in key and key["valid_after"] >= key.get("valid_before", "9999"):
                yield case.problem(
                    f"{pointer}/valid_before",
                    Code.TIMES_OUT_OF_ORDER,
                    f"{key['valid_before']} is not after {key['valid_after']}",
                    "fix the dates; to stop believing a key, set revoked = true",
                )


_NEW_KEY: Final = "make one with ssh-keygen -t ed25519, and copy the one line of its .pub file"


def keys_can_sign(case: Case) -> Iterator[Problem]:
    """An origin's key is a plain public key, strong enough, and stands there once."""
    for name, origin in case.data.get("origins", {}).items():
        seen: set[bytes] = set()
        for index, text in enumerate(map(_key_text, origin.get("keys", ()))):
            pointer = f"/origins/{escape(name)}/keys/{index}"
            try:
                key = public_key(text)
            except KeyFormError as error:
                yield case.problem(pointer, Code.BAD_KEY, str(error), _NEW_KEY)
                continue
            if key in seen:
                yield case.problem(pointer, Code.BAD_KEY, "the key is there twice", "keep one of them")
            seen.add(key)


def revoked_keys_are_believed_nowhere(case: Case) -> Iterator[Problem]:
    """A key that one origin has revoked is not valid for another origin."""
    rows = [
        (
            f"/origins/{escape(name)}/keys/{index}",
            name,
            _key_of(key),
            not isinstance(key, str) and key.get("revoked"),
        )
        for name, origin in case.data.get("origins", {}).items()
        for index, key in enumerate(origin.get("keys", ()))
    ]
    revoked = {key: name for _, name, key, is_revoked in rows if is_revoked}
    for pointer, name, key, is_revoked in rows:
        if key in revoked and not is_revoked and revoked[key] != name:
            yield case.problem(
                pointer,
                Code.BAD_KEY,
                f"{shown(revoked[key])} has revoked the key",
                "revoke it here too: revoked = true",
            )


def messages_are_one_origins(case: Case) -> Iterator[Problem]:
    """No message of the bus reports for two origins, or twice for one."""
    from compose_repo.core.rules.policy import BusMapping  # noqa: PLC0415  # results alone do not need it

    seen: list[tuple[str, BusMapping]] = []
    for name, origin in case.data.get("origins", {}).items():
        for index, row in enumerate(origin.get("bus", ())):
            mapping = BusMapping.from_dict(row)
            other = next(((whose, there) for whose, there in seen if mapping.meets(there)), None)
            seen.append((name, mapping))
            if other is not None:
                yield case.problem(
                    f"/origins/{escape(name)}/bus/{index}",
                    Code.DUPLICATE_MAPPING,
                    f"messages of {shown(mapping.ci)} under {mapping.topic} are {shown(other[0])}'s already, "
                    f"by {other[1].topic}",
                    "keep one of the two mappings",
                )


def jobs_are_one_origins(case: Case) -> Iterator[Problem]:
    """No job of a Jenkins reports for two origins, or twice for one."""
    from compose_repo.core.rules.policy import JenkinsJob  # noqa: PLC0415  # results alone do not need it

    seen: dict[tuple[str, str], str] = {}
    for pointer, name, row in _jobs(case):
        job = JenkinsJob.from_dict(row).same_as
        if job in seen:
            yield case.problem(
                f"{pointer}/job",
                Code.DUPLICATE_MAPPING,
                f"the job is {shown(seen[job])}'s already",
                "keep one of the two",
            )
        seen.setdefault(job, name)


def jobs_can_be_read(case: Case) -> Iterator[Problem]:
    """A Jenkins is read over TLS, unless it is on this machine, and its builds' arch is given in one way."""
    for pointer, _, row in _jobs(case):
        yield from _over_tls(case, pointer, row, "job")
        if ("arch" in row) == ("arch_parameter" in row):
            yield case.problem(
                pointer,
                Code.UNKNOWN_ARCH,
                "either every build tests one arch, or a parameter says which",
                "give one of arch and arch_parameter",
            )


def _over_tls(case: Case, pointer: str, fields: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """An address that is asked, or told, something is https with a host, or on this very machine."""
    parts = fields[name].split("/")
    if parts[0] == "http:" and not is_loopback(parts[2]):
        message = "without TLS anybody on the way could read and answer"
        yield case.problem(f"{pointer}/{name}", Code.BAD_LINK, message, "give its https address")
    elif {".", ".."} & set(parts):
        yield case.problem(f"{pointer}/{name}", Code.BAD_LINK, "'.' and '..' are not names", "give its own address")
    else:
        yield from _links(case, pointer, fields, (name,))


def _jobs(case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give each job with its pointer and its origin's name."""
    for name, origin in case.data.get("origins", {}).items():
        for index, row in enumerate(origin.get("jenkins", ())):
            yield f"/origins/{escape(name)}/jenkins/{index}", name, row


def streams_are_streams(case: Case) -> Iterator[Problem]:
    """A stream is named by the release short name and version that its compose ids begin with."""
    for name in case.data.get("streams", {}):
        try:
            stream = ComposeId.parse(f"{name}-20000101.0").stream
        except ComposeIdError:
            stream = None
        if stream != name:
            yield case.problem(
                f"/streams/{escape(name)}",
                Code.BAD_STREAM,
                f"{shown(name)} is not a release short name and version",
                'name it as in "CentOS-Stream-10"',
            )


def streams_lead_somewhere(case: Case) -> Iterator[Problem]:
    """A stream's addresses have a host and nobody's credentials."""
    for name, stream in case.data.get("streams", {}).items():
        pointer, composes = f"/streams/{escape(name)}", stream.get("composes", ())
        if isinstance(composes, str):
            yield from _links(case, pointer, stream, ("composes",))
        else:
            listed = {str(index): address for index, address in enumerate(composes)}
            yield from _links(case, f"{pointer}/composes", listed, listed)
        yield from _links(case, pointer, stream, ("published",))


def mirrors_name_what_they_carry(case: Case) -> Iterator[Problem]:
    """A stream says where its mirrors name what is published, unless merging is what publishes: `mode = "gating"`."""
    for name, stream in case.data.get("streams", {}).items():
        if "published" not in stream and stream.get("mode") != "gating":
            yield case.problem(
                f"/streams/{escape(name)}",
                Code.MISSING_FIELD,
                "'published' is missing: nobody could tell when a compose is published",
                "give the address of the mirrors' COMPOSE_ID file; only a stream of mode gating may leave it out",
            )


def labels_are_told_apart(case: Case) -> Iterator[Problem]:
    """No two labels are one, and none takes the place of another that tells of something else."""
    from compose_repo.core.plan.labels import labels_from_dict  # noqa: PLC0415  # results alone do not need it

    labels, given = labels_from_dict(case.data), case.data.get("labels", {})
    names = sorted(labels.to_dict(), key=given.__contains__)  # what is wrong is what somebody has written
    for index, name in enumerate(names):
        why = next(filter(None, (labels.clash(name, other) for other in names[:index])), None)
        if why is not None:
            yield case.problem(
                f"/labels/{name}", Code.LABEL_CLASH, f"{shown(given[name])}: {why}", "give it another name"
            )


def hooks_are_called_safely(case: Case) -> Iterator[Problem]:
    """A stream's hook is called over TLS, if it is not on this very machine: the call carries a secret."""
    for name, stream in case.data.get("streams", {}).items():
        promote = stream.get("promote", {})
        for hook, address in (("jenkins", "job"), ("gitlab", "url")):
            if hook in promote:
                yield from _over_tls(case, f"/streams/{escape(name)}/promote/{hook}", promote[hook], address)


CHECKS: Final[Mapping[Kind, tuple[Check, ...]]] = {
    Kind.RESULT: (
        compose_is_the_folders,
        origin_is_the_folders,
        run_is_the_files,
        compose_has_a_manifest,
        manifest_is_the_tested_one,
        origin_is_known,
        cells_stand_once,
        times_are_times,
        times_are_in_order,
        times_are_past,
        finished_unless_in_progress,
        reason_only_of_an_error,
        counts_agree,
        links_lead_somewhere,
        cells_are_in_the_compose,
    ),
    Kind.MANIFEST: (
        manifest_is_the_folders,
        manifest_id_is_an_id,
        manifest_agrees_with_its_id,
        nothing_is_null_without_a_reason,
        packages_are_sorted,
        manifest_is_canonical,
    ),
    Kind.POLICY: (
        origins_of_requirements_are_known,
        streams_of_requirements_are_known,
        requirements_stand_once,
        attempts_can_be_made,
        names_are_one_tests,
    ),
    Kind.WAIVERS: (origins_of_waivers_are_known, waivers_end_on_a_day, waivers_link_an_issue),
    Kind.HOLDS: (holds_say_what_they_hold, holds_except_composes, holds_end_on_a_day, holds_link_an_issue),
    Kind.ORIGINS: (
        origins_differ,
        origins_can_be_reached,
        keys_have_days,
        keys_can_sign,
        revoked_keys_are_believed_nowhere,
        messages_are_one_origins,
        jobs_are_one_origins,
        jobs_can_be_read,
    ),
    Kind.STREAMS: (
        streams_are_streams,
        streams_lead_somewhere,
        mirrors_name_what_they_carry,
        hooks_are_called_safely,
        labels_are_told_apart,
    ),
}
"""Every check, by the kind of file that it looks at."""


def check(case: Case) -> list[Problem]:
    """Give the problems that the checks of its kind find in a file; its data must satisfy the schema.

    Of one law no more are looked for than are listed, and one: that one says that there are more.
    """
    problems: list[Problem] = []
    for law in CHECKS[case.place.kind]:
        problems.extend(islice(law(case), LISTED + 1))
    return problems


_ASKED: Final = frozenset({"origin", "testcase", "streams", "arches", "variants", "scenario"})
_MAKE_ANEW: Final = "make it again with `compose-repo manifest`; do not edit it by hand"
_RESULT_LINKS: Final = ("url", "log_url")
_CONTACT_LINKS: Final = ("url", "docs")


def _moment(text: str | None) -> dt.datetime | None:
    """Read a time of the schema's form; None if it is absent or does not exist."""
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _unknown_origin(case: Case, pointer: str, origin: str) -> Iterator[Problem]:
    if case.known.origins is not None and origin not in case.known.origins:
        yield case.problem(
            pointer,
            Code.UNKNOWN_ORIGIN,
            f"{shown(origin)} is not in gate/origins.toml",
            f"name one that is ({', '.join(sorted(case.known.origins)) or 'none exists'}), or have it added there",
        )


def _links(case: Case, pointer: str, fields: Mapping[str, Any], names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        if name in fields and WITH_HOST.match(fields[name]) is None:
            yield _bad_link(case, f"{pointer}/{name}", fields[name])


def _bad_link(case: Case, pointer: str, link: str) -> Problem:
    return case.problem(
        pointer,
        Code.BAD_LINK,
        f"{shown(link)} has no host that can be reached",
        "give an http or https address with a host, without user or password",
    )


def _days(case: Case, pointer: str, fields: Mapping[str, Any], names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        if name in fields and not _is_day(fields[name]):
            yield case.problem(
                f"{pointer}/{name}",
                Code.BAD_TIME,
                f"{shown(fields[name])} is not a day of the calendar",
                "fix the date",
            )


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _key_text(key: str | Mapping[str, Any]) -> str:
    return key if isinstance(key, str) else str(key["key"])


def _key_of(key: str | Mapping[str, Any]) -> bytes | str:
    """Return the key itself without its comment; a text that is not a key, as it is written."""
    text = _key_text(key)
    try:
        return public_key(text)
    except KeyFormError:
        return text
