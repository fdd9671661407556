"""A job's list of builds, what of it is new to a branch, and the checks of the jobs in gate/origins.toml."""

import datetime as dt
import json
from typing import Any, Final

import pytest
from msgspec import structs

from compose_repo.core.checks import Case, Known, check
from compose_repo.core.composes.layout import Kind, Place
from compose_repo.core.convert import jenkins_job
from compose_repo.core.convert.fields import Fields
from compose_repo.core.convert.jenkins_job import Listed
from compose_repo.core.names import Arch, Origin, Sha, Sha256
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.core.rules.policy import JenkinsJob

A, B = (f"CentOS-Stream-10-202611{day}.0" for day in (20, 21))
JOB: Final = JenkinsJob(job="https://ci.example.org/job/smoke/", arch=Arch("x86_64"))
HEAD: Final = Sha("0123456789abcdef" + "0" * 24)
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
Json = dict[str, Any]
SAID: Final[Json] = {"job": JOB.address, "number": 7, "timestamp": 5}
"""What a file says under `misc` of the build that `known` is."""


def row(number: int = 7, **changes: object) -> Json:
    made = {"number": number, "timestamp": 1795147800000, "building": False, "displayName": f"#{number} {A}"}
    return {**made, "duration": 1000, "result": "ABORTED", "actions": [], **changes}


def parameters(**values: object) -> list[Json]:
    return [{"parameters": [{"name": name, "value": value} for name, value in values.items()]}]


def listing(*rows: object) -> bytes:
    return json.dumps({"allBuilds": list(rows)}).encode()


def listed(number: int = 7, *, building: bool = False, composes: tuple[str, ...] = (A,), timestamp: int = 5) -> Listed:
    return Listed(number=number, timestamp=timestamp, building=building, composes=frozenset(composes))


def known(number: int = 7, *, finished: bool = True, timestamp: int = 5) -> jenkins_job.Known:
    return jenkins_job.Known(address=JOB.address, number=number, timestamp=timestamp, finished=finished)


def codes(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_addresses_are_made_from_the_jobs_own() -> None:
    urls = (jenkins_job.listing_url(JOB), jenkins_job.build_url(JOB, 7), jenkins_job.report_url(JOB, 7))
    assert [url.partition("?")[0] for url in urls] == [
        "https://ci.example.org/job/smoke/api/json",
        "https://ci.example.org/job/smoke/7/api/json",
        "https://ci.example.org/job/smoke/7/testReport/api/json",
    ]
    assert urls[0].endswith("%7B0,200%7D")


def test_a_bad_row_of_a_list_is_no_other_rows_and_a_number_counts_once() -> None:
    rows = [row(7), row(7, building=True), row(6, timestamp=None), row(5, actions={}), row(4, displayName=None)]
    builds, problems = jenkins_job.read_listing(listing(*rows), JOB)
    assert [(build.number, build.building, set(build.composes)) for build in builds] == [
        (7, False, {A}),
        (4, False, set()),
    ]
    assert [(one.code, one.pointer) for one in problems] == [
        ("jenkins-not-a-build", "/allBuilds/2/number"),
        ("wrong-type", "/allBuilds/3/actions"),
    ]


def test_no_more_builds_are_looked_at_than_were_asked_for() -> None:
    builds, problems = jenkins_job.read_listing(listing(row(0, timestamp=None), *map(row, range(1, 500))), JOB)
    assert (len(builds), len(problems)) == (199, 1)


@pytest.mark.parametrize(
    ("data", "code"), [(b"<html>", "not-json"), (b"[]", "wrong-type"), (b"{}", "jenkins-not-a-job")]
)
def test_what_is_no_list_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        jenkins_job.read_listing(data, JOB)
    assert codes(caught) == [code]


@pytest.mark.parametrize(
    ("actions", "parameter", "composes"),
    [
        (parameters(COMPOSE=B), None, {B}),
        (parameters(COMPOSE=f"https://example.org/{B}/compose", OTHER=A), None, {A, B}),
        (parameters(COMPOSE=B, OTHER=A), "COMPOSE", {B}),
        (parameters(OTHER=B), "COMPOSE", set()),
        (parameters(COMPOSE=True), None, {A}),
    ],
)
def test_parameters_name_the_compose_or_else_the_display_name(
    actions: list[Json], parameter: str | None, composes: set[str]
) -> None:
    job = structs.replace(JOB, compose_parameter=parameter)
    ((build,), _) = jenkins_job.read_listing(listing(row(actions=actions)), job)
    assert build.composes == composes


def result(misc: object, **run: str) -> bytes:
    return json.dumps({"run": run, "misc": misc}).encode()


def test_a_file_says_which_build_it_is() -> None:
    assert jenkins_job.known_of(result({"jenkins": SAID}, finished_at="now")) == known()
    assert jenkins_job.known_of(result({"jenkins": SAID})) == known(finished=False)


@pytest.mark.parametrize(
    "data",
    [
        result(None),
        result({"jenkins": 7}),
        result({"jenkins": {"job": 7}}),
        result({"jenkins": {**SAID, "job": []}}),
        result({"jenkins": {**SAID, "job": 7}}),
        result({"jenkins": {**SAID, "number": {}}}),
        result({"jenkins": {**SAID, "number": True}}),
        result({"jenkins": {**SAID, "number": 7.0}}),
        result({"jenkins": {**SAID, "timestamp": "5"}}),
        result({"jenkins": {**SAID, "timestamp": False}}),
        b'{"run": {}, "note": "jenkins", "x": {"jenkins": 1}}',
    ],
)
def test_a_file_that_was_not_polled_is_no_build(data: bytes) -> None:
    assert jenkins_job.known_of(data) is None


@pytest.mark.parametrize(
    ("build", "there", "new"),
    [
        (listed(), [], True),
        (listed(), [known()], False),
        (listed(), [known(finished=False)], True),
        (listed(), [known(timestamp=6)], True),
        (listed(), [known(8)], True),
        (listed(building=True), [], True),
        (listed(building=True), [known(finished=False)], False),
        (listed(building=True), [known()], False),
        (listed(composes=(B,)), [], False),
        (listed(composes=()), [], False),
    ],
)
def test_what_a_branch_has_is_not_new(build: Listed, there: list[jenkins_job.Known], *, new: bool) -> None:
    assert jenkins_job.news(JOB, [build], A, there) == ([build] if new else [], [])


def test_what_is_new_comes_oldest_first_and_what_is_unclear_is_told() -> None:
    builds = [listed(9, timestamp=9), listed(8, composes=(A, B)), listed(7, timestamp=7)]
    new, unclear = jenkins_job.news(JOB, builds, A, [])
    assert [build.number for build in new] == [7, 9]
    assert [(one.path, one.code) for one in unclear] == [
        ("https://ci.example.org/job/smoke/8/", "jenkins-compose-unclear")
    ]
    assert jenkins_job.news(JOB, builds, A, [known(8)])[1] == []


def document(**changes: Any) -> Fields:  # noqa: ANN401  # whatever a build has
    data = row(url="https://elsewhere.example.org/job/other/7/", **changes)
    of_list, _ = jenkins_job.read_listing(listing(row()), JOB)
    return jenkins_job.read_build(json.dumps(data).encode(), JOB, of_list[0])


def test_a_build_has_the_address_that_was_asked() -> None:
    assert document().values["url"] == "https://ci.example.org/job/smoke/7/"


@pytest.mark.parametrize("changes", [{"number": 8}, {"timestamp": 6}, {"displayName": B}])
def test_another_build_than_the_list_has_is_refused(changes: Json) -> None:
    with pytest.raises(InputError) as caught:
        document(**changes)
    assert codes(caught) == ["jenkins-other-build"]


def test_a_build_may_have_ended_since_it_was_listed() -> None:
    assert not jenkins_job.as_listed(document(), listed(building=True)).building
    assert jenkins_job.as_listed(document(building=True), listed()).building


@pytest.mark.parametrize(
    ("changes", "has"),
    [
        ({"actions": [{}, {"urlName": "testReport"}]}, True),
        ({"actions": [{"urlName": "testReport"}], "building": True}, False),
        ({"actions": [{"urlName": "other"}]}, False),
    ],
)
def test_a_report_is_there_once_the_build_has_ended(changes: Json, *, has: bool) -> None:
    assert jenkins_job.has_report(document(**changes)) is has


def made(job: JenkinsJob = JOB, report: bytes | None = None, **changes: object) -> Any:  # noqa: ANN401  # a file
    return jenkins_job.result_file(
        job, document(**changes), report, compose_id=A, manifest_sha256=Sha256("0" * 64), origin=Origin("rdo")
    )


def test_a_build_becomes_a_file_that_says_which_it_is() -> None:
    file = made()
    assert file.path == f"composes/{A}/results/rdo/smoke-7.json"
    said = {"job": JOB.address, "number": 7, "timestamp": 1795147800000}
    assert file.misc == {"jenkins_result": "ABORTED", "jenkins": said}
    assert made(result=None, building=True).misc == {"jenkins": said}


def test_a_report_comes_with_its_build() -> None:
    report = json.dumps({"suites": [{"cases": [{"name": "boots", "status": "PASSED"}]}]}).encode()
    file = made(report=report, actions=[{"urlName": "testReport"}], result="SUCCESS")
    assert [str(line.outcome) for line in file.results] == ["passed", "passed"]


@pytest.mark.parametrize("named", ["ARCH", "OTHER"])
def test_a_parameter_says_the_arch(named: str) -> None:
    job = JenkinsJob(job=JOB.job, arch_parameter="ARCH")
    if named == "ARCH":
        assert made(job, actions=parameters(ARCH="s390x")).results[0].arch == "s390x"
        return
    with pytest.raises(InputError) as caught:
        made(job, actions=parameters(OTHER="s390x"))
    assert codes(caught) == ["jenkins-no-arch"]


def test_what_is_no_name_is_no_arch() -> None:
    with pytest.raises(InputError) as caught:
        made(JenkinsJob(job=JOB.job, arch_parameter="ARCH"), actions=parameters(ARCH="../x"))
    assert codes(caught) == ["jenkins-no-arch"]


def test_a_name_that_is_taken_goes_on_with_the_head() -> None:
    file, folder = made(), f"composes/{A}/results/rdo"
    assert jenkins_job.named(file, [], HEAD) is file
    others = [f"{folder}/smoke-7{number}.json" for number in range(9)]
    renamed = jenkins_job.named(file, [file.path, *others], HEAD)
    assert renamed.path == f"{folder}/smoke-7-0123456789ab.json"
    with pytest.raises(InputError) as caught:
        jenkins_job.named(file, [file.path, *[f"{folder}/smoke-7-{number:012x}.json" for number in range(4)]], HEAD)
    assert codes(caught) == ["jenkins-no-room"]


def test_a_long_name_stays_one() -> None:
    job = structs.replace(JOB, job=f"https://ci.example.org/job/{'x' * 200}")
    data, listed_ = json.dumps(row()).encode(), jenkins_job.read_listing(listing(row()), job)[0][0]
    found = jenkins_job.read_build(data, job, listed_)
    file = jenkins_job.result_file(
        job, found, None, compose_id=A, manifest_sha256=Sha256("0" * 64), origin=Origin("rdo")
    )
    assert len(jenkins_job.named(file, [file.path], HEAD).run.id) == 128


def test_problems_name_the_job() -> None:
    problems = [
        jenkins_job.too_many(JOB, Origin("rdo")),
        jenkins_job.not_a_job(JOB, "no"),
        jenkins_job.elsewhere(JOB, JOB.address),
    ]
    assert {one.path for one in problems} == {JOB.address}
    assert [one.code for one in problems] == ["jenkins-no-room", "jenkins-not-a-job", "jenkins-elsewhere"]


def test_a_slow_jenkins_is_named_and_so_is_one_that_others_leave_no_time() -> None:
    one, all_of_them = (jenkins_job.slow(JOB, 100.0, of_all=of_all) for of_all in (False, True))
    assert (one.path, one.code) == (all_of_them.path, all_of_them.code) == ("https://ci.example.org", "jenkins-slow")
    assert one.message == "it has taken 100 s of this run: the next run reads the rest"
    assert all_of_them.message.startswith("all polled jobs together have taken 100 s of this run")


# --- gate/origins.toml


def refused(*jobs: Json) -> list[tuple[str, str]]:
    origins = {
        f"o{index}": {"name": f"O{index}", "contact": {"email": "a@b"}, "jenkins": [job]}
        for index, job in enumerate(jobs)
    }
    place = Place(path="gate/origins.toml", kind=Kind.ORIGINS)
    case = Case(place=place, raw=b"", data={"origins": origins}, now=NOW, known=Known())
    found: list[Problem] = check(case)
    return [(one.pointer, one.code) for one in found if "/jenkins/" in one.pointer]


def a_job(address: str = JOB.job, **more: object) -> Json:
    return {"job": address, "arch": "x86_64", **more}


@pytest.mark.parametrize(
    "other",
    [
        "https://CI.example.org/job/smoke",
        "http://ci.example.org/job/smoke",
        "https://ci.example.org/job/smok%65/",
        "https://ci.example.org/view/All/job/smoke/",
        "https://ci.example.org/view/All/view/Some/job/smoke/",
    ],
)
def test_no_job_is_two_origins_however_it_is_written(other: str) -> None:
    assert ("/origins/o1/jenkins/0/job", "duplicate-mapping") in refused(a_job(), a_job(other))


@pytest.mark.parametrize(
    "other",
    [
        "https://ci.example.org/job/smoke2",
        "https://ci2.example.org/job/smoke",
        "https://ci.example.org/job/a/job/smoke",
    ],
)
def test_other_jobs_are_others(other: str) -> None:
    assert refused(a_job(), a_job(other)) == []


@pytest.mark.parametrize(
    ("address", "codes"),
    [
        ("http://ci.example.org/job/smoke", ["bad-link"]),
        ("http://127.0.0.1.example.org/job/smoke", ["bad-link"]),
        ("http://127.0.0.1:8080/job/smoke", []),
        ("http://localhost/job/smoke", []),
        ("http://[::1]:8080/job/smoke", []),
        ("https://ci.example.org/../job/smoke", ["bad-link"]),
        ("https://:80/job/smoke", ["bad-link"]),
    ],
)
def test_a_jenkins_is_read_over_tls(address: str, codes: list[str]) -> None:
    assert [code for _, code in refused(a_job(address))] == codes


@pytest.mark.parametrize("more", [{"arch_parameter": "ARCH"}, {"arch": None}])
def test_the_arch_is_said_once(more: Json) -> None:
    job = {name: value for name, value in a_job(**more).items() if value is not None}
    assert refused(job) == [("/origins/o0/jenkins/0", "unknown-arch")]
