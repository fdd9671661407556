"""What the forge in memory has beyond a GitLab: it records, lets things happen in between, and lies on a disk for git.

That it answers as GitLab does is shown in tests/acceptance/test_forge_contract.py.
"""

import subprocess
from pathlib import Path

import pass_world
import pytest
from memory_forge import DEVELOPER, MAINTAINER, Call, MemoryForge, MemoryWorld, Sent, Write, fail
from recording_repository import RecordingRepository

from compose_repo.core.forge.action import Approve, CloseMergeRequest, Merge, OpenMergeRequest, PutNote
from compose_repo.core.forge.forge import ForgeError, MergeRequestState, StaleHead
from compose_repo.core.names import Sha
from compose_repo.ports.git.branch import BranchMoved, commit_files, push
from compose_repo.ports.git.objects import GitTree
from compose_repo.ports.git.repository import GitError
from compose_repo.ports.git.tags import create_tag
from compose_repo.reading.loading import load_compose, load_gate

BRANCH = "compose/CentOS-Stream-10-20261120.0"
HEAD_REF = "+refs/merge-requests/1/head:refs/head"


def built(git: Path | None = None) -> MemoryWorld:
    world = MemoryWorld(git=git)
    for name, level in (("compose-bot", DEVELOPER), ("gate-bot", MAINTAINER), ("rdo-ci", DEVELOPER)):
        world.user(name, level)
    world.push("compose-bot", BRANCH, {"composes/x/manifest.json": b"{}"}, message="Add it")
    opener = world.as_user("compose-bot")
    words = OpenMergeRequest(source_branch=BRANCH, target_branch="main", title="x", description="", labels=())
    opener.apply(words)
    world.writes.clear()
    world.calls.clear()
    return world


def head_of(forge: MemoryForge) -> Sha:
    head = forge.merge_request(1).head
    assert head is not None
    return head


def note(body: str = "words") -> PutNote:
    return PutNote(iid=1, marker="words", body=body)


# --- what is recorded


def test_reading_writes_nothing_and_is_among_the_calls() -> None:
    world = built()
    world.as_user("gate-bot").merge_request(1)
    world.as_user("gate-bot").notes(1)
    assert world.writes == []
    assert world.calls == [Call(by="gate-bot", what="merge_request"), Call(by="gate-bot", what="notes")]


def test_what_is_written_is_recorded_with_who_wrote_it_even_if_it_is_refused() -> None:
    world = built()
    world.as_user("gate-bot").apply(note())
    with pytest.raises(ForgeError):
        world.as_user("rdo-ci").apply(Approve(iid=9, sha=Sha("a" * 40)))
    assert world.writes == [
        Write(by="gate-bot", what=note()),
        Write(by="rdo-ci", what=Approve(iid=9, sha=Sha("a" * 40))),
    ]


def test_what_people_do_is_not_among_the_writes() -> None:
    world = built()
    world.push("rdo-ci", BRANCH, {"a.json": b"{}"})
    assert (world.writes, world.calls) == ([], [])


# --- between two calls


def test_somebody_can_push_right_before_an_action() -> None:
    world = built()
    gate = world.as_user("gate-bot")
    head = head_of(gate)
    world.before(Approve, lambda: world.push("rdo-ci", BRANCH, {"a.json": b"{}"}))
    with pytest.raises(StaleHead):
        gate.apply(Approve(iid=1, sha=head))
    assert gate.approved_by(1) == frozenset()


def test_something_happens_once_and_at_the_call_that_was_said() -> None:
    world = built()
    gate, mallory = world.as_user("gate-bot"), world.as_user("compose-bot")
    world.before("merge_request", lambda: mallory.apply(CloseMergeRequest(iid=1)), nth=2)
    seen = [gate.merge_request(1).state for _ in range(3)]
    assert seen == [MergeRequestState.OPENED, MergeRequestState.CLOSED, MergeRequestState.CLOSED]


def test_any_call_can_be_waited_for() -> None:
    world = built()
    gate = world.as_user("gate-bot")
    world.before(None, fail("the line broke"), nth=2)
    gate.merge_request(1)
    with pytest.raises(ForgeError, match="the line broke"):
        gate.apply(note())
    assert (gate.notes(1), world.writes) == ((), [])


def test_what_fails_after_a_call_hides_that_it_has_worked() -> None:
    world = built()
    gate = world.as_user("gate-bot")
    world.after(PutNote, fail("the line broke"))
    with pytest.raises(ForgeError, match="the line broke"):
        gate.apply(note())
    assert [one.body for one in gate.notes(1)] == ["words"]


def test_what_happens_in_between_does_not_set_off_what_else_is_waited_for() -> None:
    world = built()
    gate = world.as_user("gate-bot")
    world.before("notes", lambda: world.as_user("rdo-ci").apply(note("theirs")))
    world.before(PutNote, fail("not this one"))
    assert [one.body for one in gate.notes(1)] == ["theirs"]
    with pytest.raises(ForgeError, match="not this one"):
        gate.apply(note())


def test_a_quick_action_is_refused_as_it_is_not_known_here() -> None:
    with pytest.raises(NotImplementedError, match="quick action"):
        built().as_user("gate-bot").apply(note("words\n/approve"))


# --- on disk, for git


@pytest.fixture
def world(tmp_path: Path) -> MemoryWorld:
    return built(tmp_path / "gitlab.git")


@pytest.fixture
def local(world: MemoryWorld, tmp_path: Path) -> RecordingRepository:
    return world.repository(tmp_path / "scratch.git")


def url(world: MemoryWorld) -> str:
    return world.as_user("gate-bot").project().clone_url


def test_git_finds_nothing_wrong_with_what_was_made(world: MemoryWorld) -> None:
    assert world.git is not None
    world.push("rdo-ci", BRANCH, {"composes/x/results/rdo/1.json": b"{}", "composes/x.y": b"", "composes/x-y": b""})
    done = subprocess.run(
        ["git", "-C", str(world.git), "fsck", "--strict"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_git_fetches_main_and_the_head_of_a_merge_request(world: MemoryWorld, local: RecordingRepository) -> None:
    head = world.push("rdo-ci", BRANCH, {"composes/x/results/rdo/1.json": b"[]"})
    local.fetch(url(world), ["+refs/heads/main:refs/main", HEAD_REF], token=world.token("gate-bot"))
    assert (local.commit("refs/head"), local.commit("refs/main")) == (head, world.head("main"))
    assert GitTree(local, "refs/head").read("composes/x/results/rdo/1.json") == b"[]"


def test_git_fetches_a_commit_that_no_branch_has_any_more(world: MemoryWorld, local: RecordingRepository) -> None:
    gone = world.push("rdo-ci", BRANCH, {"a.json": b"{}"})
    world.push("rdo-ci", BRANCH, {"b.json": b"{}"}, base=world.head("main"))
    local.fetch(url(world), [f"+{gone}:refs/gone"])
    assert local.commit("refs/gone") == gone


def restoring(world: MemoryWorld, local: RecordingRepository) -> Sha:
    local.fetch(url(world), [HEAD_REF])
    return commit_files(local, base="refs/head", parents=("refs/head",), files=(), message="Restore", author="gate-bot")


def test_a_push_of_a_session_is_that_of_the_account_with_the_token(
    world: MemoryWorld, local: RecordingRepository
) -> None:
    gate, commit = world.as_user("gate-bot"), restoring(world, local)
    push(local, url(world), commit, BRANCH, token=world.token("gate-bot"))
    assert head_of(gate) == commit
    assert gate.pushes(BRANCH, world.now.date())[-1].user == gate.me()
    sent = Sent(url=url(world), ref=f"refs/heads/{BRANCH}", commit=commit)
    assert (local.sent, world.writes) == ([sent], [Write(by="gate-bot", what=sent)])


def test_a_push_onto_a_branch_that_has_moved_on_is_refused(world: MemoryWorld, local: RecordingRepository) -> None:
    commit = restoring(world, local)
    world.before(Sent, lambda: world.push("rdo-ci", BRANCH, {"a.json": b"{}"}))
    with pytest.raises(BranchMoved):
        push(local, url(world), commit, BRANCH, token=world.token("gate-bot"))
    assert head_of(world.as_user("gate-bot")) != commit


def test_a_push_by_nobody_or_without_the_right_is_refused(world: MemoryWorld, local: RecordingRepository) -> None:
    commit, before = restoring(world, local), dict(world.heads)
    with pytest.raises(GitError, match="the token belongs to nobody"):
        push(local, url(world), commit, BRANCH, token="other")  # noqa: S106
    with pytest.raises(GitError, match="remote rejected"):
        push(local, url(world), commit, "main", token=world.token("rdo-ci"))
    assert (local.sent, world.heads) == ([], before)
    assert [write.by for write in world.writes] == ["rdo-ci"]


def test_a_tag_is_recorded_and_there(world: MemoryWorld, local: RecordingRepository) -> None:
    commit = restoring(world, local)
    create_tag(
        local, url(world), tag="promotions/x", target=commit, message="m", author="gate-bot", at=1,
        token=world.token("gate-bot"),
    )  # fmt: skip
    assert world.tags == {"promotions/x"}
    assert [(write.by, write.what.is_tag) for write in world.writes if isinstance(write.what, Sent)] == [
        ("gate-bot", True)
    ]


def test_what_git_has_pushed_is_noticed_when_it_is_said_who_did(world: MemoryWorld, local: RecordingRepository) -> None:
    commit = restoring(world, local)
    local.run("push", "--quiet", url(world), f"{commit}:refs/heads/{BRANCH}")
    assert head_of(world.as_user("gate-bot")) != commit
    world.noticed("rdo-ci")
    assert head_of(world.as_user("gate-bot")) == commit


def test_what_is_merged_is_on_main_on_disk_too(world: MemoryWorld, local: RecordingRepository) -> None:
    gate = world.as_user("gate-bot")
    gate.apply(Merge(iid=1, sha=head_of(gate), message="Merge it"))
    local.fetch(url(world), ["+refs/heads/main:refs/main"])
    assert GitTree(local, "refs/main").read("composes/x/manifest.json") == b"{}"
    assert local.run("log", "-1", "--format=%s %P", "refs/main").decode().split()[:2] == ["Merge", "it"]


# --- with a compose in it


def test_the_rules_and_the_manifest_of_a_world_with_a_compose_pass_every_check(tmp_path: Path) -> None:
    world = pass_world.opened(tmp_path)
    local = world.repository(tmp_path / "scratch.git")
    local.fetch(url(world), ["+refs/heads/main:refs/main", HEAD_REF])
    rules = load_gate(GitTree(local, "refs/main"), world.now)
    loaded = load_compose(GitTree(local, "refs/head"), pass_world.ID, rules, world.now)
    assert loaded.manifest.compose_id == pass_world.ID
    assert (world.writes, world.calls[-1:]) == ([], [Call(by="gate-bot", what="project")])
