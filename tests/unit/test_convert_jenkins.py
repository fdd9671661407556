"""Jenkins builds become result files: what Jenkins says is said, nothing is passed that was not."""

import datetime as dt
import hashlib
import json
import math
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.convert.formats import as_bytes
from compose_repo.core.convert.jenkins import MOST_RESULTS, convert
from compose_repo.core.convert.subject import Source, Subject
from compose_repo.core.convert.text import as_testcase, note, run_id
from compose_repo.core.names import Arch, Origin, Scenario, Sha256, Testcase, Variant, is_name
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import Outcome, Result, ResultFile
from compose_repo.reading.converting import converted, read_source

COMPOSE_ID: Final = "CentOS-Stream-10-20261120.0"
MANIFEST: Final = (
    Path(__file__).resolve().parents[1] / "examples" / "base" / "composes" / COMPOSE_ID / "manifest.json"
).read_bytes()
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
URL: Final = "https://jenkins.example.org/job/smoke/8841/"
SUBJECT: Final = Subject(
    compose_id=COMPOSE_ID, manifest_sha256=Sha256("0" * 64), origin=Origin("rdo"), arch=Arch("x86_64")
)
AXES: Final = ["ARCH=x86_64", "ARCH=aarch64", "ARCH=x86_64,OS=a%20b", "ARCH=x86_64,OS=a+b"]
MODULES: Final = ["org.example$core", "org.example%24ui", "org.example$ui-tests"]
Json = dict[str, Any]


def build(result: str | None = "SUCCESS", **changes: object) -> Json:
    """Give a build as Jenkins 2 describes it, shortened."""
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "actions": [{}, {"_class": "hudson.model.CauseAction", "causes": [{"shortDescription": "Started by timer"}]}],
        "building": False,
        "description": None,
        "displayName": "#8841",
        "duration": 8531250,
        "estimatedDuration": 8000000,
        "fullDisplayName": "smoke #8841",
        "id": "8841",
        "keepLog": False,
        "number": 8841,
        "result": result,
        "timestamp": 1795147800000,
        "url": URL,
        **changes,
    }


def case(status: str = "PASSED", name: str = "boots", **changes: object) -> Json:
    return {
        "testActions": [],
        "age": 0,
        "className": "guest",
        "duration": 1.5,
        "errorDetails": None,
        "errorStackTrace": None,
        "failedSince": 0,
        "name": name,
        "skipped": status == "SKIPPED",
        "skippedMessage": None,
        "status": status,
        "stderr": "\x1b[31m",
        "stdout": None,
        **changes,
    }


def report(*cases: Json, **changes: object) -> Json:
    statuses = [row["status"] for row in cases]
    counts = {
        "failCount": sum(status in {"FAILED", "REGRESSION"} for status in statuses),
        "passCount": sum(status in {"PASSED", "FIXED"} for status in statuses),
        "skipCount": statuses.count("SKIPPED"),
    }
    suites = [{"name": "guest", "duration": 1.5, "cases": list(cases)}]
    return {
        "_class": "hudson.tasks.junit.TestResult",
        "duration": 1.5,
        "empty": False,
        "suites": suites,
        **counts,
        **changes,
    }


def reporting(**counts: int) -> list[Json]:
    """Give the actions of a build that has a test report."""
    return [{}, {"_class": "hudson.tasks.junit.TestResultAction", "urlName": "testReport", **counts}]


def with_report(result: str | None, *cases: Json) -> tuple[Json, Json]:
    return build(result, actions=reporting(totalCount=len(cases))), report(*cases)


def sources(*documents: object) -> list[Source]:
    return [
        Source(path=f"{number}.json", data=json.dumps(document).encode()) for number, document in enumerate(documents)
    ]


def file_of(*documents: object, subject: Subject = SUBJECT) -> ResultFile:
    return converted("jenkins", sources(*documents), subject, MANIFEST, NOW)[0]


def outcomes(*documents: object, subject: Subject = SUBJECT) -> dict[str, str]:
    return {row.testcase: str(row.outcome) for row in file_of(*documents, subject=subject).results}


def row(testcase: str, *documents: object) -> Result:
    return next(result for result in file_of(*documents).results if result.testcase == testcase)


def refusal(*documents: object, subject: Subject = SUBJECT) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        convert(sources(*documents), subject)
    return [(problem.path, problem.pointer, problem.code) for problem in caught.value.problems]


def test_a_build_with_its_report_becomes_a_result_file() -> None:
    cases = [case(), case("REGRESSION", "stops", errorDetails="did not stop", duration=30), case("SKIPPED", "sleeps")]
    file, data = converted("jenkins", sources(*with_report("UNSTABLE", *cases)), SUBJECT, MANIFEST, NOW)
    assert json.loads(data) == {
        "schema": "results/1",
        "compose_id": COMPOSE_ID,
        "manifest_sha256": hashlib.sha256(MANIFEST).hexdigest(),
        "origin": "rdo",
        "run": {
            "id": "smoke-8841",
            "url": URL,
            "log_url": f"{URL}console",
            "started_at": "2026-11-20T04:10:00Z",
            "finished_at": "2026-11-20T06:32:11.250000Z",
        },
        "results": [
            {"testcase": "smoke", "outcome": "failed", "arch": "x86_64", "duration": 8531.25},
            {"testcase": "guest.boots", "outcome": "passed", "arch": "x86_64", "duration": 1.5},
            {
                "testcase": "guest.stops",
                "outcome": "failed",
                "arch": "x86_64",
                "duration": 30.0,
                "note": "did not stop",
                "misc": {"jenkins_status": "REGRESSION"},
            },
            {"testcase": "guest.sleeps", "outcome": "skipped", "arch": "x86_64", "duration": 1.5},
        ],
        "misc": {"jenkins_result": "UNSTABLE"},
    }
    assert ResultFile.from_dict(json.loads(data)) == file


def test_every_result_is_in_the_cell_that_was_named() -> None:
    subject = Subject(
        compose_id=COMPOSE_ID,
        manifest_sha256=Sha256(""),
        origin=Origin("rdo"),
        arch=Arch("aarch64"),
        variant=Variant("BaseOS"),
        scenario=Scenario("uefi"),
        testcase=Testcase("compose.smoke"),
    )
    results = file_of(*with_report("SUCCESS", case()), subject=subject).results
    assert [result.cell for result in results] == [
        ("compose.smoke", "uefi", "aarch64", "BaseOS"),
        ("guest.boots", "uefi", "aarch64", "BaseOS"),
    ]


class TestABuildInProgress:
    RUNNING: Final = build(None, building=True, duration=0)

    def test_is_running(self) -> None:
        assert outcomes(self.RUNNING) == {"smoke": "running"}

    def test_has_a_run_of_its_own_without_an_end(self) -> None:
        run = file_of(self.RUNNING).run
        assert (run.id, run.finished_at) == ("smoke-8841-running", None)

    def test_is_running_whatever_it_has_reported_so_far(self) -> None:
        running = {**self.RUNNING, "result": "UNSTABLE", "actions": reporting(totalCount=7)}
        assert outcomes(running, report(case("FAILED"))) == {"smoke": "running"}
        assert outcomes(running) == {"smoke": "running"}


class TestTheBuildAsAWhole:
    @pytest.mark.parametrize(
        ("result", "cases", "expected"),
        [
            ("SUCCESS", [case()], "passed"),
            ("SUCCESS", [case(), case("SKIPPED", "b")], "passed"),
            ("SUCCESS", [case("FIXED")], "passed"),
            ("SUCCESS", [case(), case("FAILED", "b")], "failed"),
            ("SUCCESS", [case("SKIPPED")], "skipped"),
            ("SUCCESS", [], "error"),
            ("UNSTABLE", [case("REGRESSION")], "failed"),
            ("UNSTABLE", [case()], "needs_inspection"),
            ("UNSTABLE", [case("SKIPPED")], "needs_inspection"),
            ("UNSTABLE", [], "error"),
            ("FAILURE", [case("FAILED")], "failed"),
            ("FAILURE", [case()], "error"),
            ("FAILURE", [], "error"),
            ("ABORTED", [case("FAILED")], "error"),
            ("ABORTED", [case()], "error"),
            ("NOT_BUILT", [], "error"),
            (None, [case()], "error"),
        ],
    )
    def test_with_a_report_comes_to(self, result: str, cases: list[Json], expected: str) -> None:
        assert outcomes(*with_report(result, *cases))["smoke"] == expected

    @pytest.mark.parametrize(
        ("result", "reason"),
        [
            ("SUCCESS", "the build reports no test"),
            ("UNSTABLE", "the build reports no test"),
            ("FAILURE", "the build failed, but no test did"),
            ("ABORTED", "the build was aborted"),
            ("NOT_BUILT", "the build was not carried out"),
            (None, "Jenkins has no result for the build"),
        ],
    )
    def test_without_a_report_is_an_error_with_a_reason(self, result: str | None, reason: str) -> None:
        [whole] = file_of(build(result)).results
        assert (whole.outcome, whole.error_reason) == (Outcome.ERROR, reason)

    @pytest.mark.parametrize(
        ("result", "expected"),
        [("SUCCESS", "passed"), ("UNSTABLE", "failed"), ("FAILURE", "failed"), ("ABORTED", "error"), (None, "error")],
    )
    def test_that_is_itself_the_test_comes_to(self, result: str | None, expected: str) -> None:
        subject = Subject(
            compose_id=COMPOSE_ID,
            manifest_sha256=Sha256(""),
            origin=Origin("t_functional"),
            arch=Arch("x86_64"),
            run_is_test=True,
        )
        assert outcomes(build(result), subject=subject) == {"smoke": expected}
        failing = with_report(result, case("FAILED"))
        assert outcomes(*failing, subject=subject)["smoke"] == ("error" if expected == "error" else "failed")


class TestCases:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("PASSED", "passed"),
            ("FIXED", "passed"),
            ("FAILED", "failed"),
            ("REGRESSION", "failed"),
            ("SKIPPED", "skipped"),
        ],
    )
    def test_come_to(self, status: str, expected: str) -> None:
        assert outcomes(*with_report("UNSTABLE", case(status)))["guest.boots"] == expected

    @pytest.mark.parametrize("result", ["ABORTED", "NOT_BUILT", None])
    def test_that_failed_in_an_interrupted_build_are_errors_and_the_others_stand(self, result: str | None) -> None:
        documents = with_report(result, case("FAILED"), case("PASSED", "b"), case("SKIPPED", "c"))
        assert outcomes(*documents) == {
            "smoke": "error",
            "guest.boots": "error",
            "guest.b": "passed",
            "guest.c": "skipped",
        }
        assert row("guest.boots", *documents).error_reason == row("smoke", *documents).error_reason
        assert row("guest.b", *documents).error_reason is None

    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            (["PASSED", "FAILED"], "failed"),
            (["REGRESSION", "PASSED", "SKIPPED"], "failed"),
            (["SKIPPED", "PASSED"], "passed"),
            (["FIXED", "SKIPPED"], "passed"),
            (["SKIPPED", "SKIPPED"], "skipped"),
        ],
    )
    def test_of_one_name_come_to_the_worst_of_them(self, statuses: list[str], expected: str) -> None:
        assert outcomes(*with_report("UNSTABLE", *map(case, statuses)))["guest.boots"] == expected

    @pytest.mark.parametrize(("status", "expected"), [("FAILED", "failed"), ("PASSED", "error"), ("SKIPPED", "error")])
    def test_that_is_named_as_the_build_is_one_result_with_it(self, status: str, expected: str) -> None:
        assert outcomes(
            *with_report("ABORTED" if expected == "error" else "FAILURE", case(status, "smoke", className=""))
        ) == {"smoke": expected}

    def test_of_every_suite_are_read(self) -> None:
        suites = [{"cases": [case(name="a")]}, {"cases": []}, {"cases": [case(name="b")]}]
        assert list(outcomes(build(actions=reporting()), {"suites": suites})) == ["smoke", "guest.a", "guest.b"]

    @pytest.mark.parametrize(("text", "shown"), [("errorDetails", "why"), ("skippedMessage", "why")])
    def test_explain_themselves_in_a_note(self, text: str, shown: str) -> None:
        assert row("guest.boots", *with_report("SUCCESS", case("SKIPPED", **{text: "why"}))).note == shown

    @pytest.mark.parametrize("duration", [-1, "1", True, None, 1e300, math.nan, math.inf, -math.inf])
    def test_may_have_an_odd_duration(self, duration: object) -> None:
        assert row("guest.boots", *with_report("SUCCESS", case(duration=duration))).duration is None

    def test_share_the_room_for_notes(self) -> None:
        cases = [case("FAILED", f"n{number}", errorDetails="x" * 5000) for number in range(1000)]
        notes = [result.note or "" for result in file_of(*with_report("UNSTABLE", *cases)).results]
        assert {len(text) for text in notes} == {0, 999}

    def test_may_be_as_many_as_a_file_holds(self) -> None:
        cases = [case(name=f"n{number}") for number in range(MOST_RESULTS - 1)]
        assert len(file_of(*with_report("SUCCESS", *cases)).results) == MOST_RESULTS
        assert refusal(*with_report("SUCCESS", *cases, case())) == [("0.json", "", "out-of-bounds")]


class TestTheJob:
    @pytest.mark.parametrize(
        ("url", "testcase", "run"),
        [
            ("https://ci.example.org/job/smoke/7/", "smoke", "smoke-7"),
            ("https://ci.example.org/jenkins/view/All%20of/job/smoke/7/", "smoke", "smoke-7"),
            ("https://ci.example.org/job/a/job/b/7/", "a/b", "a.b-c14cddc0-7"),
            ("https://ci.example.org/job/job/job/job/7/", "job/job", "job.job-f5ff31a6-7"),
            ("https://ci.example.org/job/a%20b%2Fc/7/", "a b/c", "a-b.c-4f7d8a96-7"),
            ("https://ci.example.org/job/a/view/All/job/b/7/", "a/b", "a.b-c14cddc0-7"),
        ],
    )
    def test_names_build_and_run(self, url: str, testcase: str, run: str) -> None:
        file = file_of(build(url=url, number=7))
        assert ([result.testcase for result in file.results], file.run.id[:3]) == ([testcase], run[:3])
        assert file.run.id.endswith("-7")
        assert is_name(file.run.id)

    @pytest.mark.parametrize("parts", [AXES, MODULES, ["default", "promotion/process/x", "7"]])
    def test_is_built_in_parts_of_which_each_has_a_run_and_a_scenario(self, parts: list[str]) -> None:
        urls = [f"https://ci.example.org/job/smoke/{part}/7/" for part in parts]
        files = [file_of(build(url=url, number=7)) for url in urls]
        assert len({file.run.id for file in files}) == len(parts)
        assert [[(row.testcase, row.scenario) for row in file.results] for file in files] == [
            [("smoke", unquote(part))] for part in parts
        ]

    def test_of_which_a_part_was_built_is_in_the_scenario_that_was_named(self) -> None:
        subject = replace(SUBJECT, scenario=Scenario("bios"))
        file = file_of(build(url=f"https://ci.example.org/job/smoke/{AXES[0]}/7/", number=7), subject=subject)
        assert [row.scenario for row in file.results] == ["bios"]

    def test_whose_part_has_no_name_that_can_be_shown_has_no_scenario(self) -> None:
        file = file_of(build(url="https://ci.example.org/job/smoke/%20/7/", number=7))
        assert [row.scenario for row in file.results] == [None]

    def test_whose_name_is_only_white_space_is_named_by_its_number(self) -> None:
        assert list(outcomes(build(url="https://ci.example.org/job/%20/7/", number=7))) == ["7"]

    @pytest.mark.parametrize(
        "url", ["https://ci.example.org/smoke/7/", "https://ci.example.org/job/", "http://[x/job/a/", ""]
    )
    def test_must_be_in_the_address(self, url: str) -> None:
        assert refusal(build(url=url)) == [("0.json", "/url", "bad-link")]

    def test_with_an_address_that_no_result_may_have_is_refused_by_the_checks(self) -> None:
        with pytest.raises(InputError, match="bad-link"):
            file_of(build(url="https://ci.example.org/job/smoke/7/ "))

    def test_with_credentials_in_its_address_is_refused_without_repeating_them(self) -> None:
        with pytest.raises(InputError, match="bad-link") as caught:
            file_of(build(url="https://user:hunter2@ci.example.org/job/smoke/7/"))
        assert "hunter2" not in str(caught.value)


class TestWhatIsSent:
    """What a Jenkins really sends is read, whatever stands in the fields that nobody reads."""

    def test_null_in_an_array_is_absent(self) -> None:
        document = build(actions=[None, *reporting(totalCount=1), {"parameters": [None, {"name": "X", "value": "y"}]}])
        given = report(case("FAILED"))
        given["suites"] = [None, {"cases": [None, *given["suites"][0]["cases"]]}]
        assert outcomes(document, given) == {"smoke": "failed", "guest.boots": "failed"}

    @pytest.mark.parametrize(
        "unread",
        [
            b'"stdout": "cut \\ud83d"',
            b'"stdout": "cut \xf0\x9f"',
            b'"stdout": "\x01"',
            b'"age": -Infinity',
            b'"age": NaN',
            b'"age": ' + b"9" * 10_000,
            b'"age": 1, "age": 2',
            b'"age": ' + b"[" * 300 + b"]" * 300,
        ],
    )
    def test_a_field_that_is_not_read_may_hold_anything(self, unread: bytes) -> None:
        given = [json.dumps(one).encode() for one in with_report("UNSTABLE", case("FAILED"))]
        given = [data.replace(b'"_class"', unread + b', "_class"').replace(b'"age": 0', unread) for data in given]
        file = convert([Source(path="x", data=data) for data in given], SUBJECT)
        assert [str(one.outcome) for one in file.results] == ["failed", "failed"]

    @pytest.mark.parametrize("said", ["\ud83d", "a\udfff"])
    def test_half_a_character_becomes_a_sign_for_it(self, said: str) -> None:
        found = row("guest.boots", *with_report("UNSTABLE", case("FAILED", errorDetails=f"{said}!")))
        assert found.note == f"{said[:-1]}\N{REPLACEMENT CHARACTER}!"

    def test_whole_characters_stay(self) -> None:
        assert (
            row("guest.boots", *with_report("SUCCESS", case("SKIPPED", skippedMessage="\U0001f600 ü"))).note == "😀 ü"
        )

    def test_a_byte_order_mark_is_none_of_it(self) -> None:
        data = b"\xef\xbb\xbf" + json.dumps(build()).encode()
        assert convert([Source(path="x", data=data)], SUBJECT).run.id == "smoke-8841"

    def test_actions_of_plugins_hold_what_they_like(self) -> None:
        strange = [{"urlName": 7}, {"urlName": []}, {"parameters": {}}, {"parameters": "x"}, {"parameters": 1}]
        document = build(actions=[*strange, *reporting(totalCount=1), *parameters(COMPOSE_ID)])
        assert outcomes(document, report(case()))["smoke"] == "passed"

    def test_a_field_that_is_read_has_one_value(self) -> None:
        data = json.dumps(build()).encode().replace(b'"building": false', b'"building": false, "building": true')
        with pytest.raises(InputError, match="2 different values of one key should be true or false"):
            convert([Source(path="x", data=data)], SUBJECT)

    def test_the_same_value_twice_is_one(self) -> None:
        data = json.dumps(build()).encode().replace(b'"building": false', b'"building": false, "building": false')
        assert convert([Source(path="x", data=data)], SUBJECT).run.id == "smoke-8841"

    @pytest.mark.parametrize("name", ["parameters", "value", "urlName"])
    def test_what_may_hold_anything_has_one_value_too(self, name: str) -> None:
        made = {"parameters": [{"name": "X", "value": COMPOSE_ID}], "urlName": "x"}
        text = json.dumps(build(actions=[made])).replace(f'"{name}":', f'"{name}": "other", "{name}":')
        with pytest.raises(InputError, match="2 different values of one key"):
            convert([Source(path="x", data=text.encode())], SUBJECT)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("documents", "expected"),
        [
            ([report(case())], ("0.json", "", "jenkins-one-build")),
            ([build(), build()], ("1.json", "", "jenkins-one-build")),
            ([build(), report(), report()], ("2.json", "", "jenkins-one-build")),
            ([{}], ("0.json", "", "jenkins-not-a-build")),
            ([{"jobs": [], "_class": "hudson.model.Hudson"}], ("0.json", "", "jenkins-not-a-build")),
            ([build(number=None)], ("0.json", "", "jenkins-not-a-build")),
            ([build(url=None)], ("0.json", "", "jenkins-not-a-build")),
            ([[]], ("0.json", "", "wrong-type")),
            (["x" * 100], ("0.json", "", "wrong-type")),
            ([build(number="7")], ("0.json", "/number", "wrong-type")),
            ([build(number=True)], ("0.json", "/number", "wrong-type")),
            ([build(number=-1)], ("0.json", "/number", "wrong-type")),
            ([build(number=2**53)], ("0.json", "/number", "wrong-type")),
            ([build(url=7)], ("0.json", "/url", "wrong-type")),
            ([build(building="no")], ("0.json", "/building", "wrong-type")),
            ([build(building=None)], ("0.json", "", "jenkins-not-a-build")),
            ([build(duration=math.nan)], ("0.json", "/duration", "wrong-type")),
            ([build(timestamp=math.inf)], ("0.json", "/timestamp", "wrong-type")),
            ([build(actions={})], ("0.json", "/actions", "wrong-type")),
            ([build(actions=[[]])], ("0.json", "/actions/0", "wrong-type")),
            ([build("success")], ("0.json", "/result", "jenkins-unknown-word")),
            ([build(timestamp=0)], ("0.json", "/timestamp", "bad-time")),
            ([build(timestamp=2**53 - 1)], ("0.json", "/timestamp", "bad-time")),
            ([build(duration=2**46)], ("0.json", "/timestamp", "bad-time")),
            ([build(), {"childReports": []}], ("1.json", "/childReports", "jenkins-aggregated")),
            ([build(), {"suites": [{"cases": 1}]}], ("1.json", "/suites/0/cases", "wrong-type")),
        ],
    )
    def test_whole_documents(self, documents: list[object], expected: tuple[str, str, str]) -> None:
        assert refusal(*documents) == [expected]

    @pytest.mark.parametrize("data", [b"", b"<html>", b'{"a": nan}', b"\xff", b"[" * 100_000])
    def test_what_is_no_json(self, data: bytes) -> None:
        with pytest.raises(InputError, match="not-json"):
            convert([Source(path="x", data=data)], SUBJECT)

    def test_cases_all_at_once(self) -> None:
        cases = [case("BROKEN"), case(), case(name=" \t", className=None), case(name="", className="")]
        assert refusal(*with_report("SUCCESS", *cases)) == [
            ("1.json", "/suites/0/cases/0/status", "jenkins-unknown-word"),
            ("1.json", "/suites/0/cases/2/name", "jenkins-nameless"),
            ("1.json", "/suites/0/cases/3/name", "jenkins-nameless"),
        ]

    def test_cases_by_the_hundred(self) -> None:
        codes = [code for _, _, code in refusal(build(), report(*(case("X") for _ in range(500))))]
        assert (len(codes), codes[-1]) == (101, "more-problems")

    def test_a_build_without_the_report_that_it_has(self) -> None:
        assert refusal(build(actions=reporting(totalCount=3))) == [("0.json", "/actions", "jenkins-report-missing")]

    def test_a_report_of_a_build_that_has_none(self) -> None:
        assert refusal(build(), report(case())) == [("1.json", "", "jenkins-report-mismatch")]

    @pytest.mark.parametrize("name", ["failCount", "skipCount", "passCount"])
    def test_a_report_that_counts_more_cases_than_it_has(self, name: str) -> None:
        documents = (build(actions=reporting()), report(case(), **{name: 2}))
        assert refusal(*documents) == [("1.json", f"/{name}", "jenkins-report-mismatch")]

    @pytest.mark.parametrize("name", ["failCount", "skipCount", "totalCount"])
    def test_a_report_of_another_size_than_the_build_says(self, name: str) -> None:
        documents = (build(actions=reporting(**{name: 2})), report(case()))
        assert refusal(*documents) == [("0.json", f"/actions/1/{name}", "jenkins-report-mismatch")]

    def test_neither_is_known_of_a_build_that_was_fetched_in_part(self) -> None:
        document = build()
        del document["actions"]
        assert outcomes(document, report(case()))["smoke"] == "passed"
        assert outcomes(document) == {"smoke": "error"}

    @pytest.mark.parametrize(
        "value", ["CentOS-Stream-10-20261119.0", "https://x/production/CentOS-Stream-10-20261119.0/compose"]
    )
    def test_a_build_of_another_compose(self, value: str) -> None:
        assert refusal(build(actions=parameters(value))) == [("0.json", "/actions", "jenkins-other-compose")]

    @pytest.mark.parametrize("value", [COMPOSE_ID, f"{COMPOSE_ID} CentOS-Stream-10-20261119.0", "latest", True, None])
    def test_but_not_one_that_names_this_compose_or_none(self, value: object) -> None:
        assert outcomes(build(actions=parameters(value))) == {"smoke": "error"}

    def test_a_result_file_that_is_too_large(self) -> None:
        cases = [case(name=f"{number:05}" + "\\" * 245) for number in range(MOST_RESULTS - 1)]
        with pytest.raises(InputError, match="file-too-large"):
            file_of(*with_report("SUCCESS", *cases))

    def test_a_report_that_is_too_large(self, tmp_path: Path) -> None:
        with (tmp_path / "report.json").open("wb") as file:
            file.truncate((64 << 20) + 1)
        with pytest.raises(InputError, match="file-too-large"):
            read_source(tmp_path / "report.json")

    def test_an_arch_that_the_compose_does_not_have(self) -> None:
        subject = Subject(compose_id=COMPOSE_ID, manifest_sha256=Sha256(""), origin=Origin("rdo"), arch=Arch("riscv64"))
        with pytest.raises(InputError, match="unknown-arch"):
            file_of(build(), subject=subject)


def parameters(value: object) -> list[Json]:
    return [
        {"_class": "hudson.model.ParametersAction", "parameters": [{"name": "PASSWORD"}, {"name": "X", "value": value}]}
    ]


def test_parameters_are_not_repeated() -> None:
    assert b"hunter2" not in as_bytes(file_of(build(actions=parameters("hunter2"))))


any_text: Final = st.text()
hostile: Final = any_text | st.sampled_from(
    ["\x1b[31mred\x1b[0m", "\u202e", "\r\n", "a" * 300, "ü" * 300, "\x00", "~", "%", '"\\']
)
cases: Final = st.builds(
    case,
    st.sampled_from(["PASSED", "FAILED", "SKIPPED", "FIXED", "REGRESSION"]),
    hostile.filter(lambda text: bool(text.strip())),
    className=st.none() | hostile,
    duration=st.none() | st.floats() | st.integers(),
    errorDetails=st.none() | hostile,
    skippedMessage=st.none() | hostile,
)
jobs: Final = hostile.filter(bool).map(lambda text: "".join(f"%{byte:02X}" for byte in text.encode()))


@given(
    st.lists(cases, max_size=5),
    st.sampled_from(["SUCCESS", "UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT", None]),
    st.booleans(),
    jobs.filter(lambda job: len(job) < 1900),
    st.integers(0, 2**53 - 1),
    st.integers(0, 7 * 10**7),
    st.booleans(),
)
def test_whatever_jenkins_reports_becomes_a_file_that_validate_accepts(  # noqa: PLR0913, PLR0917  # drawn apart
    rows: list[Json],
    result: str | None,
    building: bool,  # noqa: FBT001  # drawn
    job: str,
    number: int,
    duration: int,
    run_is_test: bool,  # noqa: FBT001  # drawn
) -> None:
    document = build(
        result,
        building=building,
        number=number,
        duration=duration,
        url=f"https://ci.example.org/job/{job}/{number}/",
        actions=reporting(),
    )
    subject = Subject(
        compose_id=COMPOSE_ID,
        manifest_sha256=Sha256(""),
        origin=Origin("rdo"),
        arch=Arch("x86_64"),
        run_is_test=run_is_test,
    )
    file = file_of(document, report(*rows), subject=subject)  # runs every check of validate
    failed = any(row["status"] in {"FAILED", "REGRESSION"} for row in rows)
    if failed and not building:
        assert file.results[0].outcome in {Outcome.FAILED, Outcome.ERROR}


@given(any_text)
def test_a_note_is_what_a_result_may_hold(text: str) -> None:
    shown = note(text, 50)
    assert shown is None or (len(shown) <= 50 and shown == note(shown, 50))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, None),
        ("", None),
        (" \x1b[0m\x07\n", None),
        ("\x1b[1;31mred\x1b[0m\r\ntwo\rthree\t!", "red\ntwo\nthree\t!"),
        ("a\u202eb\x85c\u2066\u2069", "abc"),
        ("x" * 51, "x" * 49 + "…"),
        ("x" * 50, "x" * 50),
    ],
)
def test_a_note_shows(text: str | None, shown: str | None) -> None:
    assert note(text, 50) == shown


def test_a_note_without_room_is_none() -> None:
    assert note("x", 0) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tests.smoke.Boot.test_boot[uefi-1]", "tests.smoke.Boot.test_boot[uefi-1]"),
        ("  a\t b\u00a0\n c ", "a b c"),
        ("größe 1 €", "gr%C3%B6%C3%9Fe 1 %E2%82%AC"),
        ("a\x00b", "a%00b"),
        ("x" * 255, "x" * 255),
        ("x" * 256, "x" * 242 + "~" + hashlib.sha256(b"x" * 256).hexdigest()[:12]),
        ("", None),
        (" \n", None),
    ],
)
def test_a_testcase_is_named(text: str, name: str | None) -> None:
    assert as_testcase(text) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("smoke", "smoke-7"),
        ("compose_test.x", "compose_test.x-7"),
        ("a/b", "a.b-"),
        ("ü", ""),
        (".x", "x-"),
        ("x" * 200, "x" * 90),
    ],
)
def test_a_run_is_named(name: str, expected: str) -> None:
    found = run_id(name, "7")
    assert is_name(found)
    assert found.startswith(expected)
    assert found.endswith("-7")


def test_no_two_names_become_one_run() -> None:
    names = ["a/b", "a.b", "a b", "a-b", "", "ü", "ä", "x" * 200, "x" * 201, ".x", "x", "_x"]
    assert len({run_id(name, "7").casefold() for name in names}) == len(names)
