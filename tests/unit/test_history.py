"""The line of a merge request: append-only, the first version counts, and everything else is named."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.branch import history
from compose_repo.core.branch.attribution import attribute
from compose_repo.core.branch.commit import GONE, PLAIN, Change, Commit, Content, Version
from compose_repo.core.branch.history import (
    Line,
    Pushed,
    below_restoring,
    gone_from_head,
    in_push_order,
    is_clean,
    lost_history,
    opened_with,
    read_line,
    read_unattributed,
    still_true,
    within_bytes,
)
from compose_repo.core.branch.touch import Attributed, refused_reports, reported, taken_back
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.forge import Push, User
from compose_repo.core.names import Origin, Sha
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.policy import Bots

ID: Final = ComposeId.parse("CentOS-Stream-10-20261120.0")
FOLDER: Final = f"composes/{ID}"
MANIFEST: Final = f"{FOLDER}/manifest.json"
README: Final = f"{FOLDER}/results/README.md"
ABSENT: Final = Content(GONE, "0" * 40)
BOTS: Final = Bots()
RDO: Final = Origin("rdo")
MINUTE: Final = dt.timedelta(minutes=1)
ORIGINS: Final = frozenset({RDO, Origin("idm")})
NOW: Final = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)


def result(run: str = "1", origin: str = "rdo") -> str:
    return f"{FOLDER}/results/{origin}/{run}.json"


class Branch:
    """A branch on which accounts push commits, one a push."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self.pushes: list[Push] = []
        self.files: dict[str, Content] = {}
        self.numbers = itertools.count(1)

    def opened(self) -> "Branch":
        self.push("compose-bot", {MANIFEST: "m", README: "r"})
        return self

    def commit(
        self, files: Mapping[str, str | None], *, mode: str = PLAIN, parents: Sequence[Sha] | None = None
    ) -> Sha:
        sha = Sha(f"{next(self.numbers):040x}")
        changes = []
        for path, blob in files.items():
            after = ABSENT if blob is None else Content(mode, blob)
            changes.append(Change(path, self.files.get(path, ABSENT), after))
            self.files[path] = after
        before = tuple(parents) if parents is not None else self.head()
        self.commits.append(Commit(sha, before, tuple(changes)))
        return sha

    def head(self) -> tuple[Sha, ...]:
        return (self.commits[-1].sha,) if self.commits else ()

    def push(
        self,
        who: str,
        files: Mapping[str, str | None],
        *,
        mode: str = PLAIN,
        parents: Sequence[Sha] | None = None,
        before: Sha | None = None,
    ) -> Sha:
        last = self.pushes[-1].after if self.pushes else None
        sha = self.commit(files, mode=mode, parents=parents)
        self.record(who, before or last, sha)
        return sha

    def record(self, who: str, before: Sha | None, after: Sha | None) -> None:
        user = User(id=len(who), username=who)
        at = NOW + dt.timedelta(minutes=len(self.pushes))
        self.pushes.append(Push(user=user, branch=ID.branch, before=before, after=after, at=at))

    def pushed(self) -> Pushed:
        of = attribute([(commit.sha, commit.parents) for commit in self.commits], self.pushes)
        return Pushed(pushes=self.pushes, of=of)

    def maybe(self, refusals: Mapping[tuple[Origin, Sha], str] | None = None) -> Line | None:
        """Read the line; who is not refused is believed, but for the bots."""
        pushed, refused = self.pushed(), refusals or {}
        asked = reported(ID, self.commits, ORIGINS)
        owned = {one for one in asked if one not in refused and not pushed.is_by(one[1], BOTS.compose)}
        attributed = Attributed(refusals=refused, owned=owned, origins=ORIGINS)
        return read_line(ID, self.commits, pushed=pushed, attributed=attributed, bots=BOTS)

    def line(self, refusals: Mapping[tuple[Origin, Sha], str] | None = None) -> Line:
        line = self.maybe(refusals)
        assert line is not None
        return line


def codes(line: Line) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in line.problems]


def blobs(line: Line) -> dict[str, str]:
    return {version.path: version.blob for version in line.counted}


def test_what_the_compose_bot_opened_and_what_origins_added_counts() -> None:
    branch = Branch().opened()
    added = branch.push("rdo-ci", {result("1"): "a", result("2"): "b"})
    line = branch.line()
    assert blobs(line) == {MANIFEST: "m", README: "r", result("1"): "a", result("2"): "b"}
    assert line.results[0] == Version(path=result("1"), blob="a", commit=added, origin=RDO, came=1, at=NOW + MINUTE)
    assert line.opening.at == NOW
    assert line.problems == ()


def test_a_compose_may_be_opened_without_a_readme() -> None:
    branch = Branch()
    branch.push("compose-bot", {MANIFEST: "m"})
    line = branch.line()
    assert line.readme is None
    assert line.counted == (line.manifest,)


def test_without_a_manifest_of_the_compose_bot_there_is_no_line() -> None:
    branch = Branch()
    branch.push("mallory", {MANIFEST: "m"})
    branch.push("rdo-ci", {result(): "a"})
    assert branch.maybe() is None
    assert "compose-bot" in history.foreign_manifest(ID, BOTS).message


def test_a_manifest_that_somebody_pushed_before_the_compose_bot_does_not_count() -> None:
    branch = Branch()
    branch.push("mallory", {MANIFEST: "forged"})
    assert branch.maybe() is None
    branch.push("compose-bot", {MANIFEST: "m"})
    assert branch.maybe() is None, "it must be added, not built upon"


def test_the_compose_bots_name_is_compared_without_regard_to_case() -> None:
    branch = Branch()
    branch.push("Compose-Bot", {MANIFEST: "m"})
    assert branch.line().manifest.blob == "m"


def test_a_link_in_the_manifests_place_opens_nothing() -> None:
    branch = Branch()
    branch.push("compose-bot", {MANIFEST: "m"}, mode="120000")
    assert branch.maybe() is None


@pytest.mark.parametrize(
    ("path", "after", "code"),
    [
        (MANIFEST, "other", "manifest-changed"),
        (MANIFEST, None, "manifest-changed"),
        (README, "other", "foreign-change"),
        (README, None, "foreign-change"),
        (".gitlab-ci.yml", "x", "foreign-change"),
        ("gate/policy.toml", "x", "foreign-change"),
        ("composes/README.md", "x", "foreign-change"),
        (f"{FOLDER}/results/.gitattributes", "x", "foreign-change"),
        (f"{FOLDER}/results/rdo/deep/1.json", "x", "foreign-change"),
        ("composes/CentOS-Stream-10-20261119.0/results/rdo/1.json", "x", "foreign-change"),
        (f"{FOLDER}/results/rdo/a b.json", "x", "bad-name"),
        (f"{FOLDER}/results/r\ndo/1.json", "x", "bad-name"),
    ],
)
def test_whatever_is_no_result_of_this_compose_is_named_and_counts_for_nothing(
    path: str, after: str | None, code: str
) -> None:
    branch = Branch().opened()
    before = blobs(branch.line())
    branch.push("mallory", {path: after})
    line = branch.line()
    assert codes(line) == [(code, path)]
    assert blobs(line) == before


def test_a_foreign_change_says_who_did_what() -> None:
    branch = Branch().opened()
    branch.files["README.md"] = Content(PLAIN, "main")
    branch.files["Makefile"] = Content(PLAIN, "main")
    sha = branch.push("mallory", {"README.md": "x", "Makefile": None, "new": "y"})
    assert [problem.message for problem in branch.line().problems] == [
        f"commit {sha[:12]}, pushed by mallory, {what} what is not a result of this compose"
        for what in ("changes", "removes", "adds")
    ]


def test_what_is_put_back_is_no_further_problem() -> None:
    branch = Branch().opened()
    branch.files["README.md"] = Content(PLAIN, "main")
    branch.push("rdo-ci", {result(): "a"})
    mallory = branch.push("mallory", {"README.md": "x", "new": "y", MANIFEST: None, result(): None})
    refusals = {(RDO, mallory): "no"}
    told = codes(branch.line(refusals))
    assert len(told) == 4
    branch.push("rdo-ci", {"README.md": "main", "new": None, MANIFEST: "m", result(): "a"})
    assert codes(branch.line(refusals)) == told


STRAYS: Final = (
    "README.md",
    "notes.txt",
    "gate/policy.toml",
    f"{FOLDER}/results/junit.xml",
    f"{FOLDER}/log.txt",
    "composes/CentOS-Stream-10-20261119.0/results/rdo/1.json",
)


@pytest.mark.parametrize("path", STRAYS)
def test_of_a_stray_file_that_its_author_takes_back_nothing_is_told(path: str) -> None:
    branch = Branch().opened()
    branch.files["README.md"] = Content(PLAIN, "main")
    before = branch.files.get(path, ABSENT)
    for blob in ("x", "y"):
        branch.push("rdo-ci", {path: blob})
    assert codes(branch.line())[0][1] == path
    branch.push("rdo-ci", {path: None if before is ABSENT else before.blob})
    assert codes(branch.line()) == []


@pytest.mark.parametrize("who", ["mallory", "gate-bot"])
def test_a_stray_file_that_somebody_else_takes_away_is_told(who: str) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {"junit.xml": "x"})
    branch.push(who, {"junit.xml": None})
    assert codes(branch.line()) == [("foreign-change", "junit.xml")]


def test_a_stray_file_that_comes_again_is_told_each_time() -> None:
    branch = Branch().opened()
    for blob in ("x", None, "x"):
        branch.push("rdo-ci", {"junit.xml": blob})
    assert codes(branch.line()) == [("foreign-change", "junit.xml")] * 2


@pytest.mark.parametrize(("path", "code"), [(MANIFEST, "manifest-changed"), (README, "foreign-change")])
def test_what_a_compose_was_opened_with_leaves_a_trace_though_it_is_put_back(path: str, code: str) -> None:
    branch = Branch().opened()
    blob = branch.files[path].blob
    branch.push("rdo-ci", {path: "x"})
    branch.push("rdo-ci", {path: blob})
    assert codes(branch.line()) == [(code, path)]


def test_of_pushes_that_nobody_is_named_for_nothing_is_taken_back() -> None:
    branch = Branch().opened()
    bulk = branch.commit({"junit.xml": "x"})
    branch.push("rdo-ci", {"junit.xml": None}, before=bulk)
    assert codes(branch.line()) == [("foreign-change", "junit.xml")]


def test_offline_a_stray_file_is_taken_back_by_whoever_does_it() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {"junit.xml": "x"})
    branch.push("mallory", {"junit.xml": None})
    assert read_unattributed(ID, branch.commits).problems == []


@pytest.mark.parametrize(("after", "code"), [("b", "changed-result"), (None, "removed-file")])
def test_the_first_version_of_a_result_counts_for_ever(after: str | None, code: str) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.push("rdo-ci", {result(): after})
    line = branch.line()
    assert codes(line) == [(code, result())]
    assert blobs(line)[result()] == "a"


def test_of_what_was_never_believed_nothing_is_told_once_it_is_gone() -> None:
    branch = Branch().opened()
    refusals = {(RDO, branch.push("mallory", {result(): "a"})): "nobody"}
    assert codes(branch.line(refusals)) == [("not-attributed", result())]
    refusals[RDO, branch.push("mallory", {result(): None})] = "nobody"
    assert codes(branch.line(refusals)) == []


def test_what_nobody_believes_neither_counts_nor_takes_a_place() -> None:
    branch = Branch().opened()
    forged = branch.push("mallory", {result(): "forged", result("A1"): "forged"})
    branch.push("rdo-ci", {result(): "real", result("a1"): "real"})
    line = branch.line({(RDO, forged): "pushed by mallory"})
    assert codes(line) == [("not-attributed", result()), ("not-attributed", result("A1"))]
    assert blobs(line)[result()] == blobs(line)[result("a1")] == "real"


def test_of_names_that_differ_in_case_only_the_first_counts() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result("a1"): "failed"})
    branch.push("rdo-ci", {result("A1"): "passed"})
    line = branch.line()
    assert codes(line) == [("name-collision", result("A1"))]
    assert result("A1") not in blobs(line)


@pytest.mark.parametrize("mode", ["120000", "100755", "160000"])
def test_only_plain_files_count_and_others_take_no_place(mode: str) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "link"}, mode=mode)
    branch.push("rdo-ci", {result(): "file"})
    line = branch.line()
    assert codes(line) == [("not-a-plain-file", result())]
    assert blobs(line)[result()] == "file"


def test_an_origin_has_bounds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "ORIGIN_FILES", 2)
    branch = Branch().opened()
    branch.push("rdo-ci", {result(str(number)): "a" for number in range(3)} | {result("1", "idm"): "b"})
    line = branch.line()
    assert codes(line) == [("too-many-files", result("2"))]
    assert len(line.results) == 3


def test_an_origins_bytes_are_bounded_in_the_order_of_its_pushes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "ORIGIN_BYTES", 10)
    versions = [
        Version(path=result(str(number)), blob=str(number), commit=Sha("c"), origin=Origin(origin))
        for number, origin in enumerate(["rdo", "rdo", "idm", "rdo"])
    ]
    kept, problems = within_bytes(versions, {"0": 6, "1": 5, "2": 10, "3": 4})
    assert [version.blob for version in kept] == ["0", "2", "3"]
    assert [(problem.code, problem.path) for problem in problems] == [("too-many-files", result("1"))]


def test_a_merge_is_named_and_what_was_added_beside_it_counts() -> None:
    branch = Branch().opened()
    base = branch.head()[0]
    side = branch.commit({result("1"): "a"}, parents=[base])
    branch.files[result("2")] = ABSENT
    other = branch.commit({result("2"): "b"}, parents=[base])
    branch.push("rdo-ci", {"evil": "x"}, parents=[other, side])
    line = branch.line()
    assert codes(line) == [("merge-commit", FOLDER), ("foreign-change", "evil")]
    assert {result("1"), result("2")} < set(blobs(line))


def test_what_was_pushed_over_still_counts() -> None:
    branch = Branch().opened()
    base = branch.head()[0]
    failed = branch.push("rdo-ci", {result(): "failed"})
    branch.files[result()] = ABSENT
    branch.push("rdo-ci", {result(): "passed"}, parents=[base], before=failed)
    line = branch.line()
    assert codes(line) == [("history-rewritten", FOLDER), ("changed-result", result())]
    assert blobs(line)[result()] == "failed"


def test_deleting_the_branch_and_making_it_anew_takes_nothing_back() -> None:
    branch = Branch().opened()
    failed = branch.push("rdo-ci", {result(): "failed"})
    branch.record("mallory", failed, None)
    branch.files.clear()
    forged = branch.commit({MANIFEST: "forged"}, parents=[])
    branch.record("mallory", None, forged)
    line = branch.line()
    assert codes(line) == [("history-rewritten", FOLDER), ("manifest-changed", MANIFEST)]
    assert blobs(line) == {MANIFEST: "m", README: "r", result(): "failed"}


def test_a_branch_that_began_as_main_is_not_rewritten() -> None:
    branch = Branch()
    main = Sha("f" * 40)
    branch.record("compose-bot", None, main)
    branch.push("compose-bot", {MANIFEST: "m"}, before=main)
    assert branch.line().problems == ()


def test_what_the_gate_bot_pushed_is_not_judged() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.push("gate-bot", {result(): None, "README.md": "newer"}, parents=[branch.head()[0], Sha("e" * 40)])
    line = branch.line()
    assert line.problems == ()
    assert blobs(line)[result()] == "a"


def test_what_is_said_of_a_head_is_said_of_what_stands_below_the_gate_bots_restoring_commits() -> None:
    branch = Branch().opened()
    judged = branch.push("rdo-ci", {result(): "a", "README.md": "newer"})
    for number in (1, 2):
        branch.push("gate-bot", {"README.md": None}, parents=[branch.head()[0], Sha(f"{number}" * 40)])
    (head,) = branch.head()
    assert below_restoring(head, branch.commits, branch.pushed(), BOTS) == judged
    assert below_restoring(judged, branch.commits, branch.pushed(), BOTS) == judged


def test_a_merge_of_anybody_elses_and_a_plain_commit_of_the_gate_bots_are_no_restoring_commits() -> None:
    branch = Branch().opened()
    merge = branch.push("rdo-ci", {result(): "a"}, parents=[branch.head()[0], Sha("e" * 40)])
    plain = branch.push("gate-bot", {result("2"): "b"})
    for sha in (merge, plain):
        assert below_restoring(sha, branch.commits, branch.pushed(), BOTS) == sha


def test_commits_come_in_the_order_of_their_pushes_and_what_nobody_pushed_last() -> None:
    branch = Branch().opened()
    base = branch.head()[0]
    late = branch.commit({result("1"): "a"}, parents=[base])
    early = branch.commit({result("2"): "a"}, parents=[base])
    nobody = branch.commit({result("3"): "a"}, parents=[base])
    branch.record("rdo-ci", None, early)
    branch.record("rdo-ci", early, late)
    order = [commit.sha for commit in in_push_order([branch.commits[3], *branch.commits[:3]], branch.pushed())]
    assert order == [base, early, late, nobody]


def test_many_problems_of_one_commit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "COMMIT_PROBLEMS", 2)
    branch = Branch().opened()
    branch.commit({f"x{number}": "x" for number in range(1005)})
    problems = branch.line().problems
    assert [problem.code for problem in problems] == ["foreign-change", "foreign-change", "more-problems"]
    assert problems[-1].message.endswith("pushed by a user whom GitLab does not name, makes 1,003 more such changes")


def test_what_must_be_attributed_is_each_origin_of_each_commit_once() -> None:
    branch = Branch().opened()
    first = branch.push("rdo-ci", {result("1"): "a", result("2"): "b", result("1", "idm"): "c", "x": "y"})
    second = branch.push("rdo-ci", {result("3"): "a", result("1"): None, result("4"): "l"})
    assert reported(ID, branch.commits, ORIGINS) == [(RDO, first), (Origin("idm"), first), (RDO, second)]


@pytest.mark.parametrize(
    ("path", "mode", "origins"),
    [
        (f"{FOLDER}/results/rdo/junit.xml", PLAIN, ["rdo"]),
        (f"{FOLDER}/results/rdo/deep/er/1.json", PLAIN, ["rdo"]),
        (f"{FOLDER}/results/rdo", "120000", ["rdo"]),
        (f"{FOLDER}/results/new/1.json", PLAIN, ["new"]),
        (f"{FOLDER}/results/new", "120000", []),
        (f"{FOLDER}/results/README.md", PLAIN, []),
        (f"{FOLDER}/results/.hidden/1.json", PLAIN, []),
        (f"{FOLDER}/results/rdo", "040000", ["rdo"]),
        (f"{FOLDER}/results", "040000", ["idm", "rdo"]),
        (FOLDER, "040000", ["idm", "rdo"]),
        ("", "040000", ["idm", "rdo"]),
        ("composes", "040000", ["idm", "rdo"]),
        (FOLDER, PLAIN, []),
        ("composes/CentOS-Stream-10-20261120.00", "040000", []),
        (f"{FOLDER}/resultsets", "040000", []),
    ],
)
def test_whose_a_change_is_stands_in_its_path(path: str, mode: str, origins: list[str]) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {path: "x"}, mode=mode)
    assert sorted(origin for origin, _ in reported(ID, branch.commits, ORIGINS)) == origins


def test_a_folder_that_is_gone_was_everybodys() -> None:
    branch = Branch().opened()
    branch.files[FOLDER] = Content("040000", "t")
    branch.push("rdo-ci", {FOLDER: None})
    assert sorted(origin for origin, _ in reported(ID, branch.commits, ORIGINS)) == ["idm", "rdo"]


# Refused reports


def refused(line: Line, unsound: Sequence[str] = ()) -> list[tuple[str, int, tuple[str, ...]]]:
    """Give each refused report of a line; `unsound` are files that fail a check."""
    counted = [version for version in line.results if version.path not in unsound]
    bad = [Problem(path=path, code=Code.FUTURE_TIME, message="", fix="") for path in unsound]
    reports = refused_reports(line.touched, counted, [*line.problems, *bad])
    return [(report.name, report.came, report.codes) for report in reports]


WRONG_NAME: Final = f"{FOLDER}/results/rdo/junit.xml"


@pytest.mark.parametrize(
    ("files", "mode", "name", "code"),
    [
        ({result(): "b"}, PLAIN, "rdo/1.json", "changed-result"),
        ({result(): None}, PLAIN, "rdo/1.json", "removed-file"),
        ({result(): "target"}, "120000", "rdo/1.json", "not-a-plain-file"),
        ({result("2"): "target"}, "120000", "rdo/2.json", "not-a-plain-file"),
        ({result("2"): "b"}, "100755", "rdo/2.json", "not-a-plain-file"),
        ({WRONG_NAME: "x"}, PLAIN, "rdo/junit.xml", "foreign-change"),
        ({result(".2"): "b"}, PLAIN, "rdo/.2.json", "bad-name"),
        ({f"{FOLDER}/results/rdo": "target"}, "120000", "rdo", "foreign-change"),
        ({f"{FOLDER}/results/rdo/deep/2.json": "x"}, PLAIN, "rdo/deep/2.json", "foreign-change"),
    ],
)
def test_what_an_origin_does_below_its_folder_and_does_not_count_is_a_refused_report(
    files: Mapping[str, str | None], mode: str, name: str, code: str
) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.push("rdo-ci", files, mode=mode)
    assert refused(branch.line()) == [(name, 2, (code,))]


def test_a_file_that_fails_a_check_is_a_refused_report() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    assert refused(branch.line(), unsound=[result()]) == [("rdo/1.json", 1, ("future-time",))]


def test_a_file_beyond_a_bound_is_a_refused_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "ORIGIN_FILES", 1)
    branch = Branch().opened()
    branch.push("rdo-ci", {result("1"): "a", result("2"): "b"})
    assert refused(branch.line()) == [("rdo/2.json", 1, ("too-many-files",))]


def test_a_folder_that_nobody_can_look_into_is_a_refused_report_of_each_origin_believed() -> None:
    branch = Branch().opened()
    sha = branch.push("rdo-ci", {f"{FOLDER}/results": "t"}, mode="040000")
    reports = refused_reports(branch.line({(Origin("idm"), sha): "no"}).touched, [], [])
    assert [(report.origin, report.path) for report in reports] == [(RDO, f"{FOLDER}/results")]


@pytest.mark.parametrize("path", [result("2"), WRONG_NAME])
def test_a_refused_report_ends_when_its_file_is_gone(path: str) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {path: "x"}, mode="120000")
    branch.push("rdo-ci", {path: None})
    line = branch.line()
    assert (refused(line), codes(line)) == ([], [])


@pytest.mark.parametrize("after", ["b", None])
def test_a_refused_report_ends_when_a_file_has_its_counted_bytes_again(after: str | None) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.push("rdo-ci", {result(): after})
    branch.push("rdo-ci", {result(): "a"})
    line = branch.line()
    assert (refused(line), codes(line)) == ([], [])


def test_removing_what_was_edited_does_not_take_the_edit_back() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.push("rdo-ci", {result(): "b"})
    branch.push("rdo-ci", {result(): None})
    assert refused(branch.line()) == [("rdo/1.json", 3, ("changed-result", "removed-file"))]


def test_a_file_that_failed_a_check_is_taken_back_by_removing_it() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.push("rdo-ci", {result(): None})
    line = branch.line()
    assert refused(line, unsound=[result()]) == []
    assert taken_back(line.touched) == {result()}


@pytest.mark.parametrize(("after", "mode"), [("b", PLAIN), ("a", "100755"), ("target", "120000"), (None, PLAIN)])
def test_of_a_refused_file_that_was_taken_back_nothing_is_told_whatever_was_done_before(
    after: str | None, mode: str
) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a", result("2"): "a"})
    branch.push("rdo-ci", {result(): after, result("2"): after}, mode=mode)
    branch.push("rdo-ci", {result(): "a", result("2"): "b"})
    branch.push("rdo-ci", {result(): None, result("2"): None})
    line = branch.line()
    told = still_true(line.problems, {result()}, taken_back(line.touched))
    assert {problem.path for problem in told} == {result("2")}


def test_an_edit_does_not_take_back_a_file_that_failed_a_check() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.push("rdo-ci", {result(): "b"})
    line = branch.line()
    assert refused(line, unsound=[result()]) == [("rdo/1.json", 2, ("changed-result", "future-time"))]
    assert taken_back(line.touched) == frozenset()


def test_what_was_taken_back_and_is_done_again_is_a_refused_report_again() -> None:
    branch = Branch().opened()
    for blob in ("x", None, "x"):
        branch.push("rdo-ci", {WRONG_NAME: blob})
    assert refused(branch.line()) == [("rdo/junit.xml", 3, ("foreign-change",))]


@pytest.mark.parametrize("who", ["mallory", "idm-ci"])
def test_whoever_is_not_believed_takes_nothing_back(who: str) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {WRONG_NAME: "x"})
    refusals = {(RDO, branch.push(who, {WRONG_NAME: None})): "no"}
    assert refused(branch.line(refusals)) == [("rdo/junit.xml", 1, ("foreign-change",))]


@pytest.mark.parametrize("files", [{WRONG_NAME: "x"}, {result(): "b"}, {result(): None}, {result("2"): "b"}])
def test_what_somebody_else_does_is_no_refused_report(files: Mapping[str, str | None]) -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    refusals = {(RDO, branch.push("mallory", files)): "no"}
    line = branch.line(refusals)
    assert refused(line) == []
    assert len(line.problems) == 1


@pytest.mark.parametrize("bot", ["compose-bot", "gate-bot"])
def test_what_our_bots_do_is_no_refused_report(bot: str) -> None:
    branch = Branch().opened()
    branch.push(bot, {WRONG_NAME: "x"})
    assert refused(branch.line()) == []


def test_what_the_gate_bot_takes_away_is_not_taken_back() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {WRONG_NAME: "x"})
    branch.push("gate-bot", {WRONG_NAME: None})
    assert refused(branch.line()) == [("rdo/junit.xml", 1, ("foreign-change",))]


def test_what_a_stranger_has_put_there_before_is_no_way_back() -> None:
    """Mallory guesses what RDO will push, brings it where nobody is named for it, and takes it away again."""
    branch = Branch().opened()
    bulk = branch.commit({WRONG_NAME: "x"})
    removal = branch.push("mallory", {WRONG_NAME: None}, before=bulk)
    branch.push("rdo-ci", {WRONG_NAME: "x"})
    line = branch.line({(RDO, bulk): "nobody", (RDO, removal): "mallory"})
    assert [name for name, _, _ in refused(line)] == ["rdo/junit.xml"]


def test_a_folder_is_taken_back_when_it_is_as_it_was() -> None:
    branch = Branch().opened()
    folder = f"{FOLDER}/results/rdo"
    branch.files[folder] = Content("040000", "before")
    branch.push("rdo-ci", {folder: "after"}, mode="040000")
    assert [name for name, _, _ in refused(branch.line())] == ["rdo"]
    branch.push("rdo-ci", {folder: "before"}, mode="040000")
    assert refused(branch.line()) == []


def test_offline_the_folder_is_believed() -> None:
    branch = Branch().opened()
    branch.push("mallory", {WRONG_NAME: "x", result(): "a"})
    found = read_unattributed(ID, branch.commits, ORIGINS)
    assert [report.name for report in refused_reports(found.touched, found.results, [])] == ["rdo/junit.xml"]


def test_offline_a_result_came_when_its_commit_was_made() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result(): "a"})
    branch.commits[1] = branch.commits[1]._replace(date=NOW)
    assert [version.at for version in read_unattributed(ID, branch.commits).results] == [NOW]


TAKEN_BACK = st.sampled_from([result("1"), result("2"), result("A1"), WRONG_NAME, f"{FOLDER}/results/rdo/d/x"])


@given(st.sets(TAKEN_BACK, min_size=1), st.sampled_from([PLAIN, "120000"]), st.booleans())
def test_what_is_taken_back_leaves_what_never_having_had_it_leaves(
    paths: set[str],
    mode: str,
    reported_before: bool,  # noqa: FBT001  # hypothesis gives it by its place
) -> None:
    without, having = Branch().opened(), Branch().opened()
    for branch in (without, having):
        if reported_before:
            branch.push("rdo-ci", {result("1"): "a", result("a1"): "b"})
    there = having.files.copy()
    having.push("rdo-ci", dict.fromkeys(paths, "refused"), mode=mode)
    having.push("rdo-ci", {path: there[path].blob if path in there else None for path in paths})
    line, bare = having.line(), without.line()
    new = [version.path for version in line.results if version.path not in blobs(bare)]
    assert refused(line, unsound=new) == []
    assert set(new) <= taken_back(line.touched)
    assert {problem.path for problem in line.problems} <= set(new)
    assert {path: blob for path, blob in blobs(line).items() if path not in new} == blobs(bare)


def test_without_names_of_pushers_the_first_manifest_is_the_opening() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result("1"): "a"})
    branch.push("rdo-ci", {result("1"): None, MANIFEST: "n", "x": "y"})
    found = read_unattributed(ID, branch.commits)
    problems = found.problems
    assert [version.path for version in found.results] == [result("1")]
    assert [problem.code for problem in problems] == ["removed-file", "manifest-changed", "foreign-change"]
    assert [problem.code for problem in still_true(problems, {result("1")})] == ["manifest-changed", "foreign-change"]


def test_without_names_of_pushers_a_problem_names_somebody() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {"x": "y"})
    [problem] = read_unattributed(ID, branch.commits).problems
    assert ", pushed by somebody, adds " in problem.message


def test_what_a_compose_was_opened_with_is_in_its_first_commit_with_a_manifest() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {MANIFEST: "n"})
    assert [version.path for version in opened_with(ID, branch.commits)] == [MANIFEST, README]
    assert opened_with(ID, []) == []


def test_without_any_manifest_everything_is_judged_all_the_same() -> None:
    branch = Branch()
    branch.push("rdo-ci", {"x": "y"})
    assert [problem.code for problem in read_unattributed(ID, branch.commits).problems] == ["foreign-change"]


def test_a_result_that_the_head_has_lost_is_named_once() -> None:
    branch = Branch().opened()
    branch.push("rdo-ci", {result("1"): "a", result("2"): "b"})
    line = branch.line()
    head = {MANIFEST: Content(PLAIN, "m"), result("1"): Content(PLAIN, "a")}
    gone = list(gone_from_head(line, head, line.problems))
    assert [(problem.code, problem.path) for problem in gone] == [("removed-file", result("2"))]
    assert list(gone_from_head(line, head, gone)) == []


def test_where_history_was_rewritten_nothing_more_is_said_of_what_the_head_lost() -> None:
    branch = Branch().opened()
    failed = branch.push("rdo-ci", {result(): "failed"})
    branch.record("mallory", failed, None)
    line = branch.line()
    assert list(gone_from_head(line, {}, line.problems)) == []


def test_a_head_is_clean_when_it_brings_exactly_what_counts() -> None:
    counted = [Version(path=MANIFEST, blob="m", commit=Sha("c")), Version(path=result(), blob="a", commit=Sha("c"))]
    head = {MANIFEST: Content(PLAIN, "m"), result(): Content(PLAIN, "a")}
    assert is_clean(counted, head)
    assert not is_clean(counted, {**head, "x": Content(PLAIN, "y")})
    assert not is_clean(counted, {**head, result(): Content("100755", "a")})
    assert not is_clean(counted, {MANIFEST: Content(PLAIN, "m")})


def test_lost_history_names_the_push() -> None:
    push = Push(user=User(id=1, username="rdo-ci"), branch=ID.branch, before=None, after=Sha("a" * 40), at=NOW)
    assert lost_history(ID, Sha("a" * 40), push).message == (
        "aaaaaaaaaaaa, which rdo-ci pushed at 2026-11-20 06:00 UTC according to GitLab, "
        "is gone from the branch and from the server"
    )


PATHS: Final = [
    MANIFEST,
    README,
    result("1"),
    result("2"),
    result("A1"),
    result("a1"),
    result("1", "idm"),
    "x",
    "gate/y",
]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["rdo-ci", "idm-ci", "mallory", "compose-bot"]),
            st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["a", "b", None]), max_size=4),
            st.sampled_from([PLAIN, PLAIN, "120000"]),
        ),
        max_size=12,
    )
)
def test_whatever_is_pushed_later_moves_nothing_that_counts(
    pushes: list[tuple[str, dict[str, str | None], str]],
) -> None:
    branch = Branch().opened()
    counted: dict[str, str] = {}
    allowed = {"rdo": "rdo-ci", "idm": "idm-ci"}
    for who, files, mode in pushes:
        branch.push(who, files, mode=mode)
        pushed = branch.pushed()
        refusals = {
            (origin, sha): "no"
            for origin, sha in reported(ID, branch.commits, ORIGINS)
            if not pushed.is_by(sha, allowed[origin])
        }
        line = branch.line(refusals)
        now = blobs(line)
        assert counted.items() <= now.items(), "a later push took something back"
        for version in line.results:
            assert pushed.is_by(version.commit, allowed[str(version.origin)])
        assert len({path.casefold() for path in now}) == len(now)
        counted = now
