"""The local GitLab, used through real git: clone, push, and what a push is refused for."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from gitlab_world import BRANCH, World, build_world, commit, git, try_git, write


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


@pytest.mark.smoke
def test_developer_pushes_and_the_merge_request_follows(world: World) -> None:
    world.open()
    clone = world.clone(world.rdo)
    sha = write(clone, "results/rdo/1.json", "{}")
    told = try_git(clone, "push").stderr
    merge_request = world.as_user(world.gate).mergerequests.get(1)
    assert merge_request.sha == sha
    assert git(clone, "ls-remote", "origin", "refs/merge-requests/1/head").split()[0] == sha
    assert f"remote:   {merge_request.web_url}" in told
    assert merge_request.diffs.list()[0].head_commit_sha == sha
    assert "added 1 commit" in merge_request.notes.list()[0].body


def test_push_to_a_protected_branch_is_refused_in_gitlabs_words(world: World) -> None:
    clone = world.clone(world.rdo, "main")
    write(clone, "x", "y")
    told = try_git(clone, "push").stderr
    assert "remote: GitLab: You are not allowed to push code to protected branches on this project." in told
    assert "[remote rejected] main -> main (pre-receive hook declined)" in told


def test_force_push_moves_an_unprotected_branch_and_the_head(world: World) -> None:
    old = world.open().sha
    clone = world.clone(world.rdo)
    git(clone, "push", "--quiet", "--force", "origin", f"HEAD~1:{BRANCH}")
    assert world.as_user(world.gate).mergerequests.get(1).sha != old


def test_force_push_to_a_protected_branch_is_refused_to_those_who_may_push(world: World) -> None:
    clone = world.clone(world.gate, "main")
    write(clone, "x", "y")
    git(clone, "push", "--quiet")
    told = try_git(clone, "push", "--force", "origin", "HEAD~1:main").stderr
    assert "GitLab: You are not allowed to force push code to a protected branch on this project." in told


@pytest.mark.parametrize(("level", "accepted"), [(30, True), (40, False)])
def test_most_permissive_of_two_rules_wins(world: World, *, level: int, accepted: bool) -> None:
    project = world.as_user(world.gate)
    project.protectedbranches.create({"name": "compose/*", "push_access_level": 40})
    project.protectedbranches.create({"name": "*/CentOS-*", "push_access_level": level})
    project.branches.create({"branch": BRANCH, "ref": "main"})
    clone = world.clone(world.rdo)
    write(clone, "x", "y")
    assert (try_git(clone, "push").returncode == 0) == accepted


def test_protected_branch_is_not_deleted_by_a_push(world: World) -> None:
    world.as_user(world.gate).protectedbranches.create({"name": "compose/*", "push_access_level": 30})
    world.open()
    told = try_git(world.clone(world.rdo), "push", "--delete", "origin", BRANCH).stderr
    assert "GitLab: You are not allowed to delete protected branches from this project." in told


def test_guest_may_not_push(world: World) -> None:
    clone = world.clone(world.guest, "main")
    told = try_git(clone, "push", "origin", "HEAD:mine").stderr
    assert "remote: You are not allowed to push code to this project." in told
    assert "403" in told


def test_wrong_token_is_denied(world: World) -> None:
    secret = world.server.create_project("secret/plans", owner=world.root, visibility="private")
    url = secret.clone_url.replace("http://", "http://rdo:wrong@")
    assert "HTTP Basic: Access denied" in try_git(world.directory, "ls-remote", url).stderr


def test_private_repository_is_not_found_by_strangers(world: World) -> None:
    project = world.server.create_project("secret/plans", owner=world.root, visibility="private")
    told = try_git(world.directory, "ls-remote", project.clone_url_for(world.stranger)).stderr
    assert "not found" in told


def test_refs_of_merge_requests_may_not_be_pushed_to(world: World) -> None:
    world.open()
    clone = world.clone(world.rdo)
    told = try_git(clone, "push", "origin", "HEAD~1:refs/merge-requests/1/head").stderr
    assert "deny updating a hidden ref" in told


def test_push_of_ten_megabytes_arrives_whole(world: World) -> None:
    world.open()
    clone = world.clone(world.rdo)
    # 32 bytes of every hash: nothing that zlib could make smaller, so the body is large and sent in chunks.
    noise = b"".join(hash((number, "noise")).to_bytes(8, "little", signed=True) for number in range(1_310_720))
    (clone / "big.bin").write_bytes(noise)
    sha = write(clone, "note", "big")
    git(clone, "push", "--quiet")
    assert world.as_user(world.gate).mergerequests.get(1).sha == sha
    assert (world.clone(world.gate) / "big.bin").read_bytes() == noise


def test_of_two_pushes_at_once_one_wins_and_the_other_is_told(world: World) -> None:
    world.open()
    clones = [world.clone(world.rdo), world.clone(world.opener)]
    for number, clone in enumerate(clones):
        write(clone, f"results/{number}", "x")
    codes: list[int] = []
    threads = [threading.Thread(target=lambda c=clone: codes.append(try_git(c, "push").returncode)) for clone in clones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0, 1]
    heads = {git(clone, "rev-parse", "HEAD") for clone in clones}
    assert world.as_user(world.gate).mergerequests.get(1).sha in heads


def test_push_of_a_merged_head_marks_the_merge_request_merged(world: World) -> None:
    world.open()
    clone = world.clone(world.gate)
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    assert world.as_user(world.gate).mergerequests.get(1).state == "merged"


# --- commits that no branch leads to any more


def fetched(where: Path, url: str, sha: str) -> bool:
    """Tell whether a clone without anything in it gets a commit by its sha alone."""
    clone = where / f"empty-{sha[:8]}-{len(list(where.iterdir()))}"
    git(where, "init", "--quiet", str(clone))
    return try_git(clone, "fetch", "--quiet", url, sha).returncode == 0


def test_a_commit_is_fetched_by_its_sha(world: World) -> None:
    old = world.open().sha
    commit(world.as_user(world.opener), BRANCH, "more", "x")
    assert fetched(world.directory, world.project.clone_url, old)


def test_a_head_of_a_merge_request_that_was_forced_away_is_kept_and_hidden(world: World) -> None:
    world.open()
    clone = world.clone(world.rdo)
    gone = write(clone, "results/rdo/1.json", "{}")
    git(clone, "push", "--quiet")
    git(clone, "push", "--quiet", "--force", "origin", f"HEAD~1:{BRANCH}")
    world.server.housekeeping(world.project)
    assert fetched(world.directory, world.project.clone_url, gone)
    assert gone not in git(clone, "ls-remote", "origin")
    told = try_git(clone, "push", "origin", "--delete", f"refs/keep-around/{gone}").stderr
    assert "deny deleting a hidden ref" in told


def test_what_no_merge_request_has_seen_is_lost_when_it_is_forced_away(world: World) -> None:
    clone = world.clone(world.rdo, "main")
    gone = write(clone, "results/rdo/1.json", "{}")
    git(clone, "push", "--quiet", "origin", "HEAD:mine")
    git(clone, "push", "--quiet", "--force", "origin", "HEAD~1:mine")
    assert fetched(world.directory, world.project.clone_url, gone)
    world.server.wait_for_pipelines()
    world.server.housekeeping(world.project)
    assert not fetched(world.directory, world.project.clone_url, gone)
