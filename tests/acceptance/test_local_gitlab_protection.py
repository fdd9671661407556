"""Protected branches of the local GitLab: who may make, move, rewrite and remove them, by git and by the API."""

from collections.abc import Callable, Iterator
from pathlib import Path

import gitlab
import pytest
from gitlab_world import BRANCH, World, build_world, commit, git, try_git, write

NO_ONE, DEVELOPERS, MAINTAINERS = 0, 30, 40


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


def protect(world: World, name: str = "compose/*", *, push: int = 40, merge: int = 40, force: bool = False) -> None:
    values = {"name": name, "push_access_level": push, "merge_access_level": merge, "allow_force_push": force}
    world.as_user(world.gate).protectedbranches.create(values)


def refusal(action: Callable[[], object]) -> tuple[int | None, str]:
    with pytest.raises(gitlab.GitlabError) as caught:
        action()
    return caught.value.response_code, str(caught.value.error_message)


def push(clone: Path, *arguments: str) -> str:
    """Push and return GitLab's refusal, or nothing when it was taken."""
    done = try_git(clone, "push", "origin", *arguments)
    lines = [line for line in done.stderr.splitlines() if line.startswith("remote: GitLab: ")]
    assert bool(lines) == bool(done.returncode), done.stderr
    return lines[0].removeprefix("remote: GitLab: ").strip() if lines else ""


def diverged(clone: Path) -> None:
    """Put a commit into a clone that throws away the last one of the branch."""
    git(clone, "reset", "--quiet", "--hard", "HEAD~1")
    write(clone, "other", "y")


@pytest.mark.smoke
@pytest.mark.parametrize("who", ["rdo", "gate", "root"])
def test_a_protected_branch_is_not_rewritten_by_anybody(world: World, who: str) -> None:
    world.open()
    protect(world, push=DEVELOPERS)
    clone = world.clone(getattr(world, who))
    diverged(clone)
    told = push(clone, "--force", f"HEAD:{BRANCH}")
    assert told == "You are not allowed to force push code to a protected branch on this project."


def test_the_force_push_is_named_first_even_to_who_may_not_push_at_all(world: World) -> None:
    world.open()
    protect(world)
    clone = world.clone(world.rdo)
    diverged(clone)
    assert "force push" in push(clone, "--force", f"HEAD:{BRANCH}")


def test_one_of_two_rules_that_allows_rewriting_is_enough(world: World) -> None:
    world.open()
    protect(world, push=DEVELOPERS)
    protect(world, "compose/CentOS-*", push=NO_ONE, force=True)
    clone = world.clone(world.rdo)
    diverged(clone)
    assert push(clone, "--force", f"HEAD:{BRANCH}") == ""


def test_nobody_pushes_where_no_one_may(world: World) -> None:
    world.open()
    protect(world, push=NO_ONE, merge=DEVELOPERS)
    clone = world.clone(world.gate)
    write(clone, "x", "y")
    assert push(clone) == "You are not allowed to push code to protected branches on this project."


@pytest.mark.parametrize(
    ("push_level", "merge_level", "told"),
    [
        (DEVELOPERS, MAINTAINERS, ""),
        (MAINTAINERS, MAINTAINERS, "You are not allowed to create protected branches on this project."),
        (MAINTAINERS, DEVELOPERS, "You can only create protected branches using the web interface and API."),
    ],
)
def test_who_may_make_a_protected_branch_by_a_push(world: World, push_level: int, merge_level: int, told: str) -> None:
    protect(world, push=push_level, merge=merge_level)
    assert push(world.clone(world.rdo, "main"), "HEAD:compose/x") == told


def test_who_may_only_merge_makes_one_of_nothing_but_protected_commits(world: World) -> None:
    protect(world, merge=DEVELOPERS)
    clone = world.clone(world.rdo, "main")
    write(clone, "x", "y")
    basis = "You can only use an existing protected branch ref as the basis of a new protected branch."
    assert push(clone, "HEAD:compose/x") == basis
    assert push(clone, "HEAD:mine") == ""
    project = world.as_user(world.rdo)
    assert refusal(lambda: project.branches.create({"branch": "compose/x", "ref": "mine"})) == (400, basis)
    assert project.branches.create({"branch": "compose/x", "ref": "main"}).protected


def test_a_branch_is_not_named_like_a_commit(world: World) -> None:
    told = push(world.clone(world.rdo, "main"), f"HEAD:refs/heads/{'a' * 40}")
    assert told == "You cannot create a branch with a 40-character hexadecimal branch name."


def test_a_protected_branch_is_removed_by_a_maintainer_through_the_api_only(world: World) -> None:
    world.open()
    protect(world, push=DEVELOPERS)
    assert "Only a project maintainer or owner" in push(world.clone(world.rdo), "--delete", BRANCH)
    web_only = "You can only delete protected branches using the web interface."
    assert push(world.clone(world.gate), "--delete", BRANCH) == web_only
    status, told = refusal(lambda: world.as_user(world.rdo).branches.delete(BRANCH))
    assert (status, told.startswith("You are not allowed to delete protected branches")) == (400, True)
    world.as_user(world.gate).branches.delete(BRANCH)
    assert refusal(lambda: world.as_user(world.gate).branches.get(BRANCH))[0] == 404


def test_the_default_branch_is_never_removed(world: World) -> None:
    told = "The default branch of a project cannot be deleted."
    assert push(world.clone(world.gate, "main"), "--delete", "main") == told
    assert refusal(lambda: world.as_user(world.gate).branches.delete("main")) == (400, told)


def test_the_branch_of_a_merged_request_stays_when_it_is_protected(world: World) -> None:
    world.open()
    protect(world, push=DEVELOPERS)
    project = world.as_user(world.gate)
    project.mergerequests.get(1).merge(should_remove_source_branch=True)
    assert project.branches.get(BRANCH).merged


def test_a_commit_by_the_api_is_refused_with_403_and_a_file_with_400(world: World) -> None:
    project = world.as_user(world.rdo)
    told = "You are not allowed to push into this branch"
    assert refusal(lambda: commit(project, "main", "x", "y")) == (403, f"403 Forbidden - {told}")
    values = {"file_path": "x", "branch": "main", "content": "y", "commit_message": "x"}
    assert refusal(lambda: project.files.create(values)) == (400, told)


def test_a_rule_is_changed_in_place(world: World) -> None:
    protect(world)
    rule = world.as_user(world.gate).protectedbranches.get("compose/*")
    rule.allow_force_push = True
    rule.allowed_to_push = [{"access_level": DEVELOPERS}]
    rule.save()
    found = world.as_user(world.gate).protectedbranches.get("compose/*")
    assert found.allow_force_push
    assert [level["access_level"] for level in found.push_access_levels] == [DEVELOPERS, MAINTAINERS]
    old = next(level["id"] for level in found.push_access_levels if level["access_level"] == MAINTAINERS)
    found.allowed_to_push = [{"id": old, "_destroy": True}]
    found.save()
    again = world.as_user(world.gate).protectedbranches.get("compose/*")
    assert [level["access_level"] for level in again.push_access_levels] == [DEVELOPERS]


def test_a_developer_changes_no_rule(world: World) -> None:
    protect(world)
    project = world.as_user(world.rdo)
    rule = project.protectedbranches.get("compose/*")
    rule.allow_force_push = True
    assert refusal(rule.save)[0] == 403
    assert refusal(lambda: project.protectedbranches.delete("compose/*"))[0] == 403
