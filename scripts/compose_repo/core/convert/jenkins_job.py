"""What a Jenkins job has built lately, and which of it a compose's branch has not got yet.

Every address is made from that of the job in `gate/origins.toml`: what a Jenkins says of its own is not followed. A
build is told from another by its number and the time at which it started, for a job that is made anew counts anew. What
the branch has is what its files that count say under `misc`: no name of a file, which anybody may take first.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.convert.fields import Fields
from compose_repo.core.convert.jenkins import composes_of, convert_documents, is_of_report, parameters_of
from compose_repo.core.convert.subject import Subject
from compose_repo.core.documents.diagnosis import bounded
from compose_repo.core.documents.strict import parse_json
from compose_repo.core.links import authority_of
from compose_repo.core.names import NAME_LENGTH, Arch, Origin, RunId, Sha, Sha256, is_name
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, shown
from compose_repo.core.result import ResultFile
from compose_repo.core.rules.policy import JenkinsJob

MOST_BUILDS: Final = 200
"""Most builds of a job that are looked at, newest first."""
MOST_FILES: Final = 1000
"""Most files of an origin on one compose to which a build's is added."""
MOST_NAMES: Final = 4
"""How often a file is given another name because somebody has taken it."""
LISTING_BYTES: Final = 8 * 1024 * 1024
"""Most bytes of a list of builds."""
BUILD_BYTES: Final = 1024 * 1024
"""Most bytes of what Jenkins says of one build."""

_NAMES: Final = "displayName,actions[urlName,failCount,skipCount,totalCount,parameters[name,value]]"
_BUILD: Final = f"number,url,building,result,timestamp,duration,{_NAMES}"
_LISTING: Final = f"allBuilds[number,building,timestamp,{_NAMES}]{{0,{MOST_BUILDS}}}"
_CASES: Final = "cases[className,name,status,duration,errorDetails,skippedMessage]"
_REPORT: Final = f"failCount,passCount,skipCount,suites[{_CASES}],childReports[child[number]]"


class Listed(Struct, frozen=True, kw_only=True):
    """A build as the list of its job has it; `timestamp` is when it started, in milliseconds."""

    number: int
    timestamp: int
    building: bool
    composes: frozenset[str]


class Known(Struct, frozen=True, kw_only=True):
    """A build that a file of a branch reports, and whether that says what it came to."""

    address: str
    number: int
    timestamp: int
    finished: bool


def listing_url(job: JenkinsJob) -> str:
    """Give where a job lists its newest builds."""
    return f"{job.address}/api/json?tree={quote(_LISTING, safe=',')}"


def build_url(job: JenkinsJob, number: int) -> str:
    """Give where Jenkins says what became of a build."""
    return f"{job.address}/{number}/api/json?tree={quote(_BUILD, safe=',')}"


def report_url(job: JenkinsJob, number: int) -> str:
    """Give where Jenkins says what a build's tests came to."""
    return f"{job.address}/{number}/testReport/api/json?tree={quote(_REPORT, safe=',')}"


def read_listing(data: bytes, job: JenkinsJob) -> tuple[list[Listed], list[Problem]]:
    """Read a job's list of builds, newest first; a build that cannot be read is a problem, and no other's.

    Raises:
        InputError: it is no such list.

    """
    document = Fields.read(data, job.address)
    if not document.has("allBuilds"):
        raise InputError(not_a_job(job, "this is not a list of a job's builds"))
    builds: dict[int, Listed] = {}
    problems: list[Problem] = []
    for row in document.objects("allBuilds"):
        if len(builds) + len(problems) >= MOST_BUILDS:
            break
        try:
            listed = _listed(row, job)
        except InputError as error:
            problems += error.problems
        else:
            builds.setdefault(listed.number, listed)
    return list(builds.values()), bounded(problems, job.address)


def _listed(row: Fields, job: JenkinsJob) -> Listed:
    number, timestamp, building = row.integer("number"), row.integer("timestamp"), row.truth("building")
    if number is None or timestamp is None or building is None:
        raise InputError(
            row.problem("number", Code.JENKINS_NOT_A_BUILD, "neither a number nor a time", "look at the job")
        )
    return Listed(
        number=number,
        timestamp=timestamp,
        building=building,
        composes=composes_of(row, job.compose_parameter),
    )


def known_of(data: bytes) -> Known | None:
    """Return which build a file reports; None if that was not polled.

    The file must count; what it has under `misc` is anybody's choice all the same.
    """
    if b'"jenkins"' not in data:
        return None
    file = parse_json(data)
    said = (file.get("misc") or {}).get("jenkins")
    if not isinstance(said, dict):
        return None
    address, number, timestamp = (said.get(name) for name in ("job", "number", "timestamp"))
    if not isinstance(address, str) or type(number) is not int or type(timestamp) is not int:  # a bool is none
        return None
    return Known(address=address, number=number, timestamp=timestamp, finished="finished_at" in file["run"])


def is_known(job: JenkinsJob, build: Listed, known: Collection[Known]) -> bool:
    """Tell whether what a build has come to is known already; while it runs, that it does is enough."""
    asked = Known(address=job.address, number=build.number, timestamp=build.timestamp, finished=True)
    return asked in known or (build.building and replace(asked, finished=False) in known)


def news(
    job: JenkinsJob, builds: Iterable[Listed], compose_id: str, known: Collection[Known]
) -> tuple[list[Listed], list[Problem]]:
    """Choose the builds that have tested a compose and are not known yet, oldest first.

    One that names other composes beside it is a problem: nobody knows which of them it has tested.
    """
    of_compose = [build for build in builds if compose_id in build.composes and not is_known(job, build, known)]
    unclear = [_unclear(job, build) for build in of_compose if len(build.composes) > 1]
    clear = [build for build in of_compose if len(build.composes) == 1]
    return sorted(clear, key=_start), unclear


def _start(build: Listed) -> tuple[int, int]:
    return build.timestamp, build.number


def read_build(data: bytes, job: JenkinsJob, listed: Listed) -> Fields:
    """Read what Jenkins says of a build, and give it the address that was asked.

    Raises:
        InputError: it is another build than the list has, or none.

    """
    document = Fields.read(data, f"{job.address}/{listed.number}/")
    same = (
        document.integer("number") == listed.number
        and document.integer("timestamp") == listed.timestamp
        and composes_of(document, job.compose_parameter) == listed.composes
    )
    if not same:
        raise InputError(
            document.problem(
                "number",
                Code.JENKINS_OTHER_BUILD,
                "this is not the build that the job lists under the number",
                "look at the job if this comes again",
            )
        )
    return replace(document, values={**document.values, "url": document.path})


def as_listed(document: Fields, listed: Listed) -> Listed:
    """Give a build as it is by now: it may have ended since it was listed."""
    return replace(listed, building=document.truth("building") is True)


def has_report(document: Fields) -> bool:
    """Tell whether a build that has ended says that it has a test report."""
    is_there = any(map(is_of_report, document.objects("actions")))
    return is_there and document.truth("building") is not True


def result_file(  # noqa: PLR0913  # what a build does not say of itself
    job: JenkinsJob,
    document: Fields,
    report: bytes | None,
    *,
    compose_id: str,
    manifest_sha256: Sha256,
    origin: Origin,
) -> ResultFile:
    """Turn a build and its report into a result file, as `convert` does, that says under `misc` which build it is.

    Raises:
        InputError: `convert` refuses them, or no arch is said.

    """
    subject = Subject(
        compose_id=compose_id,
        manifest_sha256=manifest_sha256,
        origin=origin,
        arch=_arch(job, document),
        variant=job.variant,
        scenario=job.scenario,
        testcase=job.testcase,
        run_is_test=job.run_is_test,
    )
    reports = [] if report is None else [Fields.read(report, f"{document.path}testReport/")]
    file = convert_documents([document, *reports], subject)
    said = {"job": job.address, "number": document.integer("number"), "timestamp": document.integer("timestamp")}
    return replace(file, misc={**(file.misc or {}), "jenkins": said})


def _arch(job: JenkinsJob, document: Fields) -> Arch:
    if job.arch is not None:
        return job.arch
    said = [value for name, value in parameters_of(document) if name == job.arch_parameter]
    if len(said) != 1 or not is_name(said[0]):
        word = f"is {shown(said[0])}" if said else "is not there"
        raise InputError(
            document.problem(
                "actions",
                Code.JENKINS_NO_ARCH,
                f"parameter {shown(job.arch_parameter)} {word}: it should name an arch",
                "fix the job, or arch_parameter in gate/origins.toml",
            )
        )
    return Arch(said[0])


def named(file: ResultFile, taken: Sequence[str], head: Sha) -> ResultFile:
    """Give a file a name that is free on a branch; `taken` are the paths of its origin's folder there.

    Where somebody stands in its place, its name goes on with the branch's head: nobody can push a file whose name has
    the commit that they make.

    Raises:
        InputError: it has been renamed a few times already.

    """
    if file.path not in taken:
        return file
    stem = file.path.removesuffix(".json")
    if sum(_RENAMED.fullmatch(path.removeprefix(stem)) is not None for path in taken) >= MOST_NAMES:
        raise InputError(
            Problem(
                path=file.path,
                code=Code.JENKINS_NO_ROOM,
                message="files that do not count take its names, again and again",
                fix="see who pushed them, and what the gate's note says about them",
            )
        )
    return replace(file, run=replace(file.run, id=RunId(f"{file.run.id[:_LONGEST]}-{head[:_DIGITS]}")))


_DIGITS: Final = 12
_LONGEST: Final = NAME_LENGTH - 1 - _DIGITS
_RENAMED: Final = re.compile("-[0-9a-f]{12}\\.json")


def too_many(job: JenkinsJob, origin: Origin) -> Problem:
    """Say that an origin's folder is full."""
    return Problem(
        path=job.address,
        code=Code.JENKINS_NO_ROOM,
        message=f"{origin} has {MOST_FILES:,} files or more on the compose: no build is added",
        fix="look at what the job is doing",
    )


def not_a_job(job: JenkinsJob, message: str) -> Problem:
    """Say that an address is not that of a job that everybody may read."""
    fix = "fix the address in gate/origins.toml, or let everybody read the job"
    return Problem(path=job.address, code=Code.JENKINS_NOT_A_JOB, message=message, fix=fix)


def elsewhere(job: JenkinsJob, path: str) -> Problem:
    """Say that a Jenkins has sent us elsewhere."""
    fix = "give the address that it really has in gate/origins.toml"
    message = f"{job.address} leads to another server"
    return Problem(path=path, code=Code.JENKINS_ELSEWHERE, message=message, fix=fix)


def server_of(job: JenkinsJob) -> str:
    """Give the address of a job's Jenkins, without its path."""
    return f"{urlsplit(job.address).scheme}://{authority_of(job.address)}"


def slow(job: JenkinsJob, seconds: float, *, of_all: bool) -> Problem:
    """Say that a pass has no more time for a Jenkins, because of itself or `of_all`."""
    who = "all polled jobs together have" if of_all else "it has"
    return Problem(
        path=server_of(job),
        code=Code.JENKINS_SLOW,
        message=f"{who} taken {seconds:,.0f} s of this run: the next run reads the rest",
        fix="nothing if there are many new builds; if this comes again, find out why it is slow",
    )


def _unclear(job: JenkinsJob, build: Listed) -> Problem:
    return Problem(
        path=f"{job.address}/{build.number}/",
        code=Code.JENKINS_COMPOSE_UNCLEAR,
        message=f"the build names {' and '.join(sorted(build.composes))}: it is not clear which of them it tested",
        fix="set compose_parameter in gate/origins.toml to the parameter that names the compose",
    )
