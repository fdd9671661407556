"""What hardening sets and asks in the local GitLab: settings, members, tokens, keys, variables and who may set them."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gitlab
import pytest
import requests
from gitlab_world import World, build_world, git

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dHRlcmZseWJ1dHRlcmZseWJ1dHRlcmZseTEyMzQ1 ci"
ROLE = "ci_pipeline_variables_minimum_override_role"
HARDENED: dict[str, Any] = {
    "ci_config_path": ".gitlab-ci.yml@centos/gate:main",
    "restrict_user_defined_variables": True,
    "ci_allow_fork_pipelines_to_run_in_parent_project": False,
    "merge_method": "merge",
    "squash_option": "never",
    "only_allow_merge_if_pipeline_succeeds": False,
    "allow_merge_on_skipped_pipeline": False,
    "remove_source_branch_after_merge": False,
    "lfs_enabled": False,
    "auto_devops_enabled": False,
    "wiki_access_level": "disabled",
    "snippets_access_level": "disabled",
    "container_registry_access_level": "disabled",
    "packages_enabled": False,
    "public_jobs": True,
    "forking_access_level": "disabled",
    "keep_latest_artifact": False,
    "ci_separated_caches": True,
    "build_git_strategy": "clone",
    "ci_job_token_scope_enabled": True,
    "ci_push_repository_for_job_token_allowed": False,
    "visibility": "internal",
    ROLE: "no_one_allowed",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build_world(tmp_path)
    yield made
    made.server.stop()


def refusal(action: Callable[[], object]) -> tuple[int | None, str]:
    with pytest.raises(gitlab.GitlabError) as caught:
        action()
    return caught.value.response_code, str(caught.value.error_message)


def put(world: World, values: dict[str, Any], who: str = "root") -> None:
    world.api(getattr(world, who)).projects.update(world.project.id, values)


# --- settings


def test_settings_are_kept_as_they_are_set(world: World) -> None:
    put(world, HARDENED)
    found = world.as_user(world.root)
    assert {name: getattr(found, name) for name in HARDENED} == HARDENED


@pytest.mark.parametrize(
    "values",
    [{"merge_method": "squash"}, {"wiki_access_level": "off"}, {"build_git_strategy": "none"}, {ROLE: "nobody"}],
)
def test_words_that_gitlab_does_not_know_are_refused(world: World, values: dict[str, str]) -> None:
    assert refusal(lambda: put(world, values))[0] == 400


def test_a_maintainer_does_not_change_who_sees_the_project(world: World) -> None:
    assert refusal(lambda: put(world, {"visibility": "private"}, "gate"))[0] == 403
    put(world, {"visibility": "public", "merge_method": "ff"}, "gate")


def test_a_role_that_owners_have_set_is_theirs_to_change(world: World) -> None:
    put(world, {ROLE: "no_one_allowed"}, "gate")
    assert refusal(lambda: put(world, {ROLE: "developer"}, "gate"))[0] == 400
    assert refusal(lambda: put(world, {"restrict_user_defined_variables": False}, "gate"))[0] == 400
    put(world, {ROLE: "developer"}, "root")


def test_jobs_are_hidden_from_the_public_when_they_are_not_public(world: World) -> None:
    url = f"{world.server.url}/api/v4/projects/{world.project.id}/jobs"
    assert requests.get(url, timeout=20).status_code == 200
    put(world, {"public_jobs": False})
    assert requests.get(url, timeout=20).status_code == 403
    assert refusal(world.as_user(world.guest).jobs.list)[0] == 403
    assert world.as_user(world.rdo).jobs.list() == []


# --- who is who


def test_members_are_found_with_those_of_groups_too(world: World) -> None:
    project = world.as_user(world.gate)
    found = {member.username: member.access_level for member in project.members_all.list(get_all=True)}
    assert found == {"root": 50, "opener": 30, "gate": 40, "rdo": 30, "guest": 10}
    assert project.members_all.get(world.rdo.id).access_level == 30
    assert refusal(lambda: project.members_all.get(world.stranger.id))[0] == 404


def test_a_former_path_leads_a_read_to_the_project_and_refuses_a_write(world: World) -> None:
    old = quote(world.project.path, safe="")
    project = world.as_user(world.root)
    project.path = "renamed"
    project.save()
    api = world.api(world.gate)
    found = requests.get(f"{api.api_url}/projects/{old}/labels?page=1", allow_redirects=False, timeout=10)
    assert (found.status_code, found.headers["Location"]) == (
        301,
        f"{api.api_url}/projects/{project.id}/labels?page=1",
    )
    assert world.as_user(world.gate).path_with_namespace == "centos/renamed"
    head = {"PRIVATE-TOKEN": world.gate.token}
    done = requests.post(f"{api.api_url}/projects/{old}/labels", headers=head, data={"name": "x"}, timeout=10)
    assert (done.status_code, done.json()) == (
        405,
        {"message": "Non GET methods are not allowed for moved projects"},
    )
    assert git(world.directory, "ls-remote", world.project.clone_url, "refs/heads/main")


def test_a_former_path_tells_strangers_nothing(world: World) -> None:
    project = world.as_user(world.root)
    project.visibility, project.path = "private", "renamed"
    project.save()
    assert refusal(lambda: world.as_user(world.stranger))[0] == 404


def test_a_token_tells_of_itself(world: World) -> None:
    value = world.server.create_token(world.gate, scopes=("read_api",), expires_at="2099-01-01")
    found = gitlab.Gitlab(world.server.url, private_token=value).personal_access_tokens.get("self")
    assert (found.scopes, found.expires_at, found.active, found.revoked) == (["read_api"], "2099-01-01", True, False)
    assert found.user_id == world.gate.id


def test_deploy_keys_are_listed(world: World) -> None:
    project = world.as_user(world.gate)
    project.keys.create({"title": "ci", "key": KEY, "can_push": True})
    (found,) = project.keys.list()
    assert (found.title, found.can_push, found.fingerprint_sha256[:7]) == ("ci", True, "SHA256:")
    found.delete()
    assert project.keys.list() == []
    assert refusal(lambda: project.keys.create({"title": "ci", "key": "none"}))[0] == 400
    assert refusal(world.as_user(world.rdo).keys.list)[0] == 403


def test_job_tokens_of_other_projects_are_kept_out_until_somebody_lets_them_in(world: World) -> None:
    scope = world.as_user(world.gate).job_token_scope
    assert scope.get().inbound_enabled
    for enabled in (False, True):
        scope.update(new_data={"enabled": enabled})
        assert scope.get().inbound_enabled is enabled
    assert refusal(world.as_user(world.rdo).job_token_scope.get)[0] == 403


def test_a_push_rule_is_made_and_then_changed(world: World) -> None:
    rules = world.as_user(world.gate).pushrules
    assert refusal(lambda: rules.update(new_data={"max_file_size": 10}))[0] == 404
    rules.create({"max_file_size": 10})
    assert refusal(lambda: rules.create({"max_file_size": 20}))[0] == 422
    rules.update(new_data={"max_file_size": 30})
    assert rules.get().max_file_size == 30


def test_the_free_tier_has_neither_push_rules_nor_approval_settings(world: World) -> None:
    world.server.site.paid = False
    project = world.as_user(world.gate)
    assert refusal(project.pushrules.get)[0] == 404
    assert refusal(project.approvals.get)[0] == 404
    assert refusal(lambda: project.approvals.update(new_data={"reset_approvals_on_push": True}))[0] == 404


# --- variables


def test_variables_of_one_name_are_told_apart_by_their_environment(world: World) -> None:
    variables = world.as_user(world.gate).variables
    for scope in ("*", "production"):
        variables.create({"key": "TOKEN", "value": f"for {scope}", "environment_scope": scope})
    assert refusal(lambda: variables.create({"key": "TOKEN", "value": "x"}))[0] == 400
    assert refusal(lambda: variables.get("TOKEN"))[0] == 409
    chosen = {"environment_scope": "production"}
    assert variables.get("TOKEN", filter=chosen).value == "for production"
    variables.update("TOKEN", {"value": "new", "protected": "true"}, filter=chosen)
    assert {(one.value, one.protected) for one in variables.list()} == {("for *", False), ("new", True)}
    variables.delete("TOKEN", filter=chosen)
    assert [one.environment_scope for one in variables.list()] == ["*"]


@pytest.mark.parametrize("value", ["short", "two words are", "line\nline line"])
def test_a_value_that_cannot_be_masked_is_refused(world: World, value: str) -> None:
    variables = world.as_user(world.gate).variables
    assert refusal(lambda: variables.create({"key": "A", "value": value, "masked": True}))[0] == 400
    variables.create({"key": "A", "value": value})
    assert refusal(lambda: variables.update("A", {"masked": True}))[0] == 400


def test_a_hidden_value_is_not_shown(world: World) -> None:
    variables = world.as_user(world.gate).variables
    variables.create({"key": "A", "value": "secret-enough", "masked_and_hidden": True})
    found = variables.get("A")
    assert (found.value, found.masked, found.hidden) == (None, True, True)


# --- who may give a pipeline variables


@pytest.mark.parametrize(
    ("role", "restricted", "accepted"),
    [
        ("developer", True, {"rdo", "gate", "root"}),
        ("maintainer", True, {"gate", "root"}),
        ("owner", True, {"root"}),
        ("no_one_allowed", True, set()),
        ("no_one_allowed", False, {"rdo", "gate", "root"}),
    ],
)
def test_the_role_decides_who_may(world: World, *, role: str, restricted: bool, accepted: set[str]) -> None:
    world.as_user(world.rdo).branches.create({"branch": "b", "ref": "main"})
    put(world, {ROLE: role, "restrict_user_defined_variables": restricted})
    given = {"ref": "b", "variables": [{"key": "PYTHONPATH", "value": "elsewhere"}]}
    for who in ("rdo", "gate", "root"):
        project = world.as_user(getattr(world, who))
        project.pipelines.create({"ref": "b"})
        if who not in accepted:
            status, told = refusal(partial(project.pipelines.create, given))
            assert (status, "Insufficient permissions to set pipeline variables" in told) == (400, True)
            continue
        pipeline = project.pipelines.create(given)
        assert [(one.key, one.value) for one in pipeline.variables.list()] == [("PYTHONPATH", "elsewhere")]


def test_a_trigger_gives_variables_with_its_owner_s_role(world: World) -> None:
    project = world.as_user(world.gate)
    token = project.triggers.create({"description": "bus"}).token
    put(world, {ROLE: "owner"})
    assert refusal(lambda: project.trigger_pipeline("main", token, variables={"A": "1"}))[0] == 400
    assert project.trigger_pipeline("main", token).source == "trigger"
    put(world, {ROLE: "maintainer"})
    assert project.trigger_pipeline("main", token, variables={"A": "1"}).source == "trigger"


def test_a_schedule_gives_variables_with_its_owner_s_role(world: World) -> None:
    project = world.as_user(world.gate)
    schedule = project.pipelineschedules.create({"description": "sync", "ref": "main", "cron": "0 * * * *"})
    schedule.variables.create({"key": "VERB", "value": "sync"})
    put(world, {ROLE: "no_one_allowed"})
    assert refusal(schedule.play)[0] == 400
    put(world, {ROLE: "maintainer"})
    schedule.play()
    assert project.pipelines.list()[0].source == "schedule"


def test_a_name_given_twice_is_refused(world: World) -> None:
    given = {"ref": "main", "variables": [{"key": "A", "value": "1"}, {"key": "A", "value": "2"}]}
    assert refusal(lambda: world.as_user(world.gate).pipelines.create(given))[0] == 400


@pytest.mark.parametrize("words", ["[skip ci]", "[CI-SKIP]", "[ci skip]", "[skip_ci]"])
def test_a_commit_asks_for_no_pipeline_in_many_ways_and_a_trigger_does_not_listen(world: World, words: str) -> None:
    project = world.as_user(world.gate)
    step = {"action": "create", "file_path": "x", "content": "y"}
    project.commits.create({"branch": "main", "commit_message": f"Write {words}", "actions": [step]})
    found = project.pipelines.get(project.pipelines.list()[0].id)
    assert found.detailed_status["tooltip"] == "The commit message asks for no pipeline."
    token = project.triggers.create({"description": "bus"}).token
    world.server.wait_for_pipelines()
    made = project.trigger_pipeline("main", token)
    world.server.wait_for_pipelines()
    assert "asks for no pipeline" not in project.pipelines.get(made.id).detailed_status["tooltip"]
