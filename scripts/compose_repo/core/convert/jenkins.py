"""A Jenkins build as a result file: `…/job/NAME/NUMBER/api/json`, and its `testReport/api/json` if it has one.

Jenkins's words for a build: SUCCESS; UNSTABLE: it was carried out, but something, such as a test, failed; FAILURE: a
fatal error ended it; NOT_BUILT; ABORTED. For a case: PASSED, FIXED (passed again), FAILED, REGRESSION (failed anew),
SKIPPED.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.convert.fields import Fields
from compose_repo.core.convert.subject import Source, Subject
from compose_repo.core.convert.text import as_testcase, note, run_id
from compose_repo.core.documents.diagnosis import bounded
from compose_repo.core.links import without_views
from compose_repo.core.names import Scenario, Testcase
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, shown
from compose_repo.core.result import WORST_FIRST, Outcome, Result, ResultFile, Run

CASE_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "PASSED": Outcome.PASSED,
    "FIXED": Outcome.PASSED,
    "FAILED": Outcome.FAILED,
    "REGRESSION": Outcome.FAILED,
    "SKIPPED": Outcome.SKIPPED,
}
BUILD_RESULTS: Final = frozenset({"SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED"})
MOST_RESULTS: Final = 20_000
"""Most results of a file."""

_INTERRUPTED: Final[Mapping[str | None, str]] = {
    "ABORTED": "the build was aborted",
    "NOT_BUILT": "the build was not carried out",
    None: "Jenkins has no result for the build",
}
_NOTES: Final = 1_000_000
_LONGEST_NOTE: Final = 2000
_LONGEST: Final = 31_536_000.0
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_YEARS: Final = range(2000, 3000)
_CHANGES: Final = frozenset({"FIXED", "REGRESSION"})
_FETCH: Final = "fetch both again from the build's api/json and testReport/api/json, whole"


class Build(Struct, frozen=True, kw_only=True):
    """What a build's api/json says. `result` is None while it runs and where Jenkins lost it; `job` is its full name.

    `part` is which part of the job was built: the axes of a matrix, `ARCH=x86_64`, or a Maven module; None where it was
    the whole. Builds of two parts have one number.
    `has_report` is None where the document does not say; `composes` are those that it names (`composes_of`).
    """

    document: Fields
    job: str
    part: str | None
    number: int
    url: str
    building: bool
    result: str | None
    started_at: dt.datetime
    duration: dt.timedelta
    has_report: bool | None
    composes: frozenset[str]

    @property
    def full_name(self) -> str:
        """The name of what was built, which no other has."""
        return self.job if self.part is None else f"{self.job}/{self.part}"


class Case(Struct, frozen=True, kw_only=True):
    """One case of a test report."""

    testcase: Testcase
    outcome: Outcome
    status: str
    duration: float | None
    text: str | None


def convert(sources: Sequence[Source], subject: Subject) -> ResultFile:
    """Turn one build, and its test report if it has one, into a result file.

    The build as a whole is a result, named by its job if the subject does not name it (see `of_build`); each case of
    the report is one, named `CLASS.NAME` (see `text.as_testcase`). The run is named `JOB-NUMBER`, with `-running`
    while it runs: what it comes to is a file of its own. Of a matrix or a Maven job the name has the axes or the
    module, and they are the scenario if the subject names none. Nothing else of the build, as its parameters, is
    repeated.

    Raises:
        InputError: they are not one build and its report, they are not whole, they say what Jenkins cannot say, or
            the build names another compose.

    """
    return convert_documents([Fields.read(source.data, source.path) for source in sources], subject)


def convert_documents(documents: Sequence[Fields], subject: Subject) -> ResultFile:
    """Turn one build, and its test report if it has one, into a result file, as `convert` does.

    Raises:
        InputError: as `convert`.

    """
    build, report = _sorted(documents)
    if build.composes and subject.compose_id not in build.composes:
        raise InputError(
            build.document.problem(
                "actions",
                Code.JENKINS_OTHER_COMPOSE,
                f"the build tests {', '.join(sorted(build.composes))}, not {subject.compose_id}",
                "name the manifest of the compose that was tested",
            )
        )
    cases = [] if build.building or report is None else list(read_cases(report))
    if not build.building:
        _match(build, report, cases)
    results = _results(build, cases, subject)
    if len(results) > MOST_RESULTS:
        message = f"{len(results):,} results, at most {MOST_RESULTS:,} fit into a file"
        raise InputError(
            Problem(
                path=documents[0].path, code=Code.OUT_OF_BOUNDS, message=message, fix="report fewer, or in several runs"
            )
        )
    return ResultFile(
        compose_id=subject.compose_id,
        manifest_sha256=subject.manifest_sha256,
        origin=subject.origin,
        run=Run(
            id=run_id(build.full_name, str(build.number), *(["running"] if build.building else [])),
            url=build.url,
            log_url=f"{build.url.rstrip('/')}/console",
            started_at=build.started_at,
            finished_at=None if build.building else build.started_at + build.duration,
        ),
        results=tuple(results),
        misc=None if build.result is None else {"jenkins_result": build.result},
    )


def read_build(document: Fields) -> Build:
    """Read a build's api/json.

    Raises:
        InputError: it is none.

    """
    number, url = document.integer("number"), document.text("url")
    if number is None or url is None or not document.has("building") or not document.has("timestamp"):
        problem = Problem(
            path=document.path,
            code=Code.JENKINS_NOT_A_BUILD,
            message="neither a build (number, url, building, result, timestamp, duration) nor a test report (suites)",
            fix=_FETCH,
        )
        raise InputError(problem)
    result = document.text("result")
    if result is not None and result not in BUILD_RESULTS:
        raise InputError(_unknown(document, "result", result, BUILD_RESULTS))
    started_at, duration = _times(document)
    job, part = _job(document, url, number)
    return Build(
        document=document,
        job=job,
        part=part,
        number=number,
        url=url,
        building=bool(document.truth("building")),
        result=result,
        started_at=started_at,
        duration=duration,
        has_report=_report_action(document) is not None if document.has("actions") else None,
        composes=composes_of(document),
    )


def read_cases(report: Fields) -> Iterator[Case]:
    """Read a test report's cases.

    Raises:
        InputError: it is none, or a case has no name or a status that Jenkins does not have; all of these are named.

    """
    if report.has("childReports"):
        raise InputError(
            report.problem(
                "childReports",
                Code.JENKINS_AGGREGATED,
                "this report sums up those of several builds, on other arches perhaps",
                "convert each of these builds with its own report; to have them read, list each one's job",
            )
        )
    problems: list[Problem] = []
    cases: list[Case] = []
    for suite in report.objects("suites"):
        for row in suite.objects("cases"):
            status = row.text("status") or ""
            testcase = as_testcase(".".join(part for part in (row.text("className"), row.text("name")) if part))
            if status not in CASE_OUTCOMES:
                problems.append(_unknown(row, "status", status, CASE_OUTCOMES))
            elif testcase is None:
                problems.append(
                    row.problem("name", Code.JENKINS_NAMELESS, "the case has no name", "name it in the test")
                )
            else:
                cases.append(_case(row, testcase, status))
    if problems:
        raise InputError(*bounded(problems, report.path))
    yield from cases


def of_build(  # noqa: PLR0911  # one for each line of the law
    build: Build, outcomes: Sequence[Outcome], subject: Subject
) -> tuple[Outcome, str | None]:
    """Say what a build as a whole comes to, by Jenkins's word and the outcomes of its cases; with the error's reason.

    - It runs: running, whatever it has reported so far.
    - ABORTED, NOT_BUILT, or no result at all: error. That says nothing of the compose.
    - A case failed: failed, even if the job calls that a SUCCESS.
    - The run is the test, by the subject's word: SUCCESS passed; UNSTABLE and FAILURE failed.
    - FAILURE though no case failed, or none was reported: error. A fatal error ended the build, no test did.
    - No case was reported: error, even for SUCCESS. Where no test ran, none has passed.
    - UNSTABLE though no case failed: needs_inspection. Something other than a test objects.
    - SUCCESS: passed, or skipped if every case was.
    """
    if build.building:
        return Outcome.RUNNING, None
    if build.result in _INTERRUPTED:
        return Outcome.ERROR, _INTERRUPTED[build.result]
    if Outcome.FAILED in outcomes:
        return Outcome.FAILED, None
    if subject.run_is_test:
        return (Outcome.PASSED if build.result == "SUCCESS" else Outcome.FAILED), None
    if build.result == "FAILURE":
        return Outcome.ERROR, "the build failed, but no test did"
    if not outcomes:
        return Outcome.ERROR, "the build reports no test"
    if build.result == "UNSTABLE":
        return Outcome.NEEDS_INSPECTION, None
    return (Outcome.PASSED if Outcome.PASSED in outcomes else Outcome.SKIPPED), None


def _sorted(documents: Sequence[Fields]) -> tuple[Build, Fields | None]:
    """Tell the build from its report, in whatever order they come."""
    reports = [document for document in documents if _is_report(document)]
    builds = [read_build(document) for document in documents if not _is_report(document)]
    if len(builds) != 1 or len(reports) > 1:
        message = f"{len(builds)} builds and {len(reports)} test reports: one result file is about one build"
        fix = "name one build's api/json, and its testReport/api/json if it has one"
        raise InputError(Problem(path=documents[-1].path, code=Code.JENKINS_ONE_BUILD, message=message, fix=fix))
    return builds[0], reports[0] if reports else None


def _is_report(document: Fields) -> bool:
    return "suites" in document.values or "childReports" in document.values


def _match(build: Build, report: Fields | None, cases: Sequence[Case]) -> None:
    """A finished build comes with its test report if it has one, and the report with every case that it counts.

    Raises:
        InputError: something is missing, and with it perhaps a failure.

    """
    action = _report_action(build.document)
    if report is None:
        if action is not None:
            raise InputError(
                build.document.problem(
                    "actions",
                    Code.JENKINS_REPORT_MISSING,
                    "the build has a test report, which was not given",
                    f"give {build.url.rstrip('/')}/testReport/api/json as well",
                )
            )
        return
    if build.has_report is False:
        raise InputError(
            Problem(
                path=report.path,
                code=Code.JENKINS_REPORT_MISMATCH,
                message=f"{build.job} {build.number} has no test report: this is another build's",
                fix=_FETCH,
            )
        )
    failed = sum(case.outcome is Outcome.FAILED for case in cases)
    skipped = sum(case.outcome is Outcome.SKIPPED for case in cases)
    counted = {
        "failCount": failed,
        "skipCount": skipped,
        "passCount": len(cases) - failed - skipped,
        "totalCount": len(cases),
    }
    for document in (report, *([action] if action is not None else [])):
        for name, count in counted.items():
            said = document.integer(name)
            if said is not None and said != count:
                message = f"{name} is {said:,}, but the report has {count:,}"
                raise InputError(document.problem(name, Code.JENKINS_REPORT_MISMATCH, message, _FETCH))


def _results(build: Build, cases: Sequence[Case], subject: Subject) -> list[Result]:
    """Give the build's own result, then each testcase's worst; the notes share what room there is."""
    worst: dict[Testcase, Case] = {}
    for case in cases:
        known = worst.setdefault(case.testcase, case)
        if WORST_FIRST.index(case.outcome) < WORST_FIRST.index(known.outcome):
            worst[case.testcase] = case
    outcome, reason = of_build(build, [case.outcome for case in worst.values()], subject)
    subject = _in_its_part(build, subject)
    whole = subject.testcase or as_testcase(build.job) or Testcase(str(build.number))
    seconds = None if build.building else min(_LONGEST, build.duration.total_seconds())
    results = {whole: _result(subject, whole, outcome, error_reason=reason, duration=seconds)}
    room = min(_LONGEST_NOTE, _NOTES // (len(worst) + 1))
    interrupted = _INTERRUPTED.get(build.result)
    for case in worst.values():
        lost = interrupted is not None and case.outcome is Outcome.FAILED
        result = _result(
            subject,
            case.testcase,
            Outcome.ERROR if lost else case.outcome,
            error_reason=interrupted if lost else None,
            duration=case.duration,
            note=note(case.text, room),
            misc={"jenkins_status": case.status} if case.status in _CHANGES else None,
        )
        other = results.get(case.testcase)
        if other is None or WORST_FIRST.index(result.outcome) < WORST_FIRST.index(other.outcome):
            results[case.testcase] = result
    return list(results.values())


def _in_its_part(build: Build, subject: Subject) -> Subject:
    """Let the part of the job be the scenario where none is named: a pass of one part hides no failure of another."""
    if subject.scenario is not None or build.part is None:
        return subject
    name = as_testcase(build.part)
    return subject if name is None else replace(subject, scenario=Scenario(name))


def _result(  # noqa: PLR0913  # the fields of a result
    subject: Subject,
    testcase: Testcase,
    outcome: Outcome,
    *,
    error_reason: str | None,
    duration: float | None,
    note: str | None = None,
    misc: Mapping[str, str] | None = None,
) -> Result:
    return Result(
        testcase=testcase,
        outcome=outcome,
        arch=subject.arch,
        variant=subject.variant,
        scenario=subject.scenario,
        error_reason=error_reason,
        duration=duration,
        note=note,
        misc=misc,
    )


def _case(row: Fields, testcase: Testcase, status: str) -> Case:
    return Case(
        testcase=testcase,
        outcome=CASE_OUTCOMES[status],
        status=status,
        duration=row.seconds("duration", _LONGEST),
        text=row.text("errorDetails") or row.text("skippedMessage"),
    )


def _report_action(document: Fields) -> Fields | None:
    """Find what a build says of its test report."""
    return next((action for action in document.objects("actions") if is_of_report(action)), None)


def is_of_report(action: Fields) -> bool:
    """Tell whether an action of a build is its test report's; those of plugins hold what they like."""
    return action.text_if_any("urlName") == "testReport"


def parameters_of(document: Fields) -> Iterator[tuple[str | None, str]]:
    """Give a build's parameters that are texts, with their names."""
    for action in document.objects("actions"):
        for parameter in action.objects_if_any("parameters"):
            value = parameter.text_if_any("value")
            if value is not None:
                yield parameter.text_if_any("name"), value


def composes_of(document: Fields, parameter: str | None = None) -> frozenset[str]:
    """Find the composes that a build's parameters name, alone or in an address; else those that its display name has.

    With `parameter` that one alone is looked at. Descriptions are not: people write there what they like.
    """
    named = [value for name, value in parameters_of(document) if parameter in {None, name}]
    found = frozenset(one for value in named for one in _named_in(value))
    if found or parameter is not None:
        return found
    return frozenset(_named_in(document.text("displayName") or ""))


def _named_in(text: str) -> Iterator[str]:
    for word in text.replace("/", " ").split():
        try:
            yield str(ComposeId.parse(word))
        except ComposeIdError:
            continue


def _times(document: Fields) -> tuple[dt.datetime, dt.timedelta]:
    """Read when a build started and how long it took, both in milliseconds."""
    try:
        started_at = _EPOCH + dt.timedelta(milliseconds=document.integer("timestamp") or 0)
        duration = dt.timedelta(milliseconds=document.integer("duration") or 0)
        years = {started_at.year, (started_at + duration).year}
    except OverflowError:
        years = set()
    if not years or not years <= set(_YEARS):
        message = "the build's time is not in the years 2000 to 2999"
        raise InputError(document.problem("timestamp", Code.BAD_TIME, message, "look at Jenkins's clock"))
    return started_at, duration


def _job(document: Fields, url: str, number: int) -> tuple[str, str | None]:
    """Take a job's full name out of its build's address, and the part of it that was built.

    That is `folder/smoke` of `…/job/folder/job/smoke/7/`, and `ARCH=x86_64` of `…/job/smoke/ARCH=x86_64/7/`.
    """
    try:
        parts = urlsplit(url)
        path = [] if parts.username is not None else without_views(parts.path).rstrip("/").split("/")
    except ValueError:
        path = []
    path = path[:-1] if path[-1:] == [str(number)] else path
    names = []
    start = path.index("job") if "job" in path else len(path)
    for word, name in zip(path[start::2], path[start + 1 :: 2], strict=False):
        if word != "job" or not name:
            break
        names.append(unquote(name))
    if not names:
        message = "this is not the address of a build: it has no /job/NAME/, or credentials"
        raise InputError(document.problem("url", Code.BAD_LINK, message, "set Jenkins's URL in its configuration"))
    rest = path[start + 2 * len(names) :]
    return "/".join(names), unquote("/".join(rest)) or None


def _unknown(row: Fields, name: str, word: str, known: frozenset[str] | Mapping[str, Outcome]) -> Problem:
    message = f"{shown(word)} is not a word that Jenkins uses: {', '.join(sorted(known))}"
    return row.problem(
        name, Code.JENKINS_UNKNOWN_WORD, message, "fetch it again, or report that Jenkins has a new word"
    )
