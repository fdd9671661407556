"""What every forge does, asked of both: of the one in memory, and of the port on the local GitLab over real HTTP."""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from forge_stages import PEOPLE, Host, LocalStage, MemoryStage, Stage
from gitlab_world import git, write

from compose_repo.core.forge.action import (
    AddFiles,
    Approve,
    CloseMergeRequest,
    CommitState,
    CreateBranch,
    CreateCommit,
    DeleteNote,
    EditNote,
    File,
    ForgeAction,
    Merge,
    OpenMergeRequest,
    PutNote,
    ReopenMergeRequest,
    SetStatus,
    StartPipeline,
    Unapprove,
    Unlock,
    UpdateMergeRequest,
)
from compose_repo.core.forge.forge import CommitStatus, Forge, ForgeError, Holder, Lock, MergeRequestState, StaleHead
from compose_repo.core.names import Sha
from local_gitlab.server import LocalGitLab

BRANCH = "compose/CentOS-Stream-10-20261120.0"
OTHER = "compose/CentOS-Stream-10-20261121.0"
MANIFEST = File(path="composes/x/manifest.json", content=b"{}\n")
RESULT = File(path="composes/x/results/rdo/1.json", content=b"[]\n")
NOWHERE = Sha("a" * 40)
LONG_AGO = dt.date(2026, 1, 1)
OPENED, CLOSED, MERGED = MergeRequestState.OPENED, MergeRequestState.CLOSED, MergeRequestState.MERGED
NOT_ALLOWED = "the token's account may not do this"
NOT_VALID = "the token is not valid, or not for this"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    seed = folder / "seed"
    seed.mkdir()
    git(seed, "init", "--quiet", "--initial-branch=main")
    write(seed, "README.md", "# Composes\n", "Start")
    with LocalGitLab.start(folder / "server") as server:
        yield Host(server=server, seed=seed, people={name: server.create_user(name) for name in PEOPLE})


@pytest.fixture(params=["memory", pytest.param("gitlab", marks=pytest.mark.xdist_group("forge-contract"))])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryStage()
        else:
            yield LocalStage(request.getfixturevalue("host"), stack)


@pytest.fixture
def gate(stage: Stage) -> Forge:
    return stage.forge("gate-bot")


@pytest.fixture
def opener(stage: Stage) -> Forge:
    return stage.forge("compose-bot")


@pytest.fixture
def rdo(stage: Stage) -> Forge:
    return stage.forge("rdo-ci")


@pytest.fixture
def reporter(stage: Stage) -> Forge:
    return stage.forge("reporter")


@pytest.fixture
def head(stage: Stage, opener: Forge) -> Sha:
    """Open !1, and give its head."""
    sha = stage.push("compose-bot", BRANCH, {MANIFEST.path: MANIFEST.content}, message="Add it")
    opener.apply(opening())
    return sha


def opening(
    branch: str = BRANCH, *, title: str = "A compose", target: str = "main", labels: tuple[str, ...] = ()
) -> OpenMergeRequest:
    return OpenMergeRequest(source_branch=branch, target_branch=target, title=title, description="Words", labels=labels)


def refused(forge: Forge, action: ForgeAction, why: str) -> None:
    """See that an action is refused, and why."""
    with pytest.raises(ForgeError) as caught:
        forge.apply(action)
    assert f"could not {action.sentence}: " in str(caught.value)
    assert why in str(caught.value)
    assert not isinstance(caught.value, StaleHead)


def stale(forge: Forge, action: ForgeAction) -> None:
    with pytest.raises(StaleHead, match="its head moved meanwhile"):
        forge.apply(action)


def main_of(forge: Forge) -> Sha:
    main = forge.branch_head("main")
    assert main is not None
    return main


def told(forge: Forge, iid: int = 1) -> list[str]:
    return [note.body for note in forge.thread(iid).told]


def merging(sha: Sha, iid: int = 1) -> Merge:
    return Merge(iid=iid, sha=sha, message="Merge it")


def is_later(one: dt.datetime | None, other: dt.datetime | None) -> bool:
    assert one is not None
    assert other is not None
    return one > other


def status(sha: Sha, state: CommitState = CommitState.PENDING, words: str = "1 missing") -> SetStatus:
    return SetStatus(sha=sha, branch=BRANCH, name="compose-gate", state=state, description=words)


def note(body: str = "<!-- ours --> words") -> PutNote:
    return PutNote(iid=1, marker="<!-- ours -->", body=body)


# --- who, what and when


def test_an_account_knows_who_it_is(gate: Forge, rdo: Forge) -> None:
    assert (gate.me().username, rdo.me().username) == ("gate-bot", "rdo-ci")
    assert gate.me().id != rdo.me().id


def test_the_project_says_its_default_branch_and_settings(gate: Forge) -> None:
    project = gate.project()
    assert (project.default_branch, project.pipelines_must_succeed) == ("main", False)
    assert project.web_url.endswith(project.path)


def test_the_project_says_that_pipelines_must_succeed(stage: Stage, gate: Forge) -> None:
    stage.demand("pipelines_must_succeed")
    assert gate.project().pipelines_must_succeed


def test_time_is_told_by_the_first_answer_in_whole_seconds(gate: Forge) -> None:
    assert gate.told_time() is None
    gate.branch_head("main")
    now = gate.told_time()
    assert now is not None
    assert (now.microsecond, now.utcoffset()) == (0, dt.timedelta(0))


@pytest.mark.parametrize(
    ("name", "level"),
    [("owner", 50), ("gate-bot", 40), ("rdo-ci", 30), ("reporter", 20), ("stranger", 0)],
)
def test_an_access_level_is_that_of_the_role(stage: Stage, gate: Forge, name: str, level: int) -> None:
    assert gate.access_level(stage.forge(name).me().id) == level


# --- branches, files, pushes


def test_a_branch_has_a_head_or_is_not_there(stage: Stage, gate: Forge) -> None:
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"})
    assert (gate.branch_head(BRANCH), gate.branch_head("other")) == (sha, None)


def test_a_file_is_read_from_a_branch_or_a_commit_as_it_is(stage: Stage, gate: Forge) -> None:
    old = stage.push("rdo-ci", BRANCH, {"a/b.bin": b"\0\xff1"})
    stage.push("rdo-ci", BRANCH, {"a/b.bin": b"2"})
    assert gate.read_file("a/b.bin", BRANCH) == b"2"
    assert gate.read_file("a/b.bin", old) == b"\0\xff1"


@pytest.mark.parametrize(("path", "ref"), [("nothing", "main"), ("README.md", "nothing"), ("README.md", "a" * 40)])
def test_a_file_that_is_not_there_is_none(gate: Forge, path: str, ref: str) -> None:
    assert gate.read_file(path, ref) is None


def test_pushes_tell_who_has_created_moved_and_deleted_a_branch(stage: Stage, gate: Forge) -> None:
    first = stage.push("compose-bot", BRANCH, {"a": b"1"})
    second = stage.push("rdo-ci", BRANCH, {"a": b"2"})
    stage.delete_branch("gate-bot", BRANCH)
    pushes = gate.pushes(BRANCH, LONG_AGO)
    assert [(one.user.username, one.before, one.after) for one in pushes] == [
        ("compose-bot", None, first),
        ("rdo-ci", first, second),
        ("gate-bot", second, None),
    ]
    assert [one.at for one in pushes] == sorted(one.at for one in pushes)


def test_pushes_of_every_branch_are_told_at_once(stage: Stage, gate: Forge) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    stage.push("rdo-ci", OTHER, {"a": b"1"})
    assert [one.branch for one in gate.pushes(None, LONG_AGO)] == ["main", BRANCH, OTHER]


def test_pushes_of_long_before_are_not_told(stage: Stage, gate: Forge) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    today = gate.pushes(BRANCH, LONG_AGO)[0].at.date()
    assert len(gate.pushes(BRANCH, today)) == 1
    assert gate.pushes(BRANCH, today + dt.timedelta(days=3)) == []


def test_a_push_of_three_branches_is_told_and_one_of_four_is_not(stage: Stage, gate: Forge) -> None:
    three = stage.push_many("rdo-ci", {f"b{number}": {"a": b"1"} for number in range(3)})
    stage.push_many("rdo-ci", {f"c{number}": {"a": b"1"} for number in range(4)})
    assert {one.branch for one in gate.pushes(None, LONG_AGO)} == {"main", *three}


def test_what_we_write_is_among_the_pushes(stage: Stage, gate: Forge, head: Sha) -> None:
    gate.apply(merging(head))
    last = gate.pushes("main", LONG_AGO)[-1]
    assert (last.user.username, last.after) == ("gate-bot", gate.branch_head("main"))
    assert stage.commits("main") == (last.before, head)


def test_pushes_can_come_into_the_log_late(stage: Stage, gate: Forge) -> None:
    stage.hold_events()
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"})
    assert gate.pushes(BRANCH, LONG_AGO) == []
    assert stage.release_events() == 1
    assert [one.after for one in gate.pushes(BRANCH, LONG_AGO)] == [sha]


# --- CreateCommit, AddFiles, CreateBranch


def test_a_commit_creates_its_branch(stage: Stage, opener: Forge) -> None:
    main = main_of(opener)
    opener.apply(CreateCommit(branch=BRANCH, start=main, message="Add it", files=(MANIFEST, RESULT)))
    assert opener.read_file(RESULT.path, BRANCH) == RESULT.content
    assert opener.read_file("README.md", BRANCH) == b"# Composes\n"
    assert stage.commits(BRANCH) == (main,)


def test_a_commit_does_not_take_a_branch_that_is_there(stage: Stage, opener: Forge) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    action = CreateCommit(branch=BRANCH, start=main_of(opener), message="Add it", files=(MANIFEST,))
    refused(opener, action, f"GitLab answers 400 (A branch called '{BRANCH}' already exists")


def test_a_commit_that_is_there_already_is_as_good_as_made(opener: Forge) -> None:
    action = CreateCommit(branch=BRANCH, start=main_of(opener), message="Add it", files=(MANIFEST,))
    opener.apply(action)
    head = opener.branch_head(BRANCH)
    opener.apply(action)
    assert opener.branch_head(BRANCH) == head


def test_a_commit_starts_from_one_that_is_there(opener: Forge) -> None:
    action = CreateCommit(branch=BRANCH, start=NOWHERE, message="Add it", files=(MANIFEST,))
    refused(opener, action, f"GitLab answers 400 (Cannot find start_branch '{NOWHERE}')")


def test_a_commit_gives_a_file_other_bytes_where_it_says_so(stage: Stage, opener: Forge) -> None:
    readme = File(path="README.md", content=b"# Other\n", replaces=True)
    opener.apply(CreateCommit(branch=BRANCH, start=main_of(opener), message="Change it", files=(readme,)))
    assert opener.read_file("README.md", BRANCH) == readme.content
    assert stage.commits(BRANCH) == (main_of(opener),)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (File(path="README.md", content=b"x"), "A file with this name already exists"),
        (File(path="a", content=b"x", replaces=True), "A file with this name doesn't exist"),
    ],
)
def test_a_commit_neither_overwrites_nor_replaces_what_is_not_there(opener: Forge, file: File, why: str) -> None:
    action = CreateCommit(branch=BRANCH, start=main_of(opener), message="Change it", files=(file,))
    refused(opener, action, f"GitLab answers 400 ({why})")


def test_who_is_no_developer_makes_no_commit(reporter: Forge) -> None:
    action = CreateCommit(branch=BRANCH, start=main_of(reporter), message="Add it", files=(MANIFEST,))
    refused(reporter, action, NOT_ALLOWED)


def test_files_are_added_on_top_of_the_branch(stage: Stage, rdo: Forge, head: Sha) -> None:
    rdo.apply(AddFiles(branch=BRANCH, message="Report", files=(RESULT,)))
    assert (rdo.read_file(RESULT.path, BRANCH), stage.commits(BRANCH)) == (RESULT.content, (head,))
    assert rdo.merge_request(1).head == rdo.branch_head(BRANCH)


def test_a_file_that_is_there_is_not_written_again(stage: Stage, rdo: Forge, head: Sha) -> None:
    there = stage.push("rdo-ci", BRANCH, {RESULT.path: b"other"})
    action = AddFiles(branch=BRANCH, message="Report", files=(RESULT,))
    refused(rdo, action, "GitLab answers 400 (A file with this name already exists)")
    assert (there != head, rdo.branch_head(BRANCH)) == (True, there)


def test_a_file_that_is_there_with_the_same_bytes_is_as_good_as_added(rdo: Forge, head: Sha) -> None:
    rdo.apply(AddFiles(branch=BRANCH, message="Report", files=(MANIFEST,)))
    assert rdo.branch_head(BRANCH) == head


def test_files_are_added_to_no_branch_that_is_not_there(rdo: Forge) -> None:
    action = AddFiles(branch=BRANCH, message="Report", files=(RESULT,))
    refused(rdo, action, "GitLab answers 400 (You can only create or edit files when you are on a branch)")


def test_files_are_added_to_no_protected_branch_by_a_developer(rdo: Forge, gate: Forge) -> None:
    action = AddFiles(branch="main", message="Report", files=(RESULT,))
    refused(rdo, action, f"{NOT_ALLOWED}; it needs scope api and the role Developer")
    gate.apply(action)
    assert rdo.read_file(RESULT.path, "main") == RESULT.content


def test_a_branch_is_created_at_a_commit(stage: Stage, gate: Forge) -> None:
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"})
    stage.delete_branch("rdo-ci", BRANCH)
    gate.apply(CreateBranch(branch=BRANCH, sha=sha))
    assert gate.branch_head(BRANCH) == sha
    assert gate.pushes(BRANCH, LONG_AGO)[-1].before is None


def test_a_branch_that_is_there_stays_where_it_is(stage: Stage, gate: Forge) -> None:
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"})
    gate.apply(CreateBranch(branch=BRANCH, sha=main_of(gate)))
    assert gate.branch_head(BRANCH) == sha


def test_a_branch_is_created_at_no_commit_that_is_not_there(gate: Forge) -> None:
    refused(gate, CreateBranch(branch=BRANCH, sha=NOWHERE), f"GitLab answers 400 (Invalid reference name: {NOWHERE})")


def test_who_is_no_developer_creates_no_branch(reporter: Forge) -> None:
    refused(reporter, CreateBranch(branch=BRANCH, sha=main_of(reporter)), NOT_ALLOWED)


# --- OpenMergeRequest


def test_a_merge_request_is_as_it_was_opened(stage: Stage, opener: Forge, gate: Forge) -> None:
    sha = stage.push("compose-bot", BRANCH, {"a": b"1"})
    opener.apply(opening(labels=("stream::x", "gate::pending")))
    found = gate.merge_request(1)
    assert (found.iid, found.state, found.title, found.description) == (1, OPENED, "A compose", "Words")
    assert (found.source_branch, found.target_branch, found.head) == (BRANCH, "main", sha)
    assert (found.author, found.labels) == (opener.me(), frozenset({"stream::x", "gate::pending"}))
    assert (found.closed_by, found.from_fork) == (None, False)
    assert found.web_url == f"{gate.project().web_url}/-/merge_requests/1"
    assert (gate.thread(1).notes, gate.approved_by(1)) == ((), frozenset())


def test_a_second_merge_request_of_others_is_refused(rdo: Forge, head: Sha) -> None:
    refused(rdo, opening(), "its state does not allow it (['Another open merge request already exists")
    assert [one.head for one in rdo.open_merge_requests()] == [head]


def test_a_merge_request_of_our_own_that_is_open_is_as_good_as_opened(opener: Forge, head: Sha) -> None:
    opener.apply(opening(title="Another"))
    assert [(one.title, one.head) for one in opener.open_merge_requests()] == [("A compose", head)]


def test_a_second_merge_request_to_another_target_is_opened(stage: Stage, opener: Forge, head: Sha) -> None:
    stage.push("rdo-ci", "next", {"a": b"1"})
    opener.apply(opening(target="next"))
    assert [(one.iid, one.head) for one in opener.open_merge_requests()] == [(2, head), (1, head)]


def test_a_new_merge_request_is_opened_after_one_that_is_closed(opener: Forge, head: Sha) -> None:
    opener.apply(CloseMergeRequest(iid=1))
    opener.apply(opening())
    states = [(one.iid, one.state, one.head) for one in opener.merge_requests(source_branch=BRANCH)]
    assert states == [(2, OPENED, head), (1, CLOSED, head)]


def test_a_merge_request_needs_its_branches(opener: Forge) -> None:
    refused(opener, opening(), "GitLab answers 400 ({'source_branch': ['does not exist']})")


def test_a_merge_request_needs_its_target(stage: Stage, opener: Forge) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    refused(opener, opening(target="next"), "GitLab answers 400 ({'target_branch': ['does not exist']})")
    refused(opener, opening(target=BRANCH), "GitLab answers 422")


def test_a_title_has_a_bound(stage: Stage, opener: Forge) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    refused(opener, opening(title="x" * 256), "is too long (maximum is 255 characters)")
    opener.apply(opening(title="x" * 255))


def test_who_is_no_developer_opens_nothing(stage: Stage, reporter: Forge) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    refused(reporter, opening(), NOT_ALLOWED)


# --- lists of merge requests


def test_a_merge_request_that_is_not_there_is_an_error(gate: Forge) -> None:
    for read in (gate.merge_request, gate.lock, gate.approved_by, gate.thread, gate.notes):
        with pytest.raises(ForgeError, match=r"could not read (?:merge request|.* of) !9: it does not exist"):
            read(9)


def test_merge_requests_are_listed_by_branch_state_and_title(stage: Stage, opener: Forge, head: Sha) -> None:
    stage.push("compose-bot", OTHER, {"a": b"1"})
    opener.apply(opening(OTHER, title="Another compose"))
    opener.apply(CloseMergeRequest(iid=1))
    assert [(one.iid, one.head == head) for one in opener.merge_requests(source_branch=BRANCH)] == [(1, True)]
    assert [one.iid for one in opener.open_merge_requests()] == [2]
    assert [one.iid for one in opener.recent_merge_requests()] == [2, 1]
    assert [one.iid for one in opener.titled_merge_requests("compose")] == [2]
    assert opener.titled_merge_requests("Compose") == []


def test_a_merge_request_from_a_fork_is_listed_as_one(stage: Stage, gate: Forge, head: Sha) -> None:
    iid = stage.open_from_fork("rdo-ci", BRANCH, "A compose")
    found = gate.merge_request(iid)
    assert (found.from_fork, found.author.username, found.source_branch) == (True, "rdo-ci", BRANCH)
    assert found.head not in {None, head}
    assert [one.iid for one in gate.open_merge_requests()] == [iid, 1]
    assert [one.iid for one in gate.merge_requests(source_branch=BRANCH)] == [iid, 1]
    assert [one.iid for one in gate.titled_merge_requests("A compose")] == [iid, 1]
    assert [one.iid for one in gate.recent_merge_requests()] == [1]


def test_a_merge_request_from_a_fork_follows_the_fork_alone(stage: Stage, gate: Forge, head: Sha) -> None:
    iid = stage.open_from_fork("rdo-ci", BRANCH, "A compose")
    moved = stage.push_to_fork("rdo-ci", BRANCH)
    assert (gate.merge_request(iid).head, gate.merge_request(1).head) == (moved, head)


# --- what a push does to a merge request


def test_the_head_follows_the_branch_and_that_is_told(stage: Stage, gate: Forge, head: Sha) -> None:
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"}, message="Report\n\nMore")
    assert sha != head
    assert gate.merge_request(1).head == sha
    assert told(gate)[-1] == f"added 1 commit\n\n<ul><li>{sha[:8]} - Report</li></ul>"


def test_a_push_by_force_is_told_as_one(stage: Stage, gate: Forge, head: Sha) -> None:
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"}, base=main_of(gate))
    assert sha != head
    assert (gate.merge_request(1).head, told(gate)[-1]) == (sha, f"force pushed the branch to {sha[:8]}")


def test_a_branch_that_is_deleted_closes_its_merge_request(stage: Stage, gate: Forge, rdo: Forge, head: Sha) -> None:
    stage.delete_branch("rdo-ci", BRANCH)
    found = gate.merge_request(1)
    assert (found.state, found.closed_by, found.head) == (CLOSED, rdo.me(), head)
    assert told(gate) == ["closed"]


def test_a_closed_merge_request_does_not_follow_its_branch(stage: Stage, gate: Forge, head: Sha) -> None:
    gate.apply(CloseMergeRequest(iid=1))
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    assert gate.merge_request(1).head == head


def test_a_commit_whose_title_says_draft_makes_a_draft(stage: Stage, gate: Forge, head: Sha) -> None:
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"}, message="draft: report")
    assert gate.merge_request(1).title == "Draft: A compose"
    assert told(gate)[-1] == f"marked this merge request as **draft** from {sha}"
    refused(gate, merging(sha), "its state does not allow it (405, ")
    assert head != sha


def test_what_comes_to_main_by_a_push_is_merged(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.push("gate-bot", "main", {"b": b"1"}, base=head)
    assert gate.merge_request(1).state is MERGED


# --- UpdateMergeRequest


def test_title_target_description_and_labels_are_changed(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.push("rdo-ci", "next", {"a": b"1"})
    gate.apply(UpdateMergeRequest(iid=1, add_labels=("a", "b")))
    gate.apply(
        UpdateMergeRequest(
            iid=1, title="New", target_branch="next", description="More", add_labels=("c",), remove_labels=("a", "z")
        )
    )
    found = gate.merge_request(1)
    assert (found.title, found.target_branch, found.description, found.head) == ("New", "next", "More", head)
    assert found.labels == {"b", "c"}
    assert sorted(told(gate)) == [
        "changed target branch from `main` to `next`",
        "changed the description",
        "changed title from **A compose** to **New**",
    ]


def test_a_part_that_is_not_given_stays_and_is_not_told(gate: Forge, head: Sha) -> None:
    gate.apply(UpdateMergeRequest(iid=1, description=""))
    found = gate.merge_request(1)
    assert (found.title, found.target_branch, found.description, found.head) == ("A compose", "main", "", head)
    assert told(gate) == ["changed the description"]


@pytest.mark.usefixtures("head")
def test_a_title_makes_a_draft_and_takes_it_back(gate: Forge) -> None:
    gate.apply(UpdateMergeRequest(iid=1, title="Draft: A compose"))
    gate.apply(UpdateMergeRequest(iid=1, title="A compose"))
    assert told(gate) == ["marked this merge request as **draft**", "marked this merge request as **ready**"]


@pytest.mark.usefixtures("head")
def test_a_target_that_is_not_there_changes_nothing_else_either(gate: Forge) -> None:
    action = UpdateMergeRequest(iid=1, title="New", target_branch="next", description="More")
    refused(gate, action, "GitLab answers 400 ({'target_branch': ['does not exist']})")
    found = gate.merge_request(1)
    assert (found.title, found.description, told(gate)) == ("A compose", "Words", [])


def test_a_target_where_another_one_is_open_is_refused(stage: Stage, opener: Forge, head: Sha) -> None:
    stage.push("rdo-ci", "next", {"a": b"1"})
    opener.apply(opening(target="next"))
    refused(opener, UpdateMergeRequest(iid=2, target_branch="main"), "its state does not allow it")
    refused(opener, UpdateMergeRequest(iid=2, target_branch=BRANCH), "GitLab answers 422")
    assert opener.merge_request(2).head == head


@pytest.mark.usefixtures("head")
def test_who_is_no_developer_changes_nothing(reporter: Forge) -> None:
    refused(reporter, UpdateMergeRequest(iid=1, title="New"), NOT_ALLOWED)
    refused(reporter, CloseMergeRequest(iid=1), NOT_ALLOWED)


@pytest.mark.usefixtures("head")
def test_a_change_of_what_is_so_already_is_as_good_as_made(reporter: Forge) -> None:
    reporter.apply(UpdateMergeRequest(iid=1, title="A compose", remove_labels=("a",)))


# --- CloseMergeRequest, ReopenMergeRequest


@pytest.mark.usefixtures("head")
def test_a_merge_request_is_closed_and_opened_again(gate: Forge, rdo: Forge) -> None:
    rdo.apply(CloseMergeRequest(iid=1))
    rdo.apply(CloseMergeRequest(iid=1))
    assert (gate.merge_request(1).state, gate.merge_request(1).closed_by) == (CLOSED, rdo.me())
    gate.apply(ReopenMergeRequest(iid=1))
    assert (gate.merge_request(1).state, gate.merge_request(1).closed_by) == (OPENED, None)
    assert [(one.author_id, one.body) for one in gate.thread(1).told] == [
        (rdo.me().id, "closed"),
        (gate.me().id, "reopened"),
    ]


def test_what_is_opened_again_has_its_branchs_head(stage: Stage, gate: Forge, head: Sha) -> None:
    gate.apply(CloseMergeRequest(iid=1))
    sha = stage.push("rdo-ci", BRANCH, {"a": b"1"})
    gate.apply(ReopenMergeRequest(iid=1))
    assert (gate.merge_request(1).head, sha == head) == (sha, False)


def test_nothing_is_opened_again_without_its_branch(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.delete_branch("rdo-ci", BRANCH)
    refused(gate, ReopenMergeRequest(iid=1), f"GitLab answers 422 (['Source branch `{BRANCH}` does not exist'])")
    gate.apply(CreateBranch(branch=BRANCH, sha=head))
    gate.apply(ReopenMergeRequest(iid=1))
    assert (gate.merge_request(1).state, gate.merge_request(1).head) == (OPENED, head)


@pytest.mark.usefixtures("head")
def test_nothing_is_opened_again_beside_another_one(opener: Forge) -> None:
    opener.apply(CloseMergeRequest(iid=1))
    opener.apply(opening())
    refused(opener, ReopenMergeRequest(iid=1), "its state does not allow it (['Another open merge request")


def test_what_is_merged_is_neither_closed_nor_opened_again(gate: Forge, head: Sha) -> None:
    gate.apply(merging(head))
    refused(gate, CloseMergeRequest(iid=1), "GitLab leaves it merged; check the account's role")
    refused(gate, ReopenMergeRequest(iid=1), "GitLab leaves it merged; check the account's role")


@pytest.mark.parametrize(
    "action", [CloseMergeRequest(iid=9), ReopenMergeRequest(iid=9), UpdateMergeRequest(iid=9, title="New")]
)
def test_what_is_not_there_is_not_changed(gate: Forge, action: ForgeAction) -> None:
    refused(gate, action, "it does not exist, or the token may not see it")


# --- Approve, Unapprove


def test_an_approval_is_given_and_withdrawn_and_that_is_told(gate: Forge, head: Sha) -> None:
    gate.apply(Approve(iid=1, sha=head))
    assert gate.approved_by(1) == {gate.me().id}
    gate.apply(Unapprove(iid=1, reason="the gate is blocked"))
    assert gate.approved_by(1) == frozenset()
    assert [(one.author_id, one.body) for one in gate.thread(1).told] == [
        (gate.me().id, "approved this merge request"),
        (gate.me().id, "unapproved this merge request"),
    ]


def test_many_approve(gate: Forge, rdo: Forge, head: Sha) -> None:
    gate.apply(Approve(iid=1, sha=head))
    rdo.apply(Approve(iid=1, sha=head))
    gate.apply(Unapprove(iid=1, reason="x"))
    assert gate.approved_by(1) == {rdo.me().id}


def test_an_approval_is_of_one_head(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    stale(gate, Approve(iid=1, sha=head))
    assert gate.approved_by(1) == frozenset()


def test_what_is_approved_or_withdrawn_already_is_as_good_as_done(gate: Forge, head: Sha) -> None:
    gate.apply(Unapprove(iid=1, reason="x"))
    gate.apply(Approve(iid=1, sha=head))
    gate.apply(Approve(iid=1, sha=head))
    assert told(gate) == ["approved this merge request"]
    stale(gate, Approve(iid=1, sha=NOWHERE))


def test_the_author_may_not_approve(opener: Forge, head: Sha) -> None:
    refused(opener, Approve(iid=1, sha=head), f"{NOT_VALID}; check COMPOSE_REPO_TOKEN (scope api) (401 Unauthorized)")


def test_the_author_may_approve_where_the_project_lets_it(stage: Stage, opener: Forge, head: Sha) -> None:
    stage.demand("author_may_approve")
    opener.apply(Approve(iid=1, sha=head))
    assert opener.approved_by(1) == {opener.me().id}


def test_who_is_no_developer_may_not_approve_and_nobody_what_is_closed(reporter: Forge, gate: Forge, head: Sha) -> None:
    refused(reporter, Approve(iid=1, sha=head), NOT_VALID)
    gate.apply(CloseMergeRequest(iid=1))
    refused(gate, Approve(iid=1, sha=head), NOT_VALID)


def test_an_approval_outlives_a_push_unless_the_project_resets_it(stage: Stage, gate: Forge, head: Sha) -> None:
    gate.apply(Approve(iid=1, sha=head))
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    assert gate.approved_by(1) == {gate.me().id}
    stage.demand("reset_approvals_on_push")
    stage.push("rdo-ci", BRANCH, {"a": b"2"})
    assert gate.approved_by(1) == frozenset()


# --- PutNote, EditNote, DeleteNote


@pytest.mark.usefixtures("head")
def test_notes_are_told_oldest_first_with_their_authors(gate: Forge, rdo: Forge) -> None:
    gate.apply(note("one"))
    rdo.apply(note("two"))
    gate.apply(CloseMergeRequest(iid=1))
    assert [(one.author_id, one.body) for one in gate.notes(1)] == [(gate.me().id, "one"), (rdo.me().id, "two")]
    thread = gate.thread(1)
    assert (thread.notes, [one.body for one in thread.told]) == (tuple(gate.notes(1)), ["closed"])
    times = [one.edited_at for one in (*thread.notes, *thread.told)]
    assert all(time is not None and time.tzinfo is not None for time in times)


@pytest.mark.usefixtures("head")
def test_a_note_is_edited_in_its_place_and_later_than_it_was_written(gate: Forge) -> None:
    gate.apply(note("one"))
    gate.apply(note("two"))
    first = gate.notes(1)[0]
    gate.apply(EditNote(iid=1, note_id=first.id, body="new"))
    assert [one.body for one in gate.notes(1)] == ["new", "two"]
    assert is_later(gate.notes(1)[0].edited_at, first.edited_at)


@pytest.mark.usefixtures("head")
def test_a_note_is_deleted_and_one_that_is_gone_is_as_good_as_deleted(gate: Forge) -> None:
    gate.apply(note())
    action = DeleteNote(iid=1, note_id=gate.notes(1)[0].id)
    gate.apply(action)
    gate.apply(action)
    assert gate.notes(1) == ()


@pytest.mark.usefixtures("head")
def test_a_note_that_is_gone_is_not_edited(gate: Forge) -> None:
    refused(gate, EditNote(iid=1, note_id=999_999, body="new"), "it does not exist, or the token may not see it")


@pytest.mark.usefixtures("head")
def test_a_note_of_others_is_a_maintainers_to_change(gate: Forge, rdo: Forge) -> None:
    gate.apply(note("the gate's"))
    rdo.apply(note("theirs"))
    ours, theirs = gate.notes(1)
    refused(rdo, EditNote(iid=1, note_id=ours.id, body="new"), NOT_ALLOWED)
    refused(rdo, DeleteNote(iid=1, note_id=ours.id), NOT_ALLOWED)
    gate.apply(EditNote(iid=1, note_id=theirs.id, body="new"))
    assert [(one.author_id, one.body) for one in gate.notes(1)] == [
        (gate.me().id, "the gate's"),
        (rdo.me().id, "new"),
    ]


@pytest.mark.usefixtures("head")
def test_what_the_forge_has_told_is_nobodys_to_change(gate: Forge) -> None:
    gate.apply(CloseMergeRequest(iid=1))
    told_id = gate.thread(1).told[0].id
    refused(gate, EditNote(iid=1, note_id=told_id, body="new"), NOT_ALLOWED)


@pytest.mark.usefixtures("head")
def test_a_note_has_words_and_a_bound(gate: Forge) -> None:
    refused(gate, note(" \n"), "can't be blank")
    refused(gate, note("x" * 1_000_001), "is too long (maximum is 1000000 characters)")
    assert gate.notes(1) == ()


@pytest.mark.usefixtures("head")
def test_a_stranger_may_write_a_note(stage: Stage) -> None:
    stranger = stage.forge("stranger")
    stranger.apply(note())
    assert [one.author_id for one in stranger.notes(1)] == [stranger.me().id]


def test_no_note_is_written_on_what_is_not_there(gate: Forge) -> None:
    action = PutNote(iid=9, marker="x", body="words")
    with pytest.raises(ForgeError, match="!9: it does not exist"):
        gate.apply(action)


# --- SetStatus


def test_a_status_is_as_it_was_set(gate: Forge, head: Sha) -> None:
    gate.apply(status(head))
    (found,) = gate.statuses(head, "compose-gate")
    expected = CommitStatus(
        name="compose-gate",
        author_id=gate.me().id,
        state=CommitState.PENDING,
        description="1 missing",
        set_at=found.set_at,
    )
    assert (found, gate.statuses(head, "other")) == (expected, [])
    assert found.set_at is not None


def test_a_pending_status_stays_with_its_words_when_it_is_set_to_pending_again(gate: Forge, head: Sha) -> None:
    gate.apply(status(head))
    gate.apply(status(head, words="none missing"))
    assert [one.description for one in gate.statuses(head, "compose-gate")] == ["1 missing"]


def test_a_pending_status_becomes_another_one_later(gate: Forge, head: Sha) -> None:
    gate.apply(status(head))
    before = gate.statuses(head, "compose-gate")[0].set_at
    gate.apply(status(head, CommitState.SUCCESS, "all there"))
    (found,) = gate.statuses(head, "compose-gate")
    assert (found.state, found.description) == (CommitState.SUCCESS, "all there")
    assert is_later(found.set_at, before)


def test_a_status_that_is_final_is_followed_by_a_new_one(gate: Forge, head: Sha) -> None:
    for state in (CommitState.SUCCESS, CommitState.FAILED, CommitState.FAILED, CommitState.PENDING):
        gate.apply(status(head, state, f"it is {state}"))
    found = gate.statuses(head, "compose-gate")
    assert [(one.state, one.description) for one in found] == [(CommitState.PENDING, "it is pending")]


def test_a_status_by_another_account_takes_the_place_of_ours(gate: Forge, rdo: Forge, head: Sha) -> None:
    gate.apply(status(head))
    rdo.apply(status(head, CommitState.SUCCESS))
    assert [one.author_id for one in gate.statuses(head, "compose-gate")] == [rdo.me().id]


def test_a_status_of_one_name_on_two_branches_is_told_newest_first(gate: Forge, head: Sha) -> None:
    gate.apply(status(head, CommitState.SUCCESS))
    gate.apply(CreateBranch(branch=OTHER, sha=head))
    failed = SetStatus(sha=head, branch=OTHER, name="compose-gate", state=CommitState.FAILED, description="x")
    gate.apply(failed)
    states = [one.state for one in gate.statuses(head, "compose-gate")]
    assert states == [CommitState.FAILED, CommitState.SUCCESS]


def test_a_state_that_we_never_set_is_none(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.run_status("rdo-ci", head, BRANCH, "compose-gate")
    assert [one.state for one in gate.statuses(head, "compose-gate")] == [None]


def test_a_status_is_of_a_commit_that_is_there(gate: Forge) -> None:
    refused(gate, status(NOWHERE), "it does not exist, or the token may not see it")
    with pytest.raises(ForgeError, match="could not read statuses of aaaaaaaaaaaa: it does not exist"):
        gate.statuses(NOWHERE, "compose-gate")


def test_a_status_has_a_bound_and_needs_a_developer(gate: Forge, reporter: Forge, head: Sha) -> None:
    refused(gate, status(head, words="x" * 256), "is too long (maximum is 255 characters)")
    refused(reporter, status(head), NOT_ALLOWED)
    assert gate.statuses(head, "compose-gate") == []


def test_a_status_on_a_protected_branch_needs_the_right_to_push(stage: Stage, rdo: Forge, head: Sha) -> None:
    stage.protect("compose/*")
    refused(rdo, status(head), NOT_ALLOWED)
    stage.forge("gate-bot").apply(status(head))


# --- Merge


def test_a_merge_makes_a_commit_of_main_and_head(stage: Stage, gate: Forge, head: Sha) -> None:
    main = main_of(gate)
    gate.apply(merging(head))
    found = gate.merge_request(1)
    assert (found.state, found.head, found.closed_by, told(gate)) == (MERGED, head, None, ["merged"])
    assert stage.commits("main") == (main, head)
    assert gate.read_file(MANIFEST.path, "main") == MANIFEST.content
    assert gate.branch_head(BRANCH) == head


def test_a_merge_is_of_one_head(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    stale(gate, merging(head))
    assert gate.merge_request(1).state is OPENED


def test_what_is_merged_already_is_as_good_as_merged_at_that_head_alone(gate: Forge, head: Sha) -> None:
    gate.apply(merging(head))
    main = main_of(gate)
    gate.apply(merging(head))
    assert main_of(gate) == main
    refused(gate, merging(NOWHERE), "its state does not allow it (405, ")


def test_a_merge_keeps_what_main_has_got_meanwhile(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.push("owner", "main", {"README.md": b"new", "b": b"1"})
    gate.apply(merging(head))
    assert (gate.read_file("README.md", "main"), gate.read_file("b", "main")) == (b"new", b"1")
    assert gate.read_file(MANIFEST.path, "main") == MANIFEST.content


def test_a_conflict_is_not_merged(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.push("owner", "main", {MANIFEST.path: b"other"})
    refused(gate, merging(head), "GitLab answers 422 (Branch cannot be merged)")


def test_what_is_closed_a_draft_or_empty_is_not_merged(stage: Stage, gate: Forge, head: Sha) -> None:
    gate.apply(CloseMergeRequest(iid=1))
    refused(gate, merging(head), "its state does not allow it (405, ")
    gate.apply(ReopenMergeRequest(iid=1))
    gate.apply(UpdateMergeRequest(iid=1, title="[Draft] A compose"))
    refused(gate, merging(head), "its state does not allow it (405, ")
    main = main_of(gate)
    gate.apply(CreateBranch(branch=OTHER, sha=main))
    gate.apply(opening(OTHER))
    refused(gate, merging(main, iid=2), "its state does not allow it (405, ")
    assert (stage.commits("main"), main_of(gate)) == ((), main)


def test_a_date_holds_a_merge_up_until_it_is_taken_away(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.hold_up(1, dt.datetime(2126, 1, 1, tzinfo=dt.UTC))
    assert gate.merge_request(1).merge_after == dt.datetime(2126, 1, 1, tzinfo=dt.UTC)
    refused(gate, merging(head), "its state does not allow it (405, merge_time): it is not to be merged before a date")
    gate.apply(UpdateMergeRequest(iid=1, any_time=True))
    assert gate.merge_request(1).merge_after is None
    gate.apply(merging(head))


@pytest.mark.usefixtures("head")
def test_squashing_is_ended(stage: Stage, gate: Forge) -> None:
    stage.squash(1)
    assert gate.merge_request(1).squash
    gate.apply(UpdateMergeRequest(iid=1, keep_commits=True))
    assert not gate.merge_request(1).squash


def test_a_lock_on_a_file_bars_its_merge_until_it_is_taken_off(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.lock_file("rdo-ci", "elsewhere.json")
    assert not gate.merge_request(1).is_locked
    stage.lock_file("rdo-ci", MANIFEST.path)
    other, lock = gate.file_locks()
    assert (other.path, lock.path, lock.owner) == ("elsewhere.json", MANIFEST.path, "rdo-ci")
    assert gate.merge_request(1).is_locked
    refused(gate, merging(head), "its state does not allow it (405, locked_lfs_files): somebody has locked a file")
    gate.apply(Unlock(lock_id=lock.id, path=lock.path, owner=lock.owner))
    gate.apply(Unlock(lock_id=lock.id, path=lock.path, owner=lock.owner))  # it is off already
    assert list(gate.file_locks()) == [other]
    gate.apply(merging(head))


@pytest.mark.usefixtures("head")
def test_a_developer_takes_no_lock_of_others_off(stage: Stage, opener: Forge, gate: Forge) -> None:
    stage.lock_file("rdo-ci", MANIFEST.path)
    (lock,) = gate.file_locks()
    refused(opener, Unlock(lock_id=lock.id, path=lock.path, owner=lock.owner), NOT_ALLOWED)


def test_who_may_not_merge_into_main_does_not(rdo: Forge, head: Sha) -> None:
    refused(rdo, merging(head), NOT_VALID)
    assert rdo.merge_request(1).state is OPENED


def test_a_developer_merges_into_a_branch_that_is_not_protected(stage: Stage, rdo: Forge, head: Sha) -> None:
    stage.push("rdo-ci", "next", {"a": b"1"})
    rdo.apply(UpdateMergeRequest(iid=1, target_branch="next"))
    rdo.apply(merging(head))
    assert rdo.read_file(MANIFEST.path, "next") == MANIFEST.content
    assert rdo.read_file(MANIFEST.path, "main") is None


# --- lock


@pytest.mark.parametrize(
    ("state", "lock"),
    [
        ("pending", Lock.DUE),
        ("running", Lock.DUE),
        ("success", None),
        ("failed", Lock.FAILED),
        ("canceled", Lock.FAILED),
        ("skipped", Lock.FAILED),
    ],
)
def test_a_pipeline_locks_a_merge_request_until_it_has_succeeded(
    stage: Stage, gate: Forge, head: Sha, state: str, lock: Lock | None
) -> None:
    stage.demand("pipelines_must_succeed")
    stage.set_pipeline(1, state)
    assert gate.lock(1) is lock
    if lock is None:
        gate.apply(merging(head))
    else:
        refused(gate, merging(head), "its state does not allow it (405, ")


@pytest.mark.usefixtures("head")
def test_no_pipeline_locks_where_the_project_does_not_ask_for_one(stage: Stage, gate: Forge) -> None:
    stage.set_pipeline(1, "failed")
    assert gate.lock(1) is None


@pytest.mark.usefixtures("head")
def test_a_pipeline_is_of_one_head(stage: Stage, gate: Forge) -> None:
    stage.demand("pipelines_must_succeed")
    stage.set_pipeline(1, "failed")
    stage.push("rdo-ci", BRANCH, {"a": b"1"})
    stage.set_pipeline(1, "running")
    assert gate.lock(1) is Lock.DUE


@pytest.mark.usefixtures("head")
def test_what_is_closed_or_a_draft_is_not_locked_by_a_pipeline(stage: Stage, gate: Forge) -> None:
    stage.demand("pipelines_must_succeed")
    stage.set_pipeline(1, "failed")
    gate.apply(UpdateMergeRequest(iid=1, title="Draft: A compose"))
    assert gate.lock(1) is None
    gate.apply(UpdateMergeRequest(iid=1, title="A compose"))
    assert gate.lock(1) is Lock.FAILED
    gate.apply(CloseMergeRequest(iid=1))
    assert gate.lock(1) is None


def test_what_holds_a_pipeline_is_told_with_its_author(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.demand("pipelines_must_succeed")
    assert head
    stage.set_pipeline(1, "success")
    assert (gate.lock(1), list(gate.holders(1))) == (None, [])
    stage.meddle("rdo-ci", 1, "lint", "failed")
    stage.meddle("rdo-ci", 1, "fine", "success")
    assert gate.lock(1) is Lock.FAILED
    assert list(gate.holders(1)) == [Holder(name="lint", author="rdo-ci", state="failed", is_job=False)]
    stage.meddle("rdo-ci", 1, "slow", "running")
    assert gate.lock(1) is Lock.DUE
    assert [holder.name for holder in gate.holders(1)] == ["lint", "slow"]


def test_a_new_pipeline_of_a_head_has_no_statuses_of_others(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.demand("pipelines_must_succeed")
    stage.set_pipeline(1, "success")
    stage.meddle("rdo-ci", 1, "lint", "failed")
    assert (gate.pipelines_by(head, "compose-bot"), gate.pipelines_by(head, "gate-bot")) == (1, 0)
    gate.apply(StartPipeline(iid=1, sha=head, made=0, reason="it is held"))
    assert gate.pipelines_by(head, "gate-bot") == 1
    assert all(holder.is_job for holder in gate.holders(1))


def test_what_holds_a_merge_request_without_a_pipeline_is_nothing(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.demand("pipelines_must_succeed")
    stage.forget_pipelines(head)
    assert (gate.lock(1), list(gate.holders(1))) == (Lock.DUE, [])


def test_a_status_of_ours_does_not_lock(stage: Stage, gate: Forge, head: Sha) -> None:
    stage.demand("pipelines_must_succeed")
    stage.set_pipeline(1, "success")
    gate.apply(status(head, CommitState.FAILED))
    assert gate.lock(1) is None
